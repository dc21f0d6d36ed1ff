"""Key measures are linted against the catalogue, and silence is told."""

import pytest

from cxlab.data.kpis import catalogue, kpi_problems, silent_families
from cxlab.data.settings import Settings, read_settings
from cxlab.errors import SettingsError
from cxlab.metrics import FAMILIES, metrics
from tests.studies import YAML, write_study

MINE = {"name": "Mine", "unit": "share", "definition": "Share of what is mine."}


def settings(kpi: dict[str, object], **more: object) -> Settings:
    given = {"name": "A", "owner": "B", **kpi}
    return Settings.model_validate({"title": "A", "raw": "raw", "kpis": {"a": given}, **more})


@pytest.mark.parametrize(
    ("kpi", "says"),
    [
        ({"metric": "csat.topbox_share"}, "Did you mean 'csat.top_box_share'?"),
        ({"metric": "csat.mean", "change": "csat.chance"}, "kpis.a.change must be a metric"),
        ({"metric": "csat.top_box_share", "target": 80}, "target must be between 0 and 1"),
        ({"metric": "nps.score", "target": 101}, "target must be between -100 and 100"),
        ({"metric": "csat.change", "target": -1.5}, "target must be between -1 and 1"),
        ({"metric": "orders.count", "target": -1}, "target must be at least 0"),
        ({"metric": "csat.mean", "direction": "down"}, "of csat.mean higher is better"),
        ({"metric": "orders.cancelled"}, "of orders.cancelled lower is better"),
        ({"metric": "orders.net_amount", "change": "nps.change"}, "change must be that of orders"),
        ({"metric": "orders.net_amount", "change": "orders.mean_amount_change"}, "must be that"),
        ({"metric": "csat.mean", "change": "csat.change"}, "Change in satisfied customers"),
        ({"metric": "csat.mean", "change": "csat.mean"}, "must be that of csat.mean"),
    ],
)  # fmt: skip
def test_what_a_key_measure_cannot_be_is_one_problem_with_its_remedy(kpi, says):
    (problem,) = kpi_problems(settings(kpi))
    assert problem.startswith("kpis.a.")
    assert says in problem


@pytest.mark.parametrize(
    "kpi",
    [
        {"metric": "csat.top_box_share", "change": "csat.change", "target": 0.8},
        {"metric": "delivery.kept_share", "change": "delivery.kept_change"},
        {"metric": "orders.count", "change": "orders.count_change"},
        {"metric": "csat.change", "target": -0.01},
        {"metric": "nps.score", "target": -20},
        {"metric": "orders.net_amount_change", "target": -1e6},
        {"metric": "orders.count", "direction": "down", "because": "we serve fewer, but better"},
    ],
)
def test_what_holds_together_is_no_problem(kpi):
    assert kpi_problems(settings(kpi)) == []


def test_a_metric_of_the_studys_own_is_in_its_catalogue():
    own = settings({"metric": "mine.share", "target": 0.5}, metrics={"mine.share": MINE})
    assert kpi_problems(own) == []
    assert catalogue(own.metrics)["mine.share"].at == "mine.share@1"


def test_a_metric_of_the_house_cannot_be_defined_anew():
    (problem,) = kpi_problems(settings({"metric": "csat.mean"}, metrics={"csat.mean": MINE}))
    assert problem.startswith("metrics.csat.mean must not be a metric of the house")


@pytest.mark.parametrize(
    ("kpi", "says"),
    [
        ("{name: A}", "needs either a metric or a reason"),
        ("{name: A, metric: csat.mean, owner: ' '}", "a KPI needs an owner"),
        ("{name: A, not_applicable: ''}", "not_applicable needs a reason in words"),
        ("{name: A, not_applicable: x, family: retntion}", "Did you mean 'retention'?"),
    ],
)
def test_silence_about_owner_or_reason_is_refused(tmp_path, kpi, says):
    study = write_study(tmp_path, yaml=f"{YAML}kpis: {{a: {kpi}}}\n")
    with pytest.raises(SettingsError) as refusal:
        read_settings(study)
    assert says in str(refusal.value)


def test_a_family_is_told_by_its_metric_or_by_the_study():
    assert "revenue_growth" not in silent_families(settings({"metric": "orders.net_amount"}))
    other = settings({"metric": "orders.count", "family": "digital"})
    assert silent_families(other) == [f for f in FAMILIES if f != "digital"]


def test_every_family_can_be_declared():
    families = {m.family for m in metrics().values()} - {""}
    assert families <= set(FAMILIES)
    told = {f: {"name": f, "family": f, "not_applicable": "Not yet."} for f in FAMILIES}
    study = Settings.model_validate({"title": "A", "raw": "raw", "kpis": told})
    assert silent_families(study) == []
