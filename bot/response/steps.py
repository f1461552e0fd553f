"""The kinds of steps a playbook is made of. One class a kind; what all of them share stands in ``StepBase``."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from bot.response.values import Condition, Duration, GradeWord, Identifier, Part, Words

Audience = Literal[
    "core_team", "management", "staff", "customers", "affected_customers", "partners", "media", "kols", "authority",
    "public",
]  # fmt: skip


class Escalation(Part):
    """Who is told when a step is overdue, and how long after its deadline."""

    to: Identifier = Field(description="Role that is told. 通知哪个角色")
    after: Duration = Field(default=0, description="How long after the deadline, e.g. 10m. 逾期多久后升级")


class Repeat(Part):
    """Do the step again and again. One of ``until`` and ``at_most`` must end it."""

    every: Duration = Field(description="Cadence, e.g. 30m. 间隔")
    until: Condition | None = Field(default=None, description="Condition that ends it. 结束条件")
    at_most: int = Field(default=0, ge=0, le=1000, description="Greatest number of times; 0: no limit. 最多次数")


class Choice(Part):
    """One thing to choose: an option of a question, a decision or a quiz."""

    id: Identifier
    label: Words
    note: Words | None = Field(default=None, description="What choosing it means. 选它意味着什么")


class QuestionField(Part):
    """One field of a form. With ``fact`` its answer goes to the fact sheet (5W1H)."""

    id: Identifier
    label: Words
    type: Literal["text", "long_text", "number", "yes_no", "choice", "time", "link"] = "text"
    fact: Identifier | None = Field(default=None, description="Fact it fills: who … how, or one of facts. 填入的事实")
    options: tuple[Choice, ...] = ()
    required: bool = False
    hint: Words | None = None


class ChecklistItem(Part):
    id: Identifier
    label: Words
    role: Identifier | None = None


class StepBase(Part):
    """What every step may say. Steps run side by side unless ``after`` says otherwise."""

    id: Identifier
    title: Words
    detail: Words | None = Field(default=None, description="How to do it, so that a newcomer can. 怎么做")
    role: Identifier | None = Field(default=None, description="Who does it: a name of roles. 由谁做")
    due: Duration | None = Field(default=None, description="Deadline from the start of the run. 自启动起的时限")
    within: Duration | None = Field(default=None, description="Deadline from the moment the step opens. 自轮到起的时限")
    remind_before: Duration | None = Field(default=None, description="Reminder before the deadline. 到期前提醒")
    escalate: Escalation | None = None
    after: tuple[Identifier, ...] = Field(default=(), description="Steps to be done or skipped first. 前置步骤")
    when: Condition | None = Field(default=None, description="Only if this holds. 满足条件才执行")
    repeat: Repeat | None = None
    from_grade: GradeWord | None = Field(default=None, description="Only from this grade on. 从该级别起才有此步")
    skippable: bool = Field(default=True, description="May be skipped, always with a reason. 可否说明理由后跳过")


class Task(StepBase):
    """Something a person does and marks as done."""

    kind: Literal["task"]
    proof: bool = Field(default=False, description="Asks for a link or note when done. 完成时须附说明或链接")


class Question(StepBase):
    """A form; its answers fill the fact sheet."""

    kind: Literal["question"]
    fields: tuple[QuestionField, ...] = ()


class Decision(StepBase):
    """A question with options that changes the way; the answer is kept with who, when and why."""

    kind: Literal["decision"]
    options: tuple[Choice, ...] = ()
    voters: tuple[Identifier, ...] = Field(default=(), description="Roles that may vote; else role. 谁可表决")
    quorum: int = Field(default=1, ge=1, le=9, description="Equal votes that decide. 几票相同即决定")


class Notify(StepBase):
    """Tell people through all chats they have."""

    kind: Literal["notify"]
    to: tuple[Identifier, ...] = Field(min_length=1, description="Roles, channels or people. 通知对象")
    message: Words
    also: tuple[Literal["email", "sms"], ...] = Field(default=(), description="Besides chat. 另外的方式")
    acknowledge: bool = Field(default=False, description="Each must confirm. 须逐人确认收到")


class StatementStep(StepBase):
    """Hand a text over to drafting, review, approval and publishing."""

    kind: Literal["statement"]
    audience: Audience
    template: Identifier = Field(description="A name of templates or of playbooks/templates. 模板名")
    approve: tuple[Identifier, ...] = Field(default=(), description="Roles whose approval it needs. 审批角色")
    channels: tuple[Words, ...] = Field(default=(), description="Where it is published. 发布渠道")


class Action(StepBase):
    """Call a linked system. Names and addresses live in the configuration under ``linkage``."""

    kind: Literal["action"]
    action: Identifier = Field(description="Name under linkage in the configuration. 配置 linkage 中的动作名")
    params: dict[str, str] = Field(default={}, description="Values; {fact} is filled in. 参数")
    confirm: bool = Field(default=True, description="A person presses before it runs. 执行前须人确认")
    on_failure: Literal["ask", "continue", "stop"] = "ask"


class WaitCondition(StepBase):
    """Wait until a condition has held without a break for a time."""

    kind: Literal["wait_condition"]
    until: Condition
    hold: Duration = Field(default=0, description="It must hold this long without a break. 持续满足的时间")
    at_most: Duration | None = Field(default=None, description="Then the role is asked to decide. 最长等待")


class WaitTime(StepBase):
    kind: Literal["wait_time"]
    wait: Duration


class AutoReply(StepBase):
    """Answer incoming messages with an approved text inside its topics and window; doubt goes to people."""

    kind: Literal["auto_reply"]
    template: Identifier
    topics: tuple[str, ...] = Field(min_length=1, description="Words that a message must contain. 适用话题词")
    hours: str = Field(
        default="00:00-24:00", pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$", description="Daily window. 每日时段"
    )
    until: Condition = Field(description="Condition that ends it. 结束条件")
    per_person: int = Field(default=2, ge=1, le=20, description="Replies a day to one person. 每人每天最多几条")
    hand_over: Identifier = Field(description="Role that takes over on doubt. 拿不准时转给谁")


class SubPlaybook(StepBase):
    """Start another playbook as a part of this one."""

    kind: Literal["sub_playbook"]
    playbook: Identifier
    wait: bool = Field(default=False, description="This step is done when that run is closed. 等它结束才算完成")


class Checklist(StepBase):
    kind: Literal["checklist"]
    items: tuple[ChecklistItem, ...] = Field(min_length=1)


class Survey(StepBase):
    """A few questions to many: own staff, or customers through the linkage."""

    kind: Literal["survey"]
    audience: Audience
    to: tuple[Identifier, ...] = ()
    fields: tuple[QuestionField, ...] = ()
    open_for: Duration = Field(default=86_400_000, description="How long answers are taken. 收集多久")


Step = Annotated[
    Task
    | Question
    | Decision
    | Notify
    | StatementStep
    | Action
    | WaitCondition
    | WaitTime
    | AutoReply
    | SubPlaybook
    | Checklist
    | Survey,
    Field(discriminator="kind"),
]

STEP_KINDS = frozenset(str(get_args(kind.model_fields["kind"].annotation)[0]) for kind in StepBase.__subclasses__())
