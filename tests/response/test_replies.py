"""Automatic answers: inside topics and hours, few a person, never in doubt, everything once and recorded."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from factories import CONFIG, House, house

from bot.clock import DAY, HOUR
from bot.config import parse
from bot.housekeeping import Housekeeping
from bot.incidents.notices import Notices
from bot.intake.minimise import Minimiser
from bot.model.grade import Grade
from bot.model.incident import Incident
from bot.response.linkage import Linkage
from bot.response.replies import AutoReplies, Inquiry, Window, judge
from bot.store import calls
from bot.store import incidents as incident_store

LINKAGE = """
linkage:
  systems: {desk: {base_url: "https://desk.example"}}
  actions: {answer: {system: desk, path: "/messages/{message}/reply", body: {to: "{person}", text: "{text}"}}}
  auto_reply:
    source: vendor
    reply: answer
    items: messages
    map: {id: id, person: from.id, name: from.name, text: body}
    doubt_words: [充值卡]
"""
TEXT = "{name}，非常抱歉让您久等。您的资金安全，提现将于 18:00 前恢复。"


@dataclass
class Scene:
    house: House
    replies: AutoReplies
    incident: Incident

    def open(self, **more: Any) -> int:
        values: dict[str, Any] = {
            "run": "7", "step": "answer", "incident": self.incident.id, "text": TEXT, "topics": ["提现", "withdraw"],
            "until_at": self.house.now + DAY, "per_person": 2, "now": self.house.now,
        }  # fmt: skip
        return self.house.do(lambda db: self.replies.open(db, **{**values, **more}))  # type: ignore[no-any-return]

    def say(self, text: str, person: str = "u1", number: str = "", name: str = "王芳") -> dict[str, int]:
        identity = number or f"m{abs(hash((text, person, self.house.now))) % 10**9}"
        inquiry = Inquiry(identity, person, text, name)
        return self.house.do(lambda db: self.replies.take(db, [inquiry], self.house.now))  # type: ignore[no-any-return]

    def answers(self) -> list[calls.Call]:
        return self.house.look(lambda db: calls.of_incident(db, ""))  # type: ignore[no-any-return]

    def rows(self) -> list[Any]:
        query = "SELECT state, reason, text, person FROM inquiry ORDER BY id"
        return self.house.look(lambda db: db.conn.execute(query).fetchall())  # type: ignore[no-any-return]


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Scene]:
    settings = parse(CONFIG + LINKAGE, "fengbo.yaml")
    first = house(tmp_path)
    notices = Notices(settings, first.cards)
    replies = AutoReplies(settings, Linkage(settings), notices, Minimiser(settings.privacy.mask, b"key"))
    incident = first.judge(Grade.YELLOW)
    assert incident is not None
    yield Scene(first, replies, incident)
    first.store.close()


def test_a_fitting_message_gets_the_approved_text_with_the_name(it: Scene) -> None:
    it.open()
    assert it.say("我的提现什么时候到账？")["answered"] == 1
    (call,) = it.answers()
    assert call.action == "answer" and call.params["person"] == "u1"
    assert call.params["text"] == TEXT.replace("{name}", "王芳")


def test_a_message_delivered_three_times_is_answered_once(it: Scene) -> None:
    it.open()
    counts = [it.say("提现没到", number="m1") for _ in range(3)]
    assert [count["answered"] for count in counts] == [1, 0, 0] and len(it.answers()) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("怎么修改手机号", "topic"),
        ("提现不到账，你们就是骗子", "doubt"),
        ("withdraw failed, I will call my lawyer", "doubt"),
        ("提现还没到，转人工", "person"),
        ("Can I speak to a human about my withdrawal?", "person"),
        ("提现多久到？利息怎么算？", "questions"),
        ("提现和充值卡都有问题", "doubt"),
        ("提现不了，我不想活了", "doubt"),
    ],
)
def test_doubt_goes_to_a_person_and_nothing_is_answered(it: Scene, text: str, reason: str) -> None:
    it.open()
    assert it.say(text)["handed"] == 1
    assert it.answers() == [] and it.rows()[0][:2] == ("handed", reason)
    said = it.house.outbox(reason="inquiry", destination="slack:C0ALERTS")
    assert len(said) == 1 and text in said[0].text
    # From then on no machine speaks to them, whatever they say.
    it.house.clock.set(it.house.now + HOUR)
    assert it.say("提现")["handed"] == 1 and it.answers() == []


def test_whoever_asks_again_after_the_answer_gets_a_person_not_the_same_text(it: Scene) -> None:
    it.open()
    assert it.say("提现没到账")["answered"] == 1
    assert it.say("提现还是没到账")["handed"] == 1
    assert it.rows()[1][1] == "again" and len(it.answers()) == 1


def test_the_limit_a_person_and_day_counts_over_all_texts(it: Scene) -> None:
    for number, topic in enumerate(("提现", "利息", "开户")):
        it.open(step=f"s{number}", topics=[topic], text=f"{topic}……", per_person=2)
    assert [it.say(topic)["answered"] for topic in ("提现", "利息", "开户")] == [1, 1, 0]
    assert it.rows()[2][1] == "limit"
    assert it.say("提现", person="u2")["answered"] == 1, "others are not held up"


def test_only_in_the_approved_window(it: Scene) -> None:
    assert it.say("提现", person="a") == {"answered": 0, "handed": 0, "recorded": 1, "duplicates": 0}
    it.open(hours="12:00-20:00")  # it is ten o'clock
    assert it.say("提现", person="b")["handed"] == 1 and it.rows()[1][1] == "hours"
    it.house.clock.set(it.house.now + 3 * HOUR)
    assert it.say("提现", person="c")["answered"] == 1
    it.house.clock.set(it.house.now + DAY)
    assert it.say("提现", person="d")["recorded"] == 1, "its time is over"


def test_a_closed_window_answers_nobody_and_says_what_it_did(it: Scene) -> None:
    it.open()
    assert it.open() == it.open(), "the same step twice is one window"
    it.say("提现", person="a")
    it.say("转人工", person="b")
    done = it.house.do(lambda db: it.replies.close(db, run="7", step="answer", now=it.house.now))
    assert done == {"answered": 1, "handed": 1}
    assert it.say("提现", person="c")["recorded"] == 1
    kinds = [entry.kind for entry in it.house.look(lambda db: incident_store.timeline(db, it.incident.id))]
    assert "replies_opened" in kinds and "replies_closed" in kinds


def test_two_texts_that_both_fit_are_a_doubt(it: Scene) -> None:
    it.open(step="a", text="one")
    it.open(step="b", text="two")
    assert it.say("提现")["handed"] == 1 and it.rows()[0][1] == "several"


def test_a_drill_answers_no_customer(it: Scene) -> None:
    it.open(drill="spring")
    assert it.say("提现")["recorded"] == 1 and it.answers() == []


async def test_the_person_is_kept_as_a_hash_numbers_are_masked_and_all_goes_in_time(it: Scene) -> None:
    it.open()
    it.say("提现 13812345678 没到", person="secret-account")
    _, _, text, person = it.rows()[0]
    assert "13812345678" not in text and person != "secret-account"
    await Housekeeping(it.replies._config, it.house.store, it.house.clock).sweep(it.house.now + 31 * DAY)
    assert it.rows() == [] and it.answers() == []


def test_a_name_cannot_reach_the_template(it: Scene) -> None:
    it.open()
    it.say("提现", name="{text}{name}")
    assert it.answers()[0].params["text"].startswith("{text}{name}，")


def test_a_push_is_read_by_its_mapping(it: Scene) -> None:
    payload = {"messages": [{"id": 1, "from": {"id": "u", "name": "a"}, "body": "提现"}, {"id": 2}, "x"]}
    assert it.replies.read(payload) == [Inquiry("1", "u", "提现", "a")]
    assert it.replies.read([]) == [] and it.replies.read(None) == []


@pytest.mark.parametrize(
    ("hours", "minute", "inside"),
    [
        ("00:00-24:00", 0, True), ("00:00-24:00", 1439, True), ("09:00-18:00", 540, True), ("09:00-18:00", 1080, False),
        ("22:00-06:00", 1380, True), ("22:00-06:00", 100, True), ("22:00-06:00", 720, False),
    ],
)  # fmt: skip
def test_hours(hours: str, minute: int, inside: bool) -> None:
    window = Window(1, "r", "s", "", "", "t", ("x",), hours, 2, "pr", 9)
    assert (judge("x", [window], minute, [], False).window is not None) is inside


def test_a_latin_topic_is_a_whole_word() -> None:
    window = Window(1, "r", "s", "", "", "t", ("pay",), "00:00-24:00", 2, "pr", 9)
    assert judge("my payment", [window], 0, [], False).reason == "topic"
    assert judge("my pay is late", [window], 0, [], False).window is window
