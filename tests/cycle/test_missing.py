"""A key measure without a number says why, with the nearest cause that is known."""

from datetime import datetime
from pathlib import Path

import pytest

from cxlab.columns import FINDING
from cxlab.cycle.findings import to_frame
from cxlab.cycle.missing import closed_gate, why_missing
from cxlab.data.kpis import Kpi
from cxlab.data.settings import Settings
from cxlab.data.snapshot import Snapshot

SETTINGS = Settings(title="A", raw="raw")
NOTHING = to_frame([])
LATE = {"table": "orders", "check": "freshness", "state": "fail", "says": "its last row is old"}


def kpi(metric: str) -> Kpi:
    return Kpi(name="A", metric=metric, owner="B")


def snapshot(*tables: str, checks: tuple[dict[str, str], ...] = ()) -> Snapshot:
    rows = [{"table": table, "rows_used": 5} for table in tables]
    return Snapshot(
        folder=Path("nowhere"), hash="x", cycle_name="2024Q2", start=datetime(2024, 4, 1),
        cutoff=datetime(2024, 7, 1), columns={t: [] for t in tables}, notes=[], seals={},
        records={"tables": rows, "checks": list(checks)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "failed", "why"),
    [
        ("orders.cuont", [], "no metric is called orders.cuont. Did you mean 'orders.count'?"),
        ("delivery.csat_slope", [], "this study has no data in shipments and answers."),
        ("orders.count", ["Customers"], "Customers failed in this run."),
        ("orders.count", [], "this cycle's data cannot carry this number; its chapter says why."),
    ],
)
def test_the_nearest_cause_is_told(metric, failed, why):
    told = why_missing(kpi(metric), SETTINGS, snapshot("orders"), findings=NOTHING, failed=failed)
    assert told == f"Not available: {why}"


@pytest.mark.parametrize(
    ("dims", "why"),
    [
        ('{"segment": "a"}', "shown by group only"),
        ("{}", "too few people stand behind this number"),
    ],
)
def test_a_metric_that_is_shown_otherwise_is_told_apart(dims, why):
    row = ["10", "orders.count", 1, dims, float("nan"), float("nan"), float("nan"), 0.95]
    found = NOTHING.reindex([0])
    found.loc[0, list(FINDING)] = [*row, float("nan"), "count", "m", True]
    assert why in why_missing(kpi("orders.count"), SETTINGS, snapshot("orders"), findings=found)


def test_the_gate_of_any_table_of_a_metric_closes_it():
    closed = snapshot("orders", "customers", checks=(LATE,))
    assert closed_gate(kpi("customers.rfm_share"), SETTINGS, closed).startswith(
        "orders is withheld"
    )
    assert "study.yaml" not in closed_gate(kpi("orders.count"), SETTINGS, closed)
    assert closed_gate(kpi("csat.mean"), SETTINGS, closed) == ""
    assert closed_gate(kpi("orders.count"), SETTINGS, snapshot("orders")) == ""
