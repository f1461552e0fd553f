"""Whether people can be reached and told apart, and whether somebody is always on duty."""

from collections import defaultdict
from collections.abc import Iterator

from bot.check.findings import Finding, error, note, ok, warn
from bot.config import Config, PersonConfig
from bot.incidents.people import MANAGER_ROLES, on_call

_ACCOUNTS = {"slack": "slack", "wecom": "wecom", "console": "console", "email": "email", "phone": "sms"}


def check(config: Config, now: int) -> list[Finding]:
    if not config.people:
        return [warn("no_people")]
    found = [*_accounts(config), *_roles(config), *_rota(config, now)]
    if not any(level == "error" for level, _ in found):
        found.append(ok("people", count=len(config.people), rotas=len(config.rota)))
    return found


def _reachable(config: Config, person: PersonConfig) -> bool:
    """An account in a chat that the configuration has; the console needs no configuration."""
    return any(
        getattr(person, field) and (chat == "console" or getattr(config.chat, chat) is not None)
        for field, chat in _ACCOUNTS.items()
    )


def _accounts(config: Config) -> Iterator[Finding]:
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for person in config.people:
        if not _reachable(config, person):
            yield warn("person_unreachable", person=person.name)
        for field in ("slack", "wecom", "console"):
            if account := getattr(person, field):
                owners[field, account].append(person.name)
    for (field, account), names in owners.items():
        if len(names) > 1:
            yield error("account_shared", field=field, account=account, people=names)


def _roles(config: Config) -> Iterator[Finding]:
    if not any(MANAGER_ROLES & set(person.roles) for person in config.people):
        yield warn("no_manager", roles=sorted(MANAGER_ROLES))


def _rota(config: Config, now: int) -> Iterator[Finding]:
    if not config.rota:
        first = next((person for person in config.people if "pr" in person.roles), None)
        yield note("no_rota", person=first.name) if first else warn("nobody_on_duty")
    for role, rota in config.rota.items():
        if rota.starts > now:
            yield warn("rota_not_begun", role=role)
        if len(set(rota.people)) == 1:
            yield warn("rota_one_person", role=role, person=_name(config, rota.people[0]))
        for person_id in dict.fromkeys(rota.people):
            person = config.person(person_id)
            if person is not None and not _reachable(config, person):
                yield error("rota_unreachable", role=role, person=person.name)
        yield note("rota_now", role=role, person=_name(config, on_call(rota, now)[0]))


def _name(config: Config, person_id: str) -> str:
    person = config.person(person_id)
    return person.name if person else person_id
