"""Settings from one YAML file and the environment. Every error names the file, the line and the mend.

Secrets never stand in the file: ``x_env`` names an environment variable, ``x_file`` a file that holds it.
"""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from bot import config_statements
from bot.config_approval import StatementsConfig
from bot.config_linkage import ContactConfig, LinkageConfig
from bot.config_reports import ReportConfig
from bot.config_reports import references as report_references
from bot.config_statements import PublisherConfig, PublishingConfig
from bot.model.grade import Grade
from bot.model.post import KeywordRule, Subject
from bot.model.text import Text
from bot.settings import (
    Address,
    Duration,
    GradeWord,
    Identifier,
    Language,
    Moment,
    Period,
    QuietSpan,
    SecretHolder,
    Section,
    Zone,
    parse_duration,
)
from bot.yaml_lines import dotted, keys_twice, line_of

__all__ = ["SecretHolder", "Section", "parse_duration"]  # what others may take from here besides the sections

_SECRET = re.compile(r"token|secret|passw|key|xox[a-z]-|xapp-", re.IGNORECASE)


# libyaml where it is there: ten times as fast with five hundred subjects.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TokenConfig(SecretHolder):
    name: Identifier
    token_env: str = ""
    token_file: str = ""
    may: list[Literal["push", "read", "act"]] = ["read"]
    person: str = ""


class MatchConfig(Section):
    any: list[str] = []
    all: list[str] = []
    none: list[str] = []
    regex: list[str] = []
    platforms: list[str] = []

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.any or self.all or self.regex):
            raise ValueError("empty_rule")
        return self


class SubjectConfig(Section):
    id: Identifier
    name: str = Field(min_length=1)
    kind: Literal["own", "competitor", "policy", "industry"] = "own"
    industry: str = "general"
    match: MatchConfig
    sensitive: list[Literal["money", "safety", "law", "minors"]] = []
    watch: list[str] = []
    aliases: list[str] = []
    channel: str = ""

    def subject(self) -> Subject:
        return Subject(
            id=self.id,
            name=self.name,
            rule=KeywordRule(**{name: tuple(value) for name, value in self.match.model_dump().items()}),
            kind=self.kind,
            industry=self.industry,
            sensitive=tuple(self.sensitive),
            watch=tuple(self.watch),
            channel=self.channel,
            aliases=tuple(self.aliases),
        )


class PageConfig(Section):
    """Paging of a JSON API: by page ``number``, by ``cursor`` from the answer, or by ``since`` (newest id or time)."""

    kind: Literal["number", "cursor", "since"] = "number"
    param: str = "page"
    first: int = 1
    next: str = ""
    until: str = ""
    max: int = Field(default=5, ge=1, le=100)
    since: Literal["id", "time", "epoch", "epoch_ms"] = "id"


class AuthConfig(SecretHolder):
    """A secret sent in ``header`` (with ``scheme`` before it) or as query parameter ``query``."""

    header: str = ""
    query: str = ""
    scheme: str = ""
    value_env: str = ""
    value_file: str = ""


class SourceConfig(SecretHolder):
    """``kind``: feed, json, hook, file, alertmanager or demo. ``preset`` fills in everything that is not given."""

    id: Identifier
    kind: Literal["feed", "json", "hook", "file", "alertmanager", "demo"] = "feed"
    preset: str = ""
    with_: dict[str, str] = Field(default={}, alias="with")
    platform: str = ""
    url: str = ""
    path: str = ""
    every: Period = 60_000
    every_sensitive: Period = 15_000
    silent_after: Duration = 0  # 0: learnt from the source's own rhythm
    items: str = ""
    map: dict[str, str] = {}
    defaults: dict[str, str] = {}
    date_format: str = ""
    timezone: Zone = "Asia/Shanghai"
    page: PageConfig | None = None
    auth: AuthConfig | None = None
    headers: dict[str, str] = {}
    token_env: str = ""
    token_file: str = ""
    hmac_env: str = ""
    hmac_file: str = ""
    hmac_header: str = "X-Signature"
    encoding: str = ""
    timeout: Period = 20_000
    speed: float = 1.0  # demo only
    enabled: bool = True


class PersonConfig(SecretHolder):
    id: Identifier
    name: str
    roles: list[str] = []
    slack: str = ""
    wecom: str = ""
    wecom_aibot: str = ""  # where the smart robot knows the member by another id than the application does
    console: str = ""
    email: str = ""
    phone: str = ""
    totp_env: str = ""  # a second factor, for decisions that ask for one
    totp_file: str = ""
    deputy: str = ""  # asked to approve when this person does not answer
    language: Language | None = None


class RotaConfig(Section):
    people: list[str] = Field(min_length=1)
    shift: Period = 604_800_000
    starts: Moment = 0


class ChannelConfig(Section):
    slack: str = ""
    wecom: list[str] = []  # members who get the cards one to one
    wecom_robot: str = ""
    wecom_group: str = ""  # the chat id of a group in which the smart robot sits
    console: str = ""
    email: list[str] = []
    sms: list[str] = []
    language: Language | None = None
    min_grade: GradeWord = Grade.BLUE
    email_from: GradeWord = Grade.YELLOW
    sms_from: GradeWord = Grade.ORANGE
    quiet: list[QuietSpan] = []  # e.g. "23:00-07:00"; red always comes through
    timezone: Zone = "Asia/Shanghai"


class SlackConfig(SecretHolder):
    bot_token_env: str = ""
    bot_token_file: str = ""
    signing_secret_env: str = ""
    signing_secret_file: str = ""
    app_token_env: str = ""
    app_token_file: str = ""
    base_url: str = "https://slack.com/api/"
    channel_from: GradeWord = Grade.RED


class RobotConfig(SecretHolder):
    key_env: str = ""
    key_file: str = ""


class AibotConfig(SecretHolder):
    """A smart robot over its long connection. ``name`` is what it is called in groups, where that holds a space."""

    bot_id: str = ""
    secret_env: str = ""
    secret_file: str = ""
    name: str = ""
    url: str = "wss://openws.work.weixin.qq.com"


class WecomConfig(SecretHolder):
    corp_id: str = ""
    agent_id: int = 0
    secret_env: str = ""
    secret_file: str = ""
    token_env: str = ""
    token_file: str = ""
    aes_key_env: str = ""
    aes_key_file: str = ""
    base_url: str = "https://qyapi.weixin.qq.com/cgi-bin/"
    robots: dict[str, RobotConfig] = {}
    aibot: AibotConfig | None = None


class EmailConfig(SecretHolder):
    host: str
    port: int = 25
    sender: str
    username: str = ""
    password_env: str = ""
    password_file: str = ""
    tls: Literal["none", "starttls", "implicit"] = "none"


class SmsConfig(SecretHolder):
    url: str
    token_env: str = ""
    token_file: str = ""
    body: dict[str, str] = {"to": "{phone}", "text": "{text}", "id": "{id}"}


class ConsoleConfig(Section):
    public_url: str = ""


class ChatConfig(Section):
    slack: SlackConfig | None = None
    wecom: WecomConfig | None = None
    console: ConsoleConfig = ConsoleConfig()
    email: EmailConfig | None = None
    sms: SmsConfig | None = None


class PeriodConfig(Section):
    name: str
    from_: Moment = Field(alias="from")
    to: Moment


class GradingConfig(Section):
    preset: str = ""  # empty: by the subject's industry
    engine: Literal["ngrams", "snownlp"] = "ngrams"
    thresholds: dict[str, dict[str, float]] = {}
    escalate_after: dict[Literal["blue", "yellow", "orange", "red"], Duration] = {}
    update_asked: dict[Literal["blue", "yellow", "orange", "red"], Duration] = {}
    sensitive_periods: list[PeriodConfig] = []
    update_every: Duration = 10_000  # least time between two rewrites of one card


class PlaybooksConfig(Section):
    library: str = "playbooks"
    posture: Literal["normal", "tightening"] = "normal"


class PrivacyConfig(SecretHolder):
    retention: Duration = 15_552_000_000
    mask: list[Literal["phone", "id_card", "bank_card", "email"]] = ["phone", "id_card", "bank_card"]
    author_key_env: str = ""
    author_key_file: str = ""
    allow_hosts: list[str] = []


class Config(Section):
    language: Language = "zh-CN"
    store: str = "var/fengbo.db"
    listen: Address = "127.0.0.1:8080"
    tokens: list[TokenConfig] = []
    subjects: list[SubjectConfig] = []
    sources: list[SourceConfig] = []
    people: list[PersonConfig] = []
    rota: dict[str, RotaConfig] = {}
    channels: dict[str, ChannelConfig] = {}
    chat: ChatConfig = ChatConfig()
    grading: GradingConfig = GradingConfig()
    playbooks: PlaybooksConfig = PlaybooksConfig()
    linkage: LinkageConfig = LinkageConfig()
    statements: StatementsConfig = StatementsConfig()
    contacts: list[ContactConfig] = []
    publishers: list[PublisherConfig] = []
    publishing: PublishingConfig = PublishingConfig()
    reports: list[ReportConfig] = []
    privacy: PrivacyConfig = PrivacyConfig()
    heartbeat_url: str = ""

    def person(self, person_id: str) -> PersonConfig | None:
        return next((person for person in self.people if person.id == person_id), None)

    def channel_language(self, channel: str) -> Language:
        found = self.channels.get(channel)
        return (found.language if found else None) or self.language

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of ``listen``; ``FENGBO_LISTEN`` overrides it."""
        host, _, port = os.environ.get("FENGBO_LISTEN", self.listen).rpartition(":")
        return host.strip("[]") or "127.0.0.1", int(port)


class ConfigError(Exception):
    """The configuration cannot be used. ``problems`` are (place, text): ``fengbo.yaml:12`` and what to mend there."""

    def __init__(self, problems: list[tuple[str, Text]]) -> None:
        super().__init__("; ".join(f"{place}: {text.key}" for place, text in problems))
        self.problems = problems


def load(path: str | Path) -> Config:
    """Read and check a configuration file. Raises ``ConfigError`` with every problem found."""
    file = Path(path)
    try:
        source = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError([(str(file), Text("config.missing_file", {"file": str(file)}))]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([(str(file), Text("config.unreadable", {"cause": str(error)}))]) from None
    return parse(source, str(file))


def parse(source: str, name: str) -> Config:
    """Check the text of a configuration file; ``name`` is what errors call it."""
    try:
        root = yaml.compose(source, Loader=_LOADER)
        data = yaml.load(source, Loader=_LOADER) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        cause = getattr(error, "problem", None) or str(error)
        raise ConfigError([(place, Text("config.not_yaml", {"cause": cause}))]) from None
    if not isinstance(data, dict):
        raise ConfigError([(f"{name}:1", Text("config.not_a_mapping"))])
    doubles = [(f"{name}:{line}", Text("config.key_twice", {"where": key})) for key, line in keys_twice(root)]
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(doubles or [_explain(item, root, name) for item in error.errors()]) from None
    problems = [
        (f"{name}:{line_of(root, place)}", Text(key, {"where": dotted(place), **params}))
        for place, key, params in _references(config)
    ]
    if doubles or problems:
        raise ConfigError([*doubles, *problems])
    return config


def _references(config: Config) -> list[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
    """What pydantic cannot see: names that point nowhere and names used twice."""
    found: list[tuple[tuple[str | int, ...], str, dict[str, Any]]] = []
    for section in ("subjects", "sources", "people", "contacts", "publishers"):
        seen: set[str] = set()
        for index, item in enumerate(getattr(config, section)):
            if item.id in seen:
                found.append(((section, index, "id"), "config.twice", {"value": item.id}))
            seen.add(item.id)
    found.extend(config.linkage.references())
    found.extend(config.statements.problems())
    people = {person.id for person in config.people}
    found.extend(config_statements.references(config))
    subjects = [subject.id for subject in config.subjects]
    found.extend(report_references(config.reports, config.channels, people, subjects))
    for index, member in enumerate(config.people):
        if member.deputy and member.deputy not in people:
            found.append((("people", index, "deputy"), "config.unknown_person", {"value": member.deputy}))
    for index, contact in enumerate(config.contacts):
        if contact.owner and contact.owner not in people:
            found.append((("contacts", index, "owner"), "config.unknown_person", {"value": contact.owner}))
    for index, subject in enumerate(config.subjects):
        if subject.channel and subject.channel not in config.channels:
            known = ", ".join(config.channels) or "-"
            params = {"value": subject.channel, "known": known}
            found.append((("subjects", index, "channel"), "config.unknown_channel", params))
    for role, rota in config.rota.items():
        for index, person in enumerate(rota.people):
            if person not in people:
                found.append((("rota", role, "people", index), "config.unknown_person", {"value": person}))
    for name, channel in config.channels.items():
        robots = config.chat.wecom.robots if config.chat.wecom else {}
        if channel.wecom_robot and channel.wecom_robot not in robots:
            params = {"value": channel.wecom_robot}
            found.append((("channels", name, "wecom_robot"), "config.unknown_robot", params))
        if channel.wecom_group and not (config.chat.wecom and config.chat.wecom.aibot):
            found.append((("channels", name, "wecom_group"), "config.no_aibot", {"value": channel.wecom_group}))
        for field in ("wecom", "email", "sms"):
            for index, person in enumerate(getattr(channel, field)):
                if person not in people and "@" not in person:
                    params = {"value": person}
                    found.append((("channels", name, field, index), "config.unknown_person", params))
    return found


def _explain(item: Any, root: yaml.Node | None, name: str) -> tuple[str, Text]:
    """One pydantic error as a place in the file and a sentence with the mend."""
    place = tuple(part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    where = dotted(place)
    known = {
        "missing": "config.required",
        "extra_forbidden": "config.unknown_key",
        "literal_error": "config.not_one_of",
    }
    key = known.get(item["type"], "config.invalid")
    # A secret that somebody wrote into the file by mistake must not travel on into logs and screenshots.
    hidden = _SECRET.search(where) or _SECRET.search(str(item.get("input")))
    params: dict[str, Any] = {"where": where, "value": "…" if hidden else str(item.get("input"))[:80]}
    if key == "config.not_one_of":
        params["allowed"] = item["ctx"]["expected"]
    elif key == "config.invalid" and item["type"] == "value_error":
        code = str(item["ctx"]["error"])
        specific = {"duration", "grade", "identifier", "moment", "empty_rule", "span", "timezone", "listen"}
        specific |= {"expression", "base_url", "database", "auth", "system", "segment"}
        key = f"config.bad_{code}" if code in specific else "config.bad_moment" if "isoformat" in code else key
        params["cause"] = code
    else:
        params["cause"] = item["msg"]
    blamed = place[:-1] if key == "config.required" else place
    return f"{name}:{line_of(root, blamed)}", Text(key, params)
