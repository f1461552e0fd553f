"""Mail and short messages arrive parsed, and fail in the ways that matter."""

from email.message import EmailMessage

import aiohttp
import aiosmtplib
import pytest

from bot.testkit.fake_mail import FakeMail
from bot.testkit.fake_sms import TOKEN


def mail():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "fengbo@corp.example",
        "lina@corp.example",
        "红色预警：提现失败",
    )
    message.set_content("Plain 正文")
    message.add_alternative("<p>HTML 正文</p>", subtype="html")
    return message


async def send(server, **how):
    return await aiosmtplib.send(mail(), hostname=server.host, port=server.port, timeout=2, **how)


async def test_a_mail_arrives_parsed_with_both_parts(fake_mail):
    await send(fake_mail)
    (got,) = fake_mail.to("lina@corp.example")
    assert (got.sender, got.subject) == ("fengbo@corp.example", "红色预警：提现失败")
    assert got.part("plain").strip() == "Plain 正文"
    assert "<p>HTML 正文</p>" in got.part("html")
    assert [call.method for call in fake_mail.calls] == ["MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize(
    ("stage", "code", "error"),
    [
        ("MAIL", 451, aiosmtplib.SMTPSenderRefused),
        ("RCPT", 550, aiosmtplib.SMTPRecipientsRefused),
        ("DATA", 452, aiosmtplib.SMTPDataError),
        ("DATA", 554, aiosmtplib.SMTPDataError),
    ],
)
async def test_a_refusal_comes_once_at_its_stage_with_its_code(fake_mail, stage, code, error):
    fake_mail.fail_next(stage, code)
    with pytest.raises(error) as problem:
        await send(fake_mail)
    cause = problem.value.recipients[0] if stage == "RCPT" else problem.value
    assert cause.code == code
    assert fake_mail.mails == []
    await send(fake_mail)
    assert len(fake_mail.mails) == 1


@pytest.mark.parametrize(("knob", "kept"), [("drop_after_effect", 1), ("drop_before_effect", 0)])
async def test_a_connection_cut_at_the_end_of_data_keeps_or_loses_the_mail(fake_mail, knob, kept):
    getattr(fake_mail, knob)("DATA")
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(fake_mail)
    assert len(fake_mail.mails) == kept


async def test_an_unknown_person_is_refused(fake_mail):
    fake_mail.unknown.add("lina@corp.example")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await send(fake_mail)


async def test_a_server_with_a_login_wants_it():
    async with FakeMail(username="fengbo", password="right") as server:
        with pytest.raises(aiosmtplib.SMTPException):
            await send(server)
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await send(server, username="fengbo", password="wrong")
        await send(server, username="fengbo", password="right")
        assert len(server.mails) == 1


@pytest.fixture
async def post(fake_sms):
    async with aiohttp.ClientSession() as session:

        async def call(body, token=TOKEN, **headers):
            headers |= {"Authorization": f"Bearer {token}"}
            async with session.post(fake_sms.send_url, json=body, headers=headers) as response:
                return response.status, await response.json(content_type=None), response.headers

        yield call


GOOD = {"to": "13800000000", "text": "红色预警"}


async def test_a_short_message_is_sent_and_the_same_key_sends_it_once(fake_sms, post):
    first = await post(GOOD, **{"Idempotency-Key": "k1"})
    second = await post(GOOD, **{"Idempotency-Key": "k1"})
    assert (first[1]["duplicate"], second[1]["duplicate"]) == (False, True)
    assert first[1]["id"] == second[1]["id"]
    await post(GOOD | {"id": "k1"})
    await post(GOOD)
    await post(GOOD)
    assert [message.text for message in fake_sms.to("13800000000")] == ["红色预警"] * 3


@pytest.mark.parametrize(
    ("body", "token", "status"),
    [
        (GOOD, "wrong", 401),
        (GOOD | {"to": "call me"}, TOKEN, 422),
        (GOOD | {"text": ""}, TOKEN, 422),
        (GOOD | {"text": "x" * 501}, TOKEN, 422),
        ({"to": "13800000000"}, TOKEN, 422),
        ([], TOKEN, 415),
    ],
)
async def test_a_wrong_call_sends_nothing(fake_sms, post, body, token, status):
    assert (await post(body, token))[0] == status
    assert fake_sms.sent == []


async def test_the_gateway_can_be_busy_or_broken(fake_sms, post):
    fake_sms.fail_next("send", status=429, retry_after=7)
    fake_sms.fail_next("send", status=500)
    status, _, headers = await post(GOOD)
    assert (status, headers["Retry-After"]) == (429, "7")
    assert (await post(GOOD))[0] == 500
    fake_sms.rate_limit("13800000000", 1, 60)
    assert [(await post(GOOD))[0] for _ in range(2)] == [200, 429]
