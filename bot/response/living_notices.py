"""What owners of playbooks are told: a proposal to decide on, a wish, and once a week what is past its review day."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.delivery import outbox, timers
from bot.delivery.timers import Timer
from bot.incidents import people
from bot.incidents.words import CHINA
from bot.model.card import Button, Card, Items, Paragraph, Section
from bot.model.message import Message
from bot.model.text import Text
from bot.response.living import Living, Proposal, day_of
from bot.response.schema import Playbook
from bot.texts import render

REVIEW = "playbook_review"
LIBRARY = "library"  # the one object of that timer
PERSONAL_CHATS = ("slack", "wecom")
LINES = 30
FINDINGS = 8
REVIEW_HOUR = 9


class LivingNotices:
    def __init__(self, config: Config, living: Living) -> None:
        self._config = config
        self._living = living

    def begin(self, db: Database, now: int) -> None:
        """See to it that the weekly look is set, without moving one that is."""
        if timers.waiting_at(db, REVIEW, LIBRARY) is None:
            timers.schedule(db, REVIEW, LIBRARY, next_monday(now), now)

    def review(self, db: Database, timer: Timer, now: int) -> None:
        """Remind the owners of everything past its review day, one message a person, and come again in a week."""
        by_person: dict[str, list[Playbook]] = {}
        for playbook in self._living.stale(db, day_of(now)):
            for person in self._living.owners(playbook):
                by_person.setdefault(person.id, []).append(playbook)
        for person_id, late in by_person.items():
            owner = self._config.person(person_id)
            if owner is not None:
                self._tell(db, [owner], partial(_review_card, late), f"{REVIEW}:{timer.id}", REVIEW, now)
        timers.schedule(db, REVIEW, LIBRARY, next_monday(now), now)

    def proposed(self, db: Database, proposal: Proposal, who: str, but: str, now: int) -> None:
        """Put a proposal before the owners, except the one who made it."""
        playbook = proposal.playbook
        assert playbook is not None, "only readable proposals are stored"
        owners = [person for person in self._owners(db, playbook) if person.id != but]
        key = f"playbook_proposed:{playbook.id}:{proposal.version}"
        self._tell(db, owners, lambda language: proposal_card(proposal, who, language), key, "playbook_proposed", now)

    def wished(self, db: Database, playbook: Playbook, number: int, words: str, who: str, now: int) -> None:
        def card(language: str) -> Card:
            title = Text("living.wish_title", {"n": number, "title": playbook.title.in_language(language), "who": who})
            footer = Text("living.wish_footer", {"id": playbook.id, "n": number})
            return Card(render(title, language), sections=(Paragraph(words),), footer=render(footer, language))

        self._tell(db, self._owners(db, playbook), card, f"playbook_wish:{number}", "playbook_wish", now)

    def _owners(self, db: Database, playbook: Playbook) -> list[PersonConfig]:
        """Those of the playbook as it is in force: a proposal does not choose its own judge."""
        entry = self._living.entry(db, playbook.id)
        return self._living.owners(entry.playbook if entry else playbook)

    def _tell(
        self, db: Database, persons: Iterable[PersonConfig], card: Callable[[str], Card], key: str, reason: str,
        now: int,
    ) -> None:  # fmt: skip
        """A direct message in every chat a person has; who has none is told in the first console channel."""
        for person in persons:
            language = person.language or self._config.language
            places = [
                f"{chat}:{people.account(person, chat)}" for chat in PERSONAL_CHATS
                if people.account(person, chat) and getattr(self._config.chat, chat) is not None
            ]  # fmt: skip
            for destination in places or self._console():
                message = Message(destination, card=card(language), language=language, reason=reason)
                outbox.enqueue(db, message, f"{key}:{destination}", now)

    def _console(self) -> list[str]:
        named = (channel.console for name, channel in self._config.channels.items() if name != "drill")
        return [f"console:{console}" for console in named if console][:1]


def proposal_card(proposal: Proposal, who: str, language: str) -> Card:
    """What would change, what the linter says, and the two ways to decide; without buttons where it was refused."""
    playbook = proposal.playbook
    sections: list[Section] = []
    if proposal.reason:
        sections.append(Paragraph(proposal.reason))
    if proposal.findings:
        shown = tuple(f"{item.where} {render(item.text, language)}" for item in proposal.findings[:FINDINGS])
        rest = len(proposal.findings) - FINDINGS
        more = render(Text("living.more_findings", {"n": rest}), language) if rest > 0 else ""
        sections.append(Items(render(Text("living.findings"), language), shown, more))
    if playbook is not None and proposal.difference:
        rest = len(proposal.difference) - LINES
        more = ""
        if rest > 0:
            more = render(Text("living.more_lines", {"n": rest, "id": playbook.id, "v": proposal.version}), language)
        heading = render(Text("living.difference"), language)
        sections.append(Items(heading, tuple(proposal.difference[:LINES]), more))
    if playbook is None or not proposal.version:
        return Card(render(Text("living.refused_title"), language), sections=tuple(sections),
                    footer=render(Text("living.refused_footer"), language))  # fmt: skip
    params = {"title": playbook.title.in_language(language), "v": proposal.version, "who": who}
    address = f"{playbook.id} v{proposal.version}"
    buttons = (
        Button(render(Text("button.playbook_apply"), language), f"playbook-apply {address}", "primary"),
        Button(render(Text("button.playbook_reject"), language), f"playbook-reject {address}", "danger"),
    )
    return Card(
        render(Text("living.proposal_title", params), language), sections=tuple(sections), buttons=buttons,
        footer=render(Text("living.proposal_footer", {"id": playbook.id, "v": proposal.version}), language),
    )  # fmt: skip


def _review_card(late: list[Playbook], language: str) -> Card:
    lines = tuple(
        render(
            Text("living.review_line", {
                "id": item.id, "title": item.title.in_language(language), "day": item.review_by.isoformat(),
            }), language,
        )
        for item in late
    )  # fmt: skip
    return Card(
        render(Text("living.review_title", {"n": len(late)}), language), sections=(Items("", lines),),
        footer=render(Text("living.review_footer", {"id": late[0].id}), language),
    )  # fmt: skip


def next_monday(now: int) -> int:
    """The next Monday morning in China after a moment."""
    local = datetime.fromtimestamp(now / 1000, CHINA)
    monday = local.replace(hour=REVIEW_HOUR, minute=0, second=0, microsecond=0) - timedelta(days=local.weekday())
    if monday <= local:
        monday += timedelta(days=7)
    return int(monday.timestamp() * 1000)
