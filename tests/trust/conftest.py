"""A snapshot of two tables whose rows add up."""

from datetime import datetime
from pathlib import Path

import pytest

from cxlab.data.snapshot import Snapshot


@pytest.fixture
def snapshot() -> Snapshot:
    return Snapshot(
        folder=Path("nowhere"),
        hash="ab" * 32,
        cycle_name="2024Q2",
        start=datetime(2024, 4, 1),
        cutoff=datetime(2024, 7, 1),
        columns={},
        records={
            "tables": [
                _table("customers", rows_in=100, rows_used=100),
                _table(
                    "orders",
                    rows_in=1250,
                    rows_used=1207,
                    rows_set_aside=3,
                    rows_excluded=40,
                    first_at="2023-01-01T00:00:00",
                    last_at="2024-05-01T12:00:00",
                ),
            ],
            "reasons": [
                _reason("set aside", "key", "order_id occurs twice", 3),
                _reason("excluded by rule", "", "test orders", 40),
            ],
            "sources": [
                _source("orders.csv", 2_400_000, "c" * 64, "orders"),
                _source("people.csv", 100_000, "d" * 64, "customers"),
            ],
        },
        notes=["One column of orders.csv is not used."],
        seals={},
    )


def _table(name: str, **counts: object) -> dict[str, object]:
    empty = {"rows_set_aside": 0, "rows_excluded": 0, "first_at": None, "last_at": None}
    return {"table": name, **empty, **counts}


def _reason(fate: str, rule: str, reason: str, rows: int) -> dict[str, object]:
    return {"table": "orders", "fate": fate, "rule": rule, "reason": reason, "rows": rows}


def _source(name: str, size: int, sha256: str, tables: str) -> dict[str, object]:
    return {"source": name, "bytes": size, "sha256": sha256, "tables": tables}
