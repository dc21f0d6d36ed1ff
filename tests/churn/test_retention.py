"""How long subscriptions last: against rows of single subscriptions, and a known truth."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import retention, retention_difference
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import Withheld
from cxlab.stats.survival import product_limit

CYCLE = parse_cycle("2018Q1")
CUTOFF = pd.Timestamp("2018-04-01")
WEEK = pd.Timedelta(days=7)


def subscriptions(
    rng: np.random.Generator, n: int, *, mean_weeks: float = 60.0, years: float = 3.0
) -> pd.DataFrame:
    """Subscriptions begun evenly over some years, of which each week the same share ends."""
    started = CUTOFF - pd.to_timedelta(rng.uniform(0, 52 * years, n) * 7, unit="D")
    ended = started + pd.to_timedelta(rng.exponential(mean_weeks, n) * 7, unit="D")
    numbers = [f"{i:05}" for i in range(n)]
    return pd.DataFrame(
        {
            "subscription_id": numbers,
            "customer_id": numbers,
            "started_at": started.floor("s"),
            "ended_at": ended.floor("s"),  # also what ends after the cutoff: nobody knows yet
            "plan": np.where(rng.random(n) < 0.4, "large", "small"),
        }
    )


def shares(found) -> pd.DataFrame:
    return found.estimates[found.estimates["metric"] == "churn.retained_share"]


def by_rows(table: pd.DataFrame, since: pd.Timestamp | None = None):
    """Work out the curve from single rows."""
    seen = table[table["started_at"] < CUTOFF]
    if since is not None:
        seen = seen[~(seen["ended_at"] < since)]
    over = seen["ended_at"] < CUTOFF
    last = (seen["ended_at"].where(over, CUTOFF) - seen["started_at"]) // WEEK + 1
    first = 0 * last
    if since is not None:
        first = ((since - seen["started_at"]) // WEEK).clip(lower=0)
    return product_limit(last, over.astype(float), (~over).astype(float), entry=first)


@pytest.mark.parametrize("since", [None, "2017-01-01"])
def test_the_curve_is_that_of_single_rows(engine: Engine, since: str | None) -> None:
    table = subscriptions(np.random.default_rng(1), 500)
    day = None if since is None else pd.Timestamp(since)
    found = retention(
        engine.table(table), cycle=CYCLE, complete_from=None if day is None else day.date()
    )
    rows = shares(found)
    expected = by_rows(table, day).at(rows["after_days"] / 7)
    for column in ("estimate", "conf_low", "conf_high"):
        assert rows[column].to_numpy(float) == pytest.approx(expected[column].to_numpy(), rel=1e-12)
    assert len(rows) >= 10


def test_each_group_has_the_curve_of_its_own_rows(engine: Engine) -> None:
    table = subscriptions(np.random.default_rng(2), 500)
    found = retention(engine.table(table), cycle=CYCLE, by="plan")
    rows = shares(found)
    for plan, lot in rows.groupby("plan"):
        expected = by_rows(table[table["plan"] == plan]).at(lot["after_days"] / 7)["estimate"]
        assert lot["estimate"].to_numpy(float) == pytest.approx(expected.to_numpy(), rel=1e-12)
    whole = rows[rows["plan"].isna()]
    assert whole["n"].iloc[0] == rows.groupby("plan")["n"].first().sum() == 500


def test_many_groups_are_gathered() -> None:
    table = subscriptions(np.random.default_rng(3), 900)
    table["plan"] = np.random.default_rng(0).choice(list("abcdefgh"), 900)
    rows = shares(retention(table, cycle=CYCLE, by="plan"))
    assert rows["plan"].nunique() == 4
    assert "all others" in set(rows["plan"])
    assert rows[rows["plan"].notna()].groupby("plan")["n"].first().sum() == 900


def test_who_began_before_the_records_comes_under_observation_late() -> None:
    """Records begin late and lack all that ended before: taken as whole lives they last too long.

    The truth of one customer base of 4,000; its curve and ours differ by chance alone.
    """
    table = subscriptions(np.random.default_rng(4), 4000, mean_weeks=40, years=6)
    begin = pd.Timestamp("2016-04-01")
    kept = table[~(table["ended_at"] < begin)]
    truth = 1 - np.exp(-26 / 40)
    naive, ours = (1 - by_rows(kept, since).at([26])["estimate"].iloc[0] for since in (None, begin))
    assert naive < truth - 0.08
    assert ours == pytest.approx(truth, abs=0.03)
    rows = shares(retention(kept, cycle=CYCLE, complete_from=begin.date()))
    near = rows.iloc[(rows["after_days"] - 182).abs().argsort()].iloc[0]
    expected = np.exp(-near["after_days"] / 7 / 40)
    assert near["conf_low"] - 0.01 <= expected <= near["conf_high"] + 0.01
    assert (
        "began before records do" in retention(kept, cycle=CYCLE, complete_from=begin.date()).note
    )


def test_what_ends_after_the_cutoff_still_runs() -> None:
    table = subscriptions(np.random.default_rng(5), 400)
    later = table.assign(ended_at=table["ended_at"].where(table["ended_at"] < CUTOFF))
    found, other = (retention(t, cycle=CYCLE).estimates for t in (table, later))
    pd.testing.assert_frame_equal(found, other)


def test_several_subscriptions_of_one_customer_widen_the_band() -> None:
    table = subscriptions(np.random.default_rng(6), 150)
    twice = pd.concat([table, table.assign(subscription_id="b" + table["subscription_id"])])
    one, two = (shares(retention(t, cycle=CYCLE)) for t in (table, twice))
    at = set(one["after_days"]) & set(two["after_days"])
    wide = [
        (rows.set_index("after_days")["conf_high"] - rows.set_index("after_days")["conf_low"])[
            sorted(at)
        ].to_numpy(float)
        for rows in (one, two)
    ]
    # The same people twice tell as much as once; what is left is a factor of (k - 1) / k.
    assert wide[1] == pytest.approx(wide[0], rel=0.01)


def test_times_between_which_too_few_ended_are_withheld() -> None:
    table = subscriptions(np.random.default_rng(7), 300)
    safe = shares(retention(table, cycle=CYCLE).protect(25))
    shown = safe[~safe["suppressed"].astype(bool)]["count"].to_numpy(float)
    assert (np.diff(np.r_[0.0, shown]) >= 25).all()
    assert safe["suppressed"].any()


def test_too_few_endings_are_no_curve() -> None:
    table = subscriptions(np.random.default_rng(8), 9, mean_weeks=1)
    with pytest.raises(Withheld, match="at least 10 subscriptions that ended, but 9 had"):
        retention(table, cycle=CYCLE)


@pytest.mark.parametrize("least", [60, 10_000])
def test_what_is_left_is_drawn_also_where_every_group_is_withheld(least: int) -> None:
    table = subscriptions(np.random.default_rng(9), 120)
    safe = retention(table, cycle=CYCLE, by="plan").protect(least)
    assert safe.plot().lines
    assert safe.sentence()


def test_nothing_is_said_of_a_median_that_is_not_known() -> None:
    """The curve is below a half, but how early it may have been is open."""
    table = subscriptions(np.random.default_rng(13), 40, mean_weeks=70, years=2)
    assert by_rows(table).survival[-1] < 0.5
    found = retention(table, cycle=CYCLE)
    median = found.estimates[found.estimates["metric"] == "churn.median_days"].iloc[0]
    assert median["suppressed"]
    assert "when half have ended cannot be told yet" in found.sentence()


def test_records_begin_with_the_local_day() -> None:
    """Ended at 23:30 UTC of the day before: in Jakarta the records had begun."""
    table = subscriptions(np.random.default_rng(12), 60)
    table.loc[0, ["started_at", "ended_at"]] = pd.to_datetime(
        ["2016-06-01 00:00", "2016-12-31 23:30"]
    )
    day = pd.Timestamp("2017-01-01").date()
    bases = [
        shares(retention(table, cycle=parse_cycle("2018Q1", time_zone=zone), complete_from=day))[
            "n"
        ]
        for zone in ("UTC", "Asia/Jakarta")
    ]
    assert bases[1].iloc[0] == bases[0].iloc[0] + 1


def month_of_watching() -> pd.DataFrame:
    """Contracts of all ages, watched for the last thirty days: whoever left before is not there."""
    table = subscriptions(np.random.default_rng(14), 4000, mean_weeks=30, years=4)
    return table[~(table["ended_at"] < pd.Timestamp("2018-03-02"))]


def test_a_curve_that_nobody_was_followed_along_is_said_to_be_of_a_period() -> None:
    day = pd.Timestamp("2018-03-02").date()
    found = retention(month_of_watching(), cycle=CYCLE, complete_from=day)
    said = found.sentence()
    assert said.startswith("No subscription was followed for longer than 30 days. If each age left")
    assert "of new ones would still run after" in said
    assert said.endswith("that is of no real group of subscriptions, and no forecast.")
    assert "half have ended" not in said
    assert "the curve is that of a period" in found.note
    whole = retention(month_of_watching(), cycle=CYCLE)  # as if the records had seen all of it
    assert "of subscriptions still run after" in whole.sentence()
    assert "period" not in whole.note


def test_groups_of_a_period_are_compared_as_such() -> None:
    table = month_of_watching()
    table["plan"] = np.where(table["ended_at"] < CUTOFF, "large", table["plan"])
    day = pd.Timestamp("2018-03-02").date()
    table.loc[table.index % 2 == 0, "plan"] = "small"
    found = retention_difference(table, cycle=CYCLE, by="plan", complete_from=day)
    assert found.sentence().startswith(
        "If each age left as it did in the 30 days of the records, subscriptions of small would "
    )
