"""What breaks on the way to the reader: length, links, our own names, invisible characters, doubled paragraphs."""

import re
from collections.abc import Iterator

from bot.statements.review.findings import Hit
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.rules import data
from bot.statements.review.text import Reading

# C0 and C1 controls, soft hyphen, zero width, bidirectional controls, tags, lone surrogates. U+200D joins emoji.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f\ud800-\udfff]"
)
_NARROW_IN_WIDE = re.compile(r"(?<=[\u4e00-\u9fff])[,;:!?](?=[\u4e00-\u9fff])")
_WIDE_LETTERS = re.compile(r"[０-９Ａ-Ｚａ-ｚ]+")
_WIDE_IN_NARROW = re.compile(r"(?<=[A-Za-z])[，。；：！？（）](?=\s?[A-Za-z])")
_LEAST_PARAGRAPH = 16


def form(review: Reviewing) -> Iterator[Hit]:
    if not review.version.body.strip():
        yield Hit("empty_text", 0, 0)
    yield from _lengths(review)
    text = review.reading.text
    for match in _HIDDEN.finditer(text):
        yield Hit("hidden_characters", *match.span(), {"code": f"U+{ord(match[0]):04X}"})
    patterns = [_WIDE_IN_NARROW] if review.version.language == "en" else [_NARROW_IN_WIDE, _WIDE_LETTERS]
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield Hit("mixed_width", *match.span())
    yield from _doubled(review.reading)


def _doubled(reading: Reading) -> Iterator[Hit]:
    seen: set[str] = set()
    for start, end in reading.paragraphs:
        paragraph = re.sub(r"\s+", "", reading.folded[start:end])
        if len(paragraph) < _LEAST_PARAGRAPH:
            continue
        if paragraph in seen:
            yield Hit("duplicate_paragraph", start, end)
        seen.add(paragraph)


def _lengths(review: Reviewing) -> Iterator[Hit]:
    title, body = review.version.title, review.version.body
    platforms = data("platforms.yaml")
    for target in dict.fromkeys(review.context.targets):
        limits = platforms.get(target)
        if limits is None:
            continue
        for part, text, start in (("title", title, 0), ("body", body, len(title) + 1)):
            limit, size = limits.get(part), _size(text, limits.get("unit", ""))
            if limit is not None and size > limit:
                at = min(start + limit, start + len(text))
                params = {"platform": target, "size": size, "limit": limit}
                yield Hit("length_over", at, start + len(text), params, "" if part == "body" else "title")
        long = limits.get("long")
        if long is not None and long < len(body) <= limits.get("body", len(body)):
            params = {"platform": target, "size": len(body), "limit": long}
            yield Hit("length_long", len(title) + 1 + long, len(title) + 1 + len(body), params)


def _size(text: str, unit: str) -> int:
    if unit == "bytes":
        return len(text.encode("utf-8", "replace"))
    if unit == "weighted":  # X counts a wide character twice — docs.x.com, counting characters
        return sum(2 if ord(character) > 0x10FF else 1 for character in text)
    return len(text)
