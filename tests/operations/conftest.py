"""A small world of promises: who was promised which day, and what came when."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from cxlab.data.calendar import Cycle, parse_cycle


@pytest.fixture
def cycle() -> Cycle:
    return parse_cycle("2024Q2")


@pytest.fixture
def shipped() -> Callable[..., pd.DataFrame]:
    """Give the function that makes shipments from their days late."""
    return _shipped


def _shipped(late: list[float | None], promised: date = date(2024, 5, 1)) -> pd.DataFrame:
    """One shipment per order `o0`, `o1` ...: days late, or None for not delivered."""
    came = [None if days is None else promised + timedelta(days=days) for days in late]
    return pd.DataFrame(
        {
            "shipment_id": [f"s{i}" for i in range(len(late))],
            "order_id": [f"o{i}" for i in range(len(late))],
            "promised_on": [promised] * len(late),
            "delivered_at": pd.to_datetime(
                [None if d is None else datetime(d.year, d.month, d.day, 12) for d in came]
            ).astype("datetime64[us]"),
        }
    )
