"""A drill from its first post to its score in virtual time, with a team that keeps to a script."""

import asyncio
import shutil
import tempfile
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from bot.clock import MINUTE
from bot.config import Config
from bot.drills.record import incidents_of, statements_of
from bot.drills.schema import Scenario
from bot.drills.scorecard import Report, report
from bot.drills.script import Script, ScriptError
from bot.incidents.notices import DRILL_CHANNEL
from bot.rehearsal import Rehearsal
from bot.response.shelf import library_folder
from bot.store import drills as store
from bot.store import statements as statement_store
from bot.store.inline import Here

START = 1_767_578_400_000  # a Monday, 10:00 in China: no clock, so that two plays are the same to the byte
DRILL = "DR-1"


def play(config: Config, file: Path, scenario: str, script: Script) -> Report:
    """Play the scenario of ``file`` with the configuration's people and plans. The store is a temporary one."""
    if DRILL_CHANNEL not in config.channels:
        raise ScriptError("error.no_drill_channel")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "playbooks"
        shutil.copytree(library_folder(config.playbooks.library), library)
        shutil.copy(file, library / "scenarios" / file.name)
        own = config.playbooks.model_copy(update={"library": str(library)})
        settings = config.model_copy(update={"store": str(Path(folder) / "drill.db"), "playbooks": own, "sources": []})
        rehearsal = Rehearsal(settings, START, unseen=True)
        try:
            return asyncio.run(_played(rehearsal, scenario, script))
        finally:
            rehearsal.close()


async def _played(rehearsal: Rehearsal, scenario: str, script: Script) -> Report:
    asyncio.get_running_loop().set_default_executor(Here())
    rows = rehearsal.app.store
    answers = _say(rehearsal, script.leader, f"drill start {scenario}")
    if rows.read_now(lambda db: store.get(db, DRILL)) is None:
        raise ScriptError("drill.not_started", who=script.leader, answer=answers)
    for act in script.acts:
        await rehearsal.until(START + act.at)
        _say(rehearsal, act.who, rows.read_now(partial(_filled, line=act.say)))
    drill = rows.read_now(lambda db: store.get(db, DRILL))
    assert drill is not None
    await rehearsal.until(START + Scenario.thaw(drill.body).duration + MINUTE)
    ended = rows.read_now(lambda db: store.get(db, DRILL))
    assert ended is not None
    return rows.read_now(lambda db: report(db, ended, rehearsal.app.drills.drills.roles()))


def _say(rehearsal: Rehearsal, who: str, line: str) -> str:
    try:
        return " ".join(rehearsal.say(who, line))[:300]
    except LookupError:
        raise ScriptError("drill.nobody", who=who) from None


def _filled(db: Database, line: str) -> str:
    """A line with what its words stand for by now."""
    incidents = incidents_of(db, DRILL)
    statements = statements_of(db, incidents)
    values = {"incident": incidents[0].id if incidents else "D-0", "statement": "S-0", "digest": "0000"}
    if statements:
        values["statement"] = statements[-1].id
        version = statement_store.version(db, statements[-1])
        values["digest"] = version.digest[:6] if version else "0000"
    for name, value in values.items():
        line = line.replace("{" + name + "}", value)
    return line
