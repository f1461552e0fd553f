"""Kinds of bad news about a company, learnt from finance headlines (CCKS 2019), as crisis types with evidence words.

One linear model per kind over hashed character n-grams; the rules of ``crisis_terms.yaml`` stay in front, this adds
what is told in other words. Only looked at where a text reads like news of that sort (``Whom.bad_news``).
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from bot.analysis.ngrams import BITS, MOST_TEXTS, POSITIONS, batch_of, hashed
from bot.model.grade import CrisisType
from bot.model.post import TypeHit

TYPE_OF_KIND = {
    "信批违规": CrisisType.REGULATORY_ACTION,
    "交易违规": CrisisType.REGULATORY_ACTION,
    "涉嫌违法": CrisisType.REGULATORY_ACTION,
    "涉嫌非法集资": CrisisType.FRAUD_ACCUSATION,
    "涉嫌传销": CrisisType.FRAUD_ACCUSATION,
    "涉嫌欺诈": CrisisType.FRAUD_ACCUSATION,
    "财务造假": CrisisType.FRAUD_ACCUSATION,
    "失联跑路": CrisisType.FRAUD_ACCUSATION,
    "不能履职": CrisisType.EXECUTIVE_MISCONDUCT,
    "高管负面": CrisisType.EXECUTIVE_MISCONDUCT,
    "重组失败": CrisisType.FUNDING_TROUBLE,
    "评级调整": CrisisType.FUNDING_TROUBLE,
    "业绩下滑": CrisisType.FUNDING_TROUBLE,
    "资金账户风险": CrisisType.FUNDING_TROUBLE,
    "资产负面": CrisisType.FUNDING_TROUBLE,
    "歇业停业": CrisisType.FUNDING_TROUBLE,
    "投诉维权": CrisisType.COMPLAINT_SURGE,
    "产品违规": CrisisType.PRODUCT_SAFETY,
    "提现困难": CrisisType.WITHDRAWAL_FAILURE,
}
"""The kinds that are a crisis; a changed shareholder and 其他 are none."""

MAX_WORDS = 4
_LONGEST_WORD = 10
_LEAST, _MOST = 0.45, 0.75  # weights of a learnt type: reported, but below what a strong word alone gives
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class KindWeights:
    """``table[row, kind]`` int16 times ``scales[kind]`` for the n-gram at ``positions[row]``; ``biases`` with the
    thresholds taken off, so that a kind holds from 0 on."""

    kinds: tuple[str, ...]
    positions: npt.NDArray[np.uint32]
    table: npt.NDArray[np.int16]
    scales: npt.NDArray[np.float64]
    biases: npt.NDArray[np.float64]

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            format=_FORMAT,
            kinds=np.array(self.kinds),
            positions=self.positions,
            table=self.table,
            scales=self.scales,
            biases=self.biases,
        )

    @classmethod
    def load(cls, source: Path | IO[bytes]) -> "KindWeights":
        """Raises ``ValueError`` where the file is not one of ours."""
        with np.load(source, allow_pickle=False) as data:
            if "kinds" not in data or int(data["format"]) != _FORMAT:
                raise ValueError("not a weights file of this version")
            kinds = tuple(str(kind) for kind in data["kinds"])
            found = cls(kinds, data["positions"], data["table"], data["scales"], data["biases"])
        if found.table.shape != (len(found.positions), len(kinds)) or found.biases.shape != (len(kinds),):
            raise ValueError("the weights do not have the right number of entries")
        return found


class Kinds:
    def __init__(self, weights: KindWeights) -> None:
        self.kinds = weights.kinds
        self._row = np.zeros(POSITIONS, dtype=np.int32)
        self._row[weights.positions] = np.arange(1, len(weights.positions) + 1)
        # Row 0 is every n-gram that was not learnt.
        table = weights.table * weights.scales
        self._table = np.vstack([np.zeros((1, len(weights.kinds))), table]).astype(np.float32)
        self._biases = weights.biases

    def odds(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """(texts × kinds): above 0 the kind holds."""
        blocks = [np.zeros((0, len(self.kinds)))]
        for start in range(0, len(texts), MOST_TEXTS):
            batch = batch_of(texts[start : start + MOST_TEXTS])
            values = self._table[self._row[batch.grams.astype(np.intp)]]
            sums = np.add.reduceat(values, batch.first_gram, axis=0)
            blocks.append(sums / np.sqrt(batch.counts)[:, None] + self._biases)
        return np.concatenate(blocks)

    def types(self, texts: Sequence[str]) -> list[tuple[TypeHit, ...]]:
        """Crisis types of folded texts with the words that decided, heaviest first."""
        results = []
        for text, odds in zip(texts, self.odds(texts), strict=True):
            best: dict[CrisisType, tuple[float, int]] = {}
            for number in np.flatnonzero(odds > 0).tolist():
                type_ = TYPE_OF_KIND.get(self.kinds[number])
                if type_ is not None and (type_ not in best or odds[number] > best[type_][0]):
                    best[type_] = (float(odds[number]), number)
            hits = [TypeHit(type_, _weight(odd), self.evidence(text, number)) for type_, (odd, number) in best.items()]
            results.append(tuple(sorted(hits, key=lambda hit: (-hit.weight, hit.type))))
        return results

    def evidence(self, text: str, number: int) -> tuple[str, ...]:
        """The stretches of a text that speak loudest for a kind, as they stand in it."""
        padded = text + "\x00\x00"
        codes = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        if not text:
            return ()
        _, pairs, triples = hashed(codes, len(text))
        column = self._table[:, number]
        two = column[self._row[pairs.astype(np.intp)]]
        three = column[self._row[(triples | np.uint32(2 << BITS)).astype(np.intp)]]
        spans = [(float(three[at] + max(two[at], 0.0)), at) for at in range(len(text) - 2)]
        words: list[tuple[int, int]] = []
        for value, at in sorted(spans, reverse=True)[: 3 * MAX_WORDS]:
            if value <= 0:
                break
            near = [span for span in words if at <= span[1] and span[0] <= at + 3]
            joined = (min([at, *(start for start, _ in near)]), max([at + 3, *(end for _, end in near)]))
            if joined[1] - joined[0] <= _LONGEST_WORD:
                words = [span for span in words if span not in near] + [joined]
        return tuple(dict.fromkeys(text[start:end].strip(" ,。:") for start, end in sorted(words)[:MAX_WORDS]))


def _weight(odds: float) -> float:
    return round(_LEAST + (_MOST - _LEAST) * math.tanh(odds / 2), 4)


def merged(ruled: tuple[TypeHit, ...], learnt: tuple[TypeHit, ...]) -> tuple[TypeHit, ...]:
    """What the rules say, and after it the types that only the learnt kinds found."""
    known = {hit.type for hit in ruled}
    return ruled + tuple(hit for hit in learnt if hit.type not in known)


@functools.cache
def shipped_kinds() -> Kinds:
    with resources.files("bot.analysis").joinpath("weights", "kinds.npz").open("rb") as file:
        return Kinds(KindWeights.load(file))
