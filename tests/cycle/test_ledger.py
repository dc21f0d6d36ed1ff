import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from cxlab.cycle.ledger import Ledger
from cxlab.errors import RunError


def test_a_run_is_remembered_with_all_that_it_noted(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    run_id = ledger.start(study="olist", cycle="2018Q1", command="cxlab run")
    running = ledger.last("olist", "2018Q1")
    assert (running.state, running.ended_at, running.chapters) == ("running", None, {})
    ledger.finish(
        run_id,
        state="ok",
        exit_code=0,
        snapshot_hash="ab",
        manifest_hash="cd",
        chapters={"10_customers": {"state": "ok"}},
    )
    run = Ledger(tmp_path / "ledger.sqlite").last("olist", "2018Q1")
    assert (run.run_id, run.state, run.exit_code, run.command) == (run_id, "ok", 0, "cxlab run")
    assert (run.snapshot_hash, run.manifest_hash) == ("ab", "cd")
    assert run.chapters == {"10_customers": {"state": "ok"}}
    assert run.started_at < run.ended_at


def test_last_is_the_newest_of_that_cycle_alone(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.start(study="olist", cycle="2018Q1")
    second = ledger.start(study="olist", cycle="2018Q1")
    ledger.start(study="olist", cycle="2018Q2")
    ledger.start(study="cdnow", cycle="2018Q1")
    assert ledger.last("olist", "2018Q1").run_id == second
    assert ledger.last("olist", "2017Q4") is None
    assert len(ledger.runs("olist")) == 3
    assert len(ledger.runs()) == 4


def test_a_run_ends_once(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    run_id = ledger.start(study="s", cycle="c")
    ledger.finish(run_id, state="ok", exit_code=0)
    with pytest.raises(RunError, match="is not running"):
        ledger.finish(run_id, state="failed", exit_code=1)
    assert ledger.last("s", "c").state == "ok"


START = """
import sys, time
from pathlib import Path
from cxlab.cycle.ledger import Ledger
Ledger(Path(sys.argv[1])).start(study="s", cycle="c")
print("ready", flush=True)
time.sleep(60)
"""


def test_a_run_whose_process_was_killed_is_reported_as_killed(tmp_path):
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, "-c", START, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        assert Ledger(path).last("s", "c").state == "running"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert Ledger(path).last("s", "c").state == "killed"


def test_a_process_that_got_the_id_of_a_dead_run_does_not_revive_it(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger(path).start(study="s", cycle="c")
    with sqlite3.connect(path) as rows:
        rows.execute("UPDATE runs SET born = born - 3600")
    rows.close()
    assert Ledger(path).last("s", "c").state == "killed"


def _write_runs(path: Path) -> int:
    ledger = Ledger(path)
    for _ in range(10):
        run_id = ledger.start(study="s", cycle=str(os.getpid()))
        ledger.finish(run_id, state="ok", exit_code=0)
    return os.getpid()


def test_eight_processes_at_once_lose_no_run(tmp_path):
    path = tmp_path / "ledger.sqlite"
    context = get_context("forkserver")
    context.set_forkserver_preload(["cxlab.cycle.ledger"])
    with ProcessPoolExecutor(8, mp_context=context) as pool:
        list(pool.map(_write_runs, [path] * 8))
    runs = Ledger(path).runs()
    assert len(runs) == 80
    assert {run.state for run in runs} == {"ok"}
    assert len({run.run_id for run in runs}) == 80


@pytest.mark.parametrize(
    "content", [b"not a database " * 100, b"SQLite format 3\x00" + b"\xff" * 999]
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"must be a ledger of runs.*Move it away"):
        Ledger(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as rows:
        rows.execute("CREATE TABLE runs (mine TEXT)")
    rows.close()
    before = path.read_bytes()
    with pytest.raises(RunError, match="another program's data"):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_ledger_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    Ledger(path)
    with sqlite3.connect(path) as rows:
        rows.execute("PRAGMA user_version = 9")
    rows.close()
    with pytest.raises(RunError, match="version 9"):
        Ledger(path)


def test_a_folder_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(RunError, match=r"cannot be opened|SQLite says"):
        Ledger(tmp_path / "nowhere" / "ledger.sqlite")
