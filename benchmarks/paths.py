"""Removal effects and Shapley's values of a million paths over 12 channels, in seconds.

From the engine's table of contacts to numbers, as a chapter asks for them; once without
intervals and once with a bootstrap of 500 draws.

    python benchmarks/paths.py [PATHS]
"""

import statistics
import sys
import time
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlab.data.calendar import Cycle
from cxlab.data.engine import DuckEngine, Table, keep, view
from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.cases import Journeys
from cxlab.journeys.paths.credit import credits_of, resampled
from cxlab.journeys.paths.ways import ways

CHANNELS = 12
CYCLE = Cycle(datetime(2026, 1, 1).date())
RUNS = 5
PROMISED = 2.0  # seconds


def main(paths: int = 1_000_000) -> int:
    """Print the median of five runs beside what is promised."""
    journeys, contacts = made(paths, np.random.default_rng(1))
    print(f"{paths:,} paths, {contacts:,} contacts, {CHANNELS} channels")
    bare = _median(journeys, draws=0)
    print(f"removal effects and Shapley: {bare:.2f} s (promised: below {PROMISED:g} s)")
    print(f"with a bootstrap of 500 draws: {_median(journeys, draws=500):.2f} s")
    return int(bare >= PROMISED)


def numbers(journeys: Journeys, *, draws: int) -> np.ndarray:
    """Work out the credit of all models, with or without intervals."""
    found = ways(journeys, of="channel", cycle=CYCLE, most=CHANNELS)
    known = credits_of(found, half_life_days=7, seed=0, parts=100 if draws else 1)
    return resampled(known, draws=max(draws, 2), seed=0)[0].estimate


def made(paths: int, rng: np.random.Generator) -> tuple[Journeys, int]:
    """Make journeys of a chain: about four contacts each, a fifth converted."""
    sizes = rng.geometric(0.25, size=paths)
    journey = np.repeat(np.arange(paths), sizes)
    position = np.arange(len(journey)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    weights = 1 / np.arange(1, CHANNELS + 1)
    place = rng.choice(CHANNELS, size=len(journey), p=weights / weights.sum())
    start = int(np.datetime64("2026-01-05", "us").astype(np.int64))
    at = start + position * 3_600_000_000
    bought = rng.random(paths) < 0.2
    ended = start + sizes * 3_600_000_000
    person = rng.integers(0, paths // 2, size=paths)
    engine = DuckEngine()
    touches = pa.table(
        {
            "journey": journey, "position": position, "at_us": at, "place": place,
            "is_after": np.zeros(len(journey), dtype=np.int64),
        }
    )  # fmt: skip
    rows = pa.table(
        {
            "journey": np.arange(paths),
            "person": person,
            "customer_id": pa.array([f"customer {i}" for i in person]),
            "started_us": np.full(paths, start), "ended_us": ended,
            "outcome_us": pa.array(np.where(bought, ended, -1), mask=~bought),
            "lost_us": pa.nulls(paths, pa.int64()),
            "touches": sizes + bought,  # what is bought stands at no channel
            "state": pa.array(np.where(bought, "converted", "ended")),
        }
    )  # fmt: skip
    names = [f"channel {i:02d}" for i in range(CHANNELS)]
    places = pd.DataFrame({"place": range(CHANNELS), "channel": names, "stage_no": 0})
    places = places.assign(is_outcome=False, is_lost=False)
    return Journeys(
        touches=_stored(engine, touches), journeys=_stored(engine, rows), places=places,
        left_out={}, settings=JourneySettings(outcome=["bought"]), cutoff=CYCLE.cutoff,
    ), len(journey)  # fmt: skip


def _stored(engine: DuckEngine, rows: pa.Table) -> Table:
    return keep(view("select * from t", t=engine.table(rows)))


def _median(journeys: Journeys, *, draws: int) -> float:
    seconds = []
    for _ in range(RUNS):
        journeys.touches.engine.forget()
        began = time.perf_counter()
        numbers(journeys, draws=draws)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main(*(int(x) for x in sys.argv[1:])))
