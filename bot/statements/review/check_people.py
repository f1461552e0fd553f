"""Numbers that identify people, ways to reach them that are not ours to print, names that are nobody's business."""

import re
from collections.abc import Iterator

from bot.statements.review.findings import Hit
from bot.statements.review.number_patterns import PHONE
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.rules import data
from bot.statements.review.text import Span, fold, inside, touches

_ID = re.compile(r"(?<![0-9a-z])\d{6}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx](?![0-9a-z])")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])")
_CARD = re.compile(r"(?<![\d.])(?:\d[ -]?){15,18}\d(?![\d.])")
_IBAN = re.compile(r"(?<![0-9a-z])[a-z]{2}\d\d(?: ?[0-9a-z]{4}){3,7}(?: ?[0-9a-z]{1,3})?(?![0-9a-z])")
_MAIL = re.compile(r"[a-z0-9][a-z0-9._%+-]{0,63}@((?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24})")
_DIGIT = re.compile(r"\d")
_COUNTRY_CODES = ("86", "1", "852", "853", "886", "44", "65")
_LEAST_PHONE = 7

_TITLED = re.compile(r"\b(?:Dr|Prof|Professor|Mr|Mrs|Ms|Sir|Judge)\.? ([A-Z][a-z'’-]+(?: [A-Z][a-z'’-]+){0,2})")
_ORGANISATION = re.compile(
    r"\b((?:[A-Z][A-Za-z&'’-]+ ){1,4}(?:Bank|University|Hospital|LLP|Laborator(?:y|ies)|Institute|Insurance|Securities|"
    r"Associates|Consulting|Capital|Ltd|Inc|Corporation|Foundation))\b"
)
_GREETED = re.compile(r"(?:Dear|尊敬的|亲爱的)\s?$")


def contacts(review: Reviewing) -> Iterator[Hit]:
    folded = review.reading.folded
    taken: list[Span] = []
    for rule, pattern, real in (("id_number", _ID, _real_id), ("id_number", _SSN, bool), ("bank_card", _CARD, _luhn),
                                ("bank_card", _IBAN, _iban)):  # fmt: skip
        for match in pattern.finditer(folded):
            if real(match[0]):
                taken.append(match.span())
                yield Hit(rule, *match.span())
    hosts = tuple(fold(host) for host in review.context.hosts)
    for match in _MAIL.finditer(folded):
        if not any(match[1] == host or match[1].endswith(f".{host}") for host in hosts) and not _vouched(
            review, match[0]
        ):
            yield Hit("email_address", *match.span())
    yield from _phones(review, tuple(sorted(taken)))


def _phones(review: Reviewing, taken: tuple[Span, ...]) -> Iterator[Hit]:
    ours = {_bare(number) for number in review.context.hotlines}
    for fact in review.context.facts.values():
        if fact.confirmed:
            ours.update(_bare(match[0]) for match in PHONE.finditer(fold(fact.value)))
    ours.update(str(number) for number in data("numbers.yaml")["public_numbers"])
    for match in PHONE.finditer(review.reading.folded):
        digits = _bare(match[0])
        if len(digits) >= _LEAST_PHONE and digits not in ours and not touches(match.span(), taken):
            if _is_date(match[0]) or not _like_a_phone(match[0]):
                continue
            yield Hit("phone_not_ours", *match.span())


def _bare(number: str) -> str:
    """A number without its signs and country code, so that ways of writing it are one."""
    digits = "".join(_DIGIT.findall(fold(number)))
    if number.strip().startswith(("+", "00")) or (len(digits) == 11 and digits[0] == "1" and digits[1] in "8"):
        digits = digits.removeprefix("00")
        for code in _COUNTRY_CODES:
            if digits.startswith(code) and len(digits) - len(code) >= _LEAST_PHONE:
                return digits[len(code) :].lstrip("0")
    return digits.lstrip("0")


def _is_date(written: str) -> bool:
    return bool(re.fullmatch(r"(?:19|20)\d\d[ -]\d{3,4}|\d{4}[ -]\d{4}", written))


def _like_a_phone(written: str) -> bool:
    """Not just two numbers beside each other: ``2300 400`` is none, ``010-88888888`` is one."""
    return written.startswith(("+", "0", "(", "4", "8", "1")) or written.count("-") + written.count(" ") >= 2


def _real_id(number: str) -> bool:
    """Check digit of a mainland identity number (GB 11643); one with a wrong digit is some other number."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], weights, strict=True))
    return "10x98765432"[total % 11] == number[17] or number[6:8] == "19"


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in _DIGIT.findall(number)]
    if not 16 <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6, 9):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _iban(number: str) -> bool:
    plain = number.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def _vouched(review: Reviewing, words: str) -> bool:
    """Whether words stand in a confirmed fact, a published text or among our own names."""
    folded = fold(words)
    return any(folded in text for text in review.vouched_texts)


def _known_part(review: Reviewing, words: str) -> bool:
    """The same for a place that holds a verb beside the name: four characters of it are known together."""
    return any(_vouched(review, words[at : at + 4]) for at in range(max(1, len(words) - 3)))


def names(review: Reviewing) -> Iterator[Hit]:
    """People with a title and organisations by name that nothing of ours knows."""
    text, known = review.reading.text, review.unfilled
    found: set[Span] = set()
    for pattern in (_TITLED, _ORGANISATION):
        for match in pattern.finditer(text):
            if not _GREETED.search(text[max(0, match.start() - 6) : match.start()]) and not _vouched(review, match[1]):
                found.add(match.span())
    for span in review.signal("named_other"):
        if not _GREETED.search(text[max(0, span[0] - 6) : span[0]]) and not _known_part(review, text[slice(*span)]):
            found.add(span)
    for span in sorted(found):
        if not touches(span, known) and not inside(span, review.names) and not touches(span, review.names):
            yield Hit("unknown_name", *span)


def internal(review: Reviewing) -> Iterator[Hit]:
    """Names that stay inside: as whole words, and in Latin script as they are capitalised if they are short words."""
    folded, text = review.reading.folded, review.reading.text
    for name in review.context.internal_names:
        wanted = fold(name.strip())
        if len(wanted) < 2:
            continue
        exact = wanted.isascii() and name.islower() and len(wanted) < 6
        place, count = folded.find(wanted), 0
        while place >= 0 and count < 25:
            end = place + len(wanted)
            if _alone(folded, place, end) and not inside((place, end), review.names) and not exact:
                yield Hit("internal_name", place, end)
                count += 1
            place = folded.find(wanted, end)
        if exact and (match := re.search(rf"\b{re.escape(name.upper())}\b", text)):
            yield Hit("internal_name", *match.span())


def _alone(folded: str, start: int, end: int) -> bool:
    """Whether Latin letters of a name are not part of a longer word."""

    def joined(one: str, other: str) -> bool:
        return one.isascii() and other.isascii() and one.isalnum() and other.isalnum()

    return not (start > 0 and joined(folded[start - 1], folded[start])) and not (
        end < len(folded) and joined(folded[end - 1], folded[end])
    )
