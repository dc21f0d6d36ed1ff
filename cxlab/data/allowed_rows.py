"""The rows that a purpose may see, laid down once beside the snapshot they come from.

To tell whose rows may be seen, every long table has to be joined with those who allow it.
Each question would do so again, and half of a chapter's time would go into it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from cxlab.data.consent import ConsentSettings, Purpose
from cxlab.data.engine import Table
from cxlab.data.snapshot import Snapshot

__all__ = ["AllowedRows", "remove_damaged"]

MANY = 100_000  # rows of a table, below which a copy is not worth its file
_FOLDER = "allowed"
_DIGITS = 16
# All that the rows hang on, besides what the snapshot holds.
_CODE = ("allowed_rows.py", "consent_record.py", "consented.py", "model.py", "whose.py")


class AllowedRows:
    """Where the long tables of one purpose lie, and will lie.

    Parameters
    ----------
    snapshot : Snapshot
        What the rows come from.
    rules : ConsentSettings
        What the study says of consent.
    purpose : str
        What the rows are wanted for.
    """

    def __init__(self, snapshot: Snapshot, rules: ConsentSettings, purpose: Purpose) -> None:
        code = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _CODE]
        told = json.dumps([code, rules.model_dump(mode="json")])
        key = hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
        self._snapshot = snapshot.folder
        self._folder = snapshot.folder / _FOLDER / f"{purpose}-{key}"
        self._counts = snapshot.rows_used

    def of(self, name: str, rows: Table, *, made: bool = True) -> Table:
        """Read the rows of a table from their copy; where there is none, one is `made`.

        Short tables stay as they are, and so do all where no copy can be made: on a cluster, and
        where nothing can be written.
        """
        if self._counts.get(name, 0) < MANY or not self._snapshot.is_dir():
            return rows
        found = next(iter(sorted(self._folder.glob(f"{name}-*.parquet"))), None)
        if found is None and made:
            with suppress(OSError, duckdb.IOException):
                found = self._made(name, rows)
        return rows if found is None else rows.engine.read_parquet([found], rows.columns)

    def _made(self, name: str, rows: Table) -> Path | None:
        # Drafts lie where those of snapshots do, and are swept with them after a killed run.
        draft = Path(mkdtemp(prefix=f".{name}-", dir=self._snapshot.parent))
        try:
            file = draft / f"{name}.parquet"
            if not rows.engine.write_parquet(rows, file):
                return None
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
            final = self._folder / f"{name}-{_digest(file)}.parquet"
            final.parent.mkdir(parents=True, exist_ok=True)
            return file.rename(final)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def remove_damaged(snapshot: Path) -> None:
    """Remove the copies in which a byte has changed since they were made."""
    for file in snapshot.glob(f"{_FOLDER}/*/*.parquet"):
        if not file.stem.endswith(f"-{_digest(file)}"):
            file.unlink(missing_ok=True)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:_DIGITS]
