"""Five hundred playbooks at work: how long a press takes, whether timers are late, how fast a restart goes on.

``python -m bench.runs`` prints a table and exits 1 when a target is missed. ``--minutes 3`` plays three minutes of the
hour, as densely; ``--real-minutes 2`` lets the restarted process fire its timers by the real clock for two minutes, at
the hour's own rate and with all of them in the store, while presses come in. ``--standstill 45``: the process had not
run for so many minutes, so that at its start most deadlines of all runs have passed.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlite_utils import Database

from bot import config as configuration
from bot.app import App
from bot.bench import scene
from bot.bench.process import BotProcess
from bot.bench.result import percentile
from bot.clock import HOUR, MINUTE, SECOND, SystemClock
from bot.delivery import inbox, outbox, timers
from bot.delivery.alarm import Alarm, Handler
from bot.model.grade import Grade
from bot.model.incident import SYSTEM
from bot.model.message import Event
from bot.response.run_state import Run, StepStatus
from bot.store import incidents as incident_store
from bot.testkit.fake_slack import FakeSlack

RUNS = 500
TIMERS = 100_000
PRESSES = 400
PLAYBOOK = "withdrawal-failure"
# Steps of that playbook that are open from the start and end by one press.
PRESSABLE = (1, 3, 6, 26)
LATER = "9000000"  # how the numbers of incidents begin whose timers the restarted process finds
STARTED_WITHIN = 10 * SECOND
GAP = 0.1  # seconds between presses over HTTP: ten a second, which is five hundred teams in a hurry
TOKENS = {"BENCH_TOKEN": "bench-token"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; ``at_most`` None: for information."""

    name: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        return self.at_most is None or self.value <= self.at_most


class BusyClock:
    """Virtual time that passes as fast as the machine works, and leaps where everybody sleeps: an hour of timers in
    the time they really take, with a lateness that is really theirs."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._leapt = 0
        self._begun = time.monotonic()

    def now(self) -> int:
        return self._start + self._leapt + int((time.monotonic() - self._begun) * 1000)

    async def sleep(self, milliseconds: int) -> None:
        self._leapt += max(0, milliseconds)
        await asyncio.sleep(0)


def fill(app: App, now: int) -> list[Run]:
    """An incident with a running playbook in each channel, everything shown already."""
    playbook = app.runs.library().get(PLAYBOOK)
    assert playbook is not None
    runs: list[Run] = []

    def begin(db: Database, number: int) -> None:
        name = scene.name_of(number)
        incident = incident_store.create(
            db, subject=f"s{number}", subject_name=name, family="payment",
            crisis_type="withdrawal_failure", title=name, grade=Grade.ORANGE, signals=(), now=now,
        )  # fmt: skip
        app.notices.show(db, incident, now)
        runs.append(app.runs.start(db, playbook, incident, SYSTEM, now))
        shown(db, now)

    for number in range(RUNS):
        app.store.write_now(lambda db, number=number: begin(db, number))
    return runs


def shown(db: Database, now: int) -> None:
    """Pretend that everything queued was delivered: cards stand in their channels."""
    rows = db.conn.execute("SELECT id, destination, object FROM outbox WHERE state = 'waiting'").fetchall()
    for row_id, destination, object_ in rows:
        if object_:
            channel, ts = destination.partition(":")[2].partition("#")[0], f"{1_700_000_000 + row_id}.000001"
            where = outbox.Placement(f"{channel}/{ts}", {"channel": channel, "ts": ts})
            outbox.place(db, object_, destination, where, now)
    db.conn.execute("UPDATE outbox SET state = 'sent', sent_at = ? WHERE state = 'waiting'", (now,))


async def presses_inside(app: App, targets: list[tuple[str, int]]) -> list[float]:
    """Seconds from an accepted press to the commit that holds its effects, its answer and the card in the outbox."""
    found = []
    for place, (run_id, number) in enumerate(targets):
        event = Event("slack", scene.MEMBER, f"slack:{scene.COMMAND_CHANNEL}", f"done {run_id}.{number} ok")
        now = app.clock.now()
        await app.store.write(lambda db, e=event, n=now, p=place: inbox.accept(db, f"bench-{p}", e, n))
        begun = time.perf_counter()
        assert await app.processor.work_off() == 1
        found.append(time.perf_counter() - begun)
    assert app.store.read_now(lambda db: _done(db, targets)) == len(targets), "a press did not do its step"
    return found


def _done(db: Database, targets: list[tuple[str, int]]) -> int:
    question = "SELECT COUNT(*) FROM run_step WHERE run = ? AND number = ? AND status = ?"
    return sum(db.conn.execute(question, (*target, StepStatus.DONE.value)).fetchone()[0] for target in targets)


async def presses_over_http(slack: FakeSlack, targets: list[tuple[str, int]]) -> list[float]:
    """Seconds from the signed request to the arrival of the answer at Slack, at a steady rate."""

    async def press(run_id: str, number: int) -> float:
        begun = time.monotonic()
        address = f"{run_id}.{number} "
        sending = asyncio.create_task(slack.slash(f"done {run_id}.{number} ok", scene.MEMBER, scene.COMMAND_CHANNEL))

        def answered() -> float:
            for call in reversed(slack.calls):
                if call.at_monotonic < begun:
                    return 0.0
                if call.method in ("response_url", "chat.postEphemeral") and address in str(call.body):
                    return float(call.at_monotonic)
            return 0.0

        arrived = await slack.wait_for(answered, 20.0)
        assert (await sending).ok
        return float(arrived) - begun

    running = []
    for run_id, number in targets:
        running.append(asyncio.create_task(press(run_id, number)))
        await asyncio.sleep(GAP)
    return list(await asyncio.gather(*running))


async def minutes_of_timers(
    app: App, runs: list[Run], count: int, minutes: int, start: int, *, burst: bool
) -> tuple[list[int], float]:
    """Lateness of every timer in milliseconds, and the seconds of work they took together.

    The reminders of all open steps are real ones; the others find their incident gone. ``burst``: all of a minute fall
    due in the same millisecond, as deadlines do that people agree on.
    """
    dice = random.Random(5)

    def moment() -> int:
        return start + (dice.randrange(minutes) * MINUTE if burst else dice.randrange(minutes * MINUTE))

    def set_all(db: Database) -> None:
        db.conn.execute("DELETE FROM timer WHERE state = 'fired'")
        db.conn.execute("UPDATE timer SET state = 'cancelled' WHERE state = 'waiting'")
        real = [f"{run.id}.{step.id}" for run in runs for step in run.steps if step.status is StepStatus.OPEN]
        for object_ in real[: count // 10]:
            timers.schedule(db, "run_escalate", object_, moment(), start)
        for number in range(count - len(real[: count // 10])):
            timers.schedule(db, "refresh", f"I-{1_000_000 + number}", moment(), start)

    app.store.write_now(set_all)
    clock = BusyClock(start - SECOND)
    handlers: Mapping[str, Handler] = {
        "run_escalate": app.runs.escalate,
        "refresh": lambda db, timer, now: app.incidents.refresh(db, timer.object, now),
    }

    def waiting(db: Database) -> int:
        return int(db.conn.execute("SELECT COUNT(*) FROM timer WHERE state = 'waiting'").fetchone()[0])

    alarm = asyncio.create_task(Alarm(app.store, clock, handlers).run())
    begun = time.monotonic()
    while await app.store.read(waiting) and time.monotonic() - begun < 120:  # noqa: ASYNC110 - the alarm has no end
        await asyncio.sleep(0.05)
    alarm.cancel()
    await asyncio.gather(alarm, return_exceptions=True)
    fired = "SELECT fired_at - due_at FROM timer WHERE state = 'fired'"
    late = [row[0] for row in app.store.read_now(lambda db: db.conn.execute(fired).fetchall())]
    assert len(late) == count, f"{len(late)} of {count} timers fired"
    return late, time.monotonic() - begun


def fired_by_the_real_clock(store: Path, timer_count: int) -> list[Figure]:
    """How late the process of the restart was, from its own record, with the hour's timers all in its store."""
    reader = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        rows = reader.execute(
            "SELECT fired_at - due_at FROM timer WHERE kind = 'refresh' AND state = 'fired' AND object GLOB ?",
            (f"I-{LATER}*",),
        ).fetchall()
    finally:
        reader.close()
    late = [row[0] for row in rows]
    if not late:
        return []
    how = f"{len(late):,} of {timer_count:,} timers in the store, by the real clock while people pressed"
    return [
        Figure(f"{how}: the latest", max(late) / 1000, "s", 1.0),
        Figure(f"{how}: p99 lateness", percentile(late, 0.99) / 1000, "s"),
    ]


def said_after(slack: FakeSlack, since: float, standstill: int) -> list[Figure]:
    """How much the places heard of what had come due meanwhile."""
    count = Counter(
        str(call.body.get("channel"))
        for call in slack.calls
        if call.method == "chat.postMessage" and call.at_monotonic >= since
    )
    how = f"messages after {standstill} minutes without the process"
    return [
        Figure(f"{how}, all", sum(count.values()), ""),
        Figure(f"{how}, the most in a run's channel",
               max((n for place, n in count.items() if place.startswith("C")), default=0), "", 6),
    ]  # fmt: skip


async def measure(
    timer_count: int, minutes: int, presses: int, real_minutes: float, standstill: int = 0
) -> list[Figure]:
    async with scene.fake_slack(RUNS) as slack:
        settings, environment = scene.settings(slack, RUNS), {**scene.environment(slack), **TOKENS}
        process = BotProcess(settings, environment)
        store = process.folder / "fengbo.db"
        figures = await _inside(settings, environment, store, timer_count, minutes, presses, standstill)
        begun = time.monotonic()
        async with process:
            slack.connect(f"{process.url}/slack/events")
            targets = [(f"R-{1 + place % RUNS}", PRESSABLE[2 + place // RUNS]) for place in range(presses)]
            await presses_over_http(slack, targets[:1])
            figures.append(Figure("start until the first press is answered", time.monotonic() - begun, "s", 5.0))
            figures.append(Figure("processor time of that start", process.processor_seconds(), "s"))
            figures.append(Figure("time it waited for a processor that others used", process.waited_seconds(), "s"))
            took = await presses_over_http(slack, targets[1:])
            figures.append(Figure(f"press over HTTP to its answer in Slack, p50 of {len(took)}",
                                  statistics.median(took) * 1000, "ms"))  # fmt: skip
            figures.append(Figure(f"press over HTTP to its answer in Slack, p99 of {len(took)}",
                                  percentile(took, 0.99) * 1000, "ms", 150.0))  # fmt: skip
            figures.append(Figure("memory of the process", process.memory() / 1e6, "MB", 400.0))
            await asyncio.sleep(max(0.0, real_minutes * 60 - (time.monotonic() - begun)))
            figures += fired_by_the_real_clock(store, timer_count)
            if standstill:
                figures += said_after(slack, begun, standstill)
    figures.append(Figure("processes that wanted one of the processors at the end", os.getloadavg()[0], ""))
    return figures


async def _inside(
    settings: dict[str, Any], environment: dict[str, str], store: Path, timer_count: int, minutes: int, presses: int,
    standstill: int,
) -> list[Figure]:  # fmt: skip
    """What needs no chat: fill the store, press, let timers fire; leave it as the process will find it."""
    text = yaml.safe_dump({**settings, "store": str(store)}, allow_unicode=True)
    app = App(configuration.parse(text, "bench.yaml"))
    now = SystemClock().now()
    try:
        begun = time.monotonic()
        runs = fill(app, now - standstill * MINUTE)
        steps = sum(len(run.steps) for run in runs)
        figures = [Figure(f"{len(runs)} runs of {len(runs[0].steps)} steps begun ({steps} steps)",
                          time.monotonic() - begun, "s")]  # fmt: skip
        targets = [(f"R-{1 + place % RUNS}", PRESSABLE[place // RUNS]) for place in range(presses)]
        took = await presses_inside(app, targets)
        figures.append(Figure(f"press to commit with its outbox rows, p50 of {len(took)}",
                              statistics.median(took) * 1000, "ms"))  # fmt: skip
        figures.append(Figure(f"press to commit with its outbox rows, p99 of {len(took)}",
                              percentile(took, 0.99) * 1000, "ms", 150.0))  # fmt: skip
        waiting = app.store.read_now(
            lambda db: db.conn.execute("SELECT kind, object, due_at FROM timer WHERE state = 'waiting'").fetchall()
        )
        for burst in (False, True):
            count = timer_count * minutes // 60
            late, seconds = await minutes_of_timers(app, runs, count, minutes, now + HOUR, burst=burst)
            how = "on the minute" if burst else "spread over the time"
            figures += [
                Figure(f"{len(late):,} timers in {minutes} min {how}: the latest", max(late) / 1000, "s", 1.0),
                Figure(
                    f"{len(late):,} timers in {minutes} min {how}: p99 lateness", percentile(late, 0.99) / 1000, "s"
                ),
                Figure(f"{len(late):,} timers in {minutes} min {how}: work", seconds, "s"),
            ]

        def back(db: Database) -> None:
            for kind, object_, due_at in waiting:
                timers.schedule(db, kind, object_, due_at, now)
            # From the moment on at which the process can have started: what is late then is late by its own fault.
            first, apart = SystemClock().now() + STARTED_WITHIN, HOUR / max(1, timer_count)
            for number in range(timer_count):
                timers.schedule(db, "refresh", f"I-{LATER}{number}", first + int(number * apart), first)
            shown(db, now)

        app.store.write_now(back)
    finally:
        app.store.close()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timers", type=int, default=TIMERS)
    parser.add_argument("--minutes", type=int, default=60, help="of the hour that are played, at the same density")
    parser.add_argument("--real-minutes", type=float, default=2.0, help="that the restarted process works on")
    parser.add_argument("--presses", type=int, default=PRESSES)
    parser.add_argument("--standstill", type=int, default=0, help="minutes the process had not run before its start")
    options = parser.parse_args()
    figures = asyncio.run(
        measure(options.timers, options.minutes, min(options.presses, RUNS), options.real_minutes, options.standstill)
    )
    for figure in figures:
        target = "" if figure.at_most is None else f"≤ {figure.at_most:g} {figure.unit}"
        print(f"{'ok  ' if figure.holds else 'MISS'} {figure.name}: {figure.value:.3g} {figure.unit} | {target}")
    return int(not all(figure.holds for figure in figures))


if __name__ == "__main__":
    raise SystemExit(main())
