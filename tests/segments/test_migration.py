"""The matrix holds everybody once, its rows add up, and so does its money."""

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import DataError, Withheld
from cxlab.segments import Migration, migration

CYCLE = parse_cycle("2018Q1")
NO_ORDERS = pd.DataFrame(
    {
        "customer_id": pd.Series(dtype=str),
        "placed_at": pd.Series(dtype="datetime64[us]"),
        "net_amount": pd.Series(dtype=float),
    }
)


def _members(**segments: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": segments.keys(), "segment": segments.values()})


def _cells(found: Migration, name: str, column: str = "estimate") -> dict[tuple[str, str], float]:
    rows = found.estimates[found.estimates["metric"] == f"customers.{name}"]
    return rows.set_index(["from_segment", "to_segment"])[column].to_dict()


def test_shares_are_of_the_row_and_new_customers_come_from_outside(engine: Engine):
    before = _members(a="good", b="good", c="good", d="fair")
    after = _members(a="good", b="fair", c="fair", d="fair", e="good")
    found = migration(engine.table(before), after, orders=NO_ORDERS, cycle=CYCLE)
    assert _cells(found, "migration_share") == {
        ("fair", "fair"): 1.0,
        ("fair", "good"): 0.0,
        ("good", "fair"): pytest.approx(2 / 3),
        ("good", "good"): pytest.approx(1 / 3),
        ("not yet a customer", "fair"): 0.0,
        ("not yet a customer", "good"): 1.0,
    }
    assert _cells(found, "migration_share", "n")["good", "fair"] == 3
    stayed = found.estimates.set_index("metric").loc["customers.stayed_share"]
    assert (stayed["estimate"], stayed["n"]) == (0.5, 4)


def test_the_interval_of_a_cell_is_wilsons(engine: Engine):
    before = _members(**{f"c{i}": "good" for i in range(263)})
    after = _members(**{f"c{i}": "fair" if i < 81 else "good" for i in range(263)})
    found = migration(engine.table(before), after, orders=NO_ORDERS, cycle=CYCLE)
    low = _cells(found, "migration_share", "conf_low")["good", "fair"]
    high = _cells(found, "migration_share", "conf_high")["good", "fair"]
    # Newcombe (1998), Statistics in Medicine 17, 857-872: 81 of 263
    assert (low, high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


def test_money_moved_is_net_revenue_of_the_cycle_and_adds_up(engine: Engine):
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "e", "a"],
            "placed_at": pd.to_datetime(
                ["2018-01-01", "2018-03-31", "2018-04-01", "2018-02-01", "2018-02-01", "2017-12-31"]
            ),
            "net_amount": [10.25, -2.25, 500.0, 7.5, 4.0, 900.0],
        }
    )
    found = migration(
        engine.table(_members(a="good", b="good")),
        _members(a="good", b="fair", e="fair"),
        orders=orders,
        cycle=CYCLE,
        currency="EUR",
    )
    money = _cells(found, "migration_amount")
    assert money["good", "good"] == 8.0
    assert money["good", "fair"] == 7.5
    assert money["not yet a customer", "fair"] == 4.0
    assert sum(money.values()) == 19.5
    assert set(found.estimates["unit"]) == {"share", "EUR"}


def test_who_is_missing_now_is_counted_as_gone_and_no_segment_as_not_known(engine: Engine):
    before = _members(a="good", b="good").assign(segment=["good", None])
    found = migration(engine.table(before), _members(a="good"), orders=NO_ORDERS, cycle=CYCLE)
    cells = _cells(found, "migration_share", "count")
    assert cells["good", "good"] == 1
    assert cells["not known", "no longer a customer"] == 1
    assert sum(cells.values()) == 2


def test_a_customer_in_two_segments_is_refused(engine: Engine):
    twice = pd.concat([_members(a="good"), _members(a="fair")])
    with pytest.raises(DataError, match="1 are in several"):
        migration(engine.table(twice), _members(a="good"), orders=NO_ORDERS, cycle=CYCLE)
    with pytest.raises(DataError, match="one column of segments"):
        wide = _members(a="good").assign(plan="x")
        migration(engine.table(wide), _members(a="good"), orders=NO_ORDERS, cycle=CYCLE)


def test_without_segments_before_there_is_a_reason(engine: Engine):
    with pytest.raises(Withheld, match="before 2018Q1"):
        migration(
            engine.table(_members(a="x").head(0)), _members(a="x"), orders=NO_ORDERS, cycle=CYCLE
        )


def test_small_cells_are_withheld_together_with_what_would_reveal_them():
    before = _members(**{f"c{i}": "good" if i < 60 else "fair" for i in range(120)})
    after = _members(**{f"c{i}": "fair" if i < 3 or i >= 80 else "good" for i in range(120)})
    found = migration(before, after, orders=NO_ORDERS, cycle=CYCLE)
    safe = found.protect(10)
    shown = _cells(safe, "migration_share", "suppressed")
    assert shown["good", "fair"]  # three customers
    assert shown["good", "good"]  # or it would follow from the row's total
    safe.plot()
    assert "good to fair" not in safe.sentence()


def test_money_of_a_cell_tells_how_much_the_largest_customers_brought(engine: Engine):
    members = _members(a="good", b="good", c="good")
    moment = pd.to_datetime(["2018-02-01"] * 3)
    orders = pd.DataFrame(
        {"customer_id": list("abc"), "placed_at": moment, "net_amount": [60.0, -30.0, 10.0]}
    )
    found = migration(engine.table(members), members, orders=orders, cycle=CYCLE)
    assert _cells(found, "migration_amount", "_top1") == {("good", "good"): 0.6}
    assert _cells(found, "migration_amount", "_top2") == {("good", "good"): 0.9}


def test_a_row_whose_group_is_withheld_elsewhere_does_not_tell_its_size():
    """Three were rare: in a count of groups 'fair' keeps them company, and so it must here."""
    before = _members(
        **{f"c{i}": ("rare" if i < 3 else "fair" if i < 43 else "good") for i in range(143)}
    )
    after = _members(**{f"c{i}": "good" for i in range(143)})
    safe = migration(before, after, orders=NO_ORDERS, cycle=CYCLE).protect(10)
    shown = {
        pair for pair, gone in _cells(safe, "migration_share", "suppressed").items() if not gone
    }
    assert ("fair", "good") not in shown  # its base would be the 40 that are withheld elsewhere


def test_all_who_stayed_do_not_tell_of_the_one_cell_that_is_withheld():
    before = _members(**{f"c{i}": "good" if i < 60 else "fair" for i in range(120)})
    after = _members(**{f"c{i}": "good" if i < 112 else "fair" for i in range(120)})
    safe = migration(before, after, orders=NO_ORDERS, cycle=CYCLE).protect(10)
    stayed = safe.estimates.set_index("metric").loc["customers.stayed_share"]
    assert stayed["suppressed"]


def test_an_empty_cell_looks_like_a_small_one_and_takes_no_other_with_it():
    before = _members(**{f"c{i}": "good" if i < 60 else "fair" for i in range(120)})
    after = _members(**{f"c{i}": "good" if i < 60 else "fair" for i in range(120)})
    safe = migration(before, after, orders=NO_ORDERS, cycle=CYCLE).protect(10)
    assert _cells(safe, "migration_share", "suppressed") == {
        ("fair", "fair"): False,
        ("fair", "good"): True,
        ("good", "fair"): True,
        ("good", "good"): False,
    }
    assert pd.isna(_cells(safe, "migration_share")["fair", "good"])
