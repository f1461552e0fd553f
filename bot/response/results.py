"""What became of a call: a line in the incident's thread and on its timeline, and word to the run that asked for it."""

from collections.abc import Callable
from typing import Any

from sqlite_utils import Database

from bot.incidents.notices import Notices
from bot.model.incident import SYSTEM
from bot.model.text import Text
from bot.response.linkage import WOULD_HAVE
from bot.store import incidents as incident_store
from bot.store.calls import Call

SHOWN_PARAMETERS = 300
TellRun = Callable[[Database, str, str, bool, str, int], None]


class CallResults:
    """``tell_run(db, run, step, whether it was done, what came of it, now)`` is the run engine's door; ``changed``
    tells the sender of new messages."""

    def __init__(
        self, notices: Notices, tell_run: TellRun | None = None, changed: Callable[[], None] | None = None
    ) -> None:
        self._notices = notices
        self._tell_run = tell_run
        self._changed = changed or (lambda: None)
        self._also: list[Callable[[Database, Call, int], None]] = []

    def also(self, hear: Callable[[Database, Call, int], None]) -> None:
        """Who else hears of what became of calls, in the same transaction."""
        self._also.append(hear)

    def __call__(self, db: Database, call: Call, now: int) -> None:
        incident = incident_store.get(db, call.incident) if call.incident else None
        if incident is not None:
            kind, params = kind_of(call), parameters_of(call)
            incident_store.note(db, incident.id, f"call_{kind}", now, SYSTEM, params)
            key = f"call:{call.id}:{kind}:{call.finished_at or call.told_at}"
            self._notices.say(db, incident, say(call), now, key=key, reason="call")
        if self._tell_run is not None and call.run and call.finished_at:
            done = call.state == "done"
            self._tell_run(db, call.run, call.step, done, parameters_of(call)["result" if done else "error"], now)
        for hear in self._also:
            hear(db, call, now)
        self._changed()


def say(call: Call) -> Text:
    """What is said of a call in chat."""
    return Text(f"linkage.call_{kind_of(call)}", parameters_of(call))


def kind_of(call: Call) -> str:
    """``done``, ``simulated``, ``failed``, ``unclear`` or ``waiting``."""
    if call.state == "done" and call.error == WOULD_HAVE:
        return "simulated"
    return "waiting" if call.state == "sending" else call.state


def parameters_of(call: Call) -> dict[str, Any]:
    result = " ".join(filter(None, (call.result.get("id", ""), call.result.get("link", ""))))
    given = ", ".join(f"{name}={value}" for name, value in call.params.items())
    return {
        "number": call.id,
        "action": call.action,
        "system": call.system or "—",
        "result": result or (f"HTTP {call.status}" if call.status else "—"),
        "error": call.error or "—",
        "given": (given if len(given) <= SHOWN_PARAMETERS else given[:SHOWN_PARAMETERS] + "…") or "—",
        "attempts": call.attempts,
    }
