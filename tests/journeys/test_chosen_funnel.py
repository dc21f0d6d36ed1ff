"""A funnel is found by name, or made of the planned stages."""

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.settings import Settings
from cxlab.errors import ParameterError, Withheld
from cxlab.journeys import funnel
from cxlab.journeys.funnels.chosen import chosen_funnel

STAGES = [
    {"name": "hear", "optional": True}, {"name": "look", "activities": ["seen"]},
    {"name": "owner's choice"}, {"name": "use", "after": True},
]  # fmt: skip


def settings(**given: object) -> Settings:
    return Settings.model_validate({"title": "A study", "raw": ".", **given})


def test_the_first_funnel_is_meant_where_none_is_named() -> None:
    study = settings(funnels={"web": {"steps": ["a", "b"]}, "shop": {"steps": ["c", "d"]}})
    assert chosen_funnel(study).required == ["a", "b"]
    assert chosen_funnel(study, "shop").required == ["c", "d"]


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ParameterError, match="Did you mean 'shop'"):
        chosen_funnel(settings(funnels={"shop": {"steps": ["a", "b"]}}), "shops")


def test_stages_that_must_be_passed_make_the_way_to_the_outcome() -> None:
    way = chosen_funnel(
        settings(journey={"outcome": ["bought"], "stages": STAGES, "gap": "9 days"})
    )
    assert way.required == ["look", "owner's choice", "bought"]
    assert [(s.activity, s.where) for s in way.steps] == [
        (["seen"], None), ([], "stage = 'owner''s choice' and activity not in ('bought')"),
        (["bought"], None),
    ]  # fmt: skip
    assert way.window == "9 days"


def test_without_funnels_and_stages_it_is_said_what_to_declare() -> None:
    with pytest.raises(Withheld, match="add `funnels`"):
        chosen_funnel(settings(journey={"outcome": ["bought"]}))


def test_who_buys_at_once_has_not_skipped_the_stage_of_buying(engine) -> None:
    """Of a hundred who look sixty buy; the purchase is the only contact of its stage."""
    rows = [(f"c{i}", "2018-01-08", "look", "seen") for i in range(100)]
    rows += [(f"c{i}", "2018-01-10", "buy", "bought") for i in range(60)]
    rows += [(f"c{i}", "2018-01-10", "buy", "carted") for i in range(20)]
    log = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "stage", "activity"])
    log["occurred_at"] = pd.to_datetime(log["occurred_at"])
    study = settings(journey={"outcome": ["bought"], "stages": [{"name": "look"}, {"name": "buy"}]})
    table = engine.table(log)
    way = chosen_funnel(study, interactions=table)
    assert way.required == ["look", "bought"]
    found = funnel(table, way, cycle=parse_cycle("2018Q1")).estimates
    reached = found[found["metric"] == "funnel.reached_share"].set_index("step")["estimate"]
    assert (reached["buy"], reached["bought"]) == (0.2, 0.6)


def test_a_stage_may_bear_the_name_of_the_outcome() -> None:
    stages = [{"name": "look"}, {"name": "buy"}]
    way = chosen_funnel(settings(journey={"outcome": ["buy"], "stages": stages}))
    assert way.required == ["look", "buy", "buy (outcome)"]
