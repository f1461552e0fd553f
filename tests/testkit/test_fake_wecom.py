"""The fake WeCom answers as WeCom does, and its envelope agrees with wechatpy's."""

import base64
import hashlib

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.clock import HOUR, MINUTE, SECOND, VirtualClock
from bot.testkit.fake_wecom import AES_KEY, AGENT_ID, CALLBACK_TOKEN, CORP_ID, ROBOT_KEY, SECRET, FakeWeCom
from bot.testkit.wecom_crypto import decrypt, encrypt, from_xml, signature, to_xml

START = 1_760_000_000_000


@pytest.fixture
async def clock():
    return VirtualClock(START)


@pytest.fixture
async def wecom(clock):
    async with FakeWeCom(clock) as server:
        yield server


@pytest.fixture
async def call(wecom):
    """Call a method with a good token: ``await call("message/send", {...})``."""
    async with aiohttp.ClientSession() as session:

        async def post(method, body=None, **query):
            query = {"access_token": wecom.corporation.token()[0], "agentid": AGENT_ID} | query
            verb = "GET" if body is None else "POST"
            async with session.request(verb, wecom.base_url + method, params=query, json=body) as response:
                return await response.json()

        yield post


def text(content="hello", user="lina", **more):
    return {"touser": user, "agentid": AGENT_ID, "msgtype": "text", "text": {"content": content}} | more


def button_card(task="I-1", **more):
    buttons = [{"text": "Take it", "style": 1, "key": "take:I-1"}, {"text": "Mute", "key": "mute:I-1"}]
    card = {"card_type": "button_interaction", "main_title": {"title": "Crisis"}, "task_id": task}
    return card | {"button_list": buttons} | more


def card_message(card, user="lina|chenjing"):
    return {"touser": user, "agentid": AGENT_ID, "msgtype": "template_card", "template_card": card}


async def test_a_text_stands_in_the_inbox_of_its_receiver(wecom, call):
    answer = await call("message/send", text("提现失败"))
    assert answer["errcode"] == 0
    assert [message.text for message in wecom.inbox("lina")] == ["提现失败"]
    assert wecom.inbox("chenjing") == []


async def test_some_invalid_receivers_come_with_errcode_0(call):
    answer = await call("message/send", text(user="lina|NoBody"))
    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody")


async def test_a_long_text_is_cut_on_a_character_and_marked(wecom, call):
    await call("message/send", text("字" * 700))
    (message,) = wecom.inbox("lina")
    assert message.was_cut
    assert message.text == "字" * 682


def without(key):
    body = text()
    del body[key]
    return body


REFUSED = [
    (text(user="nobody"), 81013),
    (text(user=""), 82001),
    (without("agentid"), 41011),
    (text(agentid=7), 40056),
    (text(msgtype="poem"), 40008),
    (text(""), 44004),
    ({"touser": "lina", "agentid": AGENT_ID, "msgtype": "markdown", "markdown": {"content": "字" * 683}}, 45002),
    ({"touser": "lina", "agentid": AGENT_ID, "msgtype": "image", "image": {"media_id": "x"}}, 40007),
    (card_message(button_card(task="bad id!")), 42014),
    (card_message(button_card(task="x" * 129)), 42014),
    (card_message(button_card(button_list=[{"text": str(n), "key": str(n)} for n in range(7)])), 40058),
    (card_message(button_card(button_list=[{"text": "a", "key": "x" * 1025}])), 42018),
    (card_message(button_card(button_list=[{"text": "a", "key": "x"}, {"text": "b", "key": "x"}])), 42018),
    (card_message(button_card(button_list=[{"text": "a"}])), 42019),
    (card_message(button_card(button_list=[{"key": "a"}])), 42020),
    (card_message(button_card(main_title={})), 40058),
    (card_message(button_card(horizontal_content_list=[{"keyname": "k"}] * 7)), 40058),
    (card_message({"card_type": "text_notice", "main_title": {"title": "x"}}), 40058),
    (card_message({"card_type": "poster", "main_title": {"title": "x"}}), 40058),
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
async def test_what_wecom_refuses_is_refused_with_its_errcode(wecom, call, body, code):
    answer = await call("message/send", body)
    assert answer["errcode"] == code
    assert answer["errmsg"].endswith(f"e={code}")
    assert wecom.corporation.messages == []


async def test_a_card_gives_a_code_and_its_task_id_is_used_once(wecom, call):
    first = await call("message/send", card_message(button_card()))
    assert first["response_code"]
    assert (await call("message/send", card_message(button_card())))["errcode"] == 42014
    wecom.callback_configured = False
    assert (await call("message/send", card_message(button_card(task="I-2"))))["errcode"] == 43012


async def test_longer_titles_than_shown_are_advice_not_errors(wecom, call):
    await call("message/send", card_message(button_card(main_title={"title": "题" * 37})))
    assert wecom.inbox("lina")[0].advice == ["main_title.title: 37 characters, about 36 are shown"]


async def test_a_response_code_changes_the_card_once(wecom, call):
    sent = await call("message/send", card_message(button_card()))
    update = {"userids": ["lina", "zhaolei"], "agentid": AGENT_ID, "response_code": sent["response_code"]}
    answer = await call("message/update_template_card", update | {"button": {"replace_name": "Taken by 李娜"}})
    assert (answer["errcode"], answer["invaliduser"]) == (0, ["zhaolei"])
    (message,) = wecom.inbox("lina")
    assert message.visible("lina") == "Crisis\nTaken by 李娜"
    assert message.visible("chenjing") == "Crisis\nTake it\nMute"
    again = await call("message/update_template_card", update | {"button": {"replace_name": "x"}})
    assert again["errcode"] == 42022


async def test_a_response_code_lives_72_hours(wecom, call, clock):
    sent = await call("message/send", card_message(button_card()))
    await clock.advance(72 * HOUR + 1)
    body = {"userids": ["lina"], "agentid": AGENT_ID, "response_code": sent["response_code"]}
    answer = await call("message/update_template_card", body | {"template_card": button_card()})
    assert answer["errcode"] == 40058


async def test_a_recalled_message_is_gone_but_only_within_a_day(wecom, call, clock):
    sent = await call("message/send", text())
    later = await call("message/send", text("stays"))
    assert (await call("message/recall", {"msgid": sent["msgid"]}))["errcode"] == 0
    await clock.advance(25 * HOUR)
    assert (await call("message/recall", {"msgid": later["msgid"]}))["errcode"] == 40058
    assert [message.text for message in wecom.inbox("lina")] == ["stays"]


async def test_the_duplicate_check_swallows_the_same_request_for_its_interval(wecom, call, clock):
    body = text(enable_duplicate_check=1, duplicate_check_interval=60)
    assert [(await call("message/send", body))["errcode"] for _ in range(2)] == [0, 0]
    assert len(wecom.inbox("lina")) == 1
    await clock.advance(61 * SECOND)
    await call("message/send", body)
    await call("message/send", text())
    await call("message/send", text())
    assert len(wecom.inbox("lina")) == 4


async def test_surplus_to_a_member_is_lost_without_a_word(wecom, call):
    wecom.documented_rates()
    answers = [(await call("message/send", text(f"n{number}")))["errcode"] for number in range(32)]
    assert answers == [0] * 32
    assert len(wecom.inbox("lina")) == 30
    assert [user for user, _ in wecom.corporation.dropped] == ["lina", "lina"]


async def test_a_token_is_stable_until_it_expires_or_is_revoked(wecom, call, clock):
    async with aiohttp.ClientSession() as session:

        async def get(**query):
            async with session.get(wecom.base_url + "gettoken", params=query) as response:
                return await response.json()

        good = {"corpid": CORP_ID, "corpsecret": SECRET}
        first, second = await get(**good), await get(**good)
        assert first["access_token"] == second["access_token"]
        assert first["expires_in"] == 7200
        assert (await get(corpid=CORP_ID, corpsecret="wrong"))["errcode"] == 40001
        assert (await get(corpid="ww0", corpsecret=SECRET))["errcode"] == 40013
        assert (await get(corpid=CORP_ID))["errcode"] == 41004
        await clock.advance(7200 * SECOND)
        stale = await call("user/get", None, userid="lina", access_token=first["access_token"])
        assert stale["errcode"] == 42001
        third = await get(**good)
        wecom.corporation.revoke_tokens()
        assert (await call("user/get", None, userid="lina", access_token=third["access_token"]))["errcode"] == 40014
        assert (await call("user/get", None, userid="lina", access_token=""))["errcode"] == 41001
        codes = [(await get(**good)).get("errcode") for _ in range(30)]
        assert codes[-1] == 45009
    assert len(wecom.calls_of("gettoken")) > 30


async def test_a_group_robot_has_its_own_limits(wecom, call):
    assert (await call("webhook/send", {"msgtype": "text", "text": {"content": "x"}}, key="other"))["errcode"] == 93000
    for kind, limit in (("text", 2048), ("markdown", 4096)):
        fits = {"msgtype": kind, kind: {"content": "x" * limit}}
        long = {"msgtype": kind, kind: {"content": "x" * (limit + 1)}}
        assert (await call("webhook/send", fits, key=ROBOT_KEY))["errcode"] == 0
        assert (await call("webhook/send", long, key=ROBOT_KEY))["errcode"] == 40058
    card = {"msgtype": "template_card", "template_card": button_card()}
    assert (await call("webhook/send", card, key=ROBOT_KEY))["errcode"] == 40058
    assert [post.kind for post in wecom.robot()] == ["text", "markdown"]


async def test_a_robot_takes_20_a_minute_then_45009(wecom, call, clock):
    wecom.documented_rates()
    body = {"msgtype": "text", "text": {"content": "x"}}
    codes = [(await call("webhook/send", body, key=ROBOT_KEY))["errcode"] for _ in range(21)]
    assert codes == [0] * 20 + [45009]
    await clock.advance(MINUTE)
    assert (await call("webhook/send", body, key=ROBOT_KEY))["errcode"] == 0


async def test_a_robot_image_must_match_its_digest(call):
    good = {"base64": "UE5HIQ==", "md5": hashlib.md5(b"PNG!").hexdigest()}
    assert (await call("webhook/send", {"msgtype": "image", "image": good}, key=ROBOT_KEY))["errcode"] == 0
    bad = {"msgtype": "image", "image": good | {"md5": "0"}}
    assert (await call("webhook/send", bad, key=ROBOT_KEY))["errcode"] == 40058


async def test_uploaded_media_can_be_sent(wecom, call):
    form = aiohttp.FormData()
    form.add_field("media", b"PNG picture", filename="chart.png")
    token = wecom.corporation.token()[0]
    async with aiohttp.ClientSession() as session:
        address = wecom.base_url + "media/upload"
        async with session.post(address, params={"type": "image", "access_token": token}, data=form) as response:
            answer = await response.json()
    body = {"touser": "lina", "agentid": AGENT_ID, "msgtype": "image", "image": {"media_id": answer["media_id"]}}
    assert (await call("message/send", body))["errcode"] == 0


@pytest.mark.parametrize(
    ("menu", "code"),
    [
        ({"button": [{"type": "click", "name": "帮助", "key": "help"}]}, 0),
        ({"button": [{"type": "click", "name": "x", "key": "k"}] * 4}, 40016),
        ({"button": [{"type": "click", "name": "字" * 6, "key": "k"}]}, 40018),
        ({"button": [{"type": "click", "name": "x"}]}, 40019),
        ({"button": [{"type": "sing", "name": "x"}]}, 40017),
        ({"button": [{"name": "x", "sub_button": [{"type": "click", "name": "x", "key": "k"}] * 6}]}, 40023),
    ],
)
async def test_a_menu_is_checked_and_kept(call, menu, code):
    assert (await call("menu/get"))["errcode"] == 46003
    assert (await call("menu/create", menu))["errcode"] == code
    if not code:
        assert (await call("menu/get"))["button"] == menu["button"]


async def test_a_group_chat_takes_markdown_but_no_cards(wecom, call):
    chat = await call("appchat/create", {"name": "war room", "userlist": ["lina", "chenjing"]})
    good = {"chatid": chat["chatid"], "msgtype": "markdown", "markdown": {"content": "**x**"}}
    assert (await call("appchat/send", good))["errcode"] == 0
    card = {"chatid": chat["chatid"], "msgtype": "template_card", "template_card": button_card()}
    assert (await call("appchat/send", card))["errcode"] == 40008
    assert (await call("appchat/send", good | {"chatid": "other"}))["errcode"] == 86003


async def test_planned_failures_use_errcodes_and_the_unclear_one_has_its_effect(wecom, call):
    wecom.fail_next("message/send", -1)
    assert (await call("message/send", text()))["errcode"] == -1
    wecom.drop_after_effect("message/send")
    with pytest.raises(aiohttp.ClientError):
        await call("message/send", text("unclear"))
    assert [message.text for message in wecom.inbox("lina")] == ["unclear"]


# -- callbacks -------------------------------------------------------------------------------------------------


def wechatpy_crypto():
    return WeChatCrypto(CALLBACK_TOKEN, AES_KEY, CORP_ID)


class Bot:
    """A bot made of wechatpy, which answers what the test puts in ``answers``."""

    def __init__(self):
        self.seen = []
        self.answers = []
        self.crypto = wechatpy_crypto()

    async def handle(self, request):
        query = request.query
        signed = (query["msg_signature"], query["timestamp"], query["nonce"])
        if request.method == "GET":
            return web.Response(text=self.crypto.check_signature(*signed, query["echostr"]))
        self.seen.append(from_xml(self.crypto.decrypt_message(await request.text(), *signed)))
        answer = self.answers.pop(0) if self.answers else ""
        if isinstance(answer, int):
            return web.Response(status=answer)
        reply = self.crypto.encrypt_message(answer, query["nonce"], query["timestamp"]) if answer else ""
        return web.Response(text=reply)


@pytest.fixture
async def bot(wecom):
    it = Bot()
    application = web.Application()
    application.router.add_route("*", "/wecom/callback", it.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    wecom.connect(f"http://127.0.0.1:{runner.addresses[0][1]}/wecom/callback")
    yield it
    await runner.cleanup()


async def test_the_url_check_accepts_wechatpy(wecom, bot):
    assert (await wecom.verify_url()).ok


async def test_a_text_arrives_with_its_fields_and_the_reply_is_read(wecom, bot):
    bot.answers = [to_xml({"MsgType": "text", "Content": "收到 ]]> <b>"})]
    reply = await wecom.say("lina", "状态 ]]>")
    assert reply.message["Content"] == "收到 ]]> <b>"
    seen = bot.seen[0]
    assert (seen["FromUserName"], seen["Content"], seen["AgentID"]) == ("lina", "状态 ]]>", str(AGENT_ID))
    assert seen["CreateTime"] == str(START // 1000)
    assert wecom.inbox("lina")[-1].text == "收到 ]]> <b>"


async def test_a_click_carries_task_key_and_a_fresh_code_and_the_reply_greys_the_button(wecom, bot, call):
    sent = await call("message/send", card_message(button_card()))
    bot.answers = [to_xml({"MsgType": "update_button", "Button": {"ReplaceName": "Taken"}})]
    (message,) = wecom.inbox("lina")
    assert (await wecom.click(message, "Take it", "lina")).ok
    seen = bot.seen[0]
    assert (seen["Event"], seen["EventKey"], seen["TaskId"]) == ("template_card_event", "take:I-1", "I-1")
    assert seen["CardType"] == "button_interaction"
    assert seen["ResponseCode"] not in ("", sent["response_code"])
    assert message.visible("lina") == "Crisis\nTaken"
    with pytest.raises(LookupError):
        await wecom.click(message, "Take it", "lina")
    body = {"userids": ["lina"], "agentid": AGENT_ID, "response_code": seen["ResponseCode"]}
    card = button_card(main_title={"title": "Over"}, button_list=[{"text": "Reopen", "key": "r"}])
    assert (await call("message/update_template_card", body | {"template_card": card}))["errcode"] == 0
    assert message.visible("lina") == "Over\nReopen"


async def test_a_reply_can_replace_the_whole_card(wecom, bot, call):
    await call("message/send", card_message(button_card()))
    card = {"CardType": "button_interaction", "MainTitle": {"Title": "Two to go"}}
    card |= {"ButtonList": [{"Text": "Yes", "Key": "y"}], "HorizontalContentList": [{"KeyName": "票", "Value": "1/3"}]}
    bot.answers = [to_xml({"MsgType": "update_template_card", "TemplateCard": card})]
    (message,) = wecom.inbox("lina")
    await wecom.click(message, "mute:I-1", "lina")
    assert message.visible("lina") == "Two to go\n票 1/3\nYes"
    assert message.visible("chenjing") == "Crisis\nTake it\nMute"


async def test_a_vote_names_the_chosen_options(wecom, bot, call):
    options = [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]
    card = {"card_type": "vote_interaction", "main_title": {"title": "?"}, "task_id": "v1"}
    card |= {"checkbox": {"question_key": "q", "option_list": options}, "submit_button": {"text": "OK", "key": "ok"}}
    await call("message/send", card_message(card))
    await wecom.click(wecom.inbox("lina")[0], "ok", "lina", selected={"q": ["a", "b"]})
    assert bot.seen[0]["SelectedItems"]["SelectedItem"]["OptionIds"]["OptionId"] == ["a", "b"]


async def test_a_menu_click_is_an_event(wecom, bot):
    await wecom.menu_click("lina", "help")
    assert (bot.seen[0]["Event"], bot.seen[0]["EventKey"]) == ("click", "help")


async def test_a_failed_callback_is_repeated_three_times(wecom, bot):
    bot.answers = [500, 503, ""]
    assert (await wecom.say("lina", "x", retry=True)).calls == 3
    bot.answers = [500] * 5
    reply = await wecom.say("lina", "y", retry=True)
    assert (reply.ok, reply.calls) == (False, 4)
    assert len({seen["MsgId"] for seen in bot.seen}) == 2


@pytest.mark.parametrize("spoiled", [{"sign_with": "other"}, {"corrupt": True}, {"receiver": "ww-other"}])
async def test_a_spoiled_callback_is_not_understood(wecom, bot, spoiled):
    reply = await wecom.say("lina", "x", **spoiled)
    assert reply.status == 500
    assert bot.seen == []


async def test_a_reply_with_another_nonce_is_refused(wecom, bot):
    bot.crypto.encrypt_message = lambda *_: wechatpy_crypto().encrypt_message("<xml/>", "12345", "1")
    bot.answers = ["x"]
    assert "nonce" in (await wecom.say("lina", "x")).problem


@given(st.binary(max_size=600), st.text(max_size=30))
def test_what_is_encrypted_decrypts(message, receiver):
    assert decrypt(AES_KEY, encrypt(AES_KEY, message, receiver)) == (message, receiver)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_wechatpy_decrypts_ours_and_we_decrypt_wechatpys(message):
    encrypted = encrypt(AES_KEY, message.encode(), CORP_ID)
    signed = signature(CALLBACK_TOKEN, "1", "2", encrypted)
    assert wechatpy_crypto().decrypt_message({"Encrypt": encrypted}, signed, "1", "2") == message
    theirs = from_xml(wechatpy_crypto().encrypt_message(message, "2", "1"))["Encrypt"]
    assert decrypt(AES_KEY, theirs) == (message.encode(), CORP_ID)


@given(st.text(max_size=100) | st.binary(max_size=100).map(lambda raw: base64.b64encode(raw).decode()))
def test_nonsense_is_a_value_error(encrypted):
    with pytest.raises(ValueError):
        decrypt(AES_KEY, encrypted)
