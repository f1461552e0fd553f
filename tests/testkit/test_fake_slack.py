"""The fake Slack answers as Slack does: to the official SDK, to a real Bolt app, and to its own users."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import MINUTE, SECOND, VirtualClock
from bot.testkit.fake_slack import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, FakeSlack

START = 1_760_000_000_000


@pytest.fixture
async def clock():
    return VirtualClock(START)


@pytest.fixture
async def slack(clock):
    async with FakeSlack(clock) as server:
        yield server


@pytest.fixture
async def client(slack):
    return AsyncWebClient(token=BOT_TOKEN, base_url=slack.base_url, retry_handlers=[], timeout=2)


def button(action="take", value="I-1", label="Take it"):
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "action_id": action, "value": value}


def card(title="Withdrawals fail"):
    header = {"type": "header", "text": {"type": "plain_text", "text": title}}
    return [header, {"type": "actions", "elements": [button()]}]


MODAL = {"type": "modal", "callback_id": "note", "title": {"type": "plain_text", "text": "Note"}, "blocks": card()}


async def refused(awaitable):
    with pytest.raises(SlackApiError) as problem:
        await awaitable
    return problem.value.response


async def test_a_posted_card_stands_on_the_screen_and_is_rewritten_in_place(slack, client):
    posted = await client.chat_postMessage(channel="C0ALERTS", text="Crisis", blocks=card())
    await client.chat_update(channel="C0ALERTS", ts=posted["ts"], text="Crisis", blocks=card("Calmer now"))
    (message,) = slack.screen("pr-alerts")
    assert message.visible == "Calmer now\nTake it"
    assert message.revisions == ["Withdrawals fail\nTake it"]
    assert [call.method for call in slack.calls] == ["chat.postMessage", "chat.update"]


async def test_update_with_text_alone_takes_the_blocks_away(slack, client):
    posted = await client.chat_postMessage(channel="C0ALERTS", text="Crisis", blocks=card())
    await client.chat_update(channel="C0ALERTS", ts=posted["ts"], text="Over")
    assert slack.screen("C0ALERTS")[0].visible == "Over"


async def test_replies_are_in_the_thread_and_not_on_the_channel(slack, client):
    root = await client.chat_postMessage(channel="C0ALERTS", text="root")
    await client.chat_postMessage(channel="C0ALERTS", text="reply", thread_ts=root["ts"])
    (message,) = slack.screen("C0ALERTS")
    assert [reply.text for reply in slack.thread(message)] == ["reply"]
    replies = await client.conversations_replies(channel="C0ALERTS", ts=root["ts"])
    assert [reply["text"] for reply in replies["messages"]] == ["root", "reply"]
    history = await client.conversations_history(channel="C0ALERTS")
    assert [one["text"] for one in history["messages"]] == ["root"]


async def test_history_shows_metadata_only_when_asked(slack, client):
    metadata = {"event_type": "outbox", "event_payload": {"key": "k1"}}
    await client.chat_postMessage(channel="C0ALERTS", text="one", metadata=metadata)
    plain = await client.conversations_history(channel="C0ALERTS")
    full = await client.conversations_history(channel="C0ALERTS", include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata


async def test_history_pages_newest_first_and_from_a_moment_on(slack, client, clock):
    stamps = []
    for number in range(5):
        stamps.append((await client.chat_postMessage(channel="C0ALERTS", text=f"m{number}"))["ts"])
        await clock.advance(SECOND)
    first = await client.conversations_history(channel="C0ALERTS", limit=2)
    second = await client.conversations_history(
        channel="C0ALERTS", limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [one["text"] for one in [*first["messages"], *second["messages"]]] == ["m4", "m3", "m2", "m1"]
    late = await client.conversations_history(channel="C0ALERTS", oldest=stamps[3])
    assert [one["text"] for one in late["messages"]] == ["m4"]
    assert stamps == sorted(stamps, key=float)


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat_postMessage", {"channel": "C0NOBODY", "text": "x"}, "channel_not_found"),
        ("api_call", {"api_method": "chat.postMessage", "json": {"channel": "C0ALERTS"}}, "no_text"),
        ("chat_postMessage", {"channel": "C0ALERTS", "text": "x" * 40_001}, "msg_too_long"),
        (
            "chat_postMessage",
            {"channel": "C0ALERTS", "text": "x", "metadata": {"event_type": "x"}},
            "invalid_metadata_format",
        ),
        ("chat_update", {"channel": "C0ALERTS", "ts": "1.0", "text": "x"}, "message_not_found"),
        ("chat_update", {"channel": "pr-alerts", "ts": "1.0", "text": "x"}, "channel_not_found"),
        ("chat_postEphemeral", {"channel": "C0ALERTS", "user": "U0OTHER", "text": "x"}, "user_not_in_channel"),
        ("conversations_create", {"name": "pr-alerts"}, "name_taken"),
        ("conversations_create", {"name": "Has Space"}, "invalid_name"),
        ("conversations_invite", {"channel": "C0ALERTS", "users": "U0LINA"}, "already_in_channel"),
        ("conversations_setTopic", {"channel": "C0ALERTS", "topic": "x" * 251}, "too_long"),
        ("conversations_replies", {"channel": "C0ALERTS", "ts": "1.0"}, "thread_not_found"),
        ("users_info", {"user": "U0OTHER"}, "user_not_found"),
        ("views_open", {"trigger_id": "1.2.3", "view": MODAL}, "invalid_trigger_id"),
        ("views_update", {"view_id": "V0", "view": MODAL}, "not_found"),
        ("api_call", {"api_method": "chat.shout"}, "unknown_method"),
    ],
)
async def test_what_slack_refuses_is_refused_with_its_word(client, method, arguments, error):
    response = await refused(getattr(client, method)(**arguments))
    assert response["error"] == error


async def test_a_person_s_message_cannot_be_updated(slack, client):
    message = slack.say("hello", "U0LINA", "C0ALERTS")
    response = await refused(client.chat_update(channel="C0ALERTS", ts=message.ts, text="x"))
    assert response["error"] == "cant_update_message"


async def test_a_channel_without_the_bot_refuses_posts(slack, client):
    slack.workspace.add_channel("C0OPEN", "open", with_bot=False)
    slack.workspace.add_channel("C0HIDDEN", "hidden", with_bot=False, is_private=True)
    assert (await refused(client.chat_postMessage(channel="C0OPEN", text="x")))["error"] == "not_in_channel"
    assert (await refused(client.chat_postMessage(channel="C0HIDDEN", text="x")))["error"] == "channel_not_found"


async def test_wrong_blocks_name_their_place_and_too_much_text_over_all_blocks_is_refused(client):
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
    response = await refused(client.chat_postMessage(channel="C0ALERTS", text="x", blocks=[header]))
    assert response["error"] == "invalid_blocks"
    place = "[json-pointer:/blocks/0/text/text]"
    assert response["response_metadata"]["messages"] == [f"[ERROR] must be less than 151 characters {place}"]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2700}}
    response = await refused(client.chat_postMessage(channel="C0ALERTS", text="x", blocks=[section] * 5))
    assert response["error"] == "msg_blocks_too_long"


@pytest.mark.parametrize(
    ("token", "error"), [("", "not_authed"), ("xoxb-other", "invalid_auth"), (APP_TOKEN, "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(slack, token, error):
    client = AsyncWebClient(token=token, base_url=slack.base_url)
    assert (await refused(client.auth_test()))["error"] == error


async def test_a_missing_scope_says_which(slack, client):
    slack.scopes.discard("files:write")
    response = await refused(client.files_getUploadURLExternal(filename="a.png", length=3))
    assert (response["error"], response["needed"]) == ("missing_scope", "files:write")


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("text/plain", b"channel=C0ALERTS", "invalid_post_type"),
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[]", "json_not_object"),
    ],
)
async def test_a_body_that_is_neither_form_nor_json_is_refused(slack, content_type, body, error):
    headers = {"Authorization": f"Bearer {BOT_TOKEN}", "Content-Type": content_type}
    async with aiohttp.ClientSession() as session:
        response = await session.post(slack.base_url + "chat.postMessage", data=body, headers=headers)
        assert (await response.json())["error"] == error


async def test_a_form_body_with_blocks_as_a_string_is_taken(slack):
    form = {"channel": "C0ALERTS", "text": "x", "blocks": json.dumps(card()), "token": BOT_TOKEN}
    async with aiohttp.ClientSession() as session:
        response = await session.post(slack.base_url + "chat.postMessage", data=form)
        assert (await response.json())["ok"] is True
    assert slack.screen("C0ALERTS")[0].element("Take it")["value"] == "I-1"


async def test_documented_rates_answer_429_with_the_time_to_wait(slack, client, clock):
    slack.documented_rates()
    await client.chat_postMessage(channel="C0ALERTS", text="1")
    response = await refused(client.chat_postMessage(channel="C0ALERTS", text="2"))
    assert (response.status_code, response["error"], response.headers["Retry-After"]) == (429, "ratelimited", "1")
    await client.chat_postMessage(channel="C0DRILL", text="other channel")
    await clock.advance(SECOND)
    await client.chat_postMessage(channel="C0ALERTS", text="3")
    assert [message.text for message in slack.screen("C0ALERTS")] == ["1", "3"]


async def test_planned_failures_come_in_order_and_end(slack, client):
    slack.fail_next("chat.postMessage", "fatal_error", times=2)
    slack.fail_next("chat.postMessage", status=503)
    errors = [(await refused(client.chat_postMessage(channel="C0ALERTS", text="x"))) for _ in range(2)]
    assert [error["error"] for error in errors] == ["fatal_error", "fatal_error"]
    assert (await refused(client.chat_postMessage(channel="C0ALERTS", text="x"))).status_code == 503
    await client.chat_postMessage(channel="C0ALERTS", text="at last")
    assert [message.text for message in slack.screen("C0ALERTS")] == ["at last"]


@pytest.mark.parametrize(("knob", "shown"), [("drop_after_effect", 1), ("drop_before_effect", 0)])
async def test_a_cut_connection_leaves_or_does_not_leave_the_message(slack, client, knob, shown):
    getattr(slack, knob)("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C0ALERTS", text="x")
    assert len(slack.screen("C0ALERTS")) == shown


async def test_a_hanging_call_never_answers_and_does_nothing(slack, client):
    slack.hang("chat.postMessage")
    call = asyncio.ensure_future(client.chat_postMessage(channel="C0ALERTS", text="x"))
    await slack.wait_for_calls("chat.postMessage")
    assert not call.done()
    slack.faults.release()
    with pytest.raises(aiohttp.ClientError):
        await call
    assert slack.screen("C0ALERTS") == []


async def test_waiting_in_vain_names_the_calls_seen(slack, client):
    await client.auth_test()
    with pytest.raises(TimeoutError, match=r"auth\.test"):
        await slack.wait_for(lambda: slack.screen("C0ALERTS"), timeout=0.01)


async def test_the_files_upload_flow_puts_the_file_under_the_thread(slack, client):
    root = await client.chat_postMessage(channel="C0ALERTS", text="root")
    await client.files_upload_v2(channel="C0ALERTS", thread_ts=root["ts"], filename="chart.png", content=b"PNG!")
    (reply,) = slack.thread(slack.screen("C0ALERTS")[0])
    assert [file["name"] for file in reply.files] == ["chart.png"]
    assert slack.workspace.uploads[reply.files[0]["id"]].content == b"PNG!"


async def test_a_trigger_opens_one_view_within_three_seconds(slack, client, clock):
    trigger = slack.workspace.new_trigger("U0LINA")
    opened = await client.views_open(trigger_id=trigger, view=MODAL)
    assert slack.modals("U0LINA")[0].id == opened["view"]["id"]
    assert (await refused(client.views_open(trigger_id=trigger, view=MODAL)))["error"] == "exchanged_trigger_id"
    late = slack.workspace.new_trigger("U0LINA")
    await clock.advance(3 * SECOND + 1)
    assert (await refused(client.views_open(trigger_id=late, view=MODAL)))["error"] == "expired_trigger_id"


async def test_a_home_tab_is_published_and_a_stale_hash_conflicts(slack, client):
    home = {"type": "home", "blocks": card("Open incidents")}
    first = await client.views_publish(user_id="U0LINA", view=home)
    assert "Open incidents" in slack.home("U0LINA").visible
    await client.views_publish(user_id="U0LINA", view=home, hash=first["view"]["hash"])
    response = await refused(client.views_publish(user_id="U0LINA", view=home, hash=first["view"]["hash"]))
    assert response["error"] == "hash_conflict"


async def test_a_response_url_works_five_times_in_thirty_minutes(slack, clock):
    async with aiohttp.ClientSession() as session:
        address = slack.url + slack.workspace.new_response_url("U0LINA", "C0ALERTS")
        answers = [(await session.post(address, json={"text": f"n{n}"})).status for n in range(6)]
        assert answers == [200] * 5 + [404]
        late = slack.url + slack.workspace.new_response_url("U0LINA", "C0ALERTS")
        await clock.advance(30 * MINUTE + 1)
        response = await session.post(late, json={"text": "late"})
        assert (await response.json())["error"] == "expired_url"
    assert len(slack.ephemerals("U0LINA")) == 5


# -- a real Bolt app as the peer: what the fake sends is what Bolt understands -----------------------------------


def bolt_app(slack, seen):
    client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.base_url)
    app = AsyncApp(client=client, signing_secret=SIGNING_SECRET, process_before_response=True)

    @app.event("app_mention")
    async def mention(event, say):
        seen.append(("mention", event["text"]))
        await say(text="heard", thread_ts=event["ts"])

    @app.command("/crisis")
    async def crisis(ack, command):
        seen.append(("command", command["text"]))
        await ack(f"you said {command['text']}")

    @app.action("take")
    async def take(ack, body, respond, client):
        await ack()
        seen.append(("action", body["actions"][0]["value"], body["user"]["id"]))
        await respond(text="taken", replace_original=True)
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL | {"notify_on_close": True})

    @app.view("note")
    async def note(ack, view):
        seen.append(("view", view["state"]["values"]))
        await ack(response_action="errors", errors={"b": "too short"}) if not view["state"]["values"] else await ack()

    @app.shortcut("add")
    async def add(ack, shortcut):
        await ack()
        seen.append(("shortcut", shortcut["type"]))

    return app


@pytest.fixture
async def live():
    """A fake on the real clock, because Bolt compares signatures with the time of the machine."""
    async with FakeSlack() as server:
        yield server


@pytest.fixture
async def bolt(live):
    seen = []
    app = bolt_app(live, seen)

    async def events(request):
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    application = web.Application()
    application.router.add_post("/slack/events", events)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    live.connect(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    yield seen
    await runner.cleanup()


async def walk_through(slack, seen):
    """Mention, command, click, modal, shortcut; the same over HTTP and over Socket Mode."""
    assert (await slack.mention("help", "U0LINA", "C0ALERTS")).ok
    await slack.wait_for_message("C0ALERTS", "heard")
    assert (await slack.slash("status", "U0LINA", "C0ALERTS")).ok
    assert [message.text for message in slack.ephemerals("U0LINA")] == ["you said status"]
    await AsyncWebClient(token=BOT_TOKEN, base_url=slack.base_url).chat_postMessage(
        channel="C0DRILL", text="x", blocks=card()
    )
    (message,) = slack.screen("C0DRILL")
    assert (await slack.click(message, "Take it", "U0CHEN")).ok
    await slack.wait_for(lambda: slack.modals("U0CHEN"))
    assert message.visible == "taken"
    (view,) = slack.modals("U0CHEN")
    assert (await slack.submit_view(view, {})).json["response_action"] == "errors"
    assert slack.modals("U0CHEN") == [view]
    assert (await slack.submit_view(view, {"b": {"a": {"value": "x"}}})).ok
    assert slack.modals("U0CHEN") == []
    assert (await slack.message_action("add", message, "U0LINA")).ok
    assert (await slack.shortcut("add", "U0LINA")).ok
    assert seen == [
        ("mention", "<@U0FENGBO> help"),
        ("command", "status"),
        ("action", "I-1", "U0CHEN"),
        ("view", {}),
        ("view", {"b": {"a": {"value": "x"}}}),
        ("shortcut", "message_action"),
        ("shortcut", "shortcut"),
    ]


async def test_a_real_bolt_app_understands_every_request_over_http(live, bolt):
    assert (await live.challenge()).json["challenge"] == "fake-challenge"
    await walk_through(live, bolt)


async def test_a_real_bolt_app_understands_every_request_over_socket_mode(live):
    seen = []
    handler = AsyncSocketModeHandler(bolt_app(live, seen), app_token=APP_TOKEN)
    handler.client.web_client.base_url = live.base_url
    await handler.connect_async()
    await live.wait_for(lambda: live.hub.sockets)
    live.connect(socket_mode=True)
    await walk_through(live, seen)
    await live.hub.disconnect()
    await live.wait_for(lambda: live.hub.opened == 2 and live.hub.sockets, timeout=10)
    await handler.close_async()


async def test_a_wrong_or_old_signature_is_refused_by_bolt(live, bolt):
    assert (await live.slash("x", "U0LINA", "C0ALERTS", sign_with="other")).status == 401
    assert (await live.slash("x", "U0LINA", "C0ALERTS", age=6 * MINUTE)).status == 401
    assert bolt == []


async def test_a_ticket_opens_one_connection(slack):
    client = AsyncWebClient(token=APP_TOKEN, base_url=slack.base_url)
    address = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(address) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(address)


async def test_an_event_that_is_not_acknowledged_in_time_reports_a_time_out(slack):
    client = AsyncWebClient(token=APP_TOKEN, base_url=slack.base_url)
    address = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
    slack.connect(socket_mode=True)
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        await socket.receive_json()
        reply = await slack.event({"type": "app_home_opened"}, retry=1, timeout=0.02)
        assert (reply.ok, reply.error) == (False, "timeout")
        assert (await socket.receive_json())["retry_attempt"] == 1
