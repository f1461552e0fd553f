"""The machine behind a run: kinds of steps as stories, and what no order of events can break."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import PLAN, plan

from bot.clock import HOUR, MINUTE
from bot.model.grade import Grade
from bot.model.incident import Actor
from bot.response.library import parse_playbook
from bot.response.run import LONGEST_GAP, decide
from bot.response.run_state import (
    Abort,
    Acknowledge,
    ActionResult,
    Answer,
    CheckOff,
    Confirm,
    Decision,
    Done,
    EffectKind,
    Event,
    Finish,
    GradeChanged,
    HandOver,
    PartEnded,
    Pause,
    Reassign,
    Resume,
    Run,
    RunStatus,
    Skip,
    StepState,
    StepStatus,
    Tick,
    Vote,
    begun,
)
from bot.response.schema import Playbook

NONE, BLUE, YELLOW, ORANGE, RED = Grade
LINA, ZHAO, CHEN = (Actor(name, name, "slack") for name in ("lina", "zhaolei", "chenjing"))
TEAM = {"commander": ("chenjing",), "pr": ("lina",), "legal": ("zhaolei",)}
T0 = 1_000_000


def read(text: str) -> Playbook:
    entry, findings = parse_playbook(text, "plan.yaml")
    assert entry is not None, findings
    return entry.playbook


def begin(steps: str = "", grade: Grade = YELLOW, scope: Any = None, text: str = "", **changes: str) -> Run:
    playbook = read(text or (plan(steps, **changes) if steps else PLAN))
    run = begun("R-1", "I-1", playbook, TEAM, grade, "lina", T0)
    return decide(run, Tick(scope=scope or {}), T0).run


def status(run: Run, step: str) -> str:
    return run.step(step).status.value


def refusal(decision: Decision) -> str:
    assert decision.refusal is not None and decision.effects == ()
    return decision.refusal.key


TITLE = "title: {zh-CN: 甲, en: A}"
WAIT = (f"  - {{id: calm, kind: wait_condition, {TITLE}, role: pr, until: negative_share < 20%,"
        " hold: 30m, at_most: 2h}\n"
        f"  - {{id: after, kind: task, {TITLE}, role: pr, after: [calm]}}")  # fmt: skip


# -- waiting


def test_a_condition_must_hold_without_a_break() -> None:
    run = begin(WAIT)
    now = T0
    for minute, share, expected in ((1, 0.1, "open"), (20, 0.1, "open"), (21, 0.5, "open"), (22, 0.1, "open")):
        while now < T0 + minute * MINUTE:
            now += MINUTE
            run = decide(run, Tick(scope={"negative_share": share}), now).run
        assert status(run, "calm") == expected
    for _ in range(29):
        now += MINUTE
        run = decide(run, Tick(scope={"negative_share": 0.1}), now).run
    assert status(run, "calm") == "open", "29 minutes since the break"
    run = decide(run, Tick(scope={"negative_share": 0.1}), now + MINUTE).run
    assert status(run, "calm") == "done" and status(run, "after") == "open"


@pytest.mark.parametrize(
    ("scope", "gap"), [({}, MINUTE), ({"negative_share": 0.1}, LONGEST_GAP + 1)], ids=["unknown", "nobody looked"]
)
def test_what_nobody_measured_does_not_count_as_holding(scope: dict, gap: int) -> None:
    run, now = begin(WAIT), T0
    for _ in range(29):
        now += MINUTE
        run = decide(run, Tick(scope={"negative_share": 0.1}), now).run
    run = decide(run, Tick(scope=scope), now + gap).run
    run = decide(run, Tick(scope={"negative_share": 0.1}), now + gap + MINUTE).run
    assert status(run, "calm") == "open"


def test_waiting_too_long_asks_a_person_once() -> None:
    run, asked = begin(WAIT), 0
    for minute in range(1, 180):
        decision = decide(run, Tick(scope={"negative_share": 0.9}), T0 + minute * MINUTE)
        asked += sum(effect.kind is EffectKind.WAITED for effect in decision.effects)
        run = decision.run
    assert asked == 1
    assert status(decide(run, Done(LINA, "calm", "enough"), T0 + 4 * HOUR).run, "calm") == "done"


def test_a_time_is_waited_for() -> None:
    run = begin(f"  - {{id: rest, kind: wait_time, {TITLE}, wait: 2h}}\n"
                f"  - {{id: then, kind: task, {TITLE}, after: [rest]}}")  # fmt: skip
    run = decide(run, Tick(), T0 + 2 * HOUR - 1).run
    assert status(run, "then") == "waiting"
    assert status(decide(run, Tick(), T0 + 2 * HOUR).run, "then") == "open"


# -- repeating


REPEAT = (f"  - {{id: news, kind: task, {TITLE}, role: pr, due: 1h,"
          " repeat: {every: 4h, until: facts.over = yes, at_most: 3}}\n"
          f"  - {{id: next, kind: task, {TITLE}, after: [news]}}")  # fmt: skip


def test_a_repeated_step_comes_back_on_its_cadence_and_frees_the_way_with_its_first_round() -> None:
    run = begin(REPEAT)
    assert status(run, "next") == "waiting"
    run = decide(run, Done(LINA, "news"), T0 + HOUR).run
    assert (status(run, "news"), run.step("news").rounds, status(run, "next")) == ("waiting", 1, "open")
    run = decide(run, Tick(), T0 + 4 * HOUR - 1).run
    assert status(run, "news") == "waiting"
    run = decide(run, Tick(), T0 + 4 * HOUR).run
    assert status(run, "news") == "open" and run.step("news").due_at == T0 + 8 * HOUR


@pytest.mark.parametrize(("scope", "rounds"), [({"facts.over": "yes"}, 1), ({}, 3)])
def test_repeating_ends_by_its_condition_or_its_number(scope: dict, rounds: int) -> None:
    run, now = begin(REPEAT), T0
    while status(run, "news") in ("open", "waiting") and now < T0 + 100 * HOUR:
        now += HOUR
        run = decide(decide(run, Tick(), now).run, Done(LINA, "news", scope=scope), now).run
    assert (status(run, "news"), run.step("news").rounds) == ("done", rounds)


# -- linked systems


ACTION = """
  - id: call
    kind: action
    title: {{zh-CN: 甲, en: A}}
    role: pr
    action: jira
    confirm: {confirm}
    on_failure: {failure}
  - {{id: then, kind: task, title: {{zh-CN: 乙, en: B}}, after: [call]}}"""


def requests(decision: Decision) -> int:
    return sum(effect.kind is EffectKind.REQUEST for effect in decision.effects)


def test_a_call_waits_for_a_press_and_its_answer_counts_once() -> None:
    run = begin(ACTION.format(confirm="true", failure="ask"))
    decision = decide(run, Confirm(LINA, "call"), T0)
    assert requests(decision) == 1
    assert refusal(decide(decision.run, Confirm(ZHAO, "call"), T0)) == "error.step_called"
    done = decide(decision.run, ActionResult("call", True, "PR-7"), T0 + MINUTE).run
    assert done.step("call").outcome == "PR-7" and status(done, "then") == "open"
    again = decide(done, ActionResult("call", False, "late"), T0 + 2 * MINUTE)
    assert again.run.steps == done.steps


def test_a_call_that_needs_no_press_leaves_at_once() -> None:
    playbook = read(plan(ACTION.format(confirm="false", failure="ask")))
    run = begun("R-1", "I-1", playbook, TEAM, YELLOW, "lina", T0)
    assert requests(decide(run, Tick(), T0)) == 1


@pytest.mark.parametrize(
    ("failure", "call", "then"),
    [("ask", "open", "waiting"), ("continue", "failed", "open"), ("stop", "failed", "waiting")],
)
def test_a_failed_call_asks_goes_on_or_stops(failure: str, call: str, then: str) -> None:
    run = decide(begin(ACTION.format(confirm="true", failure=failure)), Confirm(LINA, "call"), T0).run
    run = decide(run, ActionResult("call", False, "503"), T0).run
    assert (status(run, "call"), status(run, "then")) == (call, then)
    if failure != "continue":
        again = decide(run, Confirm(ZHAO, "call"), T0 + MINUTE)
        assert requests(again) == 1 and again.run.step("call").requests == 2
        by_hand = decide(run, Done(ZHAO, "call", "did it"), T0 + MINUTE).run
        assert status(by_hand, "then") == "open"


# -- automatic answers, parts, surveys


def test_automatic_answers_are_switched_off_however_their_step_ends() -> None:
    steps = (f"  - {{id: reply, kind: auto_reply, {TITLE}, role: pr, template: first, topics: [提现],"
             " until: hours >= 72, hand_over: pr}\n"
             f"  - {{id: other, kind: task, {TITLE}}}")  # fmt: skip
    playbook = read(plan(steps))
    first = decide(begun("R-1", "I-1", playbook, TEAM, YELLOW, "lina", T0), Tick(), T0)
    assert any(effect.kind is EffectKind.REPLY_ON for effect in first.effects)
    for event in (Tick(scope={"hours": 72}), Skip(LINA, "reply", "no"), Abort(LINA, "no"), Finish(LINA, "over")):
        kinds = [effect.kind for effect in decide(first.run, event, T0 + HOUR).effects]
        assert kinds.count(EffectKind.REPLY_OFF) == 1, event


@pytest.mark.parametrize(("wait", "before"), [("true", "open"), ("false", "done")])
def test_a_part_is_waited_for_where_the_plan_says_so(wait: str, before: str) -> None:
    steps = f"  - {{id: part, kind: sub_playbook, {TITLE}, playbook: other, wait: {wait}}}\n" \
            f"  - {{id: end, kind: task, {TITLE}, after: [part]}}"  # fmt: skip
    run = begin(steps)
    assert status(run, "part") == before
    assert status(decide(run, PartEnded("part"), T0 + HOUR).run, "part") == "done"


def test_a_survey_takes_one_answer_a_person_until_its_end() -> None:
    run = begin(f"  - {{id: pulse, kind: survey, {TITLE}, audience: staff, open_for: 1d, to: [pr],"
                " fields: [{id: mood, type: number, label: {zh-CN: 心情, en: Mood}}]}")  # fmt: skip
    for actor, mood in ((LINA, "3"), (ZHAO, "4"), (LINA, "5")):
        run = decide(run, Answer(actor, "pulse", {"mood": mood}), T0 + HOUR).run
    assert run.step("pulse").answers == {"lina": '{"mood":"5"}', "zhaolei": '{"mood":"4"}'}
    run = decide(run, Tick(), T0 + 24 * HOUR).run
    assert (status(run, "pulse"), run.step("pulse").outcome, run.status) == ("done", "2", RunStatus.DONE)


# -- people


def test_a_vote_by_somebody_without_the_role_does_not_count() -> None:
    run = decide(begin(), Done(LINA, "check"), T0).run
    run = decide(run, Answer(ZHAO, "ask", {"what": "x"}), T0).run
    assert refusal(decide(run, Vote(Actor("eve", "eve", "slack"), "vote", "halt"), T0)) == "error.step_not_a_voter"
    run = decide(run, Vote(LINA, "vote", "halt"), T0).run
    run = decide(run, Vote(LINA, "vote", "go_on"), T0).run
    assert status(run, "vote") == "open" and run.step("vote").votes == {"lina": "go_on"}, "a vote can be changed"
    assert status(decide(run, Vote(ZHAO, "vote", "go_on"), T0).run, "vote") == "done"


def test_everybody_voted_and_nothing_won_is_said() -> None:
    steps = (f"  - {{id: vote, kind: decision, {TITLE}, voters: [pr, legal], quorum: 2, options:"
             " [{id: a, label: {zh-CN: 甲, en: A}}, {id: b, label: {zh-CN: 乙, en: B}}]}")  # fmt: skip
    run = decide(begin(steps), Vote(LINA, "vote", "a"), T0).run
    decision = decide(run, Vote(ZHAO, "vote", "b"), T0)
    assert [effect.kind for effect in decision.effects] == [EffectKind.SPLIT]


def test_a_higher_grade_puts_its_people_on_the_roles_but_not_on_what_was_given_to_somebody() -> None:
    run = decide(begin(), Reassign(LINA, "list", "lina"), T0).run
    senior = {**TEAM, "legal": ("chenjing",)}
    run = decide(run, GradeChanged(RED, senior), T0 + MINUTE).run
    assert run.step("list").person == "lina" and run.step("report").person == "chenjing"
    assert status(run, "report") == "open" and run.step("report").due_at == T0 + 4 * HOUR


def test_a_deadline_that_had_passed_before_its_step_applied_counts_anew() -> None:
    run = decide(begin(), GradeChanged(RED, TEAM), T0 + 5 * HOUR).run
    assert run.step("report").due_at == T0 + 9 * HOUR


def test_a_condition_that_becomes_true_later_brings_its_step_back() -> None:
    run = begin(f"  - {{id: a, kind: task, {TITLE}}}\n  - {{id: b, kind: task, {TITLE}, when: facts.cause = attack}}")
    assert status(run, "b") == "waiting", "not known yet"
    run = decide(run, Tick(scope={"facts.cause": "channel"}), T0).run
    assert status(run, "b") == "not_applicable"
    assert status(decide(run, Tick(scope={"facts.cause": "attack"}), T0).run, "b") == "open"


def test_the_end_is_proposed_once_when_its_sign_is_there() -> None:
    recovery = ("{publish_every: 1d, close_when: grade <= blue, retrospective_within: 7d,"
                " progress: [{id: m, title: {zh-CN: 甲, en: A}, due: 1d}]}")  # fmt: skip
    run = begin(f"  - {{id: a, kind: task, {TITLE}}}", recovery=recovery)
    kinds = []
    for _ in range(3):
        decision = decide(run, Tick(scope={"grade": "blue"}), T0 + MINUTE)
        run, kinds = decision.run, [*kinds, *(effect.kind for effect in decision.effects)]
    assert kinds == [EffectKind.PROPOSE_CLOSE] and run.status is RunStatus.RUNNING


def test_a_run_in_which_nothing_can_be_done_says_so_once() -> None:
    run = begin(f"  - {{id: a, kind: task, {TITLE}}}\n  - {{id: b, kind: task, {TITLE}, when: facts.cause = attack}}")
    kinds: list[EffectKind] = []
    for event in (Done(LINA, "a"), Tick(), Tick()):
        decision = decide(run, event, T0)
        run, kinds = decision.run, [*kinds, *(effect.kind for effect in decision.effects)]
    assert kinds.count(EffectKind.STUCK) == 1 and run.status is RunStatus.RUNNING
    assert decide(run, Tick(scope={"facts.cause": "channel"}), T0).run.status is RunStatus.DONE


def test_a_state_survives_the_way_through_the_store() -> None:
    run = decide(begin(), Done(LINA, "check", "ok"), T0).run
    run = decide(run, CheckOff(ZHAO, "list", ("posts",)), T0).run
    assert [StepState.from_json(step.to_json()) for step in run.steps] == list(run.steps)


# -- no order of events can break it

MIXED = PLAN.replace("steps:\n", f"""steps:
  - {{id: tell, kind: task, {TITLE}, after: [check], repeat: {{every: 1h, at_most: 3}}}}
  - {{id: fix, kind: action, {TITLE}, action: jira, after: [check], on_failure: stop}}
  - {{id: pause, kind: wait_time, {TITLE}, wait: 1h, after: [fix]}}
  - {{id: calm, kind: wait_condition, {TITLE}, until: negative_share < 20%, hold: 30m, after: [call]}}
  - {{id: last, kind: task, {TITLE}, after: [pause, calm, tell]}}
""")  # fmt: skip
PLAYBOOK = read(MIXED)
STEPS = [step.id for step in PLAYBOOK.steps]
people = st.sampled_from([LINA, ZHAO, CHEN])
scopes = st.sampled_from([{}, {"negative_share": 0.1}, {"negative_share": 0.9}])
step_ids = st.sampled_from(STEPS)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Tick, scope=scopes),
    st.builds(Done, people, step_ids, st.just("x"), scope=scopes),
    st.builds(Skip, people, step_ids, st.just("x"), scope=scopes),
    st.builds(Answer, people, step_ids, st.just({"what": "x"}), scope=scopes),
    st.builds(Vote, people, step_ids, st.sampled_from(["halt", "go_on"]), scope=scopes),
    st.builds(CheckOff, people, step_ids, st.sampled_from([("posts",), ("logs",), ()]), scope=scopes),
    st.builds(Acknowledge, people, step_ids, scope=scopes),
    st.builds(Confirm, people, step_ids, scope=scopes),
    st.builds(Reassign, people, step_ids, st.sampled_from(["lina", "zhaolei"]), scope=scopes),
    st.builds(HandOver, people, st.just("lina"), st.just("zhaolei"), scope=scopes),
    st.builds(ActionResult, st.sampled_from(STEPS), st.booleans(), scope=scopes),
    st.builds(Pause, people, scope=scopes),
    st.builds(Resume, people, scope=scopes),
    st.builds(GradeChanged, st.sampled_from([YELLOW, ORANGE]), st.just(TEAM), scope=scopes),
)
histories = st.lists(st.tuples(events, st.integers(0, 90 * MINUTE)), max_size=40)


def replay(history: list[tuple[Event, int]]) -> list[Decision]:
    now = T0
    decisions = [decide(begun("R-1", "I-1", PLAYBOOK, TEAM, YELLOW, "lina", T0), Tick(), T0)]
    for event, later in history:
        now += later
        decisions.append(decide(decisions[-1].run, event, now))
    return decisions


@given(histories)
@settings(max_examples=120)
def test_no_interleaving_opens_a_step_before_what_it_depends_on(history: list[tuple[Event, int]]) -> None:
    decisions = replay(history)
    for before, after in zip([None, *decisions], decisions, strict=False):
        for step in PLAYBOOK.steps:
            was = before.run.step(step.id).status if before else StepStatus.WAITING
            if after.run.step(step.id).status is StepStatus.OPEN and was is not StepStatus.OPEN:
                for name in step.after:
                    state = after.run.step(name)
                    over = state.status in (StepStatus.DONE, StepStatus.SKIPPED, StepStatus.NOT_APPLICABLE)
                    assert over or state.rounds > 0, (step.id, name)


@given(histories)
@settings(max_examples=120)
def test_no_interleaving_loses_what_was_done(history: list[tuple[Event, int]]) -> None:
    decisions = replay(history)
    for before, after in itertools.pairwise(decisions):
        for step in PLAYBOOK.steps:
            was, now_ = before.run.step(step.id), after.run.step(step.id)
            assert now_.rounds >= was.rounds
            if was.status in (StepStatus.DONE, StepStatus.SKIPPED):
                assert now_ == was
        if after.refusal is not None:
            assert after.run is before.run


@given(histories)
@settings(max_examples=60)
def test_the_same_events_give_the_same_run(history: list[tuple[Event, int]]) -> None:
    assert replay(history)[-1] == replay(history)[-1]


@given(histories)
@settings(max_examples=80)
def test_a_run_ends_when_every_step_is_done_or_skipped_and_only_then(history: list[tuple[Event, int]]) -> None:
    run = replay(history)[-1].run
    now = T0 + 1_000 * HOUR
    run = decide(run, Resume(LINA), now).run
    for turn in range(200):
        if run.status.ended:
            break
        now += HOUR
        open_steps = [step for step in run.steps if step.status in (StepStatus.OPEN, StepStatus.FAILED)]
        assert open_steps or any(step.next_at for step in run.steps), f"stuck: {run.steps}"
        for state in open_steps:
            for event in (
                Done(LINA, state.id, "x"), Answer(LINA, state.id, {"what": "x"}), Vote(LINA, state.id, "halt"),
                Vote(ZHAO, state.id, "halt"), CheckOff(LINA, state.id), Tick(),
            ):  # fmt: skip
                run = decide(run, event, now + turn).run
    assert run.status is RunStatus.DONE
    assert all(step.status.ended and step.status is not StepStatus.FAILED for step in run.steps)
