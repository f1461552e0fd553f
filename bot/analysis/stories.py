"""Stories: posts that say nearly the same thing, found by MinHash signatures over character 3-grams.

64 permutations tell an edited repost (similarity 0.58–0.91) from another post (below 0.11) cleanly at a threshold of
about 0.5; a 64-bit simhash does not. The index holds one signature per story, so it forgets by story, not by post.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import rensa

PERMUTATIONS = 64
SIGNATURE_BYTES = PERMUTATIONS * 4
SHORTEST = 8
"""Characters a text needs to have a signature: shorter ones ("转发微博") would all be one story."""

SIMILAR_FROM = 0.5
_SEED = 20_250_910  # part of the signature's meaning: stored signatures compare only under the same seed
_BANDS, _ROWS = 12, 3
# 12 bands of 3 find a pair of similarity 0.5 with 80 %, 0.6 with 95 %, 0.7 with 99 %; bands cost, rows do not.
_MOST_CANDIDATES = 64
_TEXT_LIMIT = 1_000  # characters of a text that make its signature
_SEPARATOR = "\x00"


def signatures(folded_texts: Sequence[str]) -> list[bytes]:
    """A signature of ``SIGNATURE_BYTES`` (64 little-endian uint32) per text; empty for a text under ``SHORTEST``
    characters. The same text has the same signature in every process and batch."""
    results = [b""] * len(folded_texts)
    numbers = [number for number, text in enumerate(folded_texts) if len(text) >= SHORTEST]
    if not numbers:
        return results
    texts = [folded_texts[number][:_TEXT_LIMIT] for number in numbers]
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


class _Story:
    __slots__ = ("id", "last_at", "signature")

    def __init__(self, id_: int, signature: bytes, last_at: int) -> None:
        self.id = id_
        self.signature = signature
        self.last_at = last_at


class StoryIndex:
    """Finds the story of a signature among the ``capacity`` most recently seen ones.

    A story is compared by the signature of its first post, so it does not drift from wording to wording. It is
    forgotten ``window_ms`` after its last post. Same calls, same answers: nothing is random, nothing reads a clock.
    """

    def __init__(self, capacity: int = 50_000, window_ms: int = 7 * 86_400_000) -> None:
        if capacity < 1 or window_ms < 1:
            raise ValueError("capacity and window_ms must be at least 1")
        self._capacity = capacity
        self._window = window_ms
        self._stories: OrderedDict[int, _Story] = OrderedDict()  # least recently seen first
        # Per band: piece of a signature → ids. Nearly every piece belongs to one story: a bare number costs a third
        # of a list, and the garbage collector does not visit it.
        self._bands: list[dict[bytes, int | list[int]]] = [{} for _ in range(_BANDS)]

    def __len__(self) -> int:
        return len(self._stories)

    def add(self, signature: bytes, at: int, new_id: Callable[[], int]) -> tuple[int, bool]:
        """The id of the story this signature belongs to, and whether it is new (then ``new_id()`` named it).

        ``at`` is the post's time; posts may come out of order. ``ValueError`` for anything but a signature, the
        empty one included: a text without a signature has no story.
        """
        pieces = _pieces(signature)
        story = self._find(pieces, signature, at)
        if story is not None:
            story.last_at = max(story.last_at, at)
            self._stories.move_to_end(story.id)
            return story.id, False
        story = _Story(new_id(), signature, at)
        self._insert(story, pieces)
        return story.id, True

    def load(self, stories: Iterable[tuple[int, bytes, int]]) -> None:
        """Rebuild from stored (story id, signature, last_at), in any order; rows without a signature are left out."""
        for id_, signature, last_at in sorted(stories, key=lambda row: (row[2], row[0])):
            if len(signature) == SIGNATURE_BYTES:
                self._insert(_Story(id_, bytes(signature), last_at), _pieces(signature))

    def _find(self, pieces: Sequence[bytes], signature: bytes, at: int) -> _Story | None:
        # Nearly every post hits nothing, so the misses are what must be quick.
        hits = [hit for band, piece in zip(self._bands, pieces, strict=True) if (hit := band.get(piece)) is not None]
        if not hits:
            return None
        candidates: set[int] = set()
        for found in hits:
            if isinstance(found, int):
                candidates.add(found)
            else:
                candidates.update(found[-_MOST_CANDIDATES:])
        values = np.frombuffer(signature, dtype=np.uint32)
        best, best_same = None, int(SIMILAR_FROM * PERMUTATIONS) - 1
        for id_ in sorted(candidates)[:_MOST_CANDIDATES]:
            story = self._stories[id_]
            if abs(at - story.last_at) > self._window:
                continue
            same = int(np.count_nonzero(np.frombuffer(story.signature, dtype=np.uint32) == values))
            if same > best_same:
                best, best_same = story, same
        return best

    def _insert(self, story: _Story, pieces: Sequence[bytes]) -> None:
        if story.id in self._stories:
            self._forget(self._stories[story.id])
        self._stories[story.id] = story
        id_ = story.id
        for band, piece in zip(self._bands, pieces, strict=True):
            others = band.setdefault(piece, id_)
            if others == id_:
                continue
            if isinstance(others, list):
                others.append(id_)
            else:
                band[piece] = [others, id_]
        while len(self._stories) > self._capacity:
            self._forget(next(iter(self._stories.values())))

    def _forget(self, story: _Story) -> None:
        del self._stories[story.id]
        for band, piece in zip(self._bands, _pieces(story.signature), strict=True):
            found = band[piece]
            if isinstance(found, list):
                found.remove(story.id)
                if len(found) == 1:
                    band[piece] = found[0]
            else:
                del band[piece]


_WIDTH = _ROWS * 4
_SLICES = tuple(slice(start, start + _WIDTH) for start in range(0, _BANDS * _WIDTH, _WIDTH))


def _pieces(signature: bytes) -> list[bytes]:
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    return [signature[piece] for piece in _SLICES]
