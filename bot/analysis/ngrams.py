"""Character n-grams of a whole batch as table positions, without a loop over characters.

The batch is joined with two separators before every text, so that no n-gram up to three characters reaches from one
text into the next, and the n-grams with a separator in them say "at the beginning" and "at the end".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BITS = 18
"""Three thirds of 2**BITS positions: characters and pairs of the post's own words, those of what it quotes, triples."""

POSITIONS = 3 << BITS
_SEPARATOR = "\x00"
_QUOTE = "//@"  # "own words//@name: quoted words//@name: …" is how reposts look
# Odd multipliers spread code points over 32 bits; the upper bits of the product are the best mixed ones.
_FIRST, _SECOND, _THIRD = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_SALT = tuple(np.uint32(salt) for salt in (0x27D4EB2F, 0x165667B1, 0xD3A2646C))
MOST_TEXTS = 1 << (30 - BITS)


@dataclass(frozen=True, slots=True)
class Batch:
    """``codes``: the joined code points. ``starts``: where each text begins in them. ``grams``: the table positions of
    the distinct n-grams (n = 1, 2, 3) of all texts. ``first_gram``: where each text's begin in ``grams``; every text
    has some, an empty one those of its borders."""

    codes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    grams: npt.NDArray[np.uint32]
    first_gram: npt.NDArray[np.int64]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many distinct n-grams each text has."""
        counts: npt.NDArray[np.int64] = np.diff(self.first_gram, append=len(self.grams))
        return counts


def batch_of(texts: Sequence[str]) -> Batch:
    """Hash 1 to ``MOST_TEXTS`` folded texts; separators inside a text are harmless."""
    if not 0 < len(texts) <= MOST_TEXTS:
        raise ValueError(f"a batch has 1 to {MOST_TEXTS} texts, not {len(texts)}")
    pair = _SEPARATOR * 2
    joined = pair + pair.join(texts) + pair
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    starts = np.zeros(len(texts), dtype=np.int64)
    np.cumsum(lengths[:-1] + 2, out=starts[1:])
    quoted = np.fromiter((text.find(_QUOTE) for text in texts), dtype=np.int64, count=len(texts))
    size = len(codes) - 2  # the closing pair only ends n-grams
    # Sorting (text, position) keys of the whole batch finds the distinct ones far cheaper than a set per text.
    owners = np.arange(len(texts), dtype=np.uint32) << np.uint32(BITS + 2)
    owner = np.repeat(owners, lengths + 2)
    singles, pairs, triples = hashed(codes, size)
    triples |= owner | np.uint32(2 << BITS)
    if (quoted >= 0).any():
        border = np.where(quoted >= 0, starts + 2 + quoted, size)
        beyond = np.arange(size) >= np.repeat(border, lengths + 2)
        owner |= beyond.astype(np.uint32) << np.uint32(BITS)
    singles |= owner
    pairs |= owner
    keys = np.concatenate([singles, pairs, triples])
    keys.sort()
    keep = np.empty(len(keys), dtype=np.bool_)
    keep[0] = True
    np.not_equal(keys[1:], keys[:-1], out=keep[1:])
    keys = keys[keep]
    first_gram = np.searchsorted(keys, owners).astype(np.int64)
    return Batch(codes[:size], starts, keys & np.uint32((4 << BITS) - 1), first_gram)


def hashed(codes: npt.NDArray[np.uint32], size: int) -> list[npt.NDArray[np.uint32]]:
    """For n = 1, 2, 3 the hash of the n-gram that begins at each of the first ``size`` code points."""
    two = codes * _SECOND
    three = codes * _THIRD
    first = codes[:size] * _FIRST
    second = first ^ (two[1 : size + 1] >> np.uint32(3)) ^ two[1 : size + 1]
    third = second + (three[2 : size + 2] ^ (three[2 : size + 2] >> np.uint32(7)))
    shift = np.uint32(32 - BITS)
    return [((keys ^ salt) * _FIRST) >> shift for keys, salt in zip((first, second, third), _SALT, strict=True)]
