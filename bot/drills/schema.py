"""A drill's scenario as data: one YAML file that a PR colleague reads and edits, bilingual throughout."""

from typing import Annotated, Literal

from pydantic import Field

from bot.response.values import Duration, GradeWord, Identifier, Part, Words

# What the team can have done, by the words that ``unless``, ``when`` and ``once`` use.
Done = Literal["acknowledged", "graded", "playbook", "drafted", "approved", "published"]
Measure = Literal[
    "acknowledge", "grade", "playbook", "draft", "approval", "publication", "deadlines", "facts", "review", "roles",
    "conduct",
]  # fmt: skip
TIMED: frozenset[Measure] = frozenset({"acknowledge", "grade", "playbook", "draft", "approval", "publication"})
Mood = Literal["negative", "neutral", "positive"]
Carrier = Literal["ordinary", "kol", "trade_media", "national_media"]
Shape = Literal["burst", "ramp", "wave"]
Weight = Annotated[int, Field(ge=0, le=1000)]
MOST_POSTS = 20_000


class Sentences(Part):
    """What people write, by language. ``{company}`` is the company's name; ``{city}``, ``{amount}`` and ``{hours}``
    are rolled for every post."""

    zh: tuple[str, ...] = Field(default=(), alias="zh-CN")
    en: tuple[str, ...] = ()


class Event(Part):
    """What every inject has: when it comes, counted from the start, and what the team must (not) have done for it to
    come."""

    at: Duration
    unless: Done | None = None
    when: Done | None = None
    hint: Words | None = Field(default=None, description="For the facilitator only. 只给主持人看")


class Posts(Event):
    """Many posts at once, made up from sentences: the same seed gives the same posts."""

    kind: Literal["posts", "rumour"]
    count: int = Field(ge=1, le=MOST_POSTS)
    over: Duration = 600_000
    shape: Shape = "ramp"
    platforms: dict[Identifier, Weight] = Field(default={"weibo": 1}, min_length=1)
    moods: dict[Mood, Weight] = Field(default={"negative": 1}, min_length=1)
    languages: dict[Literal["zh-CN", "en"], Weight] = Field(default={"zh-CN": 1}, min_length=1)
    carriers: dict[Carrier, Weight] = Field(default={"ordinary": 1}, min_length=1)
    says: Sentences | None = Field(default=None, description="Instead of the scenario's voices. 代替通用语料")


class Word(Event):
    """Somebody turns to the team, or something becomes known."""

    kind: Literal["call", "letter", "question", "status"]
    sender: Words
    text: Words


class Unreachable(Event):
    """A person who is needed cannot be reached: the deputy has to act. While it ``lasts`` what that person does in the
    drill is refused; without it, it is only said."""

    kind: Literal["unreachable"]
    role: Identifier
    text: Words
    lasts: Duration | None = None


Inject = Annotated[Posts | Word | Unreachable, Field(discriminator="kind")]


class Fact(Part):
    """What the facilitator tells whoever asks with one of these words, from ``after`` on."""

    id: Identifier
    ask: tuple[str, ...] = Field(min_length=1)
    answer: Words
    after: Duration = 0


class Reaction(Part):
    """How the public takes what the team does: from then on, so many of the posts still to come are written."""

    once: Done
    scale: float = Field(ge=0, le=1)
    note: Words


class Objective(Part):
    """One line of the score: full points ``within`` this time, none any more from ``late`` on."""

    measure: Measure
    role: Identifier
    weight: Weight
    within: Duration | None = None
    late: Duration | None = None


class Costs(Part):
    """The part of the conduct line that a wrong move costs: done, only tried (refused), or taken back in time."""

    done: float = Field(default=0.5, ge=0, le=1)
    tried: float = Field(default=0.25, ge=0, le=1)
    taken_back: float = Field(default=0.2, ge=0, le=1)


class Scenario(Part):
    id: Identifier
    version: int = Field(ge=1)
    title: Words
    summary: Words
    industries: tuple[Identifier, ...] = Field(min_length=1)
    crisis_type: Identifier
    company: Words = Field(description="An invented name. 虚构公司名")
    grade: GradeWord = Field(description="The grade that is right at the peak. 正确级别")
    playbooks: tuple[Identifier, ...] = Field(min_length=1, description="Each of them is right. 任一即为正确预案")
    duration: Duration
    seed: int = 1
    brief: Words
    roles: dict[Identifier, Words] = Field(min_length=1)
    voices: dict[Mood, Sentences] = Field(min_length=1)
    timeline: tuple[Inject, ...] = Field(min_length=1)
    facts: tuple[Fact, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    objectives: tuple[Objective, ...] = Field(min_length=1)
    costs: Costs = Field(default=Costs(), description="What wrong moves cost. 失误扣多少")

    def frozen(self) -> str:
        """The scenario as a drill keeps it, so that an edited file does not change what is under way."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    @classmethod
    def thaw(cls, text: str) -> "Scenario":
        return cls.model_validate_json(text)
