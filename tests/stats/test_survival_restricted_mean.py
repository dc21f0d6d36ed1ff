"""Restricted means against R's survRM2 and survival, and identities that must hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.survival import (
    compare_restricted_means,
    product_limit,
    restricted_mean,
    restricted_mean_lost,
    share_difference,
)

PBC = Path(__file__).resolve().parents[1] / "oracles" / "pbc.csv"
YEAR = 365.25


@pytest.fixture(scope="module")
def arms():
    rows = pd.read_csv(PBC, comment="#")
    return {
        arm: product_limit(x["time"] / YEAR, x["deaths"], x["censored"])
        for arm, x in rows.groupby("trt")
    }


def test_ten_years_of_pbc_are_those_of_survrm2(arms):
    """R's survRM2 1.0-4: tau = 10 years, arm 1 is trt = 1."""
    found = compare_restricted_means(arms[1], arms[2], 10)
    one, other = found.one, found.other
    assert (one.estimate, one.se) == pytest.approx((7.146493, 0.2827748), abs=6e-7)
    assert (other.estimate, other.se) == pytest.approx((7.283416, 0.2954781), abs=6e-7)
    gap, ratio, lost = (
        (x.estimate, x.low, x.high) for x in (found.difference, found.ratio, found.lost_ratio)
    )
    assert gap == pytest.approx((-0.1369228, -0.9385191, 0.6646736), abs=6e-8)
    assert ratio == pytest.approx((0.9812007, 0.8780524, 1.0964663), abs=6e-8)
    assert lost == pytest.approx((1.0504025, 0.7872418, 1.4015331), abs=6e-8)
    assert found.p_value == pytest.approx(0.73779, abs=5e-6)
    plain = restricted_mean(arms[1], 10, scale="plain")
    assert plain.high - plain.estimate == pytest.approx(1.959964 * plain.se, rel=1e-6)
    assert one.low < plain.low < plain.high > one.high  # long times are cut off at the horizon


@pytest.mark.parametrize(("fin", "mean", "se"), [(0, 44.8333, 0.917672), (1, 46.8750, 0.793325)])
def test_a_year_of_rossi_is_that_of_r(fin, mean, se):
    from lifelines.datasets import load_rossi

    rossi = load_rossi().query("fin == @fin")
    found = restricted_mean(product_limit(rossi["week"], rossi["arrest"], 1 - rossi["arrest"]), 52)
    assert found.estimate == pytest.approx(mean, abs=5e-5)
    assert found.se == pytest.approx(se, abs=5e-7)


def test_a_year_of_rossi_keeps_the_curves_of_r():
    """S(52) with log-log ends, and their difference."""
    from lifelines.datasets import load_rossi

    rossi, ends = load_rossi(), []
    for fin, expected in ((0, (0.694444, 0.628288, 0.751191)), (1, (0.777778, 0.716244, 0.827580))):
        rows = rossi[rossi["fin"] == fin]
        curve = product_limit(rows["week"], rows["arrest"], 1 - rows["arrest"])
        found = curve.share_at(52)
        assert (found.estimate, found.low, found.high) == pytest.approx(expected, abs=6e-7)
        ends.append(curve)
    gap = share_difference(ends[1], ends[0], 52)
    assert gap.estimate == pytest.approx(0.777778 - 0.694444, abs=1e-6)
    assert gap.low == pytest.approx(0.083333 - np.hypot(0.061534, 0.056747), abs=2e-6)


def test_ten_days_of_waltons_are_those_of_survrm2():
    """9.794 and 0.123 as printed for miR-137; lifelines' variance gives an error of 0.719."""
    from lifelines.datasets import load_waltons

    flies = load_waltons().query("group == 'miR-137'")
    found = restricted_mean(product_limit(flies["T"], flies["E"], 1 - flies["E"]), 10)
    assert found.n == 34
    assert found.estimate == pytest.approx(9.794, abs=5e-4)
    assert found.se == pytest.approx(0.1232, abs=5e-5)


def test_the_error_is_not_the_spread_of_one_persons_time():
    """lifelines gives 27001 for lung, men, 500 days; R's squared error is 14.35456^2."""
    from lifelines.datasets import load_lung

    men = load_lung().query("sex == 1")
    found = restricted_mean(product_limit(men["time"], men["status"], 1 - men["status"]), 500)
    assert found.se == pytest.approx(14.35456, abs=5e-6)


def test_the_estimate_is_that_of_lifelines(arms):
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    curve = arms[1]
    counts = np.r_[curve.events, curve.censored]
    event = np.repeat([1, 0], len(curve.time))
    theirs = KaplanMeierFitter().fit(np.r_[curve.time, curve.time] + 0.0, event, weights=counts + 0)
    expected = restricted_mean_survival_time(theirs, t=7.5)
    assert restricted_mean(curve, 7.5).estimate == pytest.approx(expected, rel=1e-9)


quick = settings(deadline=None, max_examples=50)  # other work may share the machine
counts = st.lists(
    st.tuples(st.integers(1, 20), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20
).filter(lambda rows: sum(d for _, d, _ in rows) > 0)


@quick
@given(counts)
def test_without_censoring_it_is_a_mean_with_its_usual_error(rows):
    """Identity S34: RMST(max) is the mean, and its variance the binomial's of a mean."""
    time, d, _ = (np.array(x) for x in zip(*rows, strict=True))
    each = np.repeat(time, d)
    found = restricted_mean(product_limit(time, d), each.max())
    assert found.estimate == pytest.approx(each.mean(), rel=1e-12)
    if each.var() > 0:
        assert found.se**2 == pytest.approx(each.var() / len(each), rel=1e-12, abs=1e-12)


@quick
@given(counts, st.floats(0.5, 1))
def test_kept_and_lost_add_up_to_the_horizon(rows, part):
    """Identity S34, and counts equal rows (S35)."""
    time, d, c = (np.array(x) for x in zip(*rows, strict=True))
    horizon = part * float(time[d + c > 0].max())
    kept = restricted_mean(product_limit(time, d, c), horizon)
    lost = restricted_mean_lost(product_limit(time, d, c), horizon)
    assert kept.estimate + lost.estimate == pytest.approx(horizon, abs=1e-12)
    if np.isfinite(kept.low):
        assert -1e-12 <= kept.low <= kept.estimate + 1e-12
        assert kept.estimate <= kept.high + 1e-12 <= horizon + 1e-11
    each = np.repeat(np.arange(len(time)), d + c)
    event = np.concatenate([[1] * x + [0] * y for x, y in zip(d, c, strict=True)])
    single = restricted_mean(product_limit(time[each], event, 1 - event), horizon)
    assert single.estimate == pytest.approx(kept.estimate, rel=1e-9)
    assert single.se == pytest.approx(kept.se, rel=1e-9, nan_ok=True)


def test_without_any_event_the_interval_still_has_a_width():
    curve = product_limit([10, 20], [0, 0], [30, 20])
    found = restricted_mean(curve, 15)
    assert (found.estimate, found.high) == (15, 15)
    assert found.low == pytest.approx(15 * 20 / (20 + 1.959964**2), rel=1e-6)
    gap = compare_restricted_means(curve, product_limit([5, 20], [3, 0], [0, 17]), 15).difference
    assert gap.low < gap.estimate < gap.high


@pytest.mark.parametrize(
    ("horizon", "match"), [(0, "above 0"), (np.nan, "above 0"), (21, "known until 20, but 21")]
)
def test_what_cannot_be_asked_is_refused(horizon, match):
    with pytest.raises(DataError, match=match):
        restricted_mean(product_limit([10, 20], [1, 1], [0, 2]), horizon)


def test_where_all_had_it_at_once_no_interval_is_claimed():
    found = restricted_mean(product_limit([10], [5]), 15)
    assert found.estimate == 10
    assert np.isnan([found.low, found.high, found.se]).all()


def test_an_unknown_scale_is_refused():
    with pytest.raises(DataError, match="logit or plain"):
        restricted_mean(product_limit([10, 20], [1, 1], [0, 2]), 15, scale="cubic")


def test_curves_of_two_levels_and_shares_without_interval_are_refused():
    one, other = (product_limit([5, 9], [1, 1], level=x) for x in (0.9, 0.95))
    with pytest.raises(DataError, match="one level"):
        compare_restricted_means(one, other, 5)
    with pytest.raises(DataError, match="all of a group have had the event"):
        share_difference(other, other, 9)
