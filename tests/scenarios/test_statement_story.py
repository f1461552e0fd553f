"""One statement, edited in Slack, approved by a press in every chat, published bit for bit."""

from pathlib import Path
from typing import Any

import pytest

from bot.chat.slack import adapter
from bot.clock import SECOND
from bot.delivery.chat import Pace
from bot.model.statement import Statement, StatementStatus, Version
from bot.store import audit, publications
from bot.store import statements as store
from bot.testkit.fake_aibot import GROUP_ID
from tests.scenarios.house import CHANNEL, House, complaints, house
from tests.scenarios.test_playbook_story import CHEN_TOKEN, fill_in, on_the_page

EDITED = "部分用户提现延迟到账，我们诚恳致歉。您不需要重复提交，有疑问请拨打 95000。我们会在今晚22:00前公布下一次进展。"
HOUSE: dict[str, Any] = {
    "tokens": [
        {"name": "collector", "token_env": "PUSH_TOKEN", "may": ["push"]},
        {"name": "reader", "token_env": "READ_TOKEN", "may": ["read"]},
        {"name": "page", "token_env": "CHEN_TOKEN", "may": ["act", "read"], "person": "chenjing"},
    ],
    "subjects": [
        {"id": "starpay", "name": "星辰支付", "industry": "internet-finance", "channel": "alerts",
         "match": {"any": ["星辰支付"]}},
    ],
    "channels": {"alerts": {"slack": CHANNEL, "console": "alerts", "wecom_group": GROUP_ID}},
    "people": [
        {"id": "lina", "name": "李娜", "roles": ["customer_service"], "slack": "U0LINA", "wecom": "lina"},
        {"id": "zhaolei", "name": "赵磊", "roles": ["pr"], "slack": "U0ZHAO", "wecom": "zhaolei"},
        {"id": "chenjing", "name": "陈静", "roles": ["pr_head", "admin"], "slack": "U0CHEN", "wecom": "chenjing",
         "console": "chenjing"},
        {"id": "sun", "name": "孙洁", "roles": ["legal"], "slack": "U0SUN"},
        {"id": "lin", "name": "林海", "roles": ["executive"], "wecom": "lin"},
    ],
    "publishers": [{"id": "news", "kind": "newsroom", "audiences": ["public"]}],
    "statements": {
        "approval": [{"need": ["customer_service", "legal", "executive", "pr_head"]}],
        "values": {"hotline": "95000"}, "hotlines": ["95000"],
    },
}  # fmt: skip


def statement(home: House) -> Statement:
    found = home.app.store.read_now(lambda db: store.get(db, "S-1"))
    assert found is not None
    return found


def text(home: House) -> Version:
    found = home.app.store.read_now(lambda db: store.version(db, statement(home)))
    assert found is not None
    return found


def voters(home: House) -> list[tuple[str, str]]:
    events = home.app.store.read_now(lambda db: store.events(db, "S-1", "voted"))
    return [(item.actor, item.chat) for item in events if item.digest == text(home).digest]


async def test_one_text_is_approved_by_a_press_in_every_chat_and_published_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHEN_TOKEN", CHEN_TOKEN)
    monkeypatch.setattr(adapter, "CHANNEL_PACE", Pace(20, SECOND))
    async with house(tmp_path, monkeypatch, **HOUSE) as home:
        slack, wecom, group = home.platforms.slack, home.platforms.wecom, home.platforms.aibot
        slack.workspace.add_user("U0SUN", "孙洁")
        wecom.corporation.members["lin"] = "林海"
        await home.push(complaints(9))
        card = await slack.wait_for_message(CHANNEL, "I-1")
        await slack.slash("draft I-1 public", "U0ZHAO", CHANNEL)
        drafted = await home.until(
            lambda: next((one for one in slack.thread(card) if "S-1 · 对公众" in one.visible), None)
        )

        # Edited in a form, sent round by a press.
        version = text(home).number
        await fill_in(home, drafted, f"edit S-1 v{version}", "U0ZHAO", title="关于提现延迟的说明", body=EDITED)
        await home.until(lambda: text(home).body == EDITED)
        await home.until(lambda: any(item.get("value") == "submit S-1" for item in drafted.elements))
        await slack.click(drafted, "submit S-1", "U0ZHAO")
        await home.until(lambda: statement(home).status is StatementStatus.ASKED)

        # Legal presses in Slack; then a word is changed, and that vote is gone.
        first = f"approve S-1 {text(home).digest[:8]}"
        await home.until(lambda: any(item.get("value") == first for item in drafted.elements))
        await slack.click(drafted, first, "U0SUN")
        await home.until(lambda: voters(home) == [("sun", "slack")])
        await slack.slash("edit S-1 22:00 => 23:00", "U0ZHAO", CHANNEL)
        await home.until(lambda: statement(home).status is StatementStatus.DRAFT)
        assert voters(home) == []
        await slack.slash("submit S-1", "U0ZHAO", CHANNEL)
        await home.until(lambda: statement(home).status is StatementStatus.ASKED)
        press = f"approve S-1 {text(home).digest[:8]}"
        assert press != first

        # The executive presses the card that WeCom shows one to one.
        shown = await wecom.wait_for(
            lambda: next((one for one in wecom.inbox("lin")
                          if press in str(one.cards.get("lin", {}))), None), 10.0
        )  # fmt: skip
        assert shown is not None
        assert (await wecom.click(shown, press, "lin")).ok
        await home.until(lambda: ("lin", "wecom") in voters(home))

        # Customer service presses in the WeCom group, delivered twice.
        posted = await group.wait_for(
            lambda: next((one for one in reversed(group.cards()) if press in one.buttons), None)
        )
        assert posted is not None
        await group.press(posted, press, "lina", times=2)
        await home.until(lambda: ("lina", "wecom") in voters(home))

        # Legal presses again in Slack; the head of PR's press was lost, so the same is said in words on the page.
        await home.until(lambda: any(item.get("value") == press for item in drafted.elements))
        await slack.click(drafted, press, "U0SUN")
        await home.until(lambda: ("sun", "slack") in voters(home))
        assert statement(home).status is StatementStatus.ASKED
        await on_the_page(home, "alerts", f"同意 S-1 {text(home).digest[:4]}")
        await home.until(lambda: statement(home).status is StatementStatus.APPROVED)
        assert len(voters(home)) == 4, "the same press delivered twice is one vote"

        await slack.slash(f"publish S-1 {text(home).digest[:8]}", "U0CHEN", CHANNEL)
        await home.until(lambda: statement(home).status is StatementStatus.PUBLISHED)
        (item,) = home.app.store.read_now(lambda db: publications.public_items(db, 10))
        assert (item.title, item.body, item.digest) == (text(home).title, text(home).body, text(home).digest)
        assert home.app.store.read_now(audit.verify) is None
