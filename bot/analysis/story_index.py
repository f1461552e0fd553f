"""Which story a post belongs to, over a stream, in bounded memory; and which stories are one topic.

A *story* is what copies one text: posts that share at least ``COPY_FROM`` of their 4-grams with its first post, counted
exactly. A *topic* is stories that resemble each other (``SIMILAR_FROM`` of a signature): edited versions and what
connects them. Signatures find the few candidates, exact counting decides, so the answer does not hang on chance.

Ids are stable: a story keeps its number, a topic has the number of its oldest story. A post that resembles two topics
merges them under the older number; when the story that connected two parts is forgotten, they split, and the part
without the oldest story takes the number of its own oldest one.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.stories import PERMUTATIONS, SIGNATURE_BYTES, TEXT_LIMIT

COPY_FROM = 0.8
"""Of the distinct 4-grams of both texts together, the share that both have (Jaccard)."""

SIMILAR_FROM = 0.5
_GRAM = 4
_BANDS, _ROWS = 12, 3
# 12 bands of 3 find a pair of similarity 0.5 with 80 %, 0.6 with 95 %, 0.7 with 99 %; bands cost, rows do not.
_MOST_CANDIDATES = 64
_MOST_CHECKED = 8  # candidates whose texts are compared, most alike first
# 3-grams are shared more often than 4-grams, and a signature errs by a twentieth: below this nothing is a copy.
_WORTH_CHECKING = int(0.62 * PERMUTATIONS)
_SIMILAR = int(SIMILAR_FROM * PERMUTATIONS)
_MOST_LINKS = 32  # of one story; both ends know a link, or neither
_MOST_WALKED = 2_000  # stories looked at to see whether a topic still hangs together; a larger one stays whole


@dataclass(frozen=True, slots=True)
class Merge:
    """Two topics turned out to be one: ``story`` resembles both; ``gone`` became part of ``kept``."""

    kept: int
    gone: int
    story: int


@dataclass(frozen=True, slots=True)
class Split:
    """A topic fell apart: ``stories`` are a topic of their own now, ``new``."""

    old: int
    new: int
    stories: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """The story of a post, whether it is new, and its topic."""

    story: int
    new: bool
    topic: int


@dataclass(frozen=True, slots=True)
class Known:
    """A stored story: ``text`` is the folded text of its first post, empty where that is gone."""

    story: int
    topic: int
    signature: bytes
    last_at: int
    text: str = ""


class _Topic:
    __slots__ = ("id", "stories")

    def __init__(self, id_: int) -> None:
        self.id = id_
        self.stories: set[int] = set()


class _Story:
    __slots__ = ("id", "last_at", "links", "signature", "text", "topic")

    def __init__(self, id_: int, signature: bytes, last_at: int, text: str) -> None:
        self.id = id_
        self.signature = signature
        self.last_at = last_at
        self.text = text
        self.links: tuple[int, ...] = ()
        self.topic = _Topic(id_)


class StoryIndex:
    """Finds the story of a post among the ``capacity`` most recently seen ones.

    A story is compared by its first post, so it does not drift from wording to wording. It is no longer found
    ``window_ms`` after its last post. Same calls, same answers: nothing is random, nothing reads a clock.
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
        self._texts: dict[str, int] = {}  # exact copies are most copies, and need no comparing
        self._changes: list[Merge | Split] = []

    def __len__(self) -> int:
        return len(self._stories)

    def add(self, signature: bytes, text: str, at: int, new_id: Callable[[], int]) -> Placed:
        """Where a post belongs; a new story is named by ``new_id()``.

        ``text`` is the folded text that the signature was made of, ``at`` the post's time; posts may come out of
        order. ``ValueError`` for anything but a signature, the empty one included: a text without a signature has no
        story.
        """
        pieces = _pieces(signature)
        text = text[:TEXT_LIMIT]
        same = self._stories.get(self._texts.get(text, 0)) if text else None
        if same is not None and abs(at - same.last_at) <= self._window and same.text == text:
            return self._seen(same, at)
        alike = self._alike(pieces, signature, at)
        story = _copied(text, alike)
        if story is not None:
            return self._seen(story, at)
        story = _Story(new_id(), signature, at, text)
        story.topic.stories.add(story.id)
        links = [other for same_count, other in alike if same_count >= _SIMILAR][:_MOST_LINKS]
        self._insert(story, pieces)
        for other in links:
            self._link(story, other)
        self._trim()
        return Placed(story.id, True, story.topic.id)

    def load(self, stories: Iterable[Known]) -> None:
        """Rebuild from the store, in any order; rows without a signature are left out. Links are found anew, topics
        are as stored."""
        topics: dict[int, _Topic] = {}
        for known in sorted(stories, key=lambda known: (known.last_at, known.story)):
            if len(known.signature) != SIGNATURE_BYTES:
                continue
            story = _Story(known.story, bytes(known.signature), known.last_at, known.text[:TEXT_LIMIT])
            story.topic = topics.setdefault(known.topic, _Topic(known.topic))
            pieces = _pieces(story.signature)
            alike = self._alike(pieces, story.signature, story.last_at)
            self._insert(story, pieces)
            for same_count, other in alike[:_MOST_LINKS]:
                if same_count >= _SIMILAR and other.topic is story.topic:
                    _join(story, other)
        self._trim()
        self._changes.clear()

    def expire(self, before: int) -> None:
        """Forget stories whose last post is older, beginning with the least recently seen one."""
        while self._stories:
            oldest = next(iter(self._stories.values()))
            if oldest.last_at >= before:
                break
            self._forget(oldest)

    def changes(self) -> list[Merge | Split]:
        """What happened to topics since the last call."""
        found, self._changes = self._changes, []
        return found

    def _seen(self, story: _Story, at: int) -> Placed:
        story.last_at = max(story.last_at, at)
        self._stories.move_to_end(story.id)
        return Placed(story.id, False, story.topic.id)

    def _alike(self, pieces: Sequence[bytes], signature: bytes, at: int) -> list[tuple[int, _Story]]:
        """Stories that share a piece, within the window, with the number of equal permutations, most alike first."""
        # Nearly every post hits nothing, so the misses are what must be quick.
        hits = [hit for band, piece in zip(self._bands, pieces, strict=True) if (hit := band.get(piece)) is not None]
        if not hits:
            return []
        candidates: set[int] = set()
        for found in hits:
            if isinstance(found, int):
                candidates.add(found)
            else:
                candidates.update(found[-_MOST_CANDIDATES:])
        chosen = [
            story
            for id_ in sorted(candidates)[:_MOST_CANDIDATES]
            if abs(at - (story := self._stories[id_]).last_at) <= self._window
        ]
        values = np.frombuffer(signature, dtype=np.uint32)
        counted = [
            (int(np.count_nonzero(np.frombuffer(story.signature, dtype=np.uint32) == values)), story)
            for story in chosen
        ]
        counted.sort(key=lambda pair: (-pair[0], pair[1].id))
        return counted

    def _insert(self, story: _Story, pieces: Sequence[bytes]) -> None:
        if story.id in self._stories:
            self._forget(self._stories[story.id])
        self._stories[story.id] = story
        story.topic.stories.add(story.id)
        if story.text:
            self._texts[story.text] = story.id
        id_ = story.id
        for band, piece in zip(self._bands, pieces, strict=True):
            others = band.setdefault(piece, id_)
            if others == id_:
                continue
            if isinstance(others, list):
                others.append(id_)
            else:
                band[piece] = [others, id_]

    def _trim(self) -> None:
        while len(self._stories) > self._capacity:
            self._forget(next(iter(self._stories.values())))

    def _link(self, story: _Story, other: _Story) -> None:
        _join(story, other)
        one, two = story.topic, other.topic
        if one is two:
            return
        kept, gone = (one, two) if one.id < two.id else (two, one)
        if story.id not in (one.id, two.id) or len(story.topic.stories) > 1:  # a new story joining is no merge
            self._changes.append(Merge(kept.id, gone.id, story.id))
        large, small = (kept, gone) if len(kept.stories) >= len(gone.stories) else (gone, kept)
        for member in small.stories:
            self._stories[member].topic = large
        large.stories |= small.stories
        large.id = kept.id

    def _forget(self, story: _Story) -> None:
        del self._stories[story.id]
        if self._texts.get(story.text) == story.id:
            del self._texts[story.text]
        for band, piece in zip(self._bands, _pieces(story.signature), strict=True):
            found = band[piece]
            if isinstance(found, list):
                found.remove(story.id)
                if len(found) == 1:
                    band[piece] = found[0]
            else:
                del band[piece]
        story.topic.stories.discard(story.id)
        neighbours = [self._stories[id_] for id_ in story.links if id_ in self._stories]
        for other in neighbours:
            other.links = tuple(id_ for id_ in other.links if id_ != story.id)
        if len(neighbours) > 1:
            self._split(story.topic, neighbours)

    def _split(self, topic: _Topic, ends: Sequence[_Story]) -> None:
        """See whether what a forgotten story connected still hangs together. The part with the topic's own number, else
        the largest, keeps it, and so do stories that had no room for a link."""
        parts: list[set[int]] = []
        for end in ends:
            if not any(end.id in part for part in parts):
                part = self._reach(end)
                if len(part) > _MOST_WALKED:
                    return
                parts.append(part)
        if len(parts) < 2:
            return
        keeps = max(parts, key=lambda part: (topic.id in part, len(part), -min(part)))
        for part in parts:
            if part is keeps:
                continue
            apart = _Topic(min(part))
            apart.stories = part
            topic.stories -= part
            for member in part:
                self._stories[member].topic = apart
            self._changes.append(Split(topic.id, apart.id, tuple(sorted(part))))

    def _reach(self, start: _Story) -> set[int]:
        reached, waiting = {start.id}, deque([start])
        while waiting and len(reached) <= _MOST_WALKED:
            for id_ in waiting.popleft().links:
                if id_ not in reached and id_ in self._stories:
                    reached.add(id_)
                    waiting.append(self._stories[id_])
        return reached


def shared(one: str, other: str) -> float:
    """The share of distinct 4-grams that two texts have in common (Jaccard), exact; of texts shorter than four
    characters, whether they are equal."""
    first, second = _grams(one), _grams(other)
    both = len(first & second)
    return both / (len(first) + len(second) - both) if both else 0.0


def _copied(text: str, alike: Sequence[tuple[int, _Story]]) -> _Story | None:
    """The story whose text this one copies, the most alike of several."""
    checked = [pair for pair in alike[:_MOST_CHECKED] if pair[0] >= _WORTH_CHECKING]
    if not checked:
        return None
    grams = _grams(text)
    best, best_share = None, COPY_FROM
    for same_count, story in checked:
        if not text or not story.text:  # the first post is gone: the signature is all there is
            share = same_count / PERMUTATIONS
        else:
            others = _grams(story.text)
            both = len(grams & others)
            share = both / (len(grams) + len(others) - both)
        if share > best_share or (share == best_share and best is None):
            best, best_share = story, share
    return best


def _grams(text: str) -> set[str]:
    return {text[start : start + _GRAM] for start in range(max(1, len(text) - _GRAM + 1))}


def _join(one: _Story, other: _Story) -> None:
    if max(len(one.links), len(other.links)) < _MOST_LINKS and other.id not in one.links:
        one.links = (*one.links, other.id)
        other.links = (*other.links, one.id)


_WIDTH = _ROWS * 4
_SLICES = tuple(slice(start, start + _WIDTH) for start in range(0, _BANDS * _WIDTH, _WIDTH))


def _pieces(signature: bytes) -> list[bytes]:
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    return [signature[piece] for piece in _SLICES]
