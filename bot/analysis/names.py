"""Names in a post: organisations, people, places by word classes (rjieba), products by their shape.

Word classes are a dictionary's guess, so a name counts only with a second sign: an organisation has its word (bank,
company, branch …) or stands in the dictionary as one, a person a surname and no brand's name.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from importlib import resources

from bot import quick_yaml

LIMIT = 600
"""Characters that are looked at: what a post names, it names early."""

MAX_NAMES = 12
_HAN = re.compile(r"[\u3400-\u9fff]")
_SAYS_WHICH = frozenset(
    {"n", "nz", "nr", "nrt", "nrfg", "ns", "nt", "eng", "j", "vn", "v", "x", "a", "b", "m", "l", "i"}
)
_JOINERS = frozenset("()·&")
_MODEL = re.compile(
    r"(?<![a-z0-9.@/_-])(?:(?:iphone|ipad|galaxy|model|mate|note|redmi|switch|windows|android|ios"
    r"|playstation|xbox|surface|pixel)\s?"
    r"[a-z0-9]{1,4}|[a-z]{1,3}\d{1,4}[a-z]?|\d{1,2}[a-z]\d{0,2}(?=手机|汽车|版))(?:\s?(?:pro|max|plus|ultra|mini|lite|se))*(?![a-z0-9]|\.\d)"
)
_WORK = re.compile(r"《([^《》]{1,30})》")


@functools.cache
def _words(name: str) -> frozenset[str]:
    """A list of ``names.yaml``."""
    text = resources.files("bot.analysis").joinpath("names.yaml").read_text(encoding="utf-8")
    return frozenset(str(quick_yaml.load(text)[name]).split())


def names(folded: str) -> tuple[tuple[str, str], ...]:
    """(kind, name) of organisations, people, places and products in a folded text, each once, in the order of their
    kind and place, at most ``MAX_NAMES``."""
    text = folded[:LIMIT]
    found: dict[tuple[str, str], None] = {}
    if _HAN.search(text):
        import rjieba  # reads its dictionary at once: with the first post, not before a start has opened the doors

        for entity in _by_class(rjieba.tag(text)):
            found[entity] = None
    for work in _WORK.findall(text):
        found[("product", f"《{work}》")] = None
    for model in _MODEL.finditer(text):
        found[("product", model.group().strip())] = None
    return tuple(found)[:MAX_NAMES]


def organisations(found: Sequence[tuple[str, str]]) -> list[str]:
    return [name for kind, name in found if kind == "organisation"]


def _by_class(tokens: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    place = ""
    for number, (word, kind) in enumerate(tokens):
        if kind == "ns" and len(word) > 1:
            place += word
            continue
        ends = word in _words("ends_an_organisation")
        if place and not ends:
            yield "place", place
        place = ""
        if ends:
            name = _with_what_says_which(tokens, number)
            if name:
                yield "organisation", name
        elif kind == "nt" and len(word) > 2 and not _ends_one(tokens, number + 1):
            yield "organisation", word
        elif kind in {"nr", "nrt", "nrfg"} and _is_person(tokens, number):
            yield "person", word
    if place:
        yield "place", place


def _ends_one(tokens: Sequence[tuple[str, str]], number: int) -> bool:
    return number < len(tokens) and tokens[number][0] in _words("ends_an_organisation")


def _with_what_says_which(tokens: Sequence[tuple[str, str]], number: int) -> str:
    """The organisation's word with up to six words before it that can be part of its name; empty without any."""
    if _ends_one(tokens, number + 1):
        return ""  # its longer name follows: 银行 in 银行支行
    start = number
    while start > 0 and number - start < 6:
        word, kind = tokens[start - 1]
        if kind not in _SAYS_WHICH or word in _words("never_in_a_name") or not (word[0].isalnum() or word in _JOINERS):
            break
        start -= 1
    while start < number and tokens[start][0] in _JOINERS:
        start += 1
    if start == number:
        return ""
    name = "".join(word for word, _ in tokens[start : number + 1])
    return name if 3 <= len(name) <= 24 else ""


def _is_person(tokens: Sequence[tuple[str, str]], number: int) -> bool:
    word = tokens[number][0]
    if word in _words("brands") or not 2 <= len(word) <= 4 or word[0] not in _words("surnames"):
        return False
    # Before an organisation's word it names the organisation.
    return not _ends_one(tokens, number + 1)
