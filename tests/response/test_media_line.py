"""The approved answer to a question is found in other words and in the other language, and none is made up."""

import pytest

from bot.response.library import load_library
from bot.response.media_line import answer_to
from tests.response.playbooks import ROOT, sound


@pytest.mark.parametrize(
    ("playbook", "question", "wanted"),
    [
        ("withdrawal-failure", "钱还在吗", "是不是没钱了"),
        ("withdrawal-failure", "is the company bankrupt", "是不是没钱了"),
        ("withdrawal-failure", "几点能到账", "什么时候能到账"),
        ("withdrawal-failure", "有没有赔偿", "会不会赔"),
        ("service-outage", "how long will it take", "什么时候恢复"),
        ("service-outage", "数据有没有丢", "数据丢了吗"),
        ("data-leak", "Have you paid the ransom?", "付赎金了吗"),
        ("withdrawal-failure", "你们老板被抓了吗", ""),
        ("withdrawal-failure", "why is the app down", ""),
        ("service-outage", "今天天气怎么样", ""),
        ("service-outage", "", ""),
    ],
)
def test_an_answer_is_found_by_its_meaning_or_said_to_be_missing(playbook: str, question: str, wanted: str) -> None:
    library = load_library(ROOT)
    plan = library.get(playbook)
    assert plan is not None
    best = answer_to(question, [plan], library.playbooks()).best
    assert (best.answer.question.zh if best else "").startswith(wanted) and bool(best) == bool(wanted)


def test_a_plan_without_a_line_has_no_answers() -> None:
    reply = answer_to("钱还在吗", [sound()], load_library(ROOT).playbooks())
    assert reply.best is None and reply.near == ()
