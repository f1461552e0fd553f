"""The one JSON form of a post (see the API description), read strictly and explained field by field."""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from dateutil import parser as date_parser

from bot.model.post import Author, Engagement, Post

MAX_TEXT = 100_000
MAX_FIELD = 2_000
MOST = 1 << 53  # counts beyond what JSON numbers can say exactly are cut
NOBODY, NO_ENGAGEMENT = Author(), Engagement()
EARLIEST_AT = 946_684_800_000  # 2000-01-01: anything before is a broken date
# A feed's clock may run ahead a little; more than a day is a broken date.
FUTURE_ALLOWANCE = 86_400_000
LOCAL = timezone(timedelta(hours=8))  # times without an offset are read as China Standard Time


class PostError(ValueError):
    """A post cannot be taken. ``field`` names the place, ``problem`` says in plain English what is wrong with it: this
    is an answer to a program, so it is not translated."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def parse_time(value: Any, now: int) -> int:
    """ISO 8601, RFC 2822 or Unix seconds / milliseconds → Unix milliseconds.

    Raises ``PostError`` for anything else, for moments before 2000 and for more than a day after ``now``.
    """
    moment: int
    if type(value) is str and value:
        moment = _parse_text_time(value)
    elif isinstance(value, bool) or value is None or value == "":
        raise PostError("published_at", "is missing; give ISO 8601 with an offset, or Unix seconds")
    elif isinstance(value, int | float):
        if not math.isfinite(value):
            raise PostError("published_at", f"{value} is not a time; give ISO 8601 with an offset, or Unix seconds")
        moment = int(value if value > 100_000_000_000 else value * 1000)
    else:
        moment = _parse_text_time(str(value))
    if not EARLIEST_AT <= moment <= now + FUTURE_ALLOWANCE:
        raise PostError("published_at", f"{str(value)[:60]!r} is not between 2000 and tomorrow")
    return moment


def _parse_text_time(value: str) -> int:
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) in (10, 13):
        return int(text) * (1000 if len(text) == 10 else 1)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        try:
            parsed = date_parser.parse(text)
        except (ValueError, OverflowError, RecursionError):
            raise PostError("published_at", f"{text[:60]!r} is not a time; give ISO 8601 with an offset") from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=LOCAL)
    try:
        return int(parsed.timestamp() * 1000)
    except (OverflowError, ValueError):
        raise PostError("published_at", f"{text[:60]!r} is out of range") from None


def iso(moment: int) -> str:
    """Unix milliseconds → ISO 8601 in UTC with seconds."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def content_id(source: str, url: str | None, text: str, published_at: int) -> str:
    """The id of a post that came without one: a digest of source, url, text and time."""
    material = "\x1f".join((source, url or "", text, str(published_at)))
    return hashlib.blake2b(material.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def parse_post(data: Any, *, source: str, platform: str, now: int, drill: str = "") -> Post:
    """Read one post object. ``source`` and ``platform`` apply where the object names none.

    Raises ``PostError`` naming the field. Unknown fields are ignored: vendors add some every year.
    """
    if type(data) is not dict and not isinstance(data, Mapping):  # the first question is much the cheaper one
        raise PostError("post", "must be a JSON object")
    text = _string(data, "text", MAX_TEXT) or ""
    title = _string(data, "title", MAX_FIELD) if "title" in data else None
    if not text.strip() and not (title or "").strip():
        raise PostError("text", "is missing; a post needs text or title")
    published_at = parse_time(data.get("published_at"), now)
    url = _string(data, "url", MAX_FIELD) if "url" in data else None
    if "source" in data:
        source = _string(data, "source", 64) or source
    identity = data.get("id")
    if identity is not None and not isinstance(identity, str | int):
        raise PostError("id", "must be a string or a whole number")
    return Post(
        id=_storable(str(identity)[:200])
        if identity not in (None, "")
        else content_id(source, url, text or title or "", published_at),
        source=source,
        platform=_string(data, "platform", 40) or platform or "other",
        kind=(_string(data, "kind", 40) if "kind" in data else None) or "post",
        url=url,
        title=title,
        text=text,
        author=_author(data.get("author")),
        published_at=published_at,
        parent_id=_string(data, "parent_id", 200) if "parent_id" in data else None,
        root_id=_string(data, "root_id", 200) if "root_id" in data else None,
        engagement=_engagement(data.get("engagement")),
        location=_string(data, "location", 200) if "location" in data else None,
        drill=drill,
    )


def _string(data: Mapping[str, Any], field: str, longest: int) -> str | None:
    value = data.get(field)
    if value is None:
        return None
    if type(value) is str and len(value) <= longest:  # nearly always; the rest is for the odd ones
        return value if value.isascii() else _storable(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise PostError(field, "must be a string")
    if len(value) > longest:
        if field == "text":
            raise PostError(field, f"has {len(value)} characters; at most {longest} are taken")
        value = value[:longest]
    return _storable(value)


def _storable(value: str) -> str:
    """Lone surrogates cannot be stored or sent on; every other odd character can."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def _count(value: Any, field: str) -> int:
    if type(value) is int and 0 <= value <= MOST:
        return value
    if value is None or value == "":
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise PostError(field, f"must be a whole number, not {str(value)[:40]!r}") from None
    return min(max(number, 0), MOST)


def _author(data: Any) -> Author:
    if data is None:
        return NOBODY
    if type(data) is not dict and not isinstance(data, Mapping):
        raise PostError("author", "must be an object with id, name, followers, verified")
    identity = data.get("id")
    return Author(
        id=str(identity)[:200] if identity not in (None, "") else None,
        name=_string(data, "name", 200),
        followers=_count(data.get("followers"), "author.followers"),
        verified=bool(data.get("verified")),
    )


def _engagement(data: Any) -> Engagement:
    if data is None:
        return NO_ENGAGEMENT
    if type(data) is not dict and not isinstance(data, Mapping):
        raise PostError("engagement", "must be an object with views, likes, reposts, comments")
    return Engagement(
        views=_count(data.get("views"), "engagement.views"),
        likes=_count(data.get("likes"), "engagement.likes"),
        reposts=_count(data.get("reposts"), "engagement.reposts"),
        comments=_count(data.get("comments"), "engagement.comments"),
    )
