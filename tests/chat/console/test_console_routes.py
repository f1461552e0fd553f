"""The console over HTTP: what people do is stored before it is answered, and strangers get nowhere."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from sqlite_utils import Database

from bot.model.card import Button, Card
from bot.model.grade import CrisisType, Grade
from bot.model.message import Message
from bot.model.post import Analysis, Post, TypeHit
from bot.store import incidents as incident_store
from bot.store import posts

from .harness import Harness, incident_card, seed_numbers

KEY = "0123456789abcdef0123456789abcdef"
TOKENS = """
tokens:
  - {name: lina-console, token_env: LINA_TOKEN, may: [act], person: lina}
  - {name: wall, token_env: WALL_TOKEN, may: [read], person: zhaolei}
  - {name: collector, token_env: PUSH_TOKEN, may: [push]}
"""


@pytest.fixture
async def web() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


@pytest.fixture
async def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    """A console that asks for a token."""
    for name, value in (("LINA_TOKEN", "lina-secret"), ("WALL_TOKEN", "wall-secret"), ("PUSH_TOKEN", "push-secret")):
        monkeypatch.setenv(name, value)
    started = Harness(tmp_path, TOKENS)
    await started.start()
    yield started
    await started.stop()


async def post(web: aiohttp.ClientSession, harness: Harness, path: str, body: object, **headers: str) -> int:
    async with web.post(harness.url + path, json=body, headers={"Origin": harness.url, **headers}) as answer:
        return answer.status


async def read_events(response: aiohttp.ClientResponse, count: int) -> list[tuple[str, str, dict[str, object]]]:
    """The next ``count`` events of a stream as (event, id, data)."""
    found: list[tuple[str, str, dict[str, object]]] = []
    fields: dict[str, str] = {}
    async with asyncio.timeout(5):
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line and "event" in fields:
                found.append((fields["event"], fields.get("id", ""), orjson.loads(fields["data"])))
                fields = {}
                if len(found) == count:
                    break
    return found


def said(channel: str = "alerts", text: str = "确认 I-12", key: str = KEY, anchor: str = "") -> dict[str, str]:
    return {"channel": channel, "text": text, "key": key, "anchor": anchor}


async def test_a_line_is_in_the_inbox_and_on_the_page_when_it_is_answered(
    harness: Harness, web: aiohttp.ClientSession
) -> None:
    assert await post(web, harness, "/console/say", said()) == 202
    (event,) = harness.inbox()
    assert event["chat"] == "console"
    assert event["account"] == "lina"
    assert event["destination"] == "console:alerts"
    assert event["line"] == "确认 I-12"
    assert event["origin"] == "text"
    async with web.get(harness.url + "/") as page:
        assert "确认 I-12" in await page.text()


async def test_the_same_act_twice_has_one_effect_and_another_act_its_own(
    harness: Harness, web: aiohttp.ClientSession
) -> None:
    for key in (KEY, KEY, KEY[::-1]):
        assert await post(web, harness, "/console/say", said(key=key)) == 202
    assert len(harness.inbox()) == 2


async def test_an_answer_to_a_card_carries_the_cards_anchor(harness: Harness, web: aiohttp.ClientSession) -> None:
    place = await harness.send(Message("console:alerts", card=incident_card(), object="incident:I-12"))
    reply = await harness.send(Message("console:alerts", text="跟进"), thread=place)
    await post(web, harness, "/console/say", said(anchor=reply.anchor))
    await post(web, harness, "/console/say", said(key=KEY[::-1], anchor="console/999"))
    assert [event["anchor"] for event in harness.inbox()] == [place.anchor, ""]


async def test_what_is_said_to_fengbo_alone_stays_there(harness: Harness, web: aiohttp.ClientSession) -> None:
    assert await post(web, harness, "/console/say", said("@lina")) == 202
    assert harness.inbox()[0]["private"] is True
    assert await post(web, harness, "/console/say", said("@zhaolei")) == 404
    async with web.get(harness.url + "/console/messages?channel=@zhaolei") as answer:
        assert answer.status == 404


async def test_pressing_a_button_says_its_command(harness: Harness, web: aiohttp.ClientSession) -> None:
    place = await harness.send(Message("console:alerts", card=incident_card(), object="incident:I-12"))
    press = {"message": place.reference["id"], "index": 0, "command": "确认 I-12", "key": KEY}
    assert await post(web, harness, "/console/press", press) == 202
    assert await post(web, harness, "/console/press", press) == 202
    (event,) = harness.inbox()
    assert (event["line"], event["origin"], event["anchor"]) == ("确认 I-12", "button", place.anchor)


async def test_a_button_that_is_gone_does_nothing(harness: Harness, web: aiohttp.ClientSession) -> None:
    message = Message("console:alerts", card=incident_card(), object="incident:I-12")
    place = await harness.send(message)
    newer = Card(title="I-12", buttons=(Button("指派", "指派 I-12"),))
    await harness.send(Message("console:alerts", card=newer, object="incident:I-12"), placement=place)
    press = {"message": place.reference["id"], "index": 0, "command": "确认 I-12", "key": KEY}
    assert await post(web, harness, "/console/press", press) == 409
    # Still offered, though in another place: it counts.
    assert await post(web, harness, "/console/press", {**press, "index": 1, "command": "指派 I-12"}) == 202
    assert [event["line"] for event in harness.inbox()] == ["指派 I-12"]


async def test_a_form_opens_and_its_fields_arrive(harness: Harness, web: aiohttp.ClientSession) -> None:
    place = await harness.send(Message("console:alerts", card=incident_card(), object="incident:I-12"))
    about = {"message": place.reference["id"], "index": 1, "command": "指派 I-12"}
    async with web.get(harness.url + "/console/form", params=about) as answer:
        html = (await answer.json())["html"]
    assert "赵磊" in html
    fields = {"person": "zhaolei", "note": "先核实"}
    assert await post(web, harness, "/console/press", {**about, "key": KEY, "fields": fields}) == 202
    (event,) = harness.inbox()
    assert (event["line"], event["fields"], event["origin"]) == ("指派 I-12", fields, "form")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (said(text="   "), 422),
        (said(text="长" * 4001), 422),
        (said(key="short"), 422),
        (said(key="../../../../etc/passwd"), 422),
        (said(channel="nowhere"), 404),
        ([], 400),
        ({}, 422),
    ],
)
async def test_a_broken_line_is_refused_and_leaves_nothing(
    harness: Harness, web: aiohttp.ClientSession, body: object, status: int
) -> None:
    assert await post(web, harness, "/console/say", body) == status
    assert harness.inbox() == []


@pytest.mark.parametrize(
    ("headers", "body_as", "status"),
    [
        ({"Origin": "https://evil.example"}, "json", 403),
        ({"Origin": "null"}, "json", 403),
        ({}, "json", 403),
        ({"Origin": "SELF"}, "data", 415),
        ({"Origin": "SELF", "Host": "evil.example"}, "json", 421),
        ({"Origin": "http://evil.example:80", "Host": "evil.example:80"}, "json", 421),
    ],
)
async def test_another_page_cannot_speak_for_a_member(
    harness: Harness, web: aiohttp.ClientSession, headers: dict[str, str], body_as: str, status: int
) -> None:
    sent = {name: harness.url if value == "SELF" else value for name, value in headers.items()}
    body = {"json": said()} if body_as == "json" else {"data": said()}
    async with web.post(harness.url + "/console/say", headers=sent, **body) as answer:  # type: ignore[arg-type]
        assert answer.status == status
    assert harness.inbox() == []


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:8080", 200), ("rebound.example", 421), ("", 421), ("[bad", 421)],
)
async def test_a_stranger_name_pointed_at_this_machine_is_turned_away(
    harness: Harness, web: aiohttp.ClientSession, host: str, status: int
) -> None:
    async with web.get(harness.url + "/", headers={"Host": host}) as answer:
        assert answer.status in ((status, 400) if status == 421 else (status,))


@pytest.mark.parametrize(
    "path", ["/", "/dashboard", "/console/side", "/console/messages?channel=nowhere", "/console/static/x/console.css"]
)
async def test_every_answer_carries_the_policy(harness: Harness, web: aiohttp.ClientSession, path: str) -> None:
    async with web.get(harness.url + path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_older_messages_are_paged_back(harness: Harness, web: aiohttp.ClientSession) -> None:
    for number in range(70):
        await harness.send(Message("console:alerts", text=f"第{number}条。"))
    async with web.get(harness.url + "/") as page:
        html = await page.text()
    assert "第10条。" in html
    assert "第9条。" not in html
    async with web.get(harness.url + "/console/messages?channel=alerts&before=11") as answer:
        found = await answer.json()
    assert found["html"].count("<article") == 10
    assert found["more"] is False


async def test_a_stream_tells_what_is_new_and_goes_on_where_it_broke_off(
    harness: Harness, web: aiohttp.ClientSession
) -> None:
    async with web.get(harness.url + "/console/stream?after=0") as stream:
        await read_events(stream, 1)  # the first state
        await harness.send(Message("console:alerts", text="一"))
        ((event, revision, data),) = await read_events(stream, 1)
    assert (event, data["channel"], data["changed"]) == ("message", "alerts", False)
    place = await harness.send(Message("console:alerts", card=incident_card(), object="o"))
    await harness.send(Message("console:alerts", card=incident_card(owner="李娜"), object="o"), placement=place)
    async with web.get(harness.url + "/console/stream?after=0", headers={"Last-Event-ID": revision}) as stream:
        events = [item for item in await read_events(stream, 2) if item[0] == "message"]
    assert [data["id"] for _, _, data in events] == [place.reference["id"]]
    assert "李娜" in str(events[0][2]["html"])


async def test_a_private_answer_reaches_only_its_member(locked: Harness) -> None:
    seen: dict[str, list[str]] = {}
    for token in ("lina-secret", "wall-secret"):
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as web:
            assert await post(web, locked, "/console/login", {"token": token}) == 204
            if not seen:
                await locked.send(Message("console:alerts", text="只给李娜", audience="lina"))
                await locked.send(Message("console:alerts", text="给大家"))
            async with web.get(locked.url + "/console/stream?after=0") as stream:
                events = await read_events(stream, 3 if token == "lina-secret" else 2)
            seen[token] = [str(data["title"]) for event, _, data in events if event == "message"]
    assert seen == {"lina-secret": ["只给李娜", "给大家"], "wall-secret": ["给大家"]}


async def test_without_a_token_there_is_only_the_sign_in_page(locked: Harness, web: aiohttp.ClientSession) -> None:
    for path in ("/", "/dashboard"):
        async with web.get(locked.url + path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/console/login")
    for path in ("/console/stream", "/console/side", "/console/messages?channel=alerts", "/console/attachment/x"):
        async with web.get(locked.url + path) as answer:
            assert answer.status == 401
    assert await post(web, locked, "/console/say", said()) == 401
    assert locked.inbox() == []


@pytest.mark.parametrize("token", ["", "wrong", "push-secret", "lina-secre", "秘密"])
async def test_a_wrong_token_opens_nothing(locked: Harness, web: aiohttp.ClientSession, token: str) -> None:
    assert await post(web, locked, "/console/login", {"token": token}) == 401
    assert not list(web.cookie_jar)


async def test_guessing_is_slowed_down(locked: Harness, web: aiohttp.ClientSession) -> None:
    answers = [await post(web, locked, "/console/login", {"token": f"guess {number}"}) for number in range(11)]
    assert answers == [401] * 10 + [429]


async def test_a_session_is_kept_signed_and_ends_with_its_token(
    locked: Harness, web: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web.post(
        locked.url + "/console/login", json={"token": "lina-secret"}, headers={"Origin": locked.url}
    ) as answer:
        header = answer.headers["Set-Cookie"]
        cookie = answer.cookies["fengbo_session"].value
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header
    assert "lina-secret" not in header
    assert await post(web, locked, "/console/say", said()) == 202
    assert locked.inbox()[0]["account_name"] == "李娜"
    forged = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
    for broken in (forged, cookie.partition(".")[0], "." + cookie, "é"):
        async with (
            aiohttp.ClientSession() as other,
            other.get(locked.url + "/console/side", headers={"Cookie": f"fengbo_session={broken}"}) as answer,
        ):
            assert answer.status == 401
    monkeypatch.setenv("LINA_TOKEN", "replaced")
    assert await post(web, locked, "/console/say", said(key=KEY[::-1])) == 401


async def test_a_reading_token_reads_and_does_nothing_else(locked: Harness, web: aiohttp.ClientSession) -> None:
    assert await post(web, locked, "/console/login", {"token": "wall-secret"}) == 204
    async with web.get(locked.url + "/dashboard") as answer:
        assert answer.status == 200
    assert await post(web, locked, "/console/say", said()) == 403
    assert await post(web, locked, "/console/logout", {}) == 204
    async with web.get(locked.url + "/console/side") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("back", "to"),
    [("/dashboard", "/dashboard"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/")],
)
async def test_the_language_switch_leads_back_to_this_house(
    harness: Harness, web: aiohttp.ClientSession, back: str, to: str
) -> None:
    async with web.get(harness.url + "/console/language/en", params={"next": back}, allow_redirects=False) as answer:
        assert answer.headers["Location"] == to
    async with web.get(harness.url + "/") as page:
        assert "Open incidents" in await page.text()


async def test_the_dashboard_says_what_is_measured_and_what_is_not(
    harness: Harness, web: aiohttp.ClientSession
) -> None:
    await harness.store.write(lambda db: seed_numbers(db, harness.clock.now()))
    async with web.get(harness.url + "/dashboard?hours=6") as page:
        html = await page.text()
    for words in (
        "橙色 Ⅱ级",
        "无人负责",
        "2 个事件进行中 · 1 个演练",
        "2/5 正常采集",
        "故障",
        "静默",
        "未接入",
        "hot.example 服务端异常（状态码 503）",
    ):
        assert words in html


async def test_a_picture_is_shown_and_anything_else_is_only_saved(harness: Harness, web: aiohttp.ClientSession) -> None:
    for name, media_type in (("p", "image/png"), ("s", "image/svg+xml"), ("h", "text/html")):
        harness.store.write_now(
            lambda db, row=(name, media_type): db.conn.execute(
                "INSERT INTO console_attachment VALUES (?, 'ein\"er.x', ?, '', x'00', '', 0)", row
            )
        )
    for name, shown in (("p", "inline"), ("s", "attachment"), ("h", "attachment")):
        async with web.get(f"{harness.url}/console/attachment/{name}") as answer:
            assert answer.headers["Content-Disposition"] == f'{shown}; filename="ein_er.x"'
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert (answer.content_type == "image/png") == (name == "p")


async def test_completion_offers_whole_lines(harness: Harness, web: aiohttp.ClientSession) -> None:
    async with web.get(harness.url + "/console/complete", params={"line": "指"}) as answer:
        assert await answer.json() == [{"line": "指派 I-12 李娜", "description": "换负责人"}]


@pytest.mark.parametrize(("language", "word"), [("zh-CN", "怎么传开的"), ("en", "how it spread")])
async def test_how_an_incident_spread_is_a_page_with_the_picture(
    harness: Harness, web: aiohttp.ClientSession, language: str, word: str
) -> None:
    def job(db: Database) -> None:
        grade, post = Grade.YELLOW, Post("p1", "s", "weibo", "星河支付<b>提现失败", harness.clock.now())
        incident_store.create(
            db, subject="xinghe-pay", subject_name="<script>", family="funds", crisis_type="withdrawal_failure",
            title="", grade=grade, signals=(), now=harness.clock.now(),
        )  # fmt: skip
        posts.store(db, [post], harness.clock.now())
        ((seq, stored),) = posts.unanalysed(db, 5)
        found = Analysis("zh", (("xinghe-pay", ("x",)),), types=(TypeHit(CrisisType.WITHDRAWAL_FAILURE, 1.0, ("x",)),))
        posts.record(db, [(seq, stored, found, 0)], {}, harness.clock.now())

    await harness.store.write(job)
    async with web.get(f"{harness.url}/spread/I-1", cookies={"fengbo_language": language}) as answer:
        page = await answer.text()
        assert answer.status == 200 and "style=" not in page
    assert '<svg class="scene"' in page and word in page and "tone-weibo" in page and "<script>" not in page
    async with web.get(f"{harness.url}/spread/I-99") as answer:
        assert answer.status == 404


async def test_where_nobody_signs_in_the_visitor_may_play_every_colleagues_part(
    harness: Harness, web: aiohttp.ClientSession
) -> None:
    async with web.get(harness.url + "/console/seat/zhaolei") as page:
        assert page.status == 200 and "/console/seat/" in await page.text()
    assert await post(web, harness, "/console/say", said(text="同意 S-1 a1b2")) == 202
    assert harness.inbox()[-1]["account"] == "zhaolei"
    async with web.get(harness.url + "/console/seat/nobody") as page:
        assert page.status == 404


async def test_a_seat_is_no_way_around_signing_in(locked: Harness, web: aiohttp.ClientSession) -> None:
    async with web.get(locked.url + "/console/seat/zhaolei") as page:
        assert page.status == 404
    web.cookie_jar.update_cookies({"fengbo_seat": "zhaolei"})
    async with web.get(locked.url + "/", allow_redirects=False) as page:
        assert page.status == 303 and page.headers["Location"] == "/console/login"
