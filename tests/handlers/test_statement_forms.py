"""A long text cut into the inputs of a form and put together again; and what changed between two texts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.statements import wording
from bot.statements.wording import changes
from handlers.statement_forms import INPUT, inputs_of, joined

words = st.text(st.sampled_from("a 风\n。，\u05d0\u202e😀<&*"), max_size=60)
# Long paragraphs are what is cut within: a few sizes around what an input holds.
blocks = st.one_of(
    words,
    st.sampled_from(["\n\n", "风" * (INPUT - 1), "😀" * INPUT, "a word " * 700, "声明。\n" * 1_000, "\n" * 3_000]),
)
bodies = st.lists(blocks, max_size=6).map("".join)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def filled(body: str, typed: object = str) -> dict[str, str]:
    return {f"body_{number}": typed(piece) for number, piece in enumerate(inputs_of(body), 1)}  # type: ignore[operator]


@settings(max_examples=60, deadline=None)
@given(bodies)
def test_the_inputs_hold_the_whole_text_and_nobody_loses_a_character(body: str) -> None:
    pieces = inputs_of(body)
    assert "".join(pieces) == body
    assert all(units(piece) <= 3_000 for piece in pieces), "more than an input takes"
    assert joined(body, filled(body)) == body


@settings(max_examples=60, deadline=None)
@given(bodies)
def test_a_chat_that_trims_what_was_typed_changes_no_text(body: str) -> None:
    assert joined(body, filled(body, lambda piece: piece.strip(" \n"))) == body


def test_a_piece_that_was_emptied_is_gone_and_a_piece_that_was_edited_stands() -> None:
    body = "first\n" + "a" * INPUT + "\nlast"
    fields = filled(body)
    first = fields["body_1"]
    assert joined(body, {**fields, "body_1": ""}) == body.removeprefix(first)
    assert joined(body, {**fields, "body_1": "second\n"}) == "second\n" + body.removeprefix(first)


@settings(max_examples=100, deadline=None)
@given(words, words, words, words)
def test_what_is_not_new_is_the_old_text_and_what_is_not_gone_the_new(a: str, b: str, c: str, d: str) -> None:
    old, new = a + b + c, a + d + c
    pieces = changes(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new


@pytest.mark.parametrize("lines", [100, 400, 1_000, 20_000])
def test_repeated_lines_are_compared_as_a_whole_where_words_would_take_minutes(lines: int) -> None:
    old, new = "a\n" * 2 * lines, "b\na\n" * lines
    calls = 0
    matcher = wording.SequenceMatcher

    class Counted(matcher):  # type: ignore[valid-type, misc]
        def find_longest_match(self, *given: int) -> object:
            nonlocal calls
            calls += 1
            assert calls < 3_000, "bounded, however long the text"
            return super().find_longest_match(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wording, "SequenceMatcher", Counted)
        pieces = wording.changes(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new
