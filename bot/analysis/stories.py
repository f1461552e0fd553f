"""Signatures of texts that say nearly the same thing: MinHash over character 3-grams.

64 permutations tell an edited repost (similarity 0.58–0.91) from another post (below 0.11) cleanly at a threshold of
about 0.5; a 64-bit simhash does not. ``bot.analysis.story_index`` finds stories with them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import rensa

PERMUTATIONS = 64
SIGNATURE_BYTES = PERMUTATIONS * 4
SHORTEST = 8
"""Characters a text needs to have a signature: shorter ones ("转发微博") would all be one story."""

_SEED = 20_250_910  # part of the signature's meaning: stored signatures compare only under the same seed
TEXT_LIMIT = 1_000  # characters of a text that make its signature
_SEPARATOR = "\x00"


def signatures(folded_texts: Sequence[str]) -> list[bytes]:
    """A signature of ``SIGNATURE_BYTES`` (64 little-endian uint32) per text; empty for a text under ``SHORTEST``
    characters. The same text has the same signature in every process and batch."""
    results = [b""] * len(folded_texts)
    numbers = [number for number, text in enumerate(folded_texts) if len(text) >= SHORTEST]
    if not numbers:
        return results
    texts = [folded_texts[number][:TEXT_LIMIT] for number in numbers]
    tokens, offsets = _tokens(texts)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(tokens, offsets, PERMUTATIONS, _SEED)
    packed = np.array(matrix.to_rows(), dtype="<u4").tobytes()
    for place, number in enumerate(numbers):
        results[number] = packed[place * SIGNATURE_BYTES : (place + 1) * SIGNATURE_BYTES]
    return results


def _tokens(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """The 3-grams of all texts as mixed 64-bit numbers, and where each text's begin (with the end as the last)."""
    pair = _SEPARATOR * 2  # so that the 3-grams of a text are those that begin in it, with its end marked
    joined = pair.join(texts) + pair
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    grams = codes[:-2] | (codes[1:-1] << np.uint64(21)) | (codes[2:] << np.uint64(42))
    # The finaliser of splitmix64: the permutations are linear and need well-spread input.
    grams = (grams ^ (grams >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    grams = (grams ^ (grams >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    grams ^= grams >> np.uint64(31)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    inside = np.ones(len(codes), dtype=np.bool_)
    ends = np.cumsum(lengths + 2)
    inside[ends - 1] = inside[ends - 2] = False  # 3-grams that begin in a separator reach into the next text
    offsets = np.zeros(len(texts) + 1, dtype=np.uint64)
    np.cumsum(lengths, out=offsets[1:], dtype=np.uint64)
    return grams[inside[:-2]], offsets


def similarity(one: bytes, other: bytes) -> float:
    """The estimated share of 3-grams that two texts have in common, 0–1; 0 where one has no signature."""
    if len(one) != SIGNATURE_BYTES or len(other) != SIGNATURE_BYTES:
        return 0.0
    same = np.count_nonzero(np.frombuffer(one, dtype=np.uint32) == np.frombuffer(other, dtype=np.uint32))
    return int(same) / PERMUTATIONS
