"""Every measure of the chapters on churn and loyalty, on ten million orders.

A sample company is made and read once, and its tables are copied until they hold the orders
wanted: each copy has ids of its own, and lies up to two days earlier. Subscriptions are dealt out
until there are about as many as customers; some customers keep several. Then each chapter runs
in a process of its own, cell by cell, as its notebook has them, figures and tables included.

    python benchmarks/chapters.py [ORDERS]

Seconds are of the wall and of the processors: on a busy machine only the second are fair.
Memory is the peak of the process while a cell ran. Not all customers allow a look at their rows,
so that both chapters see fewer than there are; to leave them out is part of the work.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from memory import peak_megabytes

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ("50_churn", "60_loyalty")
CYCLE = "2026Q3"
ORDERS = 10_000_000
BASE = 5_000  # customers of the company that is copied
MOST_SECONDS, MOST_MEGABYTES = 60.0, 4096  # both chapters together
# What the two chapters read; tables of the business, not of its customers, are not copied.
COPIED = ("customers", "consents", "orders", "order_lines", "returns", "shipments", "tickets",
          "contacts", "answers", "comments", "messages", "referrals", "subscriptions",
          "subscription_changes")  # fmt: skip
ONCE = ("campaigns", "costs")
SHARED_IDS = ("product_id", "campaign_id", "store_id", "quote_id")
OTHER_IDS = ("referred_by",)
DAYS = 3  # by so many days copies lie apart


def main(orders: int = ORDERS) -> int:
    """Print each cell and all of them together; 1 where a figure is missed."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "study", Path(folder) / "large"
        began = time.perf_counter()
        _quiet([sys.executable, "-m", "cxlab", "sample", str(small), "--customers", str(BASE)])
        rows = _child("--copy", str(small), str(large), str(orders))
        print(
            f"{rows['customers']:,} customers, {rows['orders']:,} orders, "
            f"{rows['subscriptions']:,} subscriptions, {rows['answers']:,} answers; made in "
            f"{time.perf_counter() - began:.0f} s"
        )
        seconds = cpu = megabytes = 0.0
        for chapter in CHAPTERS:
            cells = _child("--chapter", chapter, str(small), str(large))
            print(f"{chapter}")
            for cell in cells:
                print(
                    f"  {cell['seconds']:7.2f} s ({cell['cpu']:.2f} s of processors), "
                    f"{cell['megabytes']:,} MB: {cell['title']}"
                    + f"; NOT SHOWN: {cell['missing']}"
                    * bool(cell["missing"])
                )
            seconds += sum(cell["seconds"] for cell in cells)
            cpu += sum(cell["cpu"] for cell in cells)
            megabytes = max(megabytes, *(cell["megabytes"] for cell in cells))
    good = seconds < MOST_SECONDS and megabytes < MOST_MEGABYTES
    said = ("ok  " if good else "MISS") if orders >= ORDERS else "(no figure for so few orders)"
    print(
        f"{said} both chapters: {seconds:.1f} s (below {MOST_SECONDS:g}; "
        f"{cpu:.1f} s of processors), {megabytes:,.0f} MB (below {MOST_MEGABYTES:,})"
    )
    return int(not good)


def _child(*words: str) -> Any:
    done = _quiet([sys.executable, __file__, *words])
    return json.loads(done.splitlines()[-1])


def _quiet(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[1:4]} failed:\n{done.stderr[-3000:]}")
    return done.stdout


# What runs in a process of its own


def copy_study(small: Path, large: Path, orders: int) -> dict[str, int]:
    """Copy the snapshot of a small study until it has so many orders; give rows by table."""
    import duckdb

    import cxlab as cx

    lab = cx.open(small, cycle=CYCLE)
    large.mkdir()
    known = lab.snapshot.rows_used
    times = -(-orders // known["orders"])
    with duckdb.connect() as to:
        to.execute("set enable_progress_bar = false; set preserve_insertion_order = false")
        to.execute(f"create table k as select range as k from range({times})")
        more = known["customers"] // known["subscriptions"]
        for name in COPIED:
            rows = f"(from '{lab._folder / name}.parquet')"
            if name in ("subscriptions", "subscription_changes"):
                rows = _dealt(rows, lab._folder, more, known["customers"])
            listed = ", ".join(_copied(c) for c in lab.snapshot.columns[name])
            to.execute(
                f"copy (select {listed} from {rows} as t cross join k) "
                f"to '{large / name}.parquet' (format parquet)"
            )
        for name in ONCE:
            to.execute(f"copy (from '{lab._folder / name}.parquet') to '{large / name}.parquet'")
        return {
            name: to.sql(f"select count(*) from '{large / name}.parquet'").fetchall()[0][0]
            for name in COPIED
        }


def _copied(column: str) -> str:
    if (column.endswith("_id") and column not in SHARED_IDS) or column in OTHER_IDS:
        return f"{column} || '-' || k as {column}"
    if column.endswith(("_at", "_on", "_from")):  # whole days, so that moments and days agree
        return f"{column} - to_days(cast(k % {DAYS} as integer)) as {column}"
    return column


def _dealt(rows: str, folder: Path, more: int, customers: int) -> str:
    """Give each subscription, and what changed of it, to `more` customers."""
    ranks = (
        "(select customer_id, row_number() over (order by customer_id) - 1 as place "
        f"from '{folder / 'customers.parquet'}')"
    )
    moved = "t.subscription_id || '/' || d as subscription_id"
    if "subscription_changes" in rows:
        return f"(select t.* replace ({moved}) from {rows} as t cross join range({more}) as r(d))"
    return (
        f"(select t.* replace (b.customer_id as customer_id, {moved}) from {rows} as t "
        f"join {ranks} as a on t.customer_id = a.customer_id cross join range({more}) as r(d) "
        f"join {ranks} as b on b.place = (a.place + d * {customers // more}) % {customers})"
    )


def run_chapter(chapter: str, small: Path, large: Path) -> list[dict[str, Any]]:
    """Run a notebook's cells over the large tables, and tell what each one took."""
    import nbformat

    import cxlab as cx
    from cxlab.data.engine import Table
    from cxlab.data.lab import Lab
    from cxlab.errors import ConvergenceError, Withheld

    class Large(Lab):
        """A lab over the copied tables."""

        def _everybody(self, name: str) -> Table:
            if name not in self._whole:
                files = [large / f"{name}.parquet"]
                self._whole[name] = self.engine.read_parquet(files, self.snapshot.columns[name])
            return self._whole[name]

    def large_lab(study: str, **how: Any) -> Lab:
        lab = cx.open(study, **how)
        kept = (*COPIED, *ONCE)
        columns = {n: c for n, c in lab.snapshot.columns.items() if n in kept}
        tables = [
            row | {"rows_used": _rows(large / f"{row['table']}.parquet")}
            for row in lab.snapshot.records["tables"]
            if row["table"] in kept
        ]
        records = lab.snapshot.records | {"tables": tables}
        known = replace(lab.snapshot, folder=large, columns=columns, records=records)
        return Large(lab.settings, lab.cycle, known, lab.engine, purpose=lab.gate.purpose)

    missing: list[str] = []

    @contextlib.contextmanager
    def optional(title: str) -> Iterator[None]:
        try:
            yield
        except (Withheld, ConvergenceError) as reason:
            missing.append(f"{title} ({reason})")

    notebook = nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    names: dict[str, Any] = {}
    exec(sources[0].replace("params/sample", str(small)), names)
    door = {name: getattr(cx, name) for name in cx.__all__}
    names["cx"] = SimpleNamespace(**door | {"open": large_lab, "optional": optional})
    took = []
    for source in sources[2:]:
        titled = re.search(r'cx\.optional\("(.*?)"', source)
        missing.clear()
        _forget_peak()
        began, cpu = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            exec(source, names)
        took.append(
            {
                "title": titled[1] if titled else "opening",
                "missing": "; ".join(missing),
                "seconds": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "megabytes": peak_megabytes(),
            }
        )
    return took


def _rows(file: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)


def _forget_peak() -> None:
    """Let the peak of this process begin anew, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--copy", small, large, orders]:
            print(json.dumps(copy_study(Path(small), Path(large), int(orders))))
        case ["--chapter", chapter, small, large]:
            print(json.dumps(run_chapter(chapter, Path(small), Path(large))))
        case words:
            sys.exit(main(*(int(float(word)) for word in words)))
