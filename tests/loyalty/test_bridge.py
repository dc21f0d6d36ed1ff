"""Revenue adds up from opening to closing, to the cent, and what is kept follows the ledger."""

import pandas as pd
import pytest

from cxlab.churn import churn_rate
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import Withheld
from cxlab.loyalty import Bridge, order_bridge, recurring_bridge

CYCLE = parse_cycle("2018Q1")
TIMES = 10
# Opening and closing of one ledger (ORACLES.md, K2): GRR .64, NRR .69, growth -.23.
LEDGER = {
    "a": (100, 100), "b": (200, 250), "c": (300, 0), "d": (150, 90), "e": (0, 80), "f": (250, 250)
}  # fmt: skip


def _amounts(found: Bridge) -> dict[str, float]:
    rows = found.estimates[found.estimates["metric"] == "revenue.moved_amount"]
    return {r["movement"] or "change": r["estimate"] for r in rows.to_dict("records")}


def _of(found: Bridge, metric: str) -> pd.Series:
    rows = found.estimates
    return rows[(rows["metric"] == f"revenue.{metric}") & rows["movement"].isna()].iloc[0]


def _assert_adds_up(found: Bridge) -> None:
    moved = _amounts(found)
    change = moved.pop("change")
    assert sum(moved.values()) == pytest.approx(change, abs=1e-6)
    ends = [_of(found, f"{end}_amount")["estimate"] for end in ("opening", "closing")]
    assert ends[0] + change == pytest.approx(ends[1], abs=1e-6)


def _orders() -> pd.DataFrame:
    rows = [
        (f"{name}{i}", day, amount)
        for name, pair in LEDGER.items()
        for i in range(TIMES)
        for day, amount in zip(("2017-11-01", "2018-02-01"), pair, strict=True)
        if amount
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount"])
    return frame.assign(placed_at=pd.to_datetime(frame["placed_at"], format="%Y-%m-%d"))


def test_a_ledger_gives_what_is_printed_of_it(engine: Engine):
    found = order_bridge(engine.table(_orders()), cycle=CYCLE)
    assert _of(found, "gross_retained_share")["estimate"] == pytest.approx(0.64)
    assert _of(found, "net_retained_share")["estimate"] == pytest.approx(0.69)
    assert _amounts(found) == {
        "new": 800.0, "more": 500.0, "less": -600.0, "stopped": -3000.0, "change": -2300.0
    }  # fmt: skip
    assert _of(found, "opening_amount")["estimate"] == 10_000
    _assert_adds_up(found)


def _subscribed() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same ledger as subscriptions, of which two change their fee."""
    held, changes = [], []
    for name, (before, after) in LEDGER.items():
        start = "2017-05-01" if before else "2018-02-01"
        held.append(
            (name, name, start, None if after else "2018-02-01", "voluntary", before or after)
        )
        if before and after and before != after:
            kind = "upgrade" if after > before else "downgrade"
            changes.append((name, "2018-02-15", kind, before, after))
    return _held(*held), _changed(*changes)


@pytest.mark.parametrize("of", ["orders", "subscriptions"])
def test_each_rate_of_the_ledger_is_as_worked_out_by_hand(engine: Engine, of: str):
    """ORACLES.md, K2; each to 12 digits, with the identities between them."""
    names = {"lost": "stopped", "less": "less", "more": "more", "new": "new"}
    if of == "orders":
        found = order_bridge(engine.table(_orders()), cycle=CYCLE)
    else:
        held, changes = (engine.table(x) for x in _subscribed())
        found = recurring_bridge(held, changes, cycle=CYCLE)
        names |= {"lost": "churn, voluntary", "less": "contraction", "more": "upsell"}
    opening, moved = _of(found, "opening_amount")["estimate"], _amounts(found)
    gross, net = (_of(found, f"{which}_retained_share") for which in ("gross", "net"))
    rates = {name: moved[movement] / opening for name, movement in names.items()}
    assert rates == pytest.approx(
        {"lost": -0.30, "less": -0.06, "more": 0.05, "new": 0.08}, abs=1e-12
    )
    assert (gross["estimate"], net["estimate"]) == pytest.approx((0.64, 0.69), abs=1e-12)
    growth = moved["change"] / opening
    assert growth == pytest.approx(-0.23, abs=1e-12)
    assert growth == pytest.approx(net["estimate"] + rates["new"] - 1, abs=1e-12)
    assert net["estimate"] == pytest.approx(gross["estimate"] + rates["more"], abs=1e-12)
    # Of 50 who brought something 40 still do: logo retention.
    assert (gross["count"], gross["n"]) == (40, 50)


def test_logo_retention_of_the_ledger_is_what_its_churn_leaves(engine: Engine):
    # One subscription each: of five running at the opening, four go on.
    found = churn_rate(engine.table(_subscribed()[0]), cycle=CYCLE).estimates
    rate = found[found["metric"] == "churn.rate"].iloc[0]
    assert (1 - rate["estimate"], rate["n"]) == (pytest.approx(0.80, abs=1e-12), 50)


def test_gross_and_net_of_millions_are_as_printed():
    # K1: 10.0M at the start, .6M contraction, .9M churn, 1.8M expansion: 85 % and 103 %.
    pairs = (
        [(1.0, 1.0)] * 5 + [(1.0, 0.7)] * 2 + [(0.45, 0.0)] * 2 + [(0.7, 1.6)] * 2 + [(0.7, 0.7)]
    )
    rows = [
        (f"c{i}", day, 1e6 * amount)
        for i, pair in enumerate(pairs)
        for day, amount in zip(("2017-11-01", "2018-02-01"), pair, strict=True)
    ]
    orders = pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount"])
    orders["placed_at"] = pd.to_datetime(orders["placed_at"])
    found = order_bridge(orders, cycle=CYCLE)
    assert _of(found, "opening_amount")["estimate"] == pytest.approx(10e6)
    assert _of(found, "gross_retained_share")["estimate"] == pytest.approx(0.85)
    assert _of(found, "net_retained_share")["estimate"] == pytest.approx(1.03)


def test_customers_of_long_ago_return_and_cents_are_exact():
    long_ago = pd.DataFrame(
        {"customer_id": ["z0", "z0"], "net_amount": [5.0, 0.1],
         "placed_at": pd.to_datetime(["2017-03-01", "2018-02-02"])}
    )  # fmt: skip
    odd = _orders().assign(net_amount=lambda o: o["net_amount"] + 0.01)
    found = order_bridge(pd.concat([odd, long_ago]), cycle=CYCLE)
    assert _amounts(found)["returned"] == 0.1
    _assert_adds_up(found)


def test_more_taken_back_than_bought_keeps_nothing_and_counts_against_the_net(engine: Engine):
    # Of those with 100 before, each tenth now only brings back goods of 40.
    pairs = [(100.0, 100.0)] * 90 + [(100.0, -40.0)] * 10
    rows = [
        (f"c{i}", day, amount)
        for i, pair in enumerate(pairs)
        for day, amount in zip(("2017-11-01", "2018-02-01"), pair, strict=True)
    ]
    orders = pd.DataFrame(rows, columns=["customer_id", "placed_at", "net_amount"])
    orders["placed_at"] = pd.to_datetime(orders["placed_at"])
    found = order_bridge(engine.table(orders), cycle=CYCLE)
    _assert_adds_up(found)
    assert _of(found, "gross_retained_share")["estimate"] == pytest.approx(0.9)
    net = _of(found, "net_retained_share")
    # Student's ends of a mean of ninety times 1 and ten times -0.4, whose deviation is .4221.
    assert net[["estimate", "conf_low", "conf_high"]].to_list() == pytest.approx(
        [0.86, 0.7762, 0.9438], abs=1e-4
    )
    assert net["n"] == 100


def _held(*rows: tuple[str, str, str, str | None, str | None, float]) -> pd.DataFrame:
    columns = ["subscription_id", "customer_id", "started_at", "ended_at", "end_kind",
               "monthly_amount"]  # fmt: skip
    found = pd.DataFrame(
        [(f"{r[0]}{i}", f"{r[1]}{i}", *r[2:]) for r in rows for i in range(TIMES)], columns=columns
    )
    for column in ("started_at", "ended_at"):
        found[column] = pd.to_datetime(found[column], format="%Y-%m-%d")
    return found


def _changed(*rows: tuple[str, str, str, float, float]) -> pd.DataFrame:
    columns = ["subscription_id", "changed_at", "kind", "monthly_amount_before",
               "monthly_amount_after"]  # fmt: skip
    found = pd.DataFrame([(f"{r[0]}{i}", *r[1:]) for r in rows for i in range(TIMES)],
                         columns=columns)  # fmt: skip
    return found.assign(changed_at=pd.to_datetime(found["changed_at"], format="%Y-%m-%d"))


HELD = _held(
    ("s1", "stays", "2017-05-01", None, None, 10),
    ("s2", "wills", "2017-05-01", "2018-02-01", "voluntary", 10),
    ("s3", "fails", "2017-05-01", "2018-03-31", "involuntary", 20),
    ("s4", "later", "2017-05-01", "2018-04-01", "voluntary", 7),  # still runs when it ends
    ("s5", "fresh", "2018-01-01", None, None, 5),
    ("s6", "again", "2016-05-01", "2017-02-01", "voluntary", 5),
    ("s7", "again", "2018-02-01", None, None, 6),
    ("s8", "cross", "2017-05-01", None, None, 10),
    ("s9", "cross", "2018-02-01", None, None, 4),
    ("up", "up", "2017-05-01", None, None, 10),
    ("dn", "down", "2017-05-01", None, None, 10),
    ("pz", "pause", "2017-05-01", None, None, 3),
    ("rs", "resume", "2017-05-01", None, None, 2),
)
CHANGES = _changed(
    ("up", "2018-01-15", "price_rise", 10, 11),
    ("up", "2018-02-15", "upgrade", 11, 15),
    ("dn", "2018-02-15", "downgrade", 10, 6),
    ("dn", "2018-04-15", "downgrade", 6, 1),  # not known yet
    ("pz", "2018-02-15", "pause", 3, 3),
    ("rs", "2017-08-01", "pause", 2, 2),
    ("rs", "2018-02-15", "resume", 2, 2),
)


def test_each_movement_of_subscriptions_is_counted_by_hand(engine: Engine):
    found = recurring_bridge(engine.table(HELD), engine.table(CHANGES), cycle=CYCLE)
    assert _amounts(found) == {
        "new": 50.0,
        "reactivation": 80.0,  # a new contract after an old one, and one resumed
        "cross-sell": 40.0,
        "upsell": 40.0,
        "price rise": 10.0,
        "contraction": -70.0,  # a downgrade of 4 and a pause of 3
        "churn, voluntary": -100.0,
        "churn, involuntary": -200.0,
        "change": -150.0,
    }
    assert _of(found, "opening_amount")["estimate"] == 800
    assert _of(found, "gross_retained_share")["estimate"] == pytest.approx(1 - 370 / 800)
    assert _of(found, "net_retained_share")["estimate"] == pytest.approx(1 - 280 / 800)
    _assert_adds_up(found)


def test_what_one_customer_adds_and_drops_is_set_off():
    both = _held(
        ("s1", "a", "2017-05-01", "2018-02-01", "voluntary", 10),
        ("s2", "a", "2018-02-01", None, None, 12),
    )
    found = recurring_bridge(both, cycle=CYCLE)
    assert _amounts(found) == {"cross-sell": 20.0, "change": 20.0}
    assert _of(found, "gross_retained_share")["estimate"] == 1.0


def test_it_draws_with_and_without_withheld_steps_and_gives_a_reason():
    found = recurring_bridge(HELD, CHANGES, cycle=CYCLE)
    found.protect(10).plot()
    assert "was kept" in found.sentence()
    hidden = found.protect(11)
    hidden.plot()
    assert hidden.sentence()
    with pytest.raises(Withheld, match="at least 10 customers"):
        recurring_bridge(HELD.head(5), CHANGES, cycle=CYCLE)
    with pytest.raises(Withheld, match="at least 10 customers"):
        order_bridge(_orders().head(0), cycle=CYCLE)
