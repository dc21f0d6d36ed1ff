"""Forecasts of repeat buying rest on exact histories, and are held against what came."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine, frame
from cxlab.errors import Withheld
from cxlab.loyalty import cohorts, repeat_buying, still_buying
from cxlab.loyalty.histories import MOST, purchase_histories, spend_counts
from cxlab.loyalty.repeat_buying import off_by

CYCLE = parse_cycle("2018Q4")
CDNOW = Path(__file__).parents[3] / "shared" / "data" / "cdnow" / "CDNOW_sample.txt"


def _made(customers: int, seed: int = 7) -> pd.DataFrame:
    """Buy at rates of their own, and stop at any moment: two years of a small shop."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(customers):
        first = rng.uniform(0, 640)
        rate, life = rng.gamma(0.9, 1 / 45), rng.exponential(rng.gamma(2, 200))
        gaps = np.cumsum(rng.exponential(1 / max(rate, 1e-6), 200))
        mean = rng.gamma(4, 8)
        for day in [first, *(first + gaps[gaps < life])]:
            if day < 730:
                rows.append((f"c{i}", day, round(float(rng.gamma(4, mean / 4)) + 0.01, 2)))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "net_amount"])
    moments = pd.Timestamp("2017-01-01") + pd.to_timedelta(frame.pop("day").round(3), unit="D")
    return frame.assign(placed_at=moments.dt.floor("s"))


ORDERS = _made(1500)


def test_histories_are_counted_by_hand(engine: Engine):
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "a"],
            "placed_at": pd.to_datetime(
                [
                    "2018-10-01 08:00",
                    "2018-10-01 20:00",
                    "2018-12-31 00:00",
                    "2018-12-01 00:00",
                    "2019-01-01 00:00",
                ]
            ),
            "net_amount": [1.0, 2.0, 5.5, 7.0, 100.0],
        }
    )
    base = purchase_histories(engine.table(orders), cycle=CYCLE)
    known = base.histories()
    assert base.unit_days == 1
    assert known.x.tolist() == [0, 1]
    assert known.t_x.tolist() == [0, 91]
    assert known.watched.tolist() == [30, 91]
    assert known.spend[1] == 5.5
    assert spend_counts(base)[["x", "customers", "spend"]].to_numpy().tolist() == [[1, 1, 5.5]]


@pytest.mark.parametrize(
    ("ends", "of", "says"),
    [
        ((0.032, 0.01, 0.055), "purchases", "3.2% too many purchases for Q (1.0 to 5.5%)."),
        ((-0.1, -0.2, -0.05), "spend", "10.0% too little spend for Q (5.0 to 20.0%)."),
        ((-0.1, -0.2, 0.02), "purchases",
         "10.0% too few purchases for Q (20.0% too few to 2.0% too many)."),
        ((0.0004, -0.01, 0.02), "spend",
         "the spend of Q to 0.1% (1.0% too little to 2.0% too much)."),
    ],
)  # fmt: skip
def test_the_error_of_a_forecast_is_told_with_its_interval(ends, of, says):
    told = dict(zip(("estimate", "conf_low", "conf_high"), ends, strict=True))
    assert off_by(told, "Q", of).endswith(f" a cycle ago, foretold {says}")


def test_the_shop_is_foretold_and_held_against_what_came():
    found = repeat_buying(ORDERS, cycle=CYCLE)
    rows = found.estimates
    counted = rows[rows["measure"] == "counted"]
    before = ORDERS[ORDERS["placed_at"] < "2018-10-01"]["customer_id"].unique()
    came = ORDERS[ORDERS["customer_id"].isin(before) & (ORDERS["placed_at"] >= "2018-10-01")]
    days = came.assign(day=came["placed_at"].dt.date).drop_duplicates(["customer_id", "day"])
    assert counted["estimate"].iloc[-1] == len(days)
    first = days[days["placed_at"] < "2018-10-15"]
    assert counted["estimate"].iloc[0] == len(first)
    expected = rows[rows["measure"] == "expected"].iloc[-1]
    assert expected["conf_low"] < len(days) < expected["conf_high"]
    error = rows.set_index("metric").loc["buying.holdout_error", "estimate"]
    assert error == pytest.approx(expected["estimate"] / len(days) - 1)
    assert "The same model, a cycle ago, foretold" in found.sentence()


def test_nobody_is_said_to_buy_for_certain():
    rows = still_buying(ORDERS, cycle=CYCLE).estimates
    active = rows[rows["metric"] == "buying.active_share"]
    assert len(active)
    assert (active["estimate"] < 1).all()
    assert (active["conf_low"] < active["estimate"]).all()


def test_it_draws_and_says_why_there_is_nothing():
    found = repeat_buying(ORDERS, cycle=CYCLE).protect(10)
    found.plot()
    active = still_buying(ORDERS, cycle=CYCLE).protect(10)
    active.plot()
    assert "still buy" in active.sentence()
    with pytest.raises(Withheld, match="at least 100 customers"):
        repeat_buying(ORDERS.head(20), cycle=CYCLE)
    with pytest.raises(Withheld, match="No customer"):
        repeat_buying(ORDERS.head(0), cycle=CYCLE)


def test_times_are_rounded_where_too_many_histories_differ():
    many = pd.concat(
        [ORDERS.assign(customer_id=f"{k}-" + ORDERS["customer_id"],
                       placed_at=ORDERS["placed_at"] + pd.to_timedelta(k, unit="D"))
         for k in range(20)]
    )  # fmt: skip
    base = purchase_histories(many, cycle=CYCLE)
    known = base.histories()
    assert base.unit_days == 7
    assert len(known) <= MOST
    assert (known.t_x <= known.watched).all()


@pytest.mark.skipif(not CDNOW.exists(), reason="CDNOW is not here")
def test_the_histories_of_cdnow_are_as_published():
    # Fader, Hardie & Lee (2005): 2,357 customers, 39 weeks; sums as in ORACLES.md, section 2.
    names = ["master", "customer_id", "day", "cds", "net_amount"]
    orders = pd.read_csv(CDNOW, sep=r"\s+", names=names, dtype={"customer_id": str, "day": str})
    orders["placed_at"] = pd.to_datetime(orders["day"], format="%Y%m%d")
    known = purchase_histories(orders, cycle=parse_cycle("1997Q3")).histories()
    assert known.n == 2357
    assert known.customers @ known.x == 2457
    assert known.customers @ known.t_x / 7 == pytest.approx(16135.571, abs=5e-4)
    assert known.customers @ known.watched / 7 == pytest.approx(77111.286, abs=5e-4)


def test_what_is_brought_back_is_no_purchase_and_is_taken_off_the_one_before(engine: Engine):
    rows = [("a", "2018-01-05", 50), ("a", "2018-02-05", 50), ("b", "2018-01-05", 50)]
    back = [("a", "2018-02-09", -20), ("b", "2018-02-09", -50), ("c", "2018-02-09", -50)]
    orders = pd.DataFrame([*rows, *back], columns=["customer_id", "placed_at", "net_amount"])
    orders["placed_at"] = pd.to_datetime(orders["placed_at"])
    base = purchase_histories(engine.table(orders), cycle=parse_cycle("2018Q1"))
    found = frame(base.each, limit=9).sort_values("customer_id")
    told = found[["customer_id", "x", "spent", "ever"]].astype({"spent": float, "ever": float})
    assert told.to_numpy().tolist() == [["a", 1, 30.0, 80.0], ["b", 0, 0.0, 0.0]]


def test_who_only_brings_back_has_not_come_back():
    rows = [(f"c{i}", "2017-01-05", 50) for i in range(40)]
    rows += [(f"c{i}", "2017-05-05", -50) for i in range(40)]
    orders = pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount"])
    orders["placed_at"] = pd.to_datetime(orders["placed_at"])
    found = cohorts(orders, cycle=parse_cycle("2018Q1")).estimates
    assert (found.loc[found["metric"] == "cohorts.returned_share", "estimate"] == 0).all()
