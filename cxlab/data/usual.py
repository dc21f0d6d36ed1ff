"""What each cycle has of a table: rows, and values that are missing or not known.

Counts of missing values come from the Parquet file's own index; one pass counts by cycle,
and reads no column that has nothing odd.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from cxlab.data.calendar import Cycle
from cxlab.data.model import Column, Contract
from cxlab.data.settings import Settings

if TYPE_CHECKING:
    import duckdb

__all__ = ["FEWEST", "Period", "missing_values", "periods"]

FEWEST = 2  # earlier cycles that say what is usual: one alone is no habit
_EARLIER = 4
_SLACK_DAYS = 7  # a table that starts so early in a cycle has the whole of it


@dataclass(frozen=True, kw_only=True)
class Period:
    """What one cycle has of a table: rows, and of some columns the share that is odd."""

    rows: int
    odd: Mapping[tuple[str, str], int]


def periods(
    connection: "duckdb.DuckDBPyConnection",
    contract: Contract,
    file: Path,
    *,
    columns: list[str],
    first: datetime | None,
    cycle: Cycle,
    settings: Settings,
) -> list[Period]:
    """Count what the cycle has, then what each earlier whole cycle has, the newest first.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        May read the file.
    contract : Contract
        What the table holds.
    file : pathlib.Path
        Its Parquet file.
    columns : list of str
        What the mapping gives.
    first : datetime, optional
        Its first moment; None where its rows have none.
    cycle : Cycle
        The newest.
    settings : Settings
        Tells which days the data cover.

    Returns
    -------
    list of Period
        This cycle and up to four before it; empty for a table without moments.
    """
    known = contract.known
    if known is None or known not in columns or first is None:
        return []
    cycles = [cycle, *_earlier(cycle, first, settings)]
    day = getattr(contract.column(known), "kind", "") == "day"
    starts = [
        f"date '{c.first_day}'" if day else f"timestamp '{c.start.isoformat(sep=' ')}'"
        for c in cycles
    ]
    odd = list(_odd(contract, file, columns)) if len(cycles) > FEWEST else []
    counts = [
        f'count(*) - count("{c}")' if kind == "missing" else f"count(*) filter (\"{c}\" = 'other')"
        for c, kind in odd
    ]
    past = " + ".join(f'("{known}" < {start})::int' for start in starts[:-1]) or "0"
    path = str(file).replace("'", "''")
    sql = (
        f"select {past} as period, {', '.join(['count(*)', *counts])} from read_parquet('{path}') "
        f'where "{known}" >= {starts[-1]} group by period'
    )
    found = {row[0]: row[1:] for row in connection.execute(sql).fetchall()}
    empty = (0,) * (1 + len(odd))
    rows = [found.get(i, empty) for i in range(len(cycles))]
    return [Period(rows=r[0], odd=dict(zip(odd, r[1:], strict=True))) for r in rows]


def _earlier(cycle: Cycle, first: datetime, settings: Settings) -> Iterable[Cycle]:
    """Name up to four cycles before this one that the table has as a whole."""
    before = cycle.previous
    for _ in range(_EARLIER):
        if (first - before.start).days >= _SLACK_DAYS or not settings.covers.whole(before):
            return
        yield before
        before = before.previous


def _odd(contract: Contract, file: Path, columns: list[str]) -> Iterator[tuple[str, str]]:
    """Name the columns whose share of missing or unknown values can move.

    What waits for a moment to come is missing in the newest cycle by nature.
    """
    missing, rows = missing_values(file), pq.read_metadata(file).num_rows
    waiting = {h.partition("=")[0] for c in contract.columns for h in c.hides} | {"kept"}
    for column in contract.columns:
        if column.name not in columns or column.name in ("source", "loaded_at"):
            continue
        waits = column.kind == "moment" or column.name in waiting
        if not column.required and not waits and 0 < missing[column.name] < rows:
            yield column.name, "missing"
        if _has_others(column, file):
            yield column.name, "unknown"


def _has_others(column: Column, file: Path) -> bool:
    """Tell whether 'other' can stand in a closed list without belonging to it."""
    if not column.one_of or "other" in column.one_of:
        return False
    for low, high in _spans(file, column.name):
        if low is None or high is None or low <= "other" <= high:
            return True
    return False


def _spans(file: Path, column: str) -> Iterator[tuple[Any, Any]]:
    index = pq.read_metadata(file)
    at = index.schema.names.index(column)
    for i in range(index.num_row_groups):
        held = index.row_group(i).column(at).statistics
        known = held is not None and held.has_min_max
        yield (held.min, held.max) if known else (None, None)


def missing_values(file: Path) -> dict[str, int]:
    """Read from a Parquet file's own index how many values of each column are missing."""
    index = pq.read_metadata(file)
    names = index.schema.names
    counts = dict.fromkeys(names, 0)
    for i in range(index.num_row_groups):
        group = index.row_group(i)
        for at, name in enumerate(names):
            held = group.column(at).statistics
            # Every kind of column that a contract knows has a count; an extra one may not.
            counts[name] += held.null_count if held is not None else 0
    return counts
