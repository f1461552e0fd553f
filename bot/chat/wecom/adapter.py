"""WeCom as a chat: app messages to members (``wecom:lina``), group robots (``wecom:robot/pr-robot``), and through the
smart robot groups with buttons (``wecom:group/<chat id>``)."""

import logging
from collections import OrderedDict, deque
from dataclasses import replace
from typing import Any

from bot.chat.wecom import codes, render
from bot.chat.wecom.aibot_adapter import AibotChat
from bot.chat.wecom.aibot_frames import NoConversation
from bot.chat.wecom.client import WecomClient, WecomRefusal
from bot.chat.wecom.codes import ResponseCodes
from bot.clock import HOUR, MINUTE, Clock
from bot.delivery.chat import AttachmentMaker, Delay, Made, Pace, Refused
from bot.delivery.outbox import Placement, Row
from bot.model.message import Message

log = logging.getLogger(__name__)

# Developer page 90454: a member gets 30 app messages a minute, the surplus is dropped without an error, and likewise
# 1,000 an hour; a robot posts 20 a minute. A long message is several of these, so the adapter counts what leaves.
MEMBER_PACE = Pace(30, MINUTE)
MEMBER_HOUR = Pace(1_000, HOUR)
ROBOT_PACE = Pace(20, MINUTE)
DUPLICATE_CHECK_SECONDS = 4 * 3600  # the longest there is
TEXT_CHECK_SECONDS = 1_200
ROBOT_IMAGE_BYTES = 2 << 20
APP_IMAGE_BYTES = 10 << 20
IMAGE_TYPES = ("image/png", "image/jpeg")
TASK_ID_TAKEN = 42014
NO_CALLBACK = 43012
ROBOT = "robot/"
REMEMBERED = 1_000


class WecomChat:
    """Implements ``bot.delivery.chat.Chat``.

    A card that stands is rewritten as long as response codes last, the newest click's first; after that a card that
    changed in what matters is posted anew and the placement moves. Group robots cannot rewrite: an edit without a
    reason is not posted there.
    """

    name = "wecom"

    def __init__(
        self,
        client: WecomClient,
        clock: Clock,
        make: AttachmentMaker | None = None,
        response_codes: ResponseCodes | None = None,
        groups: AibotChat | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._make = make
        self._groups = groups
        self._codes = response_codes or ResponseCodes()
        self._sent: dict[str, deque[int]] = {}
        self._progress: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self._images: dict[str, list[dict[str, Any]]] = {}
        self._rewritten: dict[str, str] = {}

    def pace(self, destination: str) -> Pace | None:
        if self._groups is not None and AibotChat.takes(destination.removeprefix("wecom:")):
            return self._groups.pace(destination)
        return ROBOT_PACE if destination.startswith(f"wecom:{ROBOT}") else MEMBER_PACE

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        """WeCom has no history to look into. To members a resend is safe: the same request within four hours is not
        delivered twice."""
        return False, None

    async def close(self) -> None:
        await self._client.close()

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        """Deliver; see ``Chat.send``. WeCom has no threads, so ``thread`` changes nothing."""
        message = row.message
        if not message.address:
            raise Refused(f"{message.destination!r} names nobody")
        if AibotChat.takes(message.address):
            if self._groups is None:
                raise Refused("no smart robot is configured (chat.wecom.aibot)")
            return await self._groups.send(row, placement, thread)
        if self._groups is not None and self._client.absent and not message.address.startswith(ROBOT):
            return await self._by_smart_robot(self._groups, row, placement)
        if message.address.startswith(ROBOT):
            return await self._to_robot(row, placement)
        if placement is None or message.card is None or not message.object:
            return await self._post(row)
        rewritten = await self._rewrite(row, placement)
        return rewritten or await self._post(row)

    # -- members

    async def _by_smart_robot(self, groups: AibotChat, row: Row, placement: Placement | None) -> Placement | None:
        """Where there is no application, a member is reached in their own conversation with the smart robot."""
        to_robot = replace(row, message=replace(row.message, destination=f"wecom:bot/{row.message.address}"))
        try:
            return await groups.send(to_robot, placement, None)
        except NoConversation:
            raise Refused("the member has never written to the smart robot, so it cannot write to them") from None

    async def _post(self, row: Row) -> Placement | None:
        message = row.message
        task_id = render.task_id_of(message, row.key)
        posting = render.member_posting(message, task_id, interactive=self._client.has_callback)
        try:
            answers = await self._send_all(row, posting.bodies)
        except WecomRefusal as refusal:
            if refusal.code != NO_CALLBACK:
                raise
            log.warning("wecom: the callback is not set up in the admin console, so cards go without buttons")
            posting = render.member_posting(message, task_id, interactive=False)
            answers = await self._send_all(row, posting.bodies)
        if not message.object:
            return None
        gist = render.gist_of(message.card) if message.card else ""
        code = str(answers[0].get("response_code") or "") if posting.card and answers else ""
        reference = codes.new_reference(task_id, code, gist, self._clock.now())
        return Placement(render.anchor_of(message, row.key), reference)

    async def _rewrite(self, row: Row, placement: Placement) -> Placement | None:
        """Rewrite the standing card; ``None`` when a new one has to be posted instead."""
        message = row.message
        assert message.card is not None
        task_id, gist = render.task_id_of(message, row.key), render.gist_of(message.card)
        posting = render.member_revision(message, task_id)
        reference = self._codes.refreshed(placement.reference)
        mark = render.revision_of(message, row.key)
        used = self._rewritten.get(mark) or await self._use_a_code(row, reference, posting.card)
        if used:
            self._rewritten[mark] = used
            await self._send_all(row, list(posting.rest), attach=bool(message.reason))
            self._rewritten.pop(mark, None)
            reference = codes.after_rewrite(self._codes.refreshed(placement.reference), used, task_id, gist)
            return Placement(placement.anchor, reference)
        if not message.reason and reference.get("gist") == gist:
            # Only figures changed and the card cannot be rewritten any more: not worth a second card.
            return Placement(placement.anchor, reference)
        return None

    async def _use_a_code(self, row: Row, reference: dict[str, Any], card: Any) -> str:
        """Rewrite the card with the first response code that WeCom takes; which one that was, empty for none."""
        if card is None:
            return ""
        address = row.message.address
        for code in self._codes.usable(reference, self._clock.now()):
            body = {
                "userids": [address],
                "agentid": self._client.agent_id,
                "response_code": code,
                "template_card": card,
            }
            try:
                answer = await self._client.call("message/update_template_card", body)
            except WecomRefusal as refusal:
                self._codes.spend(code)
                if row.unclear:
                    # The code is single-use and only we hold it: the try whose answer got lost has used it.
                    log.info("wecom: the unclear rewrite of %s had arrived", row.message.object)
                    return code
                log.warning("wecom: a card of %s was not rewritten: %s", row.message.object, refusal)
                continue
            self._codes.spend(code)
            _check_receivers(address, answer)
            return code
        return ""

    # -- robots

    async def _to_robot(self, row: Row, placement: Placement | None) -> Placement | None:
        message = row.message
        if message.audience:
            raise Refused("a group robot cannot show a message to one member only")
        if placement is not None and message.object and not message.reason:
            return placement
        await self._send_all(row, render.robot_bodies(message, interactive=self._client.has_callback))
        if not message.object:
            return None
        return Placement(render.anchor_of(message, row.key), {"tasks": [], "gist": ""})

    # -- both

    async def _send_all(self, row: Row, bodies: list[dict[str, Any]], attach: bool = True) -> list[dict[str, Any]]:
        """Send the parts of a message in order. A part that went through is not sent again when a later one has to
        wait; the memory of that is lost with the process, where members are still safe by the duplicate check."""
        mark = render.revision_of(row.message, row.key)
        answers = self._progress.setdefault(mark, [])
        while len(self._progress) > REMEMBERED:
            forgotten, _ = self._progress.popitem(last=False)
            self._images.pop(forgotten, None)
            self._rewritten.pop(forgotten, None)
        for body in bodies[len(answers) :]:
            self._take_turn(row.message.address)
            answers.append(await self._send_one(row, body))
        if attach and row.message.attachment is not None and self._make is not None:
            for body in (await self._attachment(row.message, mark, self._make))[len(answers) - len(bodies) :]:
                self._take_turn(row.message.address)
                answers.append(await self._send_one(row, body))
        del self._progress[mark]
        self._images.pop(mark, None)
        return answers

    async def _send_one(self, row: Row, body: dict[str, Any]) -> dict[str, Any]:
        message = row.message
        if message.address.startswith(ROBOT):
            return await self._client.robot(message.address.removeprefix(ROBOT), body)
        request = {
            "touser": message.address,
            "agentid": self._client.agent_id,
            **body,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": _duplicate_check(row, body),
        }
        try:
            answer = await self._client.call("message/send", request)
        except WecomRefusal as refusal:
            # The task id belongs to this one outbox row: it is taken only because an earlier try arrived.
            if refusal.code != TASK_ID_TAKEN or "template_card" not in body:
                raise
            log.info("wecom: a card to %s had arrived before", message.address)
            return {}
        _check_receivers(message.address, answer)
        return answer

    def _take_turn(self, address: str) -> None:
        """Count a message against the address's limit; raises Delay until there is room again."""
        paces = (ROBOT_PACE,) if address.startswith(ROBOT) else (MEMBER_PACE, MEMBER_HOUR)
        sent, now = self._sent.setdefault(address, deque(maxlen=MEMBER_HOUR.count)), self._clock.now()
        for pace in paces:
            if len(sent) >= pace.count and (wait := sent[-pace.count] + pace.period - now) > 0:
                raise Delay(wait, f"{pace.count} messages in {pace.period // MINUTE} min")
        sent.append(now)

    async def _attachment(self, message: Message, mark: str, make: AttachmentMaker) -> list[dict[str, Any]]:
        """The picture as a message of its own; its caption where the chat does not take the picture, nothing where it
        cannot be made: the alert has been sent and matters more."""
        assert message.attachment is not None
        if mark in self._images:
            return self._images[mark]
        try:
            made = await make(message.attachment, message.language)
        except Exception:  # whatever the maker trips over, it is logged and must not hold the queue
            log.exception("wecom: the attachment %s could not be made", message.attachment.kind)
            return []
        try:
            picture = await self._picture(message, made)
        except WecomRefusal as refusal:
            log.warning("wecom: the picture %s was refused: %s", made.name, refusal)
            picture = None
        caption = render.text_bodies(made.caption, message.language) if made.caption else []
        self._images[mark] = [picture] if picture else caption
        return self._images[mark]

    async def _picture(self, message: Message, made: Made) -> dict[str, Any] | None:
        robot = message.address.startswith(ROBOT)
        limit = ROBOT_IMAGE_BYTES if robot else APP_IMAGE_BYTES
        if made.media_type not in IMAGE_TYPES or not 5 < len(made.content) <= limit:
            return None
        if robot:
            return render.robot_image_body(made.content)
        media_id = await self._client.upload(made.content, made.name, made.media_type, "image")
        return {"msgtype": "image", "image": {"media_id": media_id}}


def _duplicate_check(row: Row, body: dict[str, Any]) -> int:
    """Seconds in which the same request counts as a resend. Cards are unique by their task id. Two answers may well
    say the same words, so for them the time is short and differs from row to row, which makes the requests differ."""
    if "template_card" in body:
        return DUPLICATE_CHECK_SECONDS
    return TEXT_CHECK_SECONDS + int(render.revision_of(row.message, row.key)[:8], 16) % TEXT_CHECK_SECONDS


def _check_receivers(address: str, answer: dict[str, Any]) -> None:
    """``invaliduser`` comes with errcode 0 (page 90236): a member who left, or who may not see the application."""
    invalid = answer.get("invaliduser") or []
    names = invalid.split("|") if isinstance(invalid, str) else [str(name) for name in invalid]
    unlicensed = str(answer.get("unlicenseduser") or "").split("|")
    if address.lower() in (name.lower() for name in names):
        raise Refused(f"invaliduser: {address} is not a member or does not see the application")
    if address.lower() in (name.lower() for name in unlicensed if name):
        raise Refused(f"unlicenseduser: {address} has no interface licence")
