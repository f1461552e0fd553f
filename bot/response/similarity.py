"""How alike short texts are, by character n-grams (Chinese needs no segmentation, English keeps its stems)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bot.analysis.text import clean, fold

BITS = 14
# Odd multipliers spread code points over 32 bits; the upper bits of the product are the best mixed ones.
_FIRST, _SECOND, _THIRD = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)

Matrix = npt.NDArray[np.float32]


def folded(text: str) -> str:
    """The spelling that all comparisons use: no links or markup, lower case, simplified characters."""
    return fold(clean(text))


class Similarity:
    """Compares texts with a fixed set of documents; n-grams that many documents share weigh less."""

    def __init__(self, documents: Sequence[str]) -> None:
        counts = _counts(documents)
        shared = (counts > 0).sum(axis=0)
        self._rarity: Matrix = np.log((1 + len(documents)) / (1 + shared)).astype(np.float32)
        self._documents = _unit(counts * self._rarity)

    def to(self, text: str) -> npt.NDArray[np.float32]:
        """The cosine (0–1) of a folded text with each document, in their order."""
        if len(self._documents) == 0 or not text:
            return np.zeros(len(self._documents), dtype=np.float32)
        asked = _unit(_counts([text]) * self._rarity)
        cosines: npt.NDArray[np.float32] = np.clip(self._documents @ asked[0], 0, 1)
        return cosines


def _counts(texts: Sequence[str]) -> Matrix:
    """(texts × 2^BITS) counts of hashed pairs and triples of characters, damped by the logarithm."""
    table = np.zeros((len(texts), 1 << BITS), dtype=np.float32)
    for row, text in enumerate(texts):
        np.add.at(table[row], _places(text), 1)
    return np.log1p(table)


def _places(text: str) -> npt.NDArray[np.int64]:
    """The table places of a text's pairs and triples; a blank at either end marks where it begins and ends."""
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    pairs = (codes[:-1] * _FIRST) ^ (codes[1:] * _SECOND)
    triples = (pairs[:-1] * _SECOND) ^ (codes[2:] * _THIRD)
    return (np.concatenate([pairs, triples]) * _FIRST >> np.uint32(32 - BITS)).astype(np.int64)


def _unit(table: Matrix) -> Matrix:
    length: Matrix = np.linalg.norm(table, axis=1, keepdims=True).astype(np.float32)
    unit: Matrix = (table / np.maximum(length, np.float32(1e-9))).astype(np.float32)
    return unit
