"""Settings of what Fengbo is linked to: the company's systems, what they are asked to do, customers, people outside."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, model_validator

from bot.settings import Duration, Identifier, Language, Period, QuietSpan, SecretHolder, Section, Zone

Channel = Literal["email", "sms", "wecom"]


def _expression(value: str) -> str:
    try:
        jmespath.compile(value)
    except JMESPathError:
        raise ValueError("expression") from None
    return value


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username):
        raise ValueError("base_url")
    return value.rstrip("/")


def _database(value: str) -> str:
    if value and not value.startswith("sqlite:///"):
        raise ValueError("database")
    return value


Expression = Annotated[str, AfterValidator(_expression)]
Status = Annotated[int, Field(ge=100, le=599)]


class SystemAuth(SecretHolder):
    """``bearer``: Authorization: Bearer; ``basic``: with ``username``; ``header``: in the header ``name`` with
    ``scheme`` before it; ``query``: as the parameter ``name``."""

    kind: Literal["none", "bearer", "basic", "header", "query"] = "bearer"
    username: str = ""
    name: str = ""
    scheme: str = ""
    secret_env: str = ""
    secret_file: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind in ("header", "query") and not self.name) or (self.kind == "basic" and not self.username):
            raise ValueError("auth")
        return self


class SigningConfig(SecretHolder):
    """Every request carries ``v1=`` HMAC-SHA256 over ``timestamp.body`` in ``header``, the seconds in
    ``timestamp_header``: what Fengbo itself asks of those who push to it."""

    key_env: str = ""
    key_file: str = ""
    header: str = "X-Fengbo-Signature"
    timestamp_header: str = "X-Fengbo-Timestamp"


class SystemConfig(Section):
    """One system of the company: by HTTP under ``base_url``, or a database that is only ever read."""

    base_url: Annotated[str, AfterValidator(_base_url)] = ""
    database: Annotated[str, AfterValidator(_database)] = ""
    auth: SystemAuth | None = None
    sign: SigningConfig | None = None
    headers: dict[str, str] = {}
    ca_file: str = ""  # a certificate authority of the company's own; certificates are always verified
    timeout: Period = 20_000
    per_minute: int = Field(default=60, ge=1, le=6000)
    give_up_after: Period = 86_400_000
    health: str = "/"  # what fengbo check asks for

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.base_url) == bool(self.database):
            raise ValueError("system")
        return self


class LookupConfig(Section):
    """How to ask whether a call that got no answer was carried out. ``found`` is JMESPath over the answer and gives
    the id, or nothing. ``after``: how long the system's search takes to know of new things."""

    method: Literal["GET", "POST"] = "GET"
    path: str
    query: dict[str, Any] = {}
    body: Any = None
    found: Expression
    link: Expression | None = None
    after: Duration = 10_000


class ActionConfig(Section):
    """One thing a system can be asked to do. ``preset`` fills in everything that is not given here.

    Strings of ``path``, ``query``, ``headers`` and ``body`` may hold ``{param}``. ``success`` and ``result`` are
    JMESPath over ``{status, headers, body, base}``. ``idempotent``: the system does the same ``Idempotency-Key`` (or
    the same body) only once, so that an unclear call may be repeated without asking.
    """

    system: Identifier
    preset: str = ""
    with_: dict[str, Any] = Field(default={}, alias="with")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str = ""
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None
    encoding: Literal["json", "form"] = "json"
    sql: str = ""
    success: Expression | None = None
    result: dict[Literal["id", "link", "count"], Expression] = {}
    accepted: list[Status] = []  # statuses besides 2xx that mean it was done
    already: list[Status] = []  # statuses that mean it had been done before
    idempotent: bool = False
    lookup: LookupConfig | None = None


class SegmentConfig(Section):
    """Where the affected customers are listed: a CSV ``file``, or the ``action`` that gives the list.

    ``map`` names the columns (or JMESPath in one item): name, email, phone, wecom, consent, id and any field that a
    notice may mention. ``items`` is JMESPath over the answer of an action.
    """

    title: str = ""
    file: str = ""
    action: str = ""
    items: Expression = "body"
    params: dict[str, Any] = {}
    map: dict[str, str] = {}
    fields: list[Identifier] = []
    prefer: list[Channel] = ["email", "sms", "wecom"]
    language: Language | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.file) == bool(self.action):
            raise ValueError("segment")
        return self


class CustomersConfig(Section):
    """``roles`` may send a notice; ``per_minute`` is the throttle; personal data goes ``keep`` after the last one."""

    segments: dict[Identifier, SegmentConfig] = {}
    roles: list[str] = ["pr_head", "customer_service"]
    per_minute: int = Field(default=120, ge=1, le=6000)
    keep: Duration = 604_800_000
    most: int = Field(default=100_000, ge=1, le=1_000_000)


class AutoReplyConfig(Section):
    """Incoming customer messages: ``source`` is the hook they come in by, ``map`` JMESPath in one message (id, person,
    text, name), ``reply`` the action that answers."""

    source: Identifier
    items: Expression = "@"
    map: dict[Literal["id", "person", "name", "text"], Expression]
    reply: Identifier
    language: Language | None = None
    timezone: Zone = "Asia/Shanghai"
    hours: QuietSpan = "00:00-24:00"
    keep: Duration = 2_592_000_000
    doubt_words: list[str] = []


class LinkageConfig(Section):
    systems: dict[Identifier, SystemConfig] = {}
    actions: dict[Identifier, ActionConfig] = {}
    customers: CustomersConfig = CustomersConfig()
    auto_reply: AutoReplyConfig | None = None

    def references(self) -> list[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
        """Names that point nowhere: (place, catalogue key, parameters)."""
        found: list[tuple[tuple[str | int, ...], str, dict[str, Any]]] = []

        def known(place: tuple[str | int, ...], key: str, value: str, names: Any) -> None:
            if value and value not in names:
                params = {"value": value, "known": ", ".join(names) or "-"}
                found.append((("linkage", *place), key, params))

        for name, action in self.actions.items():
            known(("actions", name, "system"), "config.unknown_system", action.system, self.systems)
        for name, segment in self.customers.segments.items():
            known(("customers", "segments", name, "action"), "config.unknown_action", segment.action, self.actions)
        if self.auto_reply:
            known(("auto_reply", "reply"), "config.unknown_action", self.auto_reply.reply, self.actions)
        return found


class ContactConfig(Section):
    """Somebody to talk to in a crisis who need not be a member: an expert, a lawyer, a journalist, an authority."""

    id: Identifier
    name: str = Field(min_length=1)
    kind: Literal[
        "crisis_team", "expert", "agency", "lawyer", "media", "kol", "authority", "association", "partner", "other"
    ] = "other"
    organisation: str = ""
    title: str = ""
    phone: str = ""
    email: str = ""
    wecom: str = ""
    topics: list[str] = []
    note: str = ""
    owner: str = ""  # the member who keeps the relation
