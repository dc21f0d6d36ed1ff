"""The sample company made, linked and read, against a plain scan-and-write of the same data.

Three sizes of about 10^5, 10^6 and 10^7 interactions. Each step runs in a process of its own:

generation  all exports and the truth, by two processes. Beside it: DuckDB reads the raw files
            and writes them again, each in its own format.
identity    persons from the links of the customer data platform. Beside it: DuckDB reads the
            links, as Parquet, and writes them.
snapshot    every table read, checked, joined to persons, masked and written. Beside it: DuckDB
            reads each raw file by the readers of the mappings, text as text, and writes Parquet.

Seconds are of the wall and of the processors: on a busy machine only the second are fair.
Memory is the peak of the process with all that it starts, each page counted by who holds it.
`python benchmarks/sample.py [CUSTOMERS ...]` takes other sizes.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
SIZES = (2_000, 20_000, 200_000)  # customers: 53 interactions each
RUNS = 3  # of each step and of what stands beside it, in turn; 1 from a million interactions on
STEPS = {
    "generation": ("generate", "copy_raw"),
    "identity": ("resolve", "copy_links"),
    "snapshot": ("take", "read_raw"),
}
CYCLE = "2026Q3"
GOAL = 3.0  # times a plain scan-and-write
FLOOR = 10_000_000 / 60  # interactions a second that generation is to reach
GIB = 2**30
_CSV = "read_csv('{file}', header = true, all_varchar = true)"
_JSON = "read_ndjson('{file}')"


@dataclass(frozen=True)
class Spent:
    """What one process took."""

    seconds: float
    cpu: float
    memory: int
    told: dict[str, int]


def main(sizes: tuple[int, ...]) -> None:
    """Print a row per step and size, and how fast each step grows."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"{'step':<12}{'interactions':>13}{'seconds':>9}{'beside':>9}{'ratio':>7}"
        f"{'cpu s':>8}{'beside':>8}{'ratio':>7}{'peak GiB':>10}"
    )
    found: dict[str, list[tuple[int, Spent]]] = {name: [] for name in STEPS}
    for customers in sizes:
        with tempfile.TemporaryDirectory(prefix="cxlab-bench-sample-") as place:
            for name, pair in STEPS.items():
                runs = RUNS if customers < SIZES[1] else 1
                ours, beside = _both(Path(place), pair, customers, runs)
                found[name].append((_interactions(Path(place)), ours))
                _say(name, found[name][-1][0], ours, beside)
    for name, rows in found.items():
        if len(rows) > 1:
            print(
                f"{name}: seconds grow as size to the {_slope(rows, 'seconds'):.2f}, "
                f"processor seconds to the {_slope(rows, 'cpu'):.2f}"
            )
    size, ours = found["generation"][-1]
    print(
        f"generation: {size / ours.seconds * 60 / 1e6:.1f} million interactions a minute, "
        f"{size / ours.cpu * 2 * 60 / 1e6:.1f} by two whole processors (to reach: 10)"
    )


def _say(name: str, size: int, ours: Spent, beside: Spent) -> None:
    ratio, cpu = ours.seconds / beside.seconds, ours.cpu / beside.cpu
    kept = "ok" if ratio < GOAL and ours.memory < 4 * GIB else "MISS"
    print(
        f"{name:<12}{size:>13,}{ours.seconds:>9.2f}{beside.seconds:>9.2f}{ratio:>7.1f}"
        f"{ours.cpu:>8.2f}{beside.cpu:>8.2f}{cpu:>7.1f}{ours.memory / GIB:>10.2f}  {kept}",
        flush=True,
    )


def _slope(rows: list[tuple[int, Spent]], of: str) -> float:
    """Fit log time on log size by least squares."""
    x = [math.log(size) for size, _ in rows]
    y = [math.log(getattr(spent, of)) for _, spent in rows]
    return statistics.linear_regression(x, y).slope


def _interactions(place: Path) -> int:
    return int(json.loads((place / "made.json").read_text())["interactions"])


def _both(place: Path, pair: tuple[str, str], customers: int, runs: int) -> tuple[Spent, Spent]:
    """Run a step and what stands beside it in turn; return the medians, and the highest peak."""
    both = [[_spent(what, place, customers) for what in pair] for _ in range(runs)]
    return _middle([pair[0] for pair in both]), _middle([pair[1] for pair in both])


def _middle(spent: list[Spent]) -> Spent:
    return Spent(
        seconds=statistics.median(s.seconds for s in spent),
        cpu=statistics.median(s.cpu for s in spent),
        memory=max(s.memory for s in spent),
        told=spent[0].told,
    )


def _spent(what: str, place: Path, customers: int) -> Spent:
    """Run one step in a process, and watch the memory of all that it starts."""
    command = [sys.executable, __file__, what, str(place), str(customers)]
    path = {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **path}
    ) as run:
        peak, done = [0], threading.Event()
        watch = threading.Thread(target=_watch, args=(run.pid, peak, done))
        watch.start()
        out, _ = run.communicate()
        done.set()
        watch.join()
    if run.returncode:
        raise SystemExit(f"{what} failed for {customers:,} customers")
    told = json.loads(out)
    return Spent(told.pop("seconds"), told.pop("cpu"), peak[0], told)


def _watch(pid: int, peak: list[int], done: threading.Event) -> None:
    while not done.wait(0.1):
        try:
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            # Shared pages are divided among those who share them.
            peak[0] = max(peak[0], sum(p.memory_full_info().pss for p in family))
        except psutil.Error:
            continue  # one of them has just ended


def generate(place: Path, customers: int) -> None:
    """Write the study of the company."""
    from cxlab.data.sample.study import new_sample
    from cxlab.data.sample.write import Options

    shutil.rmtree(place / "study", ignore_errors=True)
    made = new_sample(place / "study", Options(customers=customers))
    (place / "made.json").write_text(json.dumps(made.rows))


def copy_raw(place: Path, _customers: int) -> None:
    """Read each raw file and write it again in its own format."""
    _copy_files(place, lambda suffix: suffix)


def read_raw(place: Path, _customers: int) -> None:
    """Read each raw file and write it as Parquet."""
    _copy_files(place, lambda _: ".parquet")


def _copy_files(place: Path, form: Callable[[str], str]) -> None:
    raw, out = place / "study" / "raw", place / "again"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    connection = _connect(place)
    for number, file in enumerate(sorted(_exports(raw))):
        source, suffix = _reader(file)
        target = out / f"{number}{form(suffix)}"
        how = {".parquet": "parquet", ".csv": "csv, header", ".jsonl": "json"}[target.suffix]
        connection.execute(f"copy (from {source}) to '{target}' (format {how})")


def _exports(raw: Path) -> set[Path]:
    """List the files, and the folder in place of those of a long export."""
    files = (f for f in raw.rglob("*") if f.is_file())
    return {f.parent if f.suffix == ".parquet" else f for f in files}


def _reader(file: Path) -> tuple[str, str]:
    if file.is_dir():
        return f"read_parquet('{file}/*.parquet')", ".parquet"
    return (_CSV if file.suffix == ".csv" else _JSON).format(file=file), file.suffix


def resolve(place: Path, _customers: int) -> None:
    """Find the persons behind the links, and write whose each id is."""
    from cxlab.data.identity import IdentitySettings
    from cxlab.data.identity import resolve as persons

    connection = _connect(place)
    connection.execute(
        "create temp table k as select file_row_number as row, left_type, right_type, "
        "left_type || ':' || left_value as left_id, right_type || ':' || right_value as right_id, "
        f"linked_at, reason from read_parquet('{place}/links.parquet', file_row_number = true)"
    )
    persons(connection.execute, "k", IdentitySettings())
    connection.execute(
        f"copy (select id, person from cx_member) to '{place}/persons.parquet' (format parquet)"
    )


def copy_links(place: Path, _customers: int) -> None:
    """Read the links and write them."""
    _connect(place).execute(
        f"copy (from read_parquet('{place}/links.parquet')) "
        f"to '{place}/again.parquet' (format parquet)"
    )


def _links(place: Path) -> None:
    """Write the links as the study maps them, once for both sides."""
    sql = (place / "study" / "tables" / "links.sql").read_text(encoding="utf-8")
    sql = sql.replace("{raw}", str(place / "study" / "raw"))
    _connect(place).execute(f"copy ({sql}) to '{place}/links.parquet' (format parquet)")


def take(place: Path, _customers: int) -> None:
    """Take the snapshot of the last cycle, as a run would."""
    from cxlab.data.settings import read_settings
    from cxlab.data.taking import take_snapshot

    study = place / "study"
    shutil.rmtree(study / ".cxlab", ignore_errors=True)
    settings = read_settings(study)
    take_snapshot(study, settings, settings.parse_cycle(CYCLE))


def _connect(place: Path):
    """Connect with what the study of the company gives its engine."""
    import duckdb

    spill = {"threads": 2, "memory_limit": "4GB", "temp_directory": str(place / "spill")}
    connection = duckdb.connect(config=spill)
    connection.execute("set enable_progress_bar = false")  # what is printed is read as numbers
    return connection


def _once(what: str, place: Path, customers: int) -> None:
    """Do one step in this process, and print what it took."""
    if what in ("resolve", "copy_links") and not (place / "links.parquet").exists():
        _links(place)
    before, start = _cpu(), time.perf_counter()
    globals()[what](place, customers)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "cpu": _cpu() - before}))


def _cpu() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(w) for w in who]
    return sum(u.ru_utime + u.ru_stime for u in used)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in {w for pair in STEPS.values() for w in pair}:
        _once(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
