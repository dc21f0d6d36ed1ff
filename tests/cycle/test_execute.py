"""One batch of chapters that go wrong in every way, and what is kept of each."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cxlab.cycle.execute import Event, Job, Outcome, execute
from cxlab.errors import RunError

HOSTILE = {"text": "a\"; import os  # {x} \\ ' \n\u202e<script>", "deep": {"k": [1, None, True]}}
SLEEP = "import time; time.sleep(600)"
SHORT = "import time; time.sleep(1)\n"  # seconds that a line takes to arrive, at most
PRESENT = "print('so far', flush=True)\n"
HALF_GIGABYTE = 2**29
EAT = "import numpy as np\neaten = [np.ones(5_000_000) for _ in range(1000)]"
HEIR = (  # a child that holds 700 MB, and a kernel that holds little
    "import subprocess, sys\n"
    "hold = 'x = bytes(1) + bytes([1]) * 700_000_000; import time; time.sleep(60)'\n"
    "subprocess.run([sys.executable, '-c', hold])"
)
ORPHAN = (
    "import subprocess, sys\n"
    "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
    "for alone in (False, True):\n"
    "    print(subprocess.Popen(sleep, start_new_session=alone).pid, flush=True)\n"
)

CHAPTERS = {
    "good": ["text: str = ''\ndeep: dict = {}", "import json; print(json.dumps([text, deep]))"],
    "raises": ["x = 1", "1 / 0", "print('later')"],
    "exits": ["x = 1", "import sys; sys.exit(0)", "print('later')"],
    "hangs": ["x = 1", PRESENT + SLEEP],
    "eats": ["x = 1", EAT],
    "heirs": ["x = 1", HEIR],
    "refused": ["x = 1", "import numpy as np; np.ones(2**59)"],
    "killed": ["x = 1", PRESENT + SHORT + "import os; os.kill(os.getpid(), 9)"],
    "leaves": ["x = 1", "import os; os._exit(3)"],
    "orphans": ["x = 1", ORPHAN],
    "worker": ["x = 1", PRESENT + "import os; os.kill(os.getppid(), 9)\n" + SLEEP],
    "spec": ["x = 1", "import sys; print(sys.executable)"],
    "place": ["x = 1", "import os; print(os.getcwd(), os.environ['CX_TEST'], flush=True)"],
    "warns": ["x = 1", "import warnings; warnings.warn('careful')"],
    "caught": ["x = 1", "raise KeyError('a\\nb' * 1000)"],
}
LIMITS = {
    "hangs": {"cell_timeout_s": 1},
    "eats": {"memory_bytes": HALF_GIGABYTE},
    "heirs": {"memory_bytes": HALF_GIGABYTE},
    "refused": {"memory_bytes": HALF_GIGABYTE},
}


class Batch:
    """What one call of `execute` gave back."""

    def __init__(self, folder: Path, rooms: Path, make: Callable[..., Path]) -> None:
        self.folder, self.rooms = folder, rooms
        self.events: list[Event] = []
        self.done: list[str] = []
        jobs = [self.job(make, name, sources) for name, sources in CHAPTERS.items()]
        jobs.append(replace(jobs[0], name="absent", notebook=folder / "absent.ipynb"))
        jobs[-1] = replace(jobs[-1], output=folder / "out" / "absent.ipynb")
        jobs[0] = replace(jobs[0], parameters=HOSTILE)
        outcomes = execute(
            jobs,
            at_a_time=3,
            on_event=self.events.append,
            on_done=lambda outcome: self.done.append(outcome.name),
        )
        self.order = [outcome.name for outcome in outcomes]
        self.outcomes = {outcome.name: outcome for outcome in outcomes}

    def job(self, make: Callable[..., Path], name: str, sources: list[str]) -> Job:
        notebook = make(self.folder / f"{name}.ipynb", *sources, kernel="no such kernel")
        (self.folder / "out").mkdir(exist_ok=True)
        return Job(
            name=name,
            notebook=notebook,
            output=self.folder / "out" / f"{name}.ipynb",
            environment={"CX_TEST": "seen"},
            cwd=self.folder,
            **LIMITS.get(name, {}),
        )

    def kept(self, name: str) -> dict:
        return json.loads((self.folder / "out" / f"{name}.ipynb").read_text())

    def printed(self, name: str) -> str:
        outputs = [o for cell in self.kept(name)["cells"] for o in cell.get("outputs", [])]
        return "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream")


@pytest.fixture(scope="module")
def others() -> set[psutil.Process]:
    """Return what other tests of this worker have started and still need, such as Spark."""
    return set(psutil.Process().children(recursive=True))


@pytest.fixture(scope="module")
def batch(tmp_path_factory, make_notebook, others) -> Iterator[Batch]:
    folder = tmp_path_factory.mktemp("batch")
    with tempfile.TemporaryDirectory() as rooms:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", rooms)
            made = Batch(folder, Path(rooms), make_notebook)
        yield made


@pytest.mark.parametrize(
    ("name", "state", "error"),
    [
        ("good", "ok", None),
        ("raises", "failed", "ZeroDivisionError in cell 2 of 3: division by zero"),
        ("exits", "failed", "SystemExit in cell 2 of 3: later cells did not run"),
        ("hangs", "timed out", "Cell 2 of 2 ran longer than its 1 s."),
        (
            "eats",
            "out of memory",
            "Cell 2 of 2 needed more than the 0.5 GiB of memory that a chapter may use. "
            "Ask the engine for less, or raise the limit.",
        ),
        (
            "killed",
            "killed",
            "The kernel was ended by SIGKILL in cell 2 of 2; "
            "perhaps the machine ran out of memory.",
        ),
        ("leaves", "killed", "The kernel ended by itself in cell 2 of 2 (exit code 3)."),
        ("worker", "killed", "The worker was ended from outside in cell 2 of 2 (status -9)."),
    ],
)
def test_each_ending_has_its_state_and_its_plain_words(batch, name, state, error):
    outcome = batch.outcomes[name]
    assert (outcome.state, outcome.error) == (state, error)


def test_memory_that_is_refused_counts_as_out_of_memory_and_names_the_limit(batch):
    outcome = batch.outcomes["refused"]
    assert outcome.state == "out of memory"
    assert outcome.error.startswith("MemoryError in cell 2 of 2: Unable to allocate")
    assert outcome.error.endswith("(a chapter may use 0.5 GiB)")


def test_memory_of_what_a_notebook_started_counts(batch):
    assert batch.outcomes["heirs"].state == "out of memory"
    assert batch.outcomes["heirs"].seconds < 30  # seconds; the child would take 60


def test_an_error_is_one_short_line(batch):
    error = batch.outcomes["caught"].error
    assert "\n" not in error
    assert len(error) == 300


def test_outcomes_keep_the_order_of_the_jobs_and_each_is_told_once(batch):
    assert batch.order == [*CHAPTERS, "absent"]
    assert sorted(batch.done) == sorted(batch.order)


def test_a_notebook_that_cannot_be_read_fails_alone(batch):
    outcome = batch.outcomes["absent"]
    assert (outcome.state, outcome.output, outcome.cells) == ("failed", None, 0)
    assert "FileNotFoundError" in outcome.error


@pytest.mark.parametrize("name", [name for name in CHAPTERS if name not in {"good", "spec"}])
def test_the_notebook_is_kept_as_far_as_it_got_with_the_error_in_it(batch, name):
    outcome, kept = batch.outcomes[name], batch.kept(name)
    assert outcome.output == batch.folder / "out" / f"{name}.ipynb"
    errors = [o for c in kept["cells"] for o in c["outputs"] if o["output_type"] == "error"]
    assert len(errors) == (outcome.state != "ok")
    assert len(kept["cells"]) == len(CHAPTERS[name])
    assert bool(kept["metadata"]["papermill"]["exception"]) == (outcome.state != "ok")


@pytest.mark.parametrize("name", ["hangs", "killed"])
def test_what_was_printed_before_the_end_is_kept(batch, name):
    assert batch.printed(name) == "so far\n"


def test_parameters_arrive_as_data_whatever_they_hold(batch):
    assert json.loads(batch.printed("good")) == [HOSTILE["text"], HOSTILE["deep"]]


def test_cells_are_counted_and_reported_as_they_start(batch):
    seen = [(e.cell, e.cells) for e in batch.events if e.chapter == "raises"]
    assert seen == [(1, 3), (2, 3)]
    assert batch.outcomes["raises"].cells == 1
    assert batch.outcomes["good"].cells == 3  # with the injected cell
    assert all(event.elapsed >= 0 for event in batch.events)


def test_the_kernel_is_this_python_whatever_the_notebook_names(batch):
    assert "python" in batch.printed("spec")
    assert batch.kept("spec")["metadata"]["kernelspec"]["name"] == "python3"


def test_a_chapter_gets_its_folder_and_its_environment(batch):
    assert batch.printed("place") == ". seen\n"  # the folder's own path is hidden


def test_a_killed_kernel_is_noticed_within_seconds(batch):
    last = max(event.elapsed for event in batch.events if event.chapter == "killed")
    assert batch.outcomes["killed"].seconds - last < 10  # seconds; it is looked for every second


def test_no_path_of_the_machine_is_kept(batch):
    for path in (batch.folder / "out").iterdir():
        kept = path.read_text()
        assert str(batch.folder) not in kept, path.name
        assert str(Path.home()) + "/" not in kept, path.name
        assert "ipykernel_" not in kept, path.name


def test_nothing_is_left_beside_the_kept_notebooks(batch):
    names = {path.name for path in (batch.folder / "out").iterdir()}
    assert names == {f"{name}.ipynb" for name in CHAPTERS}
    assert list(batch.rooms.iterdir()) == []


def test_what_a_notebook_started_ends_with_it(batch, others):
    for pid in map(int, batch.printed("orphans").split()):
        assert not psutil.pid_exists(pid)
    assert set(psutil.Process().children(recursive=True)) <= others


LOADED = """
import os, sys
print("cxlab.workbench" in sys.modules, "pandas" in sys.modules, os.environ["CX_TEST"], flush=True)
import matplotlib, numpy as np, duckdb
square = np.arange(1_000_000.0).reshape(1000, 1000) / 1e6
assert np.allclose((square @ square)[:2, :2], square[:2] @ square[:, :2])  # OpenBLAS's threads
frame = duckdb.sql("select sum(x) as n from range(3_000_000) t(x)").to_arrow_table().to_pandas()
print(int(frame.n[0]), matplotlib.get_backend(), flush=True)
"""


def test_kernels_are_forks_of_a_process_that_has_loaded_cxlab(tmp_path, make_notebook):
    jobs = [
        Job(
            name=name,
            notebook=make_notebook(tmp_path / f"{name}.ipynb", "x = 1", LOADED),
            output=tmp_path / f"{name}-done.ipynb",
            cwd=tmp_path,
            environment={"MPLBACKEND": "svg", "CX_TEST": name, "OPENBLAS_NUM_THREADS": "2"},
        )
        for name in ("a", "b")
    ]
    outcomes = execute(jobs, at_a_time=2, loads_cxlab=True, on_event=lambda _: None)
    for outcome in outcomes:
        assert outcome.error is None
        kept = json.loads(outcome.output.read_text())["cells"][-1]["outputs"]
        assert "".join(o["text"] for o in kept).split() == [
            "True", "True", outcome.name, "4499998500000", "svg",
        ]  # fmt: skip


def test_what_a_callback_raises_ends_all_and_is_passed_on(tmp_path, make_notebook, others):
    job = Job(
        name="a",
        notebook=make_notebook(tmp_path / "a.ipynb", SLEEP),
        output=tmp_path / "out.ipynb",
        cwd=tmp_path,
    )

    def stop(_: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute([job], at_a_time=1, on_event=stop)
    assert set(psutil.Process().children(recursive=True)) <= others
    assert [path.name for path in tmp_path.iterdir()] == ["a.ipynb"]


def test_a_python_that_cannot_start_workers_is_an_error(tmp_path, make_notebook, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    job = Job(
        name="a",
        notebook=make_notebook(tmp_path / "a.ipynb", "1"),
        output=tmp_path / "out.ipynb",
    )
    with pytest.raises(RunError, match="Its last words: none"):
        execute([job], at_a_time=1, on_event=lambda _: None)


def test_no_jobs_start_nothing(monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert execute([], at_a_time=2, on_event=lambda _: None) == []


def test_a_chapter_ends_at_its_limit_and_keeps_what_it_printed(tmp_path, make_notebook):
    job = Job(
        name="endless",
        notebook=make_notebook(tmp_path / "a.ipynb", "x = 1", PRESENT + SLEEP),
        output=tmp_path / "out.ipynb",
        cwd=tmp_path,
    )
    for limit in (5, 15, 45):  # seconds; on a busy machine a kernel needs many to start
        events: list[Event] = []
        (outcome,) = execute(
            [replace(job, chapter_timeout_s=limit)], at_a_time=1, on_event=events.append
        )
        assert outcome.state == "timed out"
        assert outcome.error.startswith(f"The chapter ran longer than its {limit} s; stopped in ")
        assert "ran longer" in outcome.output.read_text()
        if len(events) == 2 and events[-1].elapsed < limit - 1:
            break
    assert outcome.error.endswith("stopped in cell 2 of 2.")
    assert '"so far' in outcome.output.read_text()
    assert outcome.seconds < limit + 5  # seconds; a dead kernel is looked for every second


def test_an_outcome_can_be_compared():
    one = Outcome(name="a", state="ok", error=None, seconds=1, cells=1, output=None)
    assert one == replace(one)
