"""The incident card: what a manager must see in one glance, and what can be pressed."""

from collections.abc import Callable, Sequence

from sqlite_utils import Database

from bot.config import Config
from bot.incidents import words
from bot.model.card import Button, Card, Facts, Items, Paragraph, Quote, Section
from bot.model.grade import Sentiment
from bot.model.incident import Incident, Status
from bot.model.text import Text
from bot.store import incidents as store
from bot.store import posts
from bot.texts import render
from bot.warning.early import early_warning
from bot.warning.outlook import families_of, read_outlook

REASONS_SHOWN = 5
QUOTES_SHOWN = 3
QUOTE_CHARACTERS = 140


# Sections and buttons that another room puts on an incident's card.
Panel = Callable[[Database, Incident, str, int], tuple[list[Section], list[Button]]]


class IncidentCards:
    """Builds cards from the record; ``public_url`` is where the console can be opened, empty for no link."""

    def __init__(self, config: Config, panel: Panel | None = None) -> None:
        self._config = config
        self._panel = panel or (lambda db, incident, language, now: ([], []))

    def __call__(self, db: Database, incident: Incident, language: str, now: int) -> Card:
        def say(key: str, **params: object) -> str:
            return render(Text(key, params), language)

        sections: list[Section] = [Facts(tuple(self._facts(db, incident, language, now)))]
        reasons = [render(words.signal(signal), language) for signal in incident.signals]
        if reasons:
            left_out = len(reasons) - REASONS_SHOWN
            more = say("card.more_reasons", n=left_out, id=incident.id) if left_out > 0 else ""
            sections.append(Items(say("card.reasons"), tuple(reasons[:REASONS_SHOWN]), more))
        elif incident.status.live:
            since = words.clock_time(incident.calm_since) if incident.calm_since else say("card.just_now")
            sections.append(Paragraph(say("card.calm", since=since)))
        if incident.status.live:
            ahead = read_outlook(db, [incident.subject], families_of(incident.family), incident.drill, now)
            if ahead is not None:
                sections.append(Paragraph(render(words.outlook(ahead, now), language)))
        sections.extend(self._quotes(db, incident, language))
        silence = store.silenced(db, subject=incident.subject, incident=incident.id, drill=incident.drill, now=now)
        if silence:
            until, why, who = silence
            sections.append(Paragraph(say("card.silenced", until=words.clock_time(until), reason=why, who=who)))
        if incident.blind_sources:
            sections.append(Paragraph(say("card.blind", sources=list(incident.blind_sources)), strong=True))
        more_sections, more_buttons = self._panel(db, incident, language, now)
        sections.extend(more_sections)
        public_url = self._config.chat.console.public_url
        return Card(
            title=f"{incident.id} {render(words.title(incident), language)}",
            object=f"incident:{incident.id}",
            grade=incident.grade,
            grade_label=say("card.grade", grade=words.grade(incident.grade)),
            subtitle=self._subtitle(incident, language, now),
            sections=tuple(sections),
            buttons=buttons(incident, language, more_buttons),
            footer=say("card.footer", updated=words.clock_time(incident.updated_at), version=incident.version),
            link=f"{public_url.rstrip('/')}/#{incident.id}" if public_url else "",
            drill=say("card.drill", drill=incident.drill) if incident.kind == "drill" else "",
        )

    def _subtitle(self, incident: Incident, language: str, now: int) -> str:
        params = {"status": Text(f"status.{incident.status.value}"), "age": words.duration(now - incident.opened_at)}
        return render(Text("card.subtitle", params), language)

    def _facts(self, db: Database, incident: Incident, language: str, now: int) -> list[tuple[str, str]]:
        owner = self._config.person(incident.owner)
        unowned = render(Text("card.nobody"), language)
        facts = [
            (render(Text("card.owner"), language), owner.name if owner else unowned),
            (render(Text("card.opened"), language), words.clock_time(incident.opened_at)),
        ]
        if incident.status.live and incident.signals:
            score = words.early(early_warning(incident.signals))
            facts.append((render(Text("early.name"), language), render(score, language)))
        if incident.peak_grade > incident.grade:
            facts.append((render(Text("card.peak"), language), render(words.grade(incident.peak_grade), language)))
        if incident.manual_grade:
            facts.append((render(Text("card.set_by_hand"), language), render(words.grade(incident.grade), language)))
        for role, person_id in store.roles(db, incident.id):
            person = self._config.person(person_id)
            facts.append((render(words.role(role), language), person.name if person else person_id))
        return facts

    def _quotes(self, db: Database, incident: Incident, language: str) -> list[Quote]:
        seqs = list(dict.fromkeys(seq for signal in incident.signals for seq in signal.posts))
        quotes = []
        seen_stories: set[int] = set()
        for mention in posts.mentions_of(db, incident.subject, seqs):
            if mention.sentiment is Sentiment.POSITIVE or (mention.story and mention.story in seen_stories):
                continue
            seen_stories.add(mention.story)
            text = " ".join(mention.text.split())
            if len(text) > QUOTE_CHARACTERS:
                text = text[:QUOTE_CHARACTERS] + "…"
            source = render(
                Text("card.quote_source", {
                    "platform": words.platform(mention.platform), "author": mention.author_name or "—",
                    "time": words.clock_time(mention.published_at),
                }), language,
            )  # fmt: skip
            quotes.append(Quote(text, source, mention.url))
            if len(quotes) == QUOTES_SHOWN:
                break
        return quotes


def buttons(incident: Incident, language: str, more: Sequence[Button] = ()) -> tuple[Button, ...]:
    """What can be pressed in this status, most likely first; six at most, which every chat can show. Two of ``more``
    stand behind the first, where they are seen; the chart gives way to one, handing on to both."""
    own = _own_buttons(incident, language)
    gives_way = ("chart ", "assign ")[: len(more)]
    kept = [item for item in own if not item.command.startswith(gives_way)] if more else list(own)
    return (kept[0], *more[:2], *kept[1:])[:6]


def joined(*panels: Panel) -> Panel:
    """What several rooms put on a card, one below the other."""

    def panel(db: Database, incident: Incident, language: str, now: int) -> tuple[list[Section], list[Button]]:
        parts = [one(db, incident, language, now) for one in panels]
        return [item for sections, _ in parts for item in sections], [item for _, row in parts for item in row]

    return panel


def _own_buttons(incident: Incident, language: str) -> tuple[Button, ...]:

    def button(name: str, *, style: str = "default", form: str = "", command: str = "") -> Button:
        label = render(Text(f"button.{name}"), language)
        return Button(label, f"{command or name} {incident.id}", style, form=form)

    if incident.status.ended:
        return (button("why"), button("chart"), button("reopen"))
    if incident.status is Status.OPEN:
        return (
            button("ack", style="primary"), button("assign", form="assign"), button("why"), button("chart"),
            button("mute", form="mute"), button("false-alarm", style="danger", form="false-alarm"),
        )  # fmt: skip
    last = button("close", style="danger", form="close") if incident.status is Status.RESOLVED else button("resolve")
    return (
        button("note", style="primary", form="note"), button("assign", form="assign"), button("grade", form="grade"),
        button("why"), button("chart"), last,
    )  # fmt: skip
