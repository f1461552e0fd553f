"""Whom a negative post is about, of those it names; and whether a news-like text is bad news for anybody at all.

Two linear models over hashed features with weights in one file (``docs/MODEL_CARD.md``). *News* looks at the n-grams
of the whole text. *About* looks at what stands around each name: the words before and after it, its sentence with the
names hidden, how early and how often it stands, whether it is part of a longer name. No name is a feature, so that a
company's past says nothing about its next post.
"""

import functools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO
from zlib import crc32

import numpy as np
import numpy.typing as npt

from bot.analysis.ngrams import MOST_TEXTS, POSITIONS, batch_of

BITS = 17
LIMIT = 1_000
"""Characters of a text in which names are looked for."""

MAX_NAMES = 12
SPARED_MARGIN = 0.3
_MAX_PLACES = 8
_WINDOW = 14
_SENTENCE = 40
_SELF, _OTHER = "\x01", "\x02"
_STOP = re.compile(r"[。！？!?\n]")
_MASK = (1 << BITS) - 1
_FORMAT = 1
_CUE = 2.0
# What says by itself that the named one is blamed, or only compared with, quoted, thanked or harmed. Looked for in the
# text with the name written as \x01 and all others as \x02.
_BLAMED = re.compile(
    r"\x01.{0,6}比.{0,4}\x02.{0,6}(?:差|烂|坑|慢|贵|难用|不如)|比\x01.{0,6}(?:强|好|靠谱|快|便宜)|\x01.{0,4}(?:不如|远不如|没有|赶不上)\x02"
    r"|(?:被|遭|让)\x01.{0,4}(?:坑|骗|打|扣|拒|害|黑)|(?:卸载|抵制|再也不买|不买|别买|拉黑|避雷|早知道不|退掉|弃用)\x01|从\x01"
    r"|\x01.{0,8}(?:抄袭|抄|碰瓷|雇水军|黑|诋毁)\x02"
    r"|(?:worse than \x02|\x01 is (?:far |much )?worse|from \x01|after \x01|avoid \x01)"
)
_PREFERRED = re.compile(
    r"\x02.{0,6}比.{0,4}\x01.{0,6}(?:差|烂|坑|慢|贵|难用)|比\x01.{0,6}(?:差|烂|坑|慢|贵|难用)|(?:不如|赶不上)\x01"
    r"|(?:换成|换到|改用|转投|投奔|跳槽|还是|多亏|感谢|点赞|收购|早知道买|隔壁|幸好有|幸亏有|推荐)\x01|用\x01代替"
    r"|\x01.{0,4}(?:都?正常|秒到|靠谱|早飞|强太多|同款|有多好|第一时间)"
    r"|(?:than|to|thanks|thank you) \x01|\x01 (?:works|is better)"
)
_BYSTANDER = re.compile(
    r"\x01.{0,4}(?:日报|晚报|新闻|财经|记者|报道|消息|网讯|回应|声明|起诉|超市|商城)|据\x01|\x01通报"
    r"|\x01.{0,6}(?:对|约谈|处罚|立案)\x02|\x01 (?:news|reported|reports)"
)
_BOTH = re.compile(
    r"\x01.{0,3}(?:和|与|、|跟|及|or|and).{0,2}\x02.{0,6}(?:都|一样|全|均|半斤八两|overcharge)|\x02.{0,3}(?:和|与|、|跟|及|and).{0,2}\x01.{0,6}(?:都|一样|全|均)"
)
_STRUCTURE = 0.5  # the size of the features that are not words, beside the word vector of length 2


@dataclass(frozen=True, slots=True)
class WhomWeights:
    """``about``: int16 per hashed feature, ``news``: int16 per position of the n-gram table; each with its scale and
    bias (log odds)."""

    about: npt.NDArray[np.int16]
    about_scale: float
    about_bias: float
    news: npt.NDArray[np.int16]
    news_scale: float
    news_bias: float

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            format=_FORMAT,
            about=self.about,
            news=self.news,
            numbers=np.array([self.about_scale, self.about_bias, self.news_scale, self.news_bias]),
        )

    @classmethod
    def load(cls, source: Path | IO[bytes]) -> "WhomWeights":
        """Raises ``ValueError`` where the file is not one of ours."""
        with np.load(source, allow_pickle=False) as data:
            if "about" not in data or int(data["format"]) != _FORMAT:
                raise ValueError("not a weights file of this version")
            about, news = data["about"], data["news"]
            if about.shape != (1 << BITS,) or news.shape != (POSITIONS,):
                raise ValueError("the weights do not have the right number of entries")
            numbers = [float(number) for number in data["numbers"]]
            return cls(about, numbers[0], numbers[1], news, numbers[2], numbers[3])


def features(text: str, name: str, names: Sequence[str]) -> dict[int, float]:
    """Hashed features of one name (folded, not empty) of a folded text that names ``names``, with their values."""
    text = text[:LIMIT]
    found: dict[int, float] = {}
    for feature, value in _structure(text, name, names):
        found[crc32(feature.encode("utf-8", "replace")) & _MASK] = value * _STRUCTURE
    hidden = _hidden(text, name, names)
    for cue, pattern in (("blamed", _BLAMED), ("preferred", _PREFERRED), ("bystander", _BYSTANDER), ("both", _BOTH)):
        if pattern.search(hidden):
            found[crc32(cue.encode()) & _MASK] = _CUE
    words: dict[int, int] = {}
    for feature in _around(hidden):
        position = crc32(feature.encode("utf-8", "replace")) & _MASK
        words[position] = min(2, words.get(position, 0) + 1)
    length = math.sqrt(sum(count * count for count in words.values())) or 1.0
    for position, count in words.items():
        found[position] = found.get(position, 0.0) + 2 * count / length
    return found


def _structure(text: str, name: str, names: Sequence[str]) -> Iterator[tuple[str, float]]:
    longer = [other for other in names if other != name and name in other]
    places = free_places(text, name, longer)
    if longer:
        yield "inside", 2.0
        yield ("also alone" if places else "only inside"), 2.0
    if any(other != name and other in name for other in names):
        yield "around", 2.0
    stands = len(places) or text.count(name)
    everybody = sum(text.count(other) for other in names) or 1
    yield "share", 2 * stands / everybody
    yield f"times {min(stands, 4)}", 2.0
    yield f"names {min(len(names), 6)}", 2.0
    if not stands:
        yield "absent", 2.0
        return
    first = places[0] if places else text.find(name)
    yield "place", 2 * first / max(1, len(text))
    yield f"begins {min(3, first // 10)}", 2.0
    before = sum(other != name and 0 <= text.find(other) < first for other in names)
    yield f"rank {min(before, 4)}", 2.0
    yield "rank", 2 * before / len(names)


def free_places(text: str, name: str, longer: Sequence[str]) -> list[int]:
    """Where a name stands by itself, not inside one of the longer names."""
    places: list[int] = []
    at = text.find(name)
    while at >= 0 and len(places) < _MAX_PLACES:
        if not any(_covers(text, at, name, other) for other in longer):
            places.append(at)
        at = text.find(name, at + 1)
    return places


def _covers(text: str, at: int, name: str, longer: str) -> bool:
    start = at - longer.find(name)
    return start >= 0 and text.startswith(longer, start)


def _hidden(text: str, name: str, names: Sequence[str]) -> str:
    for other in sorted(names, key=len, reverse=True):
        text = text.replace(other, _SELF if other == name else _OTHER)
    return text


def _around(hidden: str) -> Iterator[str]:
    at = hidden.find(_SELF)
    for _ in range(_MAX_PLACES):
        if at < 0:
            return
        left, right = hidden[max(0, at - _WINDOW) : at], hidden[at + 1 : at + 1 + _WINDOW]
        for size in (1, 2, 3):
            for start in range(len(left) - size + 1):
                yield "L" + left[start : start + size]
            for start in range(len(right) - size + 1):
                yield "R" + right[start : start + size]
        yield "l" + left[-1:]
        yield "ll" + left[-2:]
        yield "r" + right[:1]
        yield "rr" + right[:2]
        yield "lr" + left[-1:] + right[:1]
        ahead = _STOP.split(hidden[max(0, at - _SENTENCE) : at])[-1]
        sentence = ahead + _SELF + _STOP.split(hidden[at + 1 : at + 1 + _SENTENCE])[0]
        for size in (2, 3):
            for start in range(len(sentence) - size + 1):
                yield "S" + sentence[start : start + size]
        at = hidden.find(_SELF, at + 1)


class Whom:
    """Judges with ``weights``. Texts and names are folded (``bot.analysis.text``)."""

    def __init__(self, weights: WhomWeights) -> None:
        self._about = weights.about.astype(np.float64) * weights.about_scale
        self._news = weights.news.astype(np.int64)
        self._weights = weights

    def scores(self, text: str, names: Sequence[str]) -> list[float]:
        """Per name the log odds that the text, if it is negative, is negative about it; in the order of ``names``, of
        which at most ``MAX_NAMES`` are weighed and the others get minus infinity."""
        results = []
        known = list(names[:MAX_NAMES])
        for name in known:
            found = features(text, name, known)
            positions = np.fromiter(found, dtype=np.intp, count=len(found))
            values = np.fromiter(found.values(), dtype=np.float64, count=len(found))
            results.append(float(self._about[positions] @ values) + self._weights.about_bias)
        return results + [-math.inf] * (len(names) - len(known))

    def about(self, text: str, names: Sequence[str]) -> tuple[str, ...]:
        """Those of ``names`` that a negative text is about: everybody more likely than not, and at least one."""
        if len(names) < 2:
            return tuple(names)
        scores = self.scores(text, names)
        best = max(scores)
        return tuple(name for name, score in zip(names, scores, strict=True) if score > 0 or score == best)

    def spared(self, text: str, parties: Sequence[Sequence[str]], watched: int) -> tuple[int, ...]:
        """Which of the first ``watched`` parties a negative text names without being negative about them.

        A party has one or more names. Somebody else must be the likely target, and a clear margin is asked for: a
        crisis that is missed costs more than a post too many.
        """
        if len(parties) < 2:
            return ()
        names = list(dict.fromkeys(name for party in parties for name in party))
        scores = dict(zip(names, self.scores(text, names), strict=True))
        best = [max((scores[name] for name in party), default=-math.inf) for party in parties]
        return tuple(
            number
            for number in range(watched)
            if -math.inf < best[number] < -SPARED_MARGIN and max(best) > SPARED_MARGIN
        )

    def bad_news(self, texts: Sequence[str]) -> list[float]:
        """Per text the log odds that it is bad news for a company it speaks of. Learnt from finance posts and
        articles: of little meaning for small talk."""
        results: list[float] = []
        for start in range(0, len(texts), MOST_TEXTS):
            batch = batch_of(texts[start : start + MOST_TEXTS])
            sums = np.add.reduceat(self._news.take(batch.grams.astype(np.intp)), batch.first_gram)
            odds = sums * self._weights.news_scale / np.sqrt(batch.counts) + self._weights.news_bias
            results += odds.tolist()
        return results


@functools.cache
def shipped_whom() -> Whom:
    """The judge with the weights that come with Fengbo."""
    with resources.files("bot.analysis").joinpath("weights", "whom.npz").open("rb") as file:
        return Whom(WhomWeights.load(file))
