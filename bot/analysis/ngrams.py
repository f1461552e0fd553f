"""Character n-grams of a whole batch as table positions, without a loop over characters.

The batch is joined with two separators before every text, so that no n-gram up to three characters reaches from one
text into the next, and the n-grams with a separator in them say "at the beginning" and "at the end".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BITS = 18
_SEPARATOR = "\x00"
# Odd multipliers spread code points over 32 bits; the upper bits of the product are the best mixed ones.
_FIRST, _SECOND, _THIRD = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_SALT = tuple(np.uint32(salt) for salt in (0x27D4EB2F, 0x165667B1, 0xD3A2646C))


@dataclass(frozen=True, slots=True)
class Batch:
    """``codes``: the joined code points. ``starts``: where each text begins in them. ``grams``: for n = 1, 2, 3 the
    table position of the n-gram that begins at each code point (the last ones wrap around to the separators)."""

    codes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    grams: tuple[npt.NDArray[np.uint32], ...]


def batch_of(texts: Sequence[str], bits: int = BITS) -> Batch:
    """Hash a non-empty sequence of texts; separators inside a text are harmless."""
    pair = _SEPARATOR * 2
    joined = pair + pair.join(texts) + pair
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    starts = np.zeros(len(texts), dtype=np.int64)
    np.cumsum(lengths[:-1] + 2, out=starts[1:])
    shift = np.uint32(32 - bits)
    one = codes * _FIRST
    two = codes * _SECOND
    three = codes * _THIRD
    size = len(codes) - 2  # the closing pair only ends n-grams
    first = one[:size]
    second = first ^ (two[1 : size + 1] >> np.uint32(3)) ^ two[1 : size + 1]
    third = second + (three[2 : size + 2] ^ (three[2 : size + 2] >> np.uint32(7)))
    grams = tuple(((keys ^ salt) * _FIRST) >> shift for keys, salt in zip((first, second, third), _SALT, strict=True))
    return Batch(codes[:size], starts, lengths, grams)
