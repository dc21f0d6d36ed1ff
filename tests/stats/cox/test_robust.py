"""Errors with several rows per person: against R's survival, and against summing row by row."""

import numpy as np
import pandas as pd
import pytest

from cxlab.errors import DataError
from cxlab.stats.cox import cox
from cxlab.stats.cox.robust import score_residuals
from tests.stats.cox.data import lung, rossi


@pytest.fixture(scope="module")
def episodes():
    """150 people, of one to three episodes each; few values, so that many are alike."""
    rng = np.random.default_rng(7)
    rows = []
    for person in range(150):
        x, begin = int(rng.integers(0, 2)), 0
        for _ in range(rng.integers(1, 4)):
            stop = begin + int(rng.integers(1, 3))
            rows.append((person, x, int(rng.integers(0, 2)), begin, stop, int(rng.integers(0, 2))))
            begin = stop
    return pd.DataFrame(rows, columns=["person", "x", "y", "entry", "stop", "event"])


def of_episodes(frame, **how):
    return cox(frame[["x", "y"]], frame["stop"], frame["event"], entry=frame["entry"], **how)


def test_errors_with_institutions_as_clusters_are_those_of_r():
    from lifelines.datasets import load_lung

    frame = load_lung().dropna(subset=["inst"])  # 227, other ones than those of `lung`
    fit = cox(frame[["age", "sex"]], frame["time"], frame["status"], cluster=frame["inst"])
    assert fit.coef == pytest.approx([0.01703349597, -0.51166829587], rel=1e-5)
    naive = np.sqrt(np.diag(fit.model_covariance))
    assert naive == pytest.approx([0.009232664, 0.167678591], rel=1e-6)
    assert fit.se == pytest.approx([0.007327393074, 0.128230601685], rel=1e-5)


def test_below_twenty_clusters_no_interval_is_claimed():
    from lifelines.datasets import load_lung

    frame = load_lung().dropna(subset=["inst"])
    fit = cox(frame[["age", "sex"]], frame["time"], frame["status"], cluster=frame["inst"])
    found = fit.hazard_ratio("sex")
    assert fit.clusters.count == 18
    assert np.isnan([found.low, found.high, fit.table()["p_value"][1]]).all()
    assert found.method.endswith("18 clusters: too few for an interval")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_one_cluster_per_row_is_what_lifelines_calls_robust(ties):
    """On rows without ties, where its Efron residuals need no care."""
    from lifelines import CoxPHFitter

    frame = rossi().assign(week=rossi()["week"] + np.arange(len(rossi())) / 1e4)
    names = ["fin", "age", "prio"]
    theirs = CoxPHFitter().fit(frame[[*names, "week", "arrest"]], "week", "arrest", robust=True)
    fit = cox(frame[names], frame["week"], frame["arrest"], cluster=frame.index, ties=ties)
    assert fit.se == pytest.approx(theirs.standard_errors_.to_numpy(), rel=1e-5)
    # Whoever answers for one row has CR1's interval on n - 1, next to the normal one.
    assert fit.reach == pytest.approx(1.96, abs=0.01)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_what_rows_add_to_the_slope_sums_to_nothing_at_the_maximum(episodes, ties):
    fit = of_episodes(episodes, ties=ties, strata=episodes["person"] % 3)
    each = score_residuals(fit.risk, fit.climbed.at)
    assert fit.risk.frequency @ each == pytest.approx([0, 0], abs=1e-9)


def test_residuals_of_tied_events_are_those_of_taking_them_one_after_the_other():
    """The sums of Efron written out: each event of a time leaves a share of all of them."""
    frame = lung()
    time = np.ceil(frame["time"] / 90).to_numpy()  # twelve times, many events each
    event, x = frame["status"].to_numpy(), frame[["age", "sex"]].to_numpy(dtype=float)
    fit = cox(x, time, event)
    ours = score_residuals(fit.risk, fit.climbed.at) * fit.scale  # of unscaled covariates
    hazard = np.exp((x - fit.mean) @ fit.coef)
    expected = np.zeros_like(x)
    for t in np.unique(time[event == 1]):
        there, tied = time >= t, (time == t) & (event == 1)
        d = tied.sum()
        for left in range(d):
            weight = hazard * (there - left / d * tied)
            mean = weight @ x / weight.sum()
            expected += (tied / d - weight / weight.sum())[:, None] * (x - mean)
    assert ours == pytest.approx(expected, abs=1e-9)


def test_people_of_one_history_are_counted_instead_of_listed(episodes):
    """Episodes grouped by the whole history of a person give the errors of all rows."""
    rows = episodes.sort_values(["person", "entry"])
    story = rows.groupby("person")[["x", "y", "entry", "stop", "event"]].apply(
        lambda g: tuple(g.itertuples(index=False, name=None))
    )
    many = story.value_counts()
    assert len(many) < len(story)
    short = pd.DataFrame(
        [(h, *row, n) for h, (rows, n) in enumerate(many.items()) for row in rows],
        columns=["history", "x", "y", "entry", "stop", "event", "people"],
    )
    whole = of_episodes(rows, cluster=rows["person"])
    grouped = of_episodes(short, cluster=short["history"], alike=short["people"])
    assert grouped.coef == pytest.approx(whole.coef, rel=1e-10)
    assert grouped.covariance == pytest.approx(whole.covariance, rel=1e-10)
    assert grouped.n == whole.n == len(rows)
    assert grouped.clusters.count == whole.clusters.count == 150


def test_a_frequency_within_a_cluster_is_that_many_rows_of_one_person(episodes):
    frame = episodes.assign(f=1 + episodes["person"] % 3)
    each = frame.loc[frame.index.repeat(frame["f"])]
    counted = of_episodes(frame, cluster=frame["person"], frequency=frame["f"])
    listed = of_episodes(each, cluster=each["person"])
    assert counted.covariance == pytest.approx(listed.covariance, rel=1e-10)


def test_saying_everything_twice_adds_nothing(episodes):
    """Breslow: under Efron a second row is another tie."""
    twice = pd.concat([episodes, episodes])
    one, two = (of_episodes(t, cluster=t["person"], ties="breslow") for t in (episodes, twice))
    assert two.covariance == pytest.approx(one.covariance, rel=1e-9)
    assert two.model_covariance == pytest.approx(one.model_covariance / 2, rel=1e-9)
    assert two.tests()["test"].tolist() == ["Wald"]


def test_clusters_that_cannot_be_are_refused(episodes):
    with pytest.raises(DataError, match="alike must be the same in all rows of a cluster"):
        of_episodes(episodes, cluster=episodes["person"], alike=1 + np.arange(len(episodes)))
    with pytest.raises(DataError, match="alike counts clusters, but no cluster is given"):
        of_episodes(episodes, alike=np.ones(len(episodes)))
    with pytest.raises(DataError, match="cluster must name one cluster per row"):
        of_episodes(episodes, cluster=episodes["person"][:-1])
