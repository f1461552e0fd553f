"""The drills of a process: its scenarios, and the door through which their posts come in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.config import Config
from bot.delivery.timers import Timer
from bot.drills.direction import Direction
from bot.drills.evidence import scored
from bot.drills.library import load_scenarios
from bot.drills.notices import DrillNotices
from bot.drills.plans import DrillPlans
from bot.drills.schema import Scenario
from bot.drills.service import Drills
from bot.incidents.service import Incidents
from bot.intake import accept
from bot.intake.minimise import Minimiser
from bot.response.shelf import library_folder
from bot.store import drills as store


@dataclass(frozen=True, slots=True)
class DrillRoom:
    """Drills at work, those on a date, and what their facilitators do by hand."""

    drills: Drills
    plans: DrillPlans
    direction: Direction

    def timers(self) -> dict[str, Callable[[Database, Timer, int], None]]:
        return {**self.drills.timers(), **self.plans.timers()}


def build(
    config: Config, incidents: Incidents, minimiser: Minimiser, stored: Callable[[accept.Accepted], None],
    library: Path | None = None,
) -> DrillRoom:  # fmt: skip
    """Scenarios are read when somebody starts or lists one: an edited file needs no restart."""
    folder = library or library_folder(config.playbooks.library)

    def scenarios() -> Mapping[str, Scenario]:
        return load_scenarios(folder).entries

    def take_in(db: Database, items: list[dict[str, Any]], source: str, drill: str, now: int) -> None:
        reading = accept.read(items, minimiser, source=source, platform="other", now=now, drill=drill)
        stored(accept.keep(db, reading, items, source, now))

    drills, notices = Drills(config, incidents, scenarios, take_in), DrillNotices(config)
    return DrillRoom(drills, DrillPlans(drills, notices), Direction(config, notices, take_in))


def points(config: Config) -> Callable[[Database, list[str]], Mapping[str, float]]:
    """Reads what ended drills scored, by id."""
    roles = {person.id: person.roles for person in config.people}

    def read(db: Database, drills: list[str]) -> Mapping[str, float]:
        found = [drill for name in drills if (drill := store.get(db, name)) is not None]
        return {drill.id: scored(db, drill, roles).total for drill in found}

    return read
