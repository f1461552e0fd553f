"""People are minimised before anything is stored: author ids hashed, private names shortened, numbers masked."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlite_utils import Database

from bot.model.post import Author, Post

# From this many followers on, or verified, an account speaks as a public voice and keeps its name.
PUBLIC_FOLLOWERS = 50_000
_NARROW = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}
_DIGITS = re.compile(r"\d[\d\s-]{5,}\d")
# Chinese mobile numbers, with or without +86 and separators.
_PHONE = re.compile(r"(?<![\d])(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)")
# GB 11643: 17 digits and a check character.
_ID_CARD = re.compile(r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)")
_BANK_CARD = re.compile(r"(?<!\d)\d{4}[\s-]?\d{4}[\s-]?\d{4}[\s-]?\d{4}(?:[\s-]?\d{1,3})?(?!\d)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")


def _keep_ends(head: int, tail: int) -> Callable[[re.Match[str]], str]:
    def mask(match: re.Match[str]) -> str:
        digits = re.sub(r"[\s-]", "", match[0]).removeprefix("+86")
        return digits[:head] + "*" * max(3, len(digits) - head - tail) + digits[len(digits) - tail :]

    return mask


def _bank(match: re.Match[str]) -> str:
    return _keep_ends(4, 4)(match) if _luhn(re.sub(r"\D", "", match[0])) else match[0]


_MASKS: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = {
    "id_card": (_ID_CARD, _keep_ends(3, 2)),
    "bank_card": (_BANK_CARD, _bank),
    "phone": (_PHONE, _keep_ends(3, 2)),
    "email": (_EMAIL, lambda match: match[0][0] + "***@" + match[0].partition("@")[2]),
}


class Minimiser:
    """``kinds`` are what is masked in texts (phone, id_card, bank_card, email); ``key`` is the install's own key,
    without which a stored author cannot be recomputed."""

    def __init__(self, kinds: Iterable[str], key: bytes) -> None:
        chosen = set(kinds)
        self._masks = [entry for kind, entry in _MASKS.items() if kind in chosen and kind != "email"]
        self._email = _MASKS["email"] if "email" in chosen else None
        self._key = key

    def text(self, text: str) -> str:
        """Mask the numbers of people in a text."""
        if self._masks and _DIGITS.search(text):
            for pattern, mask in self._masks:
                text = _masked(pattern, mask, text)
        if self._email and "@" in text:
            text = self._email[0].sub(self._email[1], text)
        return text

    def author_key(self, source: str, author_id: str) -> str:
        """The keyed hash under which an author is stored; the same author gives the same hash in this install only."""
        return hmac.new(self._key, f"{source}\x1f{author_id}".encode("utf-8", "replace"), hashlib.blake2b).hexdigest()[
            :24
        ]

    def post(self, post: Post) -> Post:
        """The post as it may be stored."""
        author = post.author
        public = author.verified or author.followers >= PUBLIC_FOLLOWERS
        name = author.name
        if name and not public:
            name = name[0] + "**"
        return replace(
            post,
            text=self.text(post.text),
            title=self.text(post.title) if post.title else post.title,
            author=Author(
                self.author_key(post.source, author.id) if author.id else None, name, author.followers, author.verified
            ),
        )


def install_key(db: Database, configured: str) -> bytes:
    """The key of this install: the configured secret, else one made once and kept in the store."""
    if configured:
        return configured.encode()
    db.conn.execute("INSERT OR IGNORE INTO setting (name, value) VALUES ('author_key', ?)", (secrets.token_hex(32),))
    row = db.conn.execute("SELECT value FROM setting WHERE name = 'author_key'").fetchone()
    return str(row[0]).encode()


def _masked(pattern: re.Pattern[str], mask: Callable[[re.Match[str]], str], text: str) -> str:
    """Mask every match, also of full-width figures (１３８…), and leave all other characters as they are."""
    if text.isascii():
        return pattern.sub(mask, text)
    pieces, end = [], 0
    for match in pattern.finditer(text.translate(_NARROW)):
        pieces += [text[end : match.start()], mask(match)]
        end = match.end()
    return "".join([*pieces, text[end:]])


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812 check digit: tells a bank card from an order number."""
    total = 0
    for index, character in enumerate(reversed(digits)):
        value = int(character) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
