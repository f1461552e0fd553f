"""What WeCom sends to a bot's callback address, and what it makes of the answers."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.clock import SECOND
from bot.testkit.wecom_cards import is_interactive
from bot.testkit.wecom_crypto import XmlValue, decrypt, encrypt, from_xml, signature, to_xml
from bot.testkit.wecom_state import Corporation, WeComMessage

ANSWER_WITHIN = 5.0
VERIFY_WITHIN = 1.0
CALLS = 4  # the first and three repetitions


@dataclass(frozen=True, slots=True)
class WeComReply:
    """What came back. ``message`` is the decrypted passive reply, ``None`` for an empty answer.

    ``problem`` says why WeCom would not take the answer (late, not 200, wrong signature or nonce …); ``calls`` counts
    how often the callback was made.
    """

    status: int | None
    text: str = ""
    message: dict[str, Any] | None = None
    problem: str = ""
    seconds: float = 0.0
    calls: int = 1

    @property
    def ok(self) -> bool:
        return not self.problem


class WeComCallbacks:
    """Members' messages and clicks, encrypted and signed. The keyword arguments of ``deliver`` spoil a call."""

    def __init__(self, corporation: Corporation, corp_id: str, agent_id: int, token: str, aes_key: str) -> None:
        self._corporation = corporation
        self._corp_id, self._agent_id = corp_id, agent_id
        self.token, self.aes_key = token, aes_key
        self.url = ""

    # -- what members do ----------------------------------------------------------------------------------------

    async def verify_url(self, **how: Any) -> WeComReply:
        """GET with an encrypted ``echostr``; the plain text must come back in a second, and nothing else."""
        secret = str(secrets.randbelow(10**19))
        encrypted = encrypt(self.aes_key, secret.encode(), how.pop("receiver", self._corp_id))
        query = {**self._query(encrypted, **how), "echostr": encrypted}
        reply = await self._request("GET", query, None, VERIFY_WITHIN)
        if reply.ok and reply.text != secret:
            return WeComReply(reply.status, reply.text, problem="the answer is not the decrypted echostr")
        return reply

    async def text(self, user: str, content: str, **how: Any) -> WeComReply:
        fields = {"MsgType": "text", "Content": content, "MsgId": how.pop("message_id", self._corporation.number())}
        return await self.deliver(self.fields(user, fields), user, **how)

    async def event(self, user: str, event: str, more: Mapping[str, XmlValue], **how: Any) -> WeComReply:
        fields = {"MsgType": "event", "Event": event, **more}
        return await self.deliver(self.fields(user, fields), user, **how)

    async def menu_click(self, user: str, key: str, **how: Any) -> WeComReply:
        return await self.event(user, "click", {"EventKey": key}, **how)

    async def enter(self, user: str, **how: Any) -> WeComReply:
        return await self.event(user, "enter_agent", {"EventKey": ""}, **how)

    async def click(
        self,
        message: WeComMessage,
        key: str,
        user: str,
        *,
        selected: Mapping[str, Sequence[str]] | None = None,
        **how: Any,
    ) -> WeComReply:
        """Press a button by key or text, or submit a choice (``selected`` maps question keys to option ids).

        ``LookupError`` when the member cannot see or press such a button.
        """
        fields = self.click_fields(message, key, user, selected or {})
        return await self.deliver(fields, user, message=message, **how)

    def click_fields(
        self, message: WeComMessage, key: str, user: str, selected: Mapping[str, Sequence[str]]
    ) -> dict[str, XmlValue]:
        """The event of a click, with a fresh ``ResponseCode``; deliver it again to play a repetition."""
        if message.recalled or user not in message.receivers:
            raise LookupError(f"{user} does not see message {message.id}")
        card = message.card(user)
        event = "template_card_event"
        pressable = [(button.get("key"), button.get("text")) for button in message.buttons(user)]
        if card.get("submit_button") and user not in message.greyed:
            pressable.append((card["submit_button"]["key"], card["submit_button"]["text"]))
        menu = [(item["key"], item["text"]) for item in (card.get("action_menu") or {}).get("action_list") or []]
        found = next((one for one, text in pressable if key in (one, text)), None)
        if found is None:
            found = next((one for one, text in menu if key in (one, text)), None)
            event = "template_card_menu_event"
        if found is None:
            raise LookupError(f"{user} cannot press {key!r} on message {message.id}; there are {pressable + menu}")
        more: dict[str, XmlValue] = {
            "MsgType": "event",
            "Event": event,
            "EventKey": str(found),
            "TaskId": message.task_id,
            "CardType": str(card["card_type"]),
        }
        if is_interactive(card):
            more["ResponseCode"] = self._corporation.new_code(message)
        if selected:
            items = [
                {"QuestionKey": question, "OptionIds": {"OptionId": list(options)}}
                for question, options in selected.items()
            ]
            more["SelectedItems"] = {"SelectedItem": items}
        return self.fields(user, more)

    def fields(self, user: str, more: Mapping[str, XmlValue]) -> dict[str, XmlValue]:
        """What every message has, and ``more``."""
        created = self._corporation.clock.now() // SECOND
        head: dict[str, XmlValue] = {"ToUserName": self._corp_id, "FromUserName": user, "CreateTime": created}
        return {**head, **more, "AgentID": self._agent_id}

    # -- sending ------------------------------------------------------------------------------------------------

    def _query(self, encrypted: str, *, sign_with: str = "", age: int = 0, nonce: str = "") -> dict[str, str]:
        timestamp = str((self._corporation.clock.now() - age) // SECOND)
        nonce = nonce or str(secrets.randbelow(10**10))
        signed = signature(sign_with or self.token, timestamp, nonce, encrypted)
        return {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce}

    async def deliver(
        self,
        fields: Mapping[str, XmlValue],
        user: str,
        *,
        message: WeComMessage | None = None,
        retry: bool = False,
        receiver: str | None = None,
        corrupt: bool = False,
        timeout: float = ANSWER_WITHIN,
        **how: Any,
    ) -> WeComReply:
        """Encrypt, sign and POST; with ``retry`` repeat three times as WeCom does for anything but a 200 in 5 s.

        ``receiver``, ``corrupt``, ``sign_with``, ``age`` (milliseconds) and ``nonce`` make a wrong call of it.
        """
        reply = WeComReply(None, problem="not sent")
        for number in range(1, (CALLS if retry else 1) + 1):
            encrypted = encrypt(self.aes_key, to_xml(fields).encode(), receiver or self._corp_id)
            if corrupt:
                encrypted = encrypted[::-1]
            query = self._query(encrypted, **how)
            head = {"ToUserName": self._corp_id, "Encrypt": encrypted, "AgentID": str(self._agent_id)}
            reply = await self._request("POST", query, to_xml(head), timeout, number)
            if reply.status == 200:
                break
        if reply.ok and reply.text:
            reply = self._read(reply, query["nonce"])
        if reply.message:
            self._apply(reply.message, user, message)
        return reply

    async def _request(
        self, verb: str, query: Mapping[str, str], body: str | None, timeout: float, number: int = 1
    ) -> WeComReply:
        if not self.url:
            raise RuntimeError("say where the bot is first: fake.connect(url)")
        started = asyncio.get_running_loop().time()
        try:
            limit = aiohttp.ClientTimeout(total=timeout)
            address = f"{self.url}?{urlencode(query)}"
            data = body.encode() if body else None
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.request(verb, address, data=data, headers={"Content-Type": "text/xml"}) as response,
            ):
                text = await response.text()
                problem = "" if response.status == 200 else f"answered {response.status}"
                elapsed = asyncio.get_running_loop().time() - started
                return WeComReply(response.status, text, problem=problem, seconds=elapsed, calls=number)
        except TimeoutError:
            return WeComReply(None, problem=f"no answer in {timeout} s", calls=number)
        except aiohttp.ClientError as broken:
            return WeComReply(None, problem=f"connection failed: {broken}", calls=number)

    # -- answers ------------------------------------------------------------------------------------------------

    def _read(self, reply: WeComReply, nonce: str) -> WeComReply:
        """Decrypt a passive reply as WeCom would."""

        def refused(problem: str) -> WeComReply:
            return WeComReply(reply.status, reply.text, None, problem, reply.seconds, reply.calls)

        try:
            outer = from_xml(reply.text)
            encrypted = str(outer.get("Encrypt", ""))
            wanted = signature(self.token, str(outer.get("TimeStamp")), str(outer.get("Nonce")), encrypted)
            if outer.get("MsgSignature") != wanted:
                return refused("the reply's signature is wrong")
            if outer.get("Nonce") != nonce:
                return refused("the reply's nonce is not the one of the call")
            plain, receiver = decrypt(self.aes_key, encrypted)
            if receiver != self._corp_id:
                return refused("the reply is encrypted for another receiver")
            inner = from_xml(plain)
        except ValueError as problem:
            return refused(str(problem))
        return WeComReply(reply.status, reply.text, inner, "", reply.seconds, reply.calls)

    def _apply(self, answer: Mapping[str, Any], user: str, message: WeComMessage | None) -> None:
        """Show a passive reply: a text, another button name, or another card for the one who pressed."""
        kind = answer.get("MsgType")
        if kind == "text":
            identity = f"reply-{self._corporation.number()}"
            now = self._corporation.clock.now()
            shown = WeComMessage(identity, "text", [user], now, answer, text=str(answer.get("Content")))
            self._corporation.messages.append(shown)
        elif kind == "update_button" and message is not None:
            name = (answer.get("Button") or {}).get("ReplaceName")
            self._corporation.change(message, [user], str(name), None)
        elif kind == "update_template_card" and message is not None:
            self._corporation.change(message, [user], None, _card_from_xml(answer.get("TemplateCard") or {}))


_NAMES = {"CardType": "card_type", "KeyName": "keyname", "ReplaceText": "replace_text"}


def _card_from_xml(value: Any) -> Any:
    """CamelCase elements of a reply's card as the snake_case names of the sending call."""
    if isinstance(value, list):
        return [_card_from_xml(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, Any] = {}
    for name, item in value.items():
        plain = _NAMES.get(name) or "".join(f"_{char.lower()}" if char.isupper() else char for char in name).strip("_")
        converted = _card_from_xml(item)
        if plain.endswith("_list") and not isinstance(converted, list):
            converted = [converted]
        found[plain] = converted
    return found
