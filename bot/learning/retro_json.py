"""A retrospective for programs: the same numbers with the same items. Stable: one record gives the same bytes."""

from dataclasses import asdict

import orjson

from bot.learning.retrospect import Retrospect


def as_json(found: Retrospect) -> bytes:
    incident = found.incident
    data = {
        "incident": incident.id, "kind": incident.kind, "subject": incident.subject,
        "crisis_type": incident.crisis_type, "grade": incident.peak_grade.word, "status": incident.status.value,
        "frozen": found.frozen, "read_at": found.moments.made_at,
        "moments": [asdict(item) for item in found.moments.moments],
        "time_to_acknowledge": found.moments.time_to_acknowledge, "time_to_answer": found.moments.time_to_answer,
        "time_to_resolve": found.moments.time_to_resolve,
        "targets": [{**asdict(item), "kept": item.kept} for item in found.targets],
        "volumes": [{**asdict(item), "share": item.share} for item in found.moments.volumes],
        "forecast": [asdict(item) for item in found.foretold],
        "statements": [asdict(item) for item in found.moments.statements],
        "steps": [
            {
                "step": item.reference.id, "outcome": item.outcome, "due_at": item.due_at, "ended_at": item.ended_at,
                "by": item.by, "reason": item.reason,
            }
            for item in found.moments.steps
        ],
        "gaps": [asdict(item) for item in found.gaps],
        "similar": [{**asdict(item), "grade": item.grade.word} for item in found.similar],
        "false_alarms": [{"incident": name, "opened_at": at, "reason": why} for name, at, why in found.false_alarms],
        "survey": {
            "asked": found.asked, "answered": found.answered,
            "answers": [{"question": a.question, "answer": a.answer, "by": a.person_name} for a in found.answers],
        },
        "impact": [asdict(item) for item in found.impacts],
        "actions": [asdict(item) for item in found.actions],
        "score": found.score.total if found.score else None,
    }  # fmt: skip
    return orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n"
