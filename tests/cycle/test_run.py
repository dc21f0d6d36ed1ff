"""A cycle end to end, on tiny chapters of its own: what is run, kept, published, remembered."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from cxlab.cycle import execute as execution
from cxlab.cycle import place
from cxlab.cycle.findings import read_findings
from cxlab.cycle.ledger import Ledger
from cxlab.cycle.manifest import broken_links, read_manifest, verify
from cxlab.cycle.plan import Plan, make_plan
from cxlab.cycle.progress import reporter
from cxlab.cycle.run import Options, Report, run_cycle
from cxlab.data.snapshot import verify_snapshots
from cxlab.errors import ParameterError, RunError
from tests.studies import opened, shop

CUSTOMERS = "customer_id,first_seen_at\na,2017-11-03\nb,2018-01-05\nc,2018-02-07\n"
ORDERS = (
    "order_id,customer_id,placed_at,net_amount\n"
    "1,a,2017-11-03 10:00,10.00\n2,b,2018-01-05 11:00,20.50\n3,c,2018-02-07 12:00,30.25\n"
)
COUNT = """
from cxlab.report.finding import Result, estimate_row
class Count(Result):
    def sentence(self): return f"{len(self.estimates)} number, times {times}."
n = int(cx.query("select count(*) as n from t", t=lab.orders)["n"][0])
row = estimate_row("orders.made_up", n * times, n, n, n=100, unit="count", method="counted")
cx.show(Count(estimates=__import__("pandas").DataFrame([row])))
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a study once, for all tests of what comes after."""
    place = tmp_path_factory.mktemp("first")
    run(new_study(place))
    return place


@pytest.fixture
def published(first: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return a study of the test's own whose cycle is published, and that cycle's folder."""
    shutil.copytree(first, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path / "study", tmp_path / "reports" / "study" / "2018Q1"


def new_study(place: Path) -> Path:
    folder = shop(place, customers=CUSTOMERS, orders=ORDERS)
    (place / "reports").mkdir()
    for name in ("98_first", "99_second"):
        write_chapter(folder, name)
    return folder


def write_chapter(study: Path, name: str, code: str = COUNT, needs: tuple[str, ...] = ()) -> Path:
    """Write a chapter that opens the study and runs one more cell."""
    v4 = nbformat.v4
    parameters = 'study: str = ""  # which\ncycle: str = ""  # which\ntimes: int = 1  # factor'
    cells = [
        v4.new_markdown_cell(f"# {name}"),
        v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        v4.new_code_cell("import cxlab as cx\nlab = cx.open(study, cycle=cycle)"),
        v4.new_code_cell(code),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "cxlab": {"needs": list(needs)}}
    )
    for i, cell in enumerate(notebook.cells):
        cell.id = f"c{i}"
    path = study / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)
    return path


def plan(study: Path, cycle: str = "2018Q1") -> Plan:
    """Plan a run of the test's own chapters; the house's notebooks are tested elsewhere."""
    from dataclasses import replace

    made = make_plan(study, *opened(study, cycle))
    own = tuple(c for c in made.chapters if c.notebook.is_relative_to(study))
    return replace(made, chapters=own)


def run(study: Path, cycle: str = "2018Q1", **options: object) -> Report:
    given = Options(reports=study.parent / "reports", jobs=2, **options)  # type: ignore[arg-type]
    return run_cycle(plan(study, cycle), given, reporter(io.StringIO()))


def forbid_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(execution, "execute", refuse)


def test_a_run_publishes_a_sealed_folder_and_remembers_itself(study: Path) -> None:
    report = run(study)
    assert report.exit_code == 0
    assert report.executed == ("98_first", "99_second")
    names = {f.name for f in report.target.iterdir()}
    pages = {"index.html", "98_first.html", "99_second.html"}
    files = {"findings.csv", "findings.parquet", "manifest.json", "set_aside.parquet"}
    assert names == pages | files
    assert verify(report.target, place.hash_tree(report.target)) == []
    findings = read_findings(report.target)
    assert list(findings["estimate"]) == [3, 3]
    last = Ledger(study.parent / "reports/ledger.sqlite").last("study", "2018Q1")
    assert last is not None
    assert (last.state, last.exit_code) == ("ok", 0)
    sealed = json.loads((report.target / "manifest.json").read_text())
    assert last.snapshot_hash == sealed["snapshot"]["hash"]


def test_a_second_run_on_unchanged_inputs_starts_no_kernel(
    published: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    study, target = published
    before = place.hash_tree(target)
    forbid_kernels(monkeypatch)
    second = run(study)
    assert second.target == target
    assert not second.published
    assert place.hash_tree(target) == before


def test_later_rows_in_the_source_change_nothing_of_an_earlier_cycle(
    published: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    study, _ = published
    orders = study.parent / "raw/orders.csv"
    orders.write_text(ORDERS + "4,a,2018-05-01 09:00,99.00\n")
    forbid_kernels(monkeypatch)
    assert run(study).executed == ()


def test_a_changed_parameter_runs_its_chapter_alone(published: tuple[Path, Path]) -> None:
    study, _ = published
    with (study / "study.yaml").open("a") as settings:
        settings.write("chapters: {99_second: {times: 2}}\n")
    report = run(study)
    assert report.executed == ("99_second",)
    assert report.kept == ("98_first",)
    assert sorted(read_findings(report.target)["estimate"]) == [3, 6]


def test_an_unknown_parameter_is_refused_before_any_source_is_read(study: Path) -> None:
    with (study / "study.yaml").open("a") as settings:
        settings.write("chapters: {99_second: {tims: 2}}\n")
    (study.parent / "raw/orders.csv").unlink()
    with pytest.raises(ParameterError, match=r"no parameter \['tims'\].*Did you mean 'times'"):
        plan(study)


def test_a_failing_chapter_hides_no_other_and_is_kept_and_linked(study: Path) -> None:
    write_chapter(study, "98_first", "1 / 0")
    report = run(study)
    assert report.exit_code == 1
    assert report.failed[0][0] == "98_first"
    assert "division by zero" in report.failed[0][1]
    index = (report.target / "index.html").read_text()
    assert 'href="98_first.html"' in index
    assert (
        "98_first failed in this run" in index.replace("98 first", "98_first") or "failed" in index
    )
    assert "division by zero" in (report.target / "98_first.html").read_text()
    assert "1 number, times 1." in (report.target / "99_second.html").read_text()


def test_a_failed_run_leaves_a_whole_report_as_it_was(published: tuple[Path, Path]) -> None:
    study, good = published
    before = place.hash_tree(good)
    write_chapter(study, "98_first", "raise RuntimeError('gone')")
    bad = run(study)
    assert bad.exit_code == 1
    assert bad.target.name == "2018Q1-draft"
    assert place.hash_tree(good) == before
    write_chapter(study, "98_first")
    assert run(study).target == good
    assert not bad.target.exists()  # the draft has done its work


def test_a_chapter_without_its_tables_is_a_card_and_the_run_succeeds(study: Path) -> None:
    write_chapter(study, "98_first", needs=("answers",))
    report = run(study)
    assert report.exit_code == 0
    assert "no data in answers" in (report.target / "98_first.html").read_text()
    sealed = read_manifest(report.target)
    assert sealed is not None
    assert {c["name"]: c["state"] for c in sealed["chapters"]}["98_first"] == "withheld"


def test_two_runs_of_one_cycle_cannot_meet(published: tuple[Path, Path]) -> None:
    study, target = published
    with (
        place.lock(target.parent / ".2018Q1.lock", who="another run"),
        pytest.raises(RunError, match="another run"),
    ):
        run(study, force=True)


def test_a_reports_folder_that_is_a_file_is_refused(study: Path) -> None:
    reports = study.parent / "reports"
    reports.rmdir()
    reports.write_text("")
    with pytest.raises(RunError, match="is a file"):
        run(study)


def test_another_study_of_the_same_name_does_not_take_the_folder(
    published: tuple[Path, Path],
) -> None:
    study, _ = published
    other = study / "study.yaml"
    other.write_text(other.read_text().replace("A tiny study", "Another study"))
    with pytest.raises(RunError, match="holds those of 'A tiny study'"):
        run(study)
    assert run(study, force=True).published


def test_manifests_form_a_chain_that_shows_a_changed_report(study: Path) -> None:
    run(study, "2017Q4")
    second = run(study, "2018Q1")
    assert verify(second.target, place.hash_tree(second.target)) == []
    with (second.target.parent / "2017Q4/manifest.json").open("a") as file:
        file.write(" ")
    wrong = verify(second.target, place.hash_tree(second.target))
    assert wrong == ["../2017Q4/manifest.json: has changed since this cycle was sealed"]


def test_a_broken_link_is_found_from_any_later_cycle(study: Path) -> None:
    run(study, "2017Q4")
    run(study, "2018Q1")
    orders = study.parent / "raw/orders.csv"
    orders.write_text(ORDERS + "4,a,2018-05-01 09:00,99.00\n")
    third = run(study, "2018Q2")
    assert broken_links(third.target) == []
    with (third.target.parent / "2017Q4/manifest.json").open("a") as file:
        file.write(" ")
    assert broken_links(third.target) == ["../2017Q4: is not what 2018Q1 was sealed with"]


def test_a_snapshot_is_held_to_its_seal(study: Path) -> None:
    made = plan(study)
    given = (study, "2018Q1", made.snapshot.hash)
    assert verify_snapshots(*given) == []
    file = made.snapshot.folder / "orders.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert "orders.parquet has changed" in verify_snapshots(*given)[0]


RUNNER = """
import io, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.cycle.test_run import run
run(Path(sys.argv[1]), force=True)
"""


def test_a_runner_killed_at_any_moment_leaves_the_last_good_report(
    published: tuple[Path, Path],
) -> None:
    study, good = published
    before = place.hash_tree(good)
    chance = random.Random(7)  # noqa: S311  (moments, not secrets)
    root = Path(__file__).resolve().parents[2]
    for _ in range(4):
        runner = subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(study), str(root)],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        time.sleep(chance.uniform(0.5, 7))
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        now = place.hash_tree(good)
        # Either nothing was published yet, or a whole new folder was.
        assert now == before or verify(good, now) == []
        before = now
    again = run(study, force=True)
    assert list(read_findings(again.target)["estimate"]) == [3, 3]
    assert not list(good.parent.glob(".*.staging-*"))
