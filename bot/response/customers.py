"""Telling affected customers: count first, send only when somebody with the role says so, stop at any moment.

The text is frozen when it is counted. Everybody's letter is an outbox row of its own lane and key, so a crash neither
loses nor doubles one. In a drill nobody is even looked up. Names and addresses go when their time is over.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import aiohttp
from sqlite_utils import Database

from bot.clock import SECOND, Clock
from bot.config import Config
from bot.config_linkage import SegmentConfig
from bot.delivery import outbox, timers
from bot.delivery.chat import Blocked, Delay, Refused, Unclear
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.incidents.notices import Notices
from bot.model.card import Card, Paragraph
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.message import Message
from bot.model.text import Text, UserError
from bot.response import actions, segments
from bot.response.actions import ActionError
from bot.response.segments import SegmentError
from bot.response.transport import Transport
from bot.store import audit
from bot.store import incidents as incident_store
from bot.store import notices as store
from bot.store.calls import Call
from bot.store.notices import Notice, Recipient

log = logging.getLogger(__name__)

SLICE = 10 * SECOND
LONGEST_TEXT = 5_000
COUNT, FEED, FORGET = "notice_count", "notice_feed", "notice_forget"
# Why somebody is not told, in the order in which it is said.
REASONS = ("no_consent", "no_address", "no_doubled", "no_field", "no_too_long")
CHANNELS = ("email", "sms", "wecom")


class Customers:
    """Every method runs inside the caller's transaction; ``count`` is the errand of the timer of that name."""

    def __init__(
        self,
        config: Config,
        notices: Notices,
        clock: Clock,
        session: Callable[[], aiohttp.ClientSession],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        self._settings = config.linkage.customers
        self._notices = notices
        self._clock = clock
        self._session = session
        self._environ = environ
        self._may_send: Callable[[Database, Notice, int], None] = lambda db, notice, now: None
        self._chats = [name for name in CHANNELS if getattr(config.chat, name) is not None]

    def ask_before_sending(self, may_send: Callable[[Database, Notice, int], None]) -> None:
        """Who is asked, in the transaction of the release, whether a notice may still go out (``UserError``: no)."""
        self._may_send = may_send

    # -- what people do

    def prepare(
        self, db: Database, incident: Incident, segment: str, title: str, text: str, actor: Actor, now: int, *,
        params: Mapping[str, Any] | None = None, run: str = "", step: str = "", exact: bool = False,
    ) -> Notice:  # fmt: skip
        """Freeze a text for a segment and have it counted; nothing is sent. ``exact``: an approved text, of which not
        even a blank at the end is taken away. Raises ``UserError``."""
        settings = self._segment(segment)
        if not text.strip() or not title.strip():
            raise UserError("error.notice_without_text")
        if len(text) > LONGEST_TEXT:
            raise UserError("error.notice_too_long", most=LONGEST_TEXT)
        unknown = (segments.placeholders(text) | segments.placeholders(title)) - {"name", *settings.fields}
        if unknown:
            raise UserError("error.notice_unknown_field", names=sorted(unknown), known=["name", *settings.fields])
        notice = store.create(
            db, incident=incident.id, run=run, step=step, segment=segment,
            drill=(incident.drill or incident.id) if incident.kind == "drill" else "",
            title=title if exact else title.strip(), text=text if exact else text.strip(),
            params=dict(params or {}), asked_by=actor.name, now=now,
        )  # fmt: skip
        audit.append(db, actor, "notice_prepared", f"notice:{notice.id}", now, {"segment": segment})
        if notice.drill:
            incident_store.note(db, incident.id, "notice_simulated", now, actor, self._shown(notice))
            return notice
        timers.schedule(db, COUNT, str(notice.id), now, now, asdict(notice))
        timers.schedule(db, FORGET, str(notice.id), now + self._settings.keep, now)
        return notice

    def send(self, db: Database, notice_id: int, actor: Actor, now: int) -> Notice:
        """Let a counted notice go out, or a stopped one go on. Needs one of ``linkage.customers.roles``."""
        notice = self.known(db, notice_id)
        self._permit(actor)
        if notice.drill:
            raise UserError("error.notice_drill", number=notice_id)
        self._may_send(db, notice, now)
        if not store.move(db, notice_id, "sending", only_from=("counted", "stopped")):
            raise self._wrong_state(notice)
        resumed = notice.state == "stopped"
        timers.schedule(db, FEED, str(notice_id), now, now)
        kind = "notice_resumed" if resumed else "notice_sent"
        audit.append(db, actor, kind, f"notice:{notice_id}", now, notice.counts)
        incident_store.note(db, notice.incident, kind, now, actor, self._shown(notice))
        return self.known(db, notice_id)

    def stop(self, db: Database, notice_id: int, actor: Actor, now: int) -> tuple[Notice, dict[str, int]]:
        """Stop at once: what has not left is taken back. Returns how far it had come."""
        notice = self.known(db, notice_id)
        if not store.move(db, notice_id, "stopped", only_from=("sending", "counted", "counting")):
            raise self._wrong_state(notice)
        timers.cancel(db, FEED, str(notice_id))
        timers.cancel(db, COUNT, str(notice_id))
        store.take_back(db, notice_id)
        audit.append(db, actor, "notice_stopped", f"notice:{notice_id}", now)
        incident_store.note(db, notice.incident, "notice_stopped", now, actor, self._shown(notice))
        return self.known(db, notice_id), store.progress(db, notice_id)

    def known(self, db: Database, notice_id: int) -> Notice:
        notice = store.get(db, notice_id)
        if notice is None:
            raise UserError("error.no_such_notice", number=notice_id)
        return notice

    # -- what time does

    async def count(self, timer: Timer) -> Callable[[Database, int], None]:
        """Read the segment and put its people down; the thread hears how many, never who."""
        notice_id, session = int(timer.object), self._session()
        notice = Notice(**timer.payload)
        found: list[Recipient] = []
        problem = ""
        try:
            settings = self._segment(notice.segment)
            rows = await self._rows(settings, notice, session)
            if len(rows) > self._settings.most:
                raise SegmentError(f"the segment has more than {self._settings.most} people (linkage.customers.most)")
            text = f"{notice.title}\n{notice.text}"
            found = await asyncio.to_thread(segments.recipients, settings, rows, text, self._chats)
        except (SegmentError, ActionError, Refused, Blocked, Delay, Unclear, UserError) as error:
            problem = str(error)

        def apply(db: Database, now: int) -> None:
            self._counted(db, notice_id, found, problem, now)

        return apply

    def feed(self, db: Database, timer: Timer, now: int) -> None:
        """Hand the next slice to the outbox, so that the throttle is kept and a stop finds little under way."""
        notice = store.get(db, int(timer.object))
        if notice is None or notice.state != "sending" or notice.drill:
            return
        batch = store.waiting(db, notice.id, max(1, self._settings.per_minute * SLICE // 60_000))
        for number, person in batch:
            outbox.enqueue(db, self._letter(notice, person), store.key(notice.id, number), now)
        store.queued(db, notice.id, [number for number, _ in batch])
        left = store.progress(db, notice.id)
        if left.get("waiting", 0) or left.get("queued", 0):
            timers.schedule(db, FEED, str(notice.id), now + SLICE, now)
            return
        store.move(db, notice.id, "done", only_from=("sending",))
        store.set_counts(db, notice.id, {**notice.counts, **{f"was_{name}": count for name, count in left.items()}})
        timers.schedule(db, FORGET, str(notice.id), now + self._settings.keep, now)
        params = {"number": notice.id, "sent": left.get("sent", 0), "failed": left.get("failed", 0)}
        incident_store.note(db, notice.incident, "notice_done", now, SYSTEM, params)
        self._say(db, notice, Text("customer.done", params), "done", now)

    def forget(self, db: Database, timer: Timer, now: int) -> None:
        """The time of the personal data is over."""
        notice = store.get(db, int(timer.object))
        if notice is None:
            return
        if notice.state == "sending":
            timers.schedule(db, FORGET, str(notice.id), now + self._settings.keep, now)
            return
        store.move(db, notice.id, "done", only_from=("counting", "counted", "stopped", "done", "failed"))
        timers.cancel(db, COUNT, str(notice.id))
        store.forget(db, notice.id)
        log.info("the personal data of notice %d is removed", notice.id)

    # -- parts

    async def _rows(self, segment: SegmentConfig, notice: Notice, session: aiohttp.ClientSession) -> Any:
        if segment.file:
            return await asyncio.to_thread(segments.rows_of_file, segment.file)
        action = actions.resolve(self._config.linkage, segment.action)
        if not action.config.sql and action.config.method not in ("GET", "POST"):
            raise ActionError(f"{segment.action} changes something; a list must only be read")
        call = _question(notice, segment)
        values = actions.values_of(action, call)
        transport = Transport(self._config.linkage, session, self._clock, self._environ)
        reference = actions.reference(call.key)
        try:
            if action.config.sql:
                answer = await transport.query(action.config.system, action.config.sql, values, drill=notice.drill)
            else:
                prepared = actions.request_of(action, values)
                answer = await transport.send(action.config.system, prepared, reference, drill=notice.drill)
            actions.read(action, answer, self._clock.now())
        except (Refused, Unclear) as error:
            # What came back may hold personal data: only the status travels on.
            raise SegmentError(transport.clean(str(error).partition(" {")[0])[:120]) from None
        return segments.items_of(segment, actions.document(answer, action.system.base_url))

    def _counted(self, db: Database, notice_id: int, found: list[Recipient], problem: str, now: int) -> None:
        if problem:
            if store.move(db, notice_id, "failed", only_from=("counting",), error=problem):
                notice = self.known(db, notice_id)
                params = {"number": notice_id, "segment": notice.segment, "error": problem[:200]}
                self._say(db, notice, Text("customer.failed", params), "failed", now)
            return
        if not store.move(db, notice_id, "counted", only_from=("counting",)):
            return
        store.fill(db, notice_id, found)
        store.set_counts(db, notice_id, segments.counts_of(found))
        notice = self.known(db, notice_id)
        incident_store.note(db, notice.incident, "notice_counted", now, SYSTEM, self._shown(notice))
        self._say(db, notice, counted(notice, self._settings.roles), "counted", now)

    def _letter(self, notice: Notice, person: Recipient) -> Message:
        segment = self._config.linkage.customers.segments.get(notice.segment)
        language = (segment.language if segment else None) or self._config.language
        body = segments.personal(notice.text, person)
        destination = f"{person.channel}:{person.address}#notice"
        if person.channel == "email":
            card = Card(segments.personal(notice.title, person), sections=(Paragraph(body),))
            return Message(destination, card=card, language=language, reason="customer_notice", drill=notice.drill)
        return Message(destination, text=body, language=language, reason="customer_notice", drill=notice.drill)

    def _say(self, db: Database, notice: Notice, text: Text, what: str, now: int) -> None:
        incident = incident_store.get(db, notice.incident)
        if incident is not None:
            self._notices.say(db, incident, text, now, key=f"notice:{notice.id}:say:{what}:{now}", reason="notice")

    def _segment(self, name: str) -> SegmentConfig:
        found = self._settings.segments.get(name)
        if found is None:
            raise UserError("error.no_such_segment", name=name or "—", known=list(self._settings.segments) or ["—"])
        return found

    def _permit(self, actor: Actor) -> None:
        if actor.roles.isdisjoint({*self._settings.roles, "admin"}):
            raise UserError("error.forbidden", roles=[words.role(role) for role in self._settings.roles])

    @staticmethod
    def _wrong_state(notice: Notice) -> UserError:
        state = Text(f"notice_state.{notice.state}")
        return UserError("error.notice_state", number=notice.id, state=state)

    @staticmethod
    def _shown(notice: Notice) -> dict[str, Any]:
        return {"number": notice.id, "segment": notice.segment, "count": sendable(notice.counts)}


def sendable(counts: Mapping[str, int]) -> int:
    """How many will be told."""
    return sum(counts.get(channel, 0) for channel in CHANNELS)


def counted(notice: Notice, roles: list[str]) -> Text:
    """``412 customers: 380 e-mail, 20 SMS, 12 without consent``, the text, and who may send it."""
    parts: list[Text | str] = [
        Text(f"customer.count_{name}", {"n": notice.counts[name]})
        for name in (*CHANNELS, *REASONS)
        if notice.counts.get(name)
    ]
    params = {
        "number": notice.id, "segment": notice.segment, "all": notice.counts.get("all", 0), "parts": parts or ["—"],
        "title": notice.title, "text": notice.text, "roles": [words.role(role) for role in roles],
    }  # fmt: skip
    return Text("customer.counted", params)


def _question(notice: Notice, segment: SegmentConfig) -> Call:
    """The list is asked for like an action, but leaves no row: its answer is personal data."""
    return Call(
        id=0, key=f"notice:{notice.id}:count", system="", action=segment.action,
        params={**segment.params, **notice.params}, context={}, incident=notice.incident, run=notice.run,
        step=notice.step, drill=notice.drill, state="sending", attempts=0, not_before=0, status=0, answer="", result={},
        error="", created_at=notice.created_at, told_at=0, finished_at=0,
    )  # fmt: skip
