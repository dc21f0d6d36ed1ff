"""Which raw files a report is made from, and how fresh their rows are."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from cxlab.errors import ParameterError
from cxlab.report import words
from cxlab.trust.listing import Counted, complete

if TYPE_CHECKING:
    from cxlab.data.snapshot import Snapshot

__all__ = ["Freshness", "Sources", "freshness", "sources"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Freshness(Counted):
    """Days from the last row of each table to the end of the cycle.

    Attributes
    ----------
    stale_days : int
        A table without a row for longer than this is stale.
    """

    frame: pd.DataFrame = field(repr=False)
    stale_days: int

    def table(self) -> pd.DataFrame:
        """One row per table with a moment: first and last day, days since, in words."""
        return self.frame

    def sentence(self) -> str:
        """Name the stale tables, or say that none is."""
        stale = self.frame.loc[self.frame["state"] == "stale", "table"].tolist()
        limit = words.plural(self.stale_days, "day")
        if not stale:
            return f"Every table has rows from the last {limit} of the cycle."
        verb = "has" if len(stale) == 1 else "have"
        return f"{words.listing(stale)} {verb} no row from the last {limit} of the cycle."


@dataclass(frozen=True, kw_only=True, eq=False)
class Sources(Counted):
    """The raw files, by which anyone can tell whether theirs are the same."""

    frame: pd.DataFrame = field(repr=False)

    def table(self) -> pd.DataFrame:
        """One row per file: what it feeds, its size and its fingerprint."""
        return self.frame

    def sentence(self) -> str:
        """How many files, and how large."""
        size = self.estimates["estimate"].sum() / 1e6
        return f"{words.plural(len(self.frame), 'raw file')} of {words.number(size, 1)} MB in all."


def freshness(snapshot: "Snapshot", *, stale_days: int = 45) -> Freshness:
    """Tell how old the last row of each table is at the cutoff.

    Parameters
    ----------
    snapshot : Snapshot
        Its `tables` has table, first_at and last_at (UTC).
    stale_days : int
        A table whose last row is older is named.

    Returns
    -------
    Freshness
        `trust.days_since_last_row` by table; tables without a moment are left out.

    Raises
    ------
    ParameterError
        If `stale_days` is below 1.
    """
    if stale_days < 1:
        raise ParameterError(f"stale_days must be 1 or more, not {stale_days}.")
    dated = snapshot.tables.dropna(subset=["last_at"]).reset_index(drop=True)
    age = (pd.Timestamp(snapshot.cutoff) - dated["last_at"]).dt.total_seconds() / 86_400
    frame = pd.DataFrame(
        {
            "table": dated["table"],
            "first_row": dated["first_at"].dt.strftime("%Y-%m-%d"),
            "last_row": dated["last_at"].dt.strftime("%Y-%m-%d"),
            "days_since": age.round(1),
            "state": ["stale" if days > stale_days else "fresh" for days in age],
        }
    )
    rows = [
        complete("trust.days_since_last_row", days, unit="days", table=name)
        for name, days in zip(dated["table"], age, strict=True)
    ]
    undated = snapshot.tables.loc[snapshot.tables["last_at"].isna(), "table"].tolist()
    note = f"Without a moment of their own: {words.listing(undated)}." if undated else ""
    empty = complete("trust.days_since_last_row", 0, unit="days", table=None)
    return Freshness(
        estimates=pd.DataFrame(rows or [empty]).iloc[: len(rows)],
        subtitle="Days from a table's last row to the end of the cycle; moments in UTC",
        note=note,
        frame=frame,
        stale_days=stale_days,
    )


def sources(snapshot: "Snapshot") -> Sources:
    """List the raw files with their size and fingerprint.

    Parameters
    ----------
    snapshot : Snapshot
        Its `sources` has source, bytes, sha256 and tables.

    Returns
    -------
    Sources
        `trust.source_bytes` by source.
    """
    files = snapshot.sources.reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "source": files["source"],
            "tables": files["tables"],
            "bytes": files["bytes"],
            "fingerprint": files["sha256"].str[:16],
        }
    )
    rows = [
        complete("trust.source_bytes", size, source=name)
        for name, size in zip(files["source"], files["bytes"], strict=True)
    ]
    return Sources(
        estimates=pd.DataFrame(rows),
        subtitle="Raw files, the tables made from them, bytes, and how their fingerprint begins",
        note="The fingerprint is the file's sha256; the manifest has it in full. A file with the "
        "same fingerprint is the same file.",
        frame=frame,
    )
