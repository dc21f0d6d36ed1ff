"""A snapshot of two tables whose rows add up."""

from datetime import datetime
from pathlib import Path

import pandas as pd
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
        tables=pd.DataFrame(
            {
                "table": ["customers", "orders"],
                "rows_in": [100, 1250],
                "rows_used": [100, 1207],
                "rows_set_aside": [0, 3],
                "rows_excluded": [0, 40],
                "first_at": [pd.NaT, pd.Timestamp("2023-01-01")],
                "last_at": [pd.NaT, pd.Timestamp("2024-05-01 12:00")],
            }
        ),
        reasons=pd.DataFrame(
            [
                ("orders", "set aside", "key", "order_id occurs twice", 3),
                ("orders", "excluded by rule", "", "test orders", 40),
            ],
            columns=["table", "fate", "rule", "reason", "rows"],
        ),
        sources=pd.DataFrame(
            {
                "source": ["orders.csv", "people.csv"],
                "bytes": [2_400_000, 100_000],
                "sha256": ["c" * 64, "d" * 64],
                "tables": ["orders", "customers"],
            }
        ),
        notes=["One column of orders.csv is not used."],
        seals={},
    )
