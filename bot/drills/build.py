"""The drills of a process: its scenarios, and the door through which their posts come in."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.config import Config
from bot.drills.library import load_scenarios
from bot.drills.schema import Scenario
from bot.drills.service import Drills
from bot.incidents.service import Incidents
from bot.intake import accept
from bot.intake.minimise import Minimiser
from bot.response.shelf import library_folder


def build(
    config: Config, incidents: Incidents, minimiser: Minimiser, stored: Callable[[accept.Accepted], None],
    library: Path | None = None,
) -> Drills:  # fmt: skip
    """Scenarios are read when somebody starts or lists one: an edited file needs no restart."""
    folder = library or library_folder(config.playbooks.library)

    def scenarios() -> Mapping[str, Scenario]:
        return load_scenarios(folder).entries

    def take_in(db: Database, items: list[dict[str, Any]], source: str, drill: str, now: int) -> None:
        reading = accept.read(items, minimiser, source=source, platform="other", now=now, drill=drill)
        stored(accept.keep(db, reading, items, source, now))

    return Drills(config, incidents, scenarios, take_in)
