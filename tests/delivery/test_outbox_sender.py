"""Messages leave in order, paced, once, and never get lost, whatever the chat does."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from factories import MINUTE, NOW, card_message, message
from sqlite_utils import Database

from bot.clock import HOUR, SECOND, VirtualClock
from bot.delivery import outbox
from bot.delivery.chat import Blocked, Delay, Pace, Refused, Unclear
from bot.delivery.outbox import Placement, Row
from bot.delivery.sender import AT_ONCE, TRIES_OF_A_DEFECT, Sender
from bot.model.message import Message
from bot.store.database import Store

A, B = "slack:A", "slack:B"


class FakeChat:
    """A chat that does what its script says: ``script[text]`` is a list of exceptions to raise, one a try; ``"lost"``
    as text of an ``Unclear`` means that the message did not arrive although nobody knows."""

    name = "slack"

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.script: dict[str, list[BaseException]] = defaultdict(list)
        self.find_script: list[BaseException] = []
        self.arrived: list[tuple[int, str, str, bool]] = []
        self.keys: set[str] = set()
        self.found = 0
        self.limit: Pace | None = None
        self.hang: asyncio.Event | None = None

    def pace(self, destination: str) -> Pace | None:
        return self.limit

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        text = row.message.card.title if row.message.card else row.message.text
        error = self.script[text].pop(0) if self.script[text] else None
        if self.hang is not None:
            self._take(row, text, placement)
            await self.hang.wait()
        if error is None or (isinstance(error, Unclear) and str(error) != "lost"):
            self._take(row, text, placement)
        if error is not None:
            raise error
        return Placement(f"{row.message.destination}/{len(self.arrived)}", {"n": len(self.arrived)})

    def _take(self, row: Row, text: str, placement: Placement | None) -> None:
        self.arrived.append((self.clock.now() - NOW, row.message.destination, text, placement is not None))
        self.keys.add(row.key)

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        self.found += 1
        if self.find_script:
            raise self.find_script.pop(0)
        return row.key in self.keys, Placement("found", {}) if row.key in self.keys else None

    @property
    def texts(self) -> list[str]:
        return [item[2] for item in self.arrived]

    def times(self, destination: str) -> list[int]:
        return [item[0] for item in self.arrived if item[1] == destination]


class Bench:
    def __init__(self, folder: Path) -> None:
        self.store, self.clock = Store(folder / "s.db"), VirtualClock(NOW)
        self.chat = FakeChat(self.clock)
        self.failures: list[tuple[str, str]] = []
        self.outcomes: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self.start()

    def start(self) -> None:
        """A new sender on the same store, as after a restart."""
        self.sender = Sender(
            self.store, self.clock, {"slack": self.chat}, drill_destinations=frozenset({"slack:DRILL"}),
            on_failed=self.on_failed, observe=lambda chat, outcome, waited: self.outcomes.append(outcome),
        )  # fmt: skip
        self._task = asyncio.create_task(self.sender.run())

    def on_failed(self, db: Database, row: Row, error: str, now: int) -> None:
        self.failures.append((row.message.text, error))
        db.conn.execute("INSERT INTO setting (name, value) VALUES (?, 'failed')", (row.key,))

    async def kill(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def put(self, *messages: Message, not_before: int = 0) -> None:
        def job(db: Database) -> None:
            count = db.conn.execute("SELECT COUNT(*) FROM outbox").fetchone()[0]
            for number, item in enumerate(messages, count):
                outbox.enqueue(db, item, f"k{number}", self.clock.now(), not_before)

        self.store.write_now(job)
        self.sender.wake()

    async def settle(self) -> None:
        """Let everything happen that is due now. The store answers from threads, so this waits for real."""
        for _ in range(5000):
            await asyncio.sleep(0.001)
            if await self.sender.idle():
                return
        raise AssertionError("the sender did not come to rest")

    async def run_for(self, milliseconds: int, step: int = 500) -> None:
        await self.settle()
        end = self.clock.now() + milliseconds
        while self.clock.now() < end:
            await self.clock.advance(min(step, end - self.clock.now()))
            self.sender.wake()  # reads answer from threads: let it look at the time it is now
            await self.settle()

    def states(self) -> list[str]:
        return [
            row[0]
            for row in self.store.read_now(
                lambda db: db.conn.execute("SELECT state FROM outbox ORDER BY id").fetchall()
            )
        ]

    async def close(self) -> None:
        await self.kill()
        self.store.close()


@pytest.fixture
async def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    await made.close()


async def test_one_destination_gets_its_messages_in_order(bench: Bench) -> None:
    bench.put(*(message(A, f"m{number}") for number in range(8)))
    await bench.settle()
    assert bench.chat.texts == [f"m{number}" for number in range(8)]
    assert set(bench.states()) == {"sent"}


async def test_the_same_key_is_queued_once(bench: Bench) -> None:
    def job(db: Database) -> list[bool]:
        return [outbox.enqueue(db, message(A, "x"), "same", NOW) for _ in range(3)]

    assert bench.store.write_now(job) == [True, False, False]
    bench.sender.wake()
    await bench.settle()
    assert bench.chat.texts == ["x"]


async def test_a_blocked_destination_keeps_its_order_and_does_not_slow_another(bench: Bench) -> None:
    bench.chat.script["a1"] = [Blocked("revoked")] * 5
    bench.put(message(A, "a1"), message(A, "a2"), message(B, "b1"), message(B, "b2"))
    await bench.settle()
    assert bench.chat.texts == ["b1", "b2"], "the other destination is done before any time has passed"
    await bench.run_for(29 * SECOND)
    assert bench.chat.texts == ["b1", "b2"], "growing pauses: 1, 2, 4, 8, 16 seconds"
    await bench.run_for(4 * SECOND)
    assert bench.chat.texts == ["b1", "b2", "a1", "a2"]
    assert bench.chat.found == 0, "a blocked message surely did not arrive: nobody needs to look"


async def test_answers_pass_the_cards_of_hundreds_of_places_that_have_something_to_say(bench: Bench) -> None:
    bench.chat.hang = asyncio.Event()
    bench.put(*[message(f"slack:R{number}", f"card {number}") for number in range(200)])
    for _ in range(2000):
        await asyncio.sleep(0.001)
        if len(bench.chat.arrived) >= AT_ONCE:
            break
    bench.put(message("slack:R7#reply-1", "the answer"))
    for _ in range(2000):
        await asyncio.sleep(0.001)
        await bench.clock.advance(1)
        if "the answer" in bench.chat.texts:
            break
    assert (
        bench.clock.now() - NOW < SECOND
        and len(bench.chat.arrived) == AT_ONCE + 1
        and bench.chat.texts[-1] == "the answer"
    )
    bench.chat.hang.set()
    await bench.run_for(2 * SECOND)
    assert sorted(bench.states()) == ["sent"] * 201, "nobody is left behind"


def test_what_is_to_be_sent_is_found_by_destination_however_many_rows_wait(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")

    def fill(db: Database) -> None:
        for number in range(300):
            outbox.enqueue(db, message(f"slack:{'AB'[number % 2]}", str(number)), f"k{number}", NOW, NOW + number)
        db.conn.execute("UPDATE outbox SET state = 'sent' WHERE id = 1")

    assert store.read_now(outbox.destinations) == []
    store.write_now(fill)
    assert store.read_now(outbox.destinations) == [("slack:A", NOW + 2, 3), ("slack:B", NOW + 1, 2)]
    store.close()


async def test_a_delay_is_honoured_to_the_millisecond_and_holds_back_what_follows(bench: Bench) -> None:
    bench.chat.script["a1"] = [Delay(7_000, "429")]
    bench.put(message(A, "a1"), message(A, "a2"))
    await bench.run_for(6_999)
    assert bench.chat.texts == []
    await bench.run_for(1)
    assert bench.chat.arrived == [(7_000, A, "a1", False), (7_000, A, "a2", False)]


async def test_a_message_with_a_time_does_not_leave_before_it(bench: Bench) -> None:
    bench.put(message(A + "#quiet", "morning"), not_before=NOW + 10 * MINUTE)
    bench.put(message(A, "now"))
    await bench.run_for(10 * MINUTE - 1, step=MINUTE)
    assert bench.chat.texts == ["now"]
    await bench.run_for(1)
    assert bench.chat.texts == ["now", "morning"]


async def test_edits_that_have_not_left_collapse_into_the_newest_in_the_first_ones_place(bench: Bench) -> None:
    bench.chat.script["first"] = [Delay(5_000, "429")]
    bench.put(message(A, "first"), card_message(A, "incident:I-1", "v1"), message(A, "between"))
    bench.put(*(card_message(A, "incident:I-1", f"v{number}") for number in range(2, 6)))
    bench.put(card_message(A, "incident:I-2", "other"))
    await bench.run_for(5_000)
    assert bench.chat.texts == ["first", "v5", "between", "other"]
    assert sorted(bench.states()) == ["collapsed"] * 4 + ["sent"] * 4


async def test_the_first_card_is_posted_and_later_ones_rewrite_it(bench: Bench) -> None:
    bench.put(card_message(A, "incident:I-1", "v1"))
    await bench.settle()
    for destination in (A, B):
        bench.put(card_message(destination, "incident:I-1", "v2"))
        await bench.settle()
    assert [(place, text, rewritten) for _, place, text, rewritten in bench.chat.arrived] == [
        (A, "v1", False), (A, "v2", True), (B, "v2", False),
    ]  # fmt: skip
    assert set(bench.store.read_now(lambda db: outbox.placements(db, "incident:I-1"))) == {A, B}
    assert bench.store.read_now(lambda db: outbox.object_at(db, f"{B}/3")) == "incident:I-1"


async def test_a_card_held_back_for_quiet_hours_gives_way_to_the_one_sent_now(bench: Bench) -> None:
    bench.put(card_message(A + "#quiet", "incident:I-1", "blue"), not_before=NOW + 60 * MINUTE)
    bench.put(card_message(A, "incident:I-1", "red"))
    await bench.run_for(61 * MINUTE, step=MINUTE)
    assert bench.chat.texts == ["red"]


async def test_an_answer_that_goes_before_its_card_edit_does_not_lose_the_reason_to_call(bench: Bench) -> None:
    bench.chat.script["first"] = [Delay(5_000, "429")]
    bench.put(message(A, "first"), card_message(A, "incident:I-1", "v1", reason="raised", mentions=("U1",)))
    bench.put(card_message(A, "incident:I-1", "v2", mentions=("U2",)))
    rows = bench.store.read_now(lambda db: db.conn.execute("SELECT message FROM outbox WHERE id = 2").fetchone()[0])
    assert '"reason":"raised"' in rows and '"U1"' in rows and '"U2"' in rows and '"v2"' in rows


@pytest.mark.parametrize(("arrived", "sends"), [(True, 1), (False, 1)])
async def test_after_an_unclear_failure_the_sender_looks_before_it_resends(
    bench: Bench, arrived: bool, sends: int
) -> None:
    bench.chat.script["x"] = [Unclear("no answer" if arrived else "lost")]
    bench.put(message(A, "x"), message(A, "y"))
    await bench.run_for(2_000)
    assert bench.chat.texts.count("x") == sends, "it arrives once either way"
    assert bench.chat.found == 1
    assert bench.chat.texts == ["x", "y"]
    assert set(bench.states()) == {"sent"}


@pytest.mark.parametrize("obstacle", [Delay(3_000, "429"), Blocked("down"), Unclear("no answer"), RuntimeError("bug")])
async def test_what_keeps_the_sender_from_looking_does_not_make_it_forget_to_look(
    bench: Bench, obstacle: Exception
) -> None:
    bench.chat.script["x"] = [Unclear("no answer")]
    bench.chat.find_script = [obstacle]
    bench.put(message(A, "x"))
    await bench.run_for(20_000)
    assert bench.chat.texts == ["x"]
    assert bench.chat.found == 2
    assert bench.states() == ["sent"]


async def test_a_crash_between_send_and_mark_does_not_double(bench: Bench) -> None:
    bench.chat.hang = asyncio.Event()
    bench.put(message(A, "x"), message(A, "y"))
    for _ in range(5000):
        if bench.chat.arrived:
            break
        await asyncio.sleep(0.001)
    await bench.kill()
    assert bench.states() == ["sending", "waiting"], "rows are resumable after a stop in the middle of a send"
    bench.chat.hang = None
    bench.start()
    await bench.settle()
    assert bench.chat.texts == ["x", "y"]
    assert bench.chat.found == 1
    assert set(bench.states()) == {"sent"}


async def test_a_crash_before_the_send_does_not_lose(bench: Bench) -> None:
    await bench.kill()
    bench.put(message(A, "x"))
    bench.store.write_now(lambda db: outbox.claim(db, A, NOW))
    bench.start()
    await bench.settle()
    assert (bench.chat.texts, bench.chat.found) == (["x"], 1)


async def test_a_send_without_an_answer_in_time_is_unclear(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.sender.SEND_TIMEOUT", 20)
    bench.chat.hang = asyncio.Event()
    bench.put(message(A, "x"), message(B, "b"))
    for _ in range(400):
        await asyncio.sleep(0.005)
        if bench.outcomes.count("unclear") == 2:
            break
    bench.chat.hang = None
    await bench.run_for(2_000)
    assert sorted(bench.chat.texts) == ["b", "x"], "looked for and found, not sent again"
    assert set(bench.states()) == {"sent"}


@pytest.mark.parametrize(
    ("destination", "arrives"),
    [
        ("slack:DRILL", True),
        ("slack:DRILL#reply-1", True),
        ("slack:A", False),
        ("slack:DRILL2", False),
        ("email:x@y", False),
    ],
)
async def test_a_drill_message_reaches_nothing_but_drill_destinations(
    bench: Bench, destination: str, arrives: bool
) -> None:
    bench.put(message(destination, "practice", drill="d1"), message(destination, "real"))
    await bench.settle()
    assert ("practice" in bench.chat.texts) is arrives
    if not arrives:
        assert bench.failures[0][0] == "practice"


async def test_a_limit_of_twenty_a_minute_delays_and_loses_nothing(bench: Bench) -> None:
    bench.chat.limit = Pace(20, MINUTE)
    bench.put(*(message(A, f"a{number}") for number in range(50)), *(message(B, f"b{number}") for number in range(5)))
    await bench.settle()
    assert (len(bench.chat.times(A)), len(bench.chat.times(B))) == (20, 5)
    await bench.run_for(2 * MINUTE + SECOND)
    times = bench.chat.times(A)
    assert [text for text in bench.chat.texts if text.startswith("a")] == [f"a{number}" for number in range(50)]
    assert all(times[index + 20] - times[index] >= MINUTE for index in range(30))


async def test_two_lanes_of_one_address_share_its_limit(bench: Bench) -> None:
    bench.chat.limit = Pace(4, MINUTE)
    for number in range(5):
        bench.put(message(A, f"a{number}"), message(A + "#quiet", f"q{number}"))
    bench.put(message(A + "#reply-7", "answer"))
    await bench.settle()
    assert len([text for text in bench.chat.texts if text != "answer"]) == 4
    assert "answer" in bench.chat.texts, "an answer to a person has its own way out"
    await bench.run_for(2 * MINUTE + SECOND)
    assert len(bench.chat.texts) == 11


async def test_a_refused_message_fails_in_one_transaction_with_what_follows_from_it(bench: Bench) -> None:
    bench.chat.script["bad"] = [Refused("too long")]
    bench.put(message(A, "bad"), message(A, "good"))
    await bench.settle()
    assert bench.chat.texts == ["good"]
    assert bench.failures == [("bad", "too long")]
    row = bench.store.read_now(
        lambda db: db.conn.execute("SELECT state, error FROM outbox WHERE key = 'k0'").fetchone()
    )
    assert tuple(row) == ("failed", "too long")
    assert bench.store.read_now(
        lambda db: db.conn.execute("SELECT value FROM setting WHERE name = 'k0'").fetchone()
    ) == ("failed",)


async def test_if_the_consequences_of_a_failure_cannot_be_stored_the_row_is_not_marked_failed(bench: Bench) -> None:
    bench.chat.script["bad"] = [Refused("no"), Refused("no")]
    broken = [True]
    original: Callable[..., None] = bench.sender._on_failed

    def fails_once(db: Database, row: Row, error: str, now: int) -> None:
        original(db, row, error, now)
        if broken.pop() if broken else False:
            raise RuntimeError("half way")

    bench.sender._on_failed = fails_once
    bench.put(message(A, "bad"))
    await bench.run_for(3_000)
    assert bench.states() == ["failed"]
    settings = bench.store.read_now(
        lambda db: db.conn.execute("SELECT COUNT(*) FROM setting WHERE name = 'k0'").fetchone()
    )
    assert settings == (1,), "the half transaction left nothing behind"


async def test_a_message_for_a_chat_that_is_not_configured_fails_and_says_so(bench: Bench) -> None:
    bench.put(message("teams:X", "lost"))
    await bench.settle()
    assert bench.failures == [("lost", "no chat is configured for teams:X")]


async def test_a_message_that_breaks_the_adapter_is_given_up_and_the_next_one_goes_on(bench: Bench) -> None:
    bench.chat.script["poison"] = [KeyError("bug")] * 50  # type: ignore[list-item]
    bench.put(message(A, "poison"), message(A, "next"), message(B, "other"))
    await bench.settle()
    assert bench.chat.texts == ["other"]
    await bench.run_for(MINUTE)
    assert bench.chat.texts == ["other", "next"]
    assert bench.failures == [("poison", "KeyError: 'bug'")]
    assert 50 - len(bench.chat.script["poison"]) == TRIES_OF_A_DEFECT


async def test_rows_of_another_process_are_found_without_a_wake_up(bench: Bench) -> None:
    await bench.settle()
    bench.store.write_now(lambda db: outbox.enqueue(db, message(A, "x"), "k", NOW))
    for _ in range(20):  # on a busy machine the sender may not wait yet when the clock moves on
        await bench.clock.advance(500)
        await asyncio.sleep(0.02)
        if bench.chat.texts:
            break
    await bench.settle()
    assert bench.chat.texts == ["x"]


async def test_stopping_leaves_no_task_behind(bench: Bench) -> None:
    await bench.settle()
    before = len(asyncio.all_tasks())
    await bench.kill()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= before - 1
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks() if not task.done()]  # type: ignore[union-attr]
    assert "Event.wait" not in names and "VirtualClock.sleep" not in names
    bench.start()


async def test_the_backlog_counts_what_waits_and_what_failed(bench: Bench) -> None:
    bench.chat.script["bad"] = [Refused("no")]
    bench.chat.script["later"] = [Delay(60_000, "429")]
    bench.put(message(A, "bad"), message(A, "good"), message(B, "later"))
    await bench.settle()
    assert bench.store.read_now(outbox.backlog) == {"waiting": 1, "failed": 1}


def test_addresses_with_like_signs_do_not_collapse_each_others_cards(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")

    def job(db: Database) -> None:
        outbox.enqueue(db, card_message("console:a_b#quiet", "incident:I-1", "one"), "1", NOW, NOW + 1)
        outbox.enqueue(db, card_message("console:axb#quiet", "incident:I-1", "two"), "2", NOW, NOW + 1)
        outbox.enqueue(db, card_message("console:a_b", "incident:I-1", "three"), "3", NOW)

    store.write_now(job)
    rows = store.read_now(lambda db: db.conn.execute("SELECT state FROM outbox ORDER BY id").fetchall())
    assert [row[0] for row in rows] == ["collapsed", "waiting", "waiting"]
    store.close()


async def test_a_clock_set_back_holds_up_neither_what_waits_nor_what_follows(bench: Bench) -> None:
    bench.chat.limit = Pace(2, MINUTE)
    bench.chat.script["b"] = [Delay(30 * SECOND, "busy")]
    bench.put(message(A, "a"), message(A, "b"), message(B, "x"))
    bench.put(message(B, "held"), not_before=NOW + 2 * HOUR)
    await bench.settle()
    assert sorted(bench.chat.texts) == ["a", "x"]
    bench.clock.set_back(HOUR)
    await bench.run_for(2 * MINUTE, step=1_000)
    assert bench.chat.texts[2:] == ["b"], "retried after its pause; what is held back on purpose stays"
    bench.put(message(A, "c"))
    await bench.settle()
    assert bench.chat.texts[-1] == "c"
