"""What a post names, as far as patterns can tell: hashtags, accounts, amounts with their unit, product versions."""

import re
from collections.abc import Iterator

MAX_ENTITIES = 20
_LIMIT = 1_000
_DIGIT = re.compile(r"\d", re.ASCII)

_HASHTAG = re.compile(r"#([^#\s@/][^#\n@/]{0,38}?)#|#(\w{2,40})")
_ACCOUNT = re.compile(r"@([\w\-·]{2,30})")
# A number and what follows it; what stands before it is looked at by hand, which is five times faster than a pattern
# that may begin anywhere.
_NUMBER = re.compile(r"(\d[\d,]{0,20}(?:\.\d{1,6})*)\s?(\S{0,10})", re.ASCII)
_UNIT = re.compile(
    r"(?:亿|千万|百万|十万|万|千)?(?:人民币|美元|港元|欧元|日元|元|块钱|块|人次|人|名|用户|户|家|件|台|辆|起|例|条|股|吨|天|小时|%)"
    r"|个百分点|亿|千万|百万|万"
    r"|(?:million|billion|thousand|bn|percent|dollars|users|people|customers|days|hours|k|m)(?![a-z])"
)
_SCALE = re.compile(r"(?:million|billion|bn|k|m)(?![a-z])|万|亿")
_INSIDE = frozenset("acefghijklmnopqrstuwxyz_.@/")  # not the last letters of v, rmb, usd
_CURRENCY = ("$", "€", "£", "¥", "us$ ", "rmb", "rmb ", "usd", "usd ")
_VERSION_MARK = re.compile(r"(?<![^\W\d_])v(?:er(?:sion)?)?[. ]?$")


def entities(folded: str) -> tuple[tuple[str, str], ...]:
    """(kind, value) pairs of a folded text: hashtags, accounts, then amounts and versions; each once, at most
    ``MAX_ENTITIES``, from its first 1,000 characters."""
    hashtag, account = "#" in folded, "@" in folded
    digit = _DIGIT.search(folded) is not None
    if not (hashtag or account or digit):
        return ()
    text = folded[:_LIMIT]
    found: dict[tuple[str, str], None] = {}
    if hashtag:
        for double, single in _HASHTAG.findall(text):
            found[("hashtag", (double or single).strip())] = None
    if account:
        for name in _ACCOUNT.findall(text):
            found[("account", name)] = None
        text = _ACCOUNT.sub(" ", text)  # their digits are no amounts
    if digit:
        for entity in _numbers(text):
            found[entity] = None
    return tuple(found)[:MAX_ENTITIES]


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    for _ in range(MAX_ENTITIES * 2):
        match = _NUMBER.search(text, at)
        if match is None:
            return
        number, after = match.groups()
        start, at = match.start(), match.end(1)
        number = number.rstrip(",")
        before = text[max(0, start - 8) : start]
        if before and before[-1] in _INSIDE:
            continue  # in a name, an address, a code
        if before.endswith(_CURRENCY):
            sign = next(sign for sign in reversed(_CURRENCY) if before.endswith(sign)).strip()
            scale = _SCALE.match(after)
            yield "amount", sign + number + (scale.group() if scale else "")
        elif _VERSION_MARK.search(before) or number.count(".") > 1:
            yield "version", number
        elif (unit := _UNIT.match(after)) is not None and number.count(".") < 2:
            yield "amount", number + unit.group()
