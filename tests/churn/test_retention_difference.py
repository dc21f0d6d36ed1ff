"""Groups' retention compared: against rows of single subscriptions, and known truths."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import chdtrc

from cxlab.churn import retention, retention_difference
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import ParameterError, Withheld
from cxlab.stats.multiplicity import holm
from cxlab.stats.survival import compare_restricted_means, log_rank, product_limit

from .test_retention import CUTOFF, CYCLE, WEEK, subscriptions


def weeks_of(table: pd.DataFrame, since: pd.Timestamp | None = None) -> pd.DataFrame:
    """Last week, whether over, and first week of each subscription, a row each."""
    seen = table[~(table["ended_at"] < since)] if since is not None else table
    over = seen["ended_at"] < CUTOFF
    last = (seen["ended_at"].where(over, CUTOFF) - seen["started_at"]) // WEEK + 1
    late = (since - seen["started_at"]) // WEEK if since is not None else 0 * last
    return pd.DataFrame(
        {
            "last": last,
            "over": over.astype(float),
            "first": late.clip(lower=0),
            "plan": seen["plan"],
        }
    )


def metric(found, name: str) -> pd.DataFrame:
    return found.estimates[found.estimates["metric"] == f"churn.{name}"]


@pytest.mark.parametrize("since", [None, "2017-01-01"])
def test_means_differences_and_tests_are_those_of_single_rows(
    engine: Engine, since: str | None
) -> None:
    table = subscriptions(np.random.default_rng(1), 600)
    day = None if since is None else pd.Timestamp(since)
    found = retention_difference(
        engine.table(table), cycle=CYCLE, by="plan",
        complete_from=None if day is None else day.date(),
    )  # fmt: skip
    rows = weeks_of(table, day)
    late = {} if day is None else {"entry": "first"}
    curves = {
        plan: product_limit(
            x["last"], x["over"], 1 - x["over"], **{k: x[v] for k, v in late.items()}
        )
        for plan, x in rows.groupby("plan")
    }
    pair = metric(found, "lifetime_difference").iloc[0]
    expected = compare_restricted_means(curves[pair["plan"]], curves[pair["against"]], 52)
    assert [pair["estimate"], pair["conf_low"], pair["conf_high"]] == pytest.approx(
        [7 * getattr(expected.difference, end) for end in ("estimate", "low", "high")]
    )
    each = metric(found, "lifetime_days").set_index("plan")
    assert each.loc[pair["plan"], "estimate"] == pytest.approx(7 * expected.one.estimate)
    test = log_rank(
        rows["last"], rows["over"], 1 - rows["over"], group=rows["plan"],
        **{k: rows[v] for k, v in late.items()},
    )  # fmt: skip
    assert metric(found, "p_value")["estimate"].to_numpy() == pytest.approx([test.p_value] * 2)
    assert found.horizon_days == 364


def test_a_group_that_hardly_anybody_left_is_named_and_not_dropped_in_silence() -> None:
    table = subscriptions(np.random.default_rng(2), 600)
    table["plan"] = np.random.default_rng(0).choice(["a", "b"], 600)
    table.loc[table.index[:100], ["plan", "ended_at"]] = ["loyal", pd.NaT]
    found = retention_difference(table, cycle=CYCLE, by="plan")
    assert "loyal" not in set(found.estimates["plan"])
    assert (
        "fewer than 10 of them have ended, from which no interval can be had: loyal" in found.note
    )


def test_p_values_of_pairs_are_holms() -> None:
    table = subscriptions(np.random.default_rng(2), 900)
    table["plan"] = np.random.default_rng(0).choice(list("abc"), 900)
    found = retention_difference(table, cycle=CYCLE, by="plan", weighting="peto-peto")
    plain = metric(found, "p_value")
    pairs = plain[plain["plan"].notna()]
    assert len(pairs) == 3
    assert metric(found, "p_holm")["estimate"].to_numpy() == pytest.approx(
        holm(pairs["estimate"].tolist())
    )
    assert set(metric(found, "p_holm")["method"]) == {"peto-peto test, Holm over all pairs"}


def test_a_real_difference_is_found_and_named() -> None:
    """Half-lives of about 28 and 55 weeks: within a year the means are 27.0 and 36.9 weeks."""
    rng = np.random.default_rng(3)
    short, long = (subscriptions(rng, 1500, mean_weeks=mean) for mean in (40, 80))
    table = pd.concat([short.assign(plan="short"), long.assign(plan="long")])
    table["customer_id"] = table["subscription_id"] = [str(i) for i in range(len(table))]
    found = retention_difference(table, cycle=CYCLE, by="plan").protect(10)
    truth = 7 * (80 * (1 - np.exp(-52 / 80)) - 40 * (1 - np.exp(-52 / 40)))
    pair = metric(found, "lifetime_difference").iloc[0]
    sign = 1 if pair["plan"] == "long" else -1
    low, high = sorted((sign * pair["conf_low"], sign * pair["conf_high"]))
    assert low - 3 <= truth <= high + 3  # weeks are rounded up
    assert found.sentence().startswith("Subscriptions of long last ")
    assert found.plot()


def test_the_same_customers_twice_tell_no_more_than_once() -> None:
    table = subscriptions(np.random.default_rng(6), 300)
    twice = pd.concat([table, table.assign(subscription_id="b" + table["subscription_id"])])
    one, two = (retention_difference(t, cycle=CYCLE, by="plan") for t in (table, twice))
    for name in ("p_value", "p_holm"):
        plain, double = (metric(found, name)["estimate"].iloc[-1] for found in (one, two))
        assert double == pytest.approx(plain, rel=0.1)
    width = [
        (rows["conf_high"] - rows["conf_low"]).iloc[0]
        for rows in (metric(found, "lifetime_difference") for found in (one, two))
    ]
    assert width[1] == pytest.approx(width[0], rel=0.02)


def test_alike_groups_rarely_differ() -> None:
    """Of 200 null comparisons at most 20 may decide at 5 % (99.9 % binomial bound)."""
    rng = np.random.default_rng(11)
    decided = 0
    for _ in range(200):
        found = retention_difference(subscriptions(rng, 150), cycle=CYCLE, by="plan")
        decided += metric(found, "p_value")["estimate"].iloc[0] < 0.05
    assert decided <= 20


def test_the_horizon_is_what_was_watched_of_each_group() -> None:
    table = subscriptions(np.random.default_rng(4), 400, years=0.5, mean_weeks=15)
    found = retention_difference(table, cycle=CYCLE, by="plan")
    assert found.horizon_days < 27 * 7
    assert set(found.estimates["within_days"]) == {found.horizon_days}


def test_one_group_or_no_horizon_is_refused() -> None:
    table = subscriptions(np.random.default_rng(5), 200)
    with pytest.raises(Withheld, match="needs two groups of which 10 subscriptions have ended"):
        retention_difference(table.assign(plan="one"), cycle=CYCLE, by="plan")
    with pytest.raises(ParameterError, match="7 or more, but is 3"):
        retention_difference(table, cycle=CYCLE, by="plan", horizon_days=3)


def test_chi_squared_is_divided_by_the_larger_design_effect() -> None:
    table = subscriptions(np.random.default_rng(8), 300)
    twice = pd.concat([table, table.assign(subscription_id="b" + table["subscription_id"])])
    found = retention_difference(twice, cycle=CYCLE, by="plan")
    rows = weeks_of(twice)
    test = log_rank(rows["last"], rows["over"], 1 - rows["over"], group=rows["plan"])
    effects = []
    for _, lot in twice.groupby("plan"):
        over = (lot["ended_at"] < CUTOFF).groupby(lot["customer_id"]).sum()
        k, n, share = len(over), len(lot), over.sum() / len(lot)
        variance = ((over - 2 * share) ** 2).sum() / n**2 * k / (k - 1)
        effects.append(variance / (share * (1 - share) / n))
    expected = chdtrc(1, test.statistic / max(effects))
    assert metric(found, "p_value")["estimate"].iloc[-1] == pytest.approx(expected)


def test_the_chart_of_retention_counts_those_still_watched_beneath() -> None:
    table = subscriptions(np.random.default_rng(9), 500)
    found = retention(table, cycle=parse_cycle("2018Q1"), by="plan").protect(10)
    risk = metric(found, "at_risk").set_index(["plan", "after_days"])["estimate"]
    said = {text.get_text().replace(",", "") for text in found.plot().texts}
    assert "Still watched" in said
    assert len(said & {f"{x:.0f}" for x in risk.dropna()}) >= 6
    rows = weeks_of(table)
    for (plan, days), left in risk.dropna().items():
        mine = rows if pd.isna(plan) else rows[rows["plan"] == plan]
        assert left == (mine["last"] >= days / 7).sum()
    both = found.table().dropna(subset="at_risk")
    assert (both["metric"] == "churn.retained_share").all()
