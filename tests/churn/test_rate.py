"""Churn of subscriptions: who is at risk, what counts as leaving, and how sure we are."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import churn_rate
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import MissingColumnError, Withheld
from cxlab.stats.clusters import clustered_share
from cxlab.stats.differences import newcombe
from cxlab.stats.intervals import wilson

CYCLE = parse_cycle("2018Q1")
DAYS = pd.Timestamp


def held(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    """Make subscriptions of one customer each: started, ended, of whose will."""
    table = pd.DataFrame(rows, columns=["started_at", "ended_at", "end_kind"])
    numbers = [f"{i:03}" for i in range(len(rows))]
    return table.assign(
        subscription_id=numbers,
        customer_id=numbers,
        **{
            name: pd.to_datetime(table[name], format="ISO8601")
            for name in ("started_at", "ended_at")
        },
    )


RUNNING = ("2017-06-01", None, None)


def rows_of(result, metric):
    return result.estimates[result.estimates["metric"] == metric]


def test_at_risk_is_what_ran_when_the_cycle_began_and_lost_what_ended_before_its_cutoff(
    engine: Engine,
) -> None:
    table = held(
        *[RUNNING] * 12,
        ("2017-06-01", "2017-12-31 23:59:59", "voluntary"),  # gone before
        ("2017-06-01", "2018-01-01", "voluntary"),  # on the first moment: it ran until then
        ("2017-12-31", "2018-02-01", "involuntary"),
        ("2017-06-01", "2018-03-31 23:59:59", "voluntary"),
        ("2017-06-01", "2018-04-01", "voluntary"),  # of the next cycle
        ("2018-01-01", "2018-01-20", "voluntary"),  # began in the cycle
        ("2018-02-01", None, None),
    )
    found = churn_rate(engine.table(table), cycle=CYCLE)
    whole = rows_of(found, "churn.rate").iloc[0]
    expected = wilson(3, 16)
    assert whole[["estimate", "conf_low", "conf_high", "n", "count"]].tolist() == pytest.approx(
        [3 / 16, expected.low, expected.high, 16, 3]
    )
    causes = rows_of(found, "churn.rate_by_cause").set_index("cause")["estimate"]
    assert causes.to_dict() == {"voluntary": 2 / 16, "involuntary": 1 / 16}
    assert found.sentence().startswith("18.8% of the 16 subscriptions that ran when 2018Q1 began")


def test_the_change_is_newcombes_of_both_cycles() -> None:
    table = held(
        *[RUNNING] * 70,
        *[("2017-06-01", "2018-02-10", "voluntary")] * 20,
        *[("2017-06-01", "2017-11-10", "involuntary")] * 10,
    )
    found = churn_rate(table, cycle=CYCLE)
    expected = newcombe(20, 90, 10, 100)
    change = rows_of(found, "churn.change").iloc[0]
    assert change[["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )
    assert "More than in 2017Q4: +12.2 points" in found.sentence()
    series = rows_of(found, "churn.rate").set_index("cycle")["estimate"]
    assert series["2017Q4"] == 0.1
    assert series["2017Q3"] == 0


def test_no_cycle_before_the_data_are_complete_is_counted() -> None:
    found = churn_rate(held(*[RUNNING] * 30), cycle=CYCLE, complete_from=DAYS("2017-10-01").date())
    assert rows_of(found, "churn.rate")["cycle"].dropna().tolist() == ["2017Q4"]


def test_several_subscriptions_of_one_customer_are_worth_less_than_of_many(engine: Engine) -> None:
    rng = np.random.default_rng(4)
    rows = []
    for _ in range(60):  # whoever leaves, leaves with all
        ended = "2018-02-01" if rng.random() < 0.3 else None
        rows += [("2017-06-01", ended, "voluntary")] * 3
    table = held(*rows)
    table["customer_id"] = [f"{i // 3:03}" for i in range(len(table))]
    whole = rows_of(churn_rate(engine.table(table), cycle=CYCLE), "churn.rate").iloc[0]
    y = table.groupby("customer_id")["ended_at"].count()
    expected = clustered_share(
        {"persons": 60, "n": 180, "total": y.sum(), "n_n": 540, "n_total": 3 * y.sum(),
         "total_total": (y * y).sum()}
    )  # fmt: skip
    assert (whole["conf_low"], whole["conf_high"]) == pytest.approx((expected.low, expected.high))
    alone = wilson(float(y.sum()), 180)
    assert whole["conf_high"] - whole["conf_low"] > 1.5 * (alone.high - alone.low)
    assert whole["count"] == (y > 0).sum()


def test_groups_are_those_of_a_column_or_of_a_table_and_add_up(engine: Engine) -> None:
    table = held(*[RUNNING] * 30, *[("2017-06-01", "2018-02-10", "voluntary")] * 10)
    table["plan"] = ["small", "large"] * 20
    region = pd.DataFrame({"customer_id": table["customer_id"][:36], "region": ["N"] * 36})
    for by, names in (("plan", {"small", "large"}), (region, {"N", "not known"})):
        given = by if isinstance(by, str) else engine.table(by)
        found = churn_rate(engine.table(table), cycle=CYCLE, by=given)
        rows = rows_of(found, "churn.rate")
        groups = rows[rows[found.by].notna()]
        assert set(groups[found.by]) == names
        assert groups["n"].sum() == 40
        assert (groups["estimate"] * groups["n"]).sum() == pytest.approx(10)
        assert "Between" in found.protect(1).sentence()
        assert "chance" in found.protect(1).sentence()


def split(lost: dict[str, int], n: int) -> pd.DataFrame:
    """Make groups of so many each, of which so many left."""
    ran = [
        ("2017-06-01", "2018-02-10" if i < y else None, None)
        for y in lost.values()
        for i in range(n)
    ]
    return held(*ran).assign(plan=np.repeat(list(lost), n))


def test_a_range_across_groups_says_whether_chance_could_make_it(engine: Engine) -> None:
    """By hand: Pearson's chi-squared of 12, 18 and 30 of 100 is 10.5, times 299 / 300."""
    table = split({"a": 12, "b": 18, "c": 30}, 100)
    found = churn_rate(engine.table(table), cycle=CYCLE, by="plan")
    test = rows_of(found, "churn.p_groups").iloc[0]
    assert test["estimate"] == pytest.approx(np.exp(-10.5 * 299 / 300 / 2))  # two degrees
    assert test[["n", "count"]].tolist() == [300, 12]
    assert found.sentence().endswith(
        "by plan: more than chance alone would make groups differ (p = 0.005)."
    )
    near = churn_rate(split({"a": 12, "b": 15}, 100), cycle=CYCLE, by="plan")
    assert near.sentence().endswith("chance alone could make groups differ so (p = 0.536).")
    # Whom hardly anybody left is in the test as well, and makes it.
    few = churn_rate(split({"a": 2, "b": 30, "c": 28}, 300), cycle=CYCLE, by="plan")
    assert rows_of(few, "churn.p_groups").iloc[0]["estimate"] < 0.001
    twice = pd.concat([table, table.assign(subscription_id="b" + table["subscription_id"])])
    again = rows_of(churn_rate(twice, cycle=CYCLE, by="plan"), "churn.p_groups")["estimate"]
    # The same people twice tell as much as once, but for n / (n - 1) in both.
    assert again.iloc[0] == pytest.approx(test["estimate"], rel=0.1)


def test_who_changes_a_contract_is_counted_in_the_note(engine: Engine) -> None:
    table = held(*[RUNNING] * 30, *[("2017-06-01", "2018-02-10", "voluntary")] * 12)
    follow = table.tail(11).assign(subscription_id=lambda t: "b" + t["subscription_id"],
                                   started_at=DAYS("2018-02-17"), ended_at=pd.NaT)  # fmt: skip
    both = pd.concat([table, follow])
    found = churn_rate(engine.table(both), cycle=CYCLE)
    assert rows_of(found, "churn.rate")["count"].iloc[0] == 12
    assert "11 customers of those of whom a subscription ended kept another" in found.note
    assert " Fewer than 20 customers of those" in found.protect(20).note
    late = pd.concat([table, follow.assign(started_at=DAYS("2018-02-18"))])
    assert "kept another" not in churn_rate(engine.table(late), cycle=CYCLE).note


def test_an_ending_without_a_cause_is_counted_as_such() -> None:
    table = held(
        *[RUNNING] * 20,
        *[("2017-06-01", "2018-02-10", None)] * 4,
        *[("2017-06-01", "2018-02-10", "voluntary")] * 6,
    )
    found = churn_rate(table, cycle=CYCLE)
    causes = rows_of(found, "churn.rate_by_cause").set_index("cause")["count"]
    assert causes.to_dict() == {"voluntary": 6, "involuntary": 0, "not known": 4}
    without = churn_rate(table.drop(columns="end_kind"), cycle=CYCLE)
    assert rows_of(without, "churn.rate_by_cause").empty
    assert without.sentence().startswith("33.3% of the 30 subscriptions")


def test_too_few_or_a_missing_column_is_said() -> None:
    with pytest.raises(Withheld, match=r"at least 10 subscriptions .* but 9 did when 2018Q1 began"):
        churn_rate(held(*[RUNNING] * 9), cycle=CYCLE)
    with pytest.raises(MissingColumnError, match="ended_at"):
        churn_rate(held(*[RUNNING] * 9).drop(columns="ended_at"), cycle=CYCLE)
