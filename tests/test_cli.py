"""The command line: exit codes, one message on stderr, help that explains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxlab import cli
from tests.studies import CUSTOMERS_CSV, HEAD, ORDERS_CSV, YAML, shop

COMMANDS = ("run", "check", "open", "verify", "new", "at-risk")


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that runs a command: its exit code, stdout, stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cxlab", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        said = capsys.readouterr()
        return int(stop.value.code or 0), said.out, said.err

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_each_command_with_an_example(call, command):
    code, out, _ = call(command, "--help")
    assert code == 0
    assert f"cxlab {command} params/" in out
    assert out.startswith("Usage:")


def test_help_names_the_commands_and_the_exit_codes(call):
    code, out, _ = call("--help")
    assert code == 0
    assert all(f"  {command} " in out for command in COMMANDS)
    assert "Exit codes: 0 all good, 1 a chapter failed, 2 settings or data refused." in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run"], "Missing argument 'STUDY'"),
        (["rnu", "study"], "No such command 'rnu'"),
        (["run", "study", "--cyle", "2018Q1"], "No such option"),
        (["check", "study", "--force"], "No such option"),
        (["run", "study", "--jobs", "0"], "--jobs"),
        (["run", "study", "--cycle", "2018Q1", "--due"], "give one of --cycle, --cycles and --due"),
        (["run", "study", "--cycle", "2018Q1", "--cycles", "2018Q1..2018Q2"], "give one of"),
        (["run", "study", "--cycles", "2018Q1..2018Q2", "--due"], "give one of"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_on_stderr(call, study, words, says):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["check", "nowhere"],
            "A study must be a folder with a study.yaml, but 'nowhere' is none.",
        ),
        (["check", "study", "--cycle", "2018"], "must read like 2018Q1, but reads '2018'"),
        (["check", "study", "--cycle", "2015Q1"], "every row became known only after 2015-03-31"),
        (["check", "study", "--cycle", "2019Q1"], "A cycle must have data"),
        (["run", "study", "--cycles", "2018Q1"], "--cycles must read FIRST..LAST"),
        (["run", "study", "--cycles", "2018Q2..2018Q1"], "must run forward"),
        (["run", "study", "--cycle", "2018Q1", "--chapters", "77"], "There is no chapter '77'"),
        (["open", "study", "--cycle", "2018Q1"], "must have been published, but"),
        (["verify", "study", "--cycle", "2018Q1"], "must hold a published cycle"),
    ],
)
def test_what_cxlab_refuses_is_one_message_and_exit_code_2(call, study, words, says):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert err.startswith("cxlab: ")
    assert says in " ".join(err.split())
    assert "Traceback" not in err
    assert not (Path.cwd() / "reports" / "study" / "2018Q1").exists()


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("study/study.yaml", YAML + "cyle: quarter\n", "Did you mean 'cycle'?"),
        ("study/study.yaml", "a: &a [*a]", "anchors and aliases are not allowed"),
        ("study/tables/orders.sql", "drop table x", "must be one SELECT, but holds DROP"),
        ("study/tables/ordes.sql", "select 1", "Did you mean 'orders'?"),
        ("raw/orders.csv", HEAD, "orders must have rows"),
        ("raw/orders.csv", ORDERS_CSV.replace("placed_at", "date"), "has no column 'placed_at'"),
        ("raw/orders.csv", HEAD + "1,ada,soon,5\n", "1 x placed_at must read as a moment"),
    ],
)
def test_a_broken_study_is_refused_and_no_report_is_touched(call, study, file, content, says):
    Path(file).write_text(content)
    for command in ("check", "run"):
        code, out, err = call(command, "study", "--cycle", "2018Q1")
        assert (code, out) == (2, "")
        assert says in err
    assert not list(Path.cwd().glob("reports/**/*.html"))


def test_check_accounts_for_the_rows_and_says_why_they_are_not_used(call, study):
    Path("study/study.yaml").write_text(YAML + "quality: {set_aside_max: 0.5}\n")
    Path("raw/orders.csv").write_text(ORDERS_CSV + "3,ada,soon,5\n")
    code, out, _ = call("check", "study", "--cycle", "2018Q1")
    assert code == 0
    (line,) = [line.split() for line in out.splitlines() if line.startswith("orders ")]
    assert line == ["orders", "3", "2", "1", "0"]
    assert "orders: 1 set aside: placed_at must read as a moment" in out
    assert not Path("reports").exists()  # and nothing was run


def test_the_last_complete_cycle_is_taken_where_none_is_named(call, study):
    Path("raw/orders.csv").write_text(ORDERS_CSV + "3,ada,2018-04-20,5\n")
    code, out, _ = call("check", "study")
    assert code == 0
    assert "A tiny study, 2018Q1:" in out


def test_a_folder_that_cannot_take_reports_is_refused(call, study):
    Path("reports").write_text("a file")
    code, _, err = call("run", "study", "--cycle", "2018Q1")
    assert code == 2
    assert "Reports need a folder" in err


def test_an_interrupted_command_says_so(call, study, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupt)
    code, _, err = call("check", "study")
    assert code == 130
    assert "the published reports are as they were" in err


def test_the_package_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "cxlab", "--help"],
        capture_output=True, text=True, check=True, env=os.environ,
    )  # fmt: skip
    assert "Usage: python -m cxlab" in done.stdout
    assert "check" in done.stdout


def test_help_answers_without_the_heavy_libraries():
    code = "import sys; from cxlab import cli; print(sorted({'pandas', 'duckdb', 'pydantic', 'nbformat'} & set(sys.modules)))"  # noqa: E501
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"


def test_check_tells_what_is_wrong_with_key_measures_and_tables(call, tmp_path, study):
    kpis = "kpis: {orders: {name: Orders, metric: orders.cuont, owner: A}}\n"
    late = "quality: {freshness_days: {orders: 1}}\n"
    shop(tmp_path, yaml=YAML + kpis + late, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    code, out, _ = call("check", "study", "--cycle", "2018Q1")
    assert code == 2
    assert "kpis.orders.metric must be a metric of the catalogue, but is 'orders.cuont'." in out
    assert "fail: orders, freshness: its last row is 1.6 days old" in out
    assert "orders is withheld: " in out
    assert "Mend the source, or change quality in study.yaml." in out


def test_check_names_an_outcome_of_journeys_that_no_contact_is_of(call, study):
    log = "interaction_id,customer_id,occurred_at,activity\n1,ada,2018-01-05 10:00,bought\n"
    sql = "select * from read_csv('{raw}/log.csv', header = true, all_varchar = true)"
    Path("study/tables/interactions.sql").write_text(sql)
    Path("raw/log.csv").write_text(log)
    Path("study/study.yaml").write_text(YAML + "journey: {outcome: [brought], lost: [left]}\n")
    code, out, _ = call("check", "study", "--cycle", "2018Q1")
    assert code == 2
    assert "journey.outcome names ['brought'], which no contact is of. Did you mean" in out
    assert "warning: journey.lost names ['left'], which no contact is of. The log has bought" in out
    Path("study/study.yaml").write_text(YAML + "journey: {outcome: [bought, won]}\n")
    code, out, _ = call("check", "study", "--cycle", "2018Q1")
    assert code == 0  # the other outcome is seen
    assert "warning: journey.outcome names ['won'], which no contact is of." in out


def test_check_warns_where_journeys_go_on_after_what_counts_as_their_end(call, study):
    # Twelve go on after 40 days and buy; what follows that is no matter, and neither are short
    # pauses. Three are refused for good, and for those it is over.
    people = [f"a{i:02}" for i in range(15)]
    known = "".join(f"{c},2017-01-01,1990\n" for c in people)
    Path("raw/customers.csv").write_text("customer_id,first_seen_at,birth_year\n" + known)
    Path("study/tables/orders.sql").unlink()
    rows = [
        f"{c}{k},{c},{day} 10:00,{what}"
        for c in people
        for k, (day, what) in enumerate(
            [
                ("2017-01-03", "asked"),
                ("2017-01-04", "refused"),
                ("2017-01-05", "asked"),
                ("2017-02-14", "bought"),
                ("2018-02-01", "asked"),
            ]
        )
        if k < 3 or c < "a12"
    ]
    log = "interaction_id,customer_id,occurred_at,activity\n" + "\n".join(rows) + "\n"
    sql = "select * from read_csv('{raw}/log.csv', header = true, all_varchar = true)"
    Path("study/tables/interactions.sql").write_text(sql)
    Path("raw/log.csv").write_text(log)
    says = {
        ("[]", "30 days"): ("80.0% of the 15 longer", "After 42 days fewer than 5% go on: set it"),
        ("[refused]", "30 days"): ("100.0% of the 12 longer", "all the same. Set it to null."),
        ("[]", "40 days"): (),  # as long as the gap is not longer
        ("[]", "null"): (),
    }
    for (lost, gap), parts in says.items():
        journey = f"journey: {{outcome: [bought], lost: {lost}, key: customer_id, gap: {gap}}}\n"
        Path("study/study.yaml").write_text(YAML + journey)
        code, out, _ = call("check", "study", "--cycle", "2018Q1")
        assert code == 0
        assert all(part in out for part in parts), out
        assert ("warning: journey.gap is" in out) == bool(parts)


def test_check_warns_of_silence_without_failing(call, study):
    code, out, _ = call("check", "study", "--cycle", "2018Q1")
    assert code == 0
    assert out.count("warning: nothing is declared about ") == 7
    assert "family: roi, not_applicable: ..." in out
