"""Names that conditions and texts of a playbook may use besides its own facts, decisions and answers."""

from bot.model.grade import Grade
from bot.response.parts import FIVE_W_ONE_H
from bot.response.schema import Playbook
from bot.response.steps import Question, Survey

GRADES = tuple(grade.word for grade in Grade if grade is not Grade.NONE)

# name → the words it can be, or nothing where any word fits
SITUATION_NAMES: dict[str, tuple[str, ...]] = {
    "grade": GRADES,
    "type": (),
    "industry": (),
    "subject_kind": ("own", "competitor", "policy", "industry"),
    "posture": ("normal", "tightening"),
    "platform": (),
}
TRUTH_NAMES = ("sensitive_period",)
NUMBER_NAMES = ("hours", "negative_share", "mentions_per_hour", "negative_per_hour", "views", "reposts")

# Filled by the program or the configuration whenever a text is made.
TEXT_FIELDS = (
    "company", "subject", "now", "next_update_at", "hotline", "website", "commander_name", "media_contact",
    "customer_name", "spokesperson_name", "incident_id",
)  # fmt: skip


def fact_ids(playbook: Playbook) -> list[str]:
    """The six of 5W1H and the facts the playbook adds."""
    return [*FIVE_W_ONE_H, *(fact.id for fact in playbook.facts)]


def filled_facts(playbook: Playbook) -> set[str]:
    """Facts that some question of the playbook asks for."""
    return {
        item.fact for step in playbook.steps if isinstance(step, Question | Survey) for item in step.fields if item.fact
    }
