"""Product-limit curves against R's survival 3.5-3 and lifelines, and identities that must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.intervals import wilson
from cxlab.stats.survival import cumulative_hazard, product_limit

# aml of R's survival: time, and whether the event was seen (1) or not (0).
MAINTAINED = [(9, 1), (13, 1), (13, 0), (18, 1), (23, 1), (28, 0), (31, 1), (34, 1), (45, 0),
              (48, 1), (161, 0)]  # fmt: skip
NOT_MAINTAINED = [(5, 1), (5, 1), (8, 1), (8, 1), (12, 1), (16, 0), (23, 1), (27, 1), (30, 1),
                  (33, 1), (43, 1), (45, 1)]  # fmt: skip
AT = [9, 13, 18, 23, 31, 34, 48]


def curve_of(rows, **how):
    time, event = np.array(rows, dtype=float).T
    return product_limit(time, event, 1 - event, **how)


def ends(curve, times):
    return curve.at(times)[["conf_low", "conf_high"]].to_numpy()


@pytest.fixture(scope="module")
def lung():
    from lifelines.datasets import load_lung

    frame = load_lung()
    return frame.assign(event=frame["status"])


def of_lung(frame, **how):
    return product_limit(frame["time"], frame["event"], 1 - frame["event"], **how)


def test_the_maintained_curve_and_its_errors_are_those_of_r():
    found = curve_of(MAINTAINED).at(AT)
    # As printed: 6 digits of S, 7 of the standard error.
    assert found["estimate"].tolist() == pytest.approx(
        [0.909091, 0.818182, 0.715909, 0.613636, 0.490909, 0.368182, 0.184091], abs=5e-7
    )
    assert found["se"].tolist() == pytest.approx(
        [0.0866784, 0.1162913, 0.1396650, 0.1526323, 0.1641933, 0.1626689, 0.1534927], abs=5e-8
    )


@pytest.mark.parametrize(
    ("band", "expected"),
    [
        ("log-log", [(0.5080802, 0.986674), (0.2657520, 0.835299), (0.0117385, 0.525015)]),
        ("plain", [(0.7392043, 1), (0.3144825, 0.912790), (0, 0.484931)]),
        ("log", [(0.7541338, 1), (0.3768671, 0.999158), (0.0359179, 0.943526)]),
    ],
)
def test_intervals_of_the_maintained_are_those_of_r(band, expected):
    found = ends(curve_of(MAINTAINED, band=band), [9, 23, 48])
    assert found == pytest.approx(np.array(expected), abs=6e-7)  # as printed


@pytest.mark.parametrize(("rows", "median", "low"), [(MAINTAINED, 31, 18), (NOT_MAINTAINED, 23, 8)])
def test_medians_and_their_ends_are_those_of_r(rows, median, low):
    found = curve_of(rows, band="log").quantile()
    assert (found.estimate, found.low, found.high) == (median, low, np.inf)  # not reached


def test_where_all_had_the_event_no_interval_is_claimed():
    last = curve_of(NOT_MAINTAINED).at([45, 60])
    assert last["estimate"].tolist() == [0, 0]
    assert last[["se", "conf_low", "conf_high"]].isna().all(axis=None)


def test_pooled_lung_is_that_of_r(lung):
    curve = of_lung(lung, band="log")
    found = curve.at([90, 180, 365, 730])
    assert found["estimate"].tolist() == pytest.approx(
        [0.881579, 0.721671, 0.409242, 0.115693], abs=5e-7
    )
    assert ends(curve, [90, 180, 365, 730]) == pytest.approx(
        np.array(
            [(0.8406212, 0.924532), (0.6655423, 0.782533), (0.3447216, 0.485838),
             (0.0716318, 0.186857)]
        ), abs=6e-7,
    )  # fmt: skip
    assert found["se"][2] == pytest.approx(0.0358236, abs=5e-8)


@pytest.mark.parametrize(("band", "low", "high"), [("log", 285, 363), ("log-log", 284, 361)])
def test_the_median_of_lung_depends_on_the_band_as_in_r(lung, band, low, high):
    found = of_lung(lung, band=band).quantile()
    assert (found.estimate, found.low, found.high) == (310, low, high)


@pytest.mark.parametrize(
    ("sex", "band", "expected"),
    [
        (1, "log-log", (270, 210, 306)),
        (2, "log-log", (426, 345, 524)),
        (1, "log", (270, 212, 310)),
        (2, "log", (426, 348, 550)),
    ],
)
def test_medians_by_sex_are_those_of_r(lung, sex, band, expected):
    found = of_lung(lung[lung["sex"] == sex], band=band).quantile()
    assert (found.estimate, found.low, found.high) == expected


def test_the_curve_is_that_of_lifelines(lung):
    from lifelines import KaplanMeierFitter

    theirs = KaplanMeierFitter().fit(lung["time"], lung["event"])
    ours = of_lung(lung).at(theirs.survival_function_.index)
    assert ours["estimate"].to_numpy() == pytest.approx(
        theirs.survival_function_["KM_estimate"].to_numpy(), rel=1e-9
    )
    band = theirs.confidence_interval_.to_numpy()
    seen = ours["estimate"].to_numpy() < 1  # before the first event theirs has no width
    assert ours[["conf_low", "conf_high"]].to_numpy()[seen] == pytest.approx(band[seen], rel=1e-7)


counts = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=25
).filter(lambda rows: sum(d + c for _, d, c in rows) > 0)


@given(counts)
def test_without_censoring_it_is_the_share_still_without_and_its_binomial_variance(rows):
    time, d, c = (np.array(x) for x in zip(*rows, strict=True))
    curve = product_limit(time, d + c)
    each = np.repeat(time, d + c)
    share = np.array([(each > t).mean() for t in curve.time])
    assert curve.survival == pytest.approx(share, abs=1e-12)  # identity S34
    inner = share > 0
    binomial = share * (1 - share) / len(each)
    assert curve.se[inner] ** 2 == pytest.approx(binomial[inner], abs=1e-12)


@given(counts)
def test_the_order_of_rows_and_how_they_are_grouped_say_nothing(rows):
    time, d, c = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    one = product_limit(time, d, c).table()
    each = np.repeat(time, (d + c).astype(int))
    event = np.concatenate([[1] * int(x) + [0] * int(y) for x, y in zip(d, c, strict=True)])
    single = product_limit(each[::-1], event[::-1], 1 - event[::-1]).table()
    pd.testing.assert_frame_equal(one, single, rtol=1e-9)


@given(counts, st.integers(1, 29))
def test_a_history_cut_in_two_says_the_same(rows, cut):
    """Identity S35: (0, t] is (0, cut] without the event, and (cut, t]."""
    time, d, c = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    time = time + 1
    whole = product_limit(time, d, c)
    later = time > cut
    split = product_limit(
        np.r_[np.minimum(time, cut), time[later]],
        np.r_[np.where(later, 0, d), d[later]],
        np.r_[np.where(later, d + c, c), c[later]],
        entry=np.r_[np.zeros(len(time)), np.full(int(later.sum()), cut)],
    )
    columns = ["at_risk", "estimate", "se", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(
        split.at(whole.time)[columns], whole.at(whole.time)[columns], rtol=1e-9
    )
    assert split.n == whole.n


@given(counts)
def test_a_curve_never_rises_and_stays_within_its_band(rows):
    time, d, c = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    curve = product_limit(time, d, c)
    assert (np.diff(np.r_[1.0, curve.survival]) <= 0).all()
    known = np.isfinite(curve.low)
    assert (curve.low[known] <= curve.survival[known] + 1e-12).all()
    assert (curve.survival[known] <= curve.high[known] + 1e-12).all()
    assert ((curve.low[known] >= 0) & (curve.high[known] <= 1)).all()


def test_late_entries_count_only_from_their_entry():
    # Two from the start; one more from age 4 on: of 1 at 3, and of 2 at 5, one each.
    curve = product_limit([3, 5, 8], [1, 1, 0], [0, 0, 1], entry=[0, 0, 4])
    assert curve.at_risk.tolist() == [2, 2, 1]
    assert curve.survival.tolist() == [0.5, 0.25, 0.25]


def test_the_cumulative_hazard_is_that_of_r_and_lifelines(lung):
    found = cumulative_hazard(curve_of(MAINTAINED + NOT_MAINTAINED)).set_index("time")
    expected = {
        5: (0.08695652174, 0.06148754619),
        23: (0.57448000617, 0.18592723453),
        48: (2.16102401771, 0.68665130846),
    }
    for time, pair in expected.items():
        assert found.loc[time, ["estimate", "se"]].tolist() == pytest.approx(pair, rel=1e-10)
    # R's default; lifelines' own default, which spreads ties out, gives 0.8896308.
    pooled = cumulative_hazard(of_lung(lung)).set_index("time")
    assert pooled.loc[364, "estimate"] == pytest.approx(0.8883246, abs=5e-8)
    known = pooled[pooled["estimate"] > 0]
    assert (known["conf_low"] < known["estimate"]).all()
    assert (known["conf_high"] > known["estimate"]).all()


def test_who_enters_after_the_time_asked_for_is_not_yet_at_risk():
    curve = product_limit([3, 5, 8], [1, 1, 0], [0, 0, 1], entry=[0, 0, 4])
    assert curve.at([3.5, 4, 4.5, 8, 9])["at_risk"].tolist() == [1, 1, 2, 1, 0]


def test_a_risk_table_adds_up_to_everybody():
    found = curve_of(MAINTAINED).risk_table([0, 9, 13, 28, 200])
    assert found["at_risk"].tolist() == [11, 11, 10, 6, 0]
    assert found["events"].tolist() == [0, 1, 2, 4, 7]
    assert found["censored"].tolist() == [0, 0, 1, 2, 4]


def test_the_share_at_a_time_is_that_of_r_and_is_refused_beyond_what_was_seen():
    found = curve_of(MAINTAINED).share_at(23)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (0.613636, 0.2657520, 0.835299), abs=6e-7
    )
    with pytest.raises(DataError, match="known until 161, but 162 was asked"):
        curve_of(MAINTAINED).share_at(162)


def test_causes_apart_are_no_single_event():
    with pytest.raises(DataError, match="a column for each of 2"):
        product_limit([1, 2], [[1, 0], [0, 1]])


def test_a_curve_that_runs_at_one_half_has_its_median_in_the_middle_of_that_stretch():
    # Ten people in thirds make one half in a way that floating point misses.
    curve = product_limit([1, 2, 4, 9], [1, 2, 2, 5])
    assert curve.survival[2] == pytest.approx(0.5)
    assert curve.quantile().estimate == 6.5
    assert product_limit([1, 2, 4, 9], [1, 2, 2, 0], [0, 0, 0, 5]).quantile().estimate == 6.5


def test_before_the_first_event_the_band_is_that_of_none():
    found = product_limit([10, 20], [0, 1], [40, 9]).at([5, 10])
    none = [1 - wilson(0, 50).high] * 2  # all 50 were under observation until then
    assert found["conf_low"].tolist() == pytest.approx(none, rel=1e-12)
    assert found["conf_high"].tolist() == [1, 1]


def test_incidence_is_what_is_missing_to_one_and_unknown_after_the_last_duration():
    curve = curve_of(MAINTAINED)
    found, without = curve.incidence([23, 161, 200]), curve.at([23, 161, 200])
    assert found["estimate"].tolist()[:2] == (1 - without["estimate"]).tolist()[:2]
    assert found["conf_low"][0] == 1 - without["conf_high"][0]
    assert np.isnan(found["estimate"][2])


def test_a_design_effect_of_four_doubles_the_error():
    one, four = (curve_of(MAINTAINED, design_effect=x) for x in (1, 4))
    assert four.se == pytest.approx(2 * one.se, nan_ok=True)


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"durations": [1, -1], "events": [1, 1]}, "durations must be 0 or more, but row 1 has -1"),
        ({"durations": [1, 2], "events": [1, np.nan]}, "events must be 0 or more, but row 1"),
        ({"durations": [1], "events": [0]}, "nobody was counted"),
        ({"durations": [], "events": []}, "nobody was counted"),
        ({"durations": [2], "events": [1], "entry": [2]}, "row 0 has 2 against 2"),
        ({"durations": [2, 3], "events": [1]}, "one number per row"),
        ({"durations": [2], "events": [1], "band": "arcsine"}, "band must be"),
    ],
)
def test_what_cannot_be_is_refused(how, match):
    with pytest.raises(DataError, match=match):
        product_limit(**how)
