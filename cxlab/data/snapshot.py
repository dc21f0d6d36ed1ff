"""What one cycle knows, sealed: a Parquet file per table, and how its rows were accounted for.

Rows in = rows used + rows set aside + rows excluded by a rule. A row that became
known only after the cutoff is none of these: at that moment nobody had it. A row
whose parent is set aside or excluded goes with it, for the same reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping as MappingOf
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from cxlab.data.calendar import Cycle
from cxlab.data.model import contracts
from cxlab.data.quality import withheld_tables
from cxlab.data.settings import Settings
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
    import pandas as pd

    from cxlab.data.reading import Reader

__all__ = ["Snapshot", "open_snapshot", "state_folder", "take_snapshot", "verify_snapshots"]

_DRAFT_SECONDS = 86_400
_RECORDS = ("tables", "reasons", "sources", "checks", "masked", "identity")
_LATE_DAYS = timedelta(days=7)  # quieter than this at its end, a cycle counts as not over


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
        return _intact(open_snapshot(folder))
    except DataError:  # damaged from outside: what it was made from is still here
        shutil.rmtree(folder)
        return None


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
                _intact(kept)
        except DataError as error:
            wrong.append(str(error))
    return wrong


def _intact(snapshot: Snapshot) -> Snapshot:
    """Refuse a snapshot in which a byte has changed since it was sealed."""
    for name, sealed in snapshot.seals.items():
        with (snapshot.folder / name).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sealed:
                raise DataError(f"{snapshot.folder.name}/{name} has changed since it was sealed.")
    return snapshot


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
