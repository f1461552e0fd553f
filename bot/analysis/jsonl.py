"""``fengbo analyse``: posts as JSON lines in, one JSON line of analysis each out."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import orjson

from bot.analysis.pipeline import BATCH, Analyser
from bot.analysis.story_index import Placed, StoryIndex
from bot.model.intake import PostError, parse_post
from bot.model.post import Analysis, Post

MAX_LINE = 2_000_000
"""Bytes of a line; the longest post in escaped UTF-8 stays well below."""


def analyse_lines(
    lines: Iterable[bytes],
    analyser: Analyser,
    *,
    now: int,
    batch: int = BATCH,
    source: str = "file",
    platform: str = "other",
    index: StoryIndex | None = None,
    on_error: Callable[[int, str], None] | None = None,
) -> Iterator[bytes]:
    """One line (with its line feed) per good input line, in order; an empty line is skipped.

    A bad line goes to ``on_error(line number from 1, problem in English)`` and does not stop the run. ``now`` (Unix
    milliseconds) bounds the posts' times; ``source`` and ``platform`` apply where a post names none. Stories are
    numbered from 1 in the order of their first post, or go on in ``index``.
    """
    stories = index if index is not None else StoryIndex()
    numbers = itertools.count(1)
    posts: list[Post] = []
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped:
            continue
        try:
            if len(stripped) > MAX_LINE:
                raise PostError("line", f"has {len(stripped)} bytes; at most {MAX_LINE} are taken")
            posts.append(parse_post(_object(stripped), source=source, platform=platform, now=now))
        except PostError as error:
            if on_error is not None:
                on_error(number, str(error))
            continue
        if len(posts) >= batch:
            yield from _lines(posts, analyser.analyse(posts), stories, numbers.__next__)
            posts = []
    yield from _lines(posts, analyser.analyse(posts), stories, numbers.__next__)


def _object(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise PostError("line", f"is not JSON: {error}") from None


def _lines(
    posts: Sequence[Post], analyses: Sequence[Analysis], stories: StoryIndex, new_id: Callable[[], int]
) -> Iterator[bytes]:
    for post, analysis in zip(posts, analyses, strict=True):
        placed = None
        if analysis.signature:
            placed = stories.add(analysis.signature, post.content, post.published_at, new_id)
        yield orjson.dumps(as_json(post, analysis, placed), option=orjson.OPT_APPEND_NEWLINE)


def as_json(post: Post, analysis: Analysis, placed: Placed | None) -> dict[str, object]:
    """The published shape of an analysis; ``story`` (what copies one text) and ``topic`` (stories that
    resemble each other) are null for texts too short to have one."""
    return {
        "id": post.id,
        "lang": analysis.language,
        "subjects": [
            {"id": id_, "words": words, "sentiment": analysis.sentiment_about(id_).value}
            for id_, words in analysis.subjects
        ],
        "sentiment": {"label": analysis.sentiment.value, "score": analysis.sentiment_score},
        "crisis_types": [{"type": hit.type.value, "weight": hit.weight, "words": hit.words} for hit in analysis.types],
        "entities": [{"kind": kind, "value": value} for kind, value in analysis.entities],
        "story": placed.story if placed else None,
        "topic": placed.topic if placed else None,
        "carrier": analysis.carrier.word,
        "influence": analysis.influence,
        "noise": analysis.noise or None,
        "emotion": analysis.emotion or None,
    }
