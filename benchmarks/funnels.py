"""Funnels of four steps within seven days against other tools, at three sizes.

Persons are a twentieth of the events, who do ten things at random over a quarter. Each run
is a process of its own, so that its peak memory is its own; runs of different tools take
turns. Other tools live in an environment of their own, since some pin old versions:

    python -m venv peers && peers/bin/pip install polars pandas pyarrow chdb retentioneering
    CXLAB_PEERS=$PWD/peers/bin/python python benchmarks/funnels.py 1e6 1e7 1e8

A busy machine bends seconds more than processor seconds, so ratios of both are printed. Without
CXLAB_PEERS only cxlab and one DuckDB group-by are measured.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from memory import peak_megabytes

SIZES = (1_000_000, 10_000_000, 100_000_000)
SLOW_FROM = 100_000_000  # peers that hold all rows in memory sit this one out
STEPS = ["page viewed", "product viewed", "cart filled", "order placed"]
OTHER = ["searched", "clicked", "post seen", "parcel tracked", "service contacted", "form left"]
WINDOW_US = 7 * 86_400 * 1_000_000
# Product settings of memory; the engine spills to disk beyond.
MEMORY = {"first": "700MB", "any": "1600MB"}


def bench_funnels(sizes: tuple[int, ...] = SIZES, *, runs: int = 3) -> None:
    """Print seconds, memory and ratios at each size, and how cost grows with it."""
    ours: dict[str, list[tuple[int, float]]] = {"first": [], "any": []}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "interactions.parquet"
            make(log, size)
            make(log.with_name("warm.parquet"), 10_000)
            for entry, peers in _PEERS.items():
                found = _compare(log, entry, peers if size < SLOW_FROM else peers[-2:], runs)
                ours[entry].append((size, found))
    for entry, points in ours.items():
        if len(points) > 1:
            (small, quick), (large, slow) = points[0], points[-1]
            slope = math.log(slow / quick) / math.log(large / small)
            print(f"funnel, {entry} entry: cost grows with size to the power {slope:.2f} (1.05)")


_PEERS = {
    "first": ["retentioneering", "pandas", "polars", "group_by"],
    "any": ["clickhouse", "group_by"],
}
_AT_LEAST = {
    "retentioneering": 15.0,
    "pandas": 4.0,
    "polars": 1.0,
    "clickhouse": 1.5,
    "group_by": 0.5,
}


def _compare(log: Path, entry: str, peers: list[str], runs: int) -> float:
    tools = [f"cxlab_{entry}", *peers]
    found: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    for _ in range(runs):
        for tool in tools:
            if (one := _measured(tool, log)) is not None:
                found[tool].append(one)
    seconds = {t: statistics.median(r["seconds"] for r in f) for t, f in found.items() if f}
    cpu = {t: statistics.median(r["cpu"] for r in f) for t, f in found.items() if f}
    memory = {t: max(r["megabytes"] for r in f) for t, f in found.items() if f}
    own = tools[0]
    print(f"{log.stat().st_size / 1e6:,.0f} MB, {own}: {seconds[own]:.2f} s, {memory[own]:,} MB")
    for peer in (t for t in tools[1:] if t in seconds):
        ratio, effort = seconds[peer] / seconds[own], cpu[peer] / cpu[own]
        print(
            f"  {'ok  ' if ratio >= _AT_LEAST[peer] else 'MISS'} {ratio:5.2f} times faster than "
            f"{peer:<16} (at least {_AT_LEAST[peer]}; by processor {effort:.2f}); it took "
            f"{seconds[peer]:.2f} s, {memory[peer]:,} MB"
        )
    counts = {tuple(r["reached"]) for f in found.values() for r in f if r["comparable"]}
    if len(counts) > 1:
        raise AssertionError(f"tools that ask the same must count the same: {counts}")
    return seconds[own]


def _measured(tool: str, log: Path) -> dict[str, Any] | None:
    ours = tool.startswith("cxlab") or tool == "group_by"
    python = sys.executable if ours else os.environ.get("CXLAB_PEERS")
    if python is None:
        return None
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [python, __file__, tool, str(log)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": root if ours else "", "RETENTIONEERING_NO_TRACK": "1"},
        check=False,
    )
    if done.returncode:
        print(f"  {tool} is skipped: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def make(log: Path, size: int) -> None:
    """Write a log as a snapshot has it: by time, few distinct words, ids as they are."""
    import duckdb

    step = 91 * 86_400 * 1_000_000 // size
    duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}).execute(
        f"""
        copy (
            select 'i' || i as interaction_id,
                'c' || lpad(cast(hash(i) % {size // 20} as varchar), 7, '0') as customer_id,
                cast(null as varchar) as anonymous_id,
                make_timestamp(1704067200000000 + i * {step} + cast(hash(i + 7) % {step} as bigint))
                    as occurred_at,
                {STEPS + OTHER}[1 + cast(hash(i + 1) % 10 as int)] as activity,
                false as is_bot
            from range({size}) as t(i)
        ) to '{log}' (format parquet, row_group_size 245760, dictionary_size_limit 1000)
        """
    )


def _cxlab(log: str, entry: str) -> list[int]:
    from datetime import datetime

    import pyarrow.parquet as pq

    from cxlab.data.engine import DuckEngine
    from cxlab.journeys import Funnel, count_funnel

    with tempfile.TemporaryDirectory() as spill:
        engine = DuckEngine(memory=MEMORY[entry], threads=2, spill=Path(spill))
        table = engine.read_parquet([Path(log)], pq.read_schema(log).names)
        funnel = Funnel(steps=STEPS, window="7 days", reentry=entry == "any")
        # Past the last window's end, so that all entries are mature, as they are elsewhere.
        found = count_funnel(table, funnel, start=datetime(2024, 1, 1), cutoff=datetime(2024, 5, 1))
        return [int(n) for n in found.reached.groupby("step")["n"].sum()]


def _group_by(log: str) -> list[int]:
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    connection.execute(
        f"""
        select count(*), max(n), max(lasted) from (
            select customer_id, count(*) filter (where activity = '{STEPS[0]}') as n,
                max(occurred_at) - min(occurred_at) as lasted
            from read_parquet('{log}') group by customer_id
        )
        """
    ).fetchall()
    return []


def _polars(log: str) -> list[int]:
    import polars as pl

    rows = pl.scan_parquet(log).select("customer_id", "occurred_at", "activity")
    reached = (
        rows.filter(pl.col("activity") == STEPS[0])
        .group_by("customer_id")
        .agg(entry=pl.col("occurred_at").min())
        .with_columns(at=pl.col("entry"))
        .collect(engine="streaming")
    )
    counts = [reached.height]
    for step in STEPS[1:]:
        reached = (
            rows.filter(pl.col("activity") == step)
            .join(reached.lazy(), on="customer_id")
            .filter(
                (pl.col("occurred_at") >= pl.col("at"))
                & (pl.col("occurred_at") <= pl.col("entry") + pl.duration(microseconds=WINDOW_US))
            )
            .group_by("customer_id", "entry")
            .agg(at=pl.col("occurred_at").min())
            .collect(engine="streaming")
        )
        counts.append(reached.height)
    return counts


def _pandas(log: str) -> list[int]:
    import pandas as pd

    rows = pd.read_parquet(log, columns=["customer_id", "occurred_at", "activity"])
    entry = rows[rows["activity"] == STEPS[0]].groupby("customer_id")["occurred_at"].min()
    reached = pd.DataFrame({"entry": entry, "at": entry})
    counts = [len(reached)]
    for step in STEPS[1:]:
        both = rows[rows["activity"] == step].merge(reached, on="customer_id")
        late = both["entry"] + pd.Timedelta(microseconds=WINDOW_US)
        good = both[(both["occurred_at"] >= both["at"]) & (both["occurred_at"] <= late)]
        reached = good.groupby("customer_id").agg(entry=("entry", "min"), at=("occurred_at", "min"))
        counts.append(len(reached))
    return counts


def _retentioneering(log: str) -> list[int]:
    import pandas as pd
    from retentioneering.eventstream import Eventstream

    rows = pd.read_parquet(log, columns=["customer_id", "occurred_at", "activity"])
    rows.columns = ["user_id", "timestamp", "event"]
    # It knows no window, so its counts differ.
    found = Eventstream(rows).funnel_data(steps=STEPS)
    return [int(step["unique_paths"]) for step in found["steps"]]


def _clickhouse(log: str) -> list[int]:
    from chdb import session

    met = ", ".join(f"activity = '{step}'" for step in STEPS)
    names = ", ".join(f"'{step}'" for step in STEPS)
    answer = session.Session().query(
        f"""
        select level, count() from (
            select customer_id, windowFunnel({WINDOW_US})(
                toUInt64(toUnixTimestamp64Micro(occurred_at)), {met}) as level
            from file('{log}', Parquet) where activity in ({names}) group by customer_id
        ) group by level order by level settings max_threads = 2
        """,
        "JSONCompact",
    )
    levels = {int(level): int(n) for level, n in json.loads(str(answer))["data"]}
    return [sum(n for level, n in levels.items() if level >= step) for step in range(1, 5)]


_RUNS: dict[str, Callable[[str], list[int]]] = {
    "cxlab_first": lambda log: _cxlab(log, "first"),
    "cxlab_any": lambda log: _cxlab(log, "any"),
    "group_by": _group_by,
    "polars": _polars,
    "pandas": _pandas,
    "retentioneering": _retentioneering,
    "clickhouse": _clickhouse,
}


def _once(tool: str, log: str) -> None:
    """Do one of them in this process, and print what it took."""
    _RUNS[tool](str(Path(log).with_name("warm.parquet")))  # imports, and what is made once
    start, before = time.perf_counter(), time.process_time()
    reached = _RUNS[tool](log)
    print(
        json.dumps(
            {
                "reached": reached,
                "comparable": tool not in ("group_by", "retentioneering"),
                "seconds": time.perf_counter() - start,
                "cpu": time.process_time() - before,
                "megabytes": peak_megabytes(),
            }
        )
    )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in _RUNS:
        _once(sys.argv[1], sys.argv[2])
    else:
        bench_funnels(tuple(int(float(size)) for size in sys.argv[1:]) or SIZES)
