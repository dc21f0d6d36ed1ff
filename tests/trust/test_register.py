"""The register: each key measure with its metric, and no family of measures passed over."""

from dataclasses import replace

import pytest

from cxlab import trust
from cxlab.columns import GLOSSARY
from cxlab.data.settings import Settings
from cxlab.metrics import FAMILIES, metrics

SATISFIED = {
    "name": "Satisfied customers",
    "metric": "csat.top_box_share",
    "owner": "Service",
    "target": 0.8,
}
REVENUE = {"name": "Revenue", "metric": "orders.net_amount", "owner": "Finance"}
ASKED = {"name": "NPS", "family": "nps_change", "not_applicable": "Nobody was asked."}


def settings(**kpis: dict[str, object]) -> Settings:
    return Settings.model_validate({"title": "A shop", "raw": "raw", "kpis": kpis})


def test_a_key_measure_has_a_metric_an_owner_or_a_reason():
    listed = trust.kpis(settings(satisfied=SATISFIED, nps=ASKED)).table()
    first, second = listed.head(2).to_dict("records")
    assert first["metric_id"] == metrics()["csat.top_box_share"].at == "csat.top_box_share@1"
    assert (first["owner"], first["target"], first["better"]) == ("Service", "80.0%", "higher")
    assert first["definition"] == metrics()["csat.top_box_share"].definition
    assert second["definition"] == "Not applicable: Nobody was asked."


def test_each_family_without_a_word_has_a_row_that_says_so():
    listed = trust.kpis(settings(revenue=REVENUE, nps=ASKED))
    silent = listed.table().iloc[2:]
    assert silent["measure"].tolist() == [
        FAMILIES[f] for f in ("retention", "cross_sell", "service_cost", "digital", "roi")
    ]
    assert silent["definition"].str.startswith("Nothing declared").all()
    assert listed.sentence() == (
        "1 key measure with an owner; 1 does not apply here, for the reason given; nothing is "
        "declared about retention and churn, cross-sell and upsell, service cost, digital "
        "metrics and return on investment."
    )


def test_a_study_that_speaks_about_every_family_is_not_reminded():
    told = {f: {"name": f, "family": f, "not_applicable": "Not yet."} for f in FAMILIES}
    assert trust.kpis(settings(**told)).sentence() == (
        "0 key measures with an owner; 7 do not apply here, for the reason given."
    )


def test_the_state_tells_what_cannot_be_computed(snapshot):
    late = [{"table": "orders", "check": "freshness", "state": "fail", "says": "it is late"}]
    failed = replace(snapshot, columns={"orders": []}, records={**snapshot.records, "checks": late})
    kpis = settings(revenue=REVENUE, satisfied=SATISFIED)
    states = [
        trust.kpis(kpis, snapshot=s).table()["state"].tolist()[:2] for s in (snapshot, failed)
    ]
    assert states[0] == ["can be computed", "no data in answers"]
    assert states[1] == ["withheld with orders", "no data in answers"]


@pytest.mark.parametrize(
    ("kpi", "target"),
    [(SATISFIED, "80.0%"), ({**REVENUE, "target": 5000}, "5000")],
)
def test_a_target_is_written_in_the_unit_of_its_metric(kpi, target):
    assert trust.kpis(settings(one=kpi)).table()["target"][0] == target


def test_a_direction_against_the_rule_stands_with_its_reason():
    shrink = {**REVENUE, "direction": "down", "because": "the shop is being closed"}
    shown = trust.kpis(settings(one=shrink)).table()["better"][0]
    assert shown == "lower, because the shop is being closed"


def test_each_column_is_in_the_glossary():
    assert set(trust.kpis(settings(one=SATISFIED)).table().columns) <= set(GLOSSARY)
