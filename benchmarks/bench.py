"""Speed, as ratios within one run: `make bench` prints every figure that cxlab promises.

Machines are noisy, so each figure is a median of alternating runs, and what counts is
the ratio. Generated data only; a study with real data is used where it is at hand.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLI = [sys.executable, "-c", "from cxlab.cli import main; main()"]
ROWS = 10_000_000


def main() -> None:
    """Print each figure beside its promise."""
    wanted = set(sys.argv[1:])
    for name, measure in (
        ("import", bench_import),
        ("help", bench_help),
        ("chapter", bench_chapter),
        ("run", bench_run),
        ("snapshot", bench_snapshot),
    ):
        if not wanted or name in wanted:
            measure()


def bench_import() -> None:
    """`import cxlab` against `import pandas, duckdb`."""
    ours, theirs = _alternate(
        lambda: _seconds([sys.executable, "-c", "import cxlab"]),
        lambda: _seconds([sys.executable, "-c", "import pandas, duckdb"]),
    )
    _say("import cxlab / import pandas, duckdb", ours / theirs, "< 1.2", f"{ours:.2f} s")


def bench_help() -> None:
    """`cxlab --help`, whole process."""
    seconds = statistics.median(_seconds([*CLI, "--help"]) for _ in range(7))
    _say("cxlab --help, seconds", seconds, "< 0.5")


def bench_chapter() -> None:
    """A chapter run by cxlab against the same notebook under bare papermill."""
    with _scratch() as folder:
        study = _made_study(folder)
        notebook = study / "notebooks" / "99_bench.ipynb"
        notebook.parent.mkdir()
        notebook.write_text(json.dumps(_notebook(study)))
        run = [*CLI, "run", str(study), "--chapters", "99_bench", "--force", "--jobs", "1"]
        bare = "import papermill as p, sys; p.execute_notebook(*sys.argv[1:], progress_bar=False)"
        (folder / "reports").mkdir()
        _seconds(run, cwd=folder)  # takes the snapshot
        pinned = sorted((study / ".cxlab" / "snapshots").iterdir())[-1]

        def chapter() -> float:
            _seconds(run, cwd=folder)
            read = json.loads(next((folder / "reports").rglob("manifest.json")).read_text())
            return next(float(c["seconds"]) for c in read["chapters"] if c["name"] == "99_bench")

        with_cxlab, papermill = _alternate(
            chapter,
            lambda: _seconds(
                [sys.executable, "-c", bare, str(notebook), str(folder / "out.ipynb")],
                cwd=folder,
                env={"CXLAB_SNAPSHOT": str(pinned)},
            ),
        )
        _say(
            "chapter by cxlab / bare papermill",
            with_cxlab / papermill,
            "< 1.3",
            f"{with_cxlab:.1f} s",
        )
        rendering = _rendering(sorted((study / ".cxlab" / "chapters").glob("*.ipynb"))[-1])
        _say("rendering a chapter, seconds", rendering, "< 1")


def bench_run() -> None:
    """The main job from a cold start, and again with nothing changed."""
    study = ROOT / "params" / "olist"
    if not (study / "../../../shared/data/olist").is_dir():
        print("run: the real data are not on this machine; skipped")
        return
    with _scratch() as folder:
        (folder / "reports").mkdir()
        run = [*CLI, "run", str(study), "--cycle", "2018Q1", "--reports", str(folder / "reports")]
        state = {"CXLAB_STATE": str(folder / "state")}
        first = _seconds(run, env=state)
        _say("first run of olist, seconds", first, "< 60")
        again = statistics.median(_seconds(run, env=state) for _ in range(5))
        _say("second run of olist, seconds", again, "< 2")


def bench_snapshot() -> None:
    """A snapshot of generated interactions against DuckDB's own COPY to Parquet."""
    with _scratch() as folder:
        study = _made_study(folder, rows=ROWS)
        take = (
            f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r});"
            "from pathlib import Path; from memory import peak_megabytes;"
            "from cxlab.data.settings import read_settings;"
            "from cxlab.data.taking import take_snapshot;"
            "study = Path(sys.argv[1]); s = read_settings(study);"
            "t = take_snapshot(study, s, s.parse_cycle('2018Q4'));"
            "assert t.rows_used['interactions'] == int(sys.argv[2]), t.rows_used;"
            "print(peak_megabytes())"
        )
        copy = (
            "import duckdb, sys; c = duckdb.connect(config={'threads': 2, 'memory_limit': '3GB'});"
            "c.execute(f\"copy (select * from read_csv('{sys.argv[1]}')) to '{sys.argv[2]}' "
            '(format parquet)")'
        )
        peaks: list[int] = []

        def ours() -> float:
            shutil.rmtree(study / ".cxlab", ignore_errors=True)
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", take, str(study), str(ROWS)],
                check=True,
                capture_output=True,
                text=True,
                cwd=ROOT,
            )
            peaks.append(int(done.stdout))
            return time.perf_counter() - start

        theirs = [
            sys.executable,
            "-c",
            copy,
            str(study / "raw/interactions.csv"),
            str(folder / "c.parquet"),
        ]
        snapshot, plain = _alternate(ours, lambda: _seconds(theirs), times=3)
        _say(
            "snapshot of 10 million interactions / COPY",
            snapshot / plain,
            "< 1.5",
            f"{snapshot:.1f} s",
        )
        _say("its peak memory, GiB", max(peaks) / 1024, "< 4")


def _made_study(folder: Path, *, rows: int = 1000) -> Path:
    """Make a study of customers and interactions, as wide as real logs are."""
    import duckdb

    study = folder / "made"
    (study / "raw").mkdir(parents=True)
    (study / "tables").mkdir()
    (study / "study.yaml").write_text(
        "title: Made\nraw: raw\ntime_zone: Asia/Jakarta\ndefault_cycle: 2018Q4\n"
        "engine: {memory: 3GB, threads: 2}\n"
    )
    for name in ("customers", "interactions"):
        (study / "tables" / f"{name}.sql").write_text(
            f"select * from read_csv('{{raw}}/{name}.csv', header = true)\n"
        )
    connection = duckdb.connect()
    connection.execute(
        f"copy (select 'c' || i as customer_id, timestamp '2017-01-01' as first_seen_at "
        f"from range({rows // 20}) t(i)) to '{study}/raw/customers.csv' (header)"
    )
    step = 30_000_000 / rows  # seconds between events: almost a year in all
    connection.execute(
        f"""copy (select 'i' || i as interaction_id,
            'c' || (i * 7919 % {rows // 20}) as customer_id,
            timestamp '2018-01-01' + to_seconds((i * {step})::bigint) as occurred_at,
            ['view', 'cart', 'buy', 'open'][1 + (i * 7 % 4)::int] as activity,
            ['web', 'app', 'mail', 'store'][1 + (i * 11 % 4)::int] as channel,
            's' || (i // 7) as session_id,
            (i * 3 % 600)::int as duration_s,
            ((i * 5 % 10000) / 100)::decimal(10, 2) as value_amount
        from range({rows}) t(i)) to '{study}/raw/interactions.csv' (header)"""
    )
    return study


def _notebook(study: Path) -> dict[str, object]:
    """Make a chapter that imports what chapters import, and asks the engine a little."""
    cells = [
        (
            "parameters",
            f'study: str = "{study}"  # which study\ncycle: str = "2018Q4"  # which cycle',
        ),
        ("", "import cxlab as cx"),
        ("", "import matplotlib.pyplot, scipy.stats, seaborn"),
        ("", "lab = cx.open(study, cycle=cycle)"),
        ("", "cx.query('select count(*) as n from i', i=lab.interactions)"),
    ]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{i}",
                "source": source,
                "outputs": [],
                "execution_count": None,
                "metadata": {"tags": [tag] if tag else []},
            }
            for i, (tag, source) in enumerate(cells)
        ],
    }


def _rendering(notebook: Path) -> float:
    import nbformat

    from cxlab.report import page

    read = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    context = page.Page(title="Bench", study="Bench", cycle="2018Q4")
    page.render_chapter(read, context=context)  # imports and templates, once a run
    start = time.perf_counter()
    page.render_chapter(read, context=context)
    return time.perf_counter() - start


def _alternate(
    one: Callable[[], float], other: Callable[[], float], times: int = 5
) -> tuple[float, float]:
    """Run two things in turn, after a warm-up of each, and return their medians."""
    one(), other()
    pairs = [(one(), other()) for _ in range(times)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def _seconds(command: list[str], *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> float:
    path = {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **path, **(env or {})},
    )
    return time.perf_counter() - start


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cxlab-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(what: str, found: float, promised: str, also: str = "") -> None:
    kept = "ok  " if found < float(promised.removeprefix("< ")) else "MISS"
    print(f"{kept} {what:<46} {found:8.2f}  promised {promised:<6} {also}", flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
