"""Messages of group robots as WeCom checks them (developer page 91770)."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from bot.testkit.wecom_cards import APP_TEXT_BYTES, ROBOT_MARKDOWN_BYTES, WeComError, bad, card_text, check_card, size

KINDS = {"text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card"}


def read_robot(kind: str, content: Any, media: Mapping[str, bytes]) -> str:
    """The text readers see; raises ``WeComError`` for what WeCom refuses."""
    if kind not in KINDS:
        raise WeComError(40008, "invalid message type")
    if not isinstance(content, Mapping):
        raise bad(f"{kind} missing")
    if kind == "template_card":
        check_card(content, set(), robot=True)
        return card_text(content)
    if kind == "image":
        try:
            raw = base64.b64decode(str(content.get("base64")), validate=True)
        except binascii.Error:
            raise bad("image.base64 invalid") from None
        if hashlib.md5(raw).hexdigest() != content.get("md5"):
            raise bad("image.md5 does not fit")
        if len(raw) > 2 << 20:
            raise WeComError(40009, "invalid image size")
        return ""
    if kind in ("file", "voice"):
        if content.get("media_id") not in media:
            raise WeComError(40007, "invalid media_id")
        return ""
    if kind == "news":
        return "\n".join(str(article.get("title")) for article in content.get("articles") or [])
    text = str(content.get("content") or "")
    limit = APP_TEXT_BYTES if kind == "text" else ROBOT_MARKDOWN_BYTES
    if not text:
        raise WeComError(44004, "content missing")
    if size(text) > limit:
        raise bad(f"{kind}.content exceed max length {limit}")
    return text
