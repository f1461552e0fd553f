"""A history made quickly: incidents with runs whose steps went as told, without playing them."""

from collections.abc import Mapping
from dataclasses import replace

from factories import HOUR, MINUTE, House
from sqlite_utils import Database

from bot.learning.case import Case
from bot.learning.filing import both, searchable
from bot.model.grade import Grade
from bot.model.incident import Actor, Incident, Status
from bot.response import run_rows
from bot.response.run_state import RunStatus, StepStatus, begun
from bot.store import cases as case_store
from bot.store import incidents as incident_store
from bot.store import runs as run_store
from bot.store.cases import CaseRow

TEAM = {"commander": ("chenjing",), "pr": ("lina",), "legal": ("zhaolei",)}
ENDED = {name.value: name for name in StepStatus}
LINA = Actor("lina", "李娜", "slack", frozenset({"pr"}))


def incident(db: Database, home: House, grade: Grade = Grade.YELLOW, drill: str = "") -> Incident:
    made = incident_store.create(
        db, subject="xinghe-pay", subject_name="星河支付", family="funds", crisis_type="withdrawal_failure", title="",
        grade=grade, signals=(), now=home.now, drill=drill,
    )  # fmt: skip
    closed = replace(made, status=Status.CLOSED, closed_at=home.now + 3 * HOUR, resolved_at=home.now + 2 * HOUR)
    return incident_store.save(db, closed, home.now)


def run(
    home: House, steps: Mapping[str, tuple[str, int]], *, grade: Grade = Grade.YELLOW, drill: str = "",
    people: Mapping[str, str] | None = None, notes: tuple[str, ...] = (), playbook: str = "small",
) -> str:  # fmt: skip
    """One ended run on an incident of its own. ``steps``: ``{id: (outcome, minutes after the start)}``; those not
    named were done after ten minutes; ``people``: who had a step in the end."""

    def job(db: Database) -> str:
        entry = home.response.living.entry(db, playbook)
        assert entry is not None
        of = incident(db, home, grade, drill)
        fresh = begun(run_store.next_id(db), of.id, entry.playbook, TEAM, grade, "李娜", home.now, drill=drill)
        ended = []
        for step in fresh.steps:
            outcome, minutes = steps.get(step.id, ("done", 10))
            status = ENDED.get(outcome, StepStatus.NOT_APPLICABLE)
            why = {"grade": "grade", "not_applicable": "condition"}.get(outcome, "")
            person = (people or {}).get(step.id, step.person)
            ended.append(replace(step, status=status, opened_at=home.now, ended_at=home.now + minutes * MINUTE, why=why,
                                 person=person))  # fmt: skip
        run_rows.insert(db, replace(fresh, steps=tuple(ended), status=RunStatus.DONE), home.now)
        for text in notes:
            incident_store.note(db, of.id, "note", home.now + 20 * MINUTE, LINA, {"text": text})
        return fresh.id

    return str(home.do(job))


def case(home: House, **fields: object) -> str:
    """A case of a closed incident, as filing would make it."""

    def job(db: Database) -> str:
        of = incident(db, home)
        made = Case(
            id=case_store.next_id(db), kind="own", title=both("星河支付 · 事件"), happened=both("—"), year=2026,
            incident=of.id, opened_at=home.now, subject="xinghe-pay",
            **{"crisis_types": ("withdrawal_failure",), "grade": Grade.YELLOW, **fields},
        )  # fmt: skip
        row = CaseRow(made.id, "own", of.id, "", made.frozen(), home.now, home.now)
        case_store.save(db, row, searchable(made, []))
        return of.id

    return str(home.do(job))


def note(home: House, incident_id: str, text: str, minutes: int = 15) -> None:
    home.do(
        lambda db: incident_store.note(db, incident_id, "note", home.now + minutes * MINUTE, LINA, {"text": text})
    )  # fmt: skip
