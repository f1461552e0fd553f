"""The reputation index: a written formula with shown parts."""

from hypothesis import given
from hypothesis import strategies as st

from bot.briefs.reputation import Burden, reputation
from bot.model.grade import Grade

counts = st.integers(0, 5_000)
burdens = st.lists(
    st.builds(Burden, st.sampled_from(list(Grade)), st.floats(0, 1), st.sampled_from([True, False, None])), max_size=5
)


def test_a_quiet_liked_company_and_one_in_a_red_week_are_far_apart() -> None:
    calm = reputation(1_000, 50, 400, [])
    red = reputation(1_000, 800, 20, [Burden(Grade.RED, 0.8, False)])
    assert calm is not None and red is not None
    assert calm.value == 38 + 18 + 25 + 15
    assert red.value == 8 + 1 + 2 + 0
    assert sum(points for _, points, _ in calm.parts()) == calm.value


def test_three_posts_are_no_reputation() -> None:
    assert reputation(19, 0, 19, []) is None


@given(counts, counts, counts, burdens)
def test_the_index_stays_between_nothing_and_a_hundred_and_falls_with_what_is_bad(
    neutral: int, negative: int, positive: int, incidents: list[Burden]
) -> None:
    mentions = neutral + negative + positive
    found = reputation(mentions, negative, positive, incidents)
    if found is None:
        assert mentions < 20
        return
    assert all(0 <= points <= most for _, points, most in found.parts()) and 0 <= found.value <= 100
    worse = reputation(mentions + 10, negative + 10, positive, [*incidents, Burden(Grade.ORANGE, 0.5, False)])
    assert worse is not None and worse.value <= found.value
