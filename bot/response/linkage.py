"""Durable calls to linked systems: asked for in the transaction of the change that causes them, sent by a worker.

One lane a system: a system that is down keeps its own calls waiting and nobody else's. A call that may have been
carried out without an answer is looked up before it is repeated; where the system cannot be asked it is repeated only
if it does the same key once; everything else is handed to a person. A drill never calls anything.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import aiohttp
from sqlite_utils import Database

from bot.clock import MINUTE, SECOND, Clock
from bot.config import Config
from bot.delivery.chat import Blocked, Delay, Refused, Unclear
from bot.delivery.lanes import Lanes
from bot.incidents import words
from bot.model.incident import Actor
from bot.model.text import Text, UserError
from bot.response import actions
from bot.response.actions import Action, ActionError, reference
from bot.response.transport import Transport
from bot.store import audit, calls
from bot.store import incidents as incident_store
from bot.store.calls import Call, Ending
from bot.store.database import Priority, Store
from bot.texts import render

log = logging.getLogger(__name__)

FIRST_PAUSE = 1 * SECOND
LONGEST_PAUSE = 5 * MINUTE
HELD_UP = 2 * MINUTE  # after this people are told that a call does not get through
TRIES_OF_A_DEFECT = 5
WOULD_HAVE = "drill"  # the error of a call that only would have been made

OnResult = Callable[[Database, Call, int], None]


class Linkage:
    """Takes requests. Every method runs inside the caller's transaction."""

    def __init__(self, config: Config, wake: Callable[[], None] | None = None) -> None:
        self._config = config
        self._wake = wake or (lambda: None)
        self._on_result: OnResult = lambda db, call, now: None

    def listen(self, on_result: OnResult) -> None:
        """Who hears of a person's decision on a call, in its transaction: the same as hears of the worker's results."""
        self._on_result = on_result

    def request(
        self,
        db: Database,
        *,
        key: str,
        action: str,
        params: Mapping[str, Any],
        incident: str = "",
        run: str = "",
        step: str = "",
        drill: str = "",
        now: int,
    ) -> None:
        """Ask once per ``key`` for ``action``, a name of ``linkage.actions``. Raises ``UserError`` where there is none
        by that name; whatever else is wrong comes back as a failed call through ``on_result``."""
        configured = self._config.linkage.actions.get(action)
        if configured is None:
            raise UserError("error.no_such_action", name=action, known=list(self._config.linkage.actions) or ["—"])
        found = incident_store.get(db, incident) if incident else None
        if found is not None and found.kind == "drill":
            drill = drill or found.drill or found.id
        context: dict[str, Any] = {}
        if found is not None:
            language = self._config.language
            public_url = self._config.chat.console.public_url
            context = {
                "title": render(words.title(found), language), "subject": found.subject_name, "grade": found.grade.word,
                "grade_label": render(words.grade(found.grade), language), "type": found.crisis_type,
                "incident_link": f"{public_url.rstrip('/')}/#{found.id}" if public_url else "",
            }  # fmt: skip
        calls.add(
            db, key=key, system=configured.system, action=action, params=dict(params),
            context=context, incident=incident, run=run, step=step, drill=drill, now=now,
        )  # fmt: skip
        self._wake()

    def repeat(self, db: Database, call_id: int, actor: Actor, now: int) -> Call:
        """A person lets a failed or unclear call be made again, under the same key."""
        call = self._known(db, call_id)
        if not calls.again(db, call_id, now):
            raise UserError("error.call_not_ended", number=call_id, state=Text(f"call_state.{call.state}"))
        audit.append(db, actor, "call_again", f"call:{call_id}", now, {"action": call.action})
        self._wake()
        return call

    def settle(self, db: Database, call_id: int, actor: Actor, now: int, *, done: bool) -> Call:
        """A person has looked and says how an unclear or failed call really ended."""
        call = self._known(db, call_id)
        if call.state == "failed" and done:
            db.conn.execute("UPDATE call SET state = 'unclear' WHERE id = ?", (call_id,))
        elif call.state != "unclear":
            raise UserError("error.call_not_ended", number=call_id, state=Text(f"call_state.{call.state}"))
        error = "" if done else call.error
        settled = calls.finish(
            db, call_id, Ending("done" if done else "failed", call.status, call.answer, call.result, error), now
        )
        assert settled is not None
        self._on_result(db, settled, now)
        audit.append(db, actor, "call_settled", f"call:{call_id}", now, {"action": call.action, "done": done})
        return settled

    def _known(self, db: Database, call_id: int) -> Call:
        call = calls.get(db, call_id)
        if call is None:
            raise UserError("error.no_such_call", number=call_id)
        return call


class LinkageWorker:
    """Makes the calls. ``on_result(db, call, now)`` runs in the transaction that ends a call (``done``, ``failed``,
    ``unclear``), and once with a call still ``waiting`` when it has not got through for a while."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: Config,
        session: aiohttp.ClientSession,
        on_result: OnResult,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._linkage = config.linkage
        self._transport = Transport(config.linkage, session, clock, environ)
        self._on_result = on_result
        self._lanes = Lanes(clock, self._waiting, self._drain, lambda system: f"calling {system}", self._rewound)
        self._defects: dict[int, int] = {}

    def wake(self) -> None:
        """A call was asked for."""
        self._lanes.wake()

    async def run(self) -> None:
        """Call until cancelled; what is under way then is in doubt and resumed from its row."""
        await self._lanes.run()

    async def idle(self) -> bool:
        """Whether nothing is due now."""
        return await self._lanes.idle()

    async def _waiting(self) -> list[tuple[str, int]]:
        return await self._store.read(calls.systems)

    async def _rewound(self, now: int, before: int) -> None:
        await self._store.write(lambda db: calls.rewound(db, now, before + LONGEST_PAUSE), Priority.DELIVERY)

    async def _drain(self, system: str) -> None:
        """Make a system's due calls, oldest first, until none is left or the system pauses."""
        while True:
            now = self._clock.now()
            if wait := self._wait_for_pace(system, now):
                self._lanes.pause(system, now + wait)
                return
            call = await self._store.write(partial(self._claim, system, now), Priority.DELIVERY)
            if call is None:
                return
            self._lanes.take(system, now)
            if not await self._make(call):
                return

    def _claim(self, system: str, now: int, db: Database) -> Call | None:
        call = calls.claim(db, system, now)
        if call is None or call.drill or not call.incident:
            return call
        # The last look before the door: an incident's own kind decides, whatever the one who asked for the call said.
        incident = incident_store.get(db, call.incident)
        if incident is not None and incident.kind == "drill":
            ending = Ending("failed", error="a call of a drill was not marked as one")
            self._end(db, call, ending, now)
            return None
        return call

    async def _make(self, call: Call) -> bool:
        """One try of one call; False lets the lane rest."""
        doubt = call.doubt
        try:
            action = actions.resolve(self._linkage, call.action)
            if call.drill:
                # What a drill leaves undone must still be something that could be done.
                actions.request_of(action, actions.values_of(action, call)) if not action.config.sql else None
                await self._finish(call, Ending("done", error=WOULD_HAVE))
                return True
            values = actions.values_of(action, call)
            if doubt:
                ending = await self._resolve_doubt(action, call, values)
                if ending is not None:
                    await self._finish(call, ending)
                    return True
                doubt = False
            await self._finish(call, await self._perform(action, call, values))
        except ActionError as error:
            await self._finish(call, Ending("failed", error=str(error)))
        except Refused as error:
            await self._finish(call, Ending("failed", error=str(error)))
        except Delay as error:
            return await self._wait(call, error.milliseconds, str(error), doubt=doubt, whole_system=True)
        except Blocked as error:
            return await self._wait(call, _pause(call.attempts), str(error), doubt=doubt, whole_system=True)
        except Unclear as error:
            return await self._in_doubt(call, str(error))
        except Exception as error:  # a defect of ours: logged, tried again, and in the end shown as failed
            log.exception("call %d (%s) met a defect", call.id, call.action)
            self._defects[call.id] = self._defects.get(call.id, 0) + 1
            if self._defects[call.id] < TRIES_OF_A_DEFECT:
                return await self._wait(call, _pause(call.attempts), type(error).__name__, doubt=True)
            await self._finish(call, Ending("unclear", error=f"{type(error).__name__}: {error}"))
        self._defects.pop(call.id, None)
        return True

    async def _perform(self, action: Action, call: Call, values: Mapping[str, Any]) -> Ending:
        if action.config.sql:
            answer = await self._transport.query(call.system, action.config.sql, values, drill=call.drill)
        else:
            prepared = actions.request_of(action, values)
            answer = await self._transport.send(call.system, prepared, reference(call.key), drill=call.drill)
        return actions.read(action, answer, self._clock.now())

    async def _resolve_doubt(self, action: Action, call: Call, values: Mapping[str, Any]) -> Ending | None:
        """What to do with a call that may have been carried out: its ending, or None to make it (again)."""
        way = after_doubt(action)
        if way == "repeat":
            return None
        if way == "person":
            return Ending("unclear", error=call.error or "no answer")
        assert action.config.lookup is not None
        try:
            prepared = actions.lookup_of(action, values)
            answer = await self._transport.send(call.system, prepared, reference(call.key), drill=call.drill)
            return actions.found_by(action.config.lookup, action, answer, call.key, self._clock.now())
        except Unclear as error:
            raise Blocked(f"it may have been done, and the look-up got no answer: {error}") from None
        except Refused as error:
            return Ending("unclear", error=f"it may have been done, and the look-up was refused: {error}")

    async def _in_doubt(self, call: Call, why: str) -> bool:
        """No answer: look after the time that the system's search needs, or hand it over at once."""
        action = actions.resolve(self._linkage, call.action)
        way = after_doubt(action)
        if way == "person":
            await self._finish(call, Ending("unclear", error=why))
            return True
        lookup = action.config.lookup
        pause = max(_pause(call.attempts), lookup.after if way == "look" and lookup else 0)
        # Others of the same system go on meanwhile: it may be this one call that it stumbles over.
        return await self._wait(call, pause, why, doubt=True)

    async def _wait(self, call: Call, pause: int, why: str, *, doubt: bool, whole_system: bool = False) -> bool:
        now = self._clock.now()
        why = self._transport.clean(why)
        if now - call.created_at >= self._linkage.systems[call.system].give_up_after:
            state = "unclear" if doubt else "failed"
            await self._finish(call, Ending(state, error=f"given up: {why}"))
            return True
        until = now + max(1, pause)
        if whole_system:
            self._lanes.pause(call.system, until)
        log.warning("call %d (%s) to %s waits %d ms: %s", call.id, call.action, call.system, pause, why)

        def job(db: Database) -> None:
            calls.later(db, call, until, why, doubt=doubt)
            if now - call.created_at >= HELD_UP and calls.told(db, call.id, now):
                held = calls.get(db, call.id)
                assert held is not None
                self._on_result(db, held, now)

        await self._store.write(job, Priority.DELIVERY)
        return not whole_system

    async def _finish(self, call: Call, ending: Ending) -> None:
        now = self._clock.now()
        clean = self._transport.clean
        ending = Ending(
            ending.state, ending.status, clean(ending.answer),
            {name: clean(value) for name, value in ending.result.items()}, clean(ending.error),
        )  # fmt: skip
        if ending.state != "done":
            log.error("call %d (%s) to %s is %s: %s", call.id, call.action, call.system, ending.state, ending.error)
        await self._store.write(lambda db: self._end(db, call, ending, now), Priority.DELIVERY)

    def _end(self, db: Database, call: Call, ending: Ending, now: int) -> None:
        ended = calls.finish(db, call.id, ending, now)
        if ended is not None:
            self._on_result(db, ended, now)

    def _wait_for_pace(self, system: str, now: int) -> int:
        """Milliseconds until the system may be asked once more."""
        config = self._linkage.systems.get(system)
        return self._lanes.wait_for(system, config.per_minute, MINUTE, now) if config else 0


def after_doubt(action: Action) -> Literal["look", "repeat", "person"]:
    """What may be done with a call that perhaps was carried out."""
    if action.config.sql or action.config.method == "GET":
        return "repeat"
    if action.config.lookup is not None:
        return "look"
    return "repeat" if action.config.idempotent else "person"


def _pause(attempts: int) -> int:
    """Growing pauses: 1 s, 2 s, 4 s … five minutes."""
    return int(min(FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE))
