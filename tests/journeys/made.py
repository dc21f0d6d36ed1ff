"""The made-up company's contacts and orders in the form of the data model, with their truth."""

from functools import cache

import numpy as np
import pandas as pd

from cxlab.data.journey_settings import JourneySettings
from cxlab.data.sample.company import company
from cxlab.data.sample.people import simulate_people
from cxlab.data.sample.simulate import STEPS
from cxlab.data.sample.visits import simulate_interactions
from cxlab.data.sample.world import World

STAGES = [
    {"name": "discover"}, {"name": "consider"}, {"name": "buy"},
    {"name": "receive", "after": True}, {"name": "use", "after": True},
    {"name": "leave", "after": True},
]  # fmt: skip
RULES = JourneySettings(outcome=["order placed"], stages=STAGES)


@cache
def made(variant: str = "base", people: int = 1_500) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make (interactions, orders); `true_session` and `true_journey` are known besides."""
    world = World(company(variant), 3)
    tables = {"people": simulate_people(world, 0, people)}
    for step in STEPS[: STEPS.index(simulate_interactions) + 1]:
        tables |= step(world, tables)
    return _log(tables["interactions"]), _orders(tables["orders"])


def _log(rows: pd.DataFrame) -> pd.DataFrame:
    by_name = rows["is_known"] & (rows["person"] >= 0)
    device = "d" + rows["person"].astype(str) + "." + rows["device_no"].astype(str)
    visitor = np.where(rows["visitor"] >= 0, "v" + rows["visitor"].astype(str), device)
    words = ("activity", "touchpoint", "channel", "stage", "object_type", "outcome")
    return pd.DataFrame(
        {
            "interaction_id": rows["interaction"].astype(str),
            "customer_id": ("c" + rows["person"].astype(str)).where(by_name, None),
            "anonymous_id": pd.Series(visitor, index=rows.index).where(
                (rows["device_no"] >= 0) | (rows["visitor"] >= 0), None
            ),
            "occurred_at": rows["occurred_at"].astype("datetime64[us]"),
            **{w: rows[w].astype(object).where(rows[w].notna(), None) for w in words},
            "object_id": rows["object"].astype(str).where(rows["object"] >= 0, None),
            "session_id": rows["session"].astype(str).where(rows["session"] >= 0, None),
            "duration_s": rows["duration_s"].where(rows["duration_s"] >= 0, np.nan),
            "is_bot": rows["is_bot"],
            "true_journey": rows["true_journey"],
        }
    )


def _orders(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": rows["order"].astype(str),
            "customer_id": "c" + rows["person"].astype(str),
            "placed_at": rows["placed_at"].astype("datetime64[us]"),
            "channel": rows["channel"].astype(str),
        }
    )
