"""From the record of a closed incident to its case. Reads, decides nothing, keeps no sentence of anybody's post."""

from datetime import datetime
from typing import get_args

import orjson
from sqlite_utils import Database

from bot.incidents import words
from bot.learning.case import Case, PlanUsed, StatementUsed
from bot.learning.terms import coined, shared_words, speakers, terms, whole_words
from bot.model.grade import Grade
from bot.model.incident import Incident
from bot.model.statement import StatementStatus
from bot.model.text import LANGUAGES, Text
from bot.response import run_rows
from bot.response.match import kind_text
from bot.response.parts import Strategy
from bot.response.run_state import Run, StepStatus
from bot.response.similarity import folded
from bot.response.values import Words
from bot.store import cases as store
from bot.store import runs as run_store
from bot.store import statements as statement_store
from bot.texts import render

HOUR = 3_600_000
VOICES = 200
BEFORE = 6 * HOUR  # what led to it was written before the alarm
PUBLISHED = (StatementStatus.PUBLISHED, StatementStatus.CORRECTED)
MOST_TITLE = 80
WEEK = 7 * 24 * HOUR
RISE, LEAST_RISEN, MOST_RISEN = 3, 3, 12  # times the week before; people; words kept
STRAYS, TOGETHER = 500, 2  # posts looked at; words in common that make one speak of the same
BREAK = "qzq"  # a word nobody types, so that no phrase reaches from one part into the next


def case_of(db: Database, incident: Incident, case_id: str, industry: str, recommended: str, now: int) -> Case:
    """The case of an incident as its record stands now."""
    until = incident.closed_at or incident.resolved_at or now
    since = incident.opened_at - BEFORE
    volume = store.volume(db, incident.subject, incident.drill, since, until)
    runs = [run_rows.from_row(db, row) for row in run_store.of_incident(db, incident.id)]
    statements = statement_store.of_incident(db, incident.id)
    figures = _figures(db, incident, runs, volume)
    heard = store.voices(db, incident.subject, incident.drill, since, until, VOICES)
    evidence = {word for _, _, types, _ in heard for _, hits in orjson.loads(types) for word in hits}
    shared = shared_words([(author, text) for _, author, _, text in heard], [incident.subject_name])
    names = _names(db, incident)
    return Case(
        id=case_id,
        kind="drill" if incident.drill else "own",
        title=both(_title(incident)),
        happened=_happened(incident, runs, figures, list(volume)),
        crisis_types=(incident.crisis_type,),
        industries=(industry,),
        grade=max(incident.peak_grade, Grade.BLUE),
        year=datetime.fromtimestamp(incident.opened_at / 1000, words.CHINA).year,
        subject=incident.subject,
        family=incident.family,
        incident=incident.id,
        drill=incident.drill,
        opened_at=incident.opened_at,
        figures=figures,
        platforms=tuple(volume)[:6],
        strategies=_strategies([item.strategy for item in statements if item.status in PUBLISHED]),
        plans=tuple(_plan(run) for run in runs if not run.parent),
        recommended=recommended,
        statements=tuple(
            StatementUsed(
                id=item.id, title=_statement_title(db, item.id)[:MOST_TITLE], audience=item.audience,
                strategy=item.strategy, published=item.status in PUBLISHED,
            )
            for item in statements
        ),
        words=tuple(dict.fromkeys([*shared, *sorted(evidence & set(shared))])),
        unknown=_risen(db, incident, [(author, text) for _, author, types, text in heard if types == "[]"], names),
        strays=_strays(db, incident, since, until, set(shared), names),
        links=(incident.id, *(run.id for run in runs), *(item.id for item in statements)),
    )  # fmt: skip


def both(text: Text | str) -> Words:
    """A text in both languages, for a record that either may read."""
    if isinstance(text, str):
        return Words.model_validate(dict.fromkeys(LANGUAGES, text))
    return Words.model_validate({language: render(text, language) for language in LANGUAGES})


def _title(incident: Incident) -> Text | str:
    return words.title(incident)


def _figures(db: Database, incident: Incident, runs: list[Run], volume: dict[str, tuple[int, int]]) -> dict[str, int]:
    moments = {
        "acknowledged": incident.acknowledged_at,
        "run": min((run.started_at for run in runs), default=0),
        "statement": store.first_publication(db, incident.id),
        "resolved": incident.resolved_at,
        "closed": incident.closed_at,
    }
    figures = {name: at - incident.opened_at for name, at in moments.items() if at}
    total = sum(count for count, _ in volume.values())
    if total:
        figures["mentions"] = total
        figures["negative"] = sum(negative for _, negative in volume.values())
    return figures


def day_of(moment: int) -> str:
    """The day with its year: a case is read years later."""
    return datetime.fromtimestamp(moment / 1000, words.CHINA).date().isoformat()


def _happened(incident: Incident, runs: list[Run], figures: dict[str, int], platforms: list[str]) -> Words:
    """Two sentences from the record; what it does not hold is not said."""
    first = Text("case.happened", {
        "subject": incident.subject_name, "type": Text(f"type.{incident.crisis_type}"),
        "grade": words.grade(max(incident.peak_grade, Grade.BLUE)), "day": day_of(incident.opened_at),
        "at": words.clock_time(incident.opened_at)[-5:],
        "volume": Text("case.happened_volume", {
            "mentions": figures["mentions"], "negative": figures["negative"],
            "platforms": [words.platform(name) for name in platforms[:3]],
        }) if "mentions" in figures else "",
    })  # fmt: skip
    parts: list[Text] = [
        Text(f"case.happened_{name}", {"after": words.duration(figures[name])})
        for name in ("acknowledged", "statement", "resolved")
        if name in figures
    ]
    if runs:
        done = sum(run.progress[0] for run in runs)
        total = sum(run.progress[1] for run in runs)
        parts.insert(1, Text("case.happened_runs", {"n": len(runs), "done": done, "total": total}))
    second = Text("case.happened_answer", {"parts": parts}) if parts else Text("case.happened_nothing")
    return both(Text("case.two_sentences", {"first": first, "second": second}))


def _strategies(published: list[str]) -> tuple[Strategy, ...]:
    """Those of what was published; where nothing was, none is claimed."""
    known: tuple[Strategy, ...] = get_args(Strategy)
    return tuple(name for name in known if name in published)


def _plan(run: Run) -> PlanUsed:
    steps = [step for step in run.steps if step.status is not StepStatus.NOT_APPLICABLE]
    return PlanUsed(
        playbook=run.playbook.id, title=run.playbook.title, run=run.id, status=run.status.value,
        done=sum(step.status is StepStatus.DONE for step in steps), steps=len(steps),
        late=sum(step.due_at > 0 and step.ended_at > step.due_at for step in steps),
        skipped=sum(step.status is StepStatus.SKIPPED for step in steps),
    )  # fmt: skip


def _statement_title(db: Database, statement_id: str) -> str:
    statement = statement_store.get(db, statement_id)
    found = statement_store.version(db, statement) if statement else None
    return " ".join(found.title.split()) if found else ""


def _names(db: Database, incident: Incident) -> set[str]:
    """Words that name the subject: they are in every post."""
    return terms(folded(incident.subject_name))


def _risen(db: Database, incident: Incident, voices: list[tuple[str, str]], names: set[str]) -> dict[str, int]:
    """Words of posts whose kind nothing recognised that are much more frequent than in the week before."""
    since = incident.opened_at - BEFORE
    before = store.voices(db, incident.subject, incident.drill, since - WEEK, since, VOICES)
    usual = speakers([(author, text) for _, author, _, text in before], coined)
    return _most({
        word: people for word, people in speakers(voices, coined).items()
        if people >= max(LEAST_RISEN, RISE * usual.get(word, 0)) and not _named(word, names)
    })  # fmt: skip


def _strays(
    db: Database, incident: Incident, since: int, until: int, shared: set[str], names: set[str]
) -> dict[str, int]:  # fmt: skip
    """Words of posts that are nobody's mention though they use the words of this incident: a nickname, a product."""
    if incident.drill or len(shared) <= TOGETHER:
        return {}
    near = [
        (author, text) for author, text in store.unmatched(db, since, until, STRAYS)
        if len(terms(folded(text)) & shared) >= TOGETHER
    ]  # fmt: skip
    return _most({
        word: people for word, people in speakers(near, coined).items()
        if people >= LEAST_RISEN and not _named(word, names) and not any(known in word for known in shared)
    })  # fmt: skip


def _named(word: str, names: set[str]) -> bool:
    return any(name in word for name in names)


def _most(found: dict[str, int]) -> dict[str, int]:
    ranked = sorted(whole_words(found).items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:MOST_RISEN])


def searchable(case: Case, lessons: list[str]) -> str:
    """Everything a case is found by."""
    kinds = [both(kind_text(kind)).in_language(language) for kind in case.crisis_types for language in LANGUAGES]
    parts = [
        case.id, case.incident, case.company, case.title.zh, case.title.en, case.happened.zh, case.happened.en,
        *kinds, *case.words, *(text for lesson in case.lessons for text in (lesson.zh, lesson.en)), *lessons,
        *(item.title for item in case.statements), *(text for plan in case.plans for text in (plan.title.zh,
        plan.title.en)),
    ]  # fmt: skip
    return f"\n{BREAK}\n".join(filter(None, parts))
