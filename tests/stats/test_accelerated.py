"""Accelerated failure times against R's survreg (survival 3.5-3), and what must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import ConvergenceError, DataError
from cxlab.stats.accelerated import accelerated
from tests.stats.cox.data import ROSSI, lung, ovarian, rossi

COEF = {"rel": 1e-5}
SHAPES = ["weibull", "exponential", "log-normal", "log-logistic"]


def of_lung(distribution, **how):
    frame = lung()
    return accelerated(
        frame[["age", "sex", "ph.ecog"]], frame["time"], frame["status"],
        distribution=distribution, **how,
    )  # fmt: skip


def test_weibull_times_of_lung_are_those_of_r():
    fit = of_lung("weibull")
    assert fit.coef == pytest.approx(
        [6.273435252, -0.007475439408, 0.401090541174, -0.339638098297], **COEF
    )
    assert fit.log_scale == pytest.approx(-0.313192730297, **COEF)
    assert (fit.loglik, fit.loglik_null) == pytest.approx((-1132.438746, -1147.428057), abs=1e-6)


def test_log_normal_times_of_lung_are_those_of_r():
    fit = of_lung("log-normal")
    assert fit.coef == pytest.approx(
        [6.49478672723, -0.01918186810, 0.52195287895, -0.35556667050], **COEF
    )
    assert fit.log_scale == pytest.approx(0.02823227373, **COEF)
    assert fit.loglik == pytest.approx(-1146.881831, abs=1e-6)


def test_log_logistic_times_of_lung_reach_the_likelihood_of_r_where_lifelines_stops_short():
    assert of_lung("log-logistic").loglik == pytest.approx(-1137.489612, abs=1e-6)


def test_weibull_times_of_rossi_are_those_of_r():
    fit = accelerated(rossi()[ROSSI], rossi()["week"], rossi()["arrest"])
    found = dict(zip(["intercept", *fit.names], fit.coef, strict=True))
    assert [found[n] for n in ("intercept", "fin", "prio")] == pytest.approx(
        [3.99013479653, 0.27216335967, -0.06581690478], **COEF
    )
    assert fit.log_scale == pytest.approx(-0.33910824092, **COEF)
    assert fit.loglik == pytest.approx(-679.9165639, abs=1e-6)


def test_log_normal_times_of_rossi_are_those_of_r():
    names = ["fin", "age", "prio"]
    fit = accelerated(rossi()[names], rossi()["week"], rossi()["arrest"], distribution="log-normal")
    assert fit.coef == pytest.approx([3.97853796, 0.32258962, 0.03793705, -0.07554478], rel=1e-6)
    assert fit.loglik == pytest.approx(-687.4410349, abs=1e-6)


@pytest.mark.parametrize(
    ("distribution", "coef", "log_scale", "loglik"),
    [
        ("exponential", [6.9618376074, -0.4331346526, 0.5815027279], 0.0, -97.19803928),
        ("weibull", [6.8966931286, -0.3850425493, 0.5286454963], -0.1234418107, -97.08449317),
    ],
)
def test_times_of_ovarian_are_those_of_r(distribution, coef, log_scale, loglik):
    frame = ovarian()
    fit = accelerated(
        frame[["ecog", "rx"]], frame["time"], frame["event"], distribution=distribution
    )
    assert fit.coef == pytest.approx(coef, **COEF)
    assert fit.log_scale == pytest.approx(log_scale, **COEF)
    assert fit.loglik == pytest.approx(loglik, abs=1e-6)


@pytest.mark.parametrize("distribution", ["weibull", "log-normal"])
def test_errors_are_those_of_lifelines(distribution):
    from lifelines import LogNormalAFTFitter, WeibullAFTFitter

    kind = {"weibull": WeibullAFTFitter, "log-normal": LogNormalAFTFitter}[distribution]
    frame = rossi()[["fin", "age", "prio", "week", "arrest"]]
    theirs = kind().fit(frame, "week", "arrest")
    fit = accelerated(
        frame[["fin", "age", "prio"]], frame["week"], frame["arrest"], distribution=distribution
    )
    name = theirs.params_.index.get_level_values(0)[0]
    se = theirs.standard_errors_[name][["fin", "age", "prio"]].to_numpy()
    assert fit.table()["se"].to_numpy() == pytest.approx(se, rel=1e-3)  # of its rough optimum


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 5), st.integers(0, 1)),
    min_size=10, max_size=30,
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(rows, st.sampled_from(SHAPES))
def test_frequencies_say_what_replicated_rows_say_in_any_order(drawn, distribution):
    frame = pd.DataFrame(drawn, columns=["x", "stop", "f", "event"])
    each = pd.DataFrame({"x": [0, 1, 2] * 2, "stop": [2, 3, 4, 7, 6, 5], "f": 2, "event": 1})
    frame = pd.concat([frame, each], ignore_index=True)
    frame["entry"] = np.where(frame.index % 3 == 0, frame["stop"] / 2, 0.0)
    listed = frame.loc[frame.index.repeat(frame["f"])].iloc[::-1]
    how = {"distribution": distribution}
    try:
        one = accelerated(
            frame[["x"]], frame["stop"], frame["event"], entry=frame["entry"],
            frequency=frame["f"], **how,
        )  # fmt: skip
    except ConvergenceError:
        return  # late entries can leave no maximum
    two = accelerated(listed[["x"]], listed["stop"], listed["event"], entry=listed["entry"], **how)
    assert one.coef == pytest.approx(two.coef, rel=1e-7, abs=1e-7)
    assert one.loglik == pytest.approx(two.loglik, rel=1e-9)
    assert (one.n, one.events) == (two.n, two.events)


@pytest.mark.parametrize("distribution", SHAPES)
def test_another_unit_of_time_moves_the_intercept_alone(distribution):
    frame = lung()
    one, two = (
        accelerated(frame[["age", "sex"]], t, frame["status"], distribution=distribution)
        for t in (frame["time"], frame["time"] / 30)
    )
    assert two.coef[1:] == pytest.approx(one.coef[1:], rel=1e-8)
    assert two.coef[0] == pytest.approx(one.coef[0] - np.log(30), rel=1e-8)
    if distribution != "exponential":
        assert two.log_scale == pytest.approx(one.log_scale, abs=1e-8)


@pytest.mark.parametrize("distribution", SHAPES)
def test_shares_and_quantiles_agree_and_their_ends_do(distribution):
    fit = of_lung(distribution)
    somebody = pd.DataFrame([[60, 1, 1]], columns=fit.names)
    median = fit.quantile(somebody).loc[0]
    for column, ends in (("estimate", "estimate"), ("conf_low", "conf_low")):
        found = fit.survival(somebody, [median[column]]).loc[0]
        assert found["estimate" if column == "estimate" else ends] == pytest.approx(
            0.5, abs=1e-9 if column == "estimate" else 0.01
        )
    shares = fit.survival(somebody, [30, 300, 900])
    assert (shares["estimate"].diff().dropna() < 0).all()
    assert (shares["conf_low"] < shares["estimate"]).all()
    assert (shares["estimate"] < shares["conf_high"]).all()


def test_late_entries_are_conditioned_on():
    """Exponential: events over time at risk, whenever it began."""
    stop, entry, event = np.array([3.0, 5, 9, 4]), np.array([1.0, 0, 6, 2]), [1, 0, 1, 1]
    x = np.array([0, 0, 1, 1])
    fit = accelerated(x, stop, event, entry=entry, distribution="exponential")
    assert np.exp(-fit.coef[0]) == pytest.approx(1 / (2 + 5))
    assert np.exp(-fit.coef.sum()) == pytest.approx(2 / (3 + 2))


def test_the_better_distribution_is_that_of_the_data():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, 3000)
    stop = np.exp(1 + 0.5 * x + 0.8 * rng.normal(size=3000))
    fits = {d: accelerated(x, stop, np.ones(3000), distribution=d) for d in SHAPES}
    assert min(fits, key=lambda d: fits[d].aic) == "log-normal"
    low, high = fits["log-normal"].table().loc[0, ["conf_low", "conf_high"]]
    assert low < np.exp(0.5) < high


@pytest.mark.parametrize("distribution", SHAPES)
def test_a_level_without_events_is_named(distribution):
    frame = lung().assign(rare=0.0)
    frame.loc[frame.index[frame["status"] == 0][:9], "rare"] = 1
    with pytest.raises(ConvergenceError, match=r"'rare' \(up\)"):
        accelerated(
            frame[["age", "rare"]], frame["time"], frame["status"], distribution=distribution
        )


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match="times must be above 0 to have a logarithm, but one is 0"):
        accelerated([0, 1, 0], [0, 1, 2], [1, 1, 1])
    with pytest.raises(DataError, match="distribution must be weibull"):
        accelerated([0, 1, 0], [1, 1, 2], [1, 1, 1], distribution="gamma")
    with pytest.raises(DataError, match="covariate 'x1' must vary"):
        accelerated([1, 1, 1], [1, 1, 2], [1, 1, 1])
