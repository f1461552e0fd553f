"""Made-up posts as they look from outside: about sixty characters, mostly about nobody in particular."""

import random
from typing import Any

import orjson

from bot.demo import player

PLATFORMS = ("weibo", "wechat", "douyin", "x", "news", "forum", "xiaohongshu")
# Of a hundred background posts so many name one of the subjects, kindly.
NAMING = 10
PLACE_OF_ID = "@@@@@@@@"


def talk(count: int, seed: int = 1) -> list[str]:
    """Different calm texts of about sixty characters."""
    dice = random.Random(seed)
    slots = player.load_slots()
    pieces = [str(line["text"] or line["title"]) for line in player.load_background() if line["tone"] != "negative"]
    texts: list[str] = []
    while len(texts) < count:
        text = " ".join(dice.sample(pieces, 3))
        for name, words in slots.items():
            text = text.replace("{" + name + "}", dice.choice(words))
        start = dice.randrange(max(1, len(text) - 60))
        texts.append(text[start : start + dice.randint(40, 80)])
    return texts


def post(text: str, number: int, platform: str, published_at: int | str) -> dict[str, Any]:
    return {
        "id": f"{PLACE_OF_ID}-{number}", "platform": platform, "text": text, "published_at": published_at,
        "author": {"id": f"u{number % 997}", "name": f"用户{number % 997}", "followers": number % 2_000},
        "engagement": {"views": number % 5_000, "likes": number % 40, "reposts": number % 7, "comments": number % 9},
    }  # fmt: skip


class Batches:
    """Ready-made request bodies; only the ids and the time change, so that making them costs the machine little."""

    def __init__(self, size: int, names: list[str], seed: int = 1, variants: int = 24) -> None:
        dice = random.Random(seed)
        self.size = size
        self._count = 0
        self._mark = f"{seed:02d}"
        self._bodies = []
        for variant in range(variants):
            items = []
            for number, text in enumerate(talk(size, seed * 1000 + variant)):
                named = names and dice.randrange(100) < NAMING
                whole = f"今天用了{dice.choice(names)}，{text}" if named else text
                items.append(post(whole, number, dice.choice(PLATFORMS), "T" * 13))
            self._bodies.append(orjson.dumps(items))

    def next(self, now: int) -> bytes:
        """A body of ``size`` posts that were never sent before, published at ``now`` (milliseconds)."""
        body = self._bodies[self._count % len(self._bodies)]
        self._count += 1
        return body.replace(PLACE_OF_ID.encode(), f"{self._mark}{self._count:06d}".encode()).replace(
            b'"TTTTTTTTTTTTT"', b"%013d" % now
        )
