"""What one cycle knows, sealed: a Parquet file per table, and how its rows were accounted for.

Rows in = rows used + rows set aside + rows excluded by a rule. A row that became
known only after the cutoff is none of these: at that moment nobody had it. A row
whose parent is set aside or excluded goes with it, for the same reason.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlab.data.quality import withheld_tables
from cxlab.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Snapshot", "check_intact", "open_snapshot", "state_folder", "verify_snapshots"]

_RECORDS = ("tables", "reasons", "sources", "checks", "masked", "identity")


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """One sealed snapshot on disk.

    Attributes
    ----------
    folder : pathlib.Path
        Where the Parquet files lie.
    hash : str
        sha256 of what the tables hold, whatever the order of their rows.
    records : mapping
        What `tables`, `reasons` and `sources` show as frames.
    notes : list of str
        What stands but needs care.
    """

    folder: Path
    hash: str
    cycle_name: str
    start: datetime
    cutoff: datetime
    columns: MappingOf[str, list[str]] = field(repr=False)
    records: MappingOf[str, list[dict[str, Any]]] = field(repr=False)
    notes: list[str] = field(repr=False)
    seals: MappingOf[str, str] = field(repr=False)  # file name to sha256

    @cached_property
    def tables(self) -> pd.DataFrame:
        """One row per table: rows in, used, set aside, excluded; first and last moment."""
        import pandas as pd

        tables = pd.DataFrame(self.records["tables"])
        for moment in ("first_at", "last_at"):
            tables[moment] = pd.to_datetime(tables[moment], format="ISO8601")
        return tables

    @cached_property
    def reasons(self) -> pd.DataFrame:
        """One row per table, fate, rule and reason, with the number of rows."""
        import pandas as pd

        columns = ["table", "fate", "rule", "reason", "rows"]
        return pd.DataFrame(self.records["reasons"], columns=columns)

    @cached_property
    def sources(self) -> pd.DataFrame:
        """The raw files: bytes, sha256, and the tables made from them."""
        import pandas as pd

        return pd.DataFrame(self.records["sources"])

    @cached_property
    def checks(self) -> pd.DataFrame:
        """One row per table and check: column, value, limit, state, and what it says."""
        import pandas as pd

        columns = ["table", "check", "column", "value", "limit", "state", "says"]
        return pd.DataFrame(self.records.get("checks", []), columns=columns)

    @cached_property
    def withheld(self) -> dict[str, str]:
        """The tables on which no number may rest, each with the reason."""
        return withheld_tables(self.records.get("checks", []), self.columns)

    @property
    def rows_used(self) -> dict[str, int]:
        """Rows of each table that stayed."""
        return {row["table"]: row["rows_used"] for row in self.records["tables"]}


def state_folder(study: Path) -> Path:
    """Return where a study keeps what must not be published: snapshots, finished chapters.

    `CXLAB_STATE` moves it; default is `.cxlab` in the study's folder, or in the present
    one where the study is the package's own.
    """
    given = os.environ.get("CXLAB_STATE")
    package = Path(__file__).parents[1]
    if not given and study.resolve().is_relative_to(package):
        given = ".cxlab"
    return Path(given).resolve() / study.resolve().name if given else study.resolve() / ".cxlab"


def open_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot that was taken before.

    Raises
    ------
    DataError
        If the folder holds no whole snapshot.
    """
    try:
        record = json.loads((folder / "snapshot.json").read_text(encoding="utf-8"))
        missing = {"columns", "cycle", "hash", "reasons", "sources", "tables"} - set(record)
        missing |= {
            name for name in record.get("seals", ["seals"]) if not (folder / name).is_file()
        }
        if missing:
            raise ValueError(f"{sorted(missing)} is missing")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"{folder.name} must hold a whole snapshot, but: {error}. Remove the folder: the "
            "next run takes the snapshot anew."
        ) from error
    return Snapshot(
        folder=folder,
        hash=record["hash"],
        cycle_name=record["cycle"],
        start=datetime.fromisoformat(record["start"]),
        cutoff=datetime.fromisoformat(record["cutoff"]),
        columns=record["columns"],
        records={name: record.get(name, []) for name in _RECORDS},
        notes=record["notes"],
        seals=record["seals"],
    )


def verify_snapshots(study: Path, cycle_name: str, hash_: str) -> list[str]:
    """Name the kept snapshots of a cycle, of a given content, that are no longer as sealed."""
    wrong = []
    for folder in sorted((state_folder(study) / "snapshots").glob(f"{cycle_name}-*")):
        try:
            kept = open_snapshot(folder)
            if kept.hash == hash_:
                check_intact(kept)
        except DataError as error:
            wrong.append(str(error))
    return wrong


def check_intact(snapshot: Snapshot) -> Snapshot:
    """Refuse a snapshot in which a byte has changed since it was sealed.

    Raises
    ------
    DataError
        If one of its files has changed.
    """
    for name, sealed in snapshot.seals.items():
        with (snapshot.folder / name).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sealed:
                raise DataError(f"{snapshot.folder.name}/{name} has changed since it was sealed.")
    return snapshot
