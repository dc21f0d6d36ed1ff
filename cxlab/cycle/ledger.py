"""The memory of all runs: one SQLite file in the reports folder.

Runs of different cycles write it at the same time, so every change is one short
transaction that waits its turn. It never decides anything that a report shows: lose it,
and only the history of runs is lost.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from cxlab.errors import RunError

__all__ = ["Ledger", "Run"]

_WAIT_SECONDS = 30
_MARK = 0x43584C42  # "CXLB", SQLite's application_id: this file is ours
_VERSION = 1

_SCHEMA = """
CREATE TABLE runs (
    run_id        TEXT PRIMARY KEY,
    study         TEXT NOT NULL,
    cycle         TEXT NOT NULL,
    started_at    TEXT NOT NULL,
    ended_at      TEXT,
    state         TEXT NOT NULL,
    exit_code     INTEGER,
    snapshot_hash TEXT,
    manifest_hash TEXT,
    chapters      TEXT NOT NULL,
    command       TEXT NOT NULL,
    pid           INTEGER NOT NULL,
    born          REAL NOT NULL
)
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row of the ledger.

    Attributes
    ----------
    run_id, study, cycle, command : str
        Which run it was.
    started_at, ended_at : str or None
        UTC in ISO form; `ended_at` is None while it runs, and when it was killed.
    state : str
        running, ok, failed, refused, or killed: it never ended, and its process is gone.
    exit_code : int or None
        What the command returned.
    snapshot_hash, manifest_hash : str or None
        What it read and what it published.
    chapters : dict
        What the run noted of each chapter.
    """

    run_id: str
    study: str
    cycle: str
    started_at: str
    ended_at: str | None
    state: str
    exit_code: int | None
    snapshot_hash: str | None
    manifest_hash: str | None
    chapters: dict[str, Any]
    command: str


class Ledger:
    """Read and write the runs of a reports folder.

    Parameters
    ----------
    path : pathlib.Path
        The file; made if missing. Its folder exists.

    Raises
    ------
    RunError
        If the file is no ledger, is damaged or cannot be written. It is left alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._transaction("DEFERRED") as rows:
            is_ours = self._check(rows)
        if not is_ours:
            with self._transaction() as rows:
                if not self._check(rows):  # nobody else has made it meanwhile
                    rows.execute(_SCHEMA)
                    rows.execute(f"PRAGMA application_id = {_MARK}")
                    rows.execute(f"PRAGMA user_version = {_VERSION}")

    def start(self, *, study: str, cycle: str, command: str = "") -> str:
        """Note that a run has started in this process; return its id."""
        started = _now()
        run_id = f"{started[:19].translate(_PLAIN)}-{secrets.token_hex(4)}"
        row = (run_id, study, cycle, started, "running", "{}", command, os.getpid(), _born())
        with self._transaction() as rows:
            rows.execute(
                "INSERT INTO runs (run_id, study, cycle, started_at, state, chapters, command, "
                "pid, born) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        return run_id

    def finish(
        self,
        run_id: str,
        *,
        state: str,
        exit_code: int,
        snapshot_hash: str | None = None,
        manifest_hash: str | None = None,
        chapters: Mapping[str, Any] | None = None,
    ) -> None:
        """Note how a run ended.

        Raises
        ------
        RunError
            If no run of this id is running.
        """
        row = (_now(), state, exit_code, snapshot_hash, manifest_hash)
        with self._transaction() as rows:
            changed = rows.execute(
                "UPDATE runs SET ended_at = ?, state = ?, exit_code = ?, snapshot_hash = ?, "
                "manifest_hash = ?, chapters = ? WHERE run_id = ? AND state = 'running'",
                (*row, json.dumps(chapters or {}), run_id),
            ).rowcount
        if changed != 1:
            raise RunError(f"A run ends once and must have started, but {run_id!r} is not running.")

    def last(self, study: str, cycle: str) -> Run | None:
        """Return the newest run of a cycle, or None."""
        runs = self.runs(study, cycle)
        return runs[-1] if runs else None

    def runs(self, study: str | None = None, cycle: str | None = None) -> list[Run]:
        """Return the runs of a study, or of one cycle, the oldest first."""
        with self._transaction("DEFERRED") as rows:
            found = rows.execute(
                "SELECT * FROM runs WHERE (?1 IS NULL OR study = ?1) "
                "AND (?2 IS NULL OR cycle = ?2) ORDER BY started_at, rowid",
                (study, cycle),
            ).fetchall()
        return [_run(dict(row)) for row in found]

    def _check(self, rows: sqlite3.Connection) -> bool:
        """Tell a ledger from an empty file; refuse anything else."""
        mark = rows.execute("PRAGMA application_id").fetchone()[0]
        version = rows.execute("PRAGMA user_version").fetchone()[0]
        tables = rows.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if mark == 0 and tables == 0:
            return False
        if (mark, version) != (_MARK, _VERSION):
            found = f"version {version} of it" if mark == _MARK else "another program's data"
            raise self._refused(f"but holds {found}")
        return True

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Give a connection for one short transaction, alone among all writers."""
        try:
            # Opened anew each time: nothing is held between, and a fork shares nothing.
            rows = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
        except sqlite3.Error as fault:
            raise self._refused(f"but cannot be opened: {fault}") from fault
        try:
            rows.row_factory = sqlite3.Row
            # Asking for the write lock first avoids the deadlock of two readers that
            # both want to write, which SQLite answers at once, without waiting.
            rows.execute(f"BEGIN {kind}")
            yield rows
            rows.execute("COMMIT")
        except sqlite3.Error as fault:
            raise self._refused(f"but SQLite says: {fault}") from fault
        finally:
            rows.close()

    def _refused(self, found: str) -> RunError:
        return RunError(
            f"{self.path} must be a ledger of runs that can be written, {found}. Move it away "
            "or repair it; a new one is then made, and only the history of runs is lost."
        )


_PLAIN = str.maketrans("", "", "-:")


def _run(row: dict[str, Any]) -> Run:
    pid, born = row.pop("pid"), row.pop("born")
    if row["state"] == "running" and not _lives(pid, born):
        row["state"] = "killed"
    return Run(**{**row, "chapters": json.loads(row["chapters"])})


def _born() -> float:
    return float(psutil.Process().create_time())


def _lives(pid: int, born: float) -> bool:
    """Tell whether that very process still runs; ids are used again, births are not."""
    try:
        process = psutil.Process(pid)
        # The clock may have been set since: a second is nothing between two births.
        is_same = abs(float(process.create_time()) - born) < 1
        return is_same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
