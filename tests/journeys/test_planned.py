"""The planned map held against a log in sight, journey by journey."""

import re
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import DuckEngine
from cxlab.data.journey_settings import JourneySettings, PlannedStage
from cxlab.errors import Withheld
from cxlab.journeys import fitness, journey_map, split_journeys
from cxlab.stats.intervals import wilson

CYCLE = parse_cycle("2018Q1")
PLAN = JourneySettings(
    outcome=["bought"],
    gap="10 days",
    stages=[
        PlannedStage(name="look", touchpoints=["web"], channels=["web", "app"]),
        PlannedStage(name="try"),
        PlannedStage(name="buy", within="1 hour"),
        PlannedStage(name="use", after=True, optional=True),
        PlannedStage(name="leave", after=True, optional=True),
    ],
)
COLUMNS = ("hours", "stage", "activity", "touchpoint", "channel", "value_amount")
SEEN = (0, "look", "seen", "web", "web", None)
TRIED = (1, "try", "tried", "shop", "store", None)
BOUGHT = (2, "buy", "bought", "shop", "store", 100.0)

# Ten customers each do the same: what they do, and how it parts from the plan.
KINDS = {
    "follows": [SEEN, TRIED, BOUGHT],
    "skips": [SEEN, BOUGHT],
    "goes back": [SEEN, TRIED, (1.5, "look", "seen", "web", "app", None), BOUGHT],
    "dawdles": [SEEN, TRIED, (2, "buy", "carted", "shop", "store", None),
                (4, "buy", "bought", "shop", "store", 50.0)],
    "elsewhere": [(0, "look", "seen", "brochure", "print", None), TRIED, BOUGHT],
    "off the map": [SEEN, (0.5, "chat", "asked", "bot", "chat", None), TRIED, BOUGHT],
}  # fmt: skip


def log_of(kinds=KINDS, each=10):
    rows = [
        (f"{kind} {i}", *contact)
        for kind, contacts in kinds.items()
        for i in range(each)
        for contact in contacts
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", *COLUMNS])
    at = [datetime(2018, 1, 8) + timedelta(hours=h) for h in frame.pop("hours")]
    return frame.assign(occurred_at=at)


def found_in(engine, log, settings=PLAN, **more):
    table = engine.table(log)
    journeys = split_journeys(table, settings, cutoff=CYCLE.cutoff)
    return fitness(journeys, cycle=CYCLE, interactions=table, currency="EUR", **more)


def deviations(result, metric="plan.deviation_share"):
    rows = result.estimates[result.estimates["metric"] == metric]
    key = ["deviation", "stage", "detail"]
    return {tuple(None if pd.isna(x) else x for x in r[:3]): r[3]
            for r in rows[[*key, "estimate"]].itertuples(index=False)}  # fmt: skip


def overall(result, metric):
    return result.estimates[result.estimates["metric"] == metric].iloc[0]


def test_each_way_to_part_from_the_plan_is_found_and_no_other(engine):
    found = found_in(engine, log_of())
    sixth = pytest.approx(1 / 6)
    assert deviations(found) == {
        ("skipped", "try", None): sixth,
        ("went back", "look", None): sixth,
        ("took longer", "buy", None): sixth,
        ("unplanned touchpoint", "look", "brochure"): sixth,
        ("unplanned channel", "look", "print"): sixth,
        ("no planned stage", None, "bot"): sixth,
    }
    fits = overall(found, "plan.journeys_share")
    expected = wilson(10, 60)
    assert (fits["estimate"], fits["conf_low"]) == pytest.approx((1 / 6, expected.low))
    # Of 200 contacts those back, at the brochure and at the bot do not fit; 10 stages are skipped.
    assert overall(found, "plan.contacts_share")["estimate"] == pytest.approx(170 / 210)
    assert set(deviations(found, "plan.deviation_journeys").values()) == {10}
    money = deviations(found, "plan.deviation_amount")
    assert money["took longer", "buy", None] == pytest.approx(500)
    assert money["skipped", "try", None] == pytest.approx(1000)
    assert found.unseen == ["use", "leave"]
    assert found.unplanned == ["bot", "brochure", "shop"]
    assert "On paper only, without a contact in the log: use and leave" in found.sentence()


def test_the_map_says_what_journeys_that_deviate_buy_all_the_same():
    table = DuckEngine().table(log_of())
    journeys = split_journeys(table, PLAN, cutoff=CYCLE.cutoff)
    found = journey_map(journeys, cycle=CYCLE, interactions=table, currency="EUR")
    drawn = re.sub(r"<[^>]*>", " ", found.picture(uid="m"))
    assert re.search(r"buy longer than planned .*?; bought EUR 500", drawn)
    assert "not a loss" in found.note
    without = journey_map(journeys, cycle=CYCLE)
    assert "bought EUR" not in without.picture(uid="m")
    assert "not a loss" not in without.note


def test_money_is_of_the_case_that_brought_it(engine):
    # Two orders of one customer arrive with one parcel: each journey has its own amount.
    first = [("one", *c[:5], n) for c, n in ((SEEN, None), (BOUGHT, 100.0))]
    second = [("two", *c[:5], n) for c, n in ((SEEN, None), (TRIED, None), (BOUGHT, 30.0))]
    frame = pd.DataFrame(first + second, columns=["case", *COLUMNS])
    log = pd.concat([
        frame.assign(customer_id=f"c{i}", case=frame["case"] + f" {i}") for i in range(10)
    ])  # fmt: skip
    at = [datetime(2018, 1, 8) + timedelta(hours=h) for h in log.pop("hours")]
    keyed = PLAN.model_copy(update={"key": "case"})
    found = found_in(engine, log.assign(occurred_at=at), keyed)
    assert deviations(found, "plan.deviation_amount") == {
        ("skipped", "try", None): pytest.approx(1000)
    }


def test_the_money_stands_with_how_evenly_it_comes():
    found = found_in(DuckEngine(), log_of())
    row = found.estimates[found.estimates["metric"] == "plan.deviation_amount"].iloc[0]
    assert (row["unit"], row["_top1"], row["_top2"]) == (
        "EUR",
        pytest.approx(0.1),
        pytest.approx(0.2),
    )


def test_a_deviation_counts_once_a_journey_and_persons_are_clusters():
    contacts = [SEEN, TRIED, (1.2, "look", "seen", "web", "web", None), (1.4, *TRIED[1:]),
                (1.6, "look", "seen", "web", "web", None), BOUGHT]  # fmt: skip
    log = log_of({"restless": contacts, "follows": KINDS["follows"]})
    found = split_journeys(log, PLAN, cutoff=CYCLE.cutoff)
    assert deviations(fitness(found, cycle=CYCLE)) == {("went back", "look", None): 0.5}
    often = pd.concat(
        [log.assign(occurred_at=log["occurred_at"] + timedelta(days=20 * k)) for k in range(3)]
    )
    again = fitness(split_journeys(often, PLAN, cutoff=CYCLE.cutoff), cycle=CYCLE)
    once, thrice = (overall(f, "plan.journeys_share") for f in (fitness(found, cycle=CYCLE), again))
    assert (once["n"], thrice["n"]) == (20, 60)
    # Three journeys of one person that are all alike say no more than one does.
    assert thrice["conf_high"] - thrice["conf_low"] == pytest.approx(
        once["conf_high"] - once["conf_low"], rel=0.1
    )  # Student's factor for few persons


def test_open_journeys_are_not_held_against_the_plan_yet():
    late = log_of({"skips": KINDS["skips"]}).assign(
        occurred_at=lambda f: f["occurred_at"] + timedelta(days=75)
    )
    log = pd.concat([log_of({"follows": KINDS["follows"]}), late.assign(activity="carted")])
    found = fitness(split_journeys(log, PLAN, cutoff=CYCLE.cutoff), cycle=CYCLE)
    assert overall(found, "plan.journeys_share")["estimate"] == 1
    assert deviations(found) == {}


def test_slow_journeys_count_as_well_as_quick_ones(engine):
    """As many follow the plan slowly as hurry past a stage, in each of three cycles."""
    kinds = {"slow": [SEEN, (8 * 24, *TRIED[1:]), (16 * 24, *BOUGHT[1:])], "quick": [SEEN, BOUGHT]}
    each_day = [
        log_of(kinds, each=1).assign(
            customer_id=lambda f, d=day: f["customer_id"] + str(d),
            occurred_at=lambda f, d=day: f["occurred_at"] + timedelta(days=d),
        )
        for day in range(-60, 120)
    ]
    found = found_in(engine, pd.concat(each_day))
    fits = overall(found, "plan.journeys_share")
    assert fits["estimate"] == 0.5  # fewer of those that began and were decided in it
    assert fits["n"] == 2 * (CYCLE.cutoff - CYCLE.start).days
    assert "Still open, and left to a later cycle: 16 journeys." in found.note


def test_each_persona_is_held_against_the_plan_apart():
    who = pd.DataFrame({"customer_id": [f"skips {i}" for i in range(10)], "kind": "hasty"})
    rest = pd.DataFrame({"customer_id": [f"follows {i}" for i in range(10)], "kind": "calm"})
    found = found_in(DuckEngine(), log_of(), persona=pd.concat([who, rest]))
    rows = found.estimates[found.estimates["metric"] == "plan.journeys_share"]
    assert rows.set_index("persona")["estimate"].to_dict() == {"hasty": 0.0, "calm": 1.0}
    assert "Left out, since nobody knows their persona: 40 journeys." in found.note


def test_without_a_plan_or_with_too_few_journeys_a_reason_is_given():
    journeys = split_journeys(log_of(), JourneySettings(outcome=["bought"]), cutoff=CYCLE.cutoff)
    with pytest.raises(Withheld, match="no planned map"):
        fitness(journeys, cycle=CYCLE)
    few = split_journeys(log_of(each=1), PLAN, cutoff=CYCLE.cutoff)
    with pytest.raises(Withheld, match="Fewer than 10 journeys"):
        fitness(few, cycle=CYCLE)


def test_small_groups_are_withheld_but_not_the_stages_beside_them():
    log = pd.concat([log_of(each=30), log_of({"hurries": KINDS["dawdles"]}, each=3)])
    log = log[~log["customer_id"].str.startswith("dawdles")]
    found = fitness(split_journeys(log, PLAN, cutoff=CYCLE.cutoff), cycle=CYCLE).protect(10)
    shares = found.estimates[found.estimates["metric"] == "plan.deviation_share"]
    hidden = shares.set_index("deviation")["suppressed"]
    assert hidden["took longer"]
    assert not hidden["skipped"]
    assert np.isfinite(overall(found, "plan.journeys_share")["estimate"])


def test_a_stage_that_the_log_does_not_know_is_skipped_by_nobody():
    stages = [PLAN.stages[0], PlannedStage(name="hear"), *PLAN.stages[1:]]
    rules = PLAN.model_copy(update={"stages": stages})
    found = found_in(DuckEngine(), log_of({"follows": KINDS["follows"]}), rules)
    assert overall(found, "plan.journeys_share")["estimate"] == 1
    assert found.unseen == ["hear", "use", "leave"]
