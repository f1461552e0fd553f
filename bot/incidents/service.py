"""The life of incidents. Every method is one step of the record and what it makes known, inside one transaction.

Lifecycle: open → acknowledged → responding → monitoring → resolved → closed; false alarm from anywhere before closed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.delivery import timers
from bot.incidents import people, words
from bot.incidents.decide import Decision, Move, decide
from bot.incidents.notices import Notices
from bot.model.grade import FAMILY_OF_TYPE, GENERAL_FAMILY, CrisisType, Grade
from bot.model.incident import SYSTEM, Actor, Incident, Status
from bot.model.post import Subject
from bot.model.signal import Signal
from bot.model.text import Text, UserError
from bot.store import audit
from bot.store import incidents as store
from bot.warning.assess import Thresholds
from bot.warning.service import Verdict

MINUTE = 60_000
DEFAULT_ESCALATION = {"blue": 240 * MINUTE, "yellow": 30 * MINUTE, "orange": 10 * MINUTE, "red": 3 * MINUTE}
HIGHEST_LEVEL = 3
# What a subject of this kind can reach at most by itself: another's crisis informs, it does not wake the managers.
GRADE_CAP = {"competitor": Grade.YELLOW, "industry": Grade.YELLOW, "policy": Grade.ORANGE, "own": Grade.RED}
# After an end, signals of the same story open nothing new at the same or a lower grade for this long.
AFTERGLOW = 120 * MINUTE
NEXT_STATUS = {
    "responding": Status.RESPONDING, "monitoring": Status.MONITORING, "resolved": Status.RESOLVED,
}  # fmt: skip


# ``(db, incident, what, now)``; ``what`` is the kind of the timeline entry.
OnChange = Callable[[Database, Incident, str, int], None]


class Incidents:
    def __init__(
        self,
        config: Config,
        notices: Notices,
        subjects: Callable[[], Sequence[Subject]],
        on_change: OnChange | None = None,
    ) -> None:
        """``on_change`` hears of every change, in its transaction, after the record and the messages are written."""
        self._on_change = on_change or (lambda db, incident, what, now: None)
        self._config = config
        self._notices = notices
        self._subjects = subjects

    # -- what signals do

    def apply(self, db: Database, verdict: Verdict, rules: Thresholds, now: int) -> Incident | None:
        """Open, raise, lower or refresh the incident that a verdict speaks of."""
        subject = next(item for item in self._subjects() if item.id == verdict.subject)
        cap = GRADE_CAP.get(subject.kind, Grade.RED)
        measured, relaxed = min(verdict.grade, cap), min(verdict.relaxed, cap)
        incident = store.get(db, verdict.incident) if verdict.incident else None
        if incident is None:
            return self._open(db, subject, verdict, measured, now) if measured else None
        if not incident.status.live:
            return None  # a person ended it between the measurement and now
        if verdict.family != incident.family:
            incident = replace(incident, family=verdict.family)
            store.save_quietly(db, incident)
        decision = decide(incident, measured, relaxed, rules, now)
        return self._move(db, incident, verdict, decision, rules, measured, now)

    def _open(self, db: Database, subject: Subject, verdict: Verdict, grade: Grade, now: int) -> Incident | None:
        before = store.last_ended(db, subject.id, verdict.family, verdict.drill, now - AFTERGLOW)
        if before is not None and before.status is Status.RESOLVED and grade > before.grade:
            return self._back(db, before, verdict, grade, now)
        if before is not None and grade <= before.peak_grade:
            return None
        others = store.live(db, subject=subject.id, drill=verdict.drill)
        if any(other.family == verdict.family for other in others):
            return None  # opened or reopened between the measurement and now
        if grade is Grade.BLUE and any(other.grade >= Grade.ORANGE for other in others):
            return None  # inhibited: a serious incident of the same subject mutes its small ones
        incident = store.create(
            db, subject=subject.id, subject_name=subject.name, family=verdict.family, crisis_type=verdict.crisis_type,
            title="", grade=grade, signals=verdict.signals, now=now, drill=verdict.drill,
        )  # fmt: skip
        incident = replace(incident, blind_sources=self._blind(db))
        store.note(db, incident.id, "opened", now, SYSTEM, {"grade": grade.word, **_numbers(verdict.signals)})
        incident = store.save(db, incident, now)
        self._schedule_escalation(db, incident, now)
        announce = self._announcement("announce.opened", incident)
        self._notices.show(db, incident, now, reason="opened", announce=announce, call=people.duty(self._config, now))
        self._on_change(db, incident, "opened", now)
        return incident

    def _back(self, db: Database, incident: Incident, verdict: Verdict, grade: Grade, now: int) -> Incident:
        """It was thought to be over and is worse than when that was said: the same incident, not a second one."""
        reopened = replace(
            incident, status=Status.OPEN, grade=grade, signals=verdict.signals, resolved_at=0, acknowledged_at=0,
            escalation_level=0, manual_grade=Grade.NONE,
        )  # fmt: skip
        return self._raised(db, reopened, incident.grade, now)

    def _move(
        self,
        db: Database,
        incident: Incident,
        verdict: Verdict,
        decision: Decision,
        rules: Thresholds,
        measured: Grade,
        now: int,
    ) -> Incident:
        before = incident
        # What is measured now stands on the card, also when it is nothing: old reasons would be no reasons.
        incident = replace(incident, grade=decision.grade, calm_since=decision.calm_since, signals=verdict.signals)
        if verdict.crisis_type not in (incident.crisis_type, CrisisType.OTHER.value) and not incident.title:
            incident = self._retype(db, incident, verdict, now)
        if decision.move is Move.RAISE:
            return self._raised(db, incident, before.grade, now)
        if decision.move is Move.LOWER:
            store.note(db, incident.id, "lowered", now, SYSTEM, _change(before.grade, incident.grade))
            incident = store.save(db, incident, now)
            minutes = rules.hold(before.grade) // MINUTE
            announce = self._announcement("announce.lowered", incident, minutes=minutes)
            self._notices.show(db, incident, now, reason="lowered", announce=announce)
            self._on_change(db, incident, "lowered", now)
            return incident
        if decision.move is Move.RESOLVE:
            incident = replace(incident, status=Status.RESOLVED, resolved_at=now)
            store.note(db, incident.id, "calm", now, SYSTEM)
            return self._ended(db, incident, "calm", self._announcement("announce.calm", incident), now)
        if decision.move is Move.HINT and not self._silenced(db, incident, now):
            key = f"hint:{incident.id}:{incident.manual_grade.word}:{measured.word}"
            params = _change(incident.manual_grade, measured)
            words_of = {name: Text(f"grade.{value}") for name, value in params.items()}
            self._notices.say(
                db, incident, Text("announce.hint", {"id": incident.id, **words_of}), now, key=key, reason="hint"
            )
        if _same_view(before, incident):
            if before != incident:
                store.save_quietly(db, incident)
            return incident
        return self._refresh(db, incident, now)

    def _raised(self, db: Database, incident: Incident, before: Grade, now: int) -> Incident:
        incident = replace(
            incident, peak_grade=max(incident.peak_grade, incident.grade), last_alert_at=now, calm_since=0,
        )  # fmt: skip
        change = _change(before, incident.grade)
        store.note(db, incident.id, "raised", now, SYSTEM, {**change, **_numbers(incident.signals)})
        incident = store.save(db, incident, now)
        self._schedule_escalation(db, incident, now, sooner=True)
        announce = self._announcement("announce.raised", incident, before=words.grade(before))
        call = people.duty(self._config, now) if incident.status is Status.OPEN else self._owner(incident)
        self._notices.show(db, incident, now, reason="raised", announce=announce, call=call)
        self._on_change(db, incident, "raised", now)
        return incident

    def _retype(self, db: Database, incident: Incident, verdict: Verdict, now: int) -> Incident:
        """A generic beginning (complaints, a rumour) takes the name of its cause once that shows; a cause keeps its
        name, so that the title does not flap between neighbours."""
        if verdict.generic or FAMILY_OF_TYPE[CrisisType(incident.crisis_type)] != GENERAL_FAMILY:
            return incident
        store.note(db, incident.id, "type_changed", now, SYSTEM, {"type": verdict.crisis_type})
        return replace(incident, crisis_type=verdict.crisis_type)

    def _refresh(self, db: Database, incident: Incident, now: int) -> Incident:
        """New numbers under the same grade: rewrite the card, but no more often than the configured pace."""
        wait = incident.updated_at + self._config.grading.update_every - now
        if wait > 0:
            store.save_quietly(db, incident)
            timers.schedule(db, "refresh", incident.id, now + wait, now)
            return incident
        incident = store.save(db, incident, now)
        self._notices.show(db, incident, now)
        return incident

    # -- what timers do

    def refresh(self, db: Database, incident_id: str, now: int) -> None:
        """The card is due for its newest numbers."""
        incident = store.get(db, incident_id)
        if incident is not None and incident.status.live:
            self._notices.show(db, store.save(db, incident, now), now)

    def escalate(self, db: Database, incident_id: str, now: int) -> None:
        """Nobody acknowledged in time: call the next circle, and set the next deadline."""
        incident = store.get(db, incident_id)
        if incident is None or incident.status is not Status.OPEN:
            return
        if self._silenced(db, incident, now):
            self._schedule_escalation(db, incident, now)
            return
        level = min(incident.escalation_level + 1, HIGHEST_LEVEL)
        called = people.escalation(self._config, level, now)
        minutes = max(1, (now - incident.opened_at) // MINUTE)
        incident = store.save(db, replace(incident, escalation_level=level), now)
        names = [person.name for person in called]
        store.note(db, incident.id, "escalated", now, SYSTEM, {"level": level, "minutes": minutes, "people": names})
        text = Text("announce.escalated", {"id": incident.id, "minutes": minutes})
        self._notices.show(db, incident, now, reason="escalated", announce=text, call=called)
        self._notices.call(db, incident, called, text, now, key=f"{incident.id}:escalated:{incident.version}")
        if level < HIGHEST_LEVEL:
            self._schedule_escalation(db, incident, now)

    # -- what people do

    def acknowledge(self, db: Database, incident: Incident, actor: Actor, now: int) -> Incident:
        """Take it in hand: the first one becomes the owner. Saying it twice changes nothing."""
        if not incident.status.live:
            raise UserError("error.ended", id=incident.id, status=Text(f"status.{incident.status.value}"))
        if incident.status is not Status.OPEN:
            owner = self._config.person(incident.owner)
            raise UserError("error.acknowledged", id=incident.id, owner=owner.name if owner else actor.name)
        incident = replace(
            incident, status=Status.ACKNOWLEDGED, acknowledged_at=now, owner=incident.owner or actor.person
        )
        timers.cancel(db, "escalate", incident.id)
        return self._done(db, incident, actor, "acknowledged", {}, now)

    def assign(
        self, db: Database, incident: Incident, person: PersonConfig, role: str, actor: Actor, now: int
    ) -> Incident:
        """Give a role; ``lead`` makes the person the owner. The person is told one to one."""
        self._must_not_be_ended(incident)
        if role == "lead":
            incident = replace(incident, owner=person.id)
        elif not store.set_role(db, incident.id, role, person.id):
            raise UserError("error.has_role", person=person.name, role=words.role(role), id=incident.id)
        incident = self._done(db, incident, actor, "assigned", {"person": person.name, "role": role}, now)
        text = Text("announce.assigned", {"id": incident.id, "actor": actor.name, "role": words.role(role)})
        if person.id != actor.person:
            self._notices.call(db, incident, [person], text, now, key=f"{incident.id}:assigned:{incident.version}")
        return incident

    def set_grade(
        self, db: Database, incident: Incident, grade: Grade | None, reason: str, actor: Actor, now: int
    ) -> Incident:
        """A person's grade outranks the signals until given back (``grade=None``). It takes a reason."""
        self._must_not_be_ended(incident)
        if grade is None:
            incident = replace(incident, manual_grade=Grade.NONE, calm_since=0)
            return self._done(db, incident, actor, "grade_auto", {}, now)
        if not reason.strip():
            raise UserError("error.needs_reason", example=f"grade {incident.id} {grade.word} …")
        before = incident.grade
        incident = replace(
            incident, grade=grade, manual_grade=grade, peak_grade=max(grade, incident.peak_grade), calm_since=0
        )
        if incident.status is Status.OPEN:
            self._schedule_escalation(db, incident, now)
        params = {**_change(before, grade), "reason": reason}
        incident = self._done(db, incident, actor, "graded", params, now)
        if grade > before:
            # Whoever is told of a raise by the signals is told of one by a person.
            announce = self._announcement(
                "announce.raised", incident, before=words.grade(before), first_reason=f"{actor.name}: {reason}"
            )
            call = people.duty(self._config, now) if incident.status is Status.OPEN else self._owner(incident)
            self._notices.show(db, incident, now, reason="raised", announce=announce, call=call)
        return incident

    def set_status(self, db: Database, incident: Incident, word: str, actor: Actor, now: int) -> Incident:
        """Move along the lifecycle: responding, monitoring, resolved."""
        self._must_not_be_ended(incident)
        status = NEXT_STATUS[word]
        if incident.status is status:
            raise UserError("error.same_status", id=incident.id, status=Text(f"status.{status.value}"))
        incident = replace(
            incident, status=status, owner=incident.owner or actor.person,
            acknowledged_at=incident.acknowledged_at or now,
            resolved_at=now if status is Status.RESOLVED else 0,
        )  # fmt: skip
        timers.cancel(db, "escalate", incident.id)
        if status is Status.RESOLVED:
            return self._done(db, incident, actor, "resolved", {}, now)
        return self._done(db, incident, actor, "status", {"status": status.value}, now)

    def close(self, db: Database, incident: Incident, reason: str, actor: Actor, now: int) -> Incident:
        self._must_not_be_ended(incident)
        incident = replace(incident, status=Status.CLOSED, closed_at=now, resolved_at=incident.resolved_at or now)
        timers.cancel(db, "escalate", incident.id)
        return self._done(db, incident, actor, "closed", {"reason": reason or "—"}, now)

    def false_alarm(self, db: Database, incident: Incident, reason: str, actor: Actor, now: int) -> Incident:
        self._must_not_be_ended(incident)
        if not reason.strip():
            raise UserError("error.needs_reason", example=f"false-alarm {incident.id} …")
        incident = replace(incident, status=Status.FALSE_ALARM, closed_at=now)
        timers.cancel(db, "escalate", incident.id)
        return self._done(db, incident, actor, "false_alarm", {"reason": reason}, now)

    def reopen(self, db: Database, incident: Incident, actor: Actor, now: int) -> Incident:
        if incident.status.live:
            raise UserError("error.not_ended", id=incident.id)
        incident = replace(incident, status=Status.ACKNOWLEDGED, closed_at=0, resolved_at=0, calm_since=0)
        return self._done(db, incident, actor, "reopened", {}, now)

    def mute(
        self, db: Database, incident: Incident, milliseconds: int, reason: str, actor: Actor, now: int
    ) -> Incident:
        """No announcements and no escalation of this incident until the end; its card goes on being rewritten."""
        self._must_not_be_ended(incident)
        if not reason.strip():
            raise UserError("error.needs_reason", example=f"mute {incident.id} 1h …")
        ends_at = now + milliseconds
        store.silence(
            db, subject=incident.subject, incident=incident.id, drill=incident.drill, now=now, ends_at=ends_at,
            reason=reason, actor=actor,
        )  # fmt: skip
        # A timer of its own: a refresh for new numbers must not take its place.
        timers.schedule(db, "silence_ends", incident.id, ends_at, now)
        params = {"until": words.clock_time(ends_at), "reason": reason}
        return self._done(db, incident, actor, "muted", params, now)

    def unmute(self, db: Database, incident: Incident, actor: Actor, now: int) -> Incident:
        if not store.lift_silences(db, subject=incident.subject, incident=incident.id, now=now):
            raise UserError("error.not_muted", id=incident.id)
        return self._done(db, incident, actor, "unmuted", {}, now)

    def note(
        self, db: Database, incident: Incident, text: str, actor: Actor, now: int, happened_at: int | None = None
    ) -> None:
        store.note(db, incident.id, "note", now, actor, {"text": text}, happened_at)

    def decide(self, db: Database, incident: Incident, text: str, actor: Actor, now: int) -> None:
        """Record a decision: the words as said, who, when, through which chat."""
        store.note(db, incident.id, "decision", now, actor, {"text": text})
        audit.append(db, actor, "decision", incident.id, now, {"text": text})

    # -- what the surroundings do

    def sources_changed(self, db: Database, now: int) -> None:
        """Name the sources that give no data on every live incident."""
        blind = self._blind(db)
        for incident in store.live(db):
            if incident.blind_sources != blind:
                self._notices.show(db, store.save(db, replace(incident, blind_sources=blind), now), now)

    # -- helpers

    def _done(
        self, db: Database, incident: Incident, actor: Actor, kind: str, params: dict[str, Any], now: int
    ) -> Incident:
        """Save, record, audit, show: what every act of a person has in common."""
        store.note(db, incident.id, kind, now, actor, params)
        incident = store.save(db, incident, now)
        audit.append(db, actor, kind, incident.id, now, params)
        self._notices.show(db, incident, now)
        self._on_change(db, incident, kind, now)
        return incident

    def _ended(self, db: Database, incident: Incident, reason: str, announce: Text, now: int) -> Incident:
        timers.cancel(db, "escalate", incident.id)
        incident = store.save(db, incident, now)
        self._notices.show(db, incident, now, reason=reason, announce=announce)
        self._on_change(db, incident, reason, now)
        return incident

    def _silenced(self, db: Database, incident: Incident, now: int) -> bool:
        found = store.silenced(db, subject=incident.subject, incident=incident.id, drill=incident.drill, now=now)
        return found is not None

    def _schedule_escalation(self, db: Database, incident: Incident, now: int, *, sooner: bool = False) -> None:
        """Set the deadline for an acknowledgement. ``sooner``: a raise may bring it forward, never put it off."""
        if incident.status is not Status.OPEN:
            return
        word = incident.grade.word
        configured = {str(name): value for name, value in self._config.grading.escalate_after.items()}
        after = configured.get(word, DEFAULT_ESCALATION[word])
        set_for = timers.waiting_at(db, "escalate", incident.id) if sooner else None
        due_at = now + after if set_for is None else min(set_for, now + after)
        timers.schedule(db, "escalate", incident.id, due_at, now)

    def _announcement(self, key: str, incident: Incident, **more: Any) -> Text:
        first: Text | str = words.signal(incident.signals[0]) if incident.signals else ""
        return Text(key, {
            "id": incident.id, "title": words.title(incident), "grade": words.grade(incident.grade),
            "first_reason": first, **more,
        })  # fmt: skip

    def _owner(self, incident: Incident) -> list[PersonConfig]:
        person = self._config.person(incident.owner)
        return [person] if person else []

    def _must_not_be_ended(self, incident: Incident) -> None:
        if incident.status.ended:
            raise UserError("error.ended", id=incident.id, status=Text(f"status.{incident.status.value}"))

    def _blind(self, db: Database) -> tuple[str, ...]:
        rows = db.conn.execute(
            "SELECT source FROM source_state WHERE health IN ('silent', 'failing', 'missing') ORDER BY source"
        )
        configured = {source.id for source in self._config.sources if source.enabled}
        return tuple(row[0] for row in rows if row[0] in configured)


def _change(before: Grade, after: Grade) -> dict[str, str]:
    return {"before": before.word, "grade": after.word}


def _numbers(signals: Sequence[Signal]) -> dict[str, Any]:
    """The signals of a change, kept with it in the timeline: why it was so at that moment."""
    return {"signals": [signal.to_json() for signal in signals[:6]]}


def _same_view(before: Incident, after: Incident) -> bool:
    """Whether a person would see no difference on the card."""
    return (
        before.signals == after.signals
        and before.grade == after.grade
        and before.crisis_type == after.crisis_type
        and before.status == after.status
    )
