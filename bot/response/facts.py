"""The 5W1H fact sheet of an incident: what is known, by whom, since when, confirmed or not. Unknowns stay visible."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from bot.model.incident import Actor, Incident
from bot.model.text import Text, UserError
from bot.response.parts import FIVE_W_ONE_H
from bot.response.schema import Playbook
from bot.response.values import Words
from bot.store import audit
from bot.store import facts as store
from bot.store import incidents as incident_store
from bot.store.facts import FactRow

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
VALUE_LIMIT = 2_000
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet. ``of`` is one of who … how; ``row`` is None while nothing is known."""

    name: str
    of: str
    label: Words | Text
    row: FactRow | None
    options: Mapping[str, Words]

    def named(self, language: str) -> str | Text:
        return self.label.in_language(language) if isinstance(self.label, Words) else self.label

    def value(self, language: str) -> str | Text:
        """The value as people read it: an option by its label, yes and no in words."""
        assert self.row is not None
        if self.row.value in self.options:
            return self.options[self.row.value].in_language(language)
        if self.row.value in ("yes", "no"):
            return Text(f"fact.{self.row.value}")
        return self.row.value


def sheet(db: Database, incident: str, playbooks: Iterable[Playbook]) -> list[Line]:
    """Every fact that matters, known or not: the six questions, what the plans ask for, and what people added."""
    known = {name: row for name, row in store.current(db, incident).items() if row.value}
    lines = {name: Line(name, name, Text(f"fact.{name}"), known.get(name), {}) for name in FIVE_W_ONE_H}
    for playbook in playbooks:
        for fact in playbook.facts:
            options = {option.id: option.label for option in fact.options}
            lines.setdefault(fact.id, Line(fact.id, fact.of, fact.label, known.get(fact.id), options))
    for name, row in known.items():
        lines.setdefault(name, Line(name, "what", Text("plain", {"text": name}), row, {}))
    return sorted(lines.values(), key=lambda line: FIVE_W_ONE_H.index(line.of))


def put(
    db: Database,
    incident: Incident,
    name: str,
    value: str,
    actor: Actor,
    now: int,
    *,
    source: str = "",
    confirmed: bool = False,
) -> bool:
    """Keep a new version of a fact; the same value again only ever adds its confirmation. An empty value takes the
    fact back. Returns whether anything changed."""
    value = value.strip()[:VALUE_LIMIT]
    if not NAME.fullmatch(name):
        raise UserError("error.fact_name", name=name[:40])
    before = store.current(db, incident.id).get(name)
    if before is None and not value:
        raise UserError("error.fact_unknown", name=name)
    if before is not None and before.value == value and (before.confirmed or not confirmed):
        return False
    since = before.since if before is not None and before.value == value else now
    store.add(db, incident.id, name, value, confirmed and bool(value), source, since, actor, now)
    kind = "fact_confirmed" if confirmed and value else "fact" if value else "fact_withdrawn"
    incident_store.note(db, incident.id, kind, now, actor, {"fact": name, "text": value})
    audit.append(db, actor, kind, incident.id, now, {"fact": name, "value": value, "source": source})
    return True


def confirm(db: Database, incident: Incident, name: str, actor: Actor, now: int) -> None:
    """A person vouches for a fact as it stands."""
    row = store.current(db, incident.id).get(name)
    if row is None or not row.value:
        raise UserError("error.fact_unknown", name=name[:40])
    if row.confirmed:
        raise UserError("error.fact_confirmed", name=name, by=row.actor_name)
    put(db, incident, name, row.value, actor, now, source=row.source, confirmed=True)


def fill(text: str, values: Mapping[str, str], unknown: str) -> tuple[str, list[str]]:
    """A template with its facts in; what is missing is marked by ``unknown`` (with ``%s`` for its name) and listed.

    A value is inserted as it is and never read for placeholders again.
    """
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        if values.get(match[1]):
            return values[match[1]]
        if match[1] not in missing:
            missing.append(match[1])
        return unknown.replace("%s", match[1])

    return _PLACEHOLDER.sub(value, text), missing
