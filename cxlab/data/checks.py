"""Is a table fresh, complete, free of doubles and like it always was? Asked of a snapshot.

Most answers are known when a table has been read: its span, the reasons of its rows
set aside, and the counts of missing values in the Parquet file's own index. One more
pass counts rows, and missing and unknown values, by cycle; it reads no column that has
neither.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from cxlab.data.calendar import Cycle
from cxlab.data.contracts import SET_ASIDE
from cxlab.data.model import Contract, contracts
from cxlab.data.quality import Quality
from cxlab.data.settings import Settings
from cxlab.data.usual import FEWEST, Period, missing_values, periods

if TYPE_CHECKING:
    import duckdb

__all__ = ["check_tables"]

_MADE = ("household_id", "rule", "guard")  # columns that cxlab fills itself
_OF_RULE = {"duplicate key": "duplicates", "orphan key": "references", "missing": "completeness"}
_WORDS = {
    "duplicates": "stand twice",
    "references": "name a row that is not there",
    "range": "have a value that cannot be",
    "completeness": "lack a value that every row must have",
}

Check = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Read:
    """One table as it was read.

    Attributes
    ----------
    row : mapping
        Its line of the record: rows in and used, first and last moment.
    aside : mapping of str to int
        Rows set aside, by check.
    columns : list of str
        What the mapping gives.
    file : pathlib.Path
        Its Parquet file.
    """

    contract: Contract
    row: Mapping[str, Any]
    aside: Mapping[str, int]
    columns: list[str]
    file: Path


def check_tables(
    connection: "duckdb.DuckDBPyConnection",
    folder: Path,
    record: Mapping[str, Any],
    *,
    cycle: Cycle,
    settings: Settings,
) -> list[Check]:
    """Check every table of a draft.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        May read the folder.
    folder : pathlib.Path
        Where the Parquet files of the draft lie.
    record : mapping
        `tables`, `reasons` and `columns` as the snapshot keeps them.
    cycle : Cycle
        The cycle that the snapshot ends with.
    settings : Settings
        Its `quality`, and the days after which a table is called stale.

    Returns
    -------
    list of dict
        Rows table, check, column, value, limit, state and says; a value is in days
        (freshness), rows (volume) or a share. Equal for the same rows in any order.
    """
    found: list[Check] = []
    for row in record["tables"]:
        name = row["table"]
        aside: dict[str, int] = {}
        for reason in record["reasons"]:
            if reason["table"] == name and reason["fate"] == SET_ASIDE:
                check = _OF_RULE.get(reason["rule"], "range")
                aside[check] = aside.get(check, 0) + reason["rows"]
        file = folder / f"{name}.parquet"
        if name in contracts() and file.exists():
            read = _Read(
                contract=contracts()[name],
                row=row,
                aside=aside,
                columns=record["columns"][name],
                file=file,
            )
            found += _check(connection, read, cycle, settings)
    named = set(settings.quality.fail)
    return [_closed(row) if f"{row['table']}.{row['check']}" in named else row for row in found]


def _check(
    connection: "duckdb.DuckDBPyConnection", read: _Read, cycle: Cycle, settings: Settings
) -> Iterator[Check]:
    quality, table = settings.quality, read.contract.table
    missing = missing_values(read.file)
    yield _freshness(read, cycle, settings)
    first = read.row["first_at"] and datetime.fromisoformat(read.row["first_at"])
    found = periods(
        connection,
        read.contract,
        read.file,
        columns=read.columns,
        first=first,
        cycle=cycle,
        settings=settings,
    )
    yield _volume(table, found)
    yield from _completeness(read, missing, quality)
    for check in ("duplicates", "references", "range"):
        yield _aside(read, check, quality)
    yield from _drift(table, found, quality)


def _freshness(read: _Read, cycle: Cycle, settings: Settings) -> Check:
    table = read.contract.table
    limit = settings.quality.freshness_days.get(table)
    if read.row["last_at"] is None:
        return _row(table, "freshness", "not checked", "its rows have no moment of their own")
    last = datetime.fromisoformat(read.row["last_at"])
    age = (cycle.cutoff - last).total_seconds() / 86_400
    allowed = settings.definitions.stale_days if limit is None else limit
    said = f"its last row is {_days(age)} old at the end of the cycle"
    told: dict[str, Any] = {"value": round(age, 3), "limit": float(allowed)}
    if age <= allowed:
        return _row(table, "freshness", "pass", said, **told)
    if limit is None:
        return _row(table, "freshness", "warn", f"{said}; beyond {allowed} it is stale", **told)
    return _row(table, "freshness", "fail", f"{said}, and the study allows {allowed}", **told)


def _volume(table: str, found: list[Period]) -> Check:
    if not found:
        return _row(table, "volume", "not checked", "its rows have no moment of their own")
    rows = found[0].rows
    state, said = (
        ("pass", f"{rows:,} rows in the cycle") if rows else ("warn", "the cycle has no row")
    )
    return _row(table, "volume", state, said, value=float(rows), limit=1.0)


def _completeness(read: _Read, missing: Mapping[str, int], quality: Quality) -> Iterator[Check]:
    """Tell of each column that may be empty how often it is, and of rows that lack what they must.

    A column that is empty throughout warns; any other share needs the study's own limit.
    """
    table, rows = read.contract.table, read.row["rows_used"]
    yield _aside(read, "completeness", quality)
    limits = {c: x for c, x in quality.missing_max.items() if c.startswith(f"{table}.")}
    for column in read.contract.columns:
        limit = limits.pop(f"{table}.{column.name}", None)
        if column.name not in read.columns:
            if limit is not None:
                said = f"tables/{table}.sql gives no {column.name}"
                yield _row(table, "completeness", "not checked", said, column=column.name)
            continue
        made = (*_MADE, "source", "loaded_at")
        if column.required or column.name in made or not rows:
            continue
        share = missing[column.name] / rows
        told = {"column": column.name, "value": round(share, 6), "limit": limit}
        said = f"{_percent(share)} of {column.name} is missing"
        if limit is not None and share > limit:
            said += f", and the study allows {_percent(limit)}"
            yield _row(table, "completeness", "fail", said, **told)
        elif limit is None and share == 1:
            said = f"{column.name} is given by the mapping, but empty throughout"
            yield _row(table, "completeness", "warn", said, **told)
        else:
            yield _row(table, "completeness", "pass", said, **told)


def _aside(read: _Read, check: str, quality: Quality) -> Check:
    table = read.contract.table
    if check == "references" and not any(c.references for c in read.contract.columns):
        return _row(table, check, "not checked", "its rows refer to no other table")
    rows, total = read.aside.get(check, 0), read.row["rows_in"]
    share = rows / total if total else 0.0
    told: dict[str, Any] = {"value": round(share, 6), "limit": quality.set_aside_warn}
    said = f"{rows:,} of {total:,} rows {_WORDS[check]}"
    if share <= quality.set_aside_warn:
        return _row(table, check, "pass", said, **told)
    said += f", more than {_percent(quality.set_aside_warn)}"
    return _row(table, check, "warn", said, **told)


def _drift(table: str, found: list[Period], quality: Quality) -> Iterator[Check]:
    now, before = (found[0], found[1:]) if found else (None, [])
    if now is None or not now.rows or len(before) < FEWEST:
        said = "fewer than two whole cycles before this one are known"
        if now is not None and not now.rows:
            said = "the cycle has no row"
        yield _row(table, "drift", "not checked", said)
        return
    usual = median(p.rows for p in before)
    if usual:
        moved = now.rows / usual - 1
        state = "warn" if abs(moved) > quality.drift_max else "pass"
        said = f"{now.rows:,} rows in the cycle, against {usual:,.0f} in a usual one"
        said += f", more than {quality.drift_max:.0%} apart" if state == "warn" else ""
        told: dict[str, Any] = {"value": round(moved, 6), "limit": quality.drift_max}
        yield _row(table, "drift", state, said, **told)
    else:
        yield _row(table, "drift", "not checked", "the cycles before this one have no row")
        return
    together = sum(p.rows for p in before)
    for column, kind in now.odd:
        share = now.odd[column, kind] / now.rows
        earlier = sum(p.odd[column, kind] for p in before) / together
        moved = share - earlier
        state = "warn" if abs(moved) > quality.share_drift_max else "pass"
        said = f"{_percent(share)} of {column} is {kind}, against {_percent(earlier)} before"
        told = {"value": round(moved, 6), "limit": quality.share_drift_max}
        yield _row(table, "drift", state, said, column=column, **told)


def _row(
    table: str,
    check: str,
    state: str,
    says: str,
    *,
    column: str | None = None,
    value: float | None = None,
    limit: float | None = None,
) -> Check:
    return {
        "table": table,
        "check": check,
        "column": column,
        "value": value,
        "limit": limit,
        "state": state,
        "says": says,
    }


def _closed(row: Check) -> Check:
    """Let a warning close the gate, as the study asks."""
    return {**row, "state": "fail"} if row["state"] == "warn" else row


def _days(age: float) -> str:
    text = f"{ceil(10 * age) / 10:.1f}".removesuffix(".0")
    return f"{text} day" if text == "1" else f"{text} days"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
