"""The early-warning score: explained by its parts, moved by every further reason, led by no single one."""

from itertools import pairwise

import pytest
from factories import signal
from hypothesis import given
from hypothesis import strategies as st

from bot.incidents import words
from bot.model.grade import Grade
from bot.texts import has, render
from bot.warning.assess import DIMENSION
from bot.warning.early import WEIGHT, early_warning

SIGNALS = st.builds(
    lambda metric, grade, above: signal(metric, 10 * above, grade, threshold=10.0),
    st.sampled_from(sorted(DIMENSION)), st.sampled_from([Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED]),
    st.floats(1, 50),
)  # fmt: skip


def test_every_dimension_has_a_weight_and_a_name() -> None:
    assert set(WEIGHT) == set(DIMENSION.values())
    assert all(has(f"early.{name}") for name in WEIGHT)


@pytest.mark.parametrize(
    ("grade", "value", "points"),
    [
        (Grade.BLUE, 10, 25),
        (Grade.BLUE, 17.4, 38),  # half way to three times the threshold
        (Grade.BLUE, 500, 49),
        (Grade.ORANGE, 10, 75),
        (Grade.RED, 10, 100),
    ],
)
def test_a_part_is_a_quarter_a_grade_and_more_for_what_is_above(grade: Grade, value: float, points: int) -> None:
    assert early_warning([signal("negative_60m", value, grade, threshold=10.0)]).parts == (("volume", points),)


def test_the_score_by_hand() -> None:
    found = early_warning([
        signal("negative_60m", 10, Grade.YELLOW, threshold=10.0), signal("speed_30m", 2, Grade.BLUE, threshold=2.0),
    ])  # fmt: skip
    joined = 1 - (1 - 0.5 * 0.5) * (1 - 0.45 * 0.25)
    everything = 1 - 0.4 * 0.5 * 0.55 * 0.6 * 0.65
    assert found.score == round(100 * joined / everything)
    assert found.parts == (("volume", 50), ("diffusion", 25))


def test_volume_alone_never_goes_far_and_everything_is_a_hundred() -> None:
    assert early_warning([signal("negative_60m", 9_999, Grade.RED), signal("mentions_60m", 1e6, Grade.RED)]).score < 60
    one_each = {dimension: metric for metric, dimension in DIMENSION.items()}
    assert early_warning([signal(metric, 9_999, Grade.RED) for metric in one_each.values()]).score == 100
    assert early_warning([]).score == 0


@given(st.lists(SIGNALS, max_size=12))
def test_another_reason_never_lowers_the_score(signals: list) -> None:
    scores = [early_warning(signals[:count]).score for count in range(len(signals) + 1)]
    assert all(before <= after for before, after in pairwise(scores))
    assert 0 <= scores[-1] <= 100


@pytest.mark.parametrize(
    ("language", "said"), [("zh-CN", "42/100（声量 50、扩散 25）"), ("en", "42 of 100 (volume 50, diffusion 25)")]
)
def test_it_is_said_with_its_parts(language: str, said: str) -> None:
    signals = [signal("negative_60m", 25, Grade.YELLOW), signal("speed_30m", 2, Grade.BLUE, threshold=2.0)]
    found = early_warning(signals)
    assert render(words.early(found), language) == said.replace("42", str(found.score))
