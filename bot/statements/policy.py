"""Which approval a statement needs: the configured rules, else those that come with Fengbo, and what its step asks."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

from bot import quick_yaml
from bot.config import Config
from bot.config_approval import ApprovalConfig
from bot.model.grade import Grade
from bot.statements.approval_state import Policy, Requirement


def policy_for(
    config: Config, audience: str, grade: Grade, step_roles: Mapping[str, Sequence[str]] | None = None
) -> Policy:
    """``step_roles`` are the playbook's roles whose approval its step asks for, each with its people: a role that no
    rule covers becomes a requirement of its own."""
    rule = next(rule for rule in (*config.statements.approval, *_defaults()) if _fits(rule, audience, grade))
    requirements = [_requirement(item) for item in rule.need]
    for role, people in (step_roles or {}).items():
        holders = [person for person in map(config.person, people) if person is not None]
        covered = any(item.met_by(person.id, person.roles) for person in holders for item in requirements)
        if holders and not covered:
            requirements.append(Requirement(role, people=tuple(person.id for person in holders)))
    return Policy(tuple(requirements), rule.expires, rule.valid, rule.deputies_after, rule.ordered, rule.second_factor)


def voters(config: Config, requirement: Requirement, without: Iterable[str] = ()) -> list[str]:
    """Everybody who may vote for a requirement, whoever wrote the text left out."""
    left_out = set(without)
    return [
        person.id
        for person in config.people
        if person.id not in left_out and requirement.met_by(person.id, person.roles)
    ]


def lacking(config: Config, policy: Policy, contributors: Iterable[str]) -> list[str]:
    """The requirements that nobody is left to meet: the asking would never end."""
    wrote = set(contributors)
    return [item.id for item in policy.requirements if len(voters(config, item, wrote)) < item.count]


def deputies(config: Config, persons: Iterable[str]) -> dict[str, str]:
    """Deputy → whom they stand in for."""
    found: dict[str, str] = {}
    for person in map(config.person, persons):
        if person is not None and person.deputy and config.person(person.deputy) is not None:
            found.setdefault(person.deputy, person.id)
    return found


def _fits(rule: ApprovalConfig, audience: str, grade: Grade) -> bool:
    return (not rule.grades or grade in rule.grades) and (not rule.audiences or audience in rule.audiences)


def _requirement(need: str) -> Requirement:
    roles, _, count = need.partition("*")
    names = tuple(role.strip() for role in roles.split("|"))
    return Requirement(names[0], names, count=max(1, int(count)) if count.strip().isdigit() else 1)


@cache
def _defaults() -> tuple[ApprovalConfig, ...]:
    text = resources.files("bot.statements").joinpath("policy.yaml").read_text(encoding="utf-8")
    return tuple(ApprovalConfig.model_validate(rule) for rule in quick_yaml.load(text))
