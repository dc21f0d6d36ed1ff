"""Days late: every shipment in one band, and a median that no shipment on its way can move."""

from datetime import date, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.data.calendar import parse_cycle
from cxlab.errors import Withheld
from cxlab.operations import lateness
from cxlab.operations.deliveries import NOT_YET


def _counts(result):
    rows = result.estimates[result.estimates["metric"] == "delivery.lateness_share"]
    return {name: int(count) for name, count in zip(rows["days_late"], rows["count"], strict=True)}


def test_each_shipment_is_in_one_band_and_what_has_not_come_is_one(engine, cycle, shipped):
    days = [-30.0, -7, -6, -1, 0, 1, 3, 4, 7, 8, 14, 15, 40, None, None]
    result = lateness(engine.table(shipped(days)), cycle=cycle)
    assert _counts(result) == {
        "a week or more early": 2,
        "1 to 6 days early": 2,
        "on the day": 1,
        "1 to 3 days late": 2,
        "4 to 7 days late": 2,
        "8 to 14 days late": 2,
        "15 or more days late": 2,
        NOT_YET: 2,
    }
    assert "2 of them not delivered" in result.note
    late = result.estimates.set_index("metric").loc["delivery.late_share"]
    assert (late["count"], late["n"]) == (10, 15)


def test_the_day_in_the_studys_zone_decides_where_the_table_has_it(engine, cycle, shipped):
    table = shipped([0.0] * 12)
    # 23:30 in the evening of the promised day is the next day in UTC.
    table["delivered_at"] = datetime(2024, 5, 2, 2, 30)
    assert _counts(lateness(engine.table(table), cycle=cycle))["1 to 3 days late"] == 12
    table["delivered_on"] = date(2024, 5, 1)
    assert _counts(lateness(engine.table(table), cycle=cycle))["on the day"] == 12


def test_nothing_from_after_the_cutoff_is_used(engine, cycle, shipped):
    table = shipped([5.0] * 12, promised=date(2024, 6, 28))
    assert _counts(lateness(engine.table(table), cycle=cycle))[NOT_YET] == 12


def test_the_median_is_given_where_nothing_on_its_way_can_move_it(engine, cycle, shipped):
    result = lateness(engine.table(shipped([-4.0] * 30 + [2.0] * 5 + [None] * 5)), cycle=cycle)
    median = result.estimates.set_index("metric").loc["delivery.median_days_late"]
    assert [median[c] for c in ("estimate", "conf_low", "conf_high")] == [-4, -4, -4]
    assert result.sentence() == (
        "25.0% of the shipments promised for 2024Q2 came late or had not come by its end "
        "(14.2 to 40.2%); the middle one came 4 days before the promised one."
    )


def test_the_median_is_left_out_where_it_waits_for_what_is_on_its_way(cycle, shipped):
    result = lateness(shipped([1.0] * 6 + [None] * 14), cycle=cycle)
    assert "delivery.median_days_late" not in set(result.estimates["metric"])
    assert "the middle one" not in result.sentence()


def test_small_bands_are_withheld_and_still_drawn(cycle, shipped):
    days = [-4.0] * 30 + [-9.0] * 20 + [0.0] * 12 + [2.0] * 5 + [5.0] * 6 + [None] * 15
    result = lateness(shipped(days), cycle=cycle).protect(10)
    hidden = result.estimates.set_index("days_late")["suppressed"]
    assert set(hidden.index[hidden]) == {
        "1 to 3 days late",
        "4 to 7 days late",
        "8 to 14 days late",
        "15 or more days late",
    }
    assert result.plot() is not None


def test_a_small_late_band_cannot_be_found_from_the_share_that_was_late(cycle, shipped):
    days = [-4.0] * 30 + [0.0] * 11 + [2.0] * 5 + [5.0] * 20 + [9.0] * 30 + [20.0] * 40
    estimates = lateness(shipped([*days, *[None] * 50]), cycle=cycle).protect(10).estimates
    hidden = estimates.loc[estimates["suppressed"], "days_late"].tolist()
    # Late is known in total, so a second late band must hide the first, not "on the day".
    assert {"1 to 3 days late", "4 to 7 days late"} <= set(hidden)


def test_the_note_says_that_shipments_are_taken_as_independent(cycle, shipped):
    note = lateness(shipped([0.0] * 20), cycle=cycle).note
    assert "taken as independent, so the interval is somewhat too narrow" in note


def test_an_empty_table_is_withheld(engine, cycle, shipped):
    with pytest.raises(Withheld, match="at least 10 shipments, but 9 were promised for 2024Q2"):
        lateness(engine.table(shipped([0.0] * 9)), cycle=cycle)


@settings(max_examples=20, deadline=None)
@given(late=st.lists(st.none() | st.integers(-40, 40), min_size=10, max_size=40))
def test_the_bands_add_up_to_all_shipments(late):
    came = [None if d is None else date(2024, 5, 15) + pd.Timedelta(days=d) for d in late]
    table = pd.DataFrame(
        {
            "order_id": [str(i) for i in range(len(late))],
            "promised_on": [date(2024, 5, 15)] * len(late),
            "delivered_at": pd.to_datetime(came).astype("datetime64[us]"),
        }
    )
    result = lateness(table, cycle=parse_cycle("2024Q2"))
    assert sum(_counts(result).values()) == len(late)
