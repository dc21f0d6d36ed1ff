"""The made-up company as a study: a folder of its own, or raw files made on first use."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

from cxlab.data.sample.hostile import write_hostile_files
from cxlab.data.sample.truth import write_answers
from cxlab.data.sample.write import Made, Options, write_company
from cxlab.data.sample_settings import FEW, FEW_SET_ASIDE
from cxlab.errors import RunError

__all__ = ["new_sample", "raw_once"]

_HERE = Path(__file__).parent
_OLD_SECONDS = 86_400
# How a mapping reads the two long exports, as Parquet and as CSV.
_LONG = {
    f"read_parquet('{{raw}}/{name}/*.parquet')": (
        f"read_csv('{{raw}}/{name}.csv', header = true, all_varchar = true)"
    )
    for name in ("web/hits", "cdp/events")
}


def new_sample(
    folder: Path, options: Options, *, tell: Callable[[int, int], None] | None = None
) -> Made:
    """Write a whole study of the company: settings, mappings, raw files, truth.

    Parameters
    ----------
    folder : pathlib.Path
        A new or an empty folder; its parents are made too.
    options : Options
        Which company.
    tell : callable, optional
        Is told how many parts are done, and of how many.

    Raises
    ------
    RunError
        If the folder holds anything already, or cannot be written.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"A sample company needs a new or an empty folder, but {folder} holds something. "
            "Choose another name."
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made = _write(draft, options, tell)
            write_answers(draft / "truth", options.world, options.customers)
            _copy_study(draft, options, made)
            draft.chmod(0o755)
            draft.rename(folder)  # whole or nothing
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as fault:
        raise RunError(
            f"{folder} must be writable, but is not: {fault.strerror}. Choose another folder."
        ) from fault
    return made


def raw_once(state: Path, options: Options) -> Path:
    """Return the folder of the company's raw files, made now if it is not there yet.

    Two processes that start at once both make it; the one that is done first wins.

    Parameters
    ----------
    state : pathlib.Path
        Where a study keeps what must not be published.
    options : Options
        Which company.

    Raises
    ------
    RunError
        If the state cannot be written.
    """
    target = state / f"sample-{_key(options)}"
    try:
        if not (target / "raw").is_dir():
            _make(target, options)
    except OSError as fault:
        raise RunError(
            f"{state} must be writable, since the sample company is made there, but is not: "
            f"{fault.strerror}. Free it, or write the company elsewhere with cxlab sample."
        ) from fault
    return (target / "raw").resolve()


def _make(target: Path, options: Options) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    # Some of its files were taken away: what is made anew could not take their place.
    # Before the making, when no other process can have put a whole one here.
    if target.is_dir():
        shutil.rmtree(target)
    draft = Path(mkdtemp(prefix=".sample-", dir=target.parent))
    try:
        _write(draft, options, None)
        try:
            draft.rename(target)
        except OSError:
            # Another process may have been quicker: what it made is the same.
            if not (target / "raw").is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(draft: Path, options: Options, tell: Callable[[int, int], None] | None) -> Made:
    made = write_company(draft, options, tell=tell)
    if options.variant == "hostile":
        write_hostile_files(draft / "raw")
    return made


def _copy_study(draft: Path, options: Options, made: Made) -> None:
    """Copy the embedded study, with its raw files beside it."""
    source = next(
        folder
        for folder in (_HERE.parents[2] / "params" / "sample", _HERE.parents[1] / "params/sample")
        if (folder / "study.yaml").is_file()
    )
    lines = (source / "study.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    written = "".join("raw: raw\n" if line.startswith("sample:") else line for line in lines)
    if options.customers < FEW:
        written = written.replace("set_aside_max: 0.02", f"set_aside_max: {FEW_SET_ASIDE}")
    (draft / "study.yaml").write_text(written, encoding="utf-8")
    (draft / "tables").mkdir()
    for file in sorted((source / "tables").glob("*.sql")):
        if made.rows.get(file.stem) == 0:
            continue  # so few customers have asked for no quote yet: there is no such system
        sql = file.read_text(encoding="utf-8")
        if options.form == "csv":
            for parquet, csv in _LONG.items():
                sql = sql.replace(parquet, csv)
        (draft / "tables" / file.name).write_text(sql, encoding="utf-8")


def _key(options: Options) -> str:
    """Hash everything that the raw files can depend on."""
    code = [
        file.read_text(encoding="utf-8")
        for file in sorted((*_HERE.glob("*.py"), *_HERE.glob("exports/*.sql")))
    ]
    chance = [version(name) for name in ("duckdb", "numpy", "pandas", "scipy")]
    parts = json.dumps([repr(options), code, chance])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def _sweep(state: Path) -> None:
    """Remove what killed processes left, and companies made by older code."""
    for folder in (*state.glob(".sample-*"), *state.glob("sample-*")):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _OLD_SECONDS:
                shutil.rmtree(folder)
