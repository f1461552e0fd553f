"""What the mood weights are trained on, read from the data folder: labelled posts, moods, own sentences."""

import re
from collections.abc import Sequence
from pathlib import Path

from bot.analysis.training import Sample
from bot.bench.judged import data_rows
from bot.model.grade import Sentiment

SENTENCES = Path(__file__).resolve().parents[2] / "bench" / "pr_sentences.tsv"
SEED_WEIGHT = 0.5
_EMOTICON = re.compile(r"\[([^\[\]\s]{1,8})\]")
# The Weibo emoticons that say by themselves how somebody feels; the ambiguous ones (呵呵, 围观, 思考) are left out.
_GLAD = frozenset(
    [
        "哈哈",
        "偷笑",
        "爱你",
        "嘻嘻",
        "鼓掌",
        "good",
        "花心",
        "威武",
        "酷",
        "给力",
        "太开心",
        "可爱",
        "赞",
        "笑哈哈",
        "耶",
        "亲亲",
        "心",
        "爱心传递",
        "得意地笑",
        "害羞",
    ]
)
_SORRY = frozenset(
    [
        "泪",
        "怒",
        "汗",
        "衰",
        "抓狂",
        "晕",
        "可怜",
        "哼",
        "鄙视",
        "生病",
        "吐",
        "怒骂",
        "弱",
        "委屈",
        "悲伤",
        "失望",
        "惊恐",
        "伤心",
        "蜡烛",
        "黑线",
        "泪流满面",
        "囧",
    ]
)
_LONGEST = 140


def labelled(folder: Path, name: str) -> list[Sample]:
    """The rows of a set that have one of the three moods."""
    return [
        Sample(row["text"].replace("{%", " ").replace("%}", " "), Sentiment(row["sentiment"]))
        for row in data_rows(folder, f"sentiment/{name}.jsonl.gz")
        if row["sentiment"]
    ]


def without(samples: Sequence[Sample], others: Sequence[Sample]) -> list[Sample]:
    """The samples whose text stands in none of the others."""
    seen = {sample.text for sample in others}
    return [sample for sample in samples if sample.text not in seen]


def emoticon_moods(folder: Path) -> list[Sample]:
    """Reposts whose own words carry emoticons of one mood only, without any emoticon: the writer's own label."""
    texts: set[str] = set()
    for cascade in data_rows(folder, "cascades/weibo_reposts.jsonl.gz"):
        for repost in cascade["reposts"]:
            text = (repost["text"] or "")[:_LONGEST]
            if "[" in text.partition("//@")[0]:
                texts.add(text)
    samples = []
    for text in sorted(texts):
        own = text.partition("//@")[0]
        found = set(_EMOTICON.findall(own))
        glad, sorry = bool(found & _GLAD), bool(found & _SORRY)
        if glad != sorry and len(_EMOTICON.sub("", own)) > 3:
            samples.append(Sample(_EMOTICON.sub("", text), Sentiment.POSITIVE if glad else Sentiment.NEGATIVE))
    return samples


def own_sentences() -> list[Sample]:
    """Sentences of our own: what Weibo moods do not teach."""
    samples = []
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            label, text = line.split("\t")
            samples.append(Sample(text, Sentiment(label), SEED_WEIGHT))
    return samples


def training_data(folder: Path, held: Sequence[Sample] = ()) -> tuple[list[Sample], list[Sample]]:
    """(samples, moods) of the shipped weights; nothing that stands in ``held``."""
    names = ("ewect_virus_train", "ewect_virus_eval", "ewect_usual_eval")
    first, *others = (labelled(folder, name) for name in names)
    samples = list(first)
    for other in others:
        samples += without(other, samples)
    moods = labelled(folder, "weibo2018_train") + emoticon_moods(folder)
    return without(samples + own_sentences(), held), without(moods, held)
