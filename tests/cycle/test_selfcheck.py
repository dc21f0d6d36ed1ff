"""The self-check sees what holds, by evidence, and never claims what only people can know."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from cxlab.columns import FINDING
from cxlab.cycle.ledger import Ledger
from cxlab.cycle.selfcheck import check_project, levels, summary
from cxlab.errors import RunError

NOTEBOOK = {"cells": [{"cell_type": "code", "source": ["x = 1"], "outputs": []}]}
FILES = {
    "README.md": "# A project\n```\nmake report\n```\n",
    "Makefile": "report:\n\ttrue\n",
    "CHANGELOG.md": "# 1\n",
    "docs/index.md": "Read this.\n",
    "pyproject.toml": '[build-system]\nrequires = []\n[project]\nname = "shop"\nversion = "1"\n'
    "[tool.ruff]\n",
    "requirements.lock": "pandas==2 --hash=sha256:00\n",
    "shop/__init__.py": "",
    "shop/sales.py": 'def total(x):\n    """Add up."""\n    return sum(x)\n',
    "tests/test_sales.py": "def test_total():\n    assert True\n",
    "notebooks/10_sales.ipynb": json.dumps(NOTEBOOK),
    ".ci/run": "make test\n",
}


@pytest.fixture
def project(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Begin"]):
        author = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
        subprocess.run(["git", "-C", str(tmp_path), *author, *words], check=True)
    report = tmp_path / "reports" / "shop" / "2026Q3"
    report.mkdir(parents=True)
    pd.DataFrame({name: ["x"] for name in FINDING}).to_parquet(report / "findings.parquet")
    ledger = Ledger(tmp_path / "reports" / "ledger.sqlite")
    ledger.finish(ledger.start(study="shop", cycle="2026Q3"), state="ok", exit_code=0)
    return tmp_path


def states(project: Path) -> dict[str, str]:
    return {item.demand: item.state for item in check_project(project)}


def test_a_whole_project_holds_every_demand_that_a_machine_can_see(project):
    items = check_project(project)
    assert {item.demand for item in items if item.state == "not held"} == set()
    assert levels(items) == {"baseline": True, "silver": True, "gold": True}
    assert summary(items) == (
        "Gold in all that can be verified: 15 of 15 demands hold, 3 more are for people to confirm."
    )


def test_what_only_people_know_is_never_counted_as_held(project):
    asked = {demand for demand, state in states(project).items() if state == "for people"}
    assert asked == {
        "Code was reviewed by a second person",
        "Code is open to those it concerns",
        "Runs on a schedule or an event",
    }


OUTPUT = {"cells": [{"cell_type": "code", "source": ["x"], "outputs": [{"name": "stdout"}]}]}
LOGIC = {"cells": [{"cell_type": "code", "source": ["def f(): pass"], "outputs": []}]}


@pytest.mark.parametrize(
    ("file", "text", "demand"),
    [
        ("README.md", "Just ask us.", "A README tells the steps"),
        ("notebooks/10_sales.ipynb", json.dumps(OUTPUT), "No manual step between data and report"),
        ("notebooks/10_sales.ipynb", json.dumps(LOGIC), "Functions rather than copies"),
        (
            "shop/sales.py",
            "def total(x):\n    return x\n",
            "Documented for users and for developers",
        ),
        ("tests/test_sales.py", "", "Tests"),
        ("requirements.lock", None, "Dependencies are written down"),
        ("reports/ledger.sqlite", None, "Runs are logged"),
        ("reports/shop/2026Q3/findings.parquet", None, "Results are tidy data"),
        ("pyproject.toml", "[project]\nname = 'shop'\n[tool.mypy]\n", "Installable as a package"),
        (".ci/run", None, "Checked by itself at each change"),
        ("CHANGELOG.md", None, "Changes are signposted"),
        ("macro.xlsm", "", "Made by code in an open language"),
    ],
)
def test_one_thing_amiss_fails_one_demand(project, file, text, demand):
    if text is None:
        (project / file).unlink()
    else:
        (project / file).write_text(text)
    failed = {name for name, state in states(project).items() if state == "not held"}
    assert failed == {demand}


def test_a_level_is_not_reached_above_one_that_is_missed(project):
    (project / "README.md").unlink()
    assert not any(levels(check_project(project)).values())


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(RunError, match="must be a folder"):
        check_project(tmp_path / "nowhere")
