"""Cases as cards: one in full, a list of them, those that resemble an incident, and the line on an incident's card."""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.incidents import words
from bot.learning.case import Case, Practice
from bot.learning.cases import Cases
from bot.learning.filing import day_of
from bot.learning.likeness import Similar
from bot.model.card import Button, Card, Facts, Items, Paragraph, Section
from bot.model.incident import Incident
from bot.model.text import Text
from bot.response.match import industry_text, kind_text
from bot.store.cases import Lesson
from bot.texts import render

LISTED = 12
MILESTONES = ("acknowledged", "run", "statement", "resolved", "closed")
REASONS = 3
LESSON_CHARACTERS = 90
LABEL = 20


class CasePanel:
    """What an incident's card says of cases: one line, and the button that shows more."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def __call__(self, db: Database, incident: Incident, language: str, now: int) -> tuple[list[Section], list[Button]]:
        best = self._cases.worth_showing(db, incident, now) if incident.status.live else None
        if best is None:
            return [], []
        title = best.case.title.in_language(language)
        params = {"title": title, "id": best.case.id, "reason": best.reasons[0], "took": took(best.case)}
        line = Paragraph(render(Text("case.card_line", params), language))
        return [line], [Button(render(Text("button.similar"), language), f"similar {incident.id}")]


def name(case: Case, language: str) -> str:
    """Id, title and when it was; drills are marked."""
    mark = f"[{render(Text('case.kind_drill'), language)}] " if case.kind == "drill" else ""
    year = f" ({case.year})" if case.kind == "public" else f" ({day_of(case.opened_at)})" if case.incident else ""
    return f"{mark}{case.id} {case.title.in_language(language)}{year}"


def took(case: Case) -> Text | str:
    """How long it took until it was calm, where the case says so."""
    if "resolved" in case.figures:
        return Text("case.took", {"after": words.duration(case.figures["resolved"])})
    return ""


def case_card(case: Case, lessons: Sequence[Lesson], language: str) -> Card:
    """One case: what happened, how it was answered, what came of it, what was learnt, where it stands."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    sections: list[Section] = [Paragraph(case.happened.in_language(language)), Facts(_facts(case, language))]
    if case.timeline:
        lines = tuple(f"{item.at} {item.what.in_language(language)}" for item in case.timeline)
        sections.append(Items(say("case.timeline"), lines))
    if case.plans:
        sections.append(Items(say("case.plans"), tuple(_plan_lines(case, language))))
    if case.statements:
        lines = tuple(
            say("case.statement_line", id=item.id, title=item.title or "—", audience=Text(f"audience.{item.audience}"),
                state=Text("case.statement_out" if item.published else "case.statement_not_out"))
            for item in case.statements
        )  # fmt: skip
        sections.append(Items(say("case.statements"), lines))
    for title, practices in (("case.worked", case.worked), ("case.failed", case.failed)):
        if practices:
            sections.append(Items(say(title), tuple(_practice(item, language) for item in practices)))
    told = [lesson.in_language(language) for lesson in case.lessons]
    told += [say("case.lesson_line", words=item.words, who=item.actor_name) for item in lessons]
    if told:
        sections.append(Items(say("case.lessons"), tuple(told)))
    if case.sources:
        lines = tuple(f"{item.publisher}: {item.title} ({item.year})" for item in case.sources)
        sections.append(Items(say("case.sources"), lines))
    return Card(
        name(case, language), grade=case.grade, grade_label=say("case.at_worst", grade=words.grade(case.grade)),
        subtitle=say(f"case.kind_{case.kind}"), sections=tuple(sections), buttons=_buttons(case, language),
        footer=_footer(case, language), drill=say("card.drill", drill=case.drill) if case.drill else "",
    )  # fmt: skip


def list_card(cases: Sequence[Case], asked: str, language: str) -> Card:
    """A list of cases; what was left out is counted."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    lines = tuple(
        say("case.list_line", case=name(item, language), kind=kind_text(item.crisis_types[0]),
            grade=words.grade(item.grade), took=took(item))
        for item in cases[:LISTED]
    )  # fmt: skip
    more = say("case.more", n=len(cases) - LISTED) if len(cases) > LISTED else ""
    title = say("case.found", words=asked, n=len(cases)) if asked else say("case.library", n=len(cases))
    section: Section = Items("", lines, more) if lines else Paragraph(say("case.nothing"))
    buttons = tuple(_open(item, language) for item in cases[:4])
    add = Button(say("button.case_add"), "case-add", form="case-add")
    return Card(title, sections=(section,), buttons=(*buttons, add), footer=say("case.list_footer"))


def similar_card(incident: Incident, found: Sequence[Similar], lessons: dict[str, list[Lesson]], language: str) -> Card:
    """The cases like an incident: why, what helped then, how long it took."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    sections: list[Section] = []
    for item in found:
        lines = [say("case.alike", reasons=list(item.reasons[:REASONS]))]
        lines += _then(item.case, lessons.get(item.case.id, []), language)
        sections.append(Items(name(item.case, language), tuple(lines)))
    if not sections:
        sections.append(Paragraph(say("case.none_alike")))
    return Card(
        say("case.similar_title", id=incident.id, title=words.title(incident)), grade=incident.grade,
        sections=tuple(sections), buttons=tuple(_open(item.case, language) for item in found[:4]),
        footer=say("case.similar_footer"),
        drill=say("card.drill", drill=incident.drill) if incident.drill else "",
    )  # fmt: skip


def _then(case: Case, lessons: Sequence[Lesson], language: str) -> list[str]:
    """What helped then, how long it took, what was learnt."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    lines = []
    if case.worked:
        lines.append(say("case.helped", what=_practice(case.worked[0], language)))
    elif case.strategies:
        lines.append(say("case.answered", what=[Text(f"strategy.{item}") for item in case.strategies[:3]]))
    if case.failed:
        lines.append(say("case.harmed", what=_practice(case.failed[0], language)))
    lines += _plan_lines(case, language)[:1]
    figures = _milestones(case)
    if figures:
        lines.append(say("case.outcome", figures=figures))
    told = [lesson.in_language(language) for lesson in case.lessons[:1]] or [lessons[-1].words] if (
        case.lessons or lessons) else []  # fmt: skip
    lines += [say("case.learnt", words=_short(text)) for text in told]
    return lines


def _facts(case: Case, language: str) -> tuple[tuple[str, str], ...]:
    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    rows: list[tuple[str, str]] = []
    if case.company:
        rows.append((say("case.company"), case.company))
    rows.append(
        (say("case.type"), render(Text("plain", {"text": [kind_text(item) for item in case.crisis_types]}), language))
    )
    rows.append(
        (
            say("case.industry"),
            render(Text("plain", {"text": [industry_text(item) for item in case.industries]}), language),
        )
    )
    if case.platforms:
        rows.append(
            (
                say("case.platforms"),
                render(Text("plain", {"text": [words.platform(item) for item in case.platforms]}), language),
            )
        )
    if case.strategies:
        rows.append(
            (
                say("case.strategies"),
                render(Text("plain", {"text": [Text(f"strategy.{item}") for item in case.strategies]}), language),
            )
        )
    if figures := _milestones(case):
        rows.append((say("case.figures"), render(Text("plain", {"text": figures}), language)))
    if "mentions" in case.figures:
        counts = {"mentions": f"{case.figures['mentions']:,}", "negative": f"{case.figures['negative']:,}"}
        rows.append((say("case.volume"), say("case.counts", **counts)))
    return tuple(rows)


def _milestones(case: Case) -> list[Text]:
    return [
        Text(f"case.after_{item}", {"after": words.duration(case.figures[item])})
        for item in MILESTONES
        if item in case.figures
    ]


def _plan_lines(case: Case, language: str) -> list[str]:
    return [
        render(Text("case.plan_line", {
            "title": item.title.in_language(language), "run": item.run, "done": item.done, "steps": item.steps,
            "late": item.late, "skipped": item.skipped,
            "state": Text("case.plan_ended" if item.status == "done" else "case.plan_broken_off"
                          if item.status == "aborted" else "case.plan_open"),
        }), language)
        for item in case.plans
    ]  # fmt: skip


def _practice(item: Practice, language: str) -> str:
    return render(
        Text(
            "case.practice", {"principle": Text(f"principle.{item.principle}"), "what": item.what.in_language(language)}
        ),
        language,
    )


def _buttons(case: Case, language: str) -> tuple[Button, ...]:
    if case.kind in ("public", "archetype"):
        return ()
    lesson = Button(render(Text("button.lesson"), language), f"lesson {case.id}", "primary", form="lesson")
    if not case.incident:
        return (lesson,)
    return (lesson, Button(render(Text("button.case_timeline"), language), f"timeline {case.incident}"))


def _footer(case: Case, language: str) -> str:
    if case.kind == "archetype":
        return render(Text("case.footer_archetype"), language)
    if case.kind == "public":
        return render(Text("case.footer_public"), language)
    links = list(case.links)[:12]
    return render(Text("case.footer_own", {"links": links}), language) if links else ""


def _open(case: Case, language: str) -> Button:
    """The button that shows a case: ours by its id, the others by their title."""
    title = case.title.in_language(language)
    short = title if len(title) <= LABEL else title[: LABEL - 1] + "…"
    return Button(case.id if case.kind in ("own", "drill", "hand") else short, f"case {case.id}")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LESSON_CHARACTERS else flat[:LESSON_CHARACTERS] + "…"
