"""Cox regression (Efron, 13 coefficients, weekly ties) against other tools, at two sizes.

Customers have four attributes of 4, 5, 4 and 4 levels and are followed for up to two years. cxlab
groups them in its engine by attributes, week and end, and fits the counts; the others fit rows
from the same Parquet file. Each run is a process of its own, so that its peak memory is its own;
runs of different tools take turns. Some tools live in an environment of their own, and R where
`Rscript` has the packages survival and arrow:

    python -m venv peers && peers/bin/pip install pandas pyarrow statsmodels scikit-survival
    CXLAB_PEERS=$PWD/peers/bin/python python benchmarks/cox.py 1e6 1e7

A busy machine bends seconds more than processor seconds, so ratios of both are printed.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from memory import peak_megabytes

SIZES = (1_000_000, 10_000_000)
LEVELS = {"plan": 4, "region": 5, "channel": 4, "age_group": 4}
COEF = [-0.5, -0.3, 0.2, 0.4, 0.1, -0.2, 0.3, 0.25, -0.15, 0.05, -0.4, 0.35, 0.15]
# Times faster than each at least, by size; peers of minutes sit the largest out.
AT_LEAST = {
    1_000_000: {"lifelines": 4.0, "statsmodels": 20.0, "r": 10.0},
    10_000_000: {"lifelines": 25.0},
}
MEMORY = {10_000_000: 0.1}  # share of lifelines' memory at most
SAME = 1e-6  # coefficients, in units of themselves


def bench_cox(sizes: tuple[int, ...] = SIZES, *, runs: int = 3) -> None:
    """Print seconds, memory and ratios at each size, and how far coefficients are apart."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder) / "customers.parquet"
            make(rows, size)
            make(rows.with_name("warm.parquet"), 5_000)
            _compare(rows, size, AT_LEAST.get(size, {"lifelines": 1.0}), runs)


def _compare(rows: Path, size: int, peers: dict[str, float], runs: int) -> None:
    found: dict[str, list[dict[str, Any]]] = {tool: [] for tool in ("cxlab", *peers)}
    for _ in range(runs):
        for tool, results in found.items():
            if (one := _measured(tool, rows)) is not None:
                results.append(one)
    took = {
        tool: {k: statistics.median(r[k] for r in f) for k in ("seconds", "cpu", "megabytes")}
        for tool, f in found.items()
        if f
    }
    ours, coef = took["cxlab"], found["cxlab"][0]["coef"]
    print(
        f"{size:,} customers, cxlab: {ours['seconds']:.2f} s ({found['cxlab'][0]['fit']:.2f} s of "
        f"it the fit of {found['cxlab'][0]['cells']:,} counts), {ours['megabytes']:,.0f} MB"
    )
    for peer in (t for t in peers if t in took):
        theirs = took[peer]
        ratio, effort = (theirs[k] / ours[k] for k in ("seconds", "cpu"))
        apart = max(abs(a - b) / abs(b) for a, b in zip(found[peer][0]["coef"], coef, strict=True))
        print(
            f"  {'ok  ' if ratio >= peers[peer] else 'MISS'} {ratio:6.2f} times faster than "
            f"{peer:<12} (at least {peers[peer]:g}; by processor {effort:.2f}); it took "
            f"{theirs['seconds']:.2f} s, {theirs['megabytes']:,.0f} MB; coefficients within "
            f"{apart:.1e} ({'ok' if apart < SAME else 'MISS'})"
        )
    if size in MEMORY and "lifelines" in took:
        share = ours["megabytes"] / took["lifelines"]["megabytes"]
        print(f"  {'ok  ' if share <= MEMORY[size] else 'MISS'} {share:6.2f} of its memory")


def _measured(tool: str, rows: Path) -> dict[str, Any] | None:
    own = tool in ("cxlab", "lifelines")  # a dependency of the project
    if tool == "r":
        command = None if shutil.which("Rscript") is None else ["Rscript", "-e", _R, str(rows)]
    else:
        python = sys.executable if own else os.environ.get("CXLAB_PEERS")
        command = None if python is None else [python, __file__, tool, str(rows)]
    if command is None:
        return None
    paths = {"PYTHONPATH": str(Path(__file__).parents[1]) if own else ""}
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | paths, check=False
    )
    if done.returncode:
        print(f"  {tool} is skipped: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def make(rows: Path, size: int) -> None:
    """Write customers: level of each attribute from 0, weeks seen, whether they end in churn."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, part = np.random.default_rng(1), 1_000_000
    schema = pa.schema([(column, pa.int8()) for column in (*LEVELS, "week", "churned")])
    with pq.ParquetWriter(rows, schema) as to:
        for begin in range(0, size, part):
            n = min(part, size - begin)
            levels, log, used = {}, np.zeros(n), 0
            for name, many in LEVELS.items():
                levels[name] = rng.integers(0, many, n, dtype=np.int8)
                log += np.concatenate([[0.0], COEF[used : used + many - 1]])[levels[name]]
                used += many - 1
            churn = np.ceil(-np.log(rng.random(n)) * 150 * np.exp(-log))
            end = np.minimum(np.ceil(rng.random(n) * 208), 104)
            ends = {
                "week": np.minimum(churn, end).astype(np.int8),
                "churned": (churn <= end).astype(np.int8),
            }
            to.write_table(pa.table(levels | ends))


def _dummies(table: Any) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {f"{c}{j}": (table[c] == j).astype(float) for c, m in LEVELS.items() for j in range(1, m)}
    )


def _cxlab(rows: str) -> dict[str, Any]:
    from cxlab.data.engine import DuckEngine, query
    from cxlab.stats.cox import cox

    columns = [*LEVELS, "week", "churned"]
    table = DuckEngine(threads=2).read_parquet([Path(rows)], columns)
    names = ", ".join(columns)
    counts = query(
        f"select {names}, count(*) as n from t group by {names} order by {names}",
        t=table, limit=100_000,
    )  # fmt: skip
    start = time.perf_counter()
    fit = cox(_dummies(counts), counts["week"], counts["churned"], frequency=counts["n"])
    took = time.perf_counter() - start
    return {"coef": fit.coef.tolist(), "fit": took, "cells": len(counts)}


def _lifelines(rows: str) -> dict[str, Any]:
    import pandas as pd
    from lifelines import CoxPHFitter

    table = pd.read_parquet(rows)
    frame = _dummies(table).assign(week=table["week"].astype(float), churned=table["churned"])
    return {"coef": CoxPHFitter().fit(frame, "week", "churned").params_.tolist()}


def _statsmodels(rows: str) -> dict[str, Any]:
    import pandas as pd
    from statsmodels.duration.hazard_regression import PHReg

    table = pd.read_parquet(rows)
    model = PHReg(
        table["week"].astype(float), _dummies(table), status=table["churned"], ties="efron"
    )
    return {"coef": model.fit().params.tolist()}


_R = """
suppressMessages({library(survival); library(arrow)})
d <- as.data.frame(read_parquet(commandArgs(TRUE)[1]))
began <- proc.time()
for (n in c("plan", "region", "channel", "age_group")) d[[n]] <- factor(d[[n]])
fit <- coxph(Surv(week, churned) ~ plan + region + channel + age_group, d)
took <- proc.time() - began
memory <- sum(gc()[, 6])
cat(sprintf('{"coef": [%s], "seconds": %f, "cpu": %f, "megabytes": %f}', paste(sprintf("%.12f",
  coef(fit)), collapse = ","), took[3], took[1] + took[2], memory), "\\n")
"""

_RUNS: dict[str, Callable[[str], dict[str, Any]]] = {
    "cxlab": _cxlab,
    "lifelines": _lifelines,
    "statsmodels": _statsmodels,
}


def _once(tool: str, rows: str) -> None:
    """Do one of them in this process, and print what it took."""
    _RUNS[tool](str(Path(rows).with_name("warm.parquet")))  # imports, and what is made once
    start, before = time.perf_counter(), time.process_time()
    found = _RUNS[tool](rows)
    took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - before}
    print(json.dumps(found | took | {"megabytes": peak_megabytes()}))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in _RUNS:
        _once(sys.argv[1], sys.argv[2])
    else:
        bench_cox(tuple(int(float(size)) for size in sys.argv[1:]) or SIZES)
