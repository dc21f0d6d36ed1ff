"""Who is in a chapter, who changed their mind, and how far consent bends the numbers."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import ParameterError, Withheld
from cxlab.trust import consent_bias, consent_flow, seen

from ..labs import lab_of

CYCLE = parse_cycle("2018Q1")
HEAD = ["customer_id", "purpose", "valid_from", "status"]


def customers(count: int, **columns: Any) -> pd.DataFrame:
    names = [f"c{i}" for i in range(count)]
    first = pd.Timestamp("2017-01-01")
    return pd.DataFrame({"customer_id": names, "first_seen_at": first} | columns)


def said(rows: list[tuple[range, str, str]], purpose: str = "analytics") -> pd.DataFrame:
    """Let customers of a range say a status from a day on."""
    listed = [
        (f"c{i}", purpose, pd.Timestamp(day), status) for who, day, status in rows for i in who
    ]
    return pd.DataFrame(listed, columns=HEAD).astype({"valid_from": "datetime64[us]"})


ASKED = said(
    [
        (range(60), "2017-02-01", "granted"),
        (range(40, 60), "2018-02-01", "withdrawn"),
        (range(60, 75), "2017-02-01", "denied"),
        (range(60, 62), "2018-04-01", "granted"),  # the day the next cycle begins
    ]
)


def test_seen_counts_customers_by_what_they_said_and_rows_taken_out():
    orders = pd.DataFrame(
        {"order_id": range(200), "customer_id": [f"c{i % 100}" for i in range(200)],
         "placed_at": pd.Timestamp("2018-01-05"), "net_amount": 1.0}
    )  # fmt: skip
    found = seen(
        lab_of({"customers": customers(100), "consents": ASKED, "orders": orders}, CYCLE)
    ).protect(10)
    assert found.sentence() == (
        "40 of 100 customers (40.0%) allow analytics; the rows of the other 60 were taken out "
        "before this chapter read any."
    )
    rows = found.table().set_index(["table", "status"])["rows"].to_dict()
    assert rows == {
        ("customers", "granted"): 40, ("customers", "no record"): 25, ("customers", "denied"): 15,
        ("customers", "withdrawn"): 20, ("consents", "left out"): 55, ("orders", "left out"): 120,
    }  # fmt: skip


def test_seen_says_where_no_consent_is_on_record_or_none_is_needed():
    tables = {"customers": customers(100), "consents": ASKED}
    without = seen(lab_of({"customers": customers(100)}, CYCLE))
    assert without.sentence() == (
        "No record of consents is mapped in this study: the rows of all 100 customers may be read."
    )
    assert without.table()["rows"].tolist() == [100]
    ground = seen(lab_of(tables, CYCLE, purpose="service")).sentence()
    assert ground.startswith("Service needs no consent in this study; it stands on: contract:")


def test_a_few_who_do_not_allow_are_not_told_apart():
    few = said([(range(97), "2017-02-01", "granted"), (range(97, 100), "2017-02-01", "denied")])
    found = seen(lab_of({"customers": customers(100), "consents": few}, CYCLE)).protect(10)
    assert "is withheld" in found.sentence()
    assert not {3, 97} & set(found.table()["rows"].dropna())


def test_many_rows_of_few_people_are_withheld_and_those_of_other_tables_are_not():
    granted = said([(range(80), "2017-02-01", "granted"), (range(80, 100), "2017-02-01", "denied")])
    orders = pd.DataFrame(
        {"order_id": range(20), "customer_id": [f"c{i}" for i in range(80, 100)],
         "placed_at": pd.Timestamp("2018-01-05"), "net_amount": 1.0}
    )  # fmt: skip
    tables = {"customers": customers(100), "consents": granted, "orders": orders}
    referrals = pd.DataFrame(
        {"referral_id": ["1"], "referrer_id": ["c99"], "referred_at": pd.Timestamp("2018-01-05")}
    )
    found = seen(lab_of(tables | {"referrals": referrals}, CYCLE)).protect(10).table()
    shown = found[~found["suppressed"]].set_index("table")["rows"]
    assert shown["orders"] == 20
    assert "referrals" not in shown
    few = said([(range(95), "2017-02-01", "granted"), (range(95, 100), "2017-02-01", "denied")])
    many = pd.concat([orders.assign(customer_id="c99")] * 3)
    tables = {"customers": customers(100), "consents": few, "orders": many}
    assert (
        seen(lab_of(tables, CYCLE))
        .protect(10)
        .table()
        .set_index("table")
        .loc["orders"]["suppressed"]
    )


def test_nobody_seen_still_gives_counts():
    none = said([(range(100), "2017-02-01", "denied")])
    orders = pd.DataFrame(
        {"order_id": ["1"], "customer_id": ["c1"], "placed_at": pd.Timestamp("2018-01-05")}
    )
    found = seen(lab_of({"customers": customers(100), "consents": none, "orders": orders}, CYCLE))
    assert found.table().set_index(["table", "status"])["rows"]["orders", "left out"] == 1


def test_flow_counts_each_customer_once_on_both_sides():
    lab = lab_of({"customers": customers(100), "consents": ASKED}, CYCLE)
    found = consent_flow(lab)
    rows = found.table().set_index(["purpose", "status"])
    assert rows.loc["analytics", "opening"].to_dict() == {
        "granted": 60, "denied": 15, "withdrawn": 0, "no record": 25,
    }  # fmt: skip
    assert rows.loc["analytics", "closing"].to_dict() == {
        "granted": 40, "denied": 15, "withdrawn": 20, "no record": 25,
    }  # fmt: skip
    assert found.protect(10).sentence() == (
        "The largest move of 2018Q1 is from granted to withdrawn for analytics: 20 customers."
    )
    assert set(found.table()["purpose"]) == {"analytics", "research", "marketing"}
    found.protect(10).plot()
    plt.close("all")


def test_the_opening_of_a_cycle_is_the_closing_of_the_one_before():
    late = ASKED.assign(loaded_at=ASKED["valid_from"] + pd.Timedelta(days=70))
    tables = {"customers": customers(100), "consents": late}
    before, now = (consent_flow(lab_of(tables, c)).table() for c in (CYCLE.previous, CYCLE))
    pd.testing.assert_series_equal(before["closing"], now["opening"], check_names=False)


def test_a_new_customer_is_no_change_of_mind():
    new = customers(100).assign(first_seen_at=pd.Timestamp("2018-01-10"))
    granted = said([(range(100), "2018-01-11", "granted")])
    found = consent_flow(lab_of({"customers": new, "consents": granted}, CYCLE)).protect(10)
    assert found.sentence().startswith("How many changed their mind about a purpose is withheld")


def test_moves_that_are_withheld_with_a_small_one_are_not_called_too_few():
    """Twenty withdrew and three denied: the twenty go with the three, though no small number."""
    granted = said([(range(90), "2017-02-01", "granted")])
    moved = said([(range(20), "2018-01-10", "withdrawn"), (range(20, 23), "2018-01-10", "denied")])
    asked = pd.concat([granted, moved], ignore_index=True)
    found = consent_flow(lab_of({"customers": customers(100), "consents": asked}, CYCLE))
    assert "customers" in found.sentence()
    assert "or the number would tell of a few" in found.protect(10).sentence()


def test_bias_is_the_share_of_others_times_the_distance_to_them():
    """Hand-worked: 60 of 100 consent and bought twice, the others once."""
    granted = said([(range(60), "2017-02-01", "granted"), (range(60, 100), "2017-02-01", "denied")])
    twice = [f"c{i}" for i in range(60)] * 2 + [f"c{i}" for i in range(60, 100)]
    orders = pd.DataFrame(
        {"order_id": range(len(twice)), "customer_id": twice,
         "placed_at": pd.Timestamp("2018-01-05"), "net_amount": 10.0}
    )  # fmt: skip
    orders = pd.concat([orders, orders.head(1).assign(order_id=999)])  # one customer thrice
    people = customers(100, region=["n"] * 45 + ["s"] * 15 + ["n"] * 10 + ["s"] * 30)
    tables = {"customers": people, "consents": granted, "orders": orders}
    found = consent_bias(lab_of(tables, CYCLE), weigh_by=("region",))
    rows = found.estimates.set_index(["measure", "metric"])["estimate"]["orders per customer"]
    assert rows["consent.of_consenters"] == pytest.approx(121 / 60)
    assert rows["consent.of_all"] == pytest.approx(161 / 100)
    assert rows["consent.difference"] == pytest.approx(0.4 * (121 / 60 - 1))
    # North: 45 members of 55, 91 orders; south: 15 members of 45, 30 orders.
    assert rows["consent.reweighted"] == pytest.approx((91 * 55 / 45 + 30 * 45 / 15) / 100)
    north = found.groups.table().set_index(["variable", "group"]).loc["region", "n"]
    assert north["group_share"] == pytest.approx(45 / 60)
    assert north["estimate"] == pytest.approx(0.75 - 0.55)
    assert "too high for orders per customer, +25.3%" in found.protect(10).sentence()
    assert "most of all in region n: +20.0 points" in found.groups.protect(10).sentence()


def test_an_amount_that_one_customer_dominates_is_withheld():
    granted = said([(range(60), "2017-02-01", "granted"), (range(60, 100), "2017-02-01", "denied")])
    orders = pd.DataFrame(
        {"order_id": range(100), "customer_id": [f"c{i}" for i in range(100)],
         "placed_at": pd.Timestamp("2018-01-05"), "net_amount": [9.0 + i % 3 for i in range(100)]}
    )  # fmt: skip
    tables = {"customers": customers(100), "consents": granted, "orders": orders}
    even = consent_bias(lab_of(tables, CYCLE)).protect(10).table().set_index("measure")
    assert not even.loc["net amount per customer", "suppressed"].any()
    orders.loc[99, "net_amount"] = 1e6  # one of those who do not consent
    uneven = consent_bias(lab_of(tables, CYCLE)).protect(10).table().set_index("measure")
    assert uneven.loc["net amount per customer", "suppressed"].all()


def test_both_engines_tell_the_same_of_consent(engine: Engine):
    """The gate, the last word and the sums of the bias, each asked of both."""
    granted = said([(range(60), "2017-02-01", "granted"), (range(50, 100), "2018-02-01", "denied")])
    tables = {
        "customers": customers(100, region=["n"] * 45 + ["s"] * 15 + ["n"] * 10 + ["s"] * 30),
        "consents": granted,
        "orders": pd.DataFrame(
            {"order_id": range(150), "customer_id": [f"c{i % 97}" for i in range(150)],
             "placed_at": pd.Timestamp("2018-01-05"), "net_amount": [9.0 + i for i in range(150)]}
        ).astype({"order_id": "str", "placed_at": "datetime64[us]"}),
    }  # fmt: skip
    placed = {name: engine.table(table) for name, table in tables.items()}
    for make in (consent_bias, consent_flow):
        found, expected = make(lab_of(placed, CYCLE)), make(lab_of(tables, CYCLE))
        pd.testing.assert_frame_equal(found.estimates, expected.estimates, check_dtype=False)


def test_bias_needs_both_sides_and_a_record():
    people = customers(100)
    with pytest.raises(Withheld, match="no consent is on record"):
        consent_bias(lab_of({"customers": people}, CYCLE))
    few = said([(range(95), "2017-02-01", "granted")])
    with pytest.raises(Withheld, match="as many who do not"):
        consent_bias(lab_of({"customers": people, "consents": few}, CYCLE))
    forbidden = {"aggregates_without_consent": False}
    with pytest.raises(Withheld, match="aggregates_without_consent"):
        consent_bias(lab_of({"customers": people, "consents": ASKED}, CYCLE, consent=forbidden))
    with pytest.raises(ParameterError, match="weigh_by may name"):
        consent_bias(lab_of({"customers": people}, CYCLE), weigh_by=("age",))


def test_bias_speaks_of_groups_where_nothing_was_bought():
    people = customers(100, region=["n"] * 50 + ["s"] * 50)
    found = consent_bias(lab_of({"customers": people, "consents": ASKED}, CYCLE))
    assert found.groups.sentence().startswith("Those who allow analytics differ clearly")
    assert found.sentence().startswith("How far consent bends the numbers is withheld")
    assert found.plot() is None
