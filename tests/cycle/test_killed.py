"""The runner is killed at random moments: nothing runs on, nothing is half done."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cxlab.cycle.place import hash_tree, lock, staging, sweep

RUNNER = """
import sys
from pathlib import Path
from cxlab.cycle.execute import Job, execute
from cxlab.cycle.place import lock, staging
folder = Path(sys.argv[1])
with lock(folder / "r.lock", who="run"), staging(folder / "r") as new:
    jobs = [
        Job(name=str(i), notebook=folder / "busy.ipynb", output=new / f"{i}.ipynb", cwd=folder)
        for i in range(2)
    ]
    execute(jobs, at_a_time=2, on_event=lambda event: print(event, flush=True))
"""
# Holds the interpreter's lock, so the kernel's own watch for its parent cannot run.
BUSY = "import re; re.match(r'(a+)+$', 'a' * 200 + 'b')"
GONE_SECONDS = 10  # mostly one; the machine may be busy


@pytest.fixture
def place(tmp_path, make_notebook):
    make_notebook(tmp_path / "busy.ipynb", "x = 1", BUSY)
    with staging(tmp_path / "r") as folder:
        (folder / "index.html").write_text("good")
    return tmp_path


def start(place: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", RUNNER, str(place)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def marked(place: Path) -> list[psutil.Process]:
    """All processes that work for a run: by their folder, or by whom they descend from."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        at = process.info["cwd"] or ""
        named = str(place) in " ".join(process.info["cmdline"] or [])
        if (named or at.startswith(str(place))) and process.info["status"] != "zombie":
            found.append(process)
    return found


def assert_all_end(family: list[psutil.Process], place: Path) -> None:
    _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
    alive = [p for p in alive if p.is_running() and p.status() != "zombie"]
    assert alive == []
    assert marked(place) == []


def assert_report_untouched_and_rest_swept(place: Path) -> None:
    assert list(hash_tree(place / "r")) == ["index.html"]
    with lock(place / "r.lock", who="next"):
        sweep(place)
    assert not [path for path in place.iterdir() if "staging" in path.name]


def wait_for_cells(runner: subprocess.Popen) -> list[psutil.Process]:
    for _ in range(4):  # two cells of two chapters
        assert runner.stdout.readline().startswith("Event")
    return psutil.Process(runner.pid).children(recursive=True)


# Spread over all stages: imports, forks, kernels that start, cells that run.
@pytest.mark.parametrize("after", [round(0.05 * 2**step, 2) for step in range(7)])
def test_a_runner_killed_at_any_moment_leaves_no_process_and_no_trace(place, after):
    with start(place) as runner:
        time.sleep(after)
        family = psutil.Process(runner.pid).children(recursive=True)
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        assert_all_end(family, place)
    assert_report_untouched_and_rest_swept(place)


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_the_process_that_forks_has_no_threads(place):
    # A lock that another thread holds at the fork would stay locked in the worker.
    with start(place) as runner:
        wait_for_cells(runner)
        (starter,) = psutil.Process(runner.pid).children()
        assert starter.num_threads() == 1
        runner.kill()


def test_a_runner_killed_amid_busy_cells_leaves_no_kernel(place):
    with start(place) as runner:
        family = wait_for_cells(runner)
        assert len(family) >= 5  # the starter, two workers, two kernels
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        assert_all_end(family, place)
    assert_report_untouched_and_rest_swept(place)


def test_when_the_starter_of_workers_is_killed_the_run_ends_with_an_error(place):
    with start(place) as runner:
        family = wait_for_cells(runner)
        psutil.Process(runner.pid).children()[0].kill()
        assert runner.wait(60) == 1
        assert_all_end(family, place)
    assert_report_untouched_and_rest_swept(place)


def test_when_runner_and_starter_are_killed_together_nothing_runs_on(place):
    with start(place) as runner:
        family = wait_for_cells(runner)
        starter = psutil.Process(runner.pid).children()[0]
        runner.send_signal(signal.SIGKILL)
        starter.kill()
        runner.wait()
        assert_all_end(family, place)
    assert_report_untouched_and_rest_swept(place)


def test_ctrl_c_stops_everything_and_removes_what_was_begun(place):
    with start(place) as runner:
        family = wait_for_cells(runner)
        runner.send_signal(signal.SIGINT)
        assert runner.wait(60) == -signal.SIGINT
        assert_all_end(family, place)
    assert {path.name for path in place.iterdir()} == {"busy.ipynb", "r", "r.lock"}
