"""``label``: what people say of posts becomes rows, and proposals in words, and changes nothing by itself."""

from pathlib import Path

import pytest
from factories import House, analysis, house, post
from sqlite_utils import Database

from bot.model.card import Items, Quote
from bot.model.grade import Grade
from bot.store import labels, posts
from bot.store.labels import Verdict
from bot.texts import render
from bot.warning.proposals import LEAST, proposals


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def keep(home: House, count: int = 1) -> None:
    def job(db: Database) -> None:
        posts.store(db, [post(f"星河支付提现失败{number}") for number in range(count)], home.now)
        rows = posts.unanalysed(db, 1_000)
        posts.record(db, [(seq, item, analysis(), 0) for seq, item in rows], {}, home.now)

    home.do(job)


def kept(home: House) -> list[tuple[int, str, Verdict]]:
    return [(item.post, item.subject, item.verdict) for item in home.look(labels.labels)]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("label 1 not-us", Verdict.NOT_US),
        ("标注 1 不是我们", Verdict.NOT_US),
        ("标注1 不是负面", Verdict.NOT_NEGATIVE),
        ("判读 #1 广告", Verdict.ADVERTISING),
        ("label 1 negative", Verdict.NEGATIVE),
    ],
)
def test_a_verdict_is_a_row(home: House, line: str, verdict: Verdict) -> None:
    keep(home)
    home.say(line)
    assert kept(home) == [(1, "xinghe-pay", verdict)]


def test_the_form_says_the_same(home: House) -> None:
    keep(home)
    home.say("label", fields={"post": "1", "verdict": "not-negative"})
    assert kept(home) == [(1, "xinghe-pay", Verdict.NOT_NEGATIVE)]


def test_a_second_thought_replaces_the_first(home: House) -> None:
    keep(home)
    home.say("标注 1 广告")
    home.say("标注 1 不是我们")
    assert kept(home) == [(1, "xinghe-pay", Verdict.NOT_US)]


@pytest.mark.parametrize("line", ["label", "label 1", "label 1 nonsense", "label 99 not-us", "标注 不是我们"])
def test_what_is_not_understood_is_said_and_kept_nowhere(home: House, line: str) -> None:
    keep(home)
    answers = home.say(line)
    assert len(answers) == 1
    assert kept(home) == []


def test_a_verdict_moves_no_count(home: House) -> None:
    keep(home)
    before = home.look(lambda db: list(db.conn.execute("SELECT * FROM bucket")))
    home.say("标注 1 不是负面")
    assert home.look(lambda db: list(db.conn.execute("SELECT * FROM bucket"))) == before


def test_the_reasons_show_the_number_of_each_post(home: House) -> None:
    keep(home)
    incident = home.judge(Grade.YELLOW)
    assert incident is not None
    seqs = [seq for signal in incident.signals for seq in signal.posts]
    [answer] = home.say("为什么 I-1")
    assert answer.card is not None
    quotes = [section for section in answer.card.sections if isinstance(section, Quote)]
    assert all("帖文 " in quote.source for quote in quotes)
    assert len(quotes) == len([seq for seq in seqs if seq == 1])
    assert [button.form for button in answer.card.buttons] == ["label"]


def test_the_summary_counts_and_proposes(home: House) -> None:
    keep(home, LEAST)
    for number in range(1, LEAST + 1):
        home.say(f"标注 {number} 不是我们")
    [answer] = home.say("标注汇总")
    assert answer.card is not None
    lists = [section for section in answer.card.sections if isinstance(section, Items)]
    assert any(str(LEAST) in line for line in lists[0].lines)
    assert "星河支付" in lists[1].lines[0]


def test_a_proposal_takes_enough_evidence_that_agrees() -> None:
    enough = [("pay", "not-us", "I-1")] * LEAST
    assert [text.key for text in proposals(enough)] == ["label.propose.not-us"]
    assert proposals(enough[1:]) == []
    assert proposals(enough + [("pay", "negative", "I-1")] * (LEAST + 1)) == []


def test_false_alarms_are_counted_by_incident() -> None:
    assert proposals([("pay", "false-alarm", "I-1")] * 50) == []
    [text] = proposals([("pay", "false-alarm", f"I-{number}") for number in range(LEAST)])
    assert "I-0" in render(text, "en")


def test_calling_a_false_alarm_labels_what_it_rested_on(home: House) -> None:
    keep(home)
    incident = home.judge(Grade.YELLOW)
    assert incident is not None
    stored = {seq for signal in incident.signals for seq in signal.posts} & {1}
    home.say("误报 I-1 是同名的另一家公司")
    assert {number for number, _, verdict in kept(home) if verdict is Verdict.FALSE_ALARM} == stored
