"""Definitions, key measures, methods and terms are listed in full."""

import pytest

from cxlab import trust
from cxlab.columns import GLOSSARY
from cxlab.data.settings import Settings
from cxlab.trust.terms import _MEANING


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate(
        {
            "title": "A shop",
            "raw": "raw",
            "definitions": {"lapse_days": 200},
            "segments": {"size": {"small": "orders < 2", "large": "orders >= 2"}},
            "kpis": {
                "satisfied": {
                    "name": "Satisfied customers",
                    "metric": "csat.top_box_share",
                    "owner": "Service",
                    "target": 0.8,
                    "definition": "Share of top answers.",
                },
                "nps": {"name": "NPS", "not_applicable": "Nobody was asked."},
            },
        }
    )


def test_each_definition_has_its_value_and_meaning(settings):
    listed = trust.definitions(settings).table().set_index("term")
    assert listed.loc["lapse", "value"] == "200 days"
    assert listed.loc["smallest group shown", "value"] == "10"
    assert listed.loc["size: small", "value"] == "orders < 2"
    assert (listed["meaning"] != "").all()


def test_every_definition_of_the_settings_is_explained(settings):
    named = set(settings.definitions.model_dump()) - {"rfm"}
    assert named | set(settings.definitions.rfm.model_dump()) == set(_MEANING)


def test_methods_are_unique_explained_and_sourced():
    listed = trust.methods().table()
    assert listed["method"].is_unique
    assert (listed != "").all(axis=None)


def test_methods_name_their_own_source_and_what_is_taken_together():
    listed = trust.methods().table().set_index("method")
    assert listed["source"]["Adjusted Wald interval"] == "Rocks (2016)"
    assert "one customer" in listed["in_plain_words"]["Poisson interval"]


def test_the_glossary_lists_every_column_once():
    listed = trust.glossary().table()
    assert len(listed) == len(GLOSSARY)
    assert listed["term"].is_unique


@pytest.mark.parametrize("make", [trust.methods, trust.glossary])
def test_a_listing_is_shown_like_a_result_and_records_no_number(make):
    result = make()
    bundle = result.protect(10)._repr_mimebundle_()
    assert bundle["application/vnd.cxlab.finding+json"]["rows"] == []
    assert bundle["text/plain"] == result.headline
    assert "<table" in bundle["text/html"]
