"""Slack's block limits, each with the last size that passes and the first that does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.testkit.slack_blocks import BLOCKS, ELEMENTS, check_blocks, check_view, visible_text


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def button(label="Go", **more):
    return {"type": "button", "text": plain(label), "action_id": "go", **more}


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def options(count):
    return [{"text": plain(f"o{number}"), "value": str(number)} for number in range(count)]


FITS_AND_FAILS = [
    ("header", lambda n: [{"type": "header", "text": plain("x" * n)}], 150, "/blocks/0/text/text"),
    ("section", lambda n: [{"type": "section", "text": mrkdwn("x" * n)}], 3000, "/blocks/0/text/text"),
    ("field", lambda n: [{"type": "section", "fields": [mrkdwn("x" * n)]}], 2000, "/blocks/0/fields/0/text"),
    ("fields", lambda n: [{"type": "section", "fields": [mrkdwn("x")] * n}], 10, "/blocks/0/fields"),
    ("button text", lambda n: [actions(button("x" * n))], 75, "/blocks/0/elements/0/text/text"),
    ("button value", lambda n: [actions(button(value="x" * n))], 2000, "/blocks/0/elements/0/value"),
    ("button url", lambda n: [actions(button(url="x" * n))], 3000, "/blocks/0/elements/0/url"),
    ("action id", lambda n: [actions(button() | {"action_id": "x" * n})], 255, "/blocks/0/elements/0/action_id"),
    ("block id", lambda n: [{"type": "divider", "block_id": "x" * n}], 255, "/blocks/0/block_id"),
    ("elements", lambda n: [actions(*(button(action_id=f"a{i}") for i in range(n)))], 25, "/blocks/0/elements"),
    ("context", lambda n: [{"type": "context", "elements": [mrkdwn("x")] * n}], 10, "/blocks/0/elements"),
    ("markdown", lambda n: [{"type": "markdown", "text": "x" * n}], 12_000, "/blocks/0/text"),
    (
        "options",
        lambda n: [actions({"type": "static_select", "action_id": "s", "options": options(n)})],
        100,
        "/blocks/0/elements/0/options",
    ),
    (
        "overflow",
        lambda n: [actions({"type": "overflow", "action_id": "s", "options": options(n)})],
        5,
        "/blocks/0/elements/0/options",
    ),
    ("blocks", lambda n: [{"type": "divider"}] * n, 50, "/blocks"),
]


@pytest.mark.parametrize(("what", "build", "limit", "pointer"), FITS_AND_FAILS, ids=lambda value: str(value)[:14])
def test_a_limit_is_kept_to_the_character(what, build, limit, pointer):
    assert check_blocks(build(limit)) == []
    complaints = check_blocks(build(limit + 1))
    assert [complaint for complaint in complaints if complaint.endswith(f"[json-pointer:{pointer}]")], complaints


REFUSED = [
    ([{"type": "section"}], "missing required field: text [json-pointer:/blocks/0]"),
    ([{"type": "table-of-mine"}], "unsupported type: table-of-mine [json-pointer:/blocks/0/type]"),
    ([{"type": "header", "text": mrkdwn("x")}], "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"),
    ([{"type": "header", "text": "x"}], "must provide an object [json-pointer:/blocks/0/text]"),
    ([{"type": "section", "text": mrkdwn("")}], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ([actions(button(), button())], '`action_id` "go" already exists [json-pointer:/blocks/0/elements/1/action_id]'),
    ([actions(button(style="green"))], "must be a valid enum value: green [json-pointer:/blocks/0/elements/0/style]"),
    ([actions()], "must provide at least 1 items [json-pointer:/blocks/0/elements]"),
    (
        [{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}],
        '`block_id` "a" already exists [json-pointer:/blocks/1/block_id]',
    ),
    ([actions({"type": "plain_text_input", "action_id": "i"})], "unsupported type: plain_text_input"),
    ({"type": "section"}, "must be an array [json-pointer:/blocks]"),
]


@pytest.mark.parametrize(("blocks", "complaint"), REFUSED, ids=[complaint[:40] for _, complaint in REFUSED])
def test_a_wrong_block_is_refused_in_slacks_words(blocks, complaint):
    assert any(found.startswith(complaint) for found in check_blocks(blocks))


def test_the_same_action_id_in_two_blocks_is_fine():
    assert check_blocks([actions(button()), actions(button())]) == []


MODAL = {"type": "modal", "title": plain("Title"), "blocks": [{"type": "divider"}]}
INPUT = {"type": "input", "label": plain("L"), "element": {"type": "plain_text_input", "action_id": "i"}}


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        (MODAL | {"title": plain("x" * 25)}, "must be less than 25 characters [json-pointer:/view/title/text]"),
        (MODAL | {"close": plain("x" * 25)}, "must be less than 25 characters [json-pointer:/view/close/text]"),
        (MODAL | {"private_metadata": "x" * 3001}, "must be less than 3001 characters"),
        (MODAL | {"blocks": [{"type": "divider"}] * 101}, "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (MODAL | {"blocks": [INPUT]}, "must define `submit` to use an `input` block in modals"),
        (MODAL | {"type": "dialog"}, "unsupported type: dialog [json-pointer:/view/type]"),
    ],
)
def test_a_wrong_view_is_refused(view, complaint):
    assert any(found.startswith(complaint) for found in check_view(view))


def test_a_good_modal_passes():
    assert check_view(MODAL | {"title": plain("x" * 24), "submit": plain("OK"), "blocks": [INPUT]}) == []


def test_visible_text_is_what_a_reader_sees_not_the_values():
    blocks = [{"type": "header", "text": plain("Crisis")}, actions(button("Take it", value="secret"))]
    assert visible_text(blocks) == "Crisis\nTake it"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "value"]), inner),
    max_leaves=6,
)
names = [
    "text",
    "elements",
    "fields",
    "accessory",
    "confirm",
    "options",
    "option_groups",
    "element",
    "style",
    "block_id",
]
nonsense_blocks = st.lists(
    st.builds(
        lambda kind, inside, element: {"type": kind} | inside | element,
        st.sampled_from([*BLOCKS, "other"]) | json_values,
        st.dictionaries(st.sampled_from(names), json_values, max_size=4),
        st.dictionaries(
            st.sampled_from(["accessory", "element"]),
            st.builds(
                lambda kind, inside: {"type": kind} | inside,
                st.sampled_from(list(ELEMENTS)),
                st.dictionaries(st.sampled_from([*names, "action_id", "placeholder"]), json_values, max_size=4),
            ),
            max_size=1,
        ),
    ),
    max_size=3,
)


@given(nonsense_blocks | json_values)
def test_any_nonsense_is_judged_without_falling_over(value):
    assert isinstance(check_blocks(value), list)
    assert isinstance(check_view({"type": "modal", "blocks": value}), list)
