"""Kept promises: counted in the right cycle, by group, and put into words."""

from datetime import date, datetime

import pandas as pd
import pytest

from cxlab.columns import ALL_OTHERS
from cxlab.errors import ParameterError, Withheld
from cxlab.operations import kept, on_time_in_full


def _promised(counts: dict[str, tuple[int, int]], *, kind: str = "delivery_date") -> pd.DataFrame:
    """Promises by the moment they were due: how many, and how many of them were kept."""
    rows = [(due, i < kept) for due, (n, kept) in counts.items() for i in range(n)]
    return pd.DataFrame(
        {
            "promise_id": [f"{kind}{i}" for i in range(len(rows))],
            "customer_id": [f"c{i}" for i in range(len(rows))],
            "kind": kind,
            "due_at": pd.to_datetime([due for due, _ in rows], format="ISO8601").astype(
                "datetime64[us]"
            ),
            "kept": pd.array([told for _, told in rows], dtype="boolean"),
            "owner": ["north" if i % 2 else "south" for i in range(len(rows))],
        }
    )


def _row(result, metric, **dims):
    rows = result.estimates[result.estimates["metric"] == metric]
    for name, value in dims.items():
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    (row,) = rows.to_dict("records")
    return row


def test_the_share_and_its_change_are_wilsons_and_newcombes(engine, cycle):
    table = _promised({"2024-05-01": (70, 56), "2024-02-01": (80, 48)})
    result = kept(engine.table(table), cycle=cycle, kind="delivery_date")
    share = _row(result, "delivery.kept_share", cycle=None)
    assert (share["estimate"], share["n"], share["count"]) == (0.8, 70, 56)
    assert (share["conf_low"], share["conf_high"]) == pytest.approx((0.69183, 0.87695), abs=5e-6)
    change = _row(result, "delivery.kept_change")
    # Newcombe (1998), table II, method 10: 56/70 against 48/80, printed to 4 digits.
    assert [change[c] for c in ("estimate", "conf_low", "conf_high")] == pytest.approx(
        [0.2, 0.0524, 0.3339], abs=5e-5
    )
    assert "Higher than in 2024Q1: +20.0 points (+5.2 to +33.4)." in result.sentence()


def test_a_promise_belongs_to_the_cycle_it_is_due_in_and_the_cutoff_to_the_next(engine, cycle):
    table = _promised(
        {"2024-03-31 23:59:59": (11, 0), "2024-04-01": (20, 20), "2024-07-01": (40, 0)}
    )
    share = _row(
        kept(engine.table(table), cycle=cycle, kind="delivery_date"),
        "delivery.kept_share",
        cycle=None,
    )
    assert (share["n"], share["estimate"]) == (20, 1.0)


def test_an_unknown_outcome_is_outside_the_share_and_in_the_note(engine, cycle):
    table = _promised({"2024-05-01": (15, 12)})
    table.loc[0:2, "kept"] = pd.NA
    result = kept(engine.table(table), cycle=cycle, kind="delivery_date")
    share = _row(result, "delivery.kept_share", cycle=None)
    assert (share["n"], share["count"]) == (12, 9)
    assert "The outcome of 3 more is not known." in result.note


def test_every_kind_gets_a_row_of_its_own(engine, cycle):
    both = pd.concat(
        [_promised({"2024-05-01": (20, 19)}), _promised({"2024-05-01": (30, 15)}, kind="price")]
    )
    result = kept(engine.table(both), cycle=cycle)
    assert _row(result, "promise.kept_share", kind="price")["estimate"] == 0.5
    assert _row(result, "promise.kept_share", kind="delivery_date")["estimate"] == 0.95
    assert result.sentence() == (
        "Between 50.0% (33.2 to 66.8%) of promises (price) and 95.0% (76.4 to 99.1%) of promises "
        "(delivery date) were kept in 2024Q2."
    )


def test_a_kind_that_is_not_a_delivery_keeps_its_name_as_a_dimension(cycle):
    result = kept(
        _promised({"2024-05-01": (30, 15), "2024-02-01": (30, 20)}, kind="price"),
        cycle=cycle,
        kind="price",
    )
    assert _row(result, "promise.kept_share", kind="price", cycle=None)["estimate"] == 0.5
    assert _row(result, "promise.kept_change", kind="price")["n"] == 60


def test_groups_come_from_a_column_or_from_a_table_of_customers(engine, cycle):
    table = _promised({"2024-05-01": (40, 30)})
    by_column = kept(engine.table(table), cycle=cycle, kind="delivery_date", by="owner")
    groups = table[["customer_id"]].assign(region=table["owner"])
    by_table = kept(engine.table(table), cycle=cycle, kind="delivery_date", by=engine.table(groups))
    for owner in ("north", "south"):
        one = _row(by_column, "delivery.kept_share", owner=owner)
        other = _row(by_table, "delivery.kept_share", region=owner)
        assert (one["estimate"], one["n"]) == (other["estimate"], other["n"]) == (0.75, 20)


def test_the_smallest_groups_share_a_row_and_nobody_is_lost(cycle):
    table = _promised({"2024-05-01": (60, 40)})
    table["owner"] = ["a"] * 30 + ["b"] * 20 + ["c"] * 6 + ["d"] * 4
    result = kept(table, cycle=cycle, by="owner")
    assert list(result.estimates["owner"]) == ["a", "b", ALL_OTHERS]
    assert result.estimates["n"].sum() == 60
    fewer = kept(table, cycle=cycle, by="owner", most=1)
    assert dict(zip(fewer.estimates["owner"], fewer.estimates["n"], strict=True)) == {
        "a": 30,
        ALL_OTHERS: 30,
    }


def test_promises_to_one_customer_count_for_less_than_independent_ones(engine, cycle):
    table = _promised({"2024-05-01": (40, 20)})
    alone = kept(engine.table(table), cycle=cycle, kind="delivery_date").estimates.iloc[0]
    table["customer_id"] = [f"c{i // 5}" for i in range(40)]  # each all kept or all broken
    shared = kept(engine.table(table), cycle=cycle, kind="delivery_date").estimates.iloc[0]
    assert shared["estimate"] == alone["estimate"] == 0.5
    # 40 promises to 8 customers are worth at most 8.
    assert shared["conf_low"] < 0.22 < alone["conf_low"]
    assert shared["method"] == "Wilson interval on the effective n"


@pytest.mark.parametrize(
    ("now", "before", "least"), [((40, 30), (30, 4), 4), ((30, 4), (40, 30), 4)]
)
def test_a_change_is_withheld_with_the_smaller_of_its_sides(cycle, now, before, least):
    result = kept(
        _promised({"2024-05-01": now, "2024-02-01": before}), cycle=cycle, kind="delivery_date"
    )
    assert _row(result, "delivery.kept_change")["count"] == least
    assert _row(result.protect(10), "delivery.kept_change")["suppressed"]


def test_people_are_counted_not_promises(engine, cycle):
    table = _promised({"2024-05-01": (40, 30), "2024-02-01": (40, 30)})
    table["customer_id"] = [f"c{i % 12}" for i in range(40)] + [f"c{i % 5}" for i in range(40)]
    result = kept(engine.table(table), cycle=cycle, kind="delivery_date")
    assert _row(result, "delivery.kept_share", cycle=None)["count"] == 12
    assert _row(result, "delivery.kept_change")["count"] == 5
    safe = result.protect(10)
    assert _row(safe, "delivery.kept_share", cycle="2024Q1")["suppressed"]
    assert _row(safe, "delivery.kept_change")["suppressed"]


def test_a_change_says_that_it_rests_on_the_effective_n(cycle):
    table = _promised({"2024-05-01": (40, 30), "2024-02-01": (40, 20)})
    plain = kept(table, cycle=cycle, kind="delivery_date")
    assert _row(plain, "delivery.kept_change")["method"] == "Newcombe hybrid score interval"
    table["customer_id"] = [f"c{i // 2}" if i < 40 else f"c{i}" for i in range(80)]
    method = _row(kept(table, cycle=cycle, kind="delivery_date"), "delivery.kept_change")["method"]
    assert method == "Newcombe hybrid score interval, effective n"


def test_promises_to_one_customer_are_no_share(engine, cycle):
    table = _promised({"2024-05-01": (30, 20), "2024-02-01": (30, 20)})
    alone = table.assign(customer_id="c0")
    with pytest.raises(Withheld, match="delivery promises due in 2024Q2 were made to one customer"):
        kept(engine.table(alone), cycle=cycle, kind="delivery_date")
    with pytest.raises(Withheld, match="one customer in each group"):
        kept(engine.table(alone), cycle=cycle, by="owner")
    before = table.assign(customer_id=[f"c{i}" if i < 30 else "c0" for i in range(60)])
    result = kept(engine.table(before), cycle=cycle, kind="delivery_date")
    assert _row(result, "delivery.kept_share", cycle="2024Q1")["suppressed"]
    assert not result.estimates["metric"].str.endswith("change").any()


def test_a_group_of_one_customer_is_withheld_however_many_promises(engine, cycle):
    table = _promised({"2024-05-01": (90, 60)})
    table["owner"] = ["a"] * 30 + ["b"] * 30 + ["c"] * 30
    table.loc[:29, "customer_id"] = "c0"
    row = _row(kept(engine.table(table), cycle=cycle, by="owner"), "promise.kept_share", owner="a")
    assert row["suppressed"]
    assert pd.isna(row["estimate"])


def test_a_customer_of_two_small_groups_is_one_of_both_together(engine, cycle):
    table = _promised({"2024-05-01": (46, 40)})
    table["owner"] = ["a"] * 30 + ["b"] * 8 + ["c"] * 8
    table.loc[30:, "customer_id"] = [f"z{i % 8}" for i in range(16)]
    result = kept(engine.table(table), cycle=cycle, by="owner")
    others = _row(result, "promise.kept_share", owner=ALL_OTHERS)
    assert (others["n"], others["count"]) == (16, 8)
    assert others["method"] == "Wilson interval on the effective n"


def test_delivery_dates_alone_are_not_compared_with_nothing(engine, cycle):
    one = _promised({"2024-05-01": (20, 19)})
    later = _promised({"2024-08-01": (20, 19)}, kind="price")
    with pytest.raises(Withheld, match="one kind, delivery date, shown above"):
        kept(engine.table(pd.concat([one, later])), cycle=cycle)
    assert len(kept(engine.table(one), cycle=cycle, by="owner").estimates) == 2
    # Shown nowhere else, so it keeps its row.
    assert len(kept(one.assign(kind="price"), cycle=cycle).estimates) == 1


def test_shipments_are_taken_as_independent_and_the_note_says_so(cycle, shipped):
    result = on_time_in_full(shipped([0.0] * 30).assign(in_full=True), cycle=cycle)
    assert result.estimates.iloc[0]["method"] == "Wilson interval"
    assert "taken as independent, so the interval is somewhat too narrow" in result.note
    promised = kept(_promised({"2024-05-01": (20, 19)}), cycle=cycle, kind="delivery_date")
    assert "independent" not in promised.note


def test_the_series_goes_back_eight_cycles_and_its_rows_name_them(engine, cycle):
    days = ["2024-05-01", "2024-02-01", "2023-11-01", "2023-08-01", "2022-08-01", "2022-05-01"]
    table = _promised(dict.fromkeys(days, (20, 15)))
    result = kept(engine.table(table), cycle=cycle, kind="delivery_date")
    shares = result.table()
    shares = shares[shares["metric"] == "delivery.kept_share"]
    # 2022Q3 is the eighth cycle counted back from 2024Q2; 2022Q2 is beyond.
    assert list(shares["cycle"]) == ["2024Q2", "2024Q1", "2023Q4", "2023Q3", "2022Q3"]


def test_without_a_cycle_before_there_is_no_change(cycle):
    result = kept(_promised({"2024-05-01": (20, 15)}), cycle=cycle, kind="delivery_date")
    assert not result.estimates["metric"].str.endswith("change").any()
    assert "too few from 2024Q1 to compare with" in result.sentence()


def test_what_is_withheld_stays_out_of_the_sentence_and_the_picture_still_draws(cycle):
    table = _promised({"2024-05-01": (40, 4), "2024-02-01": (40, 30)})
    result = kept(table, cycle=cycle, kind="delivery_date").protect(10)
    assert result.sentence() == (
        "Too few delivery promises due in 2024Q2 were kept to show their share. "
        "The change from 2024Q1 is withheld."
    )
    assert result.plot() is not None
    by_owner = kept(table, cycle=cycle, by="owner").protect(10)
    assert by_owner.sentence() == "No group has enough promises to be shown."
    assert by_owner.plot() is not None


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_promises_are_withheld(engine, cycle, n):
    table = _promised({"2024-02-01": (20, 15), "2024-05-01": (n, n)})
    with pytest.raises(Withheld, match=f"at least 10 delivery promises .* but {n} fell due"):
        kept(engine.table(table), cycle=cycle, kind="delivery_date")
    with pytest.raises(Withheld, match="at least 10 promises"):
        kept(engine.table(table), cycle=cycle, by="owner")


def test_an_unknown_kind_is_refused_with_the_nearest(cycle):
    with pytest.raises(ParameterError, match="Did you mean 'delivery_date'"):
        kept(_promised({"2024-05-01": (20, 15)}), cycle=cycle, kind="delivery")


def test_neither_the_order_of_rows_nor_the_names_of_customers_matter(cycle):
    table = _promised({"2024-05-01": (40, 30), "2024-02-01": (30, 20)})
    other = table.sample(frac=1, random_state=1).assign(
        customer_id=lambda t: "Ωμέγα-" + t["customer_id"]
    )
    one = kept(table, cycle=cycle, kind="delivery_date")
    pd.testing.assert_frame_equal(
        one.estimates, kept(other, cycle=cycle, kind="delivery_date").estimates
    )


def test_in_full_counts_where_it_is_known_and_late_is_never_kept(engine, cycle, shipped):
    table = shipped([0.0] * 12 + [-3.0] * 12 + [1.0] * 6 + [None] * 6)
    table["in_full"] = pd.array([False] * 2 + [True] * 12 + [pd.NA] * 22, dtype="boolean")
    share = _row(
        on_time_in_full(engine.table(table), cycle=cycle),
        "delivery.on_time_in_full_share",
        cycle=None,
    )
    assert (share["n"], share["count"]) == (36, 22)


def test_shipments_can_be_compared_by_carrier(engine, cycle, shipped):
    table = shipped([0.0] * 15 + [2.0] * 15).assign(carrier=["van", "bike"] * 15, in_full=True)
    result = on_time_in_full(engine.table(table), cycle=cycle, by="carrier")
    assert _row(result, "delivery.on_time_in_full_share", carrier="van")["count"] == 8
    assert "came on time and in full in 2024Q2" in result.sentence()


def test_the_promised_day_itself_decides_the_cycle(engine, cycle, shipped):
    inside = [shipped([0.0] * 10, promised=day) for day in (date(2024, 4, 1), date(2024, 6, 30))]
    outside = [shipped([9.0] * 10, promised=day) for day in (date(2024, 3, 31), date(2024, 7, 1))]
    table = pd.concat(inside + outside).assign(in_full=True)
    share = on_time_in_full(engine.table(table), cycle=cycle).estimates.iloc[0]
    assert (share["n"], share["estimate"]) == (20, 1.0)


def test_a_delivery_after_the_cutoff_is_not_known(engine, cycle, shipped):
    table = shipped([0.0] * 20, promised=date(2024, 6, 30)).assign(in_full=True)
    table.loc[0:4, "delivered_at"] = datetime(2024, 7, 1)
    share = on_time_in_full(engine.table(table), cycle=cycle).estimates.iloc[0]
    assert (share["n"], share["count"]) == (20, 15)


def test_in_full_is_not_claimed_where_no_system_tells(engine, cycle, shipped):
    table = shipped([0.0] * 20)
    with pytest.raises(Withheld, match="only their punctuality is known"):
        on_time_in_full(engine.table(table), cycle=cycle)
    table["in_full"] = pd.array([pd.NA] * 20, dtype="boolean")
    with pytest.raises(Withheld, match="only their punctuality is known"):
        on_time_in_full(engine.table(table), cycle=cycle)


def test_a_service_level_is_not_called_by_its_code(cycle):
    table = pd.concat(
        [
            _promised({"2024-05-01": (30, 25)}, kind="sla"),
            _promised({"2024-05-01": (30, 15)}, kind="price"),
        ]
    )
    result = kept(table, cycle=cycle)
    assert "(service level)" in result.sentence()
    assert set(result.table()["kind"]) == {"service level", "price"}
    assert set(result.estimates["kind"]) == {"sla", "price"}  # the record keeps the code
