"""Raw files and the SQL that maps them, behind a fence.

A mapping is one SELECT over files below the study's `raw` folder. The text is
checked before it runs, and DuckDB runs it with every other path closed and its
configuration locked: two fences, since a mapping may come from anybody.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import exp, tokenize

from cxlab.data.model import contracts
from cxlab.data.portable import parse_select
from cxlab.errors import DataError, ParameterError, SettingsError, did_you_mean

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Mapping",
    "connect",
    "find_files",
    "fingerprints",
    "read_mappings",
    "source_sql",
    "stamp_of",
]

_READERS = {
    "read_csv",
    "read_csv_auto",
    "read_json",
    "read_json_auto",
    "read_ndjson",
    "read_parquet",
    "range",
    "generate_series",
    "unnest",
}
# Functions that look around on the machine or run text as SQL.
_CLOSED = {"getenv", "current_setting", "query", "query_table", "getvariable", "read_text", "glob"}
# A file changed twice within one tick of the file system's clock looks unchanged the second
# time, so what is younger than this is not remembered.
_TICK_NS = 2_000_000_000


@dataclass(frozen=True)
class Mapping:
    """One SQL file of a study: a canonical table, or a helper when it starts with `_`."""

    name: str
    sql: str
    patterns: tuple[str, ...]  # files it reads, relative to raw
    uses: tuple[str, ...]  # helpers it names

    @property
    def is_helper(self) -> bool:
        """Tell whether this is a helper for other mappings only."""
        return self.name.startswith("_")


def read_mappings(study: Path) -> dict[str, Mapping]:
    """Read and check `tables/*.sql` of a study: helpers first, then the tables.

    Raises
    ------
    SettingsError
        If a file does not hold one SELECT over files below `{raw}`, or its name
        is no table that cxlab speaks.
    """
    files = sorted((study / "tables").glob("*.sql"))
    if not files:
        raise SettingsError(
            f"{study.name}/tables must hold one SQL file per table, but holds none. "
            "See the README, 'Map your own data'."
        )
    read = {file.stem: _read_mapping(file, {f.stem for f in files}) for file in files}
    for name in read:
        if not name.startswith("_") and name not in contracts():
            raise SettingsError(
                f"tables/{name}.sql must be named for a table that cxlab speaks."
                f"{did_you_mean(name, contracts())} A helper's name starts with '_'."
            )
    if "customers" not in read:
        raise SettingsError(
            f"{study.name}/tables must hold customers.sql: every study needs to know who "
            "its customers are. One row per person is enough."
        )
    helpers = {name: mapping for name, mapping in read.items() if mapping.is_helper}
    return {**_ordered(helpers), **{t: read[t] for t in contracts() if t in read}}


def connect(
    raw: Path, spill: Path, *, memory: str, threads: int, time_zone: str
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB that reads below `raw`, writes below `spill`, and nothing else.

    The session's time zone is the study's: a moment without a zone is local.
    """
    import duckdb

    connection = duckdb.connect(
        config={"memory_limit": memory, "threads": threads, "temp_directory": str(spill / "spill")}
    )
    # Progress is the runner's to tell. DuckDB refuses this in a notebook without ipywidgets,
    # where it draws none.
    with suppress(duckdb.Error):
        connection.execute("set enable_progress_bar = false")
    connection.execute("set timezone = $zone", {"zone": time_zone})
    connection.execute("set allowed_directories = $folders", {"folders": [f"{raw}/", f"{spill}/"]})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def source_sql(mapping: Mapping, raw: Path) -> str:
    """Return the mapping's SQL with the raw folder in place, quoted as SQL text."""
    folder = str(raw).replace("'", "''")
    return mapping.sql.replace("{raw}", folder) + "\n"  # it may end in a comment


def find_files(mapping: Mapping, raw: Path) -> list[Path]:
    """List the files a mapping reads.

    Raises
    ------
    DataError
        If a file is missing or lies outside the raw folder.
    """
    found: list[Path] = []
    for pattern in mapping.patterns:
        files = sorted(raw.glob(pattern))
        if not files:
            near = did_you_mean(pattern, (p.name for p in raw.iterdir()))
            raise DataError(
                f"tables/{mapping.name}.sql must find its source, but {pattern!r} is not in "
                f"the raw folder.{near} Put the file there, or mend its name in the SQL."
            )
        for file in files:
            if not file.resolve().is_relative_to(raw):
                raise DataError(
                    f"tables/{mapping.name}.sql must read below the raw folder, but {pattern!r} "
                    "leads outside of it. Copy the file there."
                )
        found += files
    return found


def stamp_of(file: Path) -> list[int]:
    """Return what changes when a file does: size, moments of change, and which file it is."""
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def fingerprints(files: list[Path], memo: Path) -> dict[Path, str]:
    """Return the sha256 of each file, read again only when the file has changed."""
    try:
        known = json.loads(memo.read_text())
        known = {k: e for k, e in known.items() if {"stamp", "sha256"} <= set(e)}
    except (OSError, ValueError, AttributeError, TypeError):
        known = {}
    out: dict[Path, str] = {}
    for file in files:
        stamp = stamp_of(file)
        entry = known.get(str(file))
        if not entry or entry["stamp"] != stamp:
            with file.open("rb") as stream:
                entry = {
                    "stamp": stamp,
                    "sha256": hashlib.file_digest(stream, "sha256").hexdigest(),
                }
            known[str(file)] = entry
            if time.time_ns() - max(stamp[1:3]) < _TICK_NS:
                del known[str(file)]
        out[file] = entry["sha256"]
    memo.parent.mkdir(parents=True, exist_ok=True)
    draft = memo.with_name(f"{memo.name}.{os.getpid()}")
    draft.write_text(json.dumps(known))
    draft.replace(memo)
    return out


def _read_mapping(file: Path, names: set[str]) -> Mapping:
    where = f"tables/{file.name}"
    try:
        sql = file.read_text(encoding="utf-8-sig")
        tree = parse_select(sql, where=where)
    except (ParameterError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(str(error)) from None
    _refuse_functions(tree, where)
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    patterns: list[str] = []
    uses: list[str] = []
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            if table.name in ctes and not table.db:
                continue
            if not (table.name in names and table.name.startswith("_")) or table.db:
                raise SettingsError(
                    f"{where} must read files as read_csv('{{raw}}/...') or name a helper "
                    f"(_name.sql), but reads {table.sql('duckdb')!r}."
                )
            uses.append(table.name)
        else:
            patterns += _paths(table.this, where)
    if sql.count("{raw}") != len([p for p in _literals(tree) if p.startswith("{raw}/")]):
        raise SettingsError(f"{where}: {{raw}} must stand only at the start of a file's path.")
    return Mapping(file.stem, _one_statement(sql), tuple(dict.fromkeys(patterns)), tuple(uses))


def _one_statement(sql: str) -> str:
    """Cut a statement before its semicolon; a comment may follow it."""
    end = next((t.start for t in tokenize(sql, "duckdb") if t.text == ";"), len(sql))
    return sql[:end].strip()


def _refuse_functions(tree: exp.Query, where: str) -> None:
    if tree.find(exp.Lateral):
        raise SettingsError(f"{where} must not hold LATERAL. Join a helper (_name.sql) instead.")
    for node in tree.find_all(exp.Func):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
        if name in _CLOSED or name.startswith(("duckdb_", "pragma_", "sniff_", "parquet_")):
            raise SettingsError(f"{where} must only read its sources, but calls {name}().")


def _paths(node: exp.Expression, where: str) -> Iterator[str]:
    """Yield the paths a table function reads, relative to raw."""
    if isinstance(node, exp.Anonymous):
        name, arguments = node.name.lower(), node.expressions
    elif isinstance(node, exp.ReadCSV | exp.ReadParquet):
        name = "read_csv" if isinstance(node, exp.ReadCSV) else "read_parquet"
        arguments = [node.this] if node.this is not None else node.expressions
    else:
        name, arguments = node.key.lower(), []
    if name not in _READERS and not isinstance(node, exp.Unnest | exp.GenerateSeries):
        raise SettingsError(
            f"{where} must read with read_csv, read_parquet or read_json, but uses {name}()."
        )
    if not name.startswith("read_"):
        return
    first = arguments[0] if arguments else None
    given = first.expressions if isinstance(first, exp.Array) else [first]
    for literal in given:
        text = literal.this if isinstance(literal, exp.Literal) and literal.is_string else ""
        # No part may be empty, or lead upwards: "{raw}//etc" is not below raw to everybody.
        if not text.startswith("{raw}/") or {"", ".", ".."} & set(text.split("/")):
            found = literal.sql("duckdb") if literal else "nothing"
            raise SettingsError(
                f"{where} must read a fixed path below the raw folder, as in "
                f"{name}('{{raw}}/orders.csv'), but reads {found}."
            )
        yield text.removeprefix("{raw}/")


def _literals(tree: exp.Query) -> Iterator[str]:
    for literal in tree.find_all(exp.Literal):
        if literal.is_string:
            yield literal.this


def _ordered(helpers: dict[str, Mapping]) -> dict[str, Mapping]:
    """Order helpers so that each comes after those it names."""
    out: dict[str, Mapping] = {}
    while len(out) < len(helpers):
        ready = [n for n, m in helpers.items() if n not in out and set(m.uses) <= set(out)]
        if not ready:
            raise SettingsError(
                f"Helpers must not name each other in a circle: {sorted(set(helpers) - set(out))}."
            )
        out |= {name: helpers[name] for name in ready}
    return out
