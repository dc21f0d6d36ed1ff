"""One study gives the same numbers whatever the circumstances, every one to the last bit.

The sample company is run in places that share nothing: with one job and two, under another
clock, another language, other hashes, and with the rows of every raw file in another order.
With every change all of these are changed at once; `CXLAB_PLACES=5` changes them apart too.
"""

import locale
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from cxlab.cycle.again import differences
from cxlab.cycle.findings import read_findings
from cxlab.data.sample.study import new_sample
from cxlab.data.sample.write import Options

pytestmark = pytest.mark.slow

TURKISH = "tr_TR.UTF-8"  # where the capital of i is no I
CHAPTERS = {path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb")}
CUSTOMERS = 400  # enough to show numbers in every chapter, too few to show all
# Parquet packs rows better or worse by their order: the length of a file is not of its rows.
OF_FILES = ["trust.source_bytes"]


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
OTHERS = (
    Circumstances(hash_seed=1, jobs=1, zone="Asia/Kolkata", language=TURKISH, shuffle=1),
    Circumstances(hash_seed=2, zone="America/New_York"),
    Circumstances(hash_seed=3, jobs=1),
    Circumstances(hash_seed=4, shuffle=2),
)[: int(os.environ.get("CXLAB_PLACES", "2")) - 1]


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    study = tmp_path_factory.mktemp("company") / "company"
    new_sample(study, Options(customers=CUSTOMERS, seed=5))
    return study


@pytest.fixture(scope="module")
def findings(company, tmp_path_factory):
    """Return what each of the runs found; two of them go side by side."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        home = tmp_path_factory.mktemp("runs")
        runs = {c: pool.submit(run, company, home / str(c.hash_seed), c) for c in (PLAIN, *OTHERS)}
        return {c: done.result() for c, done in runs.items()}


def is_installed(language: str) -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, language)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def run(company: Path, place: Path, chosen: Circumstances):
    study = place / "company"
    shutil.copytree(company, study)
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
    command = [sys.executable, "-c", "from cxlab.cli import main; main()", "run", "company"]
    done = subprocess.run(
        [*command, "--cycle", "2026Q3", "--jobs", str(chosen.jobs)],
        check=False,
        cwd=place,
        env={**os.environ, **around},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return read_findings(place / "reports" / "company" / "2026Q3")


def shuffle_rows(raw: Path, seed: int) -> None:
    """Put the rows of every file in another order; what a row says stays as it was written."""
    rng = random.Random(seed)  # noqa: S311  (no secret)
    for file in sorted(f for f in raw.rglob("*") if f.is_file()):
        if file.suffix == ".parquet":
            shuffle_parquet(file, seed)
            continue
        rows = records(file.read_text(encoding="utf-8"))
        head = rows[: file.suffix == ".csv"]
        rest = rows[len(head) :]
        rng.shuffle(rest)
        file.write_text("".join([*head, *rest]), encoding="utf-8", newline="")


def records(text: str) -> list[str]:
    """Split a file into records; a line break between quotes does not end one."""
    rows, open_ = [], ""
    for line in text.splitlines(keepends=True):
        open_ += line
        if open_.count('"') % 2 == 0:
            rows.append(open_)
            open_ = ""
    assert not open_
    return rows


def shuffle_parquet(file: Path, seed: int) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table shuffled as select * exclude (file_row_number) "
            f"from read_parquet('{file}', file_row_number = true) "
            f"order by hash(file_row_number, {seed})"
        )
        connection.execute(f"copy shuffled to '{file}' (format parquet)")


def test_the_study_shows_numbers_in_every_chapter_and_withholds_some(findings):
    plain = findings[PLAIN]
    assert set(plain["chapter"]) == CHAPTERS
    assert plain.groupby("chapter")["estimate"].count().min() >= 10
    assert plain["suppressed"].any()


@pytest.mark.parametrize("circumstances", OTHERS, ids=lambda c: c.name)
def test_every_number_is_the_same(findings, circumstances):
    pair = [findings[PLAIN], findings[circumstances]]
    if circumstances.shuffle:
        pair = [frame[~frame["metric"].isin(OF_FILES)] for frame in pair]
    assert differences(*pair, tolerance=0.0) == []
    if not is_installed(circumstances.language):
        pytest.skip(f"but {circumstances.language} is not installed (Debian's package 'locales')")


def test_rows_are_really_in_another_order(company, tmp_path):
    shutil.copytree(company / "raw", tmp_path / "raw")
    shuffle_rows(tmp_path / "raw", 1)
    for name in ("crm/Accounts.csv", "reviews/posts.jsonl"):
        before, after = (
            records((at / name).read_text(encoding="utf-8"))
            for at in (company / "raw", tmp_path / "raw")
        )
        assert before != after
        assert sorted(before) == sorted(after)
    with duckdb.connect() as connection:
        before, after = (
            connection.execute(f"from read_parquet('{at}/web/hits/*.parquet')").fetchall()
            for at in (company / "raw", tmp_path / "raw")
        )
    assert before != after
    assert sorted(before, key=repr) == sorted(after, key=repr)
