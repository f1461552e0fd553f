"""How large a cascade will be: sane for anything, better than a log-linear guess on recorded ones."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.cascade_size import AGES, HOUR, LEAST, TARGETS, Early, expect, fit, shipped
from bot.bench import cascades

DATA = Path("../shared/data")
START = 1_757_498_400_000


def early(count: int, hours: float = 1.0, **fields) -> Early:
    chance = random.Random(count)
    times = np.array(sorted(int(chance.random() * hours * HOUR) for _ in range(count)), dtype=np.int64)
    return Early(times, int(hours * HOUR), START, **fields)


def test_too_little_is_no_forecast() -> None:
    assert expect(early(LEAST - 1)) is None
    assert expect(early(500, hours=0.2)) is None
    assert expect(early(LEAST)) is not None


@given(
    st.integers(LEAST, 3_000), st.floats(0.25, 500), st.integers(-5, 10**12), st.booleans(), st.floats(0, 1),
    st.sampled_from(TARGETS),
)  # fmt: skip
def test_a_forecast_is_never_below_what_is_there_and_its_interval_holds_its_middle(
    count: int, hours: float, followers: int, verified: bool, share: float, target: str
) -> None:
    found = expect(early(count, hours, followers=followers, verified=verified, direct_share=share), target)
    assert found is not None
    assert found.now == count <= found.low <= found.middle <= found.high <= count * 100_000


def test_the_older_a_cascade_the_less_is_to_come() -> None:
    growth = [expect(early(200, hours), "final") for hours in (1, 8, 48)]
    middles = [found.middle for found in growth if found]
    assert middles == sorted(middles, reverse=True) and middles[-1] < 260


def test_one_that_slows_down_grows_less_than_one_that_speeds_up() -> None:
    times = np.linspace(0, 1, 200) ** 3
    slowing = Early((times * HOUR).astype(np.int64), HOUR, START)
    speeding = Early(((1 - times[::-1]) * HOUR).astype(np.int64), HOUR, START)
    slow, fast = expect(slowing, "final"), expect(speeding, "final")
    assert slow and fast and slow.middle < fast.middle


def test_weights_ship_for_every_age_and_target() -> None:
    assert {f"{target}/{age:g}" for target in TARGETS for age in AGES} == set(shipped())


def test_a_straight_line_is_fitted_in_spite_of_monsters() -> None:
    chance = np.random.default_rng(1)
    table = chance.normal(size=(400, 12))
    growths = 1 + table[:, 0] * 0.5 + chance.normal(size=400) * 0.01
    growths[:40] += 30
    weights = fit(list(table), growths.tolist())
    middle = float(np.median(np.abs(growths - weights.factors[0] - (table - weights.mean) / weights.scale
                                    @ weights.factors[1:])))  # fmt: skip
    assert middle < 0.1


@pytest.mark.skipif(not (DATA / cascades.FILE).is_file(), reason="recorded cascades are not here")
def test_recorded_cascades_are_foretold_better_than_by_a_log_linear_guess() -> None:
    found = cascades.samples(cascades.load(DATA), 1.0, least=10)
    for target in TARGETS:
        truth = np.array([one.growth(target) for one in found])
        ours = cascades.median_error(cascades.held_out(found, target), truth)
        assert ours < cascades.median_error(cascades.log_linear(found, target), truth)
        assert ours < 0.34
        inside = [
            expected.low <= one.sizes[target] <= expected.high
            for one in found
            if (expected := expect(one.early, target)) is not None
        ]
        assert 0.72 < sum(inside) / len(inside) < 0.9, "four of five lie in the interval"
