"""The approval as a machine: whatever happens in whatever order, only what the right people agreed to gets out."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.statement import StatementStatus as Status
from bot.statements import approval_state as events
from bot.statements.approval import decide, refusal
from bot.statements.approval_state import Approval, Policy, Requirement, Vote, seat

ROLES = {
    "lina": frozenset({"pr"}), "zhao": frozenset({"legal"}), "sun": frozenset({"legal"}),
    "chen": frozenset({"pr_head", "executive"}), "lin": frozenset({"executive"}), "zhou": frozenset({"pr_head"}),
}  # fmt: skip
PEOPLE = sorted(ROLES)
LEGAL, HEAD = Requirement("legal", ("legal",)), Requirement("pr_head", ("pr_head",))
TOP = Requirement("executive", ("executive",))
POLICIES = [
    Policy((HEAD,), 100, 500, 30),
    Policy((LEGAL, HEAD), 100, 500, 30),
    Policy((LEGAL, HEAD, TOP), 100, 500, 30),
    Policy((LEGAL, HEAD), 100, 500, 30, ordered=True),
    Policy((replace(LEGAL, count=2), HEAD), 100, 500, 30, second_factor=True),
]
DIGESTS = [f"{number}" * 64 for number in "abcd"]


def yes(person: str, digest: str = DIGESTS[0], **fields: object) -> events.Yes:
    return events.Yes(person, person, "slack", digest[:8], ROLES[person], **fields)  # type: ignore[arg-type]


def asked(policy: Policy, contributors: frozenset[str] = frozenset({"lina"})) -> Approval:
    drafted = Approval(Status.DRAFT, DIGESTS[0], contributors)
    return decide(drafted, events.Ask("lina", policy), 0).state


persons = st.sampled_from(PEOPLE)
digests = st.sampled_from(DIGESTS)
others = st.lists(persons, max_size=2).map(lambda names: tuple((name, ROLES[name]) for name in names))
anything = st.one_of(
    st.builds(events.Edited, digests, st.sampled_from([*PEOPLE, ""]), st.sampled_from([frozenset(), frozenset({"x"})])),
    st.builds(events.Reviewed, st.sampled_from([frozenset(), frozenset(), frozenset({"x"})])),
    st.builds(events.Ask, persons, st.sampled_from(POLICIES)),
    st.tuples(persons, digests, others, st.booleans()).map(
        lambda item: yes(item[0], item[1], stands_for=item[2], second_factor=item[3])
    ),
    st.tuples(persons, digests, st.sampled_from(["", "wrong time"])).map(
        lambda item: events.No(item[0], item[1][:8], item[2], ROLES[item[0]])
    ),
    st.builds(events.Withdraw, persons),
    st.builds(events.PolicyChanged, st.sampled_from(POLICIES)),
    st.just(events.Lapse()),
    st.just(events.Escalate()),
    st.builds(events.Schedule, st.integers(0, 2_000)),
    st.builds(events.Publish, digests),
    st.just(events.Settled()),
    st.just(events.Discard()),
)
# Most steps are of the kind that leads somewhere, so that many runs reach publication.
forward = st.one_of(
    st.just(events.Ask("lina", POLICIES[1])),
    st.sampled_from([yes("zhao"), yes("chen"), yes("sun"), yes("zhou")]),
    st.just(events.Publish(DIGESTS[0])),
    st.just(events.Settled()),
)
stories = st.lists(st.tuples(st.one_of(anything, forward, forward), st.integers(0, 40)), max_size=40)


def voted_for(state: Approval, log: list[tuple[events.Event, int]], digest: str) -> set[str]:
    """Who, by the log alone, agreed to a digest after the last thing that voids votes."""
    agreed: set[str] = set()
    for event, _ in log:
        match event:
            case events.Edited() | events.No() | events.Withdraw() | events.Ask() | events.Lapse() | events.Discard():
                agreed = set()
            case events.Reviewed() if event.blocks:
                agreed = set()
            case events.Yes() if digest.startswith(event.digest):
                agreed.add(event.person)
    return agreed


@settings(max_examples=400, deadline=None)
@given(stories)
def test_no_interleaving_publishes_what_the_right_people_did_not_agree_to(
    story: list[tuple[events.Event, int]],
) -> None:
    state, now = Approval(Status.DRAFT, DIGESTS[0], frozenset({"lina"})), 0
    log: list[tuple[events.Event, int]] = []
    for event, pause in story:
        now += pause
        before = state
        decision = decide(state, event, now)
        if decision.refused is not None:
            assert decision.state == before, "what is refused changes nothing"
            continue
        state = decision.state
        if state != before:
            log.append((event, now))
        # A crash between two events changes nothing: the state is what the row holds.
        kept = orjson.loads(orjson.dumps(state.to_json()))
        assert Approval.from_json(state.status, state.digest, kept) == state
        if isinstance(event, events.Edited):
            assert state.votes == () and state.status is Status.DRAFT and state.digest == event.digest
        if state.status is Status.PUBLISHING and before.status is not Status.PUBLISHING:
            assert isinstance(event, events.Publish) and event.digest == state.digest
            assert state.policy is not None and not state.blocks
            assert before.status is Status.SCHEDULED or now < before.until
            seated = [vote for votes in state.seated.values() for vote in votes]
            assert len(seated) == len(state.policy.seats)
            assert len({vote.identity for vote in seated}) == len(seated), "every seat a different person"
            assert len({vote.person for vote in seated}) == len(seated)
            assert not {name for vote in seated for name in (vote.person, vote.stands_for)} & state.contributors
            assert {vote.person for vote in seated} <= voted_for(state, log, state.digest)
        if state.status is Status.PUBLISHED and before.status is not Status.PUBLISHED:
            assert before.status is Status.PUBLISHING and state.digest == before.digest
        if not before.status.editable:
            assert state.digest == before.digest, "what is on its way keeps its text"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(persons, st.booleans()), max_size=12), st.sampled_from(POLICIES))
def test_votes_fill_as_many_seats_as_can_be_and_nobody_two(given_votes: list[tuple[str, bool]], policy: Policy) -> None:
    votes = []
    for person, stands_in in given_votes:
        seats = tuple(item.id for item in policy.requirements if item.met_by(person, ROLES[person]))
        votes.append(Vote(person, person, seats, 0, "slack", "zhao" if stands_in else ""))
    found = seat(policy, votes)
    seated = [vote for taken in found.values() for vote in taken]
    assert len({vote.identity for vote in seated}) == len(seated) <= len(policy.seats)
    for item in policy.requirements:
        assert len(found.get(item.id, ())) <= item.count
        assert all(item.id in vote.seats for vote in found.get(item.id, ()))


def test_one_who_holds_two_roles_takes_the_seat_that_is_left() -> None:
    state = asked(POLICIES[2])
    state = decide(state, yes("chen"), 1).state  # head of PR or executive
    state = decide(state, yes("zhou"), 2).state  # head of PR only
    state = decide(state, yes("zhao"), 3).state
    assert state.status is Status.APPROVED, "Chen's vote moved to the executive's seat"


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (yes("zhao", DIGESTS[1]), "error.other_digest"),
        (yes("zhao", "abc"), "error.other_digest"),
        (events.Yes("lina", "lina", "slack", DIGESTS[0], frozenset({"pr", "legal"})), "error.own_text"),
        (events.Yes("visitor", "visitor", "slack", DIGESTS[0]), "error.no_seat"),
        (events.Yes("", "stranger", "slack", DIGESTS[0], frozenset({"legal"})), "error.no_seat"),
        (events.No("zhao", DIGESTS[0], "", ROLES["zhao"]), "error.reject_reason"),
        (events.Ask("lina", POLICIES[0]), "error.statement_asked"),
        (events.Publish(DIGESTS[0]), "error.statement_not_approved"),
        (events.Publish(DIGESTS[1]), "error.statement_changed"),
        (events.Schedule(50), "error.statement_not_approved"),
    ],
)
def test_what_is_refused_says_why(event: events.Event, key: str) -> None:
    decision = decide(asked(POLICIES[1]), event, 10)
    assert decision.refused is not None and decision.refused.key == key


def test_in_order_the_second_waits_for_the_first() -> None:
    state = asked(POLICIES[3])
    early = decide(state, yes("chen"), 1)
    assert early.refused is not None and early.refused.key == "error.not_your_turn"
    first = decide(state, yes("zhao"), 2)
    assert events.Effect.ASK_VOTERS in first.effects, "the next is asked when their turn has come"
    assert decide(first.state, yes("chen"), 3).state.status is Status.APPROVED


def test_a_vote_for_somebody_who_voted_counts_for_nothing_more() -> None:
    state = decide(asked(POLICIES[4]), yes("zhao", second_factor=True), 1).state
    again = decide(state, events.Yes(
        "lin", "lin", "slack", DIGESTS[0], ROLES["lin"], (("zhao", ROLES["zhao"]),), True
    ), 2)  # fmt: skip
    assert again.refused is not None and len(again.state.open_seats) == 2


def test_an_approval_that_has_lapsed_publishes_nothing_and_the_timer_takes_it_back() -> None:
    state = decide(decide(asked(POLICIES[1]), yes("zhao"), 1).state, yes("chen"), 2).state
    assert refusal(state, DIGESTS[0], 501) is None and refusal(state, DIGESTS[0], 502) is not None
    assert decide(state, events.Lapse(), 400).state == state, "an early timer does nothing"
    assert decide(state, events.Lapse(), 502).state.status is Status.DRAFT


def test_an_objection_after_the_approval_takes_it_back() -> None:
    state = decide(decide(asked(POLICIES[1]), yes("zhao"), 1).state, yes("chen"), 2).state
    after = decide(state, events.No("sun", DIGESTS[0], "the regulator asked us to wait", ROLES["sun"]), 3)
    assert after.state.status is Status.DRAFT and events.Effect.REJECTED in after.effects


def test_a_stricter_policy_keeps_the_votes_and_asks_for_what_is_missing() -> None:
    state = decide(decide(asked(POLICIES[1]), yes("zhao"), 1).state, yes("chen"), 2).state
    assert state.status is Status.APPROVED
    stricter = decide(
        state, events.PolicyChanged(replace(POLICIES[1], requirements=(replace(LEGAL, count=2), HEAD))), 3
    )
    assert stricter.state.status is Status.ASKED and stricter.state.open_seats == ("legal",)
    assert decide(stricter.state, yes("sun"), 4).state.status is Status.APPROVED


def test_who_has_voted_may_take_a_seat_that_is_added() -> None:
    state = decide(asked(POLICIES[0]), yes("chen"), 1).state  # head of PR, executive as well
    raised = decide(state, events.PolicyChanged(POLICIES[2]), 2).state
    assert raised.open_seats == ("legal", "executive")
    raised = decide(raised, yes("zhou"), 3).state
    assert raised.open_seats == ("legal",), "Zhou is head of PR, Chen the executive"


def test_a_second_factor_that_is_asked_for_later_voids_votes_without_one() -> None:
    state = decide(asked(POLICIES[1]), yes("zhao"), 1).state
    after = decide(state, events.PolicyChanged(replace(POLICIES[1], second_factor=True)), 2).state
    assert after.votes == () and after.status is Status.ASKED


def test_in_order_a_deputy_sits_where_the_turn_is_and_not_on_their_own_later_seat() -> None:
    state = asked(POLICIES[3])
    early = decide(state, yes("zhou", stands_for=(("sun", ROLES["sun"]),)), 1).state
    assert [(vote.person, vote.stands_for) for vote in early.seated["legal"]] == [("zhou", "sun")]
    assert "pr_head" not in early.seated


def test_a_grade_that_rises_takes_nothing_away_that_was_asked_for() -> None:
    two = replace(POLICIES[1], requirements=(replace(LEGAL, count=2),))
    after = decide(asked(two), events.PolicyChanged(POLICIES[1]), 1).state
    assert after.policy is not None and after.policy.seats == ("legal", "legal", "pr_head")
    one_by_one = decide(asked(POLICIES[1]), events.PolicyChanged(POLICIES[3]), 1).state
    assert one_by_one.policy is not None and one_by_one.policy.ordered
    approved = decide(asked(POLICIES[0]), yes("chen"), 1).state
    other = decide(approved, events.PolicyChanged(replace(POLICIES[0], requirements=(TOP,))), 2).state
    assert other.status is Status.ASKED and other.open_seats, "an asking always has a seat to fill"
    assert decide(other, yes("lin"), 3).state.status is Status.APPROVED
