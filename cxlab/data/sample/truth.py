"""The truth beside the raw files: what a perfect estimate would find."""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from cxlab.data.sample.company import QUARTERS, REGIONS
from cxlab.data.sample.dirt import DIRT, MERGED
from cxlab.data.sample.expectations import truth_of_answers, truth_of_promoters
from cxlab.data.sample.hostile import hostile_dirt
from cxlab.data.sample.journeys import first_order, truth_of_journeys
from cxlab.data.sample.touchpoints import CHANNEL_SHARES, CHANNELS, NEWER_CHANNELS, TOUCHPOINTS
from cxlab.data.sample.world import NEVER, World

__all__ = ["write_answers", "write_margins", "write_truth"]

_PERSONS = 5_000, 50_000  # fewest and most that are simulated for what answers should say


def write_truth(folder: Path, world: World, dirt: Mapping[str, int]) -> None:
    """Write all that is true of a company: its numbers, and one Parquet file per frame.

    `company.json` holds every number that an estimate could look for, not the small print
    (pauses, prices, wages); `journeys.csv` exact removal effects, `transitions.csv` the steps
    (without memory) and `promoters.csv` exact shares, by quarter; `rollout.csv` when each
    initiative reached each region; `dirt.csv` the planted rows, counted.

    Parameters
    ----------
    folder : pathlib.Path
        Where the parts' frames of truth lie already, a folder each.
    world : World
        The company, and what befell it.
    dirt : mapping of str to int
        Planted rows by name of the dirt.
    """
    for pieces in sorted(f for f in folder.iterdir() if f.is_dir()):
        source, target = (str(p).replace("'", "''") for p in (pieces, f"{pieces}.parquet"))
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(
                f"copy (from read_parquet('{source}/*.parquet')) to '{target}' (format parquet)"
            )
        for piece in pieces.iterdir():
            piece.unlink()
        pieces.rmdir()
    told = {
        **asdict(world.company),
        "seed": world.seed,
        "touchpoints": [*TOUCHPOINTS, "purchase", "nothing"],
        "channels": CHANNELS,
        "channel_shares": CHANNEL_SHARES,
        "newer_channels": NEWER_CHANNELS,
        "region_late": dict(zip(REGIONS, world.region_late.tolist(), strict=True)),
        "region_mood": dict(zip(REGIONS, world.region_mood.tolist(), strict=True)),
    }
    (folder / "company.json").write_text(json.dumps(told, indent=1, default=_plain) + "\n")
    known = {kind.name: kind for kind in (*DIRT, *hostile_dirt(), MERGED)}
    _write(
        folder / "dirt.csv",
        ["kind", "table", "fate", "reason", "rows"],
        [
            [name, known[name].table, known[name].fate, known[name].reason, rows]
            for name, rows in sorted(dirt.items())
        ],
    )
    journeys = [truth_of_journeys(world.company, q).assign(quarter=q) for q in range(QUARTERS)]
    pd.concat(journeys).to_csv(folder / "journeys.csv", index=False)
    _write(
        folder / "transitions.csv",
        ["quarter", "step_from", "step_to", "probability"],
        [
            [quarter, step_from, step_to, round(float(share), 12)]
            for quarter in range(QUARTERS)
            for step_from, row in zip(
                ("start", *TOUCHPOINTS), first_order(world.company, quarter), strict=True
            )
            for step_to, share in zip((*TOUCHPOINTS, "purchase", "nothing"), row, strict=True)
        ],
    )
    truth_of_promoters(world).to_csv(folder / "promoters.csv", index=False)
    _write(
        folder / "rollout.csv",
        ["initiative", "region", "quarter", "acts_on", "effect"],
        [
            [initiative.name, region, quarter, initiative.acts_on, initiative.effect]
            for initiative, row in zip(world.company.initiatives, world.rollout, strict=True)
            for region, quarter in zip(REGIONS, row.tolist(), strict=True)
            if quarter != NEVER
        ],
    )


def write_answers(folder: Path, world: World, customers: int) -> None:
    """Write what a survey of everybody would find, `answers.csv`.

    As many customers as the company has are simulated for it, 5,000 to 50,000: the error
    of the truth stays below that of an estimate from a share of as many.
    """
    fewest, most = _PERSONS
    truth = truth_of_answers(world, customers=min(max(customers, fewest), most))
    truth.to_csv(folder / "answers.csv", index=False)


def write_margins(folder: Path, file: Path) -> None:
    """Write the shares of the whole customer base, which no part of it knows."""
    counts, target = (str(p).replace("'", "''") for p in (folder / "margin_counts.parquet", file))
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            "copy (select variable as feature, level as class, "
            "round(sum(count) / sum(sum(count)) over (partition by variable), 9) as share "
            f"from read_parquet('{counts}') group by variable, level order by variable, level) "
            f"to '{target}' (format csv, header)"
        )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else str(value)


def _write(file: Path, head: list[str], rows: list[list[Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([head, *rows])
