"""Whether a request is from Slack (docs.slack.dev/authentication/verifying-requests-from-slack)."""

import hashlib
import hmac

from bot.clock import MINUTE, SECOND

WINDOW = 5 * MINUTE


def verify(secret: str, timestamp: str, signature: str, body: bytes, now: int) -> bool:
    """Check a v0 signature over the raw body. False also for a time stamp that is no number, for one more than five
    minutes away from ``now`` (a recorded request sent again), and where no secret is configured."""
    if not secret or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now - int(timestamp) * SECOND) > WINDOW:
        return False
    base = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
