"""Who is on call, who is reached where, who may do what."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.config import ChannelConfig, Config, PersonConfig, RotaConfig
from bot.model.incident import Actor

# Roles whose holders answer for a crisis when nobody else does.
MANAGER_ROLES = frozenset({"pr_head", "executive", "admin"})
DEFAULT_SHIFT_ORDER = ("pr",)


def on_call(rota: RotaConfig, now: int) -> tuple[str, str]:
    """``(on duty, backup)`` person ids at a moment; the backup is whose turn comes next (the same one if alone)."""
    turn = (now - rota.starts) // rota.shift
    people = rota.people
    return people[turn % len(people)], people[(turn + 1) % len(people)]


def shift_ends(rota: RotaConfig, now: int) -> int:
    """When the running shift ends."""
    return rota.starts + ((now - rota.starts) // rota.shift + 1) * rota.shift


def account(person: PersonConfig, chat: str) -> str:
    """A person's account in a chat, empty if they have none there."""
    if chat == "console":
        return person.console or person.id
    return str(getattr(person, {"email": "email", "sms": "phone"}.get(chat, chat), ""))


def find_actor(config: Config, chat: str, account_id: str, account_name: str = "") -> Actor:
    """The configured person behind a chat account; an actor without person and roles if there is none."""
    for person in config.people:
        known_as = (account(person, chat), person.wecom_aibot if chat == "wecom" else "")
        if account_id and account_id in known_as:
            return Actor(person.id, person.name, chat, frozenset(person.roles), account_id)
    return Actor("", account_name or account_id, chat, frozenset(), account_id)


def find_person(config: Config, words: str) -> PersonConfig | None:
    """A person by id, name, @name or chat account (``<@U…>``)."""
    wanted = words.strip().strip("<>@＠").split("|")[0].lower()
    for person in config.people:
        if wanted and wanted in (person.id.lower(), person.name.lower(), person.slack.lower(), person.wecom.lower()):
            return person
    return None


def duty(config: Config, now: int) -> list[PersonConfig]:
    """Everybody who is on duty now, by all rotas; without a rota whoever has the role pr."""
    ids = [on_call(rota, now)[0] for rota in config.rota.values()]
    if not ids:
        ids = [person.id for person in config.people if "pr" in person.roles][:1]
    return _people(config, ids)


def escalation(config: Config, level: int, now: int) -> list[PersonConfig]:
    """Whom to call when nobody answered: 1 the duty and the backups, 2 the managers as well, 3 everybody."""
    ids = [person_id for rota in config.rota.values() for person_id in on_call(rota, now)]
    if level >= 2 or not ids:
        ids += [person.id for person in config.people if MANAGER_ROLES & set(person.roles)]
    if level >= 3:
        ids += [person.id for person in config.people]
    return _people(config, ids)


def quiet_until(channel: ChannelConfig, now: int) -> int:
    """When the channel's quiet hours end, 0 if it is not in quiet hours."""
    zone = ZoneInfo(channel.timezone)
    local = datetime.fromtimestamp(now / 1000, zone)
    minute = local.hour * 60 + local.minute
    for span in channel.quiet:
        start, end = (_minute_of_day(part) for part in span.split("-", 1))
        inside = start <= minute < end if start <= end else (minute >= start or minute < end)
        if inside:
            return now - (now % 60_000) + ((end - minute) % 1440) * 60_000
    return 0


def _minute_of_day(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    return int(hour) * 60 + int(minute or 0)


def _people(config: Config, ids: Iterable[str]) -> list[PersonConfig]:
    found = [config.person(person_id) for person_id in dict.fromkeys(ids)]
    return [person for person in found if person is not None]
