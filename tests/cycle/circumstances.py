"""Running the made-up company at its most hostile, whatever the circumstances."""

import locale
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

CUSTOMERS = 400  # enough to show numbers in every chapter, too few to show all
CYCLE = "2026Q3"


@dataclass(frozen=True)
class Circumstances:
    """What must not matter."""

    hash_seed: int
    jobs: int = 2
    zone: str = "UTC"
    language: str = "C.UTF-8"
    shuffle: int = 0  # 0 leaves the rows in their order

    @property
    def name(self) -> str:
        told = f"{self.jobs}-jobs hash-{self.hash_seed} {self.zone} {self.language}"
        return told + (" shuffled" if self.shuffle else "")


PLAIN = Circumstances(hash_seed=0)


def is_installed(language: str) -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, language)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def run(company: Path, place: Path, chosen: Circumstances) -> Path:
    """Run a copy of the study in a place of its own, and return the folder of its report."""
    study = place / company.name
    shutil.copytree(company, study, symlinks=True)  # one of them leads out
    if chosen.shuffle:
        shuffle_rows(study / "raw", chosen.shuffle)
    language = chosen.language if is_installed(chosen.language) else PLAIN.language
    around = {
        "CXLAB_STATE": str(place / "state"),
        "PYTHONHASHSEED": str(chosen.hash_seed),
        "TZ": chosen.zone,
        "LC_ALL": language,
        "LANG": language,
    }
    command = [sys.executable, "-c", "from cxlab.cli import main; main()", "run", company.name]
    done = subprocess.run(
        [*command, "--cycle", CYCLE, "--jobs", str(chosen.jobs)],
        check=False,
        cwd=place,
        env={**os.environ, **around},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return place / "reports" / company.name / CYCLE


def shuffle_rows(raw: Path, seed: int) -> None:
    """Put the rows of every file in another order; what a row says stays as it was written."""
    rng = random.Random(seed)  # noqa: S311  (no secret)
    files = (f for f in raw.rglob("*") if f.is_file() and not f.is_symlink())
    for file in sorted(files):
        if file.suffix == ".parquet":
            if is_parquet(file):  # one has the name only
                shuffle_parquet(file, seed)
            continue
        rows = records(file)
        head = rows[: file.suffix == ".csv"]
        rest = rows[len(head) :]
        rng.shuffle(rest)
        file.write_text("".join([*head, *rest]), encoding="utf-8", newline="")


def records(file: Path) -> list[str]:
    """Split a file into records; a line break between quotes does not end one."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":  # other ends of lines may stand within a text
        return [line + "\n" for line in text.removesuffix("\n").split("\n")]
    rows, open_ = [], ""
    for line in text.splitlines(keepends=True):
        open_ += line
        if open_.count('"') % 2 == 0:
            rows.append(open_)
            open_ = ""
    if open_:
        assert file.name == "broken quote.csv", f"{file} ends within quotes"
        rows.append(open_)
    return rows


def is_parquet(file: Path) -> bool:
    held = file.read_bytes()
    return len(held) > 12 and held.startswith(b"PAR1") and held.endswith(b"PAR1")


def shuffle_parquet(file: Path, seed: int) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table shuffled as select * exclude (file_row_number) "
            f"from read_parquet('{file}', file_row_number = true) "
            f"order by hash(file_row_number, {seed})"
        )
        connection.execute(f"copy shuffled to '{file}' (format parquet)")
