"""What a drill notes of refused acts, and whom it has taken out of reach. Nothing here touches the real world."""

import re

from sqlite_utils import Database

from bot.config import Config
from bot.drills.schema import Scenario, Unreachable
from bot.model.incident import Actor
from bot.model.text import Text, UserError
from bot.store import drills as store
from bot.store import incidents as incident_store
from bot.store import runs as run_store
from bot.store import statements as statement_store
from bot.store.drills import Drill

# Refusals that show somebody trying to go round the rules, and the wrong move each of them is.
MOVES = {
    "error.statement_not_approved": "unapproved", "error.statement_lapsed": "unapproved",
    "error.own_text": "own_text", "error.statement_blocked": "review_skipped",
}  # fmt: skip
LOOKING = frozenset({"drill", "show", "help", "incidents", "timeline"})
OBSERVERS = ("observer", "observer_left")
_NAMED = re.compile(r"(?<![A-Za-z0-9-])([DSR])-?(\d{1,9})(?![A-Za-z0-9-])", re.IGNORECASE)


def drill_meant(db: Database, line: str, at_hand: str) -> tuple[Drill | None, str]:
    """The live drill a line acts in and the thing it acts on: named in it, else what it was said under
    (``statement:S-1``). None in the real world."""
    names = [f"{kind.upper()}-{int(number)}" for kind, number in _NAMED.findall(line)]
    for name in (*names, at_hand.partition(":")[2]):
        incident = _incident_of(db, name)
        found = incident_store.get(db, incident) if incident else None
        if found is not None and found.drill:
            drill = store.get(db, found.drill)
            return (drill if drill is not None and drill.state != "ended" else None), name
    return None, ""


def note_refusal(db: Database, line: str, at_hand: str, refused: Text, actor: Actor, now: int) -> None:
    """Keep an attempt that was refused, where it was a wrong move within a drill."""
    move = MOVES.get(refused.key)
    drill, name = drill_meant(db, line, at_hand) if move and actor.person else (None, "")
    if drill is not None and actor.person not in observers(db, drill):
        store.record(db, drill.id, "refused", actor, now, drill.reached(now), {"move": move, "of": name})


def check_reach(db: Database, config: Config, command: str, line: str, at_hand: str, actor: Actor, now: int) -> None:
    """Raises ``UserError`` where the drill has taken this person out of reach: the deputy has to act."""
    if command in LOOKING or not actor.person:
        return
    drill, _ = drill_meant(db, line, at_hand)
    if drill is None or actor.person not in out_of_reach(db, config, drill, now):
        return
    person = config.person(actor.person)
    deputy = config.person(person.deputy) if person and person.deputy else None
    key = "error.drill_out_of_reach" if deputy else "error.drill_out_of_reach_alone"
    raise UserError(key, id=drill.id, deputy=deputy.name if deputy else "—")


def out_of_reach(db: Database, config: Config, drill: Drill, now: int) -> frozenset[str]:
    """People who cannot be reached at the drill's present moment. A role means the first configured person who has it
    and does not lead the drill; who leads it must always be able to act."""
    reached, found = drill.reached(now), set[str]()
    timeline = Scenario.thaw(drill.body).timeline
    for event in store.events(db, drill.id):
        if event.kind == "inject" and isinstance(inject := timeline[event.detail["inject"]], Unreachable):
            holders = [item.id for item in config.people if inject.role in item.roles]
            end, names = inject.at + (inject.lasts or 0), [name for name in holders if name != drill.facilitator][:1]
        elif event.kind == "manual" and event.detail["kind"] == "unreachable":
            end, names = event.position + int(event.detail["lasts"]), [str(event.detail["person"])]
        else:
            continue
        found |= set(names if reached < end else ())
    return frozenset(found - {drill.facilitator})


def observers(db: Database, drill: Drill) -> frozenset[str]:
    """People who watch: the last word about each counts."""
    found: dict[str, bool] = {}
    for event in store.events(db, drill.id):
        if event.kind in OBSERVERS:
            found[str(event.detail["person"])] = event.kind == "observer"
    return frozenset(name for name, watching in found.items() if watching)


def _incident_of(db: Database, name: str) -> str:
    if name.startswith("S-"):
        found = statement_store.get(db, name)
        return found.incident if found else ""
    return run_store.incident_of(db, name) if name.startswith("R-") else name
