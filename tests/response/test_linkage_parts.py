"""The parts of a call: templates, answers, the read-only database, the configuration's errors."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from factories import CONFIG
from hypothesis import given
from hypothesis import strategies as st
from test_linkage import scene
from yarl import URL

from bot.config import ConfigError, parse
from bot.response.templates import TemplateError, fill, fill_headers, fill_path, fill_query

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(min_size=1))
def test_a_value_in_a_body_stays_one_string(value: str) -> None:
    filled = fill({"a": "{x}", "b": "<{x}>", "c": ["{x}"]}, {"x": value})
    assert filled == {"a": value, "b": f"<{value}>", "c": [value]}


@given(json_values)
def test_a_whole_placeholder_keeps_the_shape_of_its_value(value: Any) -> None:
    if value in (None, ""):
        with pytest.raises(TemplateError):
            fill("{x}", {"x": value})
    else:
        assert fill({"a": "{x}"}, {"x": value}) == {"a": value}


@given(
    st.text(min_size=1).filter(
        lambda text: text not in (".", "..") and not any("\ud800" <= c <= "\udfff" for c in text)
    )
)
def test_a_value_in_a_path_is_one_segment_whatever_it_is(value: str) -> None:
    path = fill_path("/jobs/{job}/run", {"job": value})
    parts = URL("https://h.example" + path, encoded=True).raw_path.split("/")
    assert len(parts) == 4 and parts[1] == "jobs" and parts[3] == "run"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_path_does_not_climb(value: str) -> None:
    with pytest.raises(TemplateError):
        fill_path("/jobs/{job}/run", {"job": value})


@given(st.text(min_size=1).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_a_value_in_a_query_is_one_parameter(value: str) -> None:
    query = fill_query({"q": "x {v}", "limit": 1}, {"v": value})
    assert dict(URL(f"https://h.example/?{query}", encoded=True).query) == {"q": f"x {value}", "limit": "1"}


@given(st.text(min_size=1))
def test_a_quoted_value_does_not_leave_its_quotation_marks(value: str) -> None:
    filled = fill("name = '{v|quoted}'", {"v": value})
    inner, escaped = filled[len("name = '") : -1], False
    for character in inner:
        assert escaped or character not in "'\""
        escaped = character == "\\" and not escaped
    assert not escaped


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "名", "\x00"])
def test_a_value_in_a_header_begins_no_line(value: str) -> None:
    with pytest.raises(TemplateError):
        fill_headers({"X-Title": "{v}"}, {"v": value})


def test_what_is_optional_is_left_out() -> None:
    assert fill({"a": "{x?}", "b": ["{y?}", 1]}, {"x": ""}) == {"b": [1]}


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    file = tmp_path / "orders.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE customer (name TEXT, batch TEXT)")
        connection.executemany("INSERT INTO customer VALUES (?, ?)", [("a", "7"), ("b", "7"), ("c", "8")])
    return file


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SELECT name FROM customer WHERE batch = :batch", "done"),
        ("SELECT count(*) AS n FROM customer", "done"),
        ("DELETE FROM customer", "failed"),
        ("INSERT INTO customer VALUES ('x', 'y')", "failed"),
        ("ATTACH DATABASE '/tmp/x.db' AS x", "failed"),
        ("PRAGMA writable_schema = 1", "failed"),
        ("SELECT load_extension('x')", "failed"),
        ("SELECT nothing FROM customer", "failed"),
        ("SELECT 1; DROP TABLE customer", "failed"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n", "waiting"),
    ],
)
async def test_a_database_is_only_ever_asked(
    orders: Path, tmp_path: Path, sql: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.response.transport.MOST_STEPS", 50)
    system = {"base_url": "", "database": f"sqlite:///{orders}", "auth": None, "sign": None}
    action = {"sql": sql, "success": None, "result": {"count": "length(body)"}, "path": None, "body": None}
    async with scene(tmp_path, action, system=system) as it:
        it.ask(batch="7")
        await it.settle()
        assert it.call().state == state, it.call().error
        if "batch = :batch" in sql:
            assert it.call().result == {"count": "2"}
    assert sqlite3.connect(orders).execute("SELECT count(*) FROM customer").fetchone() == (3,)


SYSTEM = {"base_url": "https://desk.example"}


@pytest.mark.parametrize(
    ("linkage", "key", "line"),
    [
        ({"systems": {"d": {"base_url": "ftp://x"}}}, "config.bad_base_url", 1),
        ({"systems": {"d": {"base_url": "https://u:p@x"}}}, "config.bad_base_url", 1),
        ({"systems": {"d": {"database": "postgres://x"}}}, "config.bad_database", 1),
        ({"systems": {"d": {}}}, "config.bad_system", 1),
        ({"systems": {"d": {**SYSTEM, "auth": {"kind": "basic"}}}}, "config.bad_auth", 1),
        ({"systems": {"d": {**SYSTEM, "auth": {"kind": "magic"}}}}, "config.not_one_of", 1),
        ({"systems": {"d": SYSTEM}, "actions": {"a": {"system": "x"}}}, "config.unknown_system", 1),
        ({"systems": {"d": SYSTEM}, "actions": {"a": {"system": "d", "success": "a["}}}, "config.bad_expression", 1),
        ({"systems": {"d": SYSTEM}, "actions": {"a": {"system": "d", "methode": "GET"}}}, "config.unknown_key", 1),
        ({"customers": {"segments": {"s": {}}}}, "config.bad_segment", 1),
        ({"customers": {"segments": {"s": {"action": "x"}}}}, "config.unknown_action", 1),
    ],
)
def test_a_mistake_in_the_linkage_is_named_with_its_line(linkage: dict[str, Any], key: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"linkage: {json.dumps(linkage)}", "fengbo.yaml")
    assert [(place, text.key) for place, text in caught.value.problems] == [(f"fengbo.yaml:{line}", key)]


def test_the_line_is_the_line_of_the_mistake() -> None:
    text = "linkage:\n  systems:\n    desk:\n      base_url: desk.example\n"
    with pytest.raises(ConfigError) as caught:
        parse(CONFIG + text, "fengbo.yaml")
    ((place, _),) = caught.value.problems
    assert place == f"fengbo.yaml:{(CONFIG + text).splitlines().index('      base_url: desk.example') + 1}"
