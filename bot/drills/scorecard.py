"""A score for people and programs: a card, JSON, and a page of HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from sqlite_utils import Database

from bot.drills.evidence import scored
from bot.drills.schema import Scenario
from bot.drills.score import Score
from bot.model.card import Card, Facts, Items, Paragraph, Section
from bot.model.text import Text
from bot.store import drills as store
from bot.store.drills import Drill
from bot.texts import render

_STYLE = (
    "body{font:16px/1.6 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;"
    "width:100%}td,th{border-bottom:1px solid #ccc;padding:.4rem;text-align:left;vertical-align:top}"
)


@dataclass(frozen=True, slots=True)
class Report:
    """``earlier``: totals of earlier drills of the same scenario, oldest first; ``last`` and ``best`` are the
    scores of the one before and of the best one."""

    drill: Drill
    scenario: Scenario
    score: Score
    earlier: tuple[tuple[str, float], ...]
    last: Score | None = None
    best: Score | None = None


def report(db: Database, drill: Drill, roles_of: Mapping[str, Sequence[str]]) -> Report:
    before = [(item.id, scored(db, item, roles_of)) for item in store.earlier(db, drill)]
    earlier = tuple((name, found.total) for name, found in before)
    scores = [found for _, found in before]
    best = max(scores, key=lambda found: found.total, default=None)
    return Report(
        drill, Scenario.thaw(drill.body), scored(db, drill, roles_of), earlier, scores[-1] if scores else None, best
    )


def as_json(found: Report, language: str) -> dict[str, Any]:
    """Stable: the same record gives the same bytes."""
    return {
        "drill": found.drill.id, "scenario": found.drill.scenario, "version": found.drill.version,
        "state": found.drill.state, "speed": found.drill.speed, "total": found.score.total,
        "lines": [
            {
                "measure": line.measure, "role": line.role, "points": line.points, "weight": line.weight,
                "person": line.person, "why": render(line.why, language),
            }
            for line in found.score.lines
        ],
        "wrong_moves": [render(text, language) for text in found.score.wrong],
        "roles": {name: list(value) for name, value in found.score.by_role().items()},
        "people": {name: list(value) for name, value in found.score.by_person().items()},
        "earlier": [{"drill": name, "total": total} for name, total in found.earlier],
        "best": max((total for _, total in found.earlier), default=None),
    }  # fmt: skip


def card(found: Report, language: str) -> Card:
    sections: list[Section] = [Paragraph(compared(found, language), strong=True)]
    sections.append(Items(_say("score.lines", language), tuple(_rows(found, language))))
    if found.score.wrong:
        sections.append(
            Items(_say("score.wrong", language), tuple(render(text, language) for text in found.score.wrong))
        )
    sections.append(Facts(tuple(_people(found, language))))
    return Card(
        _title(found, language), sections=tuple(sections), drill=_say("card.drill", language, drill=found.drill.id)
    )


def as_html(found: Report, language: str) -> str:
    """A whole page, for mail and printing; everything in it is escaped."""
    rows = "".join(
        f"<tr><td>{escape(_say(f'score.{line.measure}', language))}</td>"
        f"<td>{escape(_say(f'role.{line.role}', language))}</td><td>{line.points:g}/{line.weight}</td>"
        f"<td>{escape(render(line.why, language))}</td></tr>"
        for line in found.score.lines
    )
    people = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in _people(found, language)
    )
    wrong = "".join(f"<li>{escape(render(text, language))}</li>" for text in found.score.wrong)
    title = escape(_title(found, language))
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(compared(found, language))}</p><table>{rows}</table>"
        f"<h2>{escape(_say('score.shares', language))}</h2><table>{people}</table><ul>{wrong}</ul></html>\n"
    )


def _rows(found: Report, language: str) -> list[str]:
    return [
        _say(
            "score.row", language, measure=Text(f"score.{line.measure}"), points=f"{line.points:g}",
            weight=line.weight, role=Text(f"role.{line.role}"), why=line.why,
        )
        for line in found.score.lines
    ]  # fmt: skip


def _people(found: Report, language: str) -> list[tuple[str, str]]:
    roles = [(_say(f"role.{name}", language), value) for name, value in found.score.by_role().items()]
    return [(name, f"{points:g}/{weight}") for name, (points, weight) in [*roles, *found.score.by_person().items()]]


def compared(found: Report, language: str) -> str:
    """The total, and how it stands to earlier ones."""
    total = f"{found.score.total:g}"
    if not found.earlier:
        return _say("score.total_first", language, total=total)
    (last, before), best = found.earlier[-1], max(value for _, value in found.earlier)
    return _say("score.total", language, total=total, last=last, before=f"{before:g}", best=f"{best:g}")


def _title(found: Report, language: str) -> str:
    return _say("score.title", language, id=found.drill.id, title=found.scenario.title.in_language(language))


def _say(key: str, language: str, **params: object) -> str:
    return render(Text(key, params), language)
