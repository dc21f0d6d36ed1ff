"""Net Promoter Score from the counts of its groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.differences import nps_difference
from cxlab.stats.promoters import nps_adjusted_wald, nps_variance, nps_wald

answers = st.tuples(*[st.integers(0, 500)] * 3).filter(lambda groups: sum(groups) > 0)


@pytest.mark.parametrize(
    ("groups", "score", "variance", "se", "wald", "centre", "adjusted"),
    [
        # Method of Rocks (2016), worked by hand from the counts.
        ((15, 13, 8), 19.444444, 0.6010802469, 12.9215609, (-5.8813, 44.7702),
         17.948718, (-6.280259, 42.177695)),
        ((45, 32, 23), 22.0, 0.6316, 7.9473266, (6.423526, 37.576474),
         21.359223, (6.041239, 36.677208)),
    ],
)  # fmt: skip
def test_nps_and_its_intervals_are_the_published_ones(
    groups, score, variance, se, wald, centre, adjusted
):
    plain, better = nps_wald(*groups), nps_adjusted_wald(*groups)
    assert plain.estimate == better.estimate == pytest.approx(score, abs=5e-7)
    assert nps_variance(*groups) == pytest.approx(variance, abs=5e-11)
    assert plain.se == pytest.approx(se, abs=5e-8)
    assert (plain.low, plain.high) == pytest.approx(wald, abs=5e-5)  # printed to four digits
    assert (better.low + better.high) / 2 == pytest.approx(centre, abs=5e-7)
    assert (better.low, better.high) == pytest.approx(adjusted, abs=5e-7)


def test_ten_promoters_make_wald_collapse_and_adjusted_wald_pass_100():
    assert (nps_wald(10, 0, 0).low, nps_wald(10, 0, 0).high) == (100, 100)
    found = nps_adjusted_wald(10, 0, 0)
    assert (found.low + found.high) / 2 == pytest.approx(76.923077, abs=5e-7)
    assert found.high == pytest.approx(106.34, abs=5e-3)
    assert found.clip(-100, 100).high == 100


def test_ten_passives_leave_an_adjusted_interval_around_zero():
    assert (nps_wald(0, 10, 0).low, nps_wald(0, 10, 0).high) == (0, 0)
    found = nps_adjusted_wald(0, 10, 0)
    assert (found.low, found.high) == pytest.approx((-18.465045, 18.465045), abs=5e-7)


def test_the_difference_of_two_scores_is_the_published_one():
    found = nps_difference((200, 100, 100), (45, 32, 23))
    assert found.estimate == pytest.approx(3.0, rel=1e-12)
    assert found.se == pytest.approx(8.9636767, abs=5e-8)
    assert found.estimate / found.se == pytest.approx(0.3346841, abs=5e-8)


@given(answers)
def test_turning_every_promoter_into_a_detractor_mirrors_the_score(groups):
    up, still, down = groups
    found, mirrored = nps_adjusted_wald(up, still, down), nps_adjusted_wald(down, still, up)
    assert found.estimate == pytest.approx(-mirrored.estimate, abs=1e-9)
    assert found.low == pytest.approx(-mirrored.high, abs=1e-9)  # rounding of sums near 100


@given(answers, st.floats(0.1, 0.99))
def test_answers_that_are_worth_less_widen_the_interval(groups, worth):
    full = nps_adjusted_wald(*groups)
    part = nps_adjusted_wald(*groups, n_eff=sum(groups) * worth)
    if sum(groups) >= 10:  # below, the three added answers outweigh those given
        assert part.high - part.low > full.high - full.low
    assert part.estimate == full.estimate


def test_no_answers_are_refused():
    with pytest.raises(DataError, match="at least one case"):
        nps_adjusted_wald(0, 0, 0)
