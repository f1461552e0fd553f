"""What follows from a run's moves: announcements, calls to linked systems, automatic answers, reminders."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlite_utils import Database

from bot.config import Config
from bot.delivery import timers
from bot.incidents import words
from bot.model.card import Card, Items, Paragraph
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.text import Text, UserError
from bot.response import run_timers, run_words, survey
from bot.response.cards import step_button
from bot.response.facts import fill
from bot.response.run_acts import voters_of
from bot.response.run_notices import RunNotices, Say
from bot.response.run_state import Effect, EffectKind, Run, RunStatus, StepState
from bot.response.steps import Action, AutoReply, Decision, Notify, StatementStep, Survey
from bot.store import facts as fact_store
from bot.store import incidents as incident_store
from bot.texts import render

log = logging.getLogger(__name__)


class Actions(Protocol):
    """Calls linked systems. The result comes back by ``Runs.action_result``."""

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
        """Enqueue one call, once per ``key``. Raises ``UserError`` where there is no such action."""
        ...


class Replies(Protocol):
    """Answers incoming messages while its window is open."""

    def switch_on(self, db: Database, *, run: Run, step: AutoReply, incident: Incident, now: int) -> None: ...

    def switch_off(self, db: Database, *, run: Run, step: AutoReply, now: int) -> None: ...


class Drafts(Protocol):
    """Drafts the texts that steps ask for."""

    def draft_for_step(
        self, db: Database, *, run: Run, step: StatementStep, incident: Incident, now: int
    ) -> object: ...

    def unfinished(self, db: Database, run: str, step: str) -> str:
        """The id of the step's statement that is not out yet, empty if there is none."""
        ...


class Effects:
    """``actions`` and ``replies`` may be missing: then people are asked to do it, and the step waits for them."""

    def __init__(
        self, config: Config, notices: RunNotices, actions: Actions | None = None, replies: Replies | None = None
    ) -> None:
        self._config = config
        self._notices = notices
        self.actions = actions
        self.replies = replies
        self.drafts: Drafts | None = None

    def perform(
        self, db: Database, run: Run, effects: Sequence[Effect], incident: Incident, actor: Actor, now: int, *,
        fresh: bool = False,
    ) -> list[str]:  # fmt: skip
        """Do what follows, in order; one announcement for all steps that opened together. Returns the steps for which
        no system could be called: people do them."""
        by_hand = []
        for effect in effects:
            step = run.playbook.step(effect.step) if effect.step else None
            if effect.kind is EffectKind.REQUEST and isinstance(step, Action):
                if not self._request(db, run, incident, step, now):
                    by_hand.append(step.id)
            elif effect.kind is not EffectKind.UNREACHED:
                self._one(db, run, effect, incident, now)
        opened = [run.step(effect.step) for effect in effects if effect.kind is EffectKind.OPENED]
        still = [state for state in opened if not state.status.ended]
        if fresh:
            self._announce_start(db, run, incident, still, now)
        elif still and not run.status.ended:
            self._announce_opened(db, run, incident, still, now)
        for effect in effects:
            if effect.kind is EffectKind.UNREACHED:
                self._one(db, run, effect, incident, now)
        return by_hand

    def _one(self, db: Database, run: Run, effect: Effect, incident: Incident, now: int) -> None:
        step = run.playbook.step(effect.step) if effect.step else None
        match effect.kind, step:
            case EffectKind.NOTIFY, Notify() | Survey():
                self._notices.notify(db, run, incident, step, now)
            case EffectKind.UNREACHED, Notify():
                self._unreached(db, run, incident, step, now)
            case EffectKind.REPLY_ON, AutoReply():
                if self.replies is not None:
                    self.replies.switch_on(db, run=run, step=step, incident=incident, now=now)
            case EffectKind.REPLY_OFF, AutoReply():
                if self.replies is not None:
                    self.replies.switch_off(db, run=run, step=step, now=now)
            case EffectKind.ENDED, Survey():
                self._survey_results(db, run, incident, step, now)
            case EffectKind.OPENED, StatementStep():
                if self.drafts is not None and not run.step(effect.step).status.ended:
                    self.drafts.draft_for_step(db, run=run, step=step, incident=incident, now=now)
            case EffectKind.OPENED, Decision():
                self._ask_to_vote(db, run, incident, step, now)
            case ((EffectKind.WAITED | EffectKind.SPLIT), _):
                name = "waited" if effect.kind is EffectKind.WAITED else "split"
                text = self._sentence(run, effect.step, f"run.announce_{name}")
                key = f"{run.id}:{effect.step}:{name}:{run.version}"
                self._notices.say(
                    db, run, incident, text, now, key=key, reason="run_asks", call=self._whose(run, effect.step)
                )
            case EffectKind.PROPOSE_CLOSE, _:
                self.propose_close(db, run, incident, "run.may_close", now)
            case EffectKind.STUCK, _:
                self.propose_close(db, run, incident, "run.stuck", now)
            case EffectKind.RUN_ENDED, _:
                self._announce_end(db, run, incident, now)

    # -- deadlines

    def remind(self, db: Database, run: Run, incident: Incident, step_id: str, now: int) -> None:
        state = run.step(step_id)
        text = self._sentence(run, step_id, "run.announce_remind", span=words.duration(state.due_at - now))
        self._say_once(db, run, incident, text, step_id, "remind", self._whose(run, step_id), now)

    def overdue(
        self, db: Database, run: Run, incident: Incident, steps: Sequence[str], now: int, *, standstill: bool
    ) -> None:
        """One sentence a step, or one message for all whose deadlines came together."""
        if len(steps) == 1:
            text = self._sentence(run, steps[0], "run.announce_overdue")
            self._say_once(db, run, incident, text, steps[0], "overdue", self._whose(run, steps[0]), now)
            return
        text = self._list_of_late(run, "run.announce_overdue_together", steps, now, standstill=standstill)
        called = dict.fromkeys(person for step in steps for person in self._whose(run, step))
        key = f"{run.id}:overdue:{steps[0]}:{now}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_overdue", call=called)

    def escalate(
        self, db: Database, run: Run, incident: Incident, steps: Sequence[str], now: int, *, standstill: bool
    ) -> None:
        """Tell the next circle in the thread and one to one; once for all steps of which it is to hear now."""
        by_circle: dict[str, list[str]] = {}
        for step_id in steps:
            escalation = run_timers.escalation(run, step_id)
            by_circle.setdefault(escalation.to if escalation else "", []).append(step_id)
        for circle, late in by_circle.items():
            called = run.team.get(circle, ())
            names = self._names(called)
            for step_id in late:
                title = run_words.step_title(run, step_id, self._config.language)
                detail = {"run": run.id, "text": title, "people": names}
                incident_store.note(db, incident.id, "run_escalated", now, SYSTEM, detail)
            first = run.step(late[0])
            key = f"{run.id}:{late[0]}:escalate:{first.due_at}:{first.rounds}"
            if len(late) == 1:
                text = self._sentence(
                    run, late[0], "run.announce_escalated", span=words.duration(now - first.due_at),
                    people=names or ["—"],
                )  # fmt: skip
                self._say_once(db, run, incident, text, late[0], "escalated", called, now)
                self._call(db, run, text, late[0], called, key, "run_escalated", now)
                continue
            text = self._list_of_late(
                run, "run.announce_escalated_together", late, now, standstill=standstill, people=names or ["—"]
            )
            self._notices.say(db, run, incident, text, now, key=f"{key}:together", reason="run_escalated", call=called)
            self._call(db, run, text, "", called, key, "run_escalated", now)

    def _list_of_late(
        self, run: Run, key: str, steps: Sequence[str], now: int, *, standstill: bool, **params: Any
    ) -> Say:
        """A head that says why they come together, and a line for each step."""

        def text(language: str) -> str:
            why = Text("run.stood_still") if standstill else ""
            lines = [render(Text(key, {"id": run.id, "n": len(steps), "why": why, **params}), language)]
            for step_id in steps:
                span = words.duration(now - run.step(step_id).due_at)
                lines.append(self._sentence(run, step_id, "run.late_line", span=span)(language))
            return "\n".join(lines)

        return text

    def passed_on(
        self, db: Database, run: Run, incident: Incident, step_id: str, person: str, actor: Actor, now: int
    ) -> None:
        text = self._sentence(run, step_id, "run.announce_reassigned", actor=actor.name)
        key = f"{run.id}:{step_id}:reassigned:{run.version}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_step", call=[person])

    def handed_over(
        self, db: Database, run: Run, incident: Incident, steps: Sequence[str], person: str, actor: Actor, now: int
    ) -> None:
        """Somebody took over what was another's: the thread hears it, and who has it now is called."""

        def text(language: str) -> str:
            titles = [f"{run.step(step).number}. {run_words.step_title(run, step, language)}" for step in steps]
            who = run_words.person_name(self._config, person)
            params = {"id": run.id, "n": len(titles), "actor": actor.name, "who": who, "titles": titles}
            return render(Text("run.announce_handed_over", params), language)

        key = f"{run.id}:handed_over:{run.version}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_step", call=[person])

    def failed(self, db: Database, run: Run, incident: Incident, step_id: str, cause: str, now: int) -> None:
        """A linked system or a part did not work: whoever has the step decides."""
        text = self._sentence(run, step_id, "run.announce_failed", cause=cause[:200])
        key = f"{run.id}:{step_id}:failed:{run.version}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_failed", call=self._whose(run, step_id))

    def propose_close(self, db: Database, run: Run, incident: Incident, key: str, now: int) -> None:
        """Say that the run may be finished, with the line that does it; it goes on until a person says so."""

        def text(language: str) -> str:
            return render(Text(key, {"id": run.id, "title": run_words.title(run, language)}), language)

        called = run.team.get("commander", ())
        self._notices.say(
            db,
            run,
            incident,
            text,
            now,
            key=f"{run.id}:{key}:{incident.status.value}:{run.version if run.stuck else 0}",
            reason="run_asks",
            call=called,
        )

    # -- helpers

    def _request(self, db: Database, run: Run, incident: Incident, step: Action, now: int) -> bool:
        """Have the linked system called; False where there is none by that name and a person is asked."""
        state = run.step(step.id)
        if self.actions is None:
            self._by_hand(db, run, incident, step, now)
            return False
        known = {name: row.value for name, row in fact_store.current(db, incident.id).items()}
        known |= {"incident_id": incident.id, "subject": incident.subject_name, "company": incident.subject_name}
        params = {name: fill(value, known, "")[0] for name, value in step.params.items()}
        try:
            self.actions.request(
                db, key=f"{run.id}:{step.id}:{state.rounds}:{state.requests}", action=step.action, params=params,
                incident=incident.id, run=run.id, step=step.id, drill=run.drill, now=now,
            )  # fmt: skip
        except UserError as error:
            log.warning("run %s, step %s: %s is not linked (%s)", run.id, step.id, step.action, error.text.key)
            self._by_hand(db, run, incident, step, now)
            return False
        return True

    def _survey_results(self, db: Database, run: Run, incident: Incident, step: Survey, now: int) -> None:
        """What people answered is said where the run is followed, once per survey."""
        state = run.step(step.id)

        def text(language: str) -> str:
            head = self._sentence(run, step.id, "run.announce_surveyed", n=len(state.answers))(language)
            return "\n".join([head, *survey.results(step, state, language)])

        key = f"{run.id}:{step.id}:results:{state.ended_at}:{state.rounds}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_step", call=self._whose(run, step.id))

    def _unreached(self, db: Database, run: Run, incident: Incident, step: Notify, now: int) -> None:
        """A notice that would have reached nobody: its text is shown, and somebody passes it on."""

        def text(language: str) -> str:
            roles = run.playbook.roles
            titles = [roles[name].title.in_language(language) if name in roles else f"#{name}" for name in step.to]
            say = self._sentence(
                run, step.id, "run.announce_unreached", roles=titles, message=step.message.in_language(language)
            )
            return say(language)

        key = f"{run.id}:{step.id}:unreached:{run.step(step.id).rounds}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_asks", call=self._whose(run, step.id))

    def _by_hand(self, db: Database, run: Run, incident: Incident, step: Action, now: int) -> None:
        """No system is linked: a person does it and says so."""
        state = run.step(step.id)
        text = self._sentence(run, step.id, "run.announce_by_hand", action=step.action)
        key = f"{run.id}:{step.id}:by_hand:{state.rounds}:{state.requests}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_asks", call=self._whose(run, step.id))

    def _ask_to_vote(self, db: Database, run: Run, incident: Incident, step: Decision, now: int) -> None:
        """Voters get the question one to one, with its options."""
        state = run.step(step.id)
        cards = {}
        for language in ("zh-CN", "en"):
            options = tuple(
                f"{number}. {option.label.in_language(language)}"
                + (f" — {option.note.in_language(language)}" if option.note else "")
                for number, option in enumerate(step.options, 1)
            )
            detail = step.detail.in_language(language) if step.detail else ""
            sections = [Paragraph(detail)] if detail else []
            offered = step_button(run, step, state, language)
            title = Text("run.vote_title", {"title": step.title.in_language(language), "incident": incident.id})
            cards[language] = Card(
                render(title, language), grade=run.grade,
                sections=(*sections, Items(render(Text("run.options", {"quorum": step.quorum}), language), options)),
                buttons=(offered,) if offered else (),
                drill=render(Text("card.drill", {"drill": run.drill}), language) if run.drill else "",
            )  # fmt: skip
        key = f"{run.id}:{step.id}:vote:{state.rounds}"
        self._notices.call(db, run, cards, voters_of(run, step), now, key=key, reason="run_asks")

    def _announce_start(
        self, db: Database, run: Run, incident: Incident, opened: list[StepState], now: int
    ) -> None:  # fmt: skip
        empty = [name for name in run.playbook.roles if not run.team.get(name)]

        def text(language: str) -> str:
            reason = run.reason.in_language(language)
            lines = [render(Text("run.announce_started", {
                "id": run.id, "incident": incident.id, "title": run_words.title(run, language), "who": run.started_by,
                "reason": Text("run.reason_clause", {"reason": reason}) if reason else "",
            }), language)]  # fmt: skip
            if run.automatic:
                lines.append(render(Text("run.how_to_stop", {"id": run.id}), language))
            if empty:
                titles = [run.playbook.roles[name].title.in_language(language) for name in empty]
                lines.append(render(Text("run.roles_without_people", {"roles": titles}), language))
            lines.extend(run_words.open_line(self._config, run, state, language, now) for state in opened)
            return "\n".join(lines)

        called = [state.person for state in opened if state.person]
        self._notices.say(db, run, incident, text, now, key=f"{run.id}:started", reason="run_started", call=called)

    def _announce_opened(
        self, db: Database, run: Run, incident: Incident, opened: list[StepState], now: int
    ) -> None:  # fmt: skip
        def text(language: str) -> str:
            lines = [render(Text("run.announce_opened", {"id": run.id, "n": len(opened)}), language)]
            lines.extend(run_words.open_line(self._config, run, state, language, now) for state in opened)
            return "\n".join(lines)

        called = [state.person for state in opened if state.person]
        key = f"{run.id}:opened:{run.version}"
        self._notices.say(db, run, incident, text, now, key=key, reason="run_step", call=called)

    def _announce_end(self, db: Database, run: Run, incident: Incident, now: int) -> None:
        for state in run.steps:
            run_timers.cancel_step(db, run.id, state.id)
        timers.cancel(db, "run_tick", run.id)
        key = "run.announce_aborted" if run.status is RunStatus.ABORTED else "run.announce_done"
        done, everything = run.progress

        def text(language: str) -> str:
            params = {
                "id": run.id, "title": run_words.title(run, language), "reason": run.outcome or "—",
                "done": done, "all": everything, "age": words.duration(now - run.started_at),
            }  # fmt: skip
            return render(Text(key, params), language)

        self._notices.say(db, run, incident, text, now, key=f"{run.id}:ended", reason="run_ended")

    def _say_once(
        self, db: Database, run: Run, incident: Incident, text: Say, step_id: str, name: str, called: Iterable[str],
        now: int,
    ) -> None:  # fmt: skip
        """Once per deadline: a deadline that moved is announced anew."""
        state = run.step(step_id)
        key = f"{run.id}:{step_id}:{name}:{state.due_at}:{state.rounds}:{state.status.value}"
        self._notices.say(db, run, incident, text, now, key=key, reason=f"run_{name}", call=called)

    def _call(
        self, db: Database, run: Run, text: Say, step_id: str, called: Iterable[str], key: str, reason: str, now: int
    ) -> None:
        """``step_id`` is the step to offer a button for; empty where it is about several."""
        step = run.playbook.step(step_id) if step_id else None
        cards = {}
        for language in ("zh-CN", "en"):
            offered = step_button(run, step, run.step(step_id), language) if step else None
            cards[language] = Card(
                text(language), grade=run.grade, buttons=(offered,) if offered else (),
                drill=render(Text("card.drill", {"drill": run.drill}), language) if run.drill else "",
            )  # fmt: skip
        self._notices.call(db, run, cards, called, now, key=key, reason=reason)

    def _sentence(self, run: Run, step_id: str, key: str, **params: Any) -> Say:
        """A sentence about one step; ``who`` is whoever has it."""
        state = run.step(step_id)

        def text(language: str) -> str:
            given = {
                "step": f"{run.id}.{state.number}", "title": run_words.step_title(run, step_id, language),
                "who": run_words.person_name(self._config, state.person), **params,
            }  # fmt: skip
            return render(Text(key, given), language)

        return text

    def _whose(self, run: Run, step_id: str) -> list[str]:
        person = run.step(step_id).person
        return [person] if person else list(run.team.get("commander", ()))[:1]

    def _names(self, ids: Iterable[str]) -> list[str]:
        return [person.name for person in map(self._config.person, ids) if person is not None]
