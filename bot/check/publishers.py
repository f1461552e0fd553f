"""Publishers: whether each of them reaches somebody, can be written to, and says the right address to the public."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.check.findings import Finding, error, note, ok, warn
from bot.config import Config
from bot.config_statements import PublisherConfig
from bot.incidents import people
from bot.incidents.notices import live_destinations
from bot.model.statement import AUDIENCES
from bot.model.text import Text
from bot.response import actions
from bot.response.actions import ActionError
from bot.response.linkage import after_doubt


def check(config: Config) -> list[Finding]:
    """Nothing where no publisher is configured: then everything is published by hand."""
    if not config.publishers:
        return []
    found = [finding for publisher in config.publishers for finding in _one(config, publisher)]
    served = {audience for publisher in config.publishers for audience in publisher.audiences}
    if unserved := [Text(f"audience.{name}") for name in AUDIENCES if name not in served]:
        found.append(note("audiences_unserved", audiences=unserved))
    if not any(level == "error" for level, _ in found):
        found.append(ok("publishers", count=len(config.publishers)))
    return found


def _one(config: Config, publisher: PublisherConfig) -> Iterator[Finding]:
    match publisher.kind:
        case "newsroom":
            yield from _newsroom(config, publisher)
        case "webhook":
            yield from _webhook(config, publisher)
        case "channel":
            channel = config.channels[publisher.channel]
            if not list(live_destinations(channel)):
                yield error("publisher_nobody", publisher=publisher.id)
        case "email" | "slack" | "wecom":
            yield from _receivers(config, publisher, _lost(config, publisher))


def _newsroom(config: Config, publisher: PublisherConfig) -> Iterator[Finding]:
    if not publisher.url and not config.chat.console.public_url:
        # On this machine alone the address is right; beyond it readers and feeds would be sent to the wrong place.
        said = note if config.address[0] in ("localhost", "127.0.0.1", "::1") else warn
        yield said("newsroom_no_address", publisher=publisher.id)
    if publisher.folder:
        folder = Path(publisher.folder)
        standing = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
        if not standing.is_dir() or not os.access(standing, os.W_OK):
            yield error("newsroom_folder", publisher=publisher.id, folder=publisher.folder)
    elif not publisher.serve:
        yield error("newsroom_nowhere", publisher=publisher.id)


def _webhook(config: Config, publisher: PublisherConfig) -> Iterator[Finding]:
    """Whether the action can be made is said with the linked systems."""
    try:
        action = actions.resolve(config.linkage, publisher.action)
    except ActionError:
        return
    if after_doubt(action) == "person":
        yield warn("publisher_doubt", publisher=publisher.id, action=publisher.action)


def _lost(config: Config, publisher: PublisherConfig) -> list[str]:
    """People of its list who have no account in that chat."""
    named = [person for receiver in publisher.to if (person := config.person(receiver)) is not None]
    return [person.name for person in named if not people.account(person, publisher.kind)]


def _receivers(config: Config, publisher: PublisherConfig, lost: Sequence[str]) -> Iterator[Finding]:
    if len(lost) == len(publisher.to):
        yield error("publisher_nobody", publisher=publisher.id)
    elif lost:
        yield warn("publisher_lost", publisher=publisher.id, people=list(lost))
