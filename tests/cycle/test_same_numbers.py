"""One study gives the same numbers whatever the circumstances, every one to the last bit.

The made-up company at its most hostile is run in places that share nothing: with one job and two,
under another clock, another language, other hashes, and with the rows of every raw file in another
order. With every change all of these are changed at once; `CXLAB_PLACES=5` changes them apart too.
"""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from cxlab.cycle.again import differences
from cxlab.cycle.findings import read_findings
from tests.cycle.circumstances import (
    PLAIN,
    Circumstances,
    is_installed,
    records,
    run,
    shuffle_rows,
)

pytestmark = pytest.mark.slow

TURKISH = "tr_TR.UTF-8"  # where the capital of i is no I
CHAPTERS = {path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb")}
# Parquet packs rows better or worse by their order: the length of a file is not of its rows.
OF_FILES = ["trust.source_bytes"]
OTHERS = (
    Circumstances(hash_seed=1, jobs=1, zone="Asia/Kolkata", language=TURKISH, shuffle=1),
    Circumstances(hash_seed=2, zone="America/New_York"),
    Circumstances(hash_seed=3, jobs=1),
    Circumstances(hash_seed=4, shuffle=2),
)[: int(os.environ.get("CXLAB_PLACES", "2")) - 1]


@pytest.fixture(scope="module")
def findings(hostile, hostile_run, tmp_path_factory):
    """Return what each of the runs found."""
    home = tmp_path_factory.mktemp("runs")
    others = {c: run(hostile, home / str(c.hash_seed), c) for c in OTHERS}
    return {c: read_findings(at) for c, at in {PLAIN: hostile_run, **others}.items()}


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


def test_rows_are_really_in_another_order(hostile, tmp_path):
    shutil.copytree(hostile / "raw", tmp_path / "raw", symlinks=True)
    shuffle_rows(tmp_path / "raw", 1)
    for name in ("crm/Accounts.csv", "reviews/posts.jsonl"):
        before, after = (records(at / name) for at in (hostile / "raw", tmp_path / "raw"))
        assert before != after
        assert sorted(before) == sorted(after)
    with duckdb.connect() as connection:
        before, after = (
            connection.execute(f"from read_parquet('{at}/web/hits/*.parquet')").fetchall()
            for at in (hostile / "raw", tmp_path / "raw")
        )
    assert before != after
    assert sorted(before, key=repr) == sorted(after, key=repr)
