"""The fast path of expressions says exactly what the library says."""

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.expression import Expression, closure

names = st.sampled_from(["a", "b", '"标题"'])
leaves = names | st.sampled_from(["'x'", "`0`", "`null`", "`[]`"])
expressions = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda left, right: f"({left} || {right})", inner, inner)
        | st.builds(lambda left, right: f"({left} && {right})", inner, inner)
        | st.builds(lambda left, right: f"{left}.{right}", names, names)
    ),
    max_leaves=6,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 1) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "标题"]), inner, max_size=3),
    max_leaves=8,
)


@given(expressions, values)
def test_the_fast_path_agrees_with_the_library(text: str, data: object) -> None:
    compiled = jmespath.compile(text)
    fast = closure(compiled.parsed)
    assert fast is not None
    assert fast(data) == compiled.search(data)


@pytest.mark.parametrize(
    "text", ["length(a)", "a[0]", "a[].b", "a == 'x'", "!a", "[a]", "{a: a}", "a | b", "@", "to_string(a) || b"]
)
def test_everything_else_is_left_to_the_library(text: str) -> None:
    assert closure(jmespath.compile(text).parsed) is None
    Expression(text, "w").search({"a": None})
