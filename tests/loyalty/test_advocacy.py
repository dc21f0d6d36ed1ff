"""Referred customers are held against paid ones, counted by hand and without look-ahead."""

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine, query
from cxlab.errors import Withheld
from cxlab.loyalty import Advocacy, advocacy, origins

CYCLE = parse_cycle("2018Q4")
MANY = 30
FIRST = pd.Timestamp("2017-01-10")

CUSTOMERS = pd.DataFrame(
    [(f"r{i}", "recommendation") for i in range(MANY)]
    + [(f"p{i}", "search") for i in range(MANY)]
    + [(f"o{i}", "recommendation") for i in range(5)],  # nobody knows by whom
    columns=["customer_id", "acquisition_channel"],
)
REFERRALS = pd.DataFrame(
    {
        "referred_id": [f"r{i}" for i in range(MANY)],
        "referred_at": FIRST,
        "reward_amount": [5.0] * (MANY // 2) + [0.0] * (MANY // 2),
    }
)
COSTS = pd.DataFrame(
    {"period_on": pd.to_datetime(["2017-02-01", "2017-03-01", "2019-02-01"]),
     "activity": ["acquisition", "service", "acquisition"], "amount": [600.0, 99.0, 999.0]}
)  # fmt: skip


def _orders() -> pd.DataFrame:
    """Let the referred order every four weeks for a year, and the paid only twice."""
    days = {"r": range(0, 700, 28), "p": (0, 28), "o": (0,)}
    rows = [
        (c, FIRST + pd.Timedelta(days=d), 10.0)
        for c in CUSTOMERS["customer_id"]
        for d in days[c[0]]
    ]
    return pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount"])


def _by_origin(found: Advocacy, metric: str) -> dict[str, float]:
    rows = found.estimates[found.estimates["metric"] == f"advocacy.{metric}"]
    return {r["origin"] or "gap": r["estimate"] for r in rows.to_dict("records")}


def test_each_number_is_counted_by_hand(engine: Engine):
    tables = [engine.table(t) for t in (CUSTOMERS, _orders(), REFERRALS, COSTS)]
    found = advocacy(*tables, cycle=CYCLE, lapse_days=90, currency="EUR")
    assert _by_origin(found, "first_year_amount") == {"referred": 130, "paid": 20}
    assert _by_origin(found, "first_year_amount_difference") == {"gap": 110}
    # Rewards of 75 for 30; 600 of acquisition for 30, as known by the cutoff.
    assert _by_origin(found, "acquisition_amount") == {"referred": 2.5, "paid": 20}
    days = _by_origin(found, "active_days")
    assert days["referred"] == 364  # none was silent for long within the year
    assert days["paid"] == pytest.approx(28 + 90, abs=7)  # whole weeks


def test_who_is_not_silent_long_enough_yet_is_not_gone():
    late = _orders().assign(placed_at=lambda o: o["placed_at"] + pd.Timedelta(days=640))
    with_ends = pd.concat([late, _orders()])
    found = advocacy(CUSTOMERS, with_ends, REFERRALS, cycle=CYCLE, lapse_days=720)
    assert not _by_origin(found, "active_days")  # nobody has ended, so there is no curve


def test_origins_tell_referred_paid_and_unknown_apart(engine: Engine):
    later = REFERRALS.assign(referred_at=pd.Timestamp("2019-02-01"))
    for given, referred in ((REFERRALS, MANY), (later, 0)):
        came = origins(engine.table(CUSTOMERS), engine.table(given), cycle=CYCLE)
        counts = query(
            "select origin, count(*) as n from c group by origin order by origin", c=came
        )
        told = dict(zip(counts["origin"], counts["n"], strict=True))
        assert told.get("referred", 0) == referred
        assert told["paid"] == MANY
    assert len(origins(CUSTOMERS, None, cycle=CYCLE).columns) == 2


def test_the_ledgers_own_count_of_customers_won_is_taken():
    told = COSTS.assign(units=[60.0, 1.0, 1.0])
    found = advocacy(CUSTOMERS, _orders(), REFERRALS, told, cycle=CYCLE)
    assert _by_origin(found, "acquisition_amount")["paid"] == 10


def test_it_draws_and_says_why_there_is_nothing():
    found = advocacy(CUSTOMERS, _orders(), REFERRALS, COSTS, cycle=CYCLE, currency="EUR")
    safe = found.protect(10)
    safe.plot()
    assert "stay active longer" in safe.sentence()
    assert "against EUR 20" in safe.sentence()
    with pytest.raises(Withheld, match="from 20 of each"):
        advocacy(CUSTOMERS, _orders(), cycle=CYCLE)
    with pytest.raises(Withheld, match="from 20 of each"):
        advocacy(CUSTOMERS, _orders().head(0), REFERRALS, cycle=CYCLE)
