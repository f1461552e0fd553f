"""Library proposals as cards, and what library owners are told once a week."""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.delivery import outbox, timers
from bot.delivery.timers import Timer
from bot.incidents import people
from bot.learning.proposals import Proposals
from bot.learning.suggestion import RuleWords, Suggestion
from bot.model.card import Button, Card, Items, Paragraph, Section
from bot.model.message import Message
from bot.model.text import Text
from bot.response.living import APPROVERS, Living, Proposal
from bot.response.living_notices import LINES, PERSONAL_CHATS, next_monday
from bot.store import proposals as store
from bot.store.proposals import ProposalRow
from bot.texts import render

LOOK = "library_look"  # the errand; its object is "week" or whoever asked
WEEK = "week"
LISTED, IDS = 12, 12

Listed = Sequence[tuple[ProposalRow, Suggestion]]


def list_card(found: Listed, looked_at: str, language: str) -> Card:
    """The open ones, most evidence first; drills apart."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    sections: list[Section] = []
    for drills, title in ((False, "proposal.from_reality"), (True, "proposal.from_drills")):
        rows = [(row, item) for row, item in found if item.drills is drills]
        if rows:
            lines = tuple(_line(row, item, language) for row, item in rows[:LISTED])
            more = say("proposal.more", n=len(rows) - LISTED) if len(rows) > LISTED else ""
            sections.append(Items(say(title), lines, more))
    if not sections:
        sections.append(Paragraph(say("proposal.none" if looked_at else "proposal.never_looked")))
    buttons = tuple(Button(f"#{row.number}", f"proposals {row.number}") for row, _ in found[:4])
    again = Button(say("button.proposals_again"), "proposals again")
    footer = say("proposal.footer", at=looked_at) if looked_at else ""
    return Card(say("proposal.title", n=len(found)), sections=tuple(sections), buttons=(*buttons, again), footer=footer)


def proposal_card(row: ProposalRow, suggestion: Suggestion, would: Proposal | None, language: str) -> Card:
    """One of them: why, by which evidence, what exactly would change."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    sections: list[Section] = [Paragraph(render(suggestion.reason(language), language), strong=True)]
    ids = list(suggestion.evidence[:IDS])
    rest = len(suggestion.evidence) - len(ids)
    evidence = say("proposal.evidence", ids=ids, n=len(suggestion.evidence))
    sections.append(Paragraph(evidence + (say("proposal.and_more", n=rest) if rest > 0 else "")))
    if suggestion.drills:
        sections.append(Paragraph(say("proposal.drills_only")))
    change = suggestion.change
    if isinstance(change, RuleWords):
        sections.append(
            Items(say("proposal.rule_change", subject=change.subject), tuple(f"+ {word}" for word in change.words))
        )
    elif would is not None and would.difference:
        left = len(would.difference) - LINES
        more = say("proposal.more_lines", n=left) if left > 0 else ""
        sections.append(Items(say("living.difference"), tuple(would.difference[:LINES]), more))
    buttons: tuple[Button, ...] = ()
    if row.state == "open":
        buttons = (
            Button(say("button.proposal_take"), f"proposal-take {row.number}", "primary"),
            Button(say("button.proposal_reject"), f"proposal-reject {row.number}", "danger", form="proposal-reject"),
        )
    state = say(f"proposal.state_{row.state}") + (say("proposal.state_why", reason=row.reason) if row.reason else "")
    return Card(
        say("proposal.one", n=row.number, kind=Text(f"proposal.kind_{suggestion.kind}"), playbook=_where(suggestion)),
        subtitle=state, sections=tuple(sections), buttons=buttons, footer=say("proposal.one_footer"),
    )  # fmt: skip


class ProposalNotices:
    """The weekly look, and the notice to those who keep the library."""

    def __init__(self, config: Config, living: Living, proposals: Proposals) -> None:
        self._config = config
        self._living = living
        self._proposals = proposals

    def begin(self, db: Database, now: int) -> None:
        if timers.waiting_at(db, LOOK, WEEK) is None:
            timers.schedule(db, LOOK, WEEK, next_monday(now), now)

    def looked(self, db: Database, timer: Timer, fresh: list[int], now: int) -> None:
        """After a weekly look: come again in a week, and tell each owner what is new for them."""
        timers.schedule(db, LOOK, WEEK, next_monday(now), now)
        by_person: dict[str, list[tuple[ProposalRow, Suggestion]]] = {}
        for number in fresh:
            row, suggestion = self._proposals.get(db, number)
            for person in self._keepers(db, suggestion):
                by_person.setdefault(person.id, []).append((row, suggestion))
        for person_id, rows in by_person.items():
            keeper = self._config.person(person_id)
            if keeper is not None:
                self._tell(db, keeper, rows, f"{LOOK}:{timer.id}", now)

    def _keepers(self, db: Database, suggestion: Suggestion) -> list[PersonConfig]:
        entry = self._living.entry(db, suggestion.playbook) if suggestion.playbook else None
        if entry is not None:
            return self._living.owners(entry.playbook)
        return [person for person in self._config.people if APPROVERS & set(person.roles)]

    def _tell(self, db: Database, keeper: PersonConfig, rows: Listed, key: str, now: int) -> None:
        language = keeper.language or self._config.language
        title = render(Text("proposal.weekly", {"n": len(rows)}), language)
        lines = tuple(_line(row, item, language) for row, item in rows[:LISTED])
        rest = len(rows) - LISTED
        more = render(Text("proposal.more", {"n": rest}), language) if rest > 0 else ""
        buttons = tuple(Button(f"#{row.number}", f"proposals {row.number}") for row, _ in rows[:5])
        footer = render(Text("proposal.weekly_footer"), language)
        card = Card(title, sections=(Items("", lines, more),), buttons=buttons, footer=footer)
        for destination in self._places(keeper):
            message = Message(destination, card=card, language=language, reason="library_proposals")
            outbox.enqueue(db, message, f"{key}:{destination}", now)

    def _places(self, keeper: PersonConfig) -> list[str]:
        places = [
            f"{chat}:{people.account(keeper, chat)}" for chat in PERSONAL_CHATS
            if people.account(keeper, chat) and getattr(self._config.chat, chat) is not None
        ]  # fmt: skip
        named = (channel.console for name, channel in self._config.channels.items() if name != "drill")
        return places or [f"console:{console}" for console in named if console][:1]


def _line(row: ProposalRow, item: Suggestion, language: str) -> str:
    params = {"n": row.number, "playbook": _where(item), "reason": item.reason(language)}
    return render(Text("proposal.line" if _where(item) else "proposal.line_new", params), language)


def _where(item: Suggestion) -> str:
    return item.playbook or (item.change.subject if isinstance(item.change, RuleWords) else "")


def looked_at(db: Database) -> int:
    return store.looked_at(db)
