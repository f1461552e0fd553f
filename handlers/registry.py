"""One registry of everything that members can say and press. Adding a command is one decorated function.

A command line is a name or synonym in either language, an incident id anywhere, and the rest. Buttons carry command
lines and forms submit them with fields, so every act can be done by pressing and by typing.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlite_utils import Database

from bot.briefs.service import Briefs
from bot.config import Config
from bot.delivery import outbox
from bot.drills.build import DrillRoom
from bot.incidents.cards import IncidentCards
from bot.incidents.service import Incidents
from bot.incidents.updates import Updates
from bot.intake.accept import Accepted
from bot.intake.watch import Watch
from bot.learning.build import Learning
from bot.learning.cases import Cases
from bot.learning.proposals import Proposals
from bot.model.card import Card, Form
from bot.model.incident import Actor, Incident
from bot.model.message import Attachment, Event
from bot.model.text import Text, UserError
from bot.response.advice import Advice
from bot.response.linked import Linked
from bot.response.living import Living
from bot.response.living_notices import LivingNotices
from bot.response.runs import Runs
from bot.statements.publishing import Publishing
from bot.statements.service import Statements
from bot.store import incidents as incident_store

INCIDENT_ID = re.compile(r"(?<![A-Za-z0-9-])#?([IiDd])-?(\d{1,9})(?![A-Za-z0-9-])")
_ADDRESSED = re.compile(r"^(?:<@[^>]+>|@\S+|/crisis|/fengbo|/(?=\w))\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
# Full-width letters, digits and signs (ｈｅｌｐ, ＃Ｉ－１２) read like the plain ones; one character for one.
_NARROW = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}


def narrow(text: str) -> str:
    """Full-width letters, digits and signs as plain ones, one for one."""
    return text.translate(_NARROW)


EVERYBODY = frozenset({"*"})  # even people who are not in the configuration
MEMBERS: frozenset[str] = frozenset()  # everybody in the configuration


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers work with."""

    config: Config
    incidents: Incidents
    cards: IncidentCards
    watch: Watch
    take_in: Callable[[Database, Sequence[dict[str, object]], str, str, int], Accepted]
    runs: Runs
    advice: Advice
    linked: Linked | None = None
    living: Living | None = None
    living_notices: LivingNotices | None = None
    statements: Statements | None = None
    publishing: Publishing | None = None
    drills: DrillRoom | None = None
    updates: Updates | None = None
    cases: Cases | None = None
    learning: Learning | None = None
    proposals: Proposals | None = None
    briefs: Briefs | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One command as understood. ``rest`` is what follows the name without the incident id; ``fields`` come from a
    form."""

    db: Database
    services: Services
    actor: Actor
    event: Event
    language: str
    now: int
    name: str
    rest: str
    incident_id: str = ""
    registry: "Registry | None" = None

    @property
    def fields(self) -> dict[str, str]:
        return self.event.fields

    def incident(self) -> Incident:
        """The incident that is meant: named, else of the thread, else the only live one."""
        if self.incident_id:
            found = incident_store.get(self.db, self.incident_id)
            if found is None:
                raise UserError("error.no_such_incident", id=self.incident_id)
            return found
        live = [item for item in incident_store.live(self.db) if not item.drill]
        if len(live) == 1:
            return live[0]
        if not live:
            raise UserError("error.no_live_incident")
        raise UserError("error.which_incident", ids=[item.id for item in live[:8]], example=f"{self.name} {live[0].id}")

    def field(self, name: str, fallback: str = "") -> str:
        """A form's field, else the given words of the line."""
        return (self.fields.get(name) or fallback).strip()

    def object_at_hand(self) -> str:
        """The object in whose thread or on whose card this was said, such as ``statement:S-12``; empty if none."""
        return outbox.object_at(self.db, self.event.anchor) if self.event.anchor else ""

    def duration(self, default: int) -> tuple[int, str]:
        """A duration from the form or the start of the line (``2h``, ``30分钟``), and the words after it."""
        if given := self.field("duration"):
            return chat_duration(given) or default, self.rest
        return split_duration(self.rest) or (default, self.rest)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``private``: only the member sees it (None: as the event asks)."""

    text: Text | str = ""
    card: Card | None = None
    attachment: Attachment | None = None
    private: bool | None = None


Handler = Callable[[Request], Reply | Sequence[Reply]]


@dataclass(frozen=True, slots=True)
class Command:
    """``roles``: one of them is needed; empty means any configured member. Its catalogue entries are
    ``help.<name>.summary`` and ``help.<name>.example``."""

    name: str
    handler: Handler
    synonyms: tuple[str, ...]
    roles: frozenset[str]
    group: str
    hidden: bool = False


class UnknownCommand(UserError):
    """Nothing by that name; the text carries the nearest ones."""


@dataclass(slots=True)
class Registry:
    commands: dict[str, Command] = field(default_factory=dict)
    forms: dict[str, Callable[[str, str], Form]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def command(
        self,
        name: str,
        *synonyms: str,
        roles: Iterable[str] = MEMBERS,
        group: str = "incident",
        hidden: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Register a handler under a name and its synonyms in both languages."""

        def register(handler: Handler) -> Handler:
            self.commands[name] = Command(name, handler, synonyms, frozenset(roles), group, hidden)
            for word in (name, *synonyms):
                known = self._names.setdefault(word.lower(), name)
                if known != name:
                    raise ValueError(f"{word!r} already means {known!r}")
            return handler

        return register

    def form(self, form_id: str) -> Callable[[Callable[[str, str], Form]], Callable[[str, str], Form]]:
        """Register what builds a form: ``(command line, language) -> Form``."""

        def register(builder: Callable[[str, str], Form]) -> Callable[[str, str], Form]:
            self.forms[form_id] = builder
            return builder

        return register

    def form_for(self, form_id: str, command_line: str, language: str) -> Form | None:
        builder = self.forms.get(form_id)
        return builder(command_line, language) if builder else None

    def understand(self, line: str) -> tuple[Command, str, str]:
        """``(command, rest, incident id)`` of a line. Raises ``UnknownCommand`` with the nearest commands.

        Chinese needs no space: ``确认I-12`` and ``静音 I-12 1小时 已知`` both work, and so does ``I-12 确认``.
        """
        text = line.strip().replace("\u3000", " ")
        addressed = _ADDRESSED.match(text.translate(_NARROW))
        text = text[addressed.end() :] if addressed else text
        match = _incident_id(text.translate(_NARROW))
        incident_id = f"{match[1].upper()}-{int(match[2])}" if match else ""
        without = f"{text[: match.start()]} {text[match.end() :]}".strip() if match else text
        name, rest = self._split(without)
        if name is None:
            if incident_id and not without:
                return self.commands["show"], "", incident_id
            if not text:
                return self.commands["help"], "", ""
            raise UnknownCommand("error.unknown_command", line=text[:60], near=self.near(without))
        # An id later in the words is part of the sentence ("note I-12 same as I-9": the first one counts).
        return self.commands[name], " ".join(rest.split()) if "\n" not in rest else rest.strip(), incident_id

    def near(self, line: str) -> list[str]:
        """Up to three command names that look like the start of a line."""
        first = (line.split() or [""])[0].lower()
        visible = {word: name for word, name in self._names.items() if not self.commands[name].hidden}
        close = difflib.get_close_matches(first, visible, n=3, cutoff=0.5)
        close += [word for word in visible if len(first) > 1 and (first in word or word in first) and word not in close]
        return close[:3] or ["help"]

    def complete(self, line: str, language: str) -> list[tuple[str, str]]:
        """``(insert, catalogue key of its description)`` for the start of a line, names of the language first."""
        start = line.lstrip().lower()
        found = []
        for command in self.commands.values():
            if command.hidden:
                continue
            names = (command.name, *command.synonyms)
            preferred = shown_name(command, language)
            for word in sorted(names, key=lambda item: (item != preferred, len(item))):
                if word.lower().startswith(start):
                    found.append((word + " ", f"help.{command.name}.summary"))
                    break
        return found[:12]

    def _split(self, text: str) -> tuple[str | None, str]:
        narrow = text.translate(_NARROW)
        lowered = narrow.lower()
        for word in sorted(self._names, key=len, reverse=True):
            if lowered == word:
                return self._names[word], ""
            if lowered.startswith(word):
                following = narrow[len(word)]
                if not (word[-1].isascii() and word[-1].isalnum()) or not (following.isalnum() and following.isascii()):
                    if word[-1].isascii() and not following.isspace() and following not in ":,":
                        continue
                    return self._names[word], text[len(word) :].lstrip(" :：,，")
        return None, text


def shown_name(command: Command, language: str) -> str:
    """The name a command is shown by: the first Chinese synonym in Chinese, the name itself otherwise."""
    if language == "zh-CN":
        return next((word for word in command.synonyms if not word.isascii()), command.name)
    return command.name


def _incident_id(text: str) -> re.Match[str] | None:
    """The first incident id of a line; what only looks like one inside a web address is none."""
    addresses = [match.span() for match in _ADDRESS.finditer(text)]
    for match in INCIDENT_ID.finditer(text):
        if not any(start <= match.start() < end for start, end in addresses):
            return match
    return None


_UNIT_OF_WORD = {
    "秒": 1_000, "秒钟": 1_000, "s": 1_000, "sec": 1_000, "secs": 1_000, "seconds": 1_000,
    "分": 60_000, "分钟": 60_000, "m": 60_000, "min": 60_000, "mins": 60_000, "minute": 60_000, "minutes": 60_000,
    "小时": 3_600_000, "个小时": 3_600_000, "钟头": 3_600_000, "个钟头": 3_600_000, "h": 3_600_000, "hr": 3_600_000,
    "hour": 3_600_000, "hours": 3_600_000, "天": 86_400_000, "日": 86_400_000, "d": 86_400_000, "day": 86_400_000,
    "days": 86_400_000, "周": 604_800_000, "个星期": 604_800_000, "星期": 604_800_000, "w": 604_800_000,
    "week": 604_800_000, "weeks": 604_800_000,
}  # fmt: skip
_DURATION = re.compile(
    r"^(\d+(?:\.\d+)?|[一二两三四五六七八九十]+|半)\s*(个半)?\s*("
    + "|".join(sorted(_UNIT_OF_WORD, key=len, reverse=True))
    + r")(?![a-z0-9])[\s,，:：]*",
    re.IGNORECASE,
)
_CHINESE_DIGITS = {word: number for number, word in enumerate("零一二三四五六七八九")} | {"两": 2}
LONGEST_DURATION = 7 * 86_400_000


def split_duration(words: str) -> tuple[int, str] | None:
    """A duration at the start of words and what follows it: ``2h known``, ``30 分钟``, ``半小时已知``, ``三天``,
    ``一个半小时`` → (milliseconds, rest). None if there is none. At least a second, at most a week."""
    text = words.strip()
    match = _DURATION.match(text.translate(_NARROW))
    if not match:
        return None
    number = _number(match[1]) + (0.5 if match[2] else 0)
    milliseconds = min(number * _UNIT_OF_WORD[match[3].lower()], LONGEST_DURATION)
    return max(1_000, int(milliseconds)), text[match.end() :]


def chat_duration(words: str) -> int | None:
    """Words that are a duration and nothing else, in milliseconds."""
    found = split_duration(words)
    return found[0] if found and not found[1] else None


def _number(word: str) -> float:
    """``12``, ``1.5``, ``半``, ``三``, ``十五``, ``二十`` (below a hundred)."""
    if word == "半":
        return 0.5
    if word[0].isdigit():
        return float(word)
    tens, ten, ones = word.rpartition("十")
    value = _CHINESE_DIGITS.get(ones[-1:], 0)
    return value + (10 * _CHINESE_DIGITS.get(tens[-1:], 1) if ten else 0)


registry = Registry()
