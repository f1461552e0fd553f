"""Approvals by what people really type, in any order: the store and the command line around the machine."""

import asyncio
from itertools import permutations, product
from pathlib import Path
from tempfile import TemporaryDirectory

from factories import CONFIG, MINUTE, House, house
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plans import PLAN

from bot.delivery.alarm import Alarm
from bot.model.grade import Grade
from bot.model.statement import StatementStatus
from bot.store import statements as store

TEAM = CONFIG.replace(
    "rota:",
    """  - {id: sunjie, name: 孙洁, roles: [legal], slack: U0SUN}
  - {id: linhai, name: 林海, roles: [executive], slack: U0LIN}
statements: {values: {hotline: "95000"}, hotlines: ["95000"]}
rota:""",
)
# Who may sit where on an orange text for the public: legal, and the head of PR or an executive.
SEATS = ({"zhaolei", "sunjie"}, {"chenjing", "linhai"})
ACCOUNTS = {"lina": "U0LINA", "zhaolei": "U0ZHAO", "chenjing": "U0CHEN", "sunjie": "U0SUN", "linhai": "U0LIN"}
BODY = """星河支付今天晚间部分用户提现延迟到账，我们向每一位受影响的用户致歉。
技术人员正在逐笔处理。您不需要重复提交，请留意应用内的通知；有疑问请拨打 95000。
我们会在11月28日22:00前公布下一次进展。"""

people = st.sampled_from(sorted(ACCOUNTS))
# What leads on comes most often, so that many stories reach an approval.
lines = st.one_of(
    st.tuples(people, st.just("approve"), st.sampled_from([0, 0, 0, 1, 2])),
    st.tuples(st.sampled_from(["zhaolei", "chenjing"]), st.just("approve"), st.sampled_from([0, 0, 1])),
    st.tuples(people, st.sampled_from(["edit and submit", "submit"]), st.just(0)),
    st.tuples(people, st.sampled_from(["edit", "edit and submit", "reject", "retract", "wait"]), st.integers(0, 240)),
)


def typed(home: House, person: str, line: str) -> str:
    return "\n".join(answer.plain() for answer in home.say(line, account=ACCOUNTS[person]))


def enough(agreed: set[str], wrote: set[str]) -> bool:
    """Whether different people who did not write the text hold every seat, by trying all of them."""
    voters = sorted(agreed - wrote)
    return any(
        all(person in seat for person, seat in zip(chosen, SEATS, strict=True))
        for chosen in permutations(voters, len(SEATS))
    )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lines, min_size=8, max_size=24))
def test_a_text_is_approved_when_and_only_when_the_right_people_typed_its_digest(
    story: list[tuple[str, str, int]],
) -> None:
    with TemporaryDirectory() as folder:
        home = house(Path(folder), TEAM, playbooks=[PLAN])
        try:
            home.judge(Grade.ORANGE)
            typed(home, "lina", "draft I-1 public")
            typed(home, "lina", f"edit S-1 关于提现延迟的说明\n{BODY}")
            typed(home, "lina", "submit S-1")
            play(home, story)
        finally:
            home.store.close()


def play(home: House, story: list[tuple[str, str, int]]) -> None:
    """The oracle knows nothing of votes: who typed which digest since the last thing that makes them void."""
    digests, agreed, wrote, hour = [newest(home)], set[str](), {"lina"}, 22
    for person, act, number in story:
        before = status(home)
        match act:
            case "approve":
                named = digests[-1 - number % len(digests)]
                typed(home, person, f"approve S-1 {named[:8]}")
                if before is StatementStatus.ASKED and named == digests[-1] and person not in wrote:
                    agreed.add(person)
            case "submit":
                typed(home, person, "submit S-1")
                agreed = agreed if before in (StatementStatus.ASKED, StatementStatus.APPROVED) else set()
            case "edit" | "edit and submit":
                hour = 21 if hour == 22 else 22
                typed(home, person, f"edit S-1 11月28日{43 - hour}:00 => 11月28日{hour}:00")
                if newest(home) != digests[-1]:
                    digests.append(newest(home))
                    wrote.add(person)
                    agreed = set()
                if act != "edit":
                    typed(home, "lina", "submit S-1")
            case "reject":
                typed(home, person, "reject S-1 语气太硬")
            case "retract":
                typed(home, person, "retract S-1")
            case _:
                home.clock.set(home.clock.now() + number * MINUTE)
                lapse(home)
        after = status(home)
        assert newest(home) == digests[-1], "only an edit changes the text"
        if after not in (StatementStatus.ASKED, StatementStatus.APPROVED):
            agreed = set()
        if after is StatementStatus.APPROVED:
            assert enough(agreed, wrote), (person, act, agreed, wrote)
        elif after is StatementStatus.ASKED:
            assert not enough(agreed & set().union(*SEATS), wrote), (person, act, agreed, wrote)


def lapse(home: House) -> None:
    async def all_due() -> None:
        alarm = Alarm(home.store, home.clock, home.services.statements.timers())
        while await alarm.fire_due():
            pass

    asyncio.run(all_due())


def newest(home: House) -> str:
    found = home.look(lambda db: store.version(db, store.get(db, "S-1")))
    assert found is not None
    return found.digest


def status(home: House) -> StatementStatus:
    found = home.look(lambda db: store.get(db, "S-1"))
    assert found is not None
    return found.status


def test_the_oracle_itself_tells_enough_from_not_enough() -> None:
    assert enough({"zhaolei", "linhai"}, {"lina"})
    assert not enough({"zhaolei", "sunjie"}, {"lina"}), "two of legal are not a head of PR"
    assert not enough({"zhaolei", "chenjing"}, {"lina", "chenjing"}), "nobody approves what they wrote"
    assert all(not enough({one, other}, set()) for one, other in product(SEATS[0], SEATS[0]))
