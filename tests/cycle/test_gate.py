"""The last gate of a run: what is personal, or claims too much, reaches nobody."""

import json
import sqlite3

import nbformat
import pytest

from cxlab.cycle.plan import make_plan
from cxlab.cycle.progress import reporter
from cxlab.cycle.run import Options, Report, run_cycle
from cxlab.errors import RunError
from tests.studies import CUSTOMERS_CSV, LENIENT, ORDERS_CSV, opened, shop

SAID = "Kopinya pahit sekali dan datang terlambat"
COMMENTS = "comment_id,customer_id,written_at,origin,text\n1,ada,2018-01-05,review," + SAID + "\n"
ALLOWED = """
privacy:
  allow:
    - {pattern: someone@mail.example, reason: the public address of the help desk}
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs one chapter of the given code and text."""

    def one(code: str, *, text: str = "# A chapter", yaml: str = "") -> Report:
        study = shop(
            tmp_path,
            yaml=LENIENT + yaml,
            customers=CUSTOMERS_CSV,
            orders=ORDERS_CSV,
            comments="select * from read_csv('{raw}/comments.csv', header = true, "
            "all_varchar = true)",
        )
        (tmp_path / "raw" / "comments.csv").write_text(COMMENTS)
        v4 = nbformat.v4
        declared = v4.new_code_cell('study: str = ""  # which\ncycle: str = ""  # which')
        declared.metadata["tags"] = ["parameters"]
        cells = [v4.new_markdown_cell(text), declared, v4.new_code_cell(code)]
        (study / "notebooks").mkdir(exist_ok=True)
        nbformat.write(v4.new_notebook(cells=cells), study / "notebooks" / "99_mine.ipynb")
        settings, cycle = opened(study)
        plan = make_plan(study, settings, cycle, only=["99"])
        (tmp_path / "reports").mkdir(exist_ok=True)
        with (tmp_path / "log.txt").open("w") as log:
            return run_cycle(plan, Options(reports=tmp_path / "reports"), reporter(log))

    return one


def published(tmp_path) -> bytes:
    files = [f for f in (tmp_path / "reports").rglob("*") if f.is_file()]
    return b"".join(f.read_bytes() for f in files)


def test_a_hit_stops_the_run_and_leaves_the_last_good_report(run, tmp_path):
    first = run("print('all is well')")
    before = {f.name: f.read_bytes() for f in first.target.iterdir()}
    with pytest.raises(RunError, match=r"99_mine\.html: email, 1 times"):
        run("from IPython.display import HTML\nHTML('<p>someone' + '@mail.example</p>')")
    assert {f.name: f.read_bytes() for f in first.target.iterdir()} == before
    assert b"someone" not in published(tmp_path)
    ((state, code),) = sqlite3.connect(tmp_path / "reports" / "ledger.sqlite").execute(
        "select state, exit_code from runs order by rowid desc limit 1"
    )
    assert (state, code) == ("refused", 2)


def test_what_the_settings_allow_is_published(run):
    text = "# A chapter\n\nAsk someone@mail.example."
    assert run("1", text=text, yaml=ALLOWED).published


def test_a_claim_in_the_prose_of_a_notebook_stops_the_run(run):
    with pytest.raises(RunError, match=r"99_mine\.html: 'Rain caused 3 delays\.' names a cause"):
        run("1", text="# A chapter\n\nRain caused 3 delays.")


def test_a_failing_cell_carries_nothing_personal_to_page_or_ledger(run, tmp_path):
    report = run(
        "import duckdb, os\n"
        "file = os.environ['CXLAB_SNAPSHOT'] + '/comments.parquet'\n"
        "said = duckdb.read_parquet(file).fetchall()[0][4]\n"
        "raise ValueError('caused 3 times by ' + said + ' of someone' + '@mail.example')"
    )
    ((name, error),) = report.failed
    assert name == "99_mine"
    assert error.endswith("caused 3 times by [comment] of [email]")
    everything = published(tmp_path)
    assert b"[comment] of [email]" in everything
    assert b"pahit sekali" not in everything and b"someone@" not in everything
    kept = b"".join(f.read_bytes() for f in (tmp_path / "study" / ".cxlab").rglob("*.ipynb"))
    assert b"[comment] of [email]" in kept
    assert b"pahit sekali" not in kept and b"someone@" not in kept


def test_personal_data_in_a_parameter_is_masked_wherever_it_is_saved(run, tmp_path):
    yaml = "chapters: {99_mine: {desk: someone@mail.example}}\n"
    declared = 'study: str = ""  # which\ncycle: str = ""  # which\ndesk: str = ""  # whom to ask'
    write = nbformat.v4.new_code_cell

    def with_desk(source, **given):
        return write(declared if source.startswith("study") else source, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nbformat.v4, "new_code_cell", with_desk)
        report = run("assert desk.startswith('some')", yaml=yaml)
    assert report.exit_code == 0
    manifest = json.loads((report.target / "manifest.json").read_text())
    (chapter,) = (c for c in manifest["chapters"] if c["name"] == "99_mine")
    assert chapter["parameters"]["desk"] == "[email]"
    assert b"someone@" not in published(tmp_path)
