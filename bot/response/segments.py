"""Who is affected: from a table or an answer to the people who can be told, and why the others cannot. Pure but for
reading the file."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jmespath
from charset_normalizer import from_bytes
from jmespath.exceptions import JMESPathError

from bot import quick_yaml
from bot.config_linkage import SegmentConfig
from bot.store.notices import Recipient

LARGEST_FILE = 64 * 1024 * 1024
SMS_WIDE, SMS_NARROW = 134, 306  # two concatenated messages (3GPP TS 23.040)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_PHONE = re.compile(r"\+?[0-9]{5,15}")
_WECOM = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
KNOWN = ("name", "email", "phone", "wecom", "consent")


class SegmentError(Exception):
    """A list of customers cannot be read; the message says why, in plain English and without anybody's data."""


@cache
def word_list(name: str) -> tuple[str, ...]:
    """One of the word lists beside this module: consent, doubt, person."""
    text = (resources.files(__package__) / "linkage_words.yaml").read_text(encoding="utf-8")
    return tuple(str(word).lower() for word in quick_yaml.load(text)[name])


def rows_of_file(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file, whatever its encoding and separator. Raises ``SegmentError``."""
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise SegmentError(f"{file.name} is larger than {LARGEST_FILE // 1024 // 1024} MB")
        content = file.read_bytes()
    except OSError as error:
        raise SegmentError(f"{file.name} cannot be read: {type(error).__name__}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        best = from_bytes(content[:200_000], cp_isolation=["gb18030", "big5", "utf_16"]).best()
        text = content.decode(best.encoding if best else "gb18030", "replace")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)]
    except csv.Error as error:
        raise SegmentError(f"{file.name} is not a table: {error}") from None


def items_of(segment: SegmentConfig, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The people in an action's answer. Raises ``SegmentError``."""
    try:
        found = jmespath.search(segment.items, document)
    except JMESPathError:
        found = None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise SegmentError(f"items ({segment.items}) does not lead to a list in the answer")
    return found


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def personal(text: str, person: Recipient) -> str:
    """The text for one person. Values are put in as they are and never read for placeholders again."""
    values = {"name": person.name, **person.fields}
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), text)


def recipients(
    segment: SegmentConfig, rows: Iterable[Mapping[str, Any]], text: str, chats: Sequence[str]
) -> list[Recipient]:
    """Everybody of a segment in order, each with the channel they are told by or the reason why they are not."""
    seen: set[str] = set()
    return [_recipient(segment, row, text, chats, seen) for row in rows]


def counts_of(people: Iterable[Recipient]) -> dict[str, int]:
    """``all``, people by channel (``email``, ``sms``, ``wecom``), and excluded ones by reason (``no_…``)."""
    counts: dict[str, int] = {"all": 0}
    for person in people:
        name = f"no_{person.reason}" if person.reason else person.channel
        counts["all"] += 1
        counts[name] = counts.get(name, 0) + 1
    return counts


def _recipient(
    segment: SegmentConfig, row: Mapping[str, Any], text: str, chats: Sequence[str], seen: set[str]
) -> Recipient:
    name = _get(segment, row, "name")
    if _get(segment, row, "consent").lower() not in word_list("consent"):
        return Recipient(name, "", "", {}, "consent")
    channel, address = _way(segment, row, chats)
    if not channel:
        return Recipient(name, "", "", {}, "address")
    identity = f"{channel}:{address.lower()}"
    if identity in seen:
        return Recipient(name, channel, "", {}, "doubled")
    seen.add(identity)
    fields = {field: _get(segment, row, field) for field in segment.fields}
    values = {"name": name, **fields}
    if any(not values.get(wanted) for wanted in placeholders(text)):
        return Recipient(name, channel, "", {}, "field")
    person = Recipient(name, channel, address, fields)
    if channel == "sms" and not _fits(personal(text, person)):
        return Recipient(name, channel, "", {}, "too_long")
    return person


def _way(segment: SegmentConfig, row: Mapping[str, Any], chats: Sequence[str]) -> tuple[str, str]:
    shapes = {"email": ("email", _EMAIL), "sms": ("phone", _PHONE), "wecom": ("wecom", _WECOM)}
    for channel in segment.prefer:
        field, shape = shapes[channel]
        address = _get(segment, row, field)
        if channel == "sms":
            address = re.sub(r"[\s()-]", "", address)
        if channel in chats and shape.fullmatch(address):
            return channel, address
    return "", ""


def _get(segment: SegmentConfig, row: Mapping[str, Any], field: str) -> str:
    """A field of a row: the column of that name, else JMESPath in the row."""
    wanted = segment.map.get(field, field)
    value = row.get(wanted)
    if value is None and wanted != field:
        try:
            value = jmespath.search(wanted, row)
        except JMESPathError:
            value = None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | list) else _CONTROL.sub("", str(value)).strip()[:500]


def _fits(text: str) -> bool:
    return len(text.encode("utf-16-le")) // 2 <= (SMS_NARROW if text.isascii() else SMS_WIDE)
