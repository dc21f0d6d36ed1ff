"""Satisfaction by days late: who rated before delivery stands apart, and no cause is claimed."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.errors import DataError, Withheld
from cxlab.operations import dose_response
from cxlab.operations.dose import OVERDUE, WAITING
from cxlab.operations.slope import slope

DAY = datetime(2024, 5, 1)


def _rated(scores, *, at=DAY + timedelta(days=20)):
    """One rating per order `o0`, `o1` ... at one moment."""
    return pd.DataFrame(
        {
            "response_id": [f"r{i}" for i in range(len(scores))],
            "order_id": [f"o{i}" for i in range(len(scores))],
            "construct": "csat",
            "answered_at": pd.Series([at] * len(scores)).astype("datetime64[us]"),
            "value": [float(s) for s in scores],
            "scale_min": 1.0,
            "scale_max": 5.0,
        }
    )


def _by_band(result, metric="delivery.csat_by_lateness"):
    rows = result.estimates[result.estimates["metric"] == metric]
    return {r["days_late"]: (r["estimate"], r["n"]) for r in rows.to_dict("records")}


def _number(result, metric):
    (row,) = result.estimates[result.estimates["metric"] == metric].to_dict("records")
    return row["estimate"], row["conf_low"], row["conf_high"]


def test_means_and_top_boxes_by_band_are_those_of_the_rows(engine, cycle, shipped):
    sent = shipped([-2.0] * 12 + [2.0] * 12)
    rated = _rated([5, 4] * 6 + [1, 4] * 6)
    result = dose_response(engine.table(sent), engine.table(rated), cycle=cycle)
    assert _by_band(result) == {"1 to 6 days early": (4.5, 12), "1 to 3 days late": (2.5, 12)}
    tops = _by_band(result, "delivery.top_box_by_lateness")
    assert tops == {"1 to 6 days early": (1.0, 12), "1 to 3 days late": (0.5, 12)}
    estimate, low, high = _number(result, "delivery.csat_late_difference")
    assert estimate == -2.0
    assert low < -2.0 < high < 0
    assert result.sentence().startswith("Orders late when rated score 2.00 points less (")
    assert result.sentence().endswith("Association, not cause.")


def test_who_rates_before_delivery_stands_apart_by_whether_the_day_had_passed(
    engine, cycle, shipped
):
    # Orders 0-11 in time, 12-23 rated before their promised day, 24-35 after it.
    sent = shipped([-2.0] * 12 + [0.0] * 12 + [30.0] * 12)
    rated = _rated([5] * 12 + [3] * 12 + [1] * 12)
    rated.loc[12:23, "answered_at"] = DAY - timedelta(days=3)
    result = dose_response(engine.table(sent), engine.table(rated), cycle=cycle)
    assert _by_band(result) == {
        "1 to 6 days early": (5, 12),
        WAITING: (3, 12),
        OVERDUE: (1, 12),
    }
    # The overdue count as late; nobody late had received the parcel, so no slope.
    assert _number(result, "delivery.csat_late_difference")[0] == -4.0
    assert "delivery.csat_slope" not in set(result.estimates["metric"])
    assert "Base: 24 orders that were overdue or had come" in result.note


def test_an_order_has_come_when_its_last_shipment_has(engine, cycle, shipped):
    first, second = shipped([-1.0] * 12), shipped([5.0] * 12)
    sent = pd.concat([first, second])
    result = dose_response(engine.table(sent), engine.table(_rated([2] * 12)), cycle=cycle)
    assert _by_band(result) == {"4 to 7 days late": (2, 12)}


def test_only_the_last_rating_of_an_order_within_the_cycle_counts(engine, cycle, shipped):
    earlier = _rated([1] * 12, at=DAY + timedelta(days=10)).assign(response_id="earlier")
    beyond = _rated([1] * 12, at=datetime(2024, 7, 1)).assign(response_id="beyond")
    rated = pd.concat([_rated([4] * 12), earlier, beyond])
    result = dose_response(engine.table(shipped([0.0] * 12)), engine.table(rated), cycle=cycle)
    assert _by_band(result) == {"on the day": (4, 12)}


def test_reversed_ratings_are_turned_and_other_questions_left_out(engine, cycle, shipped):
    rated = _rated([1] * 12).assign(reversed=True, question="ease")
    other = _rated([2] * 12).assign(reversed=False, question="price", response_id="z")
    result = dose_response(
        engine.table(shipped([0.0] * 12)),
        engine.table(pd.concat([rated, other])),
        cycle=cycle,
        question="ease",
    )
    assert _by_band(result) == {"on the day": (5, 12)}


def test_several_scales_are_refused_by_name(cycle, shipped):
    rated = _rated([3] * 12)
    rated.loc[6:, "scale_max"] = 10.0
    with pytest.raises(DataError, match="have 1 to 5 and 1 to 10"):
        dose_response(shipped([0.0] * 12), rated, cycle=cycle)


@pytest.mark.parametrize("value", [99, 0, float("inf")])
def test_ratings_outside_their_scale_are_refused_and_counted(engine, cycle, shipped, value):
    rated = _rated([value, value, *[3] * 20])
    with pytest.raises(DataError, match=f"2024Q2 has 2 outside 1 to 5, among them {value:g}"):
        dose_response(engine.table(shipped([0.0] * 22)), engine.table(rated), cycle=cycle)
    earlier = _rated([99] * 3, at=DAY - timedelta(days=90)).assign(response_id="earlier")
    both = pd.concat([_rated([3] * 22), earlier])
    assert len(dose_response(shipped([0.0] * 22), both, cycle=cycle).estimates)


def test_the_note_says_that_orders_are_taken_as_independent(cycle, shipped):
    result = dose_response(shipped([0.0] * 20), _rated([5] * 20), cycle=cycle)
    assert "taken as independent, so the interval is somewhat too narrow" in result.note


def test_a_band_whose_ratings_are_all_equal_still_has_an_interval(cycle, shipped):
    result = dose_response(shipped([0.0] * 20), _rated([5] * 20), cycle=cycle)
    row = result.estimates.iloc[0]
    assert row["conf_low"] < row["estimate"] == row["conf_high"] == 5


def test_the_slope_is_per_day_late_and_stops_at_most_days(engine, cycle, shipped):
    days = [-5.0, 0, 1, 2, 3, 4] * 6 + [90.0] * 4
    score = [5.0 if d <= 0 else 5 - min(d, 4) * 0.5 for d in days]
    result = dose_response(
        engine.table(shipped(days, promised=date(2024, 4, 1))),
        engine.table(_rated(score, at=datetime(2024, 6, 30, 23))),
        cycle=cycle,
        most_days=4,
    )
    # The rated score falls by exactly half a point per day: no scatter, no width.
    assert _number(result, "delivery.csat_slope") == pytest.approx((-0.5, -0.5, -0.5), abs=1e-7)
    assert "Each day late goes with 0.50 points less (0.50 to 0.50), up to 4 days." in (
        result.sentence()
    )


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0, 1, 2, 5, 14]), st.integers(1, 5)),
        min_size=12,
        max_size=60,
    ).filter(lambda rows: all(sum(x == d for x, _ in rows) != 1 for d in (0, 1, 2, 5, 14))),
)
def test_the_slope_from_sums_equals_hc3_on_the_rows(rows):
    x, y = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if len(set(x)) < 2:
        return
    by_day = [(d, (x == d).sum(), y[x == d].sum(), (y[x == d] ** 2).sum()) for d in sorted(set(x))]
    found = slope(*zip(*by_day, strict=True))
    # HC3 in matrices, as MacKinnon & White (1985) write it.
    design = np.column_stack([np.ones_like(x), x])
    bread = np.linalg.inv(design.T @ design)
    coefficient = bread @ design.T @ y
    hat = np.einsum("ij,jk,ik->i", design, bread, design)
    weight = ((y - design @ coefficient) / (1 - hat)) ** 2
    covariance = bread @ (design.T * weight) @ design @ bread
    assert found.estimate == pytest.approx(coefficient[1], abs=1e-9)  # rounding of the inverse
    assert found.se**2 == pytest.approx(covariance[1, 1], abs=1e-9)


def test_one_order_alone_does_not_set_the_line():
    with pytest.raises(Withheld, match="late by different numbers of days"):
        slope([0, 9], [20, 1], [80, 1], [330, 1])


def test_withheld_bands_stay_out_of_the_sentence_and_are_still_drawn(cycle, shipped):
    result = dose_response(
        shipped([-2.0] * 30 + [2.0] * 4), _rated([5, 4] * 15 + [1] * 4), cycle=cycle
    ).protect(10)
    assert result.sentence() == (
        "Too few late orders were rated in 2024Q2 to compare with the others. "
        "Association, not cause."
    )
    assert result.plot() is not None


def test_no_base_tells_how_many_rated_before_delivery_where_they_are_few(cycle, shipped):
    """40 in time, 20 late, 3 not come and not due, 4 overdue: no sum is off by the 3 or the 4."""
    sent = shipped([-2.0] * 40 + [2.0] * 10 + [5.0] * 10 + [0.0] * 3 + [30.0] * 4)
    rated = _rated([5, 4] * 20 + [2, 1] * 10 + [3] * 7)
    rated.loc[60:62, "answered_at"] = DAY - timedelta(days=3)
    result = dose_response(sent, rated, cycle=cycle)
    assert {"delivery.csat_slope", "delivery.csat_late_difference"} <= set(
        result.estimates["metric"]
    )
    safe = result.protect(10)
    shown = safe.estimates[~safe.estimates["suppressed"]].set_index("metric")["n"]
    assert shown["delivery.csat_late_difference"] == 64
    assert "delivery.csat_slope" not in shown.index  # of 60: the 4 would follow
    assert "67" not in result.note  # of all: the 3 would follow


def test_too_few_ratings_are_withheld(engine, cycle, shipped):
    with pytest.raises(Withheld, match=r"at least 10 rated orders .* but 3 were rated"):
        dose_response(engine.table(shipped([0.0] * 20)), engine.table(_rated([5] * 3)), cycle=cycle)
