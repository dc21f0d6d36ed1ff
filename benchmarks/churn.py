"""Curves and log-rank tests by segment against lifelines, on rows of a Parquet file.

Subscriptions of four segments lie in a Parquet file. cxlab counts them in its engine by segment
and week, and works on the counts; lifelines works on rows of the same file, in weeks as well.
Each run is a process of its own, so that its peak memory is its own, and runs take turns:

    python benchmarks/churn.py 1e6 1e7

Only ratios within one run are judged, for a busy machine bends all seconds alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from memory import peak_megabytes

SIZES = (1_000_000, 10_000_000)
AT_LEAST = {10_000_000: 15.0}  # times faster than lifelines; elsewhere faster at all
SAME = 1e-9  # p-values and shares
CUTOFF = "2026-10-01"


def bench_curves(sizes: tuple[int, ...], *, runs: int = 3) -> bool:
    """Print seconds, memory and ratios at each size; tell whether all were reached."""
    good = True
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder) / "subscriptions.parquet"
            make(rows, size)
            make(rows.with_name("warm.parquet"), 2_000)
            found = {tool: [] for tool in ("cxlab", "lifelines")}
            for _ in range(runs):
                for tool, results in found.items():
                    results.append(_measured(tool, rows))
        took = {
            tool: {k: statistics.median(r[k] for r in f) for k in ("seconds", "cpu", "megabytes")}
            for tool, f in found.items()
        }
        ratio = took["lifelines"]["seconds"] / took["cxlab"]["seconds"]
        effort = took["lifelines"]["cpu"] / took["cxlab"]["cpu"]
        least = AT_LEAST.get(size, 1.0)
        apart = max(
            abs(a - b)
            for a, b in zip(found["cxlab"][0]["said"], found["lifelines"][0]["said"], strict=True)
        )
        reached = ratio >= least and apart < SAME
        good &= reached
        print(
            f"{'ok  ' if reached else 'MISS'} {size:>10,} subscriptions: cxlab "
            f"{took['cxlab']['seconds']:.2f} s, {took['cxlab']['megabytes']:,.0f} MB; lifelines "
            f"{took['lifelines']['seconds']:.2f} s, {took['lifelines']['megabytes']:,.0f} MB; "
            f"{ratio:.2f} times faster (at least {least:g}; by processor {effort:.2f}), "
            f"numbers within {apart:.1e}"
        )
    return good


def make(file: Path, size: int) -> None:
    """Write subscriptions begun within three years, of which some have ended."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(size)
    segment = rng.integers(0, 4, size)
    cutoff = pd.Timestamp(CUTOFF)
    started = cutoff - pd.to_timedelta(rng.integers(1, 3 * 365 * 24 * 60, size), unit="min")
    weeks = rng.weibull(0.9, size) * np.array([60, 70, 80, 100])[segment]
    ended = (started + pd.to_timedelta((weeks * 7 * 24 * 60).astype(int), unit="min")).to_series()
    numbers = np.arange(size).astype(str)
    table = pd.DataFrame(
        {
            "subscription_id": numbers,
            "customer_id": numbers,
            "started_at": started,
            "ended_at": ended.where(ended < cutoff).to_numpy(),
            "segment": np.array(list("abcd"))[segment],
        }
    )
    moments = dict.fromkeys(("started_at", "ended_at"), "datetime64[us]")
    table.astype(moments).to_parquet(file)


def _measured(tool: str, rows: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--tool", tool, str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def by_cxlab(file: Path) -> list[float]:
    """Share of each segment that still runs after a year, and the p-value."""
    import numpy as np

    from cxlab.churn.lengths import counted, curve_of, gathered_cells, lengths, seen
    from cxlab.data.calendar import parse_cycle
    from cxlab.data.engine import DuckEngine
    from cxlab.stats.survival import log_rank

    cycle = parse_cycle("2026Q3")
    columns = ("subscription_id", "customer_id", "started_at", "ended_at", "segment")
    table = DuckEngine(threads=2).read_parquet([file], columns)
    cells, _ = gathered_cells(lengths(table, cycle, None), "segment")
    counts, people = counted(cells)
    shares, parts = [], []
    for group in sorted(people["grp"]):
        mine = counts[counts["grp"] == group]
        shares.append(curve_of(mine, people[people["grp"] == group].iloc[0]).share_at(52).estimate)
        parts.append((group, seen(mine)))
    test = log_rank(
        *(np.concatenate([getattr(x, name) for _, x in parts])
          for name in ("week", "ended", "open")),
        group=np.concatenate([np.full(len(x.week), name) for name, x in parts]),
    )  # fmt: skip
    return [*shares, test.p_value]


def by_lifelines(file: Path) -> list[float]:
    """The same from rows."""
    import pandas as pd
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    rows = pd.read_parquet(file)
    over = rows["ended_at"].notna()
    end = rows["ended_at"].where(over, pd.Timestamp(CUTOFF))
    weeks = (end - rows["started_at"]) // pd.Timedelta(days=7) + 1
    shares = []
    for _, lot in rows.groupby("segment"):
        fit = KaplanMeierFitter().fit(weeks[lot.index], over[lot.index])
        shares.append(float(fit.survival_function_at_times(52).iloc[0]))
    test = multivariate_logrank_test(weeks, rows["segment"], over)
    return [*shares, float(test.p_value)]


def _run(tool: str, file: Path) -> None:
    work = {"cxlab": by_cxlab, "lifelines": by_lifelines}[tool]
    work(file.with_name("warm.parquet"))  # imports and the engine's start are not the question
    began, cpu = time.perf_counter(), time.process_time()
    said = work(file)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = peak_megabytes()
    print(json.dumps({"seconds": seconds, "cpu": cpu, "megabytes": peak, "said": said}))


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["--tool"]:
        _run(words[1], Path(words[2]))
        raise SystemExit
    raise SystemExit(not bench_curves(tuple(int(float(w)) for w in words) or SIZES))
