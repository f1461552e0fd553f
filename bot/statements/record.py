"""The record of statements: rows, the machine's decisions on them, and what each makes known. One transaction each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from bot.config import Config
from bot.delivery import timers
from bot.model.card import Card
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.statement import Finding, ReviewContext, Severity, Statement, StatementStatus, Version
from bot.model.text import Text, UserError
from bot.response.run_state import Run
from bot.statements import policy as policies
from bot.statements.approval import decide
from bot.statements.approval_state import Approval, Decision, Effect, Event, Reviewed
from bot.statements.cards import StatementCards
from bot.statements.drafting import Drafting
from bot.statements.notices import StatementNotices
from bot.store import audit
from bot.store import incidents as incident_store
from bot.store import statements as store
from bot.texts import render

LAPSE, REMIND, DEPUTIES = "statement_lapse", "statement_remind", "statement_deputies"
Review = Callable[[Version, ReviewContext], Sequence[Finding]]
Runs = Callable[[Database, str], list[Run]]
# How an event of the machine is called in the record.
KINDS = {
    "ask": "asked", "yes": "voted", "no": "rejected", "withdraw": "retracted", "policychanged": "policy",
    "lapse": "lapsed", "escalate": "escalated", "schedule": "scheduled", "publish": "publishing",
    "settled": "published", "discard": "discarded",
}  # fmt: skip
# What is told on the incident's timeline, by effect.
_TIMELINE = {
    Effect.APPROVED: "statement_approved", Effect.REJECTED: "statement_rejected", Effect.VOIDED: "statement_voided",
    Effect.LAPSED: "statement_lapsed", Effect.WITHDRAWN: "statement_retracted", Effect.PUBLISHED: "statement_published",
    Effect.DISCARDED: "statement_discarded",
}  # fmt: skip


class Record:
    """``runs`` gives the runs of an incident."""

    def __init__(
        self, config: Config, drafting: Drafting, notices: StatementNotices, cards: StatementCards, review: Review,
        runs: Runs,
    ) -> None:  # fmt: skip
        self._config = config
        self._drafting = drafting
        self._notices = notices
        self.cards = cards
        self._review = review
        self._runs = runs

    # -- questions

    def card(self, db: Database, statement: Statement, language: str, now: int) -> Card:
        """The card as it would stand in a chat now."""
        return self._notices.card(db, statement, language, now)

    def get(self, db: Database, statement_id: str) -> Statement:
        found = store.get(db, statement_id)
        if found is None:
            raise UserError("error.no_statement", id=statement_id[:20])
        return found

    def current(self, db: Database, statement: Statement) -> Version:
        version = store.version(db, statement)
        assert version is not None, "a statement always has its current text"
        return version

    def incident(self, db: Database, statement: Statement) -> Incident:
        found = incident_store.get(db, statement.incident)
        assert found is not None, "a statement belongs to a stored incident"
        return found

    def approval(self, db: Database, statement: Statement, version: Version) -> Approval:
        return Approval.from_json(statement.status, version.digest, store.approval(db, statement.id))

    # -- helpers

    def _again(self, db: Database, statement: Statement, version: Version, incident: Incident, now: int) -> None:
        """Review the same text anew; only what has changed is stored and told."""
        findings = self._look(db, statement, version, incident, now)
        if list(findings) != store.findings(db, statement.id, version.number):
            store.set_findings(db, version, findings)
        blocks = self._blocks(db, version, findings)
        if blocks != self.approval(db, statement, version).blocks:
            self._apply(db, statement, version, Reviewed(blocks), SYSTEM, now)

    def _look(
        self, db: Database, statement: Statement, version: Version, incident: Incident, now: int
    ) -> Sequence[Finding]:
        runs = [run for run in self._runs(db, incident.id) if not run.status.ended]
        return self._review(version, self._drafting.context(db, statement, incident, runs, now))

    def _blocks(self, db: Database, version: Version, findings: Iterable[Finding]) -> frozenset[str]:
        passed = {item.detail.get("key") for item in store.overrides(db, version.statement, version.digest)}
        return frozenset(
            item.key for item in findings if item.severity is Severity.BLOCK and item.key not in passed
        )  # fmt: skip

    def _apply(
        self, db: Database, statement: Statement, version: Version, event: Event, actor: Actor, now: int, **detail: Any
    ) -> Approval:
        """One event of the machine: its state, what it makes known, or ``UserError`` with its refusal."""
        before = self.approval(db, statement, version)
        decision = decide(before, event, now)
        if decision.refused is not None:
            raise UserError(decision.refused.key, **dict(decision.refused.params))
        stored = store.get(db, statement.id)
        if decision.state == before and not decision.effects and stored == statement:
            return before
        self._commit(db, statement, version, decision, actor, now, type(event).__name__.lower(), detail)
        return decision.state

    def _commit(
        self, db: Database, statement: Statement, version: Version, decision: Decision, actor: Actor, now: int,
        kind: str, detail: dict[str, Any],
    ) -> None:  # fmt: skip
        state = decision.state
        statement = store.save(db, replace(statement, status=state.status), state.to_json(), now)
        if kind == "yes":
            vote = state.votes[-1]
            detail = {"seats": list(vote.seats), "stands_for": vote.stands_for, **detail}
        self._note(db, statement, version.digest, KINDS.get(kind, kind), actor, now, detail)
        incident = self.incident(db, statement)
        for effect in decision.effects:
            if (name := _TIMELINE.get(effect)) is not None:
                params = {
                    "statement": statement.id,
                    "text": version.title or statement.id,
                    "digest": version.digest[:8],
                }
                incident_store.note(db, incident.id, name, now, actor, params)
            self._tell(db, statement, version, incident, decision, effect, actor, now, detail)
        if kind == "drafted":
            params = {"statement": statement.id, "audience": statement.audience}
            incident_store.note(db, incident.id, "statement_drafted", now, actor, params)
        reason = "statement" if kind == "drafted" else ""
        self._notices.show(db, statement, incident, now, reason=reason)

    def _tell(
        self, db: Database, statement: Statement, version: Version, incident: Incident, decision: Decision,
        effect: Effect, actor: Actor, now: int, detail: dict[str, Any],
    ) -> None:  # fmt: skip
        state = decision.state
        say = {
            "id": statement.id,
            "digest": version.digest[:8],
            "who": actor.name,
            "reason": detail.get("reason") or "—",
        }
        key = f"{effect.value}:{statement.revision}"
        match effect:
            case Effect.ASK_VOTERS:
                self._notices.ask(db, statement, incident, self._waiting(state), now, reason="statement_ask")
            case Effect.ESCALATED:
                called = policies.deputies(self._config, self._waiting(state))
                names = [person.name for person in map(self._config.person, called) if person is not None]
                self._notices.ask(db, statement, incident, called, now, reason="statement_ask")
                said = Text("statement.said_escalated", {**say, "people": names or ["—"]})
                self._say(db, statement, said, now, key, "statement")
            case Effect.VOIDED | Effect.LAPSED | Effect.WITHDRAWN | Effect.REJECTED:
                text = Text(f"statement.said_{effect.value}", say)
                told = [vote.person for vote in decision.voided if vote.person != actor.person]
                self._notices.write(db, statement, told, text, now, key=f"{statement.id}:{key}", reason="statement")
                self._say(db, statement, text, now, key, "statement", call=self._authors(version))
                for name in (LAPSE, REMIND, DEPUTIES):
                    timers.cancel(db, name, statement.id)
            case Effect.APPROVED | Effect.PUBLISHED:
                if effect is Effect.APPROVED:
                    seats = {seat: [vote.name for vote in votes] for seat, votes in state.seated.items()}
                    self._note(db, statement, version.digest, "approved", actor, now, {"seats": seats})
                text = Text(f"statement.said_{effect.value}", say)
                self._say(db, statement, text, now, key, "statement", call=self._authors(version))
            case _:
                pass

    def _set_timers(self, db: Database, statement_id: str, state: Approval, now: int) -> None:
        """The asking or the approval lapses; before it does, people are asked again, then their deputies too."""
        for name in (LAPSE, REMIND, DEPUTIES):
            timers.cancel(db, name, statement_id)
        if state.policy is None or state.status not in (StatementStatus.ASKED, StatementStatus.APPROVED):
            return
        timers.schedule(db, LAPSE, statement_id, state.until, now)
        if state.status is StatementStatus.ASKED:
            span = state.until - state.asked_at
            timers.schedule(db, REMIND, statement_id, state.asked_at + span * 2 // 3, now)
            if not state.escalated:
                timers.schedule(db, DEPUTIES, statement_id, state.asked_at + state.policy.deputies_after, now)

    def _waiting(self, state: Approval) -> list[str]:
        """Everybody who may still vote on what is asked for now."""
        voted = {vote.person for vote in state.votes}
        found: dict[str, None] = {}
        for requirement in state.turn:
            found |= dict.fromkeys(policies.voters(self._config, requirement, state.contributors | voted))
        return list(found)

    def _set_status(
        self, db: Database, statement: Statement, version: Version, status: StatementStatus, now: int
    ) -> Statement:
        state = replace(self.approval(db, statement, version), status=status)
        after = store.save(db, replace(statement, status=status), state.to_json(), now)
        self._notices.show(db, after, self.incident(db, after), now)
        return after

    def _touch(self, db: Database, statement: Statement, now: int) -> None:
        """Show the card anew although nothing of the record has moved."""
        approval = store.approval(db, statement.id)
        self._notices.show(db, store.save(db, statement, approval, now), self.incident(db, statement), now)

    def _say(
        self, db: Database, statement: Statement, text: Text, now: int, key: str, reason: str,
        call: Iterable[str] = (),
    ) -> None:  # fmt: skip
        incident = self.incident(db, statement)
        self._notices.say(db, statement, incident, text, now, key=f"{statement.id}:{key}", reason=reason, call=call)

    def _note(
        self, db: Database, statement: Statement, digest: str, kind: str, actor: Actor, now: int,
        detail: dict[str, Any], *, audited: bool = False,
    ) -> None:  # fmt: skip
        store.note(db, statement, digest, kind, actor, now, detail)
        if not audited:
            audit.append(db, actor, f"statement_{kind}", statement.id, now, {"digest": digest, **detail})

    def _authors(self, version: Version) -> list[str]:
        if version.author:
            return [version.author]
        return [person.id for person in self._config.people if "pr" in person.roles][:1]

    def _language(self, incident: Incident) -> str:
        subject = next((item for item in self._config.subjects if item.id == incident.subject), None)
        return self._config.channel_language(subject.channel) if subject and subject.channel else self._config.language


def words_of(key: str, language: str, **params: Any) -> str:
    return render(Text(key, params), language)
