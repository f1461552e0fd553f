"""Conditions of playbooks: a sentence such as ``grade >= orange and facts.cause = attack``, read without ``eval``.

Names are looked up in a flat mapping. What is not known yet makes a comparison neither true nor false (``None``), and
``and``, ``or``, ``not`` carry that on (Kleene's three-valued logic), so a run can wait for a fact instead of guessing.

    condition  = either { "or" either }
    either     = single { "and" single }
    single     = "not" single | "known" name | "unknown" name | "(" condition ")" | name operator value | name
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in"
    value      = word | number | percentage | "quoted" | "[" value { "," value } "]"
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.model.grade import Grade

MAXIMUM_LENGTH = 500
MAXIMUM_DEPTH = 20

Scalar = str | float | bool
Value = Scalar | frozenset[str] | None

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?%?(?![A-Za-z0-9_]))|(?P<word>[^\W\d][\w-]*(?:\.[\w-]+)*)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'"""
    r"""|(?P<mark><=|>=|!=|==|[=<>()\[\],]))"""
)
_COMPARISONS = {"=", "==", "!=", "<", "<=", ">", ">="}
_RESERVED = {"and", "or", "not", "in", "known", "unknown"}
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}


class ConditionError(ValueError):
    """The sentence is not a condition. ``code`` is a catalogue name, ``near`` the words where reading stopped."""

    def __init__(self, code: str, near: str) -> None:
        super().__init__(f"condition_{code}")
        self.code = code
        self.near = near


@dataclass(frozen=True, slots=True)
class Comparison:
    name: str
    operator: str
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Known:
    name: str


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Expression"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Expression", ...]


Expression = Comparison | Known | Not | All | Either


def parse_condition(text: str) -> Expression:
    """Read one condition. Raises ``ConditionError``; bounded in length and depth, so any input ends quickly."""
    if len(text) > MAXIMUM_LENGTH:
        raise ConditionError("too_long", text[:30])
    return _Reader(text).read()


def comparisons(expression: Expression) -> Iterator[Comparison | Known]:
    """Every name that a condition asks about, with what it is compared to."""
    match expression:
        case Comparison() | Known():
            yield expression
        case Not(inner):
            yield from comparisons(inner)
        case All(parts) | Either(parts):
            for part in parts:
                yield from comparisons(part)


def evaluate(expression: Expression, scope: Mapping[str, Value]) -> bool | None:
    """Whether the condition holds; ``None`` while something it needs is not known.

    Args:
        scope: name → value; a name that is missing or ``None`` is unknown; a set holds several values at once
            (``type = outage`` holds when outage is one of them).
    """
    match expression:
        case Known(name):
            return scope.get(name) is not None
        case Comparison():
            return _compare(scope.get(expression.name), expression)
        case Not(inner):
            answer = evaluate(inner, scope)
            return None if answer is None else not answer
        case All(parts):
            answers = [evaluate(part, scope) for part in parts]
            return False if False in answers else None if None in answers else True
        case Either(parts):
            answers = [evaluate(part, scope) for part in parts]
            return True if True in answers else None if None in answers else False


def _compare(actual: Value, wanted: Comparison) -> bool | None:
    if actual is None:
        return None
    values = wanted.value if isinstance(wanted.value, tuple) else (wanted.value,)
    if wanted.operator in {"=", "==", "in"}:
        return any(_same(actual, value) for value in values)
    if wanted.operator in {"!=", "not in"}:
        return not any(_same(actual, value) for value in values)
    left, right = _ordered(actual), _ordered(values[0])
    if left is None or right is None:
        return None
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[wanted.operator]


def _same(actual: Value, wanted: Scalar) -> bool:
    if isinstance(actual, frozenset):
        return str(wanted) in actual
    if isinstance(actual, bool) or isinstance(wanted, bool):
        truth = _TRUTH.get(actual.lower()) if isinstance(actual, str) else actual
        return truth is wanted
    left, right = _ordered(actual), _ordered(wanted)
    if left is not None and right is not None:
        return left == right
    return str(actual).casefold() == str(wanted).casefold()


def _ordered(value: Value) -> float | None:
    """A number to compare by: numbers are themselves, grades rank by their severity."""
    if isinstance(value, bool) or value is None or isinstance(value, frozenset):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(Grade.from_word(value))
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


class _Reader:
    """A recursive-descent reader over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ConditionError("unreadable", text[position:].strip()[:30])
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        self._next = 0

    def read(self) -> Expression:
        if not self._tokens:
            raise ConditionError("empty", "")
        expression = self._either(0)
        if self._next < len(self._tokens):
            raise self._wrong("leftover")
        return expression

    def _peek(self) -> tuple[str, str]:
        kind, text, _ = self._tokens[self._next] if self._next < len(self._tokens) else ("end", "", 0)
        return kind, text.lower() if kind == "word" and text.lower() in _RESERVED else text

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._next += 1
        return token

    def _wrong(self, code: str) -> ConditionError:
        if self._next >= len(self._tokens):
            return ConditionError(code, self._text[-30:])
        return ConditionError(code, self._text[self._tokens[self._next][2] :][:30])

    def _either(self, depth: int) -> Expression:
        parts = [self._all(depth)]
        while self._peek() == ("word", "or"):
            self._take()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self, depth: int) -> Expression:
        parts = [self._single(depth)]
        while self._peek() == ("word", "and"):
            self._take()
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _single(self, depth: int) -> Expression:
        if depth > MAXIMUM_DEPTH:
            raise self._wrong("too_deep")
        kind, text = self._peek()
        if (kind, text) == ("mark", "("):
            self._take()
            inner = self._either(depth + 1)
            if self._take() != ("mark", ")"):
                self._next -= 1
                raise self._wrong("no_bracket")
            return inner
        if kind != "word":
            raise self._wrong("no_name")
        if text == "not":
            self._take()
            return Not(self._single(depth + 1))
        if text in {"known", "unknown"}:
            self._take()
            name = Known(self._name())
            return name if text == "known" else Not(name)
        return self._comparison()

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "word" or text in _RESERVED:
            raise self._wrong("no_name")
        self._take()
        return text

    def _comparison(self) -> Comparison:
        name = self._name()
        kind, text = self._peek()
        if kind == "mark" and text in _COMPARISONS:
            self._take()
            return Comparison(name, text, self._value())
        if (kind, text) == ("word", "in"):
            self._take()
            return Comparison(name, "in", self._list())
        if (kind, text) == ("word", "not"):
            self._take()
            if self._peek() != ("word", "in"):
                raise self._wrong("no_operator")
            self._take()
            return Comparison(name, "not in", self._list())
        # A bare name asks whether it is so: ``facts.funds_segregated``.
        return Comparison(name, "=", True)

    def _value(self) -> Scalar:
        kind, text = self._peek()
        if kind in {"end", "mark"} or (kind == "word" and text in _RESERVED):
            raise self._wrong("no_value")
        self._take()
        if kind == "number":
            return float(text[:-1]) / 100 if text.endswith("%") else float(text)
        return _TRUTH.get(text.lower(), text) if kind == "word" else text

    def _list(self) -> tuple[Scalar, ...]:
        if self._take() != ("mark", "["):
            self._next -= 1
            raise self._wrong("no_list")
        values = [self._value()]
        while self._peek() == ("mark", ","):
            self._take()
            values.append(self._value())
        if self._take() != ("mark", "]"):
            self._next -= 1
            raise self._wrong("no_bracket")
        return tuple(values)
