"""A funnel is found by name, or made of the planned stages."""

import pytest

from cxlab.data.settings import Settings
from cxlab.errors import ParameterError, Withheld
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
        (["seen"], None), ([], "stage = 'owner''s choice'"), (["bought"], None),
    ]  # fmt: skip
    assert way.window == "9 days"


def test_without_funnels_and_stages_it_is_said_what_to_declare() -> None:
    with pytest.raises(Withheld, match="add `funnels`"):
        chosen_funnel(settings(journey={"outcome": ["bought"]}))
