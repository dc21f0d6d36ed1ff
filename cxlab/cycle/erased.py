"""Where do rows of erased persons still stand? In reports and snapshots made before the request.

A snapshot leaves out whoever asked to be erased, also when an old cycle is read again.
What was made before the request is found by comparison: it knew fewer requests, and
counts other rows than the same cycle does now.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlab.cycle.manifest import published
from cxlab.data.settings import Settings
from cxlab.data.snapshot import Snapshot, open_snapshot, state_folder
from cxlab.data.taking import take_snapshot
from cxlab.errors import DataError

__all__ = ["Erased", "clear_erased"]

_OWN = {"erasures", "links"}  # they count requests and links, not what persons did


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What was found, and what was cleared away.

    Attributes
    ----------
    persons : int or None
        Persons who asked to be erased; None where nothing was ever made.
    removed : list of str
        Kept snapshots that held their rows, or may have; they are gone now.
    standing : list of str
        Published cycles that were made with their rows.
    """

    persons: int | None
    removed: list[str]
    standing: list[str]


def clear_erased(study: Path, settings: Settings, reports: Path) -> Erased:
    """Remove kept snapshots from before a request, and name the reports that are as old.

    Parameters
    ----------
    study : pathlib.Path
        Folder of the study.
    settings : Settings
        Its settings.
    reports : pathlib.Path
        Folder of the study's published cycles.

    Returns
    -------
    Erased
        Nothing stands where every report was made again since the last request.

    Raises
    ------
    DataError
        If the study has no table of erasures, or its sources cannot be read.
    """
    if not (study / "tables" / "erasures.sql").is_file():
        raise DataError(
            f"{study.name} must have a table of requests to be erased, but has no "
            "tables/erasures.sql. Write one: customer_id and requested_at of each request."
        )
    sealed = [read for _, read in published(reports)] if reports.is_dir() else []
    kept = _kept(study)
    names = sorted({read["cycle"] for read in sealed} | {old.cycle_name for old in kept})
    if not names:
        return Erased(persons=None, removed=[], standing=[])
    now = {
        name: take_snapshot(study, settings, settings.parse_cycle(name), reached=False)
        for name in names
    }
    old = [s for s in kept if _requests(s.records["tables"]) < _known(now[s.cycle_name])]
    for snapshot in old:
        shutil.rmtree(snapshot.folder)
    return Erased(
        persons=max(_persons(snapshot) for snapshot in now.values()),
        removed=[snapshot.folder.name for snapshot in old],
        standing=[
            read["cycle"]
            for read in sealed
            if _requests(read["snapshot"]["tables"]) < _known(now[read["cycle"]])
            and _rows(read["snapshot"]["tables"]) != _rows(now[read["cycle"]].records["tables"])
        ],
    )


def _kept(study: Path) -> list[Snapshot]:
    """Open the snapshots that are kept; what is none any more cannot be opened by anybody."""
    found = []
    for folder in sorted((state_folder(study) / "snapshots").glob("[!.]*")):
        try:
            found.append(open_snapshot(folder))
        except DataError:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _requests(tables: Iterable[Mapping[str, Any]]) -> int:
    return sum(int(t["rows_used"]) for t in tables if t["table"] == "erasures")


def _known(snapshot: Snapshot) -> int:
    return _requests(snapshot.records["tables"])


def _persons(snapshot: Snapshot) -> int:
    told = (row["count"] for row in snapshot.records["identity"] if row["measure"] == "erased")
    return next((int(count) for count in told), 0)


def _rows(tables: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {t["table"]: int(t["rows_used"]) for t in tables if t["table"] not in _OWN}
