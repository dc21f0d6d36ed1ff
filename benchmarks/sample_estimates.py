"""What is estimated from fresh customers of the made-up company, as the notebooks do it.

Each measure takes a block of replicates and answers with one row per estimate: replicate,
name (metric, kind, dimensions), estimate, ends and n.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sample_replicates import CYCLE, MEAN_SIZE, Tables, blocks, in_engine
from sample_truth import COOLING, CUTS, LAPSE, lifecycle

from cxlab.data.engine import Table
from cxlab.data.sample.company import QUARTERS, REGIONS, TIME_ZONE, company
from cxlab.data.sample.world import World
from cxlab.feedback import ces, csat, nps
from cxlab.loyalty.sales import sales
from cxlab.operations import kept, on_time_in_full
from cxlab.segments import compare, migration, rfm, states

__all__ = ["SEED", "changes", "decisions", "estimates", "exact", "few_estimates", "gather", "still"]

SEED = 2026
_KINDS = ("delivery_date", "availability", "sla")
_DIMS = ("kind", "segment", "from_segment", "to_segment")


class Still(World):
    """A world in which no region has good or bad quarters."""

    @cached_property
    def region_mood(self) -> NDArray[np.float64]:
        """No region is happier than another, nor any quarter."""
        return np.zeros((len(REGIONS), QUARTERS))


def still(seed: int = SEED) -> World:
    """Make the null company a world in which satisfaction truly never changes.

    Quarters of regions are real changes in the other worlds, and so is who buys: latent
    segments that leave at different speeds have different moods. Here all have one mood.
    """
    null = company("null")
    return Still(replace(null, segments=tuple(replace(s, mood=0.0) for s in null.segments)), seed)


def gather(
    world: World,
    measure: Callable[[list[Tables]], pd.DataFrame],
    *,
    repetitions: int,
    size: int = MEAN_SIZE,
) -> pd.DataFrame:
    """Measure block after block of replicates of about `size` customers."""
    found = (measure(block) for block in blocks(world, repetitions, size=size))
    return pd.concat(found, ignore_index=True)


def estimates(block: list[Tables]) -> pd.DataFrame:
    """Estimate all that has an interval."""
    found = [*_ratings(block)]
    for place, tables in enumerate(block):
        made = in_engine({name: t for name, t in tables.items() if name != "answers"})
        rows = [*_sold(made), *_kept(made), *_segments(made), *_by_quantiles(made)]
        found += [row.assign(replicate=place) for row in rows]
    return pd.concat(found, ignore_index=True)


def few_estimates(block: list[Tables]) -> pd.DataFrame:
    """Estimate less in a quarter of the time: no changes of promises, segments now and then."""
    found = [*_ratings(block), *_shares_kept(block)]
    for place, tables in enumerate(block):
        whole = place % 4 == 0
        needed = ("orders", "customers") if whole else ("orders",)
        made = in_engine({name: tables[name] for name in needed})
        rows = [*_sold(made), *(_segments(made) if whole else ())]
        found += [row.assign(replicate=place) for row in rows]
    return pd.concat(found, ignore_index=True)


def changes(block: list[Tables]) -> pd.DataFrame:
    """Ask whether satisfaction has changed, in a world where it never does."""
    found = pd.concat(_ratings(block), ignore_index=True)
    return found[found["name"].str.contains("change")]


def decisions(block: list[Tables]) -> pd.DataFrame:
    """Ask that, and whether it differs between the arms of an initiative that does nothing."""
    found = [changes(block)]
    for place, tables in enumerate(block):
        made = in_engine({name: tables[name] for name in ("answers", "arms")})
        result = compare(
            made["answers"], outcome="value", unit="points", by=made["arms"],
            only={"construct": "csat"}, cycle=CYCLE,
        )  # fmt: skip
        arms = _named(result.estimates, "between the arms of a null initiative")
        # Two arms are each other's rest: one difference, told twice.
        arms = arms[arms["name"].str.startswith("compare.difference")].head(1)
        found.append(arms.assign(replicate=place))
    return pd.concat(found, ignore_index=True)


def exact(tables: Tables) -> bool:
    """Tell whether complete counts of lifecycle states are those counted plainly."""
    made = in_engine(tables)
    found = states(
        made["orders"], made["customers"], cycle=CYCLE, cooling_days=COOLING, lapse_days=LAPSE
    ).table()
    counted = [lifecycle(tables, c).value_counts() for c in (CYCLE.previous, CYCLE)]
    return all(
        found.set_index("state")[column].astype(int).equals(
            count.reindex(found["state"], fill_value=0).astype(int).rename(column)
        )
        for column, count in zip(("opening", "closing"), counted, strict=True)
    )  # fmt: skip


def _ratings(block: list[Tables]) -> Iterator[pd.DataFrame]:
    """Rate the replicates as groups of one table: a group sees its own answers only."""
    table = _grouped(block, "answers")
    for rate in (csat, ces, nps):
        rows = rate(table, cycle=CYCLE, by="replicate").estimates
        yield _named(rows).assign(replicate=rows["replicate"].astype(int))


def _shares_kept(block: list[Tables]) -> Iterator[pd.DataFrame]:
    how = {"cycle": CYCLE, "by": "replicate", "most": len(block)}
    results = [kept(_grouped(block, "promises"), kind=kind, **how) for kind in _KINDS]
    for found in (*results, on_time_in_full(_grouped(block, "shipments"), **how)):
        rows = found.estimates
        yield _named(rows).assign(replicate=rows["replicate"].astype(int))


def _grouped(block: list[Tables], name: str) -> Table:
    rows = pd.concat([t[name].assign(replicate=i) for i, t in enumerate(block)])
    rows["replicate"] = rows["replicate"].astype("string")
    return in_engine({name: rows})[name]


def _sold(made: dict[str, Table]) -> Iterator[pd.DataFrame]:
    yield _named(sales(made["orders"], cycle=CYCLE).estimates)


def _kept(made: dict[str, Table]) -> Iterator[pd.DataFrame]:
    for kind in _KINDS:
        yield _named(kept(made["promises"], cycle=CYCLE, kind=kind).estimates)
    yield _named(on_time_in_full(made["shipments"], cycle=CYCLE).estimates)


def _segments(made: dict[str, Table]) -> Iterator[pd.DataFrame]:
    """Value segments by declared cuts, and who moved from one to the other."""
    orders, people = made["orders"], made["customers"]
    now, before = (
        rfm(orders, people, at=at, cuts=CUTS, time_zone=TIME_ZONE)
        for at in (CYCLE.cutoff, CYCLE.start)
    )
    moved = migration(before.members, now.members, orders=orders, cycle=CYCLE)
    yield from (_named(found.estimates, "declared cuts") for found in (now, moved))


def _by_quantiles(made: dict[str, Table]) -> Iterator[pd.DataFrame]:
    found = rfm(made["orders"], made["customers"], at=CYCLE.cutoff, time_zone=TIME_ZONE)
    yield _named(found.estimates, "quantiles")


def _named(estimates: pd.DataFrame, kind: str = "") -> pd.DataFrame:
    """Name each row about this cycle by metric, kind and dimensions."""
    rows = estimates[estimates["cycle"].isna()] if "cycle" in estimates else estimates
    name = rows["metric"] + (f"|{kind}" if kind else "")
    for dim in _DIMS:
        if dim in rows:
            name = name + ("|" + rows[dim]).fillna("")
    return rows[["estimate", "conf_low", "conf_high", "n"]].astype(float).assign(name=name)
