"""Incidences of competing events against R's survival, cmprsk and tidycmprsk, and identities."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.survival import (
    compare_incidence,
    cumulative_incidence,
    log_rank,
    product_limit,
    restricted_mean,
)

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
TIMES = [60, 120, 180, 240]


@pytest.fixture(scope="module")
def mgus():
    return pd.read_csv(ORACLES / "mgus2.csv", comment="#")


@pytest.fixture(scope="module")
def bmt():
    return pd.read_csv(ORACLES / "bmt.csv", comment="#")


def of_mgus(rows, **how):
    return cumulative_incidence(rows["months"], rows[["pcm", "death"]], rows["censored"], **how)


def test_tied_months_are_those_of_r(mgus):
    """R's survival 3.5-3 and cmprsk 2.2-11 agree; lifelines jitters the ties."""
    found = of_mgus(mgus)
    assert (mgus["censored"].sum(), *found.events.sum(axis=0)) == (409, 115, 860)
    pcm, death = (found.at(cause, TIMES)["estimate"].tolist() for cause in ("pcm", "death"))
    assert pcm == pytest.approx([0.0341037, 0.0637222, 0.0870563, 0.0998137], abs=5e-8)
    assert death == pytest.approx([0.320367, 0.531818, 0.665923, 0.724028], abs=5e-7)


def test_mean_times_in_each_state_are_those_of_r(mgus):
    found = of_mgus(mgus)
    lost = [found.mean_lost(cause, 240).estimate for cause in ("pcm", "death")]
    assert lost == pytest.approx([14.1905, 115.2206], abs=5e-5)
    any_event = mgus["pcm"] + mgus["death"]
    free = restricted_mean(product_limit(mgus["months"], any_event, mgus["censored"]), 240)
    assert free.estimate == pytest.approx(110.5889, abs=5e-5)


def test_the_variance_is_that_of_cmprsk(mgus):
    found = of_mgus(mgus).at("pcm", [60, 120, 240])["se"] ** 2
    expected = [2.392021284e-05, 4.623250461e-05, 9.615988462e-05]
    assert found.tolist() == pytest.approx(expected, rel=1e-9)


def test_grays_test_and_errors_are_those_of_tidycmprsk(bmt):
    """cmprsk 2.2-12 by tidycmprsk 1.1.0, printed by CAMIS, R: cumulative incidence functions."""
    causes = ["relapse", "death"]
    for cause, chi2, p in (("relapse", 11.9228820, 0.0025762), ("death", 0.1374108, 0.9336017)):
        found = compare_incidence(
            bmt["days"], bmt[causes], bmt["censored"], cause=cause, group=bmt["group"]
        )
        assert (found.statistic, found.df) == (pytest.approx(chi2, abs=6e-8), 2)
        assert found.p_value == pytest.approx(p, abs=6e-8)
    low_risk = bmt[bmt["group"] == 2]
    years = cumulative_incidence(low_risk["days"] / 365.25, low_risk[causes], low_risk["censored"])
    printed = years.at("relapse", [1, 1.5, 2, 3])
    expected = [(0.0741, 0.0360), (0.1296, 0.0463), (0.1481, 0.0489), (0.1667, 0.0514)]
    assert printed[["estimate", "se"]].to_numpy() == pytest.approx(np.array(expected), abs=5e-5)


def test_before_anybody_had_it_the_upper_end_is_that_of_none(bmt):
    found = of_mgus(pd.DataFrame({"months": [5, 9], "pcm": [0, 1], "death": [2, 0],
                                  "censored": [8, 9]})).at("pcm", [1, 5, 9])  # fmt: skip
    assert found["conf_low"].tolist()[:2] == [0, 0]
    # 20 at risk until 5; the 2 who died could no longer have it.
    assert found["conf_high"][0] == pytest.approx(1 - 20 / (20 + 1.959964**2), rel=1e-6)
    assert found["estimate"][2] > 0


quick = settings(deadline=None, max_examples=50)  # other work may share the machine
rows = st.lists(
    st.tuples(st.integers(1, 15), *[st.integers(0, 3)] * 3), min_size=2, max_size=20
).filter(lambda x: sum(d + e for _, d, e, _ in x) > 0)


def parts(given):
    time, own, other, c = (np.array(x) for x in zip(*given, strict=True))
    return time, {"own": own, "other": other}, c


@quick
@given(rows)
def test_all_shares_add_up_to_one_and_all_causes_to_the_curve(given):
    """Identity S34."""
    time, events, c = parts(given)
    found = cumulative_incidence(time, events, c)
    whole = product_limit(time, events["own"] + events["other"], c)
    assert found.incidence.sum(axis=1) + whole.survival == pytest.approx(1, abs=1e-12)
    assert found.survival == pytest.approx(whole.survival, abs=1e-12)
    assert (np.diff(found.incidence, axis=0) >= 0).all()
    known = np.isfinite(found.low)
    assert (found.low <= found.incidence + 1e-12)[known].all()
    assert (found.incidence <= found.high + 1e-12)[known].all()
    assert ((found.low >= -1e-12) & (found.high <= 1 + 1e-12))[known].all()


@quick
@given(rows)
def test_without_censoring_the_variance_is_that_of_a_share(given):
    time, events, _ = parts(given)
    found = cumulative_incidence(time, events, error="greenwood")
    for at, cause in enumerate(events):
        share = found.incidence[:, at]
        assert share[-1] == pytest.approx(events[cause].sum() / found.n, abs=1e-12)
        known = np.isfinite(found.se[:, at])
        binomial = share * (1 - share) / found.n
        assert found.se[known, at] ** 2 == pytest.approx(binomial[known], abs=1e-12)
        each = np.repeat(time, events[cause])
        horizon = float(time.max())
        lost = np.r_[horizon - each, np.zeros(int(found.n) - len(each))]
        mean = found.mean_lost(cause, horizon)
        assert mean.estimate == pytest.approx(lost.mean(), rel=1e-12, abs=1e-12)
        assert not mean.low > mean.estimate + 1e-12
        assert not mean.high < mean.estimate - 1e-12
        if (each < horizon).any():
            assert mean.se**2 == pytest.approx(lost.var() / found.n, rel=1e-12, abs=1e-12)


@quick
@given(rows)
def test_one_cause_alone_is_the_curve_turned_over(given):
    time, events, c = parts(given)
    d = events["own"] + events["other"]
    one = cumulative_incidence(time, {"any": d}, c, error="greenwood")
    curve = product_limit(time, d, c)
    asked = np.arange(16)
    columns = ["estimate", "se", "conf_low", "conf_high"]
    ours, theirs = one.at("any", asked)[columns], curve.incidence(asked)[columns]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@quick
@given(rows, st.sampled_from(["aalen", "greenwood"]))
def test_counts_equal_replicated_rows_and_histories_cut_in_two(given, error):
    """Identity S35."""
    time, events, c = parts(given)
    one = cumulative_incidence(time, events, c, error=error)
    kinds = (events["own"], events["other"], c)
    each = np.concatenate([np.repeat(time, x) for x in kinds])
    kind = np.repeat([0, 1, 2], [x.sum() for x in kinds])
    order = np.argsort(-each)
    single = cumulative_incidence(
        each[order], {"own": (kind == 0)[order], "other": (kind == 1)[order]},
        (kind == 2)[order], error=error,
    )  # fmt: skip
    cut, later = 7, time > 7
    split = cumulative_incidence(
        np.r_[np.minimum(time, cut), time[later]],
        {name: np.r_[np.where(later, 0, d), d[later]] for name, d in events.items()},
        np.r_[np.where(later, sum(kinds), c), c[later]], error=error,
        entry=np.r_[np.zeros(len(time)), np.full(int(later.sum()), cut)],
    )  # fmt: skip
    for other in (single, split):
        for cause in events:
            np.testing.assert_allclose(
                other.at(cause, one.time), one.at(cause, one.time), rtol=1e-9, atol=1e-9
            )


groups = st.lists(st.sampled_from("ab"), min_size=20, max_size=20)


@quick
@given(rows, groups)
def test_grays_test_of_counts_is_that_of_rows_and_expects_all_events(given, labels):
    time, events, c = parts(given)
    group = np.array(labels[: len(time)])
    people = events["own"] + events["other"] + c
    if len(set(group[people > 0])) < 2:
        return
    one = compare_incidence(time, events, c, cause="own", group=group)
    kinds = (events["own"], events["other"], c)
    each = np.concatenate([np.repeat(np.arange(len(time)), x) for x in kinds])[::-1]
    kind = np.repeat([0, 1, 2], [x.sum() for x in kinds])[::-1]
    single = compare_incidence(
        time[each], {"own": kind == 0, "other": kind == 1}, kind == 2, cause="own",
        group=group[each],
    )  # fmt: skip
    assert single.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-9, nan_ok=True)
    assert one.observed.sum() == pytest.approx(events["own"].sum(), abs=1e-9)
    assert np.isnan(one.p_value) or 0 <= one.p_value <= 1


@quick
@given(rows, groups)
def test_without_other_events_it_expects_what_the_log_rank_test_expects(given, labels):
    time, events, c = parts(given)
    group = np.array(labels[: len(time)])
    d = events["own"]
    if len(set(group[d + c > 0])) < 2:
        return
    ours = compare_incidence(time, {"own": d}, c, cause="own", group=group)
    theirs = log_rank(time, d, c, group=group)
    assert ours.expected == pytest.approx(theirs.expected, rel=1e-9, abs=1e-9)


def test_strata_and_weights_are_told_and_groups_with_unlike_rivals_are_not_confused(bmt):
    how = {"cause": "relapse", "group": bmt["group"]}
    causes = bmt[["relapse", "death"]]
    layered = compare_incidence(
        bmt["days"], causes, bmt["censored"], strata=bmt["days"] > 200, rho=1, **how
    )
    assert layered.method == "Gray's test, rho 1, stratified"
    doubled = compare_incidence(
        np.r_[bmt["days"], bmt["days"]], pd.concat([causes, causes]),
        np.r_[bmt["censored"], bmt["censored"]], cause="relapse",
        group=np.r_[bmt["group"], bmt["group"]], strata=np.repeat([0, 1], len(bmt)),
    )  # fmt: skip
    once = compare_incidence(bmt["days"], causes, bmt["censored"], **how)
    assert doubled.statistic == pytest.approx(2 * once.statistic, rel=1e-9)


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda x: x.share_at("pmc", 60), "no cause 'pmc'.*Did you mean 'pcm'"),
        (lambda x: x.share_at("pcm", 425), "known until 394, but 425"),
        (lambda x: x.mean_lost("pcm", 0), "above 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(mgus, ask, match):
    with pytest.raises(DataError, match=match):
        ask(of_mgus(mgus[mgus["months"] < 400]))


@pytest.mark.parametrize(
    ("events", "match"),
    [
        ({}, "names none"),
        ({"a": [1, 1], "b": [1]}, "one count per row and cause"),
        ({"a": [1, -1], "b": [1, 0]}, "events must be 0 or more, but row 1 has -1"),
    ],
)
def test_what_cannot_be_counted_is_refused(events, match):
    with pytest.raises(DataError, match=match):
        cumulative_incidence([1, 2], events)
