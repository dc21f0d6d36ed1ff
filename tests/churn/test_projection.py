"""Retention beyond the records: against counts by hand, and laws that are known."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import retention_projection
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import ParameterError, Withheld
from cxlab.stats.customer_base import AveragedRetention, fit_renewals

CYCLE = parse_cycle("2018Q1")
PERIOD = pd.Timedelta(weeks=4)


def company(rng: np.random.Generator, people: int, a: float, b: float) -> pd.DataFrame:
    """Subscriptions begun over two years, each lost at a renewal by a chance of its own."""
    lost = rng.geometric(rng.beta(a, b, people)).clip(max=1000)
    began = pd.Timestamp("2016-01-01") + pd.to_timedelta(rng.integers(0, 720, people), unit="D")
    ended = began + pd.to_timedelta(28 * lost - rng.integers(1, 28, people), unit="D")
    return pd.DataFrame(
        {"subscription_id": range(people), "customer_id": [f"c{i}" for i in range(people)],
         "started_at": began, "ended_at": ended.where(ended < pd.Timestamp("2020-01-01")),
         "plan": np.where(rng.random(people) < 0.5, "small", "large")}
    )  # fmt: skip


def rows(found, metric: str, measure: str | None = None) -> pd.DataFrame:
    kept = found.estimates[found.estimates["metric"] == f"projection.{metric}"]
    return kept if measure is None else kept[kept["measure"] == measure]


@pytest.mark.parametrize("since", [None, pd.Timestamp("2017-01-01")])
def test_the_model_is_that_of_renewals_counted_one_by_one(engine: Engine, since):
    held = company(np.random.default_rng(1), 500, 1.0, 9.0)
    found = retention_projection(
        engine.table(held), cycle=CYCLE, years=3,
        complete_from=None if since is None else since.date(),
    )  # fmt: skip
    at_risk, lost = np.zeros(60), np.zeros(60)
    for one in held.to_dict("records"):
        gone = one["ended_at"] < CYCLE.cutoff
        for k in range(1, 60):
            begins, ends = (one["started_at"] + i * PERIOD for i in (k - 1, k))
            if ends > CYCLE.cutoff or (gone and one["ended_at"] < begins):
                break
            if since is None or begins >= since:  # watched for the whole of this period
                at_risk[k] += 1
                lost[k] += bool(gone and one["ended_at"] < ends)
    known = at_risk > 0
    fit = AveragedRetention.of(
        fit_renewals(at_risk[known], lost[known], model=model) for model in found.weights
    )
    expected = rows(found, "retained_share", "expected")
    shares = fit.curve(39)["estimate"].iloc[[3, 6, 39]].tolist()
    told = expected.set_index("after_days")["estimate"]
    assert [told[28.0 * k] for k in (3, 6, 39)] == pytest.approx(shares, rel=1e-6)


def test_the_law_is_found_beyond_what_was_seen():
    a, b = 0.8, 7.0
    held = company(np.random.default_rng(2), 20_000, a, b)
    found = retention_projection(held, cycle=CYCLE, years=5)
    last = rows(found, "retained_share", "expected").iloc[-1]
    t = np.arange(1, 66)
    truth = np.prod((b + t - 1) / (a + b + t - 1))
    assert found.seen_days < 840
    assert abs(last["estimate"] - truth) < (last["conf_high"] - last["conf_low"])
    assert last["conf_high"] - last["conf_low"] < 0.1
    new, old = (rows(found, "days_to_come", m)["estimate"].iloc[0] for m in ("new", "after a year"))
    assert new < old  # those who are left are the loyal ones


def test_a_projection_covers_the_truth_as_often_as_it_says():
    a, b, t = 1.0, 8.0, np.arange(1, 40)
    truth = np.prod((b + t - 1) / (a + b + t - 1))
    inside = 0
    for seed in range(60):
        held = company(np.random.default_rng(seed), 800, a, b)
        found = retention_projection(held, cycle=CYCLE, years=3)
        last = rows(found, "retained_share", "expected").iloc[-1]
        inside += bool(last["conf_low"] <= truth <= last["conf_high"])
    assert inside >= 50  # 57 of 60 are to be expected; fewer than 50 have a chance below 0.2 %


def test_what_was_said_a_year_ago_is_held_against_what_came():
    found = retention_projection(
        company(np.random.default_rng(3), 8000, 1.0, 9.0), cycle=CYCLE, years=3
    )
    gap = rows(found, "holdout_difference").iloc[0]
    assert gap["conf_low"] < 0 < gap["conf_high"]
    assert "A year ago such a forecast was" in found.sentence()


def test_each_group_has_a_model_of_its_own(engine: Engine):
    held = company(np.random.default_rng(4), 1500, 1.0, 9.0)
    found = retention_projection(engine.table(held), cycle=CYCLE, by="plan", years=3)
    days = rows(found, "days_to_come", "new").set_index("plan")["estimate"]
    alone = retention_projection(held[held["plan"] == "small"], cycle=CYCLE, years=3)
    assert days["small"] == pytest.approx(rows(alone, "days_to_come", "new")["estimate"].iloc[0])
    assert set(days.index.dropna()) == {"small", "large"}
    rare = held.assign(plan=held["plan"].where(held.index >= 5, "rare"))
    told = retention_projection(rare, cycle=CYCLE, by="plan", years=3).note
    assert "Too few ended for models of their own: rare." in told


def test_too_little_is_refused():
    held = company(np.random.default_rng(5), 200, 1.0, 9.0)
    with pytest.raises(Withheld, match="at least 10 subscriptions that ended"):
        retention_projection(held.assign(ended_at=pd.NaT), cycle=CYCLE)
    with pytest.raises(ParameterError, match="1 or more"):
        retention_projection(held, cycle=CYCLE, years=0)
    with pytest.raises(Withheld, match="eight weeks"):
        at_once = held["started_at"] + pd.Timedelta(days=3)
        retention_projection(held.assign(ended_at=at_once), cycle=CYCLE)
