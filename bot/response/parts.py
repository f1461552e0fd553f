"""What a playbook holds besides its steps: roles, matching, texts, people outside, rules, recovery."""

from typing import Any, Literal

from pydantic import Field, model_validator

from bot.model.grade import CrisisType
from bot.response.steps import Audience, Choice
from bot.response.values import Condition, Duration, GradeWord, Identifier, Part, Words

FIVE_W_ONE_H = ("who", "what", "when", "where", "why", "how")

# Kinds that no analysis reports by itself today; a playbook of such a kind is found by its words.
FURTHER_KINDS = (
    "contract_dispute", "environmental_incident", "intellectual_property", "ai_misuse", "advertising_dispute",
)  # fmt: skip
KNOWN_KINDS = tuple(kind.value for kind in CrisisType) + FURTHER_KINDS

Department = Literal[
    "pr", "legal", "compliance", "operations", "technology", "security", "customer_service", "marketing", "finance",
    "human_resources", "executive", "external",
]  # fmt: skip
Strategy = Literal[
    "instructing_information", "adjusting_information",  # always first: how to stay safe; what happened, sympathy
    "attack_accuser", "denial", "scapegoat",
    "excuse", "justification",
    "compensation", "apology", "corrective_action",
    "reminder", "ingratiation", "victimage",
]  # fmt: skip


# The moment a text is for; ``regulator`` and ``qa`` fit any moment of theirs.
Variant = Literal[
    "holding", "first", "update", "recovery", "final", "apology", "correction", "rumour", "regulator", "qa",
]  # fmt: skip


class Scct(Part):
    """Situational crisis communication theory (Coombs): how much the public holds us responsible, and the answer."""

    cluster: Literal["victim", "accidental", "preventable"] = Field(description="受害型 | 意外型 | 可预防型")
    strategies: tuple[Strategy, ...] = Field(min_length=1, description="In the order of use. 按使用顺序")
    avoid: tuple[Strategy, ...] = ()
    note: Words | None = Field(default=None, description="When the cluster shifts. 何时转为另一类")


class Grades(Part):
    """From which grade the playbook applies and what each grade changes."""

    start: GradeWord = Field(alias="from", description="Lowest grade. 最低级别")
    notes: dict[Literal["blue", "yellow", "orange", "red"], Words] = Field(
        default={}, description="What this grade changes. 该级别有何不同"
    )


class AutoStart(Part):
    """The playbook starts by itself: announced at once, stoppable by one press."""

    start: GradeWord = Field(alias="from", description="From this grade. 从该级别起")
    score: float = Field(default=0.7, ge=0, le=1, description="Least match score. 最低匹配分")
    when: Condition | None = None


class Match(Part):
    """What makes this playbook the right one besides kind, industry and grade."""

    words: tuple[str, ...] = Field(default=(), description="What people write, both languages. 公众会用的词，中英文")
    not_words: tuple[str, ...] = Field(default=(), description="Words that speak against it. 反例词")
    examples: tuple[str, ...] = Field(default=(), description="Whole sentences of posts. 典型帖文")
    platforms: tuple[str, ...] = ()
    subject_kinds: tuple[Literal["own", "competitor", "policy", "industry"], ...] = ("own",)
    compliance_weight: float = Field(
        default=0, ge=0, le=1, description="How far it moves up when policy tightens. 监管趋严时提前的程度"
    )
    sensitive_weight: float = Field(
        default=0, ge=0, le=1, description="How far it moves up in sensitive periods. 敏感期提前的程度"
    )


class Assignment(Part):
    """Roles or people of the configuration, in the order in which they are asked."""

    people: tuple[str, ...] = Field(min_length=1, description="Roles or ids of people. 角色或人员 id")
    deputies: tuple[str, ...] = Field(default=(), description="Asked when nobody of people is there. 代理人")


class Role(Part):
    """One part to play in the crisis team; ``by_grade`` puts more senior people on it from a grade on."""

    title: Words
    department: Department
    people: tuple[str, ...] = Field(min_length=1, description="Roles or ids of people. 角色或人员 id")
    deputies: tuple[str, ...] = ()
    by_grade: dict[Literal["blue", "yellow", "orange", "red"], Assignment] = Field(default={})
    duty: Words | None = None


class Fact(Part):
    """One line of the fact sheet besides who, what, when, where, why, how."""

    id: Identifier
    of: Literal["who", "what", "when", "where", "why", "how"]
    label: Words
    type: Literal["text", "number", "yes_no", "choice", "time", "link"] = "text"
    options: tuple[Choice, ...] = ()


class FromGrade(Part):
    """From which grade on a text is meant."""

    start: GradeWord = Field(alias="from", description="Lowest grade. 最低级别")


class Template(Part):
    """A text ready for tonight. ``{fact}`` or ``{field}`` is filled in; an unfilled one stops the approval."""

    audience: Audience
    crisis_types: tuple[Identifier, ...] = Field(default=(), description="Empty: any kind. 危机类型，空为通用")
    strategy: Strategy | None = Field(default=None, description="Strategy of its answer (SCCT). 所用策略")
    variant: Variant | None = Field(default=None, description="The moment it is for. 用在什么时刻")
    grades: FromGrade | None = Field(default=None, description="Meant from this grade on. 从该级别起用")
    title: Words
    body: Words
    fields: dict[Identifier, Words] = Field(default={}, description="Fields that are no facts. 事实以外的占位符")
    note: Words | None = Field(default=None, description="When to use it and what not to add. 使用提醒")


class Contact(Part):
    """Somebody outside, or a list of them, who has to be spoken to. Names and numbers stay in the configuration."""

    id: Identifier
    kind: Literal[
        "authority", "association", "media", "kol", "expert", "agency", "lawyer", "partner", "bank", "supplier",
        "police", "counsellor", "notary",
    ]  # fmt: skip
    name: Words
    role: Identifier = Field(description="Who speaks to them. 由谁对接")
    from_grade: GradeWord | None = None
    note: Words | None = None


class Evidence(Part):
    """Which posts are preserved at once: from either number on (the law counts 5,000 views or 500 reposts)."""

    views: int = Field(default=5000, ge=1)
    reposts: int = Field(default=500, ge=1)
    also: Words | None = Field(default=None, description="What else is preserved. 另须固定的材料")
    keep: Duration = Field(default=31_536_000_000, description="How long. 保存多久")
    notarise_from: GradeWord | None = Field(default=None, description="Notary or trusted timestamp. 公证或可信时间戳")
    basis: Words | None = None


class Release(Part):
    """Who may be told what from which grade on. Facts that are not confirmed are never released."""

    audience: Audience
    from_grade: GradeWord
    facts: tuple[Identifier, ...] = Field(min_length=1, description="Facts that may be told. 可告知的事实")
    approve: tuple[Identifier, ...] = Field(default=(), description="Roles that release. 放行角色")
    note: Words | None = None


class MediaLine(Part):
    """One voice: who speaks, what is said in one breath, what is never said."""

    spokesperson: Identifier
    holding: Words = Field(description="Said before anything is known. 事实未明时的统一口径")
    messages: tuple[Words, ...] = Field(min_length=1, max_length=5)
    never: tuple[Words, ...] = ()
    answers: tuple["Answer", ...] = ()


class Answer(Part):
    """One question that will be asked, and the answer."""

    question: Words
    answer: Words


class Offer(Part):
    id: Identifier
    who: Words = Field(description="Which customers. 哪些客户")
    what: Words = Field(description="What they get. 给什么")


class Compensation(Part):
    """What customers get. The offers are a proposal; the decision step of the run decides."""

    principle: Words
    offers: tuple[Offer, ...] = ()
    approve: tuple[Identifier, ...] = Field(min_length=1)
    announce_within: Duration | None = None


class Milestone(Part):
    id: Identifier
    title: Words
    due: Duration


class Recovery(Part):
    """The way back: progress that is published until the end, and the sign that it is over."""

    publish_every: Duration = Field(description="Cadence of published progress. 进展公布频率")
    close_when: Condition = Field(description="The run proposes to close. 建议结束的条件")
    progress: tuple[Milestone, ...] = Field(min_length=1)
    retrospective_within: Duration = 604_800_000


class Support(Part):
    """Care for those who carry the crisis: own staff, and customers in distress."""

    who: tuple[Words, ...] = Field(min_length=1)
    measures: tuple[Words, ...] = Field(min_length=1)
    warning_signs: tuple[Words, ...] = Field(default=(), description="Then a person takes over at once. 立即人工介入")
    role: Identifier


class Quiz(Part):
    """One short question for training a role."""

    id: Identifier
    roles: tuple[Identifier, ...] = Field(default=(), description="Empty: everybody. 空：所有角色")
    question: Words
    options: tuple[Choice, ...] = Field(min_length=2)
    answer: Identifier
    why: Words

    @model_validator(mode="before")
    @classmethod
    def _answer_exists(cls, value: Any) -> Any:
        options = value.get("options") if isinstance(value, dict) else None
        known = [option.get("id") for option in options or [] if isinstance(option, dict)]
        if known and value.get("answer") not in known:
            raise ValueError("quiz_answer")
        return value
