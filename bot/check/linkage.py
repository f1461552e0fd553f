"""Linked systems: whether every action can be made from its settings, and whether the systems answer."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.check.findings import Finding, error, note, ok, warn
from bot.clock import Clock
from bot.config import Config
from bot.config_linkage import LinkageConfig, SystemConfig
from bot.delivery.chat import Blocked, Refused, Unclear
from bot.response import actions
from bot.response.actions import ActionError, Prepared
from bot.response.linkage import after_doubt
from bot.response.transport import Transport, open_session

AT_ONCE = 8


async def check(
    config: Config, clock: Clock, *, offline: bool, environ: Mapping[str, str] | None = None
) -> list[Finding]:
    """Findings on systems, actions, segments and automatic answers. Systems are asked for ``health`` only."""
    linkage = config.linkage
    found = [*_actions(linkage), *_customers(config), *_replies(config)]
    if linkage.systems:
        async with open_session() as session:
            transport = Transport(linkage, session, clock, environ)
            slots = asyncio.Semaphore(AT_ONCE)

            async def one(name: str, system: SystemConfig) -> list[Finding]:
                async with slots:
                    return await _system(name, system, transport, offline)

            asked = await asyncio.gather(*(one(name, system) for name, system in linkage.systems.items()))
        found = [*(finding for part in asked for finding in part), *found]
    return found


async def _system(name: str, system: SystemConfig, transport: Transport, offline: bool) -> list[Finding]:
    if (finding := _files(name, system)) is not None:
        return [finding]
    insecure = system.base_url.startswith("http://") and system.auth is not None and system.auth.kind != "none"
    found = [warn("system_plain", system=name)] if insecure and not _inside(system.base_url) else []
    if offline:
        return found
    try:
        prepared = Prepared("GET", system.base_url + system.health, {"Accept": "*/*", **system.headers})
        answer = await transport.send(name, prepared, "fengbo-check", drill="")
    except (Blocked, Refused, Unclear) as problem:
        return [*found, error("system_unreachable", system=name, cause=transport.clean(str(problem)))]
    if answer.status in (401, 403):
        return [*found, error("system_denied", system=name, status=answer.status)]
    if answer.status >= 500:
        return [*found, warn("system_failing", system=name, status=answer.status)]
    return [*found, ok("system", system=name)]


def _files(name: str, system: SystemConfig) -> Finding | None:
    """What the system's files say, where that is all there is to say."""
    if system.ca_file and not Path(system.ca_file).is_file():
        return error("system_no_ca", system=name, file=system.ca_file)
    if not system.database:
        return None
    file = Path(system.database.removeprefix("sqlite:///"))
    return ok("system", system=name) if file.is_file() else error("system_no_file", system=name, file=str(file))


def _actions(linkage: LinkageConfig) -> Iterator[Finding]:
    for name in linkage.actions:
        try:
            action = actions.resolve(linkage, name)
        except ActionError as problem:
            yield error("action_unusable", action=name, cause=str(problem))
            continue
        except ValueError as problem:  # the preset with the settings on top does not fit the format
            yield error("action_unusable", action=name, cause=" ".join(str(problem).split())[:200])
            continue
        if lacking := actions.missing(action):
            wanted = actions.preset(action.config.preset).get("parameters") or {}
            yield error("action_missing", action=name, names=[f"{item} ({wanted[item]})" for item in lacking])
        elif after_doubt(action) == "person":
            yield note("action_by_person", action=name)


def _customers(config: Config) -> Iterator[Finding]:
    settings = config.linkage.customers
    for name, segment in settings.segments.items():
        if segment.file and not Path(segment.file).is_file():
            yield warn("segment_no_file", segment=name, file=segment.file)
        if not any(getattr(config.chat, channel) for channel in segment.prefer):
            yield warn("segment_no_chat", segment=name)
    held = {role for person in config.people for role in person.roles}
    if settings.segments and held.isdisjoint({*settings.roles, "admin"}):
        yield error("customers_nobody", roles=settings.roles)


def _replies(config: Config) -> Iterator[Finding]:
    settings = config.linkage.auto_reply
    if settings is None:
        return
    hook = next((source for source in config.sources if source.id == settings.source), None)
    if hook is None or hook.kind != "hook":
        yield error("replies_no_hook", source=settings.source)
    for wanted in ("id", "person", "text"):
        if wanted not in settings.map:
            yield error("replies_no_map", name=wanted)


def _inside(url: str) -> bool:
    return url.startswith(("http://127.", "http://localhost", "http://[::1]"))
