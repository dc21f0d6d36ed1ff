"""One part of the company, written as its systems would: an export is one SELECT.

An export (`exports/*.sql`) begins with a line `-- part: folder/file`, `-- once: ...` or, for a
table that others name, `-- helper: ...`. Columns that begin with `_` are for planting dirt and are
not written. Everything runs on one thread in the order of the frames, so that the same
seed gives the same bytes.
"""

import json
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from cxlab.data.sample.dirt import DIRT, MERGED, Dirt
from cxlab.data.sample.hostile import LABELLED, hostile_dirt, mislabel
from cxlab.data.sample.questions import QUESTIONS
from cxlab.data.sample.simulate import Tables, simulate_part, simulate_world
from cxlab.data.sample.world import World
from cxlab.data.sample.write import Options

__all__ = ["Export", "exports", "main", "write_part"]

# What nobody can observe, beside the frames whose names begin with true_.
_TRUTH = ("people", "margin_counts", "planted")


@dataclass(frozen=True)
class Export:
    """One file of one system.

    Attributes
    ----------
    file : str
        Below `raw`; a name without a suffix is of the long form, Parquet or CSV.
    when : str
        `part` for each part of the customers, `once` where it is about the company as a
        whole, `helper` for a table that others name and nobody writes.
    """

    name: str
    file: str
    when: str
    sql: str


@cache
def exports() -> tuple[Export, ...]:
    """Read every export."""
    read = []
    for path in sorted((Path(__file__).parent / "exports").glob("*.sql")):
        head, _, sql = path.read_text(encoding="utf-8").partition("\n")
        when, _, file = head.removeprefix("-- ").partition(": ")
        read.append(Export(path.stem, file.strip(), when, sql))
    return tuple(read)


def write_part(folder: Path, options: Options, first: int) -> dict[str, Any]:
    """Make one part and write its exports below `raw/`, its truth below `truth/`.

    Returns
    -------
    dict
        `first`, `rows` (of each simulated table), and `dirt` (planted rows by name).
    """
    count = min(options.part, options.customers - first)
    world = options.world
    tables = simulate_part(world, first, count)
    rows = {name: len(table) for name, table in tables.items()}
    dirt: dict[str, int] = {}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create temp table planted (export text, kind text, id text)")
        _register(connection, tables)
        if first == 0:
            once = simulate_world(world, options.customers)
            _register(connection, {f"world_{name}": table for name, table in once.items()})
        connection.register("goods", world.products)
        names = [initiative.name for initiative in world.company.initiatives]
        numbered = pd.DataFrame({"place": range(len(names)), "name": names})
        connection.register("initiatives", numbered)
        asked = pd.DataFrame([asdict(question) for question in QUESTIONS])
        connection.register("questions", asked.assign(place=range(1, len(asked) + 1)))
        for export in exports():
            if export.when == "helper":
                connection.execute(f"create temp table {export.file} as {export.sql}")
                if export.file == LABELLED and options.variant == "hostile":
                    dirt |= mislabel(connection, count)
            elif export.when == "part" or first == 0:
                place = {"first": first, "count": count}
                dirt |= _write(connection, folder / "raw", export, options, **place)
        for name in (*_TRUTH, *(n for n in tables if n.startswith("true_"))):
            target = folder / "truth" / name / f"part-{first // options.part:05d}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy {name} to '{_quoted(target)}' (format parquet)")
    dirt[MERGED.name] = _merged(tables, world)
    return {"first": first, "rows": rows, "dirt": dirt}


def _merged(tables: Tables, world: World) -> int:
    """Count the accounts that are not the first of their person, by the end of the log."""
    accounts = tables["accounts"]
    accounts = accounts[~accounts["person"].isin(tables["erasures"]["person"])]
    opened = {"crm": "seen_at", "crm_2": "crm_2_at", "login": "login_at", "buyer": "seen_at"}
    known = [(accounts[a] >= 0) & (accounts[at] < world.end) for a, at in opened.items()]
    return int(np.sum(known)) - len(accounts)


def main(order: str) -> None:
    """Write every so many parts, and say so after each; the start of a process."""
    told = json.loads(order)
    folder, job, jobs = Path(told.pop("folder")), told.pop("job"), told.pop("jobs")
    options = Options(**told)
    # What else wants to print, such as DuckDB's bar of a long query, must not come between.
    with os.fdopen(os.dup(1), "w") as said:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        for first in options.firsts[job::jobs]:
            part = write_part(folder / f"{first:012d}", options, first)
            said.write(json.dumps(part) + "\n")
            said.flush()


def _register(connection: duckdb.DuckDBPyConnection, tables: Tables) -> None:
    for name, table in tables.items():
        connection.register(name, table)


def _write(
    connection: duckdb.DuckDBPyConnection,
    raw: Path,
    export: Export,
    options: Options,
    *,
    first: int,
    count: int,
) -> dict[str, int]:
    """Write one export with its dirt; return how much of each kind was planted."""
    kinds = [*DIRT, *(hostile_dirt() if options.variant == "hostile" else ())]
    kinds = [kind for kind in kinds if kind.export == export.name]
    source, planted = f"({export.sql})", {}
    if kinds:
        # As text, since what is spoiled need not be a number any more.
        connection.execute(
            "create or replace temp table export as select columns('^[^_]')::varchar, "
            f"columns('^_') from ({export.sql})"
        )
        (clean,) = connection.execute("select count(*) from export").fetchone() or (0,)
        for kind in kinds:
            planted[kind.name] = _plant(connection, kind, clean, count)
        source = "export"
    suffix = Path(export.file).suffix
    target = raw / export.file
    form = suffix.removeprefix(".").replace("jsonl", "json")
    if not suffix:
        form = options.form
        target = target / f"part-{first // options.part:05d}.parquet" if form == "parquet" else (
            target.with_suffix(".csv")
        )  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    how = f", header {first == 0}" if form == "csv" else ""
    connection.execute(
        f"copy (select columns('^[^_]') from {source}) to '{_quoted(target)}' (format {form}{how})"
    )
    return planted


def _plant(connection: duckdb.DuckDBPyConnection, kind: Dirt, clean: int, count: int) -> int:
    """Add rows that look like others but for what is wrong with them."""
    # Spoiled rows are not spoiled again: each shows one thing that is wrong.
    chosen = (
        f"select rowid from export where rowid < {clean} and {kind.where} "
        f"order by hash(rowid, '{kind.name}'), rowid limit {kind.among(count)}"
    )
    (before,) = connection.execute("select count(*) from export").fetchone() or (0,)
    connection.execute(
        f"insert into export select * replace ({kind.replace}) from export "
        f"where rowid in ({chosen}) order by rowid"
    )
    # An export's first column names its rows.
    (name, *_) = (row[0] for row in connection.execute("describe export").fetchall())
    found = connection.execute(
        f"insert into planted select '{kind.export}', '{kind.name}', \"{name}\" from export "
        f"where rowid >= {before} order by rowid"
    ).fetchone()
    return int(found[0]) if found else 0


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
