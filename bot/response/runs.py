"""Runs of playbooks as people and time move them. Every method is one step of the record and what it makes known,
inside one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from bot.clock import MINUTE
from bot.config import Config, PersonConfig
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.statement import Statement
from bot.model.text import Text, UserError
from bot.response import facts, run_rows, run_timers, run_words
from bot.response.cards import RunCards
from bot.response.library import Library
from bot.response.run import decide
from bot.response.run_effects import Effects
from bot.response.run_notices import RunNotices
from bot.response.run_state import (
    NO_WORDS,
    Abort,
    ActionResult,
    Answer,
    ByHand,
    Decision,
    Done,
    Effect,
    EffectKind,
    Event,
    GradeChanged,
    PartEnded,
    Run,
    RunStatus,
    StepAct,
    StepStatus,
    Tick,
    begun,
)
from bot.response.schema import Playbook
from bot.response.scope import incident_scope
from bot.response.steps import Question, StatementStep
from bot.response.team import team_of
from bot.response.values import Words
from bot.store import audit
from bot.store import incidents as incident_store
from bot.store import runs as store
from bot.texts import render

DEEPEST_PART = 3
STANDSTILL = MINUTE


class Runs:
    """``library`` gives the playbooks as they are now; a run keeps those it began with."""

    def __init__(
        self, config: Config, library: Callable[[], Library], cards: RunCards, notices: RunNotices, effects: Effects
    ) -> None:
        self.cards = cards
        self._config = config
        self._library = library
        self._notices = notices
        self._effects = effects
        self._on_facts: Callable[[Database, Incident, int], None] = lambda db, incident, now: None

    def listen(self, on_facts: Callable[[Database, Incident, int], None]) -> None:
        """``on_facts`` hears when the facts of an incident have changed."""
        self._on_facts = on_facts

    # -- what people do

    def start(
        self,
        db: Database,
        playbook: Playbook,
        incident: Incident,
        actor: Actor,
        now: int,
        *,
        reason: Words = NO_WORDS,
        automatic: bool = False,
        parent: str = "",
    ) -> Run:
        """Begin a plan for an incident. Raises ``UserError`` where it already runs or the incident is over."""
        if incident.status.ended:
            raise UserError("error.ended", id=incident.id, status=Text(f"status.{incident.status.value}"))
        for row in store.of_incident(db, incident.id, open_only=True):
            if row.playbook == playbook.id:
                title = playbook.title.in_language(self._config.language)
                raise UserError("error.run_open", id=row.id, title=title, incident=incident.id)
        run = begun(
            store.next_id(db), incident.id, self._complete(playbook), self._team(db, playbook, incident, now),
            incident.grade, actor.name, now, drill=incident.drill, reason=reason, automatic=automatic, parent=parent,
        )  # fmt: skip
        run_rows.insert(db, run, now)
        detail = {
            "run": run.id,
            "text": playbook.title.in_language(self._config.language),
            "reason": reason.in_language(self._config.language) or "—",
        }
        incident_store.note(db, incident.id, "run_auto_started" if automatic else "run_started", now, actor, detail)
        store.record(db, run.id, "", "started", detail, actor, now)
        audit.append(db, actor, "run_started", run.id, now, {**detail, "incident": incident.id})
        decision = decide(run, Tick(scope=self._scope(db, incident, now)), now)
        self._store(db, run, decision, incident, actor, now, fresh=True)
        return decision.run

    def act(self, db: Database, run: Run, event: StepAct | Event, actor: Actor, now: int, **detail: Any) -> Run:
        """One person's act. Raises ``UserError`` with the machine's refusal."""
        incident = self.incident(db, run)
        if isinstance(event, Answer):
            self._keep_answers(db, run, event, incident, now)
        event = _with_scope(event, self._scope(db, incident, now))
        if isinstance(event, Done):
            self._refuse_unpublished(db, run, event.step)
        decision = decide(run, event, now)
        if decision.refusal is not None:
            raise UserError(decision.refusal.key, **dict(decision.refusal.params))
        step = event.step if isinstance(event, StepAct) else ""
        kind = type(event).__name__.lower()
        store.record(db, run.id, step, kind, detail, actor, now)
        audit.append(db, actor, f"run_{kind}", f"{run.id}.{step}" if step else run.id, now, detail)
        self._store(db, run, decision, incident, actor, now)
        if isinstance(event, Answer) and decision.run.status is RunStatus.RUNNING:
            self._others_look(db, run, incident, now)
            self._on_facts(db, incident, now)
        return decision.run

    def decided(self, db: Database, run: Run, step_id: str, label: str, actor: Actor, now: int) -> None:
        """A vote has settled a decision: it stands on the incident's timeline like any other."""
        text = f"{run_words.step_title(run, step_id, self._config.language)}: {label}"
        incident_store.note(db, run.incident, "decision", now, actor, {"text": text})
        audit.append(db, actor, "decision", run.incident, now, {"text": text, "step": f"{run.id}.{step_id}"})

    def passed_on(self, db: Database, run: Run, step_id: str, person: str, actor: Actor, now: int) -> None:
        """Somebody was given a step: they are told."""
        self._effects.passed_on(db, run, self.incident(db, run), step_id, person, actor, now)

    def handed_over(self, db: Database, run: Run, steps: Sequence[str], person: str, actor: Actor, now: int) -> None:
        """Somebody was given all that another had: they are told."""
        self._effects.handed_over(db, run, self.incident(db, run), steps, person, actor, now)

    def facts_changed(self, db: Database, incident: Incident, now: int) -> None:
        """Facts are what conditions wait for: every open run looks again."""
        for run in self.open_of(db, incident):
            self._look(db, run, incident, now)
        self._on_facts(db, incident, now)

    def statement_published(self, db: Database, statement: Statement, now: int) -> None:
        """The text that a step asked for is out: the step is done."""
        run = run_rows.load(db, statement.run) if statement.run else None
        if run is None or run.status.ended or run.playbook.step(statement.step) is None:
            return  # written from chat beside the plan: no step of it waits for this text
        if run.step(statement.step).status.ended:
            return
        event = _with_scope(Done(SYSTEM, statement.step, statement.id), self._scope(db, self.incident(db, run), now))
        decision = decide(run, event, now)
        if decision.refusal is None:
            store.record(db, run.id, statement.step, "published", {"statement": statement.id}, SYSTEM, now)
            self._store(db, run, decision, self.incident(db, run), SYSTEM, now)

    def _refuse_unpublished(self, db: Database, run: Run, step: str) -> None:
        """A statement's step ends by publication, not by somebody's word."""
        open_one = self._effects.drafts.unfinished(db, run.id, step) if self._effects.drafts else ""
        if open_one:
            address = f"{run.id}.{run.step(step).number}"
            raise UserError("error.step_needs_statement", step=address, id=open_one)

    # -- what systems and time do

    def action_result(self, db: Database, run_id: str, step: str, ok: bool, text: str, now: int) -> None:
        """A linked system has answered; a second answer changes nothing."""
        run = run_rows.load(db, run_id)
        if run is None or run.status.ended or run.playbook.step(step) is None:
            return
        incident = self.incident(db, run)
        event = ActionResult(step, ok, text, scope=self._scope(db, incident, now))
        before = run.step(step)
        decision = decide(run, event, now)
        if decision.run.step(step) == before:
            return
        store.record(db, run.id, step, "result", {"ok": ok, "text": text}, SYSTEM, now)
        if not ok:
            self._effects.failed(db, decision.run, incident, step, text, now)
        self._store(db, run, decision, incident, SYSTEM, now)

    def incident_changed(self, db: Database, incident: Incident, what: str, now: int) -> None:
        """The incident was raised, lowered, assigned or ended: its runs follow."""
        for run in self.open_of(db, incident):
            if incident.status.ended:
                self._effects.propose_close(db, run, incident, "run.incident_ended", now)
                continue
            team = self._team(db, run.playbook, incident, now)
            if incident.grade > run.grade or team != run.team:
                event = GradeChanged(incident.grade, team, scope=self._scope(db, incident, now))
                self._store(db, run, decide(run, event, now), incident, SYSTEM, now)
            else:
                self._look(db, run, incident, now)

    def remind(self, db: Database, timer: Timer, now: int) -> None:
        """A deadline comes near: whoever has the step is told, and the deadline itself is set. One that has passed
        meanwhile, during a standstill, is said to have passed."""
        if found := self._pending(db, timer):
            run, step_id = found
            state = run.step(step_id)
            if state.due_at <= now:
                self.due(db, timer, now)
                return
            if state.status is StepStatus.OPEN:
                self._effects.remind(db, run, self.incident(db, run), step_id, now)
            timers.schedule(db, "run_due", timer.object, max(state.due_at, now), now)

    def due(self, db: Database, timer: Timer, now: int) -> None:
        """A deadline has passed: said at once, escalated after the time the plan gives."""
        if found := self._pending(db, timer):
            run, step_id = found
            incident = self.incident(db, run)
            steps = [step_id, *self._together(db, run, timer, ("run_due", "run_remind"), now)]
            self._effects.overdue(db, run, incident, steps, now, standstill=_stood_still(timer, now))
            for late in steps:
                store.record(db, run.id, late, "overdue", {}, SYSTEM, now)
                if escalation := run_timers.escalation(run, late):
                    object_ = run_timers.object_of(run.id, late)
                    timers.schedule(db, "run_escalate", object_, now + escalation.after, now)
            self._notices.show(db, self._touched(db, run, now), incident, now)

    def escalate(self, db: Database, timer: Timer, now: int) -> None:
        """Still not done: the next circle is called."""
        if found := self._pending(db, timer):
            run, step_id = found
            steps = [step_id, *self._together(db, run, timer, ("run_escalate",), now)]
            self._effects.escalate(db, run, self.incident(db, run), steps, now, standstill=_stood_still(timer, now))
            for late in steps:
                store.record(db, run.id, late, "escalated", {}, SYSTEM, now)

    def tick(self, db: Database, timer: Timer, now: int) -> None:
        run = run_rows.load(db, timer.object)
        if run is not None and run.status is RunStatus.RUNNING:
            self._look(db, run, self.incident(db, run), now)

    # -- questions

    def get(self, db: Database, run_id: str) -> Run | None:
        return run_rows.load(db, run_id)

    def open_of(self, db: Database, incident: Incident) -> list[Run]:
        rows = store.of_incident(db, incident.id, open_only=True)
        return [run_rows.from_row(db, row) for row in rows]

    def of(self, db: Database, incident_id: str) -> list[Run]:
        """All runs of an incident, oldest first."""
        return [run_rows.from_row(db, row) for row in store.of_incident(db, incident_id)]

    def library(self) -> Library:
        return self._library()

    def incident(self, db: Database, run: Run) -> Incident:
        found = incident_store.get(db, run.incident)
        assert found is not None, "a run belongs to a stored incident"
        return found

    def sheet(self, db: Database, incident: Incident) -> list[facts.Line]:
        """The incident's fact sheet with what its plans ask for."""
        return facts.sheet(db, incident.id, [run.playbook for run in self.of(db, incident.id)])

    def draft(self, db: Database, run: Run, step: StatementStep, language: str, now: int) -> tuple[str, str, list[str]]:
        """Title and body of a statement step's template with the facts in, and the names of what is still unknown."""
        template = run.playbook.templates.get(step.template)
        if template is None:
            raise UserError("error.no_template", name=step.template)
        values = self._text_values(db, run, language, now)
        unknown = render(Text("run.unknown_field", {"name": "%s"}), language)
        title, missing = facts.fill(template.title.in_language(language), values, unknown)
        body, more = facts.fill(template.body.in_language(language), values, unknown)
        return title, body, list(dict.fromkeys([*missing, *more]))

    # -- helpers

    def _store(
        self, db: Database, before: Run, decision: Decision, incident: Incident, actor: Actor, now: int, *,
        fresh: bool = False,
    ) -> None:  # fmt: skip
        """Write the run, set its timers, perform what follows, show it."""
        after = decision.run
        run_rows.save(db, before, after, now)
        run_timers.reschedule(db, None if fresh else before, after, now)
        for effect in decision.effects:
            self._record(db, after, effect, actor, now)
            if effect.kind is EffectKind.START_PART:
                self._start_part(db, after, effect.step, incident, now)
        by_hand = self._effects.perform(db, after, decision.effects, incident, actor, now, fresh=fresh)
        for step in by_hand:
            shown = after
            after = decide(shown, ByHand(step, scope=self._scope(db, incident, now)), now).run
            run_rows.save(db, shown, after, now)
        self._notices.show(db, after, incident, now, reason="run_started" if fresh else "")
        if fresh or (after.status.ended and not before.status.ended):
            self._notices.show_incident(db, after, incident, now)
        if after.status.ended and not before.status.ended:
            self._ended(db, after, incident, actor, now)

    def _record(self, db: Database, run: Run, effect: Effect, actor: Actor, now: int) -> None:
        if effect.kind in (EffectKind.OPENED, EffectKind.ENDED, EffectKind.ROUND):
            state = run.step(effect.step)
            detail = {"status": state.status.value, "outcome": state.outcome, "round": state.rounds}
            store.record(db, run.id, effect.step, effect.kind.value, detail, actor, now)

    def _ended(self, db: Database, run: Run, incident: Incident, actor: Actor, now: int) -> None:
        kind = "run_aborted" if run.status is RunStatus.ABORTED else "run_done"
        detail = {"run": run.id, "text": run_words.title(run, self._config.language), "reason": run.outcome or "—"}
        incident_store.note(db, incident.id, kind, now, actor, detail)
        if run.status is RunStatus.ABORTED:
            for row in store.parts_of(db, run.id):
                part = run_rows.from_row(db, row)
                if not part.status.ended:
                    self.act(db, part, Abort(actor, run.outcome), actor, now, reason=run.outcome)
        parent_id, _, step = run.parent.partition(".")
        parent = run_rows.load(db, parent_id) if parent_id else None
        if parent is not None and not parent.status.ended:
            event = PartEnded(step, scope=self._scope(db, incident, now))
            self._store(db, parent, decide(parent, event, now), incident, SYSTEM, now)

    def _start_part(self, db: Database, run: Run, step_id: str, incident: Incident, now: int) -> None:
        """A part that cannot begin is said in the thread; its step stays with the people."""
        step = run.playbook.step(step_id)
        assert step is not None and step.kind == "sub_playbook"
        playbook = self._library().get(step.playbook)
        depth, above = 1, run
        while above.parent and (found := run_rows.load(db, above.parent.partition(".")[0])):
            depth, above = depth + 1, found
        try:
            if playbook is None or depth > DEEPEST_PART:
                raise UserError("error.no_such_playbook", name=step.playbook, near=[])
            parent = f"{run.id}.{step_id}"
            self.start(db, playbook, incident, SYSTEM, now, reason=run.playbook.title, parent=parent)
        except UserError as error:
            self._effects.failed(db, run, incident, step_id, render(error.text, self._config.language), now)

    def _look(self, db: Database, run: Run, incident: Incident, now: int) -> None:
        """Let conditions be judged anew; nothing is shown where nobody would see a difference."""
        decision = decide(run, Tick(scope=self._scope(db, incident, now)), now)
        seen = {step.id: step.holds_since > 0 for step in run.steps}
        changed = any(seen[step.id] != (step.holds_since > 0) for step in decision.run.steps)
        if decision.effects or changed or _statuses(run) != _statuses(decision.run):
            self._store(db, run, decision, incident, SYSTEM, now)
            return
        run_rows.save(db, run, decision.run, now)
        run_timers.reschedule(db, run, decision.run, now)

    def _others_look(self, db: Database, run: Run, incident: Incident, now: int) -> None:
        for other in self.open_of(db, incident):
            if other.id != run.id:
                self._look(db, other, incident, now)

    def _touched(self, db: Database, run: Run, now: int) -> Run:
        """The run under its next version: its card is to be rewritten although nothing in it moved."""
        after = replace(run, version=run.version + 1)
        run_rows.save(db, run, after, now)
        return after

    def _keep_answers(self, db: Database, run: Run, event: Answer, incident: Incident, now: int) -> None:
        """Answers go to the fact sheet before conditions are asked; a refusal of the event takes them back."""
        step = run.playbook.step(event.step)
        if not isinstance(step, Question) or run.step(event.step).status is not StepStatus.OPEN:
            return
        for field in step.fields:
            value = event.answers.get(field.id, "").strip()
            if field.fact and value:
                facts.put(db, incident, field.fact, value, event.by, now, source=f"{run.id}.{step.id}")

    def _pending(self, db: Database, timer: Timer) -> tuple[Run, str] | None:
        """The run and step of a deadline that still matters."""
        run_id, _, step_id = timer.object.partition(".")
        run = run_rows.load(db, run_id)
        if run is None or run.status is not RunStatus.RUNNING or run.step(step_id).status.ended:
            return None
        return run, step_id

    def _together(self, db: Database, run: Run, timer: Timer, kinds: Iterable[str], now: int) -> list[str]:
        """The other steps of the run whose deadlines have come too: claimed with this one, for one message instead of
        twenty. After a standstill that is most of a plan."""
        found = []
        for kind in kinds:
            for other in timers.due_of(db, kind, run.id, now):
                step_id = other.object.partition(".")[2]
                if other.id == timer.id or run.step(step_id).due_at > now or not timers.claim(db, other.id, now):
                    continue
                if not run.step(step_id).status.ended:
                    found.append(step_id)
        return sorted(dict.fromkeys(found), key=lambda step_id: (run.step(step_id).due_at, run.step(step_id).number))

    def _team(self, db: Database, playbook: Playbook, incident: Incident, now: int) -> dict[str, tuple[str, ...]]:
        given = incident_store.roles(db, incident.id)
        return team_of(self._config, playbook, incident.grade, incident.owner, given, now)

    def _scope(self, db: Database, incident: Incident, now: int) -> dict[str, Any]:
        return incident_scope(db, self._config, incident, now)

    def _complete(self, playbook: Playbook) -> Playbook:
        """The plan with the shared texts it uses, so that its frozen copy needs nothing else."""
        shared = {
            step.template: template
            for step in playbook.steps
            if step.kind in ("statement", "auto_reply")
            and step.template not in playbook.templates
            and (template := self._library().template(playbook, step.template)) is not None
        }
        return playbook.model_copy(update={"templates": {**playbook.templates, **shared}}) if shared else playbook

    def _text_values(self, db: Database, run: Run, language: str, now: int) -> dict[str, str]:
        incident = self.incident(db, run)
        values = {
            line.name: render(line.value(language), language)
            for line in self.sheet(db, incident)
            if line.row is not None
        }
        commander: Iterable[PersonConfig | None] = map(self._config.person, run.team.get("commander", ()))
        names = [person.name for person in commander if person is not None]
        return {
            "company": incident.subject_name, "subject": incident.subject_name, "incident_id": incident.id,
            "now": words.clock_time(now), **({"commander_name": names[0]} if names else {}), **values,
        }  # fmt: skip


def _stood_still(timer: Timer, now: int) -> bool:
    """Whether its moment passed unheard: nothing ran then."""
    return now - timer.due_at > STANDSTILL


def _with_scope(event: Event, scope: Mapping[str, Any]) -> Event:
    return replace(event, scope=scope)


def _statuses(run: Run) -> list[StepStatus]:
    return [step.status for step in run.steps]
