"""The app's menu as WeCom checks it (developer page 90231)."""

from collections.abc import Mapping
from typing import Any

from bot.testkit.wecom_cards import WeComError, size

KINDS = {"click", "view", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album"} | {
    "pic_weixin",
    "location_select",
    "view_miniprogram",
}


def check_menu(body: Mapping[str, Any]) -> None:
    """Up to 3 buttons with up to 5 below each; names of 16 and 40 bytes, keys of 128; raises ``WeComError``."""
    buttons = body.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise WeComError(40016, "invalid button size")
    for button in buttons:
        below = button.get("sub_button") or []
        if len(below) > 5:
            raise WeComError(40023, "invalid sub button size")
        _check_button(button, 16, leaf=not below)
        for item in below:
            _check_button(item, 40, leaf=True)


def _check_button(button: Mapping[str, Any], name_bytes: int, *, leaf: bool) -> None:
    if not button.get("name"):
        raise WeComError(41102, "missing menu name")
    if size(button["name"]) > name_bytes:
        raise WeComError(40018, "invalid button name size")
    if not leaf:
        return
    if button.get("type") not in KINDS:
        raise WeComError(40017, "invalid button type")
    if button["type"] == "view" and not 0 < size(button.get("url")) <= 1024:
        raise WeComError(40020, "invalid button url size")
    if button["type"] == "click" and not 0 < size(button.get("key")) <= 128:
        raise WeComError(40019, "invalid button key size")
