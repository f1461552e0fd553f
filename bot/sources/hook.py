"""Vendors that push: their payload mapped to posts, their signature checked. The HTTP handler stands elsewhere."""

import base64
import binascii
import hashlib
import hmac
from typing import Any

from bot.config import SourceConfig
from bot.sources.mapping import Mapper
from bot.sources.preset import resolve

CLOCK_SKEW = 300_000
_PREFIXES = ("sha256=", "hmac-sha256=", "v1=", "v0=")


class HookMapper:
    """The compiled mapping of one push source; made once, used for every delivery."""

    def __init__(self, config: SourceConfig) -> None:
        resolved = resolve(config)
        self.config = resolved.config
        self._mapper = Mapper(
            config.id,
            self.config.items,
            self.config.map,
            platform=self.config.platform,
            defaults=self.config.defaults,
            date_format=self.config.date_format,
            timezone=self.config.timezone,
            joins=resolved.joins,
        )

    def map(self, payload: Any, now: int) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        """Posts in the one JSON form, and (item as JSON, what is wrong). Raises ``SourceError`` no_items."""
        mapped = self._mapper.apply(payload, now)
        return mapped.items, mapped.rejected


def map_payload(config: SourceConfig, payload: Any, now: int) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """One delivery of a push source as posts; see ``HookMapper`` for many."""
    return HookMapper(config).map(payload, now)


def verify_bearer(secret: str, header: str | None) -> bool:
    """Whether an ``Authorization`` header carries the secret, compared in constant time. No secret: never."""
    if not secret or not header:
        return False
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode(), secret.encode())


def verify_hmac(secret: str, body: bytes, header: str | None, now: int, timestamp: str | None = None) -> bool:
    """Whether ``header`` is HMAC-SHA256 of the raw body, in hex or base64, with or without ``sha256=`` before it.

    With ``timestamp`` (Unix seconds or milliseconds, as sent) the signed text is ``timestamp.body`` and the moment
    must lie within five minutes of ``now``, so that a recorded delivery cannot be played again later.
    """
    if not secret or not header:
        return False
    signed = body
    if timestamp is not None:
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 13:
            return False
        moment = int(timestamp) * (1 if len(timestamp) > 11 else 1000)
        if abs(now - moment) > CLOCK_SKEW:
            return False
        signed = timestamp.encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return hmac.compare_digest(_signature(header), expected)


def _signature(header: str) -> bytes:
    value = header.strip()
    for prefix in _PREFIXES:
        if value.lower().startswith(prefix):
            value = value[len(prefix) :]
            break
    try:
        if len(value) == 64:
            return bytes.fromhex(value)
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return b""
