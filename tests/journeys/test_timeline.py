"""How long journeys take, against a plain count of each journey, and what censoring mends."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import DuckEngine, query
from cxlab.data.journey_settings import JourneySettings
from cxlab.data.working_time import WorkingHours
from cxlab.journeys import split_journeys, timeline
from cxlab.journeys.maps.phases import begun_in, stages_of

CYCLE = parse_cycle("2018Q1")
STAGES = [{"name": "look"}, {"name": "buy"}, {"name": "use", "after": True}]
RULES = JourneySettings(outcome=["bought"], stages=STAGES, gap="10 days")
STAGE_OF = {"seen": "look", "carted": "buy", "bought": "buy", "called": "use"}
HOUR = 3_600_000_000


def log_of(rows):
    """Build a log of (customer, hours since 2018 began, activity)."""
    return pd.DataFrame(
        {
            "customer_id": [who for who, _, _ in rows],
            "occurred_at": [datetime(2018, 1, 1) + timedelta(hours=float(h)) for _, h, _ in rows],
            "activity": [what for _, _, what in rows],
            "stage": [STAGE_OF[what] for _, _, what in rows],
        }
    )


def cut(engine, rows, rules=RULES):
    return split_journeys(engine.table(log_of(rows)), rules, cutoff=CYCLE.cutoff)


def row(result, metric, measure="median", **dims):
    rows = result.estimates
    for name, value in {"metric": metric, "measure": measure, **dims}.items():
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


# Twelve of a kind: seen, two days later in the cart, bought an hour later, a call five days on.
ALIKE = [
    (f"c{i}", h + i, what)
    for i in range(12)
    for h, what in ((0, "seen"), (24, "seen"), (48, "carted"), (49, "bought"), (169, "called"))
]


def test_stays_and_ways_between_stages_are_those_that_can_be_seen(engine):
    found = timeline(cut(engine, ALIKE), cycle=CYCLE, hours=WorkingHours())
    days = {
        ("journey.days_in_stage", "look"): 1.0,
        ("journey.days_to_next_stage", "look"): 1.0,
        ("journey.days_in_stage", "buy"): 1 / 24,
        ("journey.days_to_next_stage", "buy"): 5.0,
        ("journey.days_in_stage", "use"): 0.0,
    }
    for (metric, stage), length in days.items():
        assert row(found, metric, stage=stage)["estimate"] == pytest.approx(length), metric
    assert row(found, "journey.days_to_outcome")["estimate"] == pytest.approx(49 / 24)
    assert row(found, "journey.outcome_share", None)["estimate"] == 1
    # The first is seen on Monday 1 January at 0:00 and again a day later: eight working hours.
    worked = row(found, "journey.working_hours_in_stage", stage="look")
    assert (worked["estimate"], worked["unit"]) == (8.0, "hours")


def test_the_phases_of_a_journey_add_up_to_all_of_it():
    rng = np.random.default_rng(2)
    kinds = list(STAGE_OF)
    rows = [(f"c{i % 40}", rng.uniform(0, 1500), kinds[rng.integers(4)]) for i in range(400)]
    journeys = cut(DuckEngine(), rows)
    stages = stages_of(journeys)
    begun = begun_in(journeys, stages, cycle=CYCLE)
    sums = query(
        """
        select j.journey, j.ended_us - j.started_us as length, j.touches + j.touches_after as n,
            p.length as parts, p.contacts
        from j join (
            select journey, sum(coalesce(next_us, left_us) - entered_us) as length,
                sum(contacts) as contacts
            from p group by journey
        ) as p on j.journey = p.journey order by j.journey
        """,
        j=begun.journeys,
        p=begun.phases,
    )
    assert len(sums) > 60
    assert sums["parts"].tolist() == sums["length"].tolist()
    assert sums["contacts"].tolist() == sums["n"].tolist()


def test_leaving_out_open_journeys_would_make_them_short_and_the_curve_does_not():
    """Journeys of 30 days on average, begun evenly over 90: most long ones are still open."""
    rng = np.random.default_rng(7)
    rows = []
    for i in range(3000):
        begin, length = rng.uniform(0, 80 * 24), rng.exponential(30 * 24)
        # A look every five days keeps the journey together until it ends.
        looks = np.arange(0, length, 5 * 24)
        rows += [(f"c{i}", begin + h, "seen") for h in looks] + [
            (f"c{i}", begin + length, "bought")
        ]
    log = log_of([r for r in rows if r[1] < 89 * 24])
    found = timeline(split_journeys(log, RULES, cutoff=CYCLE.cutoff), cycle=CYCLE)
    reached = row(found, "journey.outcome_share", None)["estimate"]
    # The curve ends after 80 days, by when 1 - exp(-80/30) of all have bought.
    assert reached == pytest.approx(1 - np.exp(-80 / 30), abs=0.05)
    half = row(found, "journey.days_to_outcome")
    true = -30 * np.log(1 - reached / 2)
    assert half["conf_low"] <= true <= half["conf_high"] + 1  # lengths are rounded to 6 hours
    naive = log[log["activity"] == "bought"].groupby("customer_id")["occurred_at"].min()
    first = log.groupby("customer_id")["occurred_at"].min()
    assert (naive - first[naive.index]).median() < timedelta(days=true * 0.85)


def test_a_study_without_an_outcome_has_lengths_and_no_way_to_one():
    rules = JourneySettings(stages=STAGES, gap="10 days")
    found = timeline(split_journeys(log_of(ALIKE), rules, cutoff=CYCLE.cutoff), cycle=CYCLE)
    assert set(found.estimates["metric"]) == {
        "journey.days_in_all", "journey.days_in_stage", "journey.days_to_next_stage",
    }  # fmt: skip
    assert found.sentence().startswith("From first to last contact half of the journeys take")


def test_a_log_without_stages_is_timed_as_a_whole_and_says_what_is_missing():
    log = log_of(ALIKE).drop(columns="stage")
    rules = JourneySettings(outcome=["bought"], gap="10 days")
    staged = timeline(cut(DuckEngine(), ALIKE, rules), cycle=CYCLE)
    found = timeline(split_journeys(log, rules, cutoff=CYCLE.cutoff), cycle=CYCLE)
    whole = staged.estimates[staged.estimates["stage"].isna()]
    pd.testing.assert_frame_equal(found.estimates, whole, check_dtype=False)
    assert "map the column `stage`" in found.note
    assert "map the column" not in staged.note


def test_a_picture_of_times_never_has_a_single_dot():
    found = timeline(cut(DuckEngine(), ALIKE), cycle=CYCLE)
    in_stage = found.estimates["metric"] == "journey.days_in_stage"
    one = replace(found, estimates=found.estimates.assign(
        estimate=found.estimates["estimate"].mask(in_stage & (found.estimates["stage"] != "buy"))
    ))  # fmt: skip
    assert one.plot().get_xlabel() == "Median days to the next stage"
    assert replace(found, estimates=found.estimates[in_stage]).plot() is not None
    none = found.estimates[found.estimates["metric"] == "journey.days_to_outcome"]
    assert replace(found, estimates=none).plot() is None  # one persona only


def test_a_stay_that_has_not_ended_counts_as_long_as_it_was_watched():
    """Two in five stay ten days, the others 45, begun over 80 days: most long ones still go on."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(2000):
        begin, length = rng.uniform(0, 79 * 24), 24 * (10 if i % 5 < 2 else 45)
        looks = np.append(np.arange(0, length, 5 * 24), length)
        rows += [(f"c{i}", begin + h, "seen") for h in looks]
    rules = JourneySettings(stages=STAGES, gap="10 days")
    log = log_of([r for r in rows if r[1] < 90 * 24])
    found = timeline(split_journeys(log, rules, cutoff=CYCLE.cutoff), cycle=CYCLE)
    ended = log.groupby("customer_id")["occurred_at"].agg(["min", "max"])
    over = ended[ended["max"] < CYCLE.cutoff - timedelta(days=10)]
    assert (over["max"] - over["min"]).median() < timedelta(days=11)
    assert row(found, "journey.days_in_stage", stage="look")["estimate"] == 45
    assert row(found, "journey.days_in_stage", "lower quartile", stage="look")["estimate"] == 10


def test_without_a_silence_that_ends_journeys_what_may_go_on_is_not_timed():
    patient = RULES.model_copy(update={"gap": None})
    found = timeline(cut(DuckEngine(), ALIKE, patient), cycle=CYCLE)
    assert {"journey.days_after_outcome", "journey.days_in_all"}.isdisjoint(
        found.estimates["metric"]
    )
    assert row(found, "journey.days_in_stage", stage="look")["estimate"] == 1
    assert row(found, "journey.days_in_stage", stage="use")["suppressed"]
