"""A channel of its own for a serious incident: created once, the right people invited, found again after a crash."""

import logging
from collections.abc import Sequence

from bot.chat.slack.api import ApiError, SlackApi

log = logging.getLogger(__name__)

PREFIX = "+"  # an address that starts with this is an incident's room, not a channel id
INVITED_AT_ONCE = 30  # conversations.invite takes up to 1,000, but 30 is what workspaces without a paid plan allow
NAMES_TRIED = 5
PAGES_LOOKED_THROUGH = 20
TOPIC_CHARACTERS = 250
ALREADY_THERE = frozenset({"already_in_channel", "cant_invite_self"})


def is_room(address: str) -> bool:
    return address.startswith(PREFIX)


class Rooms:
    """Opens rooms by incident id."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api

    async def open(self, address: str, topic: str, accounts: Sequence[str]) -> str:
        """The channel id of an incident's room (``+I-12`` → ``#crisis-i-12``), created if it is not there.

        A channel of that name that was archived belongs to another time; the next free name is taken. Raises
        ``ApiError``; whom Slack does not let in is logged and does not stop the alert.
        """
        base = f"crisis-{address.removeprefix(PREFIX).lower()}"
        for number in range(1, NAMES_TRIED + 1):
            name = base if number == 1 else f"{base}-{number}"
            channel = await self._create(name) or await self._find(name)
            if channel:
                await self._set_topic(channel, topic)
                await self._invite(channel, accounts)
                return channel
        raise ApiError("name_taken")

    async def _create(self, name: str) -> str:
        try:
            answer = await self._api.call("conversations_create", name=name)
        except ApiError as error:
            if error.code != "name_taken":
                raise
            return ""
        return str(answer["channel"]["id"])

    async def _find(self, name: str) -> str:
        """An open channel of this name, empty if it is archived or out of sight."""
        cursor = ""
        for _ in range(PAGES_LOOKED_THROUGH):
            answer = await self._api.call("conversations_list", limit=1000, cursor=cursor, exclude_archived=True)
            for channel in answer.get("channels", ()):
                if channel.get("name") == name and not channel.get("is_archived"):
                    return str(channel["id"])
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return ""

    async def _set_topic(self, channel: str, topic: str) -> None:
        try:
            await self._api.call("conversations_setTopic", channel=channel, topic=topic[:TOPIC_CHARACTERS])
        except ApiError as error:
            log.warning("the topic of %s was not set: %s", channel, error)

    async def _invite(self, channel: str, accounts: Sequence[str]) -> None:
        wanted = list(dict.fromkeys(filter(None, accounts)))
        for start in range(0, len(wanted), INVITED_AT_ONCE):
            part = wanted[start : start + INVITED_AT_ONCE]
            try:
                await self._api.call("conversations_invite", channel=channel, users=",".join(part))
            except ApiError as error:
                if len(part) == 1 or error.code not in ALREADY_THERE | {"user_not_found", "users_list_not_supplied"}:
                    log.warning("could not invite %s to %s: %s", ", ".join(part), channel, error)
                    continue
                for account in part:  # one that cannot come must not keep out the others
                    await self._invite(channel, [account])
