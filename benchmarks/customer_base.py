"""Models of customer bases against other tools on CDNOW, and on ten million made customers.

    python -m venv peers && peers/bin/pip install lifetimes pymc-marketing
    CXLAB_PEERS=$PWD/peers/bin/python python benchmarks/customer_base.py

Each tool fits the same customers several times in a process of its own; the median counts,
after a first fit that loads what is loaded once. Log-likelihoods are those of this package at
the parameters that each tool found. Without CXLAB_PEERS only cxlab is measured, and without
the folder of real data only the made customers.
"""

from __future__ import annotations

import json
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

RUNS = 7
CUTOFF = "1997-09-30"  # 39 weeks of CDNOW
# Least ratios of seconds, for BG/NBD; PyMC-Marketing's priors move its maximum.
PEERS = {"lifetimes": 1.0, "pymc_marketing": 300.0}
MADE = 10_000_000
MOST_SECONDS, MOST_MEGABYTES = 10.0, 2048
WEEKLY = (0.24, 4.4, 0.8, 2.4)


def main() -> int:
    """Print seconds, log-likelihoods and ratios; 1 where a figure is missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("sample", _sample), ("master", _master)):
            rows = Path(folder) / f"{name}.npy"
            if make(rows):
                missed += _compare(name, rows)
    return int(missed + _ten_million() > 0)


def _compare(name: str, rows: Path) -> int:
    own = _measured("cxlab", rows)
    assert own is not None
    print(f"CDNOW {name}, BG/NBD: {own['seconds']:.4f} s, log-likelihood {own['height']:.4f}")
    missed = 0
    for peer, least in PEERS.items():
        found = _measured(peer, rows)
        if found is None:
            continue
        ratio = found["seconds"] / own["seconds"]
        good = ratio >= least and own["height"] >= _height(rows, found["params"]) - 1e-6
        missed += not good
        print(
            f"  {'ok  ' if good else 'MISS'} {ratio:7.1f} times faster than {peer} (at least "
            f"{least:g}), which took {found['seconds']:.4f} s and came to "
            f"{_height(rows, found['params']):.4f}"
        )
    for model in ("MBG/NBD", "Pareto/NBD"):
        took = _measured(f"cxlab:{model}", rows)
        assert took is not None
        print(f"  {model}: {took['seconds']:.4f} s, log-likelihood {took['height']:.4f}")
    return missed


def _ten_million() -> int:
    found = _measured("made", Path(str(MADE)))
    assert found is not None
    good = found["seconds"] < MOST_SECONDS and found["megabytes"] < MOST_MEGABYTES
    print(
        f"{'ok  ' if good else 'MISS'} {MADE:,} customers in weeks, {found['histories']:,} "
        f"histories: fit {found['fit']:.2f} s, with total, chances and intervals "
        f"{found['seconds']:.2f} s (below {MOST_SECONDS:g}), {found['megabytes']:,} MB "
        f"(below {MOST_MEGABYTES:,})"
    )
    return int(not good)


def _measured(tool: str, rows: Path) -> dict[str, Any] | None:
    ours = tool.startswith("cxlab") or tool == "made"
    python = sys.executable if ours else os.environ.get("CXLAB_PEERS")
    if python is None:
        return None
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [python, __file__, tool, str(rows)], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": root if ours else ""},
    )  # fmt: skip
    if done.returncode:
        print(f"  {tool} is skipped: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _height(rows: Path, params: list[float]) -> float:
    import numpy as np

    from cxlab.stats.customer_base import histories
    from cxlab.stats.customer_base.beta_geometric import BetaGeometricNbd

    base = histories(*np.load(rows).T)
    return BetaGeometricNbd(modified=False).log_likelihood(np.log(params), base)[0]


# What runs in a process of its own


def _cxlab(rows: str, model: str = "BG/NBD") -> dict[str, Any]:
    import numpy as np

    from cxlab.stats.customer_base import fit_repeat_buying, histories

    x, t_x, watched = np.load(rows).T
    seconds, fit = _timed(lambda: fit_repeat_buying(histories(x, t_x, watched), model=model), RUNS)
    return {"seconds": seconds, "height": fit.log_likelihood, "params": list(fit.params.values())}


def _lifetimes(rows: str) -> dict[str, Any]:
    import numpy as np
    from lifetimes import BetaGeoFitter

    x, t_x, watched = np.load(rows).T
    seconds, fit = _timed(lambda: BetaGeoFitter().fit(x, t_x, watched), RUNS)
    return {"seconds": seconds, "params": [fit.params_[n] for n in ("r", "alpha", "a", "b")]}


def _pymc_marketing(rows: str) -> dict[str, Any]:
    import numpy as np
    import pandas as pd
    from pymc_marketing.clv import BetaGeoModel

    x, t_x, watched = np.load(rows).T
    data = pd.DataFrame(
        {"customer_id": np.arange(len(x)), "frequency": x, "recency": t_x, "T": watched}
    )

    def run() -> Any:
        model = BetaGeoModel(data=data)
        return model.fit(method="map").posterior

    seconds, found = _timed(run, 1)
    return {"seconds": seconds, "params": [float(found[n]) for n in ("r", "alpha", "a", "b")]}


def _made(size: str) -> dict[str, Any]:
    import numpy as np

    from cxlab.stats.customer_base import fit_repeat_buying, histories

    base = histories(*_weekly(int(size), np.random.default_rng(1)))
    start = time.perf_counter()
    fit = fit_repeat_buying(base)
    fitted = time.perf_counter() - start
    fit.table(), fit.total(base, 52.0, realised=True), fit.p_alive(base)
    return {
        "seconds": time.perf_counter() - start,
        "fit": fitted,
        "histories": len(base),
        "megabytes": peak_megabytes(),
    }


def _weekly(size: int, rng: Any) -> tuple[Any, ...]:
    """Make customers who joined within two years, and count them by history in whole weeks."""
    import numpy as np

    r, alpha, a, b = WEEKLY
    counts: dict[int, int] = {}
    for start in range(0, size, 500_000):
        n = min(500_000, size - start)
        rate, leaves = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
        watched = rng.integers(1, 105, n)
        x, t_x, at, buying = np.zeros(n, int), np.zeros(n, int), np.zeros(n), np.arange(n)
        while len(buying):
            at[buying] += rng.exponential(1, len(buying)) / np.maximum(rate[buying], 1e-300)
            buying = buying[at[buying] <= watched[buying]]
            x[buying] += 1
            t_x[buying] = np.ceil(at[buying])
            buying = buying[rng.random(len(buying)) >= leaves[buying]]
        keys, many = np.unique((x * 128 + t_x) * 128 + watched, return_counts=True)
        for key, count in zip(keys.tolist(), many.tolist(), strict=True):
            counts[key] = counts.get(key, 0) + count
    keys = np.array(list(counts))
    return keys // 128**2, keys // 128 % 128, keys % 128, np.array(list(counts.values()))


def _timed(run: Callable[[], Any], runs: int) -> tuple[float, Any]:
    took = []
    found = run() if runs > 1 else None
    for _ in range(runs):
        start = time.perf_counter()
        found = run()
        took.append(time.perf_counter() - start)
    return statistics.median(took), found


# CDNOW


def _sample(rows: Path) -> bool:
    names = ["id", "customer", "day", "discs", "spend"]
    return _cdnow("CDNOW_sample.txt", rows, names=names, header=None)


def _master(rows: Path) -> bool:
    return _cdnow("CDNOW_master.txt", rows, names=["customer", "day", "discs", "spend"], header=0)


def _cdnow(file: str, rows: Path, **how: Any) -> bool:
    """Write x, t_x and T in weeks of one row per customer; tell whether the data are here."""
    import numpy as np
    import pandas as pd

    path = Path(__file__).parents[2] / "shared" / "data" / "cdnow" / file
    if not path.is_file():
        print(f"{file} is not on this machine")
        return False
    frame = pd.read_csv(path, sep=r"\s+", **how)
    frame["day"] = pd.to_datetime(frame["day"], format="%Y%m%d")
    frame = frame.drop_duplicates(["customer", "day"])
    frame = frame[frame["day"] <= CUTOFF]
    by = frame.groupby("customer")["day"].agg(["size", "min", "max"])
    last, end = by["max"] - by["min"], pd.Timestamp(CUTOFF) - by["min"]
    np.save(rows, np.c_[by["size"] - 1, last.dt.days / 7, end.dt.days / 7])
    return True


_TOOLS: dict[str, Callable[[str], dict[str, Any]]] = {
    "cxlab": _cxlab,
    "cxlab:MBG/NBD": lambda rows: _cxlab(rows, "MBG/NBD"),
    "cxlab:Pareto/NBD": lambda rows: _cxlab(rows, "Pareto/NBD"),
    "lifetimes": _lifetimes,
    "pymc_marketing": _pymc_marketing,
    "made": _made,
}


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in _TOOLS:
        print(json.dumps(_TOOLS[sys.argv[1]](sys.argv[2])))
    else:
        sys.exit(main())
