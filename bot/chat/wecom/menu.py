"""The menu below the app's chat: the commands everybody needs, as words of the command registry (page 90231)."""

from typing import Any

from bot.chat.wecom.client import WecomClient
from bot.model.text import Text
from bot.texts import render

# (name, command) or (name, entries below). At most 3 entries with 5 below; names of 16 and 40 bytes, keys of 128.
ENTRIES: tuple[tuple[str, str | tuple[tuple[str, str], ...]], ...] = (
    ("menu_status", "status"),
    ("menu_mine", "mine"),
    ("menu_more", (("menu_rota", "who"), ("menu_sources", "sources"), ("menu_help", "help"))),
)


def default_menu(language: str) -> dict[str, Any]:
    """The menu in one language, as ``menu/create`` takes it."""
    return {"button": [_entry(name, what, language) for name, what in ENTRIES]}


async def create_menu(client: WecomClient, language: str) -> None:
    """Put the menu in place of whatever the app has; raises what ``WecomClient.call`` raises."""
    await client.call("menu/create", default_menu(language), params={"agentid": str(client.agent_id)})


def _entry(name: str, what: str | tuple[tuple[str, str], ...], language: str) -> dict[str, Any]:
    words = render(Text(f"wecom.{name}"), language)
    if isinstance(what, str):
        return {"type": "click", "name": words, "key": what}
    return {"name": words, "sub_button": [_entry(below, command, language) for below, command in what]}
