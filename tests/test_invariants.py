"""What holds everywhere, whatever is added: one clock, rows for timers, messages with their cause, drills that cannot
leak, acts that leave a trace. Each of these fails as soon as one place forgets it."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from factories import CONFIG, HOUR, MINUTE, NOW, House, actor, house

from bot.delivery import timers
from bot.incidents.notices import drill_destinations
from bot.incidents.service import Incidents
from bot.model.grade import Grade
from bot.store import audit
from bot.store import incidents as store

PROJECT = Path(__file__).resolve().parent.parent
FILES = sorted([*PROJECT.glob("bot/**/*.py"), *PROJECT.glob("handlers/**/*.py")])

# Where the machine's own time is meant: a bound on work, a benchmark, the fakes of other people's servers.
OTHER_CLOCKS = {
    "bot/clock.py": "is the clock",
    "bot/store/database.py": "bounds how long a group of writes gathers",
    "bot/bench": "measures the machine",
    "bot/testkit": "other people's servers",
}
READS_TIME = {f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep")}
READS_TIME |= {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
SETS_TIMER = {"call_later", "call_at"}


def calls() -> Iterator[tuple[str, str]]:
    """``(place, dotted name)`` of every call in the program."""
    for file in FILES:
        path = str(file.relative_to(PROJECT))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                prefix = (
                    owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
                )
                yield f"{path}:{node.lineno}", f"{prefix}.{node.func.attr}"
                if f"{prefix}.{node.func.attr}" == "asyncio.sleep" and not _zero(node):
                    yield f"{path}:{node.lineno}", "asyncio.sleep(time)"


def _zero(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def allowed(place: str) -> bool:
    path = place.partition(":")[0]
    return any(path == name or path.startswith(f"{name}/") for name in OTHER_CLOCKS)


def test_time_comes_from_the_one_clock() -> None:
    found = list(calls())
    assert len(found) > 2000, "the walk over the code still finds the calls"
    assert [(place, name) for place, name in found if name in READS_TIME and not allowed(place)] == []


def test_nobody_takes_the_time_in_by_another_name() -> None:
    found = [
        f"{file.relative_to(PROJECT)}:{node.lineno}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "time"
    ]
    assert [place for place in found if not allowed(place)] == []


def test_nothing_waits_or_rings_but_by_the_clock_and_by_rows() -> None:
    waits = [
        (place, name)
        for place, name in calls()
        if (name == "asyncio.sleep(time)" or name.partition(".")[2] in SETS_TIMER) and not allowed(place)
    ]
    assert waits == []


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


# -- every act of a person, as (name, how it is called)

Act = Callable[[Incidents, object, str], object]


def acts(home: House) -> dict[str, Callable[[str], object]]:
    """What people can do to an incident; a new public method must be added here or declared as no act."""
    incidents, who = home.incidents, actor()
    lina = home.config.person("zhaolei")

    def run(name: str, *args: object) -> Callable[[str], object]:
        def act(incident_id: str) -> object:
            return home.do(
                lambda db: getattr(incidents, name)(db, home_incident(db, incident_id), *args, who, home.now)
            )

        return act

    return {
        "acknowledge": run("acknowledge"),
        "assign": run("assign", lina, "legal"),
        "set_grade": run("set_grade", Grade.RED, "a journalist called"),
        "set_status": run("set_status", "responding"),
        "mute": run("mute", HOUR, "known"),
        "unmute": run("unmute"),
        "note": run("note", "called"),
        "decide": run("decide", "say it first"),
        "close": run("close", "done"),
        "reopen": run("reopen"),
        "false_alarm": run("false_alarm", "a lottery"),
    }


def home_incident(db, incident_id: str):
    found = store.get(db, incident_id)
    assert found is not None
    return found


NO_ACTS = {"apply", "refresh", "escalate", "sources_changed"}
NOT_PRIVILEGED = {"note"}


def test_the_list_of_acts_is_complete(home: House) -> None:
    public = {name for name in vars(Incidents) if not name.startswith("_") and callable(getattr(Incidents, name))}
    assert public - NO_ACTS == set(acts(home)), "a new act belongs into the tests below"


def test_every_privileged_act_stands_on_the_audit_trail_with_its_author_and_chat(home: House) -> None:
    home.judge(Grade.YELLOW)
    for name, act in acts(home).items():
        before = home.look(lambda db: db.conn.execute("SELECT COUNT(*) FROM audit").fetchone()[0])
        act("I-1")
        rows = home.look(lambda db: db.conn.execute("SELECT actor, chat, object FROM audit ORDER BY seq").fetchall())[
            before:
        ]
        assert rows == ([] if name in NOT_PRIVILEGED else [("lina", "slack", "I-1")]), name
    assert home.look(audit.verify) is None


def test_every_act_is_on_the_timeline(home: House) -> None:
    home.judge(Grade.YELLOW)
    for name, act in acts(home).items():
        before = len(home.look(lambda db: store.timeline(db, "I-1")))
        act("I-1")
        assert len(home.look(lambda db: store.timeline(db, "I-1"))) == before + 1, name


def test_no_act_on_a_drill_reaches_anything_but_the_drill_channel_and_all_is_marked(home: House) -> None:
    home.judge(Grade.YELLOW, drill="d1")
    for act in acts(home).values():
        act("D-1")
    home.do(lambda db: db.conn.execute("UPDATE incident SET status = 'open'"))
    home.judge(Grade.RED, incident="D-1", drill="d1")
    for level in range(1, 4):
        home.clock.set(NOW + level * 10 * HOUR)
        home.do(lambda db: home.incidents.escalate(db, "D-1", home.now))
        home.do(lambda db: home.incidents.refresh(db, "D-1", home.now))
    rows = home.look(lambda db: db.conn.execute("SELECT destination, drill, message FROM outbox").fetchall())
    assert len(rows) > 10
    permitted = drill_destinations(home.config)
    for destination, drill, message in rows:
        assert destination.partition("#")[0] in permitted, destination
        assert drill == "d1"
        assert '"drill":"d1"' in message


def test_a_change_and_the_messages_it_causes_are_one_transaction(home: House) -> None:
    home.judge(Grade.YELLOW)
    home.do(lambda db: db.conn.execute("DELETE FROM outbox"))
    state = home.incident("I-1")
    for name in ("acknowledge", "set_grade", "close"):
        args = {"set_grade": (Grade.RED, "x"), "close": ("x",)}.get(name, ())

        def half(db, name=name, args=args) -> None:
            getattr(home.incidents, name)(db, home_incident(db, "I-1"), *args, actor(), home.now)
            assert db.conn.execute("SELECT COUNT(*) FROM outbox").fetchone()[0] > 0
            raise RuntimeError("the process dies here")

        with pytest.raises(RuntimeError):
            home.do(half)
        assert home.incident("I-1") == state and home.outbox() == []
        assert home.look(lambda db: db.conn.execute("SELECT COUNT(*) FROM audit").fetchone()[0]) == 0


def test_deadlines_of_an_incident_are_rows(home: House) -> None:
    home.judge(Grade.RED)
    assert home.look(lambda db: timers.waiting_at(db, "escalate", "I-1")) == NOW + 3 * MINUTE


def test_no_phone_number_of_a_member_stands_in_what_channels_see(home: House) -> None:
    home.judge(Grade.RED)
    for name in ("acknowledge", "mute"):
        acts(home)[name]("I-1")
    for item in home.outbox():
        if item.chat in ("slack", "console"):
            assert "13800000000" not in item.plain()
    assert "13800000000" in CONFIG
