"""The posts of a scenario, made up from its sentences. Pure: the same scenario gives the same posts for ever."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

from bot import quick_yaml
from bot.drills.schema import Mood, Posts, Scenario, Sentences, Shape

_Name = TypeVar("_Name", bound=str)
# Followers of an account of each kind: what the analysis tells carriers by.
FOLLOWERS: Mapping[str, tuple[int, int]] = {
    "ordinary": (20, 3_000), "kol": (300_000, 4_000_000), "trade_media": (150_000, 900_000),
    "national_media": (3_000_000, 30_000_000),
}  # fmt: skip
_CITIES: Mapping[str, Sequence[str]] = quick_yaml.load((files("bot.drills") / "slots.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class DrillPost:
    """``offset`` in drill milliseconds from the start. ``rank`` (0–1) decides which posts are not written any more once
    the public has calmed down."""

    inject: int
    number: int
    offset: int
    rank: float
    platform: str
    text: str
    author: str
    followers: int
    verified: bool
    likes: int
    reposts: int


def posts_of(scenario: Scenario, inject: int, company: str = "") -> list[DrillPost]:
    """The posts of one inject of the timeline, in order of time."""
    event = scenario.timeline[inject]
    if not isinstance(event, Posts):
        return []
    dice = random.Random(f"{scenario.id}/{scenario.seed}/{inject}")
    moments = sorted(event.at + round(_spread(event.shape, dice) * event.over) for _ in range(event.count))
    return [_post(scenario, event, inject, number, at, company, dice) for number, at in enumerate(moments)]


def all_posts(scenario: Scenario, company: str = "") -> Iterator[DrillPost]:
    """Every post that can come, inject after inject."""
    for inject in range(len(scenario.timeline)):
        yield from posts_of(scenario, inject, company)


def _spread(shape: Shape, dice: random.Random) -> float:
    """A moment between 0 and 1: everything at the beginning, more and more, or up and down again."""
    roll: Callable[[], float] = dice.random
    if shape == "burst":
        return min(1.0, -math.log(1 - roll()) / 4)
    if shape == "ramp":
        return math.sqrt(roll())
    return (roll() + roll()) / 2


def _post(
    scenario: Scenario, event: Posts, inject: int, number: int, at: int, company: str, dice: random.Random
) -> DrillPost:
    language = _pick(event.languages, dice)
    sentences = event.says or scenario.voices[_mood(event, scenario, dice)]
    text = dice.choice(_lines(sentences, language))
    values = {
        "company": company or scenario.company.in_language(language), "city": dice.choice(_CITIES[language]),
        "amount": str(dice.choice((800, 3_000, 12_000, 26_000, 80_000, 150_000))), "hours": str(dice.randint(2, 30)),
    }  # fmt: skip
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    carrier = _pick(event.carriers, dice)
    low, high = FOLLOWERS[carrier]
    followers = dice.randint(low, high)
    likes = round(followers**0.5 * dice.uniform(0.1, 2.5))
    return DrillPost(
        inject, number, at, dice.random(), _pick(event.platforms, dice), text, f"u{dice.randrange(10**8):08d}",
        followers, carrier != "ordinary", likes, likes // 6,
    )  # fmt: skip


def _mood(event: Posts, scenario: Scenario, dice: random.Random) -> Mood:
    mood = _pick(event.moods, dice)
    return next(name for name in (mood, *scenario.voices) if name in scenario.voices)


def _lines(sentences: Sentences, language: str) -> tuple[str, ...]:
    """The sentences of a language, the other one's where this one has none."""
    return (sentences.zh or sentences.en) if language == "zh-CN" else (sentences.en or sentences.zh)


def _pick(weights: Mapping[_Name, int], dice: random.Random) -> _Name:
    names = sorted(weights)
    return dice.choices(names, [weights[name] for name in names])[0]
