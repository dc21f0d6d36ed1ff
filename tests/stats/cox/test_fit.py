"""Cox regressions against R's survival 3.5-3 (tests/oracles), and what must hold on any data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cxlab.errors import ConvergenceError, CxlabError, DataError
from cxlab.stats.cox import cox
from tests.stats.cox.data import ROSSI, aml, heart, lung, ovarian, pbc, rossi

COEF = {"rel": 1e-5}  # of an optimum that R stops short of by its own tolerance
LOGLIK = {"abs": 1e-6}


def lung_fit(covariates=("age", "sex", "ph.ecog"), **how):
    return cox(lung()[list(covariates)], lung()["time"], lung()["status"], **how)


def heart_fit(covariates, **how):
    frame = heart()
    return cox(frame[covariates], frame["stop"], frame["event"], entry=frame["start"], **how)


@pytest.mark.parametrize(
    ("ties", "coef", "se", "null", "fitted"),
    [
        ("breslow", 0.9042197237, 0.5122479073, -42.89812390, -41.25011435),
        ("efron", 0.915532575, 0.5119342752, -42.72483926, -41.03261560),
    ],
)
def test_aml_is_that_of_r(ties, coef, se, null, fitted):
    fit = cox(aml()[["x"]], aml()["time"], aml()["event"], ties=ties)
    assert (fit.coef[0], fit.se[0]) == pytest.approx((coef, se), **COEF)
    assert (fit.loglik_null, fit.loglik) == pytest.approx((null, fitted), **LOGLIK)


def test_lung_is_that_of_r_with_its_three_tests():
    fit = lung_fit()
    assert fit.coef == pytest.approx([0.01106676456, -0.55261239570, 0.46372847537], **COEF)
    assert fit.se == pytest.approx([0.009267411014, 0.167739053787, 0.113577266162], **COEF)
    assert (fit.loglik_null, fit.loglik) == pytest.approx((-744.4804558, -729.2301214), **LOGLIK)
    ratio, wald, score = fit.tests()["statistic"]
    assert ratio == pytest.approx(30.50066877, abs=2e-6)  # twice a difference of two
    assert wald == pytest.approx(29.93, abs=0.005)  # as printed
    assert score == pytest.approx(30.49992270, **COEF)
    assert (fit.n, fit.events) == (227, 164)


def test_lung_with_breslow_ties_is_that_of_r():
    fit = lung_fit(ties="breslow")
    assert fit.coef == pytest.approx([0.01104113635, -0.55188956979, 0.46294704059], **COEF)
    assert (fit.loglik_null, fit.loglik) == pytest.approx((-744.6928193, -729.4887052), **LOGLIK)


def test_lung_in_strata_is_that_of_r():
    fit = lung_fit(["age", "sex"], strata=lung()["ph.ecog"])
    assert fit.coef == pytest.approx([0.01077216112, -0.55351692580], **COEF)
    assert fit.loglik == pytest.approx(-560.6740086, **LOGLIK)


def test_rossi_is_that_of_r():
    fit = cox(rossi()[ROSSI], rossi()["week"], rossi()["arrest"])
    expected = [-0.37942216649, -0.05743774268, 0.31389978784, -0.14979569767, -0.43370387794,
                -0.08487108250, 0.09149708098]  # fmt: skip
    assert fit.coef == pytest.approx(expected, **COEF)
    assert (fit.loglik_null, fit.loglik) == pytest.approx((-675.3806323, -658.7476594), **LOGLIK)


def test_rossi_with_breslow_ties_is_that_of_r():
    fit = cox(rossi()[ROSSI], rossi()["week"], rossi()["arrest"], ties="breslow")
    assert fit.coef[0] == pytest.approx(-0.37902188743, **COEF)
    assert fit.loglik == pytest.approx(-659.1206057, **LOGLIK)


def test_covariates_that_change_over_time_are_those_of_r():
    fit = heart_fit(["age", "surgery", "transplant", "year"])
    assert fit.coef == pytest.approx(
        [0.02716664096, -0.63720988997, -0.01025077241, -0.14634634567], **COEF
    )
    assert fit.se == pytest.approx(
        [0.01371411521, 0.36722599618, 0.31375479834, 0.07046797952], **COEF
    )
    assert fit.loglik == pytest.approx(-290.5656162, **LOGLIK)


@pytest.mark.parametrize(
    ("ties", "coef", "loglik"),
    [
        ("efron", [0.01390913848, -0.54654021103, 0.11950386571, 0.03461429351, -0.29295093119],
         -291.8835715),
        ("breslow", [0.01382335253, -0.54570234855, 0.11810191340, 0.03476588665, -0.29163070121],
         -292.0995277),
    ],
)  # fmt: skip
def test_interactions_with_a_change_over_time_are_those_of_r(ties, coef, loglik):
    columns = ["age", "surgery", "transplant", "age_transplant", "surgery_transplant"]
    fit = heart_fit(columns, ties=ties)
    assert fit.coef == pytest.approx(coef, **COEF)
    assert fit.loglik == pytest.approx(loglik, **LOGLIK)


def test_pbc_is_that_of_therneau_and_grambsch():
    """The model of Therneau & Grambsch (2000), as R 3.5-3 fits it."""
    columns = ["age", "edema", "log_bili", "log_protime", "log_albumin"]
    fit = cox(pbc()[columns], pbc()["time"], pbc()["death"])
    assert fit.coef == pytest.approx(
        [0.03960913298, 0.89631144427, 0.86355064737, 2.38683926602, -2.50692322582], **COEF
    )
    assert fit.loglik == pytest.approx(-751.4697444, **LOGLIK)


def test_ovarian_is_that_of_r():
    fit = cox(ovarian()[["age", "ecog", "rx"]], ovarian()["time"], ovarian()["event"])
    assert fit.coef == pytest.approx([0.1469892562, 0.1031796021, -0.8145847640], **COEF)
    assert fit.loglik == pytest.approx(-27.02735833, **LOGLIK)


@pytest.mark.parametrize("weeks", [1, 13])
def test_rows_give_what_lifelines_gives(weeks):
    """Its Efron fit is right on rows without weights, coarse ties included."""
    from lifelines import CoxPHFitter

    frame = rossi().assign(week=np.ceil(rossi()["week"] / weeks))
    theirs = CoxPHFitter().fit(frame, "week", "arrest")
    fit = cox(frame[ROSSI], frame["week"], frame["arrest"])
    assert fit.coef == pytest.approx(theirs.params_.to_numpy(), rel=1e-5)
    assert fit.se == pytest.approx(theirs.standard_errors_.to_numpy(), rel=1e-5)


def test_36_counts_give_what_lifelines_gives_for_6000_rows_and_not_what_it_gives_for_weights():
    """Its `weights_col` takes a counted row for one tied event (TRUST: up to 1.56 errors off)."""
    from lifelines import CoxPHFitter

    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"a": rng.integers(0, 2, 6000), "b": rng.integers(0, 3, 6000)})
    time = np.ceil(rng.exponential(3 / np.exp(0.8 * rows["a"] - 0.4 * rows["b"])))
    rows = rows.assign(stop=np.minimum(time, 5), event=(time <= 5).astype(int))
    counts = rows.value_counts().reset_index()
    assert len(counts) == 36
    fit = cox(counts[["a", "b"]], counts["stop"], counts["event"], frequency=counts["count"])
    theirs = CoxPHFitter().fit(rows, "stop", "event")
    assert fit.coef == pytest.approx(theirs.params_.to_numpy(), rel=1e-5)
    assert fit.se == pytest.approx(theirs.standard_errors_.to_numpy(), rel=1e-6)
    assert fit.loglik == pytest.approx(theirs.log_likelihood_, abs=1e-6)
    weighted = CoxPHFitter().fit(counts, "stop", "event", weights_col="count")
    assert (np.abs(weighted.params_.to_numpy() - fit.coef) > 0.5 * fit.se).all()


# What must hold on any data


@st.composite
def tables(draw, *, strata=1):
    """Counted rows of two covariates: few times, so that many share one."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 2), st.integers(0, 1), st.integers(1, 4), st.integers(0, 1),
                st.integers(0, strata - 1), st.integers(1, 40), st.integers(1, 4),
            ), min_size=8, max_size=40,
        )
    )  # fmt: skip
    frame = pd.DataFrame(rows, columns=["x", "y", "stop", "event", "stratum", "f", "late"])
    frame["entry"] = np.where(frame["late"] < frame["stop"], frame["late"] - 1.0, 0.0)
    return frame.drop(columns="late")


def fitted(frame, **how):
    """Fit, where there is something to fit."""
    how.setdefault("frequency", frame.get("f"))
    try:
        return cox(
            frame[["x", "y"]], frame["stop"], frame["event"], entry=frame["entry"],
            strata=frame["stratum"], **how,
        )  # fmt: skip
    except CxlabError:
        assume(False)


def same(one, other, tolerance=1e-10):
    """Hold two fits equal, in units of their standard errors."""
    assert ((one.coef - other.coef) / other.se) == pytest.approx([0, 0], abs=tolerance)
    assert one.covariance == pytest.approx(other.covariance, rel=1e-9, abs=1e-12)
    assert one.loglik == pytest.approx(other.loglik, rel=tolerance)
    assert (one.n, one.events) == (other.n, other.events)


ties = st.sampled_from(["efron", "breslow"])


@settings(deadline=None, max_examples=40)
@given(tables(strata=2), ties)
def test_frequencies_say_what_replicated_rows_say(frame, how):
    grouped = fitted(frame, ties=how)
    each = frame.loc[frame.index.repeat(frame["f"])].reset_index(drop=True)
    same(grouped, fitted(each, ties=how, frequency=None))


@settings(deadline=None, max_examples=40)
@given(tables(strata=2), ties, st.randoms(use_true_random=False))
def test_the_order_of_rows_says_nothing(frame, how, chance):
    order = list(range(len(frame)))
    chance.shuffle(order)
    same(fitted(frame, ties=how), fitted(frame.iloc[order], ties=how))


@settings(deadline=None, max_examples=40)
@given(tables(), ties, st.integers(1, 3))
def test_a_history_cut_in_two_says_the_same(frame, how, cut):
    """Identity S35: (entry, stop] is (entry, cut] without the event, and (cut, stop]."""
    across = (frame["entry"] < cut) & (cut < frame["stop"])
    early = frame[across].assign(stop=cut, event=0)
    split = pd.concat([frame[~across], early, frame[across].assign(entry=cut)])
    one, two = fitted(frame, ties=how), fitted(split, ties=how)
    assert ((one.coef - two.coef) / one.se) == pytest.approx([0, 0], abs=1e-9)
    assert one.loglik == pytest.approx(two.loglik, rel=1e-10)


@settings(deadline=None, max_examples=40)
@given(tables(), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3))
def test_shifting_a_covariate_changes_nothing_and_scaling_it_scales_its_coefficient(
    frame, shift, scale
):
    before = fitted(frame)
    after = fitted(frame.assign(x=frame["x"] * scale + shift))
    turned = after.coef * [scale, 1]
    assert ((turned - before.coef) / before.se) == pytest.approx([0, 0], abs=1e-6)  # digits of x
    assert after.loglik == pytest.approx(before.loglik, rel=1e-10)


@settings(deadline=None, max_examples=40)
@given(tables(strata=2))
def test_half_of_twice_as_many_rows_is_the_same_to_breslow_and_to_efron(frame):
    twice = pd.concat([frame, frame]).assign(f=lambda t: t["f"] / 2)
    for how in ("efron", "breslow"):
        same(fitted(frame, ties=how), fitted(twice, ties=how))


def test_without_ties_efron_is_breslow():
    frame = ovarian()
    one, two = (
        cox(frame[["age", "rx"]], frame["time"], frame["event"], ties=t)
        for t in ("efron", "breslow")
    )
    assert one.coef == pytest.approx(two.coef, rel=1e-12)


def test_a_stratum_of_its_own_baseline_ignores_how_its_times_are_counted():
    """Only the order of times within a stratum matters."""
    frame = lung()
    time = np.where(frame["sex"] == 1, frame["time"] * 7 + 3, frame["time"])
    one, two = (
        cox(frame[["age"]], t, frame["status"], strata=frame["sex"]) for t in (frame["time"], time)
    )
    assert one.coef == pytest.approx(two.coef, rel=1e-12)


def test_sums_that_late_entries_take_away_are_made_anew():
    """Somebody of enormous hazard comes late; the few before must keep their digits."""
    early = pd.DataFrame({"x": [0, 1, 0, 1, 1, 0, 1, 0], "stop": [1, 2, 3, 4, 5, 6, 7, 8],
                          "event": [1, 1, 0, 1, 0, 1, 0, 1], "entry": 0.0, "z": 0.0})  # fmt: skip
    late = pd.DataFrame({"x": [0, 1, 0, 1], "stop": [12, 13, 14, 15], "event": [1, 1, 1, 0],
                         "entry": 10.0, "z": [30.0, 31, 29, 30]})  # fmt: skip
    both = pd.concat([early, late])
    from cxlab.stats.cox.checked import checked
    from cxlab.stats.cox.risk_sets import risk_sets

    rows, _, _ = checked(
        both[["x", "z"]].to_numpy(), ["x", "z"], both["stop"], both["event"],
        entry=both["entry"], strata=None, frequency=None, ties="efron",
    )  # fmt: skip
    risk, mean, scale = risk_sets(rows)
    hazard = np.exp((risk.x * scale + mean)[:, 1])
    found = risk.at_risk(np.column_stack([hazard, hazard]))
    for time, value in zip(risk.time, found[:, 0], strict=True):
        there = (both["entry"] < time) & (time <= both["stop"])
        assert value == pytest.approx(np.exp(both["z"][there]).sum(), rel=1e-12)


# Results


def test_the_table_is_the_hazard_ratio_with_its_interval():
    fit = lung_fit()
    table = fit.table().set_index("covariate")
    found = fit.hazard_ratio("sex")
    row = table.loc["sex"]
    assert (row["estimate"], row["conf_low"], row["conf_high"]) == pytest.approx(
        (found.estimate, found.low, found.high)
    )
    # From the coefficient and error of R, 1.959964 errors to either side.
    assert (found.low, found.high) == pytest.approx((0.4142, 0.7994), abs=5e-5)
    assert row["p_value"] == pytest.approx(0.000986, abs=5e-7)
    ten = fit.hazard_ratio("age", units=10)
    assert ten.estimate == pytest.approx(np.exp(10 * fit.coef[0]))
    fewer = fit.hazard_ratio("age", units=-10)
    assert (fewer.low, fewer.high) == pytest.approx((1 / ten.high, 1 / ten.low))


def test_an_unknown_covariate_is_named_with_those_there_are():
    with pytest.raises(DataError, match=r"no covariate 'seks', only \['age', 'sex', 'ph.ecog'\]"):
        lung_fit().hazard_ratio("seks")


def test_inputs_are_left_as_they_are():
    frame = aml()
    before = frame.copy()
    cox(frame[["x"]], frame["time"], frame["event"])
    pd.testing.assert_frame_equal(frame, before)


# What cannot be fitted


@pytest.mark.parametrize("how", ["efron", "breslow"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_level_whose_hazard_is_infinite_is_named_instead_of_printed(sign, how):
    frame = lung()
    hit = np.where(frame["status"] == 1, sign, 0.0)  # only those with the event have it
    x = frame[["age"]].assign(told=hit)
    with pytest.raises(ConvergenceError, match=f"'told' .{'up' if sign > 0 else 'down'}"):
        cox(x, frame["time"], frame["status"], ties=how)


def test_two_levels_without_events_are_both_named():
    frame = lung().assign(a=0.0, b=0.0)
    last = frame.index[frame["status"] == 0]
    frame.loc[last[:9], "a"] = 1
    frame.loc[last[9:20], "b"] = 1
    with pytest.raises(ConvergenceError, match=r"'a' \(down\) and 'b' \(down\)"):
        cox(frame[["age", "a", "b", "sex"]], frame["time"], frame["status"])


def test_a_direction_between_two_covariates_that_separates_is_found():
    frame = pd.DataFrame({"x": [3, 2, 4, 1, 2, 0], "y": [1, 0, 3, 1, 2, 2],
                          "stop": [1, 2, 3, 4, 5, 6], "event": [1, 1, 1, 0, 0, 0]})  # fmt: skip
    # x - y is 2, 2, 1 of those with the event, and 0, 0, -2 of those without.
    with pytest.raises(ConvergenceError, match=r"'x' \(up\) and 'y' \(down\)"):
        cox(frame[["x", "y"]], frame["stop"], frame["event"])


def separable(x, stop, event):
    """Whether some direction has every event highest among those at risk: a linear program."""
    from scipy.optimize import linprog

    above = np.array(
        [x[i] - x[j] for i in np.flatnonzero(event) for j in np.flatnonzero(stop >= stop[i])]
    )
    best = linprog(-above.sum(axis=0), A_ub=-above, b_ub=np.zeros(len(above)), bounds=(-1, 1))
    return -best.fun > 1e-9


@pytest.mark.parametrize("how", ["efron", "breslow"])
def test_what_has_no_maximum_is_refused_and_nothing_else(how):
    rng, seen = np.random.default_rng(4), {True: 0, False: 0}
    for _ in range(300):
        n, k = rng.integers(5, 14), rng.integers(1, 4)
        x = rng.integers(0, 3, (n, k)).astype(float)
        stop, event = rng.integers(1, 8, n), rng.random(n) < 0.5
        try:
            cox(x, stop, event, ties=how)
            found = False
        except ConvergenceError as error:
            assert "keeps rising" in str(error)
            found = True
        except DataError:
            continue
        seen[found] += 1
        assert found == separable(x, stop, event)
    assert min(seen.values()) > 20


def test_a_large_but_finite_coefficient_is_no_separation():
    rng = np.random.default_rng(3)
    x = rng.normal(size=4000)
    stop = -np.log(rng.random(4000)) * np.exp(-6 * x)
    fit = cox(x, stop, np.ones(4000))
    assert fit.coef[0] == pytest.approx(6, abs=4 * fit.se[0])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"x": 1.0}, "covariate 'x' must vary among those at risk together"),
        ({"y": lambda t: 2 * t["x"] - 1}, "covariate 'y' must say something .* follows from 'x'"),
        ({"event": 0}, "at least one event"),
        ({"event": 2}, "event must be 0 or 1, but row 0 has 2"),
        ({"f": -1.0}, "frequency must be 0 or more, but row 0 has -1"),
        ({"f": 0.5}, "must be a whole number, but at time 1 there are 0.5"),
        ({"f": 0.0}, "at least one event"),
        ({"stop": np.nan}, "stop must be a finite number, but row 0 has nan"),
        ({"entry": 1.0}, "entry must be before the stop of its row, but row 0 has 1"),
        ({"x": np.inf}, "covariate 'x' must be a finite number"),
        ({"x": "red"}, r"covariates must be numbers, but \['x'\] are not"),
        ({"stratum": None}, "none of them missing"),
    ],
)
def test_what_cannot_be_is_refused(change, match):
    frame = pd.DataFrame({"x": [1.0, 0, 1, 0], "y": [0.0, 1, 1, 0], "stop": [1.0, 2, 3, 4],
                          "event": [1, 1, 1, 0], "entry": 0.0, "stratum": 1, "f": 1.0})  # fmt: skip
    frame = frame.assign(**change)
    with pytest.raises(DataError, match=match):
        cox(
            frame[["x", "y"]], frame["stop"], frame["event"], entry=frame["entry"],
            strata=frame["stratum"], frequency=frame["f"],
        )  # fmt: skip


def test_lengths_and_ties_are_checked():
    with pytest.raises(DataError, match=r"stop must have one number per row \(2\)"):
        cox([0, 1], [1], [1, 1])
    with pytest.raises(DataError, match="ties must be efron or breslow, but is 'exact'"):
        cox([0, 1], [1, 2], [1, 1], ties="exact")


def test_a_covariate_that_varies_between_strata_only_is_refused():
    with pytest.raises(DataError, match="'x1' must vary among those at risk together"):
        cox([0, 0, 1, 1], [1, 2, 1, 2], [1, 1, 1, 1], strata=["a", "a", "b", "b"])
