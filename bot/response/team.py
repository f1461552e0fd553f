"""Who plays which role of a playbook: the people behind its role names, by the grade of the incident."""

from collections.abc import Iterable, Iterator, Mapping

from bot.config import Config
from bot.incidents import people
from bot.model.grade import Grade
from bot.response.parts import Assignment, Role
from bot.response.schema import Playbook
from bot.response.steps import AutoReply, Decision, Notify, StatementStep, Survey


def team_of(
    config: Config,
    playbook: Playbook,
    grade: Grade,
    owner: str,
    given: Iterable[tuple[str, str]],
    now: int,
) -> dict[str, tuple[str, ...]]:
    """Every name a playbook uses for people → person ids, whoever is asked first in front.

    Args:
        owner: the incident's owner, who answers for roles that nobody holds; empty for nobody.
        given: ``(role, person id)`` as assigned in this incident; these outrank the configuration.
    """
    assigned: dict[str, list[str]] = {}
    for part, person in given:
        assigned.setdefault(part, []).append(person)
    team: dict[str, tuple[str, ...]] = {}
    for name, role in playbook.roles.items():
        team[name] = _holders(config, name, role, grade, owner, assigned, now)
    for other in _other_names(playbook):
        if other not in team:
            team[other] = tuple(dict.fromkeys([*assigned.get(other, ()), *_behind(config, [other], now)]))
    return team


def assignment(role: Role, grade: Grade) -> Role | Assignment:
    """Who is meant at a grade: the most senior entry that it reaches."""
    reached = [Grade.from_word(word) for word in role.by_grade if Grade.from_word(word) <= grade]
    return _by_grade(role)[max(reached)] if reached else role


def _by_grade(role: Role) -> Mapping[Grade, Assignment]:
    return {Grade.from_word(word): value for word, value in role.by_grade.items()}


def _holders(
    config: Config, name: str, role: Role, grade: Grade, owner: str, assigned: Mapping[str, list[str]], now: int
) -> tuple[str, ...]:
    meant = assignment(role, grade)
    chosen = [*assigned.get(name, ()), *(person for item in meant.people for person in assigned.get(item, ()))]
    found = [*chosen, *_behind(config, meant.people, now)]
    if not found:
        found = _behind(config, meant.deputies, now)
    if not found and owner:
        found = [owner]
    return tuple(dict.fromkeys(found))


def _behind(config: Config, names: Iterable[str], now: int) -> list[str]:
    """The people behind role names or ids; whoever is on duty for a role comes first."""
    found: list[str] = []
    for name in names:
        if config.person(name) is not None:
            found.append(name)
            continue
        holders = [person.id for person in config.people if name in person.roles]
        on_duty = people.on_call(config.rota[name], now)[0] if name in config.rota else ""
        found.extend([person for person in holders if person == on_duty])
        found.extend([person for person in holders if person != on_duty])
    return found


def _other_names(playbook: Playbook) -> Iterator[str]:
    """Names of people that steps use and ``roles`` does not define."""
    for step in playbook.steps:
        escalate = step.escalate or playbook.defaults.escalate
        yield from filter(None, (step.role, escalate.to if escalate else None))
        match step:
            case Notify() | Survey():
                yield from step.to
            case Decision():
                yield from step.voters
            case StatementStep():
                yield from step.approve
            case AutoReply():
                yield step.hand_over
