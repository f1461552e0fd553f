"""Settings of where approved statements are published, and in what order."""

from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field

from bot.settings import Duration, Identifier, Language, Section

Audience = Literal[
    "core_team", "management", "staff", "authority", "affected_customers", "customers", "partners", "media", "kols",
    "public",
]  # fmt: skip
PublisherKind = Literal["newsroom", "webhook", "email", "slack", "wecom", "channel", "customers", "manual"]
# Pages that everybody can read: a text for these audiences must never get there by a slip in the file.
INSIDE = ("core_team", "management", "staff", "authority")
# What a kind cannot work without.
NEEDS: dict[str, str] = {
    "webhook": "action", "email": "to", "slack": "to", "wecom": "to", "channel": "channel", "customers": "segment",
}  # fmt: skip
Place = tuple[str | int, ...]


class PublisherConfig(Section):
    """One place where statements are published. ``embargoed``: gets an embargoed text at once, with the line that says
    until when; everybody else gets it when the embargo ends. ``order`` breaks ties within one audience.

    ``action`` is a linked system's action (webhook); ``to`` are addresses or people (email), channels or members
    (slack, wecom); ``channel`` one of ``channels``; ``segment`` one of the customers'; ``folder`` and ``url`` where the
    newsroom's static pages are written and what their address is; ``serve``: whether Fengbo serves them itself.
    """

    id: Identifier
    kind: PublisherKind
    title: str = ""
    audiences: list[Audience] = Field(min_length=1)
    languages: list[Language] = []
    order: int = 0
    embargoed: bool = False
    action: Identifier | Literal[""] = ""
    to: list[str] = []
    channel: str = ""
    segment: str = ""
    folder: str = ""
    url: str = ""
    serve: bool = True
    role: str = "pr"  # who publishes by hand (manual)

    @property
    def name(self) -> str:
        return self.title or self.id


class PublishingConfig(Section):
    """``hold``: how long a later audience waits at most for an earlier one of the same incident."""

    hold: Duration = 900_000


def references(config: Any) -> list[tuple[Place, str, dict[str, Any]]]:
    """Names that point nowhere and settings that a kind lacks: (place, catalogue key, parameters)."""
    people = {person.id for person in config.people}
    robots = config.chat.wecom.robots if config.chat.wecom else {}
    found: list[tuple[Place, str, dict[str, Any]]] = []
    newsrooms = 0
    for index, publisher in enumerate(config.publishers):
        place: Place = ("publishers", index)

        def known(field: str, key: str, value: str, names: Collection[str], at: Place = place) -> None:
            if value and value not in names:
                found.append(((*at, field), key, {"value": value, "known": ", ".join(names) or "-"}))

        need = NEEDS.get(publisher.kind)
        if need and not getattr(publisher, need):
            found.append((place, "config.publisher_needs", {"kind": publisher.kind, "need": need}))
        chat = publisher.kind if publisher.kind in ("email", "slack", "wecom") else ""
        if chat and getattr(config.chat, chat) is None:
            found.append(((*place, "kind"), "config.publisher_without_chat", {"kind": publisher.kind}))
        known("action", "config.unknown_action", publisher.action, config.linkage.actions)
        known("segment", "config.unknown_segment", publisher.segment, config.linkage.customers.segments)
        known("channel", "config.unknown_channel", publisher.channel, config.channels)
        for number, receiver in enumerate(publisher.to):
            at = (*place, "to", number)
            if publisher.kind == "email" and "@" not in receiver and receiver not in people:
                found.append((at, "config.unknown_person", {"value": receiver}))
            robot = receiver.removeprefix("robot/")
            if publisher.kind == "wecom" and robot != receiver and robot not in robots:
                found.append((at, "config.unknown_robot", {"value": robot}))
        if publisher.kind == "newsroom":
            newsrooms += 1
            for number, audience in enumerate(publisher.audiences):
                if audience in INSIDE:
                    found.append(((*place, "audiences", number), "config.newsroom_inside", {"value": audience}))
            if newsrooms > 1:
                found.append((place, "config.one_newsroom", {}))
            if publisher.url and not publisher.url.startswith(("https://", "http://")):
                found.append(((*place, "url"), "config.bad_base_url", {"value": publisher.url, "cause": "base_url"}))
        if publisher.channel == "drill":
            found.append(((*place, "channel"), "config.publisher_to_drill", {}))
    return found
