"""The live checklist of a run: what is to be done now, by whom, until when; rewritten in place."""

from sqlite_utils import Database

from bot.config import Config
from bot.incidents import words
from bot.model.card import Button, Card, Items, Paragraph, Section
from bot.model.incident import Incident
from bot.model.text import Text
from bot.response import run_words, survey
from bot.response.run_state import LEFT, Run, RunStatus, StepState, StepStatus
from bot.response.steps import Action, Checklist, Decision, Notify, Question, Step, Survey, Task
from bot.texts import render

OPEN_SHOWN = 12
NEXT_SHOWN = 5
ENDED_SHOWN = 4
STEP_BUTTONS = 4
NEVER = 1 << 60


class RunCards:
    def __init__(self, config: Config) -> None:
        self._config = config

    def __call__(self, db: Database, run: Run, incident: Incident, language: str, now: int) -> Card:
        """What everybody sees in the incident's thread."""
        sections: list[Section] = []
        if reason := run.reason.in_language(language):
            sections.append(Paragraph(render(Text("run.reason", {"reason": reason}), language)))
        if run.status.ended and run.outcome:
            sections.append(Paragraph(render(Text("run.outcome", {"outcome": run.outcome}), language), strong=True))
        for status, key, shown in (
            (StepStatus.FAILED, "run.section_failed", OPEN_SHOWN),
            (StepStatus.OPEN, "run.section_open", OPEN_SHOWN),
            (StepStatus.WAITING, "run.section_next", NEXT_SHOWN),
        ):
            steps = by_deadline(run, status)
            if steps and not run.status.ended:
                sections.append(self._items(run, key, steps, shown, language, now))
        left = [step for step in run.steps if step.why == LEFT]
        if left:
            sections.append(self._items(run, "run.section_left", left, OPEN_SHOWN, language, now))
        settled = (StepStatus.DONE, StepStatus.SKIPPED)
        over = sorted((step for step in run.steps if step.status in settled and step.why != LEFT),
                      key=lambda step: (-step.ended_at, step.number))  # fmt: skip
        if over:
            sections.append(self._items(run, "run.section_done", over, ENDED_SHOWN, language, now))
        return self._card(run, incident, language, now, tuple(sections), buttons(run, language))

    def full(self, db: Database, run: Run, incident: Incident, language: str, now: int) -> Card:
        """Every step in the order of the plan, and what surveys have brought so far."""
        lines = tuple(self.line(run, step, language, now) for step in run.steps)
        section = Items(render(Text("run.section_all", {"n": len(lines)}), language), lines)
        asked = [
            Items(step.title.in_language(language), tuple(brought))
            for step in run.playbook.steps
            if isinstance(step, Survey) and (brought := survey.results(step, run.step(step.id), language))
        ]
        return self._card(run, incident, language, now, (section, *asked), buttons(run, language))

    def button(self, run: Run, state: StepState, language: str) -> Button | None:
        """The one press of a step."""
        step = run.playbook.step(state.id)
        return step_button(run, step, state, language) if step else None

    def line(self, run: Run, state: StepState, language: str, now: int) -> str:
        match state.status:
            case StepStatus.OPEN | StepStatus.FAILED:
                return run_words.open_line(self._config, run, state, language, now)
            case StepStatus.WAITING:
                return run_words.waiting_line(self._config, run, state, language, now)
        missing = run_words.grade_missing(run, state)
        line = run_words.ended_line(run, state, language)
        return f"{line} · {render(missing, language)}" if missing else line

    def _card(
        self, run: Run, incident: Incident, language: str, now: int, sections: tuple[Section, ...],
        offered: tuple[Button, ...],
    ) -> Card:  # fmt: skip
        done, everything = run.progress
        subtitle = Text("run.subtitle", {
            "status": Text(f"run_status.{run.status.value}"), "done": done, "all": everything,
            "who": run.started_by, "age": words.duration((run.ended_at or now) - run.started_at),
        })  # fmt: skip
        title = Text("run.card_title", {
            "id": run.id, "incident": incident.id, "title": run_words.title(run, language),
        })  # fmt: skip
        footer = Text("run.footer", {"id": run.id, "updated": words.clock_time(now), "version": run.version})
        return Card(
            title=render(title, language),
            object=run.object,
            grade=run.grade,
            subtitle=render(subtitle, language),
            sections=sections,
            buttons=offered,
            footer=render(footer, language),
            drill=render(Text("card.drill", {"drill": run.drill}), language) if run.drill else "",
        )

    def _items(self, run: Run, key: str, steps: list[StepState], shown: int, language: str, now: int) -> Items:
        lines = tuple(self.line(run, step, language, now) for step in steps[:shown])
        more = ""
        if len(steps) > shown:
            more = render(Text("run.more", {"n": len(steps) - shown, "id": run.id}), language)
        return Items(render(Text(key, {"n": len(steps)}), language), lines, more)


def by_deadline(run: Run, status: StepStatus) -> list[StepState]:
    """The steps of a status, the most urgent first."""
    found = [step for step in run.steps if step.status is status]
    return sorted(found, key=lambda step: (step.due_at or NEVER, step.number))


def buttons(run: Run, language: str) -> tuple[Button, ...]:
    """One press each for the most urgent steps, and how to stop it all; six at most, which every chat can show."""
    if run.status.ended:
        return ()
    offered: list[Button] = []
    if run.status is RunStatus.RUNNING:
        for state in [*by_deadline(run, StepStatus.FAILED), *by_deadline(run, StepStatus.OPEN)]:
            step = run.playbook.step(state.id)
            assert step is not None
            if len(offered) < STEP_BUTTONS and (made := step_button(run, step, state, language)) is not None:
                offered.append(made)
        offered.append(_run_button(run, "pause", language))
    else:
        offered.append(_run_button(run, "resume", language, style="primary"))
    if run.automatic:
        # Whatever started by itself stops by one press.
        reason = render(Text("run.stopped_by_hand"), language)
        label = render(Text("button.stop_run"), language)
        offered.append(Button(label, f"abort {run.id} {reason}", "danger"))
    else:
        offered.append(_run_button(run, "abort", language, style="danger", form="abort"))
    return tuple(offered)


def step_button(run: Run, step: Step, state: StepState, language: str) -> Button | None:
    """What can be pressed for a step, None where nothing but time or a system ends it."""
    name, form, confirm = "done", "", ""
    match step:
        case Task(proof=True):
            form = "step-done"
        case Question() | Survey():
            name, form = "answer", "step-answer"
        case Decision():
            name, form = "choose", "step-choose"
        case Checklist():
            name, form = "tick", "step-tick"
        case Notify() if not state.by_hand:
            name = "received"
        case Action() if not state.asked and not state.by_hand:
            name = "execute"
            confirm = render(Text("run.confirm_action", {"title": step.title.in_language(language)}), language)
    if step.kind in ("wait_time", "wait_condition", "auto_reply", "sub_playbook") or (
        isinstance(step, Action) and state.asked
    ):
        return None
    label = render(Text(f"button.step_{name}", {"n": state.number}), language)
    return Button(label, f"{name} {run.id}.{state.number}", confirm=confirm, form=form)


def _run_button(run: Run, name: str, language: str, *, style: str = "default", form: str = "") -> Button:
    return Button(render(Text(f"button.{name}_run"), language), f"{name} {run.id}", style, form=form)
