"""Of whose will subscriptions end: against rows, known truths, and what must add up."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import leaving_causes
from cxlab.churn.cause_shares import STILL_RUNNING
from cxlab.data.engine import Engine
from cxlab.errors import Withheld
from cxlab.stats.multiplicity import holm
from cxlab.stats.survival import compare_incidence, cumulative_incidence

from .test_retention import CUTOFF, CYCLE, WEEK, subscriptions


def caused(seed: int, n: int, *, share: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = subscriptions(rng, n)
    return table.assign(end_kind=np.where(rng.random(n) < share, "involuntary", "voluntary"))


def by_rows(table: pd.DataFrame, since: pd.Timestamp | None = None):
    """Weeks, ends of each cause, and those open, a row per subscription."""
    seen = table if since is None else table[~(table["ended_at"] < since)]
    over = seen["ended_at"] < CUTOFF
    last = (seen["ended_at"].where(over, CUTOFF) - seen["started_at"]) // WEEK + 1
    ends = {c: (over & (seen["end_kind"] == c)).astype(float) for c in ("voluntary", "involuntary")}
    late = (since - seen["started_at"]) // WEEK if since is not None else 0 * last
    return last, ends, (~over).astype(float), late.clip(lower=0)


def shares(found) -> pd.DataFrame:
    return found.estimates[found.estimates["metric"] == "churn.cause_share"]


@pytest.mark.parametrize("since", [None, "2017-01-01"])
def test_shares_are_those_of_single_rows_and_add_up_to_one(
    engine: Engine, since: str | None
) -> None:
    table = caused(1, 800)
    day = None if since is None else pd.Timestamp(since)
    found = leaving_causes(
        engine.table(table), cycle=CYCLE, complete_from=None if day is None else day.date()
    )
    rows = shares(found)
    assert rows.groupby("after_days")["estimate"].sum().to_numpy() == pytest.approx(1, abs=1e-12)
    last, ends, open_, late = by_rows(table, day)
    expected = cumulative_incidence(last, ends, open_, **({} if day is None else {"entry": late}))
    for cause in ends:
        mine = rows[rows["cause"] == cause]
        truth = expected.at(cause, mine["after_days"] / 7)
        for column in ("estimate", "conf_low", "conf_high"):
            assert mine[column].to_numpy(float) == pytest.approx(truth[column].to_numpy(), rel=1e-9)
    assert rows["after_days"].nunique() >= 5


def test_groups_are_tested_by_gray_cause_by_cause(engine: Engine) -> None:
    table = caused(2, 800)
    found = leaving_causes(engine.table(table), cycle=CYCLE, by="plan")
    tests = found.estimates[found.estimates["metric"] == "churn.p_cause"]
    last, ends, open_, _ = by_rows(table)
    expected = holm(
        [
            compare_incidence(last, ends, open_, cause=cause, group=table["plan"]).p_value
            for cause in ends
        ]
    )
    assert tests["estimate"].to_numpy(float) == pytest.approx(expected)
    assert "Gray's test of 2 groups rests on 800 subscriptions" in found.note
    assert found.sentence().startswith("Within 336 days of their beginning 37")
    groups = shares(found).dropna(subset="plan")
    sums = groups.groupby(["plan", "after_days"])["estimate"].sum()
    assert len(sums) == 2
    assert sums.to_numpy() == pytest.approx(1, abs=1e-12)


def test_a_cause_that_falls_on_one_group_is_named() -> None:
    """Of one plan half of all ends are failed payments, of the other a tenth."""
    rng = np.random.default_rng(3)
    table = subscriptions(rng, 3000)
    fails = np.where(table["plan"] == "large", 0.5, 0.1)
    table["end_kind"] = np.where(rng.random(3000) < fails, "involuntary", "voluntary")
    found = leaving_causes(table, cycle=CYCLE, by="plan").protect(10)
    assert found.sentence().endswith("By plan, voluntary leaving and involuntary leaving differ.")
    truth = 0.5 * (1 - np.exp(-52 / 60))
    rows = shares(found)
    row = rows[(rows["plan"] == "large") & (rows["cause"] == "involuntary")].iloc[0]
    assert row["conf_low"] <= truth <= row["conf_high"]
    assert found.plot()


def test_taking_the_other_cause_for_still_running_would_count_too_many() -> None:
    from cxlab.stats.survival import product_limit

    table = caused(4, 2000, share=0.5)
    rows = shares(leaving_causes(table, cycle=CYCLE))
    late = rows[rows["cause"] == "voluntary"].iloc[-1]
    last, ends, open_, _ = by_rows(table)
    naive = (
        1
        - product_limit(last, ends["voluntary"], open_ + ends["involuntary"])
        .share_at(late["after_days"] / 7)
        .estimate
    )
    assert naive > late["estimate"] + 0.05


def test_times_between_which_few_left_of_a_cause_are_withheld() -> None:
    safe = shares(leaving_causes(caused(5, 500), cycle=CYCLE).protect(15))
    shown = safe[~safe["suppressed"].astype(bool) & (safe["cause"] != STILL_RUNNING)]
    steps = shown.groupby("cause")["count"].agg(lambda x: np.diff(np.r_[0, x]).min())
    assert (steps >= 15).all()


def test_without_causes_or_endings_a_reason_is_given() -> None:
    table = caused(6, 400)
    with pytest.raises(Withheld, match="Nobody records of whose will"):
        leaving_causes(table.drop(columns="end_kind"), cycle=CYCLE)
    with pytest.raises(Withheld, match="at least 10 subscriptions that ended"):
        leaving_causes(table.assign(ended_at=pd.NaT), cycle=CYCLE)


def test_a_cause_not_recorded_is_a_cause_of_its_own() -> None:
    table = caused(7, 600)
    table.loc[table.index % 3 == 0, "end_kind"] = None
    rows = shares(leaving_causes(table, cycle=CYCLE))
    assert "not known" in set(rows["cause"])
    assert rows.groupby("after_days")["estimate"].sum().to_numpy() == pytest.approx(1, abs=1e-12)
