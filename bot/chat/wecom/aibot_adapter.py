"""The smart robot as a chat: groups (``wecom:group/<chat id>``) and members one to one (``wecom:bot/<user id>``)."""

import logging
from collections import OrderedDict, deque
from dataclasses import replace
from typing import Any

from bot.chat.wecom import aibot_frames as frames
from bot.chat.wecom import aibot_render as cards
from bot.chat.wecom import aibot_shown as shown
from bot.chat.wecom import render
from bot.chat.wecom.aibot_frames import NoConversation
from bot.chat.wecom.aibot_shown import Answering
from bot.chat.wecom.aibot_socket import AibotSocket
from bot.chat.wecom.client import WecomRefusal
from bot.clock import HOUR, MINUTE, Clock
from bot.delivery.chat import AttachmentMaker, Delay, Pace
from bot.delivery.outbox import Placement, Row
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render as say

log = logging.getLogger(__name__)

# Page 101463: 30 a minute and 1,000 an hour for one conversation, pushes and replies together.
CONVERSATION_PACE = Pace(30, MINUTE)
CONVERSATION_HOUR = Pace(1_000, HOUR)
ANSWERS_A_MINUTE = 20  # of the thirty: a storm of presses must not keep an alert out
GROUP, ONE = "group/", "bot/"
TASK_ID_TAKEN = 42014
ANSWERING_PAUSE = 300
REMEMBERED = 1_000


class AibotChat:
    """Implements ``bot.delivery.chat.Chat`` for the smart robot's addresses.

    A card in a group can be rewritten only in the five seconds after a press on it. So an edit is posted as a new card
    when it matters, and is otherwise kept for the next press. There is no history to look into: a message whose answer
    was lost is sent again and may stand there twice; a card cannot, its task id belongs to one outbox row.
    """

    name = "wecom"

    def __init__(
        self, socket: AibotSocket, clock: Clock, answering: Answering, make: AttachmentMaker | None = None
    ) -> None:
        self._socket = socket
        self._clock = clock
        self._answering = answering
        self._make = make
        self._sent: dict[str, deque[int]] = {}
        self._progress: OrderedDict[str, int] = OrderedDict()

    @staticmethod
    def takes(address: str) -> bool:
        return address.startswith((GROUP, ONE))

    def pace(self, destination: str) -> Pace | None:
        return CONVERSATION_PACE

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        """There is nothing to look into."""
        return False, None

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        """Deliver; see ``Chat.send``. WeCom has no threads, so ``thread`` changes nothing."""
        message = row.message
        self._socket.demand()
        if message.audience and message.address.startswith(GROUP):
            await self._to_one_of(row)
            return None
        anchor = render.anchor_of(message, row.key)
        if placement is not None and message.card is not None and message.object:
            if self._answering.under_way(placement.anchor, self._clock.now()):
                raise Delay(ANSWERING_PAUSE, "a press on this card is being answered")
            same = placement.reference.get("shown") == cards.digest_of(message.card)
            if same or not cards.worth_a_new_card(message, str(placement.reference.get("gist"))):
                return Placement(placement.anchor, shown.with_newest(placement.reference, message.card))
        task_id = render.task_id_of(message, row.key)
        asked_by = str(message.reply.get("to") or "")  # a sentence names whom it answers
        named = asked_by and message.card is None and message.address.startswith(GROUP)
        mentions = (*([asked_by] if named else []), *message.mentions)
        bodies = cards.group_bodies(message, task_id, mentions=mentions)
        if message.card is not None:  # before it is sent: somebody may press it before its placement is committed
            self._answering.remember(task_id, message.card, message.language)
        await self._send_all(row, message.address, bodies, attach=True)
        if message.card is None or not message.object:
            return None
        return Placement(anchor, shown.new_reference(message, task_id))

    def has_room(self, address: str) -> bool:
        """Whether the limit of a conversation leaves room for the answer to a press; counts it if so."""
        minute = self._clock.now() - CONVERSATION_PACE.period
        if sum(at > minute for at in self._sent.get(address, ())) >= ANSWERS_A_MINUTE:
            return False
        try:
            self._take_turn(address)
        except Delay:
            return False
        return True

    async def _to_one_of(self, row: Row) -> None:
        """An answer for one member of a group. A sentence is said there with their name; a card, which may hold
        telephone numbers, goes to their own conversation with the robot, or a line says why it does not."""
        message = row.message
        here = replace(message, audience="", mentions=(message.audience,), reply={})
        if message.card is None:
            await self._send_all(row, message.address, cards.group_bodies(here, "", mentions=here.mentions))
            return
        task_id = render.task_id_of(message, row.key)
        bodies = cards.group_bodies(replace(here, mentions=()), task_id)
        try:
            await self._send_all(row, f"{ONE}{message.audience}", bodies)
            self._answering.remember(task_id, message.card, message.language)
        except NoConversation:
            notice = replace(here, card=None, text=say(Text("wecom.write_to_me_first"), message.language))
            await self._send_all(row, message.address, cards.group_bodies(notice, "", mentions=here.mentions))

    async def _send_all(self, row: Row, address: str, bodies: list[dict[str, Any]], attach: bool = False) -> None:
        """Send the parts in order; one that went through is not sent again when a later one has to wait."""
        mark = f"{render.revision_of(row.message, row.key)}:{address}"
        self._progress.setdefault(mark, 0)
        while len(self._progress) > REMEMBERED:
            self._progress.popitem(last=False)
        for body in bodies[self._progress[mark] :]:
            await self._send_one(address, body, mark)
        if attach:
            for body in (await self._caption(row.message))[self._progress[mark] - len(bodies) :]:
                await self._send_one(address, body, mark)
        del self._progress[mark]

    async def _send_one(self, address: str, body: dict[str, Any], mark: str) -> None:
        self._socket.demand()
        self._take_turn(address)
        kind = frames.GROUP if address.startswith(GROUP) else frames.SINGLE
        request = {"chatid": address.partition("/")[2], "chat_type": kind, **body}
        try:
            await self._socket.request(frames.SEND, request)
        except WecomRefusal as refusal:
            # The task id belongs to this one outbox row: it is taken only because an earlier try arrived.
            if refusal.code != TASK_ID_TAKEN or "template_card" not in body:
                raise
            log.info("wecom: a card to %s had arrived before", address)
        self._progress[mark] += 1

    def _take_turn(self, address: str) -> None:
        """Count a message against the conversation's limit; raises Delay until there is room again."""
        sent, now = self._sent.setdefault(address, deque(maxlen=CONVERSATION_HOUR.count)), self._clock.now()
        for pace in (CONVERSATION_PACE, CONVERSATION_HOUR):
            if len(sent) >= pace.count and (wait := sent[-pace.count] + pace.period - now) > 0:
                raise Delay(wait, f"{pace.count} messages in {pace.period // MINUTE} min")
        sent.append(now)

    async def _caption(self, message: Message) -> list[dict[str, Any]]:
        """What a picture says: pictures cannot be sent into a group from here. Nothing where it cannot be made: the
        alert has been sent and matters more."""
        if message.attachment is None or self._make is None:
            return []
        try:
            made = await self._make(message.attachment, message.language)
        except Exception:  # whatever the maker trips over, it is logged and must not hold the queue
            log.exception("wecom: the attachment %s could not be made", message.attachment.kind)
            return []
        return cards.group_bodies(replace(message, card=None, text=made.caption), "") if made.caption else []
