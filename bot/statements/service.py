"""The life of statements: asked for, approved, published, corrected. Every method is one step of the record."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from sqlite_utils import Database

from bot.config import Config
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.statement import Statement, StatementKind, StatementStatus, Version
from bot.model.text import Text, UserError
from bot.response.steps import StatementStep
from bot.statements import policy as policies
from bot.statements.approval import refusal
from bot.statements.approval_state import (
    Approval,
    Ask,
    Discard,
    Escalate,
    Event,
    Lapse,
    No,
    Policy,
    PolicyChanged,
    Publish,
    Schedule,
    Settled,
    Withdraw,
    Yes,
    same_digest,
)
from bot.statements.cards import StatementCards
from bot.statements.drafting import Drafting
from bot.statements.notices import StatementNotices
from bot.statements.record import DEPUTIES, LAPSE, REMIND, Review, Runs, words_of
from bot.statements.texts import Texts
from bot.store import audit
from bot.store import statements as store


class Publisher(Protocol):
    """Hands approved texts over; see ``bot.statements.publishing``."""

    def begin(
        self, db: Database, statement: Statement, version: Version, actor: Actor, now: int, *, at: int = 0,
        embargo: int = 0,
    ) -> Any: ...  # fmt: skip

    def cancel(self, db: Database, statement_id: str, actor: Actor, now: int, reason: str) -> bool: ...

    def replaced(self, db: Database, old_id: str, new_id: str, kind: StatementKind, now: int) -> None: ...


class Statements(Texts):
    """``runs`` gives the runs of an incident, ``on_published`` hears when one is out (its playbook step is done then),
    ``check_code`` verifies a second factor: ``(db, person, code, now) -> bool``."""

    def __init__(
        self,
        config: Config,
        drafting: Drafting,
        notices: StatementNotices,
        cards: StatementCards,
        review: Review,
        runs: Runs,
        check_code: Callable[[Database, str, str, int], bool],
    ) -> None:
        super().__init__(config, drafting, notices, cards, review, runs)
        self._check_code = check_code
        self._publisher: Publisher | None = None
        self._on_published: Callable[[Database, Statement, int], None] = lambda db, statement, now: None

    def connect(
        self, publisher: Publisher | None, on_published: Callable[[Database, Statement, int], None] | None = None
    ) -> None:
        """What the composition root puts behind: publishing, and the runs that wait for it."""
        self._publisher = publisher
        self._on_published = on_published or self._on_published

    def unfinished(self, db: Database, run: str, step: str) -> str:
        """The id of a step's statement that is not out yet, empty if there is none."""
        found = store.of_step(db, run, step)
        waits = found is not None and (found.status.editable or found.status is StatementStatus.PUBLISHING)
        return found.id if found is not None and waits else ""

    # -- approval

    def ask(self, db: Database, statement: Statement, actor: Actor, now: int) -> Approval:
        """Ask those who must agree. Raises ``UserError`` while blocks stand or where nobody is left to agree."""
        version = self.current(db, statement)
        incident = self.incident(db, statement)
        self._again(db, statement, version, incident, now)
        statement = self.get(db, statement.id)
        policy = self._policy(db, statement, incident)
        state = self.approval(db, statement, version)
        lacking = policies.lacking(self._config, policy, state.contributors)
        if lacking:
            raise UserError("error.nobody_for", seats=[words.role(name) for name in lacking])
        after = self._apply(db, statement, version, Ask(actor.person or actor.name, policy), actor, now)
        self._set_timers(db, statement.id, after, now)
        return after

    def approve(
        self, db: Database, statement: Statement, digest: str, actor: Actor, now: int, *, code: str = ""
    ) -> Approval:
        """One person's yes to exactly this digest."""
        version = self.current(db, statement)
        state = self.approval(db, statement, version)
        second = bool(code) and self._check_code(db, actor.person, code, now)
        stands_for = self._stands_for(db, statement, state, actor, now)
        event = Yes(actor.person, actor.name, actor.chat, digest, actor.roles, stands_for, second)
        after = self._apply(db, statement, version, event, actor, now)
        self._set_timers(db, statement.id, after, now)
        return after

    def reject(self, db: Database, statement: Statement, digest: str, reason: str, actor: Actor, now: int) -> None:
        version = self.current(db, statement)
        state = self.approval(db, statement, version)
        stands_for = self._stands_for(db, statement, state, actor, now)
        event = No(actor.person, digest, reason, actor.roles, stands_for)
        self._apply(db, statement, version, event, actor, now, reason=reason)

    def delegate(self, db: Database, statement: Statement | None, to: str, until: int, actor: Actor, now: int) -> None:
        """Whoever may vote lets somebody vote in their place: on one statement, or on all until a moment."""
        if not actor.person or to == actor.person:
            raise UserError("error.delegate_whom")
        name = statement.id if statement else ""
        store.delegate(db, actor.person, to, name, until, now)
        audit.append(db, actor, "statement_delegated", name or "*", now, {"to": to, "until": until})
        if statement is not None:
            version = self.current(db, statement)
            self._note(db, statement, version.digest, "delegated", actor, now, {"to": to}, audited=True)
            self._notices.ask(db, statement, self.incident(db, statement), [to], now, reason="statement_ask")

    def retract(self, db: Database, statement: Statement, reason: str, actor: Actor, now: int) -> None:
        """Before anything has left the house: nobody is asked any more and no agreement counts."""
        version = self.current(db, statement)
        if statement.status in (StatementStatus.SCHEDULED, StatementStatus.PUBLISHING):
            stopped = self._publisher.cancel(db, statement.id, actor, now, reason) if self._publisher else False
            if not stopped:
                raise UserError("error.statement_out")
            if statement.status is StatementStatus.PUBLISHING:
                statement = self._set_status(db, statement, version, StatementStatus.APPROVED, now)
        self._apply(db, statement, version, Withdraw(actor.person or actor.name), actor, now, reason=reason)

    def discard(self, db: Database, statement: Statement, reason: str, actor: Actor, now: int) -> None:
        self._apply(db, statement, self.current(db, statement), Discard(), actor, now, reason=reason)

    # -- publication

    def publish(
        self, db: Database, statement: Statement, digest: str, actor: Actor, now: int, *, at: int = 0, embargo: int = 0
    ) -> None:
        """Hand the approved text to its targets, now or at a moment."""
        if self._publisher is None:
            raise UserError("error.publishing_off")
        version = self.current(db, statement)
        if not digest or not same_digest(version.digest, digest):
            raise UserError("error.other_digest", given=digest[:12] or "—", digest=version.digest[:8])
        self._again(db, statement, version, self.incident(db, statement), now)
        statement = self.get(db, statement.id)
        event: Event = Schedule(at) if at > now else Publish(version.digest)
        self._apply(db, statement, version, event, actor, now, at=at)
        self._publisher.begin(db, self.get(db, statement.id), version, actor, now, at=at, embargo=embargo)

    def may_publish(self, db: Database, statement_id: str, digest: str, now: int) -> None:
        """The gate, asked in every transaction that hands a text over. Raises ``UserError``."""
        statement = self.get(db, statement_id)
        version = self.current(db, statement)
        if (refused := refusal(self.approval(db, statement, version), digest, now)) is not None:
            raise UserError(refused.key, **dict(refused.params))
        if statement.status is StatementStatus.SCHEDULED:  # its moment has come: from here on it cannot be edited
            self._apply(db, statement, version, Publish(version.digest), SYSTEM, now)

    def settled(self, db: Database, statement_id: str, ok: bool, now: int) -> None:
        """Every target has answered (``ok``: at least one has it): it is out, or back with its approvers' agreement."""
        statement = self.get(db, statement_id)
        version = self.current(db, statement)
        if ok and statement.status is StatementStatus.APPROVED:  # a person found it there after all
            self._apply(db, statement, version, Publish(version.digest), SYSTEM, now)
            statement = self.get(db, statement_id)
        if statement.status is not StatementStatus.PUBLISHING:
            return
        if not ok:
            statement = self._set_status(db, statement, version, StatementStatus.APPROVED, now)
            self._set_timers(db, statement.id, self.approval(db, statement, version), now)
            said = Text("statement.said_failed", {"id": statement.id})
            self._say(db, statement, said, now, f"failed:{now}", "statement", call=self._authors(version))
            return
        self._apply(db, statement, version, Settled(), SYSTEM, now)
        statement = self.get(db, statement_id)
        if statement.replaces:
            self._replace(db, statement, now)
        self._on_published(db, statement, now)

    def correct(self, db: Database, statement: Statement, actor: Actor, now: int) -> Statement:
        """A correction of what is out: a statement of its own that goes through the same review and approval."""
        return self._follow(db, statement, StatementKind.CORRECTION, actor, now)

    def recall(self, db: Database, statement: Statement, reason: str, actor: Actor, now: int) -> Statement:
        """Withdraw what is out: again by a text that is reviewed and approved."""
        return self._follow(db, statement, StatementKind.WITHDRAWAL, actor, now, reason)

    # -- what the record and time do

    def facts_changed(self, db: Database, incident: Incident, now: int) -> None:
        """Drafts take in what is known now; texts whose facts have changed lose their votes."""
        for statement in store.of_incident(db, incident.id, open_only=True):
            if not statement.status.editable:
                continue
            if statement.status is StatementStatus.DRAFT and self.refill(db, statement, SYSTEM, now) is not None:
                continue
            self._again(db, statement, self.current(db, statement), incident, now)

    def incident_changed(self, db: Database, incident: Incident, what: str, now: int) -> None:
        """A higher grade may need more people to agree."""
        for statement in store.of_incident(db, incident.id, open_only=True):
            if incident.grade > statement.grade and statement.status.editable:
                version = self.current(db, statement)
                raised = replace(statement, grade=incident.grade)
                policy = self._policy(db, raised, incident)
                after = self._apply(db, raised, version, PolicyChanged(policy), SYSTEM, now)
                self._set_timers(db, statement.id, after, now)

    def lapse(self, db: Database, timer: Timer, now: int) -> None:
        statement = store.get(db, timer.object)
        if statement is not None:
            self._apply(db, statement, self.current(db, statement), Lapse(), SYSTEM, now)

    def remind(self, db: Database, timer: Timer, now: int) -> None:
        """Before the asking lapses, whoever has not answered is asked again."""
        statement = store.get(db, timer.object)
        if statement is None or statement.status is not StatementStatus.ASKED:
            return
        state = self.approval(db, statement, self.current(db, statement))
        params = {"id": statement.id, "span": words.duration(state.until - now)}
        waiting = self._waiting(state)
        key = f"{statement.id}:remind:{state.asked_at}"
        self._notices.write(
            db, statement, waiting, Text("statement.said_remind", params), now, key=key, reason="statement_ask"
        )

    def escalate(self, db: Database, timer: Timer, now: int) -> None:
        """Deputies of those who have not answered are asked too."""
        statement = store.get(db, timer.object)
        if statement is not None:
            self._apply(db, statement, self.current(db, statement), Escalate(), SYSTEM, now)

    def timers(self) -> dict[str, Callable[[Database, Timer, int], None]]:
        return {LAPSE: self.lapse, REMIND: self.remind, DEPUTIES: self.escalate}

    # -- helpers

    def _follow(
        self, db: Database, statement: Statement, kind: StatementKind, actor: Actor, now: int, reason: str = ""
    ) -> Statement:
        """The draft of a correction or withdrawal of what is out."""
        if statement.status is not StatementStatus.PUBLISHED:
            raise UserError("error.statement_not_out", id=statement.id)
        for other in store.of_incident(db, statement.incident, open_only=True):
            if other.replaces == statement.id:
                raise UserError("error.replacement_open", id=other.id)
        old = self.current(db, statement)
        new = replace(
            statement, id=store.next_id(db), kind=kind, status=StatementStatus.DRAFT, version=1, created_at=now,
            updated_at=now, revision=1, run="", step="", replaces=statement.id,
        )  # fmt: skip
        params = {
            "title": old.title or statement.id,
            "reason": reason or words_of("statement.reason_gap", new.language),
        }
        title = words_of(f"statement.{kind.value}_title", new.language, **params)
        body = words_of(f"statement.{kind.value}_body", new.language, body=old.body, **params)
        version = Version(new.id, 1, new.audience, new.language, title, body, actor.person, actor.name, actor.chat, now)
        store.insert(db, new)
        incident = self.incident(db, new)
        self._take_version(db, new, version, self._look(db, new, version, incident, now), incident, actor, now)
        return self.get(db, new.id)

    def _replace(self, db: Database, statement: Statement, now: int) -> None:
        """What was out is marked with what has taken its place."""
        old = self.get(db, statement.replaces)
        status = (
            StatementStatus.CORRECTED if statement.kind is StatementKind.CORRECTION else StatementStatus.WITHDRAWN
        )  # fmt: skip
        version = self.current(db, old)
        self._note(db, old, version.digest, status.value, SYSTEM, now, {"by": statement.id})
        self._set_status(db, old, version, status, now)
        if self._publisher is not None:
            self._publisher.replaced(db, old.id, statement.id, statement.kind, now)

    def _policy(self, db: Database, statement: Statement, incident: Incident) -> Policy:
        """A correction asks whoever the text it corrects asked; a step adds the roles it names."""
        step_roles: dict[str, tuple[str, ...]] = {}
        run = next((run for run in self._runs(db, incident.id) if run.id == statement.run), None)
        step = run.playbook.step(statement.step) if run is not None and statement.step else None
        if run is not None and isinstance(step, StatementStep):
            step_roles = {role: run.team.get(role, ()) for role in step.approve}
        grade = max(incident.grade, statement.grade)
        return policies.policy_for(self._config, statement.audience, grade, step_roles)

    def _stands_for(
        self, db: Database, statement: Statement, state: Approval, actor: Actor, now: int
    ) -> tuple[tuple[str, frozenset[str]], ...]:
        """Others whose vote this person may give: who delegated it, and whose deputy they are."""
        others = [person for person, to in store.delegations(db, statement.id, now).items() if to == actor.person]
        if state.escalated:
            others += [person.id for person in self._config.people if person.deputy == actor.person]
        found = []
        for person in map(self._config.person, dict.fromkeys(others)):
            if person is not None:
                found.append((person.id, frozenset(person.roles)))
        return tuple(found)
