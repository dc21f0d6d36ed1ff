"""The test of proportional hazards against R's cox.zph (survival 3.5-3), and its residuals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import DataError
from cxlab.stats.cox import cox, proportional_hazards
from tests.stats.cox.data import ROSSI, lung, ovarian, pbc, rossi


def lung_fit(**how):
    return cox(lung()[["age", "sex", "ph.ecog"]], lung()["time"], lung()["status"], **how)


def rossi_fit():
    return cox(rossi()[ROSSI], rossi()["week"], rossi()["arrest"])


def statistics(fit, **how):
    return proportional_hazards(fit, **how).table().set_index("term")["statistic"]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("km", [0.1879876737, 2.3054372274, 2.0542487741, 4.4636575888]),
        ("identity", [0.1523503173, 2.4919132171, 1.5782352384, 4.1193829515]),
        ("log", [3.3736340107, 2.0349368789, 0.3704963248, 5.3898214281]),
    ],
)
def test_tests_of_lung_are_those_of_r(transform, expected):
    found = proportional_hazards(lung_fit(), transform=transform).table()
    assert found["statistic"].to_numpy() == pytest.approx(expected, rel=1e-5)
    assert found["term"].tolist() == ["age", "sex", "ph.ecog", "GLOBAL"]
    assert found["df"].tolist() == [1, 1, 1, 3]


@pytest.mark.parametrize(("transform", "age"), [("rank", 0.896), ("km", 5.974)])
def test_tests_of_rossi_are_those_of_r_and_not_the_old_approximation(transform, age):
    """With most censored at the last week `rank` and `km` part; lifelines has 11.45 and 11.03."""
    assert statistics(rossi_fit(), transform=transform)["age"] == pytest.approx(age, abs=5e-4)


def test_tests_of_pbc_and_of_ovarian_are_those_of_r():
    columns = ["age", "edema", "log_bili", "log_protime", "log_albumin"]
    found = statistics(cox(pbc()[columns], pbc()["time"], pbc()["death"]))
    assert found["log_protime"] == pytest.approx(9.26325918, rel=1e-5)
    assert found["GLOBAL"] == pytest.approx(13.70434996, rel=1e-5)
    frame = ovarian()
    found = statistics(cox(frame[["age", "ecog", "rx"]], frame["time"], frame["event"]))
    assert found["GLOBAL"] == pytest.approx(3.93044084, rel=1e-5)


def test_it_is_the_score_of_a_covariate_times_time():
    """Adding age times time, in rows cut at every event, by the score test of that fit."""
    frame = ovarian()
    times = np.unique(frame["time"][frame["event"] == 1])
    rows = [
        (r.age, r.rx, r.age * t, max([0, *times[times < t]]), t,
         int(r.event == 1 and r.time == t))
        for r in frame.itertuples() for t in times if t <= r.time
    ]  # fmt: skip
    cut = pd.DataFrame(rows, columns=["age", "rx", "age_t", "start", "stop", "event"])
    fit = cox(frame[["age", "rx"]], frame["time"], frame["event"])
    found = statistics(fit, transform="identity")["age"]
    # The score at the fit without it: its likelihood along the added coefficient, by differences.
    from cxlab.stats.cox.checked import checked
    from cxlab.stats.cox.likelihood import information, moments, score
    from cxlab.stats.cox.risk_sets import risk_sets

    checked_rows, _, _ = checked(
        cut[["age", "rx", "age_t"]].to_numpy(), ["age", "rx", "age_t"], cut["stop"],
        cut["event"], entry=cut["start"], strata=None, frequency=None, ties="efron",
    )  # fmt: skip
    risk, _, scale = risk_sets(checked_rows)
    beta = np.r_[fit.coef, 0.0] * scale
    at = moments(risk, beta, ties="efron")
    slope = score(risk, at)
    assert slope[:2] == pytest.approx([0, 0], abs=1e-8)
    by_hand = slope @ np.linalg.solve(information(risk, at), slope)
    assert found == pytest.approx(by_hand, rel=1e-8)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.integers(0, 1), st.integers(1, 9)), min_size=12, max_size=30
    ),
    st.sampled_from(["km", "identity", "rank", "log"]),
)
def test_counted_rows_say_what_listed_rows_say(rows, transform):
    frame = pd.DataFrame(rows, columns=["time", "event", "f"])
    frame = pd.concat([frame, pd.DataFrame({"time": [1, 2, 3, 3], "event": 1, "f": 2})])
    frame["x"] = np.arange(len(frame)) % 2
    frame["y"] = np.arange(len(frame)) % 3
    each = frame.iloc[np.repeat(np.arange(len(frame)), frame["f"])]
    one = cox(frame[["x", "y"]], frame["time"], frame["event"], frequency=frame["f"])
    two = cox(each[["x", "y"]], each["time"], each["event"])
    a, b = (proportional_hazards(f, transform=transform) for f in (one, two))
    pd.testing.assert_frame_equal(a.table(), b.table(), rtol=1e-7, atol=1e-9)
    pd.testing.assert_frame_equal(a.residuals, b.residuals, rtol=1e-7, atol=1e-9)


def test_levels_of_one_variable_are_tested_together():
    fit = lung_fit()
    both = proportional_hazards(fit, terms={"person": ["age", "sex"], "ecog": ["ph.ecog"]}).table()
    assert both["df"].tolist() == [2, 1, 3]
    assert both["statistic"].iloc[1:].tolist() == pytest.approx(
        statistics(fit)[["ph.ecog", "GLOBAL"]].tolist()
    )
    with pytest.raises(DataError, match=r"but 'person' has \['weight'\]"):
        proportional_hazards(fit, terms={"person": ["weight"]})


def test_residuals_scatter_about_the_coefficient():
    fit = lung_fit()
    found = proportional_hazards(fit).residuals
    mean = found[fit.names].mul(found["events"], axis=0).sum() / fit.events
    assert mean.to_numpy() == pytest.approx(fit.coef, rel=1e-6)
    assert found["events"].sum() == 164


def test_residuals_without_ties_are_those_of_lifelines():
    from lifelines import CoxPHFitter

    frame = rossi()[["fin", "age", "prio", "week", "arrest"]]
    frame = frame.assign(week=frame["week"] + np.arange(len(frame)) / 1e4)
    theirs = CoxPHFitter().fit(frame, "week", "arrest")
    scaled = theirs.compute_residuals(frame, "scaled_schoenfeld")
    fit = cox(frame[["fin", "age", "prio"]], frame["week"], frame["arrest"])
    ours = proportional_hazards(fit).residuals[fit.names].to_numpy()
    order = frame.loc[scaled.index, "week"].argsort()
    assert ours - fit.coef == pytest.approx(scaled.to_numpy()[order], abs=1e-5)


def test_a_ratio_that_turns_is_found_and_one_that_stays_is_not():
    rng = np.random.default_rng(2)
    n = 4000
    x, y = rng.integers(0, 2, (2, n))
    early = -np.log(rng.random(n)) * 10 / np.exp(1.0 * x + 0.5 * y)
    late = 5 - np.log(rng.random(n)) * 10 / np.exp(-1.0 * x + 0.5 * y)
    time = np.ceil(np.where(early < 5, early, late) * 4)
    stop, event = np.minimum(time, 60), (time <= 60).astype(int)
    fit = cox(pd.DataFrame({"x": x, "y": y}), stop, event)
    assert proportional_hazards(fit).failing() == ["x"]


def test_what_cannot_be_a_function_of_time_is_refused():
    with pytest.raises(DataError, match="transform must be km, identity, rank or log"):
        proportional_hazards(lung_fit(), transform="sqrt")
    fit = cox([0, 1, 0, 1], [0, 0, 1, 2], [1, 1, 1, 0])
    with pytest.raises(DataError, match="an event is at 0"):
        proportional_hazards(fit, transform="log")


def test_events_at_one_time_show_no_change():
    fit = cox([0, 1, 0, 1, 1], [1, 1, 1, 2, 2], [1, 1, 0, 0, 0])
    with pytest.raises(DataError, match="'x1' must vary among those at risk at two event times"):
        proportional_hazards(fit)
