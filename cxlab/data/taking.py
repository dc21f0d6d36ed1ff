"""Reading a study's sources as one cycle knows them, once, into a sealed snapshot."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from cxlab.data.allowed_rows import remove_damaged
from cxlab.data.calendar import Cycle
from cxlab.data.model import contracts
from cxlab.data.settings import Settings
from cxlab.data.snapshot import Snapshot, check_intact, open_snapshot, state_folder
from cxlab.data.sources import (
    Mapping,
    connect,
    find_files,
    fingerprints,
    read_mappings,
    stamp_of,
)
from cxlab.errors import DataError

if TYPE_CHECKING:
    from cxlab.data.reading import Reader

__all__ = ["take_snapshot"]

_DRAFT_SECONDS = 86_400
_LATE_DAYS = timedelta(days=7)  # quieter than this at its end, a cycle counts as not over


def take_snapshot(
    study: Path, settings: Settings, cycle: Cycle, *, reached: bool = True
) -> Snapshot:
    """Read a study's sources as known at the end of a cycle, or find them read already.

    Parameters
    ----------
    study : pathlib.Path
        Folder of the study.
    settings : Settings
        Its settings.
    cycle : Cycle
        The cycle whose cutoff ends what is known.
    reached : bool
        Refuse a cycle that the data do not reach.

    Returns
    -------
    Snapshot
        Sealed; the same inputs give the same snapshot without reading again.

    Raises
    ------
    SettingsError
        If the settings or the SQL cannot be used.
    DataError
        If a source is missing, a table breaks its contract as a whole, or more rows
        are set aside than the settings allow.
    """
    raw = settings.raw_folder(study)
    mappings = read_mappings(study)
    state = state_folder(study)
    files = {name: find_files(mapping, raw) for name, mapping in mappings.items()}
    names = sorted({file for found in files.values() for file in found})
    home, memo = state / "snapshots", state / "files.json"

    def place(prints: dict[Path, str]) -> Path:
        named = {str(file.relative_to(raw)): sha256 for file, sha256 in prints.items()}
        key = _plan_key(settings, cycle, mappings, named, reached)
        return home / f"{cycle.name}-{key[:16]}"

    with ThreadPoolExecutor(max_workers=1) as pool:
        hashing = pool.submit(fingerprints, names, memo)
        # Where this cycle was never read, there is nothing to find: hash and read side by side.
        if any(home.glob(f"{cycle.name}-*")) and (found := _found(place(hashing.result()))):
            return found
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        draft = Path(mkdtemp(prefix=f".{cycle.name}-", dir=home))
        try:
            before = [stamp_of(file) for file in names]
            record = _read_all(draft, raw, settings, cycle, mappings, reached)
            prints = hashing.result()
            if [stamp_of(f) for f in names] != before or fingerprints(names, memo) != prints:
                raise DataError(
                    "The sources must stay as they are while they are read, but one has changed. "
                    "Run again when they have all arrived."
                )
            record["sources"] = [
                {
                    "source": str(file.relative_to(raw)),
                    "bytes": file.stat().st_size,
                    "sha256": sha256,
                    "tables": ", ".join(_fed_by(file, files, mappings)),
                }
                for file, sha256 in prints.items()
            ]
            _seal(draft, record)
            _move(draft, place(prints))
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return open_snapshot(place(prints))


def _found(folder: Path) -> Snapshot | None:
    """Open a snapshot that was taken before; one that was damaged is cleared away."""
    if not (folder / "snapshot.json").exists():
        return None
    try:
        snapshot = check_intact(open_snapshot(folder))
        remove_damaged(folder)
        return snapshot
    except DataError:  # damaged from outside: what it was made from is still here
        shutil.rmtree(folder)
        return None


def _plan_key(
    settings: Settings,
    cycle: Cycle,
    mappings: dict[str, Mapping],
    prints: dict[str, str],
    reached: bool,
) -> str:
    """Hash everything that the rows of a snapshot can depend on."""
    from cxlab.data.people import people_key

    code = "".join(
        (Path(__file__).with_name(name)).read_text(encoding="utf-8")
        for name in (
            "checks.py",
            "components.py",
            "contracts.py",
            "identifiers.py",
            "identity.py",
            "masking.py",
            "model.py",
            "names.py",
            "numbers.py",
            "parquet.py",
            "people.py",
            "personal.py",
            "persons.py",
            "pseudonyms.py",
            "quality.py",
            "reading.py",
            "signatures.py",
            "snapshot.py",
            "sources.py",
            "tables.py",
            "taking.py",
            "usual.py",
        )
    )
    parts = {
        "cycle": [cycle.start.isoformat(), cycle.cutoff.isoformat(), settings.time_zone],
        "sql": {name: mapping.sql for name, mapping in mappings.items()},
        "files": prints,
        "quality": settings.quality.model_dump(),
        "people": people_key(settings, mappings),
        "checks": [settings.definitions.stale_days, settings.covers.model_dump(mode="json")],
        "reached": reached,
        "code": code,
        "duckdb": version("duckdb"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read_all(
    draft: Path,
    raw: Path,
    settings: Settings,
    cycle: Cycle,
    mappings: dict[str, Mapping],
    reached: bool,
) -> dict[str, Any]:
    """Read every table into the draft folder, and account for each row."""
    from cxlab.data.checks import check_tables
    from cxlab.data.people import People
    from cxlab.data.reading import Reader

    connection = connect(
        raw,
        draft,
        memory=settings.engine.memory,
        threads=settings.engine.threads,
        time_zone=settings.time_zone,
    )
    people = People(connection.execute, settings, mappings.values(), cycle)
    reader = Reader(connection, draft, raw, cycle, people)
    with connection:
        for mapping in people.in_order():
            if mapping.is_helper:
                reader.helper(mapping)
            else:
                reader.table(contracts()[mapping.name], mapping)
                if mapping.name in reader.columns and mapping.name in mappings:
                    reader.check_share(mapping.name, settings)
        reader.write_set_aside()
        told = {"tables": reader.tables, "reasons": reader.reasons, "columns": reader.columns}
        checks = check_tables(connection, draft, told, cycle=cycle, settings=settings)
    if reached:
        _check_span(reader, cycle)
    shutil.rmtree(draft / "spill", ignore_errors=True)
    return {
        "cycle": cycle.name,
        "start": cycle.start.isoformat(),
        "cutoff": cycle.cutoff.isoformat(),
        "time_zone": settings.time_zone,
        "columns": reader.columns,
        "tables": reader.tables,
        "reasons": reader.reasons,
        "contents": reader.contents,
        "checks": checks,
        "masked": reader.masked,
        "identity": people.record,
        "notes": reader.notes,
    }


def _fed_by(file: Path, files: dict[str, list[Path]], mappings: dict[str, Mapping]) -> list[str]:
    """List the tables that a raw file reaches, directly or through helpers."""
    reached = {name for name, read in files.items() if file in read}
    for name, mapping in mappings.items():  # helpers come first, each after those it names
        if reached & set(mapping.uses):
            reached.add(name)
    return [name for name in mappings if name in reached and not mappings[name].is_helper]


def _check_span(reader: Reader, cycle: Cycle) -> None:
    """Refuse a cycle that the data do not reach; note one that they reach in part."""
    last = max((t["last_at"] for t in reader.tables if t["last_at"]), default=None)
    if last is None:
        if any(reader.later.values()):
            raise DataError(
                f"A cycle must have data, but every row became known only after {cycle.last_day}, "
                f"the end of {cycle.name}. Choose a later cycle, or add the older data."
            )
        return
    if datetime.fromisoformat(last) < cycle.start:
        raise DataError(
            f"A cycle must have data, but the last row known by the end of {cycle.name} is from "
            f"{last[:10]}, before its start. Choose an earlier cycle, or add the newer data."
        )
    if datetime.fromisoformat(last) < cycle.cutoff - _LATE_DAYS:
        reader.notes.append(
            f"The data end on {last[:10]}, before the cycle does: its numbers will still move."
        )


def _seal(draft: Path, record: dict[str, Any]) -> None:
    """Hash contents and files, and write the record beside them."""
    sealed = ("start", "cutoff", "time_zone", "contents", "tables", "reasons", "checks", "notes")
    contents = {key: record[key] for key in sealed}
    record["hash"] = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    record["seals"] = {}
    for file in sorted(draft.glob("*.parquet")):
        with file.open("rb+") as stream:
            record["seals"][file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
    with (draft / "snapshot.json").open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(record, indent=1))
        stream.flush()
        os.fsync(stream.fileno())


def _sweep(folder: Path) -> None:
    """Remove drafts that a killed run has left: no snapshot takes a day."""
    for draft in folder.glob(".*"):
        with suppress(OSError):  # another run sweeps as well
            if time.time() - draft.stat().st_mtime > _DRAFT_SECONDS:
                shutil.rmtree(draft)


def _move(draft: Path, folder: Path) -> None:
    """Put a finished draft in place; another process may have done so already."""
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / "snapshot.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
