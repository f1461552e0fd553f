"""A second factor: codes of six digits from a shared secret and the time (RFC 6238 over RFC 4226), without I/O.

The secret stands in no row. What must be kept is the last step a person used, so that a code that was read over a
shoulder opens nothing: compare and store it in the transaction of what the code confirms, and count wrong codes.
"""

import base64
import binascii
import hmac
import re
import secrets
import struct
import unicodedata
from urllib.parse import quote, urlencode

from bot.clock import SECOND

STEP = 30 * SECOND  # RFC 6238 section 5.2: the default, and the only one that common applications know
DIGITS = 6
DRIFT = 1  # steps of the clocks to either side; section 5.2 recommends at most one for the delay of the network
LEAST_BYTES = 16  # RFC 4226 section 4, R6: at least 128 bits, 160 recommended
NEW_BYTES = 20
ISSUER = "Fengbo"
_BASE32 = re.compile(r"[A-Z2-7]+=*")


class BadSecret(ValueError):
    """The text is no secret: not base32, or too short to be safe. Its message never holds it."""


def verify(secret: bytes, code: str, now_ms: int, last_used_step: int) -> int | None:
    """The step a code belongs to, to be kept as the last used one; ``None`` for a wrong, old or used code.

    ``last_used_step`` is what an earlier call returned, 0 before the first."""
    typed = _digits(code)
    if typed is None:
        return None
    now = step_at(now_ms)
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        fits = hmac.compare_digest(code_at(secret, step), typed)  # all are compared, so that time tells nothing
        if fits and step > last_used_step and found is None:
            found = step
    return found


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one step (RFC 4226 section 5.3)."""
    if step < 0:
        return ""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_at(now_ms: int) -> int:
    return now_ms // STEP


def secret_of(text: str) -> bytes:
    """The bytes of a base32 secret as applications show it: in groups, in small letters, with or without padding.

    Raises ``BadSecret``."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if not _BASE32.fullmatch(plain):
        raise BadSecret("not base32")
    plain = plain.rstrip("=")
    try:
        secret = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except binascii.Error:
        raise BadSecret("not base32") from None
    if len(secret) < LEAST_BYTES:
        raise BadSecret(f"{len(secret)} bytes; at least {LEAST_BYTES} are needed")
    return secret


def new_secret() -> str:
    """A fresh secret in base32, for the environment or a file."""
    return base64.b32encode(secrets.token_bytes(NEW_BYTES)).decode()


def uri(secret: bytes, account: str, issuer: str = ISSUER) -> str:
    """What an authenticator application reads, usually as a QR code (the Key URI format of Google Authenticator)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    values = {
        "secret": base64.b32encode(secret).decode().rstrip("="),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": STEP // SECOND,
    }
    return f"otpauth://totp/{label}?{urlencode(values, quote_via=quote)}"


def _digits(code: str) -> str | None:
    """Six digits as people type them: with a space in the middle, or full width from a Chinese keyboard."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code[:40]))
    return plain if re.fullmatch(r"[0-9]{6}", plain) else None
