"""Mails reach a real SMTP dialogue whole, threaded, unspoilable by what strangers wrote, and every no is sorted."""

import hashlib
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.mail import MailChat, subject
from bot.chat.mail_page import page
from bot.config import EmailConfig
from bot.delivery.chat import Blocked, Delay, Made, Refused, Unclear
from bot.delivery.outbox import Placement, Row
from bot.model.card import Button, Card, Facts, Items, Paragraph, Quote
from bot.model.grade import Grade
from bot.model.message import Attachment, Message
from bot.model.text import LANGUAGES
from bot.testkit.fake_mail import FakeMail, Mail

LINA = "lina@corp.example"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
NASTY = "<script>alert(1)</script><img src=x onerror=y>\r\nBcc: all@corp.example\r\n\r\n\u202e坏"
ALERT = Card(
    title="星河支付 提现失败",
    object="incident:I-12",
    grade=Grade.RED,
    grade_label="红色预警 Ⅰ",
    subtitle="负责人：李娜",
    sections=(
        Paragraph("1 小时内负面 120 条。", strong=True),
        Facts((("负面量", "120 条"), ("平台", "微博、抖音"))),
        Items("要做的事", ("核实到账情况", "准备口径"), "还有 3 项"),
        Quote("提现三天了还没到账", "微博 · 小张", "https://weibo.example/1?a=1&b=2"),
    ),
    buttons=(Button("认领", "确认 I-12"),),
    link="https://fengbo.example/i/I-12",
)


def row(key: str, card: Card | None = ALERT, to: str = LINA, text: str = "", **more: object) -> Row:
    name = card.object if card else ""
    return Row(1, key, Message(f"email:{to}", card=card, object=name, text=text, **more), 0, False, 1_773_018_000_000)  # type: ignore[arg-type]


def config(server: FakeMail, **more: object) -> EmailConfig:
    return EmailConfig(host=server.host, port=server.port, sender="风波 <fengbo@corp.example>", **more)  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[FakeMail]:
    async with FakeMail() as fake:
        yield fake


@pytest.fixture
def chat(server: FakeMail) -> MailChat:
    return MailChat(config(server), timeout_seconds=1)


def only(server: FakeMail) -> Mail:
    (mail,) = server.mails
    return mail


async def test_an_alert_arrives_as_text_and_as_html(server: FakeMail, chat: MailChat) -> None:
    await chat.send(row("k1"), None, None)
    mail = only(server)
    assert (mail.sender, mail.recipients) == ("fengbo@corp.example", (LINA,))
    assert mail.subject == "红色预警 Ⅰ 星河支付 提现失败"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["Date"] == "Mon, 09 Mar 2026 01:00:00 +0000"
    for words in ("1 小时内负面 120 条。", "微博、抖音", "准备口径", "还有 3 项", "提现三天了还没到账", "确认 I-12"):
        assert words in mail.part("plain") and words in mail.part("html")
    assert 'href="https://weibo.example/1?a=1&amp;b=2"' in mail.part("html")
    assert 'href="https://fengbo.example/i/I-12"' in mail.part("html")


async def test_a_mail_that_is_sent_again_has_the_same_identity(server: FakeMail, chat: MailChat) -> None:
    for key in ("k1", "k1", "k2"):
        await chat.send(row(key), None, None)
    first, again, other = (mail.message["Message-ID"] for mail in server.mails)
    assert first == again != other
    assert first.endswith("@corp.example>")


async def test_mails_about_one_incident_are_one_thread_and_edits_need_a_reason(
    server: FakeMail, chat: MailChat
) -> None:
    placed = await chat.send(row("k1"), None, None)
    assert placed is not None
    assert await chat.send(row("k2"), placed, None) == placed
    assert len(server.mails) == 1
    later = await chat.send(row("k3", reason="grade_raised"), placed, None)
    assert later is not None and later.anchor == placed.anchor
    await chat.send(row("k4", None, text="已解决", thread="incident:I-12"), None, later)
    first, second, third = (mail.message for mail in server.mails)
    assert second["In-Reply-To"] == first["Message-ID"]
    assert third["In-Reply-To"] == second["Message-ID"]
    roots = {str(one["References"]).split()[0] for one in (first, second, third)}
    assert len(roots) == 1 and roots.isdisjoint({one["Message-ID"] for one in (first, second, third)})


@pytest.mark.parametrize("media_type", ["image/png", "text/csv"])
async def test_a_picture_stands_in_the_page_and_another_file_is_attached(server: FakeMail, media_type: str) -> None:
    async def make(attachment: Attachment, language: str) -> Made:
        return Made(PNG, "走势.png\r\nX: y", media_type, "近一小时负面走势")

    await MailChat(config(server), make, timeout_seconds=1).send(row("k1", attachment=Attachment("chart")), None, None)
    mail = only(server)
    parts = {part.get_content_type(): part for part in mail.message.walk()}
    picture = parts[media_type]
    assert picture.get_payload(decode=True) == PNG
    assert mail.message["X"] is None
    assert "近一小时负面走势" in mail.part("plain")
    inline = media_type == "image/png"
    assert picture.get_content_disposition() == ("inline" if inline else "attachment")
    assert (f'src="cid:{str(picture["Content-ID"]).strip("<>")}"' in mail.part("html")) == inline


async def test_a_picture_that_cannot_be_made_does_not_hold_the_alert(server: FakeMail) -> None:
    async def make(attachment: Attachment, language: str) -> Made:
        raise ValueError("no data")

    await MailChat(config(server), make, timeout_seconds=1).send(row("k1", attachment=Attachment("chart")), None, None)
    assert only(server).subject


async def test_nothing_a_stranger_wrote_becomes_a_header_or_runs(server: FakeMail, chat: MailChat) -> None:
    hostile = Card(NASTY, object=NASTY, grade_label=NASTY, subtitle=NASTY, footer=NASTY, link="javascript:alert(1)")
    hostile = Card(
        **{
            **{name: getattr(hostile, name) for name in hostile.__slots__},
            "sections": (Quote(NASTY, NASTY, "data:x"), Facts(((NASTY, NASTY),))),
        }
    )
    await chat.send(row("k1", hostile), None, None)
    mail = only(server)
    assert mail.recipients == (LINA,) and mail.message["Bcc"] is None
    assert "\n" not in mail.subject and "\u202e" not in mail.part("plain")
    assert "<script" not in mail.part("html") and "<img" not in mail.part("html")
    assert "href" not in mail.part("html")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text(), st.text(), st.sampled_from(LANGUAGES))
def test_the_page_is_well_formed_whatever_the_card_says(one: str, two: str, three: str, language: str) -> None:
    card = Card(
        one, subtitle=two, sections=(Quote(three, one, two), Items(one, (two,), three), Paragraph(three)), link=three
    )
    tags = Tags()
    tags.feed(page(card, language))
    assert tags.open == []
    assert not tags.seen & {"script", "style", "iframe", "img"}
    assert not any(name.startswith("on") for name in tags.attributes)
    assert "\n" not in subject(Message("email:a@b", card=card))


@pytest.mark.parametrize(
    "address", ["", "lina", "a@b\r\nRCPT TO:<x@y>", "a b@c", "<a@b>", "a@b,c@d", "李@corp.example"]
)
async def test_an_address_that_is_none_is_refused_before_any_dialogue(
    server: FakeMail, chat: MailChat, address: str
) -> None:
    with pytest.raises(Refused):
        await chat.send(row("k1", to=address), None, None)
    assert server.calls == []


@pytest.mark.parametrize(
    ("stage", "code", "error"),
    [
        ("MAIL", 451, Delay),
        ("MAIL", 550, Blocked),
        ("RCPT", 450, Delay),
        ("RCPT", 550, Refused),
        ("DATA", 452, Delay),
        ("DATA", 554, Refused),
    ],
)
async def test_a_refusal_says_whether_to_wait_to_mend_or_to_give_up(
    server: FakeMail, chat: MailChat, stage: str, code: int, error: type[Exception]
) -> None:
    server.fail_next(stage, code)
    with pytest.raises(error):
        await chat.send(row("k1"), None, None)
    assert server.mails == []
    await chat.send(row("k1"), None, None)
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("stage", "trouble", "error"),
    [
        ("MAIL", "drop_before_effect", Blocked),
        ("RCPT", "hang", Blocked),
        ("DATA", "drop_before_effect", Unclear),
        ("DATA", "drop_after_effect", Unclear),
        ("DATA", "hang", Unclear),
    ],
)
async def test_only_a_mail_that_was_handed_over_can_be_unclear(
    server: FakeMail, chat: MailChat, stage: str, trouble: str, error: type[Exception]
) -> None:
    getattr(server, trouble)(stage)
    with pytest.raises(error):
        await chat.send(row("k1"), None, None)
    assert await chat.find(row("k1")) == (False, None)


async def test_a_wrong_password_blocks_and_is_not_in_the_error(server: FakeMail) -> None:
    async with FakeMail(username="fengbo", password="right") as locked:
        for password, good in (("wrong-one", False), ("right", True)):
            chat = MailChat(config(locked, username="fengbo", password_env="PASSWORD"), environ={"PASSWORD": password})
            if good:
                await chat.send(row("k1"), None, None)
                assert len(locked.mails) == 1
                continue
            with pytest.raises(Blocked) as caught:
                await chat.send(row("k1"), None, None)
            assert "wrong-one" not in str(caught.value)


async def test_a_server_that_does_not_listen_blocks() -> None:
    chat = MailChat(EmailConfig(host="127.0.0.1", port=9, sender="fengbo@corp.example"), timeout_seconds=1)
    with pytest.raises(Blocked):
        await chat.send(row("k1"), None, None)
    assert chat.pace("email:x") is None


def test_the_identity_is_a_digest_not_the_key() -> None:
    chat = MailChat(EmailConfig(host="h", sender="fengbo@corp.example"))
    secret = hashlib.sha256(b"x").hexdigest()
    assert secret not in chat._identity(secret)
    assert isinstance(Placement("a", {}).reference, dict)
