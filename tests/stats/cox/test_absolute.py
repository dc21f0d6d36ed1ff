"""Absolute risks: shares that add up, Aalen and Johansen's in the limit, and a known truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.cox import absolute_risk, cox, predicted_survival
from cxlab.stats.cox.likelihood import moments
from cxlab.stats.survival import cumulative_incidence

CAUSES = {"choice": 1, "payment": 2}
PATTERNS = pd.DataFrame({"x": [1, 0, 1], "z": [2, 0, 0]}, index=["a", "b", "c"])
ENDS = ["estimate", "se", "conf_low", "conf_high"]


def hazards(x, z):
    return 0.02 * np.exp(0.7 * x), 0.012 * np.exp(-0.5 * z)


def people(seed, n, *, week=1.0):
    """Ends of two kinds at constant hazards, in whole weeks; late entries; at most 60 weeks."""
    rng = np.random.default_rng(seed)
    x, z = rng.integers(0, 2, n), rng.integers(0, 3, n)
    one, two = hazards(x, z)
    time = rng.exponential(1 / (one + two))
    kind = np.where(rng.random(n) < one / (one + two), 1, 2)
    until, entry = np.ceil(rng.uniform(5, 60, n)), rng.integers(0, 10, n).astype(float)
    stop = np.ceil(np.minimum(time, until) / week) * week
    frame = pd.DataFrame(
        {"x": x, "z": z, "entry": entry, "stop": stop, "kind": np.where(time <= until, kind, 0)}
    )
    return frame[frame["stop"] > frame["entry"]].reset_index(drop=True)


def fits_of(frame, covariates=("x", "z"), **how):
    return {
        name: cox(
            frame[list(covariates)], frame["stop"], frame["kind"] == number,
            entry=frame["entry"], **how,
        )
        for name, number in CAUSES.items()
    }  # fmt: skip


@pytest.fixture(scope="module")
def fits():
    return fits_of(people(1, 2000))


@given(
    after=st.lists(st.floats(0, 40), min_size=3, max_size=3),
    times=st.lists(st.floats(0, 20), min_size=1, max_size=4, unique=True),
)
@settings(max_examples=25, deadline=None)
def test_shares_add_up_and_grow(fits, after, times):
    found = absolute_risk(fits, PATTERNS, np.sort(times), after=after)
    sums = found.groupby(["pattern", "time"])["estimate"].sum()
    assert sums.to_numpy() == pytest.approx(1, abs=1e-12)
    for (_, cause), rows in found.groupby(["pattern", "cause"]):
        way = -1 if cause == "none" else 1
        assert (way * np.diff(rows["estimate"]) >= -1e-15).all()
        assert rows["estimate"].between(0, 1).all()


def test_with_one_cause_it_is_the_prediction_of_that_fit_with_its_interval(fits):
    for how in ({}, {"after": [0, 10, 35]}):
        told = absolute_risk({"choice": fits["choice"]}, PATTERNS, [5, 20], **how)
        stays = told[told["cause"] == "none"].reset_index(drop=True).drop(columns="cause")
        alone = predicted_survival(fits["choice"], PATTERNS, [5, 20], **how)
        pd.testing.assert_frame_equal(stays, alone, rtol=1e-10)
        goes = told[told["cause"] == "choice"].reset_index(drop=True)
        assert goes["conf_low"].to_numpy() == pytest.approx(1 - stays["conf_high"].to_numpy())


@pytest.mark.parametrize("week", [1.0, 13.0])
def test_without_covariates_it_is_aalen_and_johansens_as_counts_grow(week):
    """At any coarseness of time: the distance falls as 1 / n."""
    frame = people(2, 500, week=week)
    frame["entry"] = np.minimum(frame["entry"], frame["stop"] - 1)
    both = pd.concat([frame.assign(x=0), frame.assign(x=1)])  # x makes no difference
    kinds = {name: frame["kind"] == number for name, number in CAUSES.items()}
    truth = cumulative_incidence(frame["stop"], kinds, frame["kind"] == 0, entry=frame["entry"])
    off = []
    for times in (1, 100, 10_000):
        found = absolute_risk(
            fits_of(both, ["x"], frequency=np.full(len(both), times)), [[1]], [13, 39]
        )
        off.append(
            max(
                np.abs(rows["estimate"].to_numpy() - truth.at(str(cause), [13, 39])["estimate"])
                .max()
                for cause, rows in found.groupby("cause") if cause != "none"
            )
        )  # fmt: skip
    assert off[0] < 1e-3
    assert off[1] == pytest.approx(off[0] / 100, rel=0.05)
    assert off[2] < 1e-6


def test_with_so_many_its_error_is_that_of_aalen_and_johansen():
    """Where x and z tell nothing and are balanced, the coefficients add nothing at the mean."""
    frame = people(3, 3000)
    both = pd.concat([frame.assign(x=0), frame.assign(x=1)])
    kinds = {name: both["kind"] == number for name, number in CAUSES.items()}
    truth = cumulative_incidence(both["stop"], kinds, both["kind"] == 0, entry=both["entry"])
    found = absolute_risk(fits_of(both, ["x"]), [[0.5]], [13, 39]).set_index("cause")
    for cause in CAUSES:
        expected = truth.at(cause, [13, 39])
        for end in ENDS:
            # Efron's errors see one event after the other, Aalen's all of a week at once.
            assert found.loc[cause, end].to_numpy() == pytest.approx(expected[end], rel=0.02)


def test_the_error_is_that_of_single_hazards_and_of_coefficients(fits):
    """By differences: the share moves with each coefficient as its slope says."""
    x = PATTERNS.iloc[[0]]
    found = absolute_risk(fits, x, [20], after=[5])

    def moved(cause, by):
        climbed = fits[cause].climbed
        beta = climbed.beta + by
        at = moments(fits[cause].risk, beta, ties="efron")
        fit = replace(fits[cause], climbed=replace(climbed, beta=beta, at=at))
        return absolute_risk({**fits, cause: fit}, x, [20], after=[5])["estimate"].to_numpy()

    by_coef = np.zeros(3)
    for cause, fit in fits.items():
        slope = np.array([(moved(cause, s) - moved(cause, -s)) / 2e-5 for s in 1e-5 * np.eye(2)])
        by_coef += np.einsum("jc,jk,kc->c", slope, fit.climbed.inverse, slope)
    variance = found["se"].to_numpy() ** 2
    # What is left is that of the baselines: with it, an error below that of twice the rows.
    assert (variance > by_coef).all()
    frame = people(1, 2000)
    twice = fits_of(frame, frequency=np.full(len(frame), 2))
    half = absolute_risk(twice, x, [20], after=[5])["se"].to_numpy() ** 2
    assert 2 * half == pytest.approx(variance, rel=2e-3)  # ties weigh a little differently


def test_clusters_of_one_give_nearly_the_same_error_and_rows_twice_the_same():
    frame = people(4, 2500)
    plain, own = fits_of(frame), fits_of(frame, cluster=np.arange(len(frame)))
    one, two = (absolute_risk(f, PATTERNS, [10, 30], after=[0, 8, 20]) for f in (plain, own))
    assert two["estimate"].tolist() == one["estimate"].tolist()
    assert two["se"].to_numpy() == pytest.approx(one["se"].to_numpy(), rel=0.05)
    again = pd.concat([frame, frame])
    person = np.tile(np.arange(len(frame)), 2)
    twice = fits_of(again, cluster=person, ties="breslow")
    once = fits_of(frame, cluster=np.arange(len(frame)), ties="breslow")
    a, b = (absolute_risk(f, PATTERNS, [10, 30], after=[0, 8, 20]) for f in (once, twice))
    pd.testing.assert_frame_equal(a, b, rtol=1e-8)


def test_the_truth_is_found():
    found = absolute_risk(fits_of(people(6, 40_000)), PATTERNS, [20], after=[5, 5, 30])
    for label, x, z in PATTERNS.itertuples():
        one, two = hazards(x, z)
        gone = 1 - np.exp(-20 * (one + two))
        truth = {"choice": gone * one / (one + two), "payment": gone * two / (one + two),
                 "none": 1 - gone}  # fmt: skip
        rows = found[found["pattern"] == label].set_index("cause")
        for cause, share in truth.items():
            # Three and a half errors, and what whole weeks blur.
            far = 3.5 * rows.loc[cause, "se"] + 0.002
            assert rows.loc[cause, "estimate"] == pytest.approx(share, abs=far)


def test_an_extreme_pattern_has_shares_still(fits):
    wild = pd.DataFrame({"x": [30], "z": [-30]})
    found = absolute_risk(fits, wild, [10, 30])
    assert found["estimate"].between(0, 1).all()
    assert found.groupby("time")["estimate"].sum().to_numpy() == pytest.approx(1)


def test_beyond_what_was_seen_nothing_is_said_and_misfits_are_refused(fits):
    found = absolute_risk(fits, PATTERNS, [10], after=[0, 55, 40])
    assert found.groupby("pattern")["estimate"].count().tolist() == [3, 0, 3]
    with pytest.raises(DataError, match="one or more causes"):
        absolute_risk({}, PATTERNS, [10])
    with pytest.raises(DataError, match="none called 'none'"):
        absolute_risk({"none": fits["choice"]}, PATTERNS, [10])
    with pytest.raises(DataError, match=r"patterns must have the covariates \['x', 'z'\]"):
        absolute_risk(fits, PATTERNS[["x"]], [10])
    frame = people(4, 300)
    other = fits_of(frame, cluster=np.arange(len(frame)) // 2)
    with pytest.raises(DataError, match="the same clusters"):
        absolute_risk({**fits, "payment": other["payment"]}, PATTERNS, [10])
