"""What a configured action means: its preset merged in, the request it makes, how its answer is read. Pure.

Presets are YAML data beside this module. Keys as in ``ActionConfig``, and besides: ``about`` (after which public
documentation, what to check), ``parameters`` (what must be given, with a word about it), ``defaults``.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from bot import quick_yaml
from bot.clock import HOUR, SECOND
from bot.config import parse_duration
from bot.config_linkage import ActionConfig, LinkageConfig, LookupConfig, SystemConfig
from bot.delivery.chat import Delay, Refused, Unclear
from bot.model.intake import iso
from bot.response.templates import TemplateError, fill, fill_headers, fill_path, fill_query, names
from bot.sources.net import retry_after
from bot.store.calls import Call, Ending

_EXTRA = frozenset({"about", "parameters", "defaults", "name"})
DEFAULT_WAIT = 30 * SECOND


class ActionError(Exception):
    """An action cannot be carried out as configured; the message says why, in plain English."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its preset merged in. ``defaults`` may be overridden by a step's parameters, ``fixed`` not."""

    name: str
    config: ActionConfig
    system: SystemConfig
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request without its secrets."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@cache
def preset_names() -> tuple[str, ...]:
    """All presets, in alphabetical order."""
    folder = resources.files(__package__) / "presets"
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


@cache
def preset(name: str) -> Mapping[str, Any]:
    """One preset's data. Raises ``ActionError`` for an unknown name."""
    if name not in preset_names():
        raise ActionError(f"there is no preset {name}; there are {', '.join(preset_names())}")
    text = (resources.files(__package__) / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    data: Mapping[str, Any] = quick_yaml.load(text)
    return data


def resolve(linkage: LinkageConfig, name: str) -> Action:
    """The action of that name. Raises ``ActionError`` where the configuration does not have it or it is incomplete."""
    config = linkage.actions.get(name)
    if config is None:
        raise ActionError(f"linkage.actions has no {name}")
    system = linkage.systems.get(config.system)
    if system is None:
        raise ActionError(f"linkage.systems has no {config.system}")
    defaults: Mapping[str, Any] = {}
    if config.preset:
        data = preset(config.preset)
        given = config.model_dump(include=config.model_fields_set - {"preset"}, by_alias=True, exclude_unset=True)
        merged = {key: value for key, value in data.items() if key not in _EXTRA}
        for key, value in given.items():
            known = merged.get(key)
            merged[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
        if config.lookup is not None and "after" in config.lookup.model_fields_set:
            merged["lookup"]["after"] = f"{config.lookup.after}ms"  # a bare number would be read as seconds once more
        defaults = data.get("defaults") or {}
        config = ActionConfig.model_validate({**merged, "preset": config.preset})
    if system.database and not config.sql:
        raise ActionError(f"{name} asks a database and has no sql")
    if system.base_url and not config.path.startswith("/"):
        raise ActionError(f"{name} has no path, or one that does not start with a slash")
    return Action(name, config, system, defaults, config.with_)


def missing(action: Action) -> list[str]:
    """Parameters of the preset that neither ``with`` nor the playbook's usual context gives."""
    wanted = set(preset(action.config.preset).get("parameters") or {}) if action.config.preset else set()
    return sorted(wanted - set(action.fixed) - set(action.defaults))


def parameters(action: Action) -> set[str]:
    """Every name the templates of an action may take from a step."""
    config = action.config
    return names([config.path, config.query, config.headers, config.body, dict(action.fixed)])


def reference(key: str) -> str:
    """What a call is known by outside: stable, and safe in any address or query language."""
    return "fengbo-" + hashlib.sha256(key.encode()).hexdigest()[:24]


def values_of(action: Action, call: Call) -> dict[str, Any]:
    """What the templates are filled with. The configuration outranks the playbook, the program outranks both."""
    own: dict[str, Any] = {
        "reference": reference(call.key), "incident": call.incident, "run": call.run, "step": call.step,
        "starts": iso(call.created_at),
    }  # fmt: skip
    told = {name: value for name, value in call.params.items() if value not in (None, "")}
    given = {**action.defaults, **call.context, **told}
    try:
        merged = {**given, **fill(dict(action.fixed), {**given, **own}), **own}
    except TemplateError as error:
        raise ActionError(str(error)) from None
    merged["text"] = merged.get("text") or merged.get("title")
    if merged.get("duration"):
        try:
            merged["ends"] = iso(call.created_at + parse_duration(merged["duration"]))
        except ValueError:
            raise ActionError(f"duration says {merged['duration']!r}; write 30m, 2h or 1d") from None
    return merged


def request_of(action: Action, values: Mapping[str, Any]) -> Prepared:
    """The request of an action. Raises ``ActionError``."""
    config = action.config
    return _request(action, config.method, config.path, config.query, config.headers, config.body, values)


def lookup_of(action: Action, values: Mapping[str, Any]) -> Prepared:
    """The question whether a call was carried out. Raises ``ActionError``."""
    lookup = action.config.lookup
    assert lookup is not None
    return _request(action, lookup.method, lookup.path, lookup.query, action.config.headers, lookup.body, values)


def _request(
    action: Action, method: str, path: str, query: Mapping[str, Any], headers: Mapping[str, str], body: Any,
    values: Mapping[str, Any],
) -> Prepared:  # fmt: skip
    try:
        url = action.system.base_url + fill_path(path, values)
        if encoded := fill_query(query, values):
            url += f"?{encoded}"
        sent = {"Accept": "application/json", **action.system.headers, **fill_headers(headers, values)}
        if body is None:
            return Prepared(method, url, sent)
        filled = fill(body, values)
        if action.config.encoding == "form" and isinstance(filled, Mapping):
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            return Prepared(method, url, sent, urlencode(filled, doseq=True).encode())
        sent["Content-Type"] = "application/json"
        return Prepared(method, url, sent, orjson.dumps(filled, default=str))
    except TemplateError as error:
        raise ActionError(str(error)) from None


def document(answer: Answer, base: str) -> dict[str, Any]:
    """What ``success``, ``result`` and ``found`` are asked of."""
    body: Any
    try:
        body = orjson.loads(answer.body) if answer.body else None
    except orjson.JSONDecodeError:
        body = answer.body[:10_000].decode(errors="replace")
    return {"status": answer.status, "headers": dict(answer.headers), "body": body, "base": base}


def read(action: Action, answer: Answer, now: int) -> Ending:
    """How an answer ends a call. Raises ``Delay`` (surely not carried out, wait), ``Unclear`` or ``Refused``."""
    config, status = action.config, answer.status
    if not (200 <= status < 300 or status in config.accepted or status in config.already):
        _sort(answer, now)
    found = document(answer, action.system.base_url)
    if config.success and status not in config.already and _false(_search(config.success, found)):
        raise Refused(f"HTTP {status}, but the answer does not say that it was done: {_excerpt(answer)}")
    return Ending("done", status, _excerpt(answer), _results(config.result, found))


def found_by(lookup: LookupConfig, action: Action, answer: Answer, key: str, now: int) -> Ending | None:
    """What a look-up says: how the call had ended, None if it was not carried out. Raises like ``read``.

    ``{reference}`` in the expressions is the call's; it consists of letters, digits and a dash.
    """
    if not 200 <= answer.status < 300:
        _sort(answer, now)
    found = document(answer, action.system.base_url)
    expression = lookup.found.replace("{reference}", reference(key))
    identity = _search(expression, found)
    if _false(identity):
        return None
    expressions = {
        "id": expression,
        **({"link": lookup.link.replace("{reference}", reference(key))} if lookup.link else {}),
    }
    return Ending("done", answer.status, "", _results(expressions, found))


def _sort(answer: Answer, now: int) -> None:
    status, wait = answer.status, retry_after(answer.headers, now)
    why = f"HTTP {status} {_excerpt(answer)}".strip()
    if status == 429 or (status == 503 and wait is not None):
        raise Delay(max(SECOND, min(DEFAULT_WAIT if wait is None else wait, HOUR)), why)
    if status >= 500 or status == 408:
        # A server that fails after doing the work says 500 too.
        raise Unclear(why)
    raise Refused(why)


def _results(expressions: Mapping[Any, str], found: Mapping[str, Any]) -> dict[str, str]:
    results = {}
    for name, expression in expressions.items():
        value = _search(expression, found)
        if value is None or isinstance(value, dict | list):
            continue
        text = str(value)[:500]
        if name == "link" and not text.startswith(("https://", "http://")):
            continue
        results[str(name)] = text
    return results


def _search(expression: str, data: Any) -> Any:
    try:
        return jmespath.search(expression, data)
    except JMESPathError:
        return None


def _false(value: Any) -> bool:
    """JMESPath's falsehood: null, false and everything empty; the number 0 is true."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def _excerpt(answer: Answer) -> str:
    return " ".join(answer.body[:2_000].decode(errors="replace").split())[:500]
