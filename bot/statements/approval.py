"""The approval of one text, as a pure machine: ``decide(state, event, now) -> Decision``.

An approval binds a digest. Any edit makes a new digest and voids the votes; so does a review that finds a new block.
Different people, nobody for a text they wrote, everybody once, whoever stands in for somebody counts as that person.
"""

from dataclasses import replace

from bot.incidents.words import role
from bot.model.text import Text
from bot.statements.approval_state import (
    VOTABLE,
    Approval,
    Ask,
    Decision,
    Discard,
    Edited,
    Effect,
    Escalate,
    Event,
    Lapse,
    No,
    Policy,
    PolicyChanged,
    Publish,
    Reviewed,
    Schedule,
    Settled,
    Status,
    Vote,
    Withdraw,
    Yes,
    same_digest,
)


def decide(state: Approval, event: Event, now: int) -> Decision:
    """What an event makes of an approval."""
    match event:
        case Edited():
            return _edited(state, event)
        case Reviewed():
            return _reviewed(state, event)
        case Ask():
            return _ask(state, event, now)
        case Yes():
            return _yes(state, event, now)
        case No():
            return _no(state, event)
        case Withdraw():
            if state.status not in VOTABLE:
                return _refuse(state, "error.statement_not_asked")
            return Decision(_back(state), (Effect.WITHDRAWN,), voided=state.votes)
        case PolicyChanged():
            return _policy_changed(state, event, now)
        case Lapse():
            if state.status not in (Status.ASKED, Status.APPROVED) or now < state.until:
                return Decision(state)
            return Decision(_back(state), (Effect.LAPSED,), voided=state.votes)
        case Escalate():
            if state.status is not Status.ASKED or state.escalated:
                return Decision(state)
            return Decision(replace(state, escalated=True), (Effect.ESCALATED,))
        case Schedule():
            if (refused := refusal(state, state.digest, now)) is not None:
                return Decision(state, refused=refused)
            return Decision(replace(state, status=Status.SCHEDULED, until=max(state.until, event.at)))
        case Publish():
            if (refused := refusal(state, event.digest, now)) is not None:
                return Decision(state, refused=refused)
            return Decision(replace(state, status=Status.PUBLISHING), (Effect.PUBLISH,))
        case Settled():
            if state.status is not Status.PUBLISHING:
                return Decision(state)
            return Decision(replace(state, status=Status.PUBLISHED), (Effect.PUBLISHED,))
        case Discard():
            if not state.status.editable:
                return _refuse(state, "error.statement_out")
            return Decision(replace(_back(state), status=Status.DISCARDED), (Effect.DISCARDED,), voided=state.votes)


def refusal(state: Approval, digest: str, now: int) -> Text | None:
    """Why this digest may not leave the house at this moment; None where it may. The votes are counted again."""
    if digest != state.digest:
        return Text("error.statement_changed", {"digest": state.digest[:8]})
    # What is out may be handed to a target that failed.
    open_to_it = (Status.APPROVED, Status.SCHEDULED, Status.PUBLISHING, Status.PUBLISHED)
    if state.status not in open_to_it or not state.met:
        return Text("error.statement_not_approved")
    if state.blocks:
        return Text("error.statement_blocked", {"n": len(state.blocks)})
    if state.status is Status.APPROVED and now >= state.until:
        return Text("error.statement_lapsed")
    return None


def _refuse(state: Approval, key: str, **params: object) -> Decision:
    return Decision(state, refused=Text(key, params))


def _back(state: Approval) -> Approval:
    """To a draft: nobody is asked, no vote counts."""
    return replace(
        state, status=Status.DRAFT, policy=None, votes=(), asked_at=0, asked_by="", until=0, escalated=False
    )  # fmt: skip


def _edited(state: Approval, event: Edited) -> Decision:
    if not state.status.editable:
        return _refuse(state, "error.statement_out")
    contributors = state.contributors | ({event.author} if event.author else frozenset())
    after = replace(_back(state), digest=event.digest, contributors=contributors, blocks=event.blocks)
    effects = (Effect.VOIDED,) if state.status in VOTABLE else ()
    return Decision(after, effects, voided=state.votes)


def _reviewed(state: Approval, event: Reviewed) -> Decision:
    if not state.status.editable:
        return Decision(state)
    if event.blocks and state.status in VOTABLE:
        return Decision(replace(_back(state), blocks=event.blocks), (Effect.VOIDED,), voided=state.votes)
    return Decision(replace(state, blocks=event.blocks))


def _ask(state: Approval, event: Ask, now: int) -> Decision:
    if state.status in VOTABLE:
        return _refuse(state, "error.statement_asked")
    if not state.status.editable:
        return _refuse(state, "error.statement_out")
    if state.blocks:
        return _refuse(state, "error.statement_blocked", n=len(state.blocks))
    asked = replace(
        state, status=Status.ASKED, policy=event.policy, votes=(), asked_at=now, asked_by=event.by,
        until=now + event.policy.expires, escalated=False,
    )  # fmt: skip
    return Decision(asked, (Effect.ASK_VOTERS,))


def _yes(state: Approval, event: Yes, now: int) -> Decision:
    if (refused := _cannot_vote(state, event)) is not None:
        return refused
    assert state.policy is not None
    if state.status is not Status.ASKED:
        return _refuse(state, "error.statement_agreed")
    if now >= state.until:
        return _refuse(state, "error.statement_lapsed")
    if any(vote.person == event.person for vote in state.votes):
        return _refuse(state, "error.voted_already")
    if state.policy.second_factor and not event.second_factor:
        return _refuse(state, "error.second_factor")
    candidates = _candidates(state, event)
    turn = {item.id for item in state.turn}
    if state.policy.ordered:
        candidates = [candidate for candidate in candidates if turn & set(candidate[0])]
        if not candidates:
            return _refuse(state, "error.not_your_turn", seat=role(state.turn[0].id))
    for seats, stands_for, roles in candidates:
        vote = Vote(event.person, event.name, seats, now, event.chat, stands_for, tuple(sorted(roles)))
        after = replace(state, votes=(*state.votes, vote))
        # Whoever sits already may move to another of their seats, so that this one is free.
        if len(after.open_seats) < len(state.open_seats):
            break
    else:
        return _refuse(state, "error.seat_taken")
    if after.met:
        return Decision(
            replace(after, status=Status.APPROVED, until=now + state.policy.valid), (Effect.VOTED, Effect.APPROVED)
        )
    next_turn = state.policy.ordered and after.turn != state.turn
    return Decision(after, (Effect.VOTED, Effect.ASK_VOTERS) if next_turn else (Effect.VOTED,))


def _no(state: Approval, event: No) -> Decision:
    if (refused := _cannot_vote(state, event)) is not None:
        return refused
    if not event.reason.strip():
        return _refuse(state, "error.reject_reason")
    return Decision(_back(state), (Effect.REJECTED,), voided=state.votes)


def _cannot_vote(state: Approval, event: Yes | No) -> Decision | None:
    if state.status not in VOTABLE:
        return _refuse(state, "error.statement_not_asked" if state.status.editable else "error.statement_out")
    if not same_digest(state.digest, event.digest):
        return _refuse(state, "error.other_digest", given=event.digest[:12], digest=state.digest[:8])
    if event.person in state.contributors:
        return _refuse(state, "error.own_text")
    if not event.person or not _candidates(state, event):
        assert state.policy is not None
        return _refuse(state, "error.no_seat", seats=[role(item.id) for item in state.policy.requirements])
    return None


def _candidates(state: Approval, event: Yes | No) -> list[tuple[tuple[str, ...], str, frozenset[str]]]:
    """The seats a person may take: by their own roles first, then for each whom they stand in for (and who did not
    write the text either)."""
    assert state.policy is not None
    found = []
    for other, roles in (("", event.roles), *event.stands_for):
        if other and (other in state.contributors or other == event.person):
            continue
        seats = tuple(item.id for item in state.policy.requirements if item.met_by(other or event.person, roles))
        if seats:
            found.append((seats, other, roles))
    return found


def _policy_changed(state: Approval, event: PolicyChanged, now: int) -> Decision:
    if state.status not in VOTABLE or state.policy is None:
        return Decision(state)
    merged = _stricter(state.policy, event.policy)
    if merged == state.policy:
        return Decision(state)
    votes = tuple(
        replace(vote, seats=tuple(item.id for item in merged.requirements if item.met_by(vote.identity, vote.roles)))
        for vote in state.votes
    )
    # A vote without the second factor is no vote where one is asked for.
    kept = () if merged.second_factor and not state.policy.second_factor else votes
    after = replace(state, policy=merged, votes=kept)
    if after.met:
        return Decision(after)
    if state.status is not Status.ASKED:
        after = replace(after, status=Status.ASKED, until=now + merged.expires)
    return Decision(after, (Effect.ASK_VOTERS,))


def _stricter(old: Policy, new: Policy) -> Policy:
    """Whatever either asks for: a grade that rises never takes away what was asked for already. The old policy itself
    where the new one asks for nothing more."""
    counts = {item.id: item.count for item in old.requirements}
    more = any(item.count > counts.get(item.id, 0) for item in new.requirements)
    if not more and new.second_factor <= old.second_factor and new.ordered <= old.ordered:
        return old
    named = {item.id for item in new.requirements}
    requirements = (
        *(replace(item, count=max(item.count, counts.get(item.id, 0))) for item in new.requirements),
        *(item for item in old.requirements if item.id not in named),
    )
    return replace(
        new, requirements=requirements, ordered=old.ordered or new.ordered,
        second_factor=old.second_factor or new.second_factor,
    )  # fmt: skip
