"""Staying by feeling: against rows of single subscriptions, the future, and known truths."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn import retention_by_feeling
from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.emotion import valences
from cxlab.errors import DataError, Withheld
from cxlab.stats.survival import compare_restricted_means, product_limit

CYCLE = parse_cycle("2018Q1")
WEEK = pd.Timedelta(weeks=1)
STARTS = [c.start for c in (CYCLE.previous.previous, CYCLE.previous, CYCLE)]


def company(
    rng: np.random.Generator, people: int, ratio: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Subscriptions, and answers; who feels bad leaves at `ratio` times the rate of others."""
    began = pd.Timestamp("2016-01-01") + pd.to_timedelta(rng.integers(0, 700, people), unit="D")
    mood = rng.uniform(-1, 1, people)
    rate = np.where(mood < -1 / 3, ratio, 1.0) / 400
    ended = began + pd.to_timedelta(rng.exponential(1 / rate), unit="D")
    who = [f"c{i}" for i in range(people)]
    held = pd.DataFrame(
        {"subscription_id": range(people), "customer_id": who, "started_at": began,
         "ended_at": ended.where(ended < pd.Timestamp("2019-01-01"))}
    )  # fmt: skip
    asked = rng.integers(0, people, 2 * people)
    said = pd.DataFrame(
        {"customer_id": [who[i] for i in asked],
         "answered_at": pd.Timestamp("2017-01-01")
         + pd.to_timedelta(rng.integers(0, 450, 2 * people), unit="D"),
         "valence": mood[asked].round(3)}
    )  # fmt: skip
    return held, said


def by_hand(held: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """One row per subscription: its feeling at the first landmark with an answer, and its weeks."""
    rows = []
    for one in held.to_dict("records"):
        for since in STARTS:
            runs = one["started_at"] < since and not one["ended_at"] < since
            mine = said[
                (said["customer_id"] == one["customer_id"])
                & (said["answered_at"] >= since - pd.Timedelta(days=91))
                & (said["answered_at"] < since)
            ]
            if runs and len(mine):
                mean = mine["valence"].mean()
                over = one["ended_at"] < CYCLE.cutoff
                last = one["ended_at"] if over else CYCLE.cutoff
                feeling = "good" if mean > 1 / 3 else "bad" if mean < -1 / 3 else "in between"
                rows.append((feeling, (last - since) // WEEK + 1, float(over)))
                break
    return pd.DataFrame(rows, columns=["feeling", "weeks", "over"])


def days(found, metric: str = "lifetime_difference") -> pd.Series:
    rows = found.estimates[found.estimates["metric"] == f"feeling.{metric}"]
    pairs = rows[(rows["feeling"] == "good") & (rows["against"] == "bad")]
    turned = rows[(rows["feeling"] == "bad") & (rows["against"] == "good")]
    return pairs.iloc[0] if len(pairs) else turned.assign(estimate=-turned["estimate"]).iloc[0]


def test_differences_are_those_of_single_rows(engine: Engine):
    held, said = company(np.random.default_rng(1), 600, 3.0)
    found = retention_by_feeling(engine.table(held), engine.table(said), cycle=CYCLE, cycles=3)
    rows = by_hand(held, said)
    curves = {
        name: product_limit(x["weeks"], x["over"], 1 - x["over"])
        for name, x in rows.groupby("feeling")
    }
    weeks = found.horizon_days // 7
    expected = compare_restricted_means(curves["good"], curves["bad"], weeks).difference
    assert days(found)["estimate"] == pytest.approx(7 * expected.estimate)
    assert f"Base: {len(rows)} subscriptions" in found.note


def test_the_future_says_nothing():
    held, said = company(np.random.default_rng(2), 400, 2.0)
    before = retention_by_feeling(held, said, cycle=CYCLE, cycles=3)
    later = said.assign(answered_at=CYCLE.start + pd.Timedelta(hours=1), valence=-1.0)
    ended = held["ended_at"].where(held["ended_at"] < CYCLE.cutoff)
    after = retention_by_feeling(
        held.assign(ended_at=ended), pd.concat([said, later]), cycle=CYCLE, cycles=3
    )
    pd.testing.assert_frame_equal(before.estimates, after.estimates)


def test_a_true_difference_is_found_and_its_interval_covers_it():
    # After a landmark a year is left at 1/400 a day; half a year of it is the horizon.
    horizon = 182.0
    truth = sum(s * (1 - np.exp(-horizon * r)) / r for s, r in ((1, 1 / 400), (-1, 3 / 400)))
    held, said = company(np.random.default_rng(3), 6000, 3.0)
    found = days(retention_by_feeling(held, said, cycle=CYCLE, cycles=3))
    assert found["conf_low"] * found["conf_high"] > 0
    # In whole weeks each group lives half a week longer, which their difference does not show.
    assert abs(found["estimate"] - truth) < 3 * (found["conf_high"] - found["conf_low"]) / 4


def test_who_felt_nothing_different_rarely_differs():
    clear = 0
    for seed in range(60):
        held, said = company(np.random.default_rng(seed), 500, 1.0)
        found = days(retention_by_feeling(held, said, cycle=CYCLE, cycles=3))
        clear += bool(found["conf_low"] > 0 or found["conf_high"] < 0)
    assert clear <= 8  # 5 % of 60 is 3; more than 8 has a chance below 0.3 %


def test_the_sentence_names_no_cause_and_both_ends():
    held, said = company(np.random.default_rng(3), 6000, 3.0)
    told = retention_by_feeling(held, said, cycle=CYCLE, cycles=3).sentence()
    assert told.startswith("Customers who felt good stay ")
    assert told.endswith("Association, not cause.")


def test_nobody_who_answered_is_a_refusal():
    held, said = company(np.random.default_rng(1), 100, 1.0)
    with pytest.raises(Withheld, match="had said what they felt"):
        retention_by_feeling(held, said.assign(customer_id="x"), cycle=CYCLE)


ANSWERS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d", "e"],
        "answered_at": pd.Timestamp("2018-01-05"),
        "construct": ["emotion", "emotion", "emotion", "csat", "emotion"],
        "dimension": ["valence", "joy", None, None, "valence"],
        "value": [1.0, 5.0, 5.0, 5.0, np.nan],
        "scale_min": 1.0,
        "scale_max": 5.0,
        "reversed": [False, False, True, False, False],
    }
)


def test_valences_are_stretched_turned_and_of_feelings_only(engine: Engine):
    found = engine.table(ANSWERS)
    rows = pd.DataFrame(
        [(r["customer_id"], r["valence"]) for r in _rows(valences(found))], columns=["who", "v"]
    )
    assert dict(zip(rows["who"], rows["v"], strict=True)) == {"a": -1.0, "c": -1.0}


def test_satisfaction_stands_in_where_no_feeling_was_asked(engine: Engine):
    only = ANSWERS[ANSWERS["construct"] == "csat"]
    assert [r["valence"] for r in _rows(valences(engine.table(only)))] == [1.0]


def test_an_answer_off_its_scale_is_an_error_and_none_is_a_refusal():
    with pytest.raises(DataError, match="but 1 do not"):
        valences(ANSWERS.assign(value=[9.0, 1, 1, 1, np.nan]))
    with pytest.raises(Withheld, match="how did you feel"):
        valences(ANSWERS.assign(construct="nps"))


def _rows(table):
    from cxlab.data.engine import frame

    return frame(table, limit=10).to_dict("records")
