"""The project's habits: what the documents, lists and notebooks promise stays true."""

import importlib
import importlib.util
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import yaml
from numpydoc.validate import validate
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import cxlab
from cxlab import cli
from cxlab.data.model import contracts
from cxlab.data.portable import _REFUSED, compile_query, parse_select
from cxlab.errors import ParameterError

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
README = (ROOT / "README.md").read_text("utf-8")
QUERIES = (ROOT / "docs/decisions/0002-one-query-two-engines.md").read_text("utf-8")

# conda-forge calls some packages by other names.
CONDA = {"duckdb": "python-duckdb", "matplotlib": "matplotlib-base", "tzdata": "python-tzdata"}


def dependencies() -> list[Requirement]:
    """Everything that pyproject.toml asks for."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    groups = [*extras, *PROJECT["dependency-groups"].values()]
    listed = [*PROJECT["project"]["dependencies"], *(d for group in groups for d in group)]
    return [Requirement(d) for d in listed]


def pins() -> dict[str, list[str]]:
    """The versions of each package in the lock; several where they depend on the platform."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)==([\w.!+]+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Locks and lists


@pytest.mark.parametrize("name", ["requirements.lock", ".ci/installer.lock"])
def test_each_pin_of_a_lock_has_hashes_and_no_address(name):
    text = (ROOT / name).read_text("utf-8")
    pinned = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert pinned
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", one) for one in pinned)
    assert all("==" in one.split()[0] for one in pinned)
    assert not re.search(r"://|--index|--find-links|--trusted", text)


def test_the_lock_holds_what_the_project_asks_for():
    locked = pins()
    wrong = {
        str(need): locked.get(canonicalize_name(need.name))
        for need in dependencies()
        if not any(
            Version(v) in need.specifier for v in locked.get(canonicalize_name(need.name), [])
        )
    }
    assert wrong == {}, "Renew the lock with: make lock"


def test_conda_asks_for_the_same_packages_in_the_same_versions():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    found = {d for d in listed if isinstance(d, str)} - {"pip"}
    needs = [Requirement(d) for d in PROJECT["project"]["dependencies"]]
    wanted = {f"{CONDA.get(n.name, n.name)}{_bounds(n)}" for n in needs}
    assert found == wanted | {f"python{PROJECT['project']['requires-python']}"}


def _bounds(need: Requirement) -> str:
    return ",".join(sorted((str(s) for s in need.specifier), reverse=True))


def test_the_version_is_the_same_everywhere():
    assert cxlab.__version__ == PROJECT["project"]["version"]


def test_the_licence_is_the_one_that_is_named():
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert text.count("\n") > 200  # the whole of it, with its appendix


# Notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_needs_only_tables_that_there_are(path):
    about = json.loads(path.read_text("utf-8"))["metadata"]["cxlab"]
    assert set(about["needs"]) <= set(contracts())


# Documents


def test_the_page_of_the_data_model_is_that_of_the_code():
    made = load(ROOT / "docs/data_model.py")
    assert made.PAGE.read_text("utf-8") == made.page(), "Renew it: python docs/data_model.py"
    assert set(made.ONE_ROW) == set(contracts())


def _examples(heading: str) -> list[tuple[str, ...]]:
    table = QUERIES.split(f"\n{heading}:\n\n")[1].split("\n\n")[0]
    return [tuple(re.findall(r"`([^`]+)`", line)) for line in table.splitlines()[2:]]


@pytest.mark.parametrize(("sql", "spark"), _examples("Rewritten"))
def test_what_the_decision_says_is_rewritten_is_written_so(sql, spark):
    params = {"tables": {"t": "t"}, "params": {}, "dialect": "spark"}
    assert compile_query(sql, **params) == spark


@pytest.mark.parametrize("sql", [e[0] for e in _examples("Refused")])
def test_what_the_decision_says_is_refused_is_refused(sql):
    with pytest.raises(ParameterError):
        compile_query(sql, tables={"t": "t"}, params={}, dialect="spark")


def test_every_kind_of_refused_syntax_has_an_example_in_the_decision():
    seen = set()
    for sql, *_rest in _examples("Refused"):
        if sql.startswith("select") and ";" not in sql:
            seen |= {kind for n in parse_select(sql).walk() for kind in type(n).__mro__}
    assert sorted(k.__name__ for k in _REFUSED if k not in seen) == []


def test_every_decision_is_listed_and_has_its_parts():
    folder = ROOT / "docs/decisions"
    pages = sorted(folder.glob("0*.md"))
    listed = re.findall(r"\((0\d+[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == [p.name for p in pages]
    for number, page in enumerate(pages, start=1):
        text = page.read_text("utf-8")
        assert text.startswith(f"# {number}. ")
        for part in ("**Context.**", "**Choice.**", "**What would change it.**"):
            assert part in text, page.name


@pytest.mark.parametrize(
    "page", [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [to for to in links if not (page.parent / to).exists()] == []


def test_the_readme_names_every_command_and_only_those_there_are():
    known = {c.name or c.callback.__name__ for c in cli.app.registered_commands}
    assert set(re.findall(r"`cxlab ([a-z-]+)[ `]", README)) == known
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README.split("```bash")[1])) <= targets


def test_the_code_in_the_readme_runs(tmp_path, monkeypatch):
    from cxlab.cycle.new_study import new_study

    new_study(tmp_path / "params" / "mine")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), scope)  # noqa: S102  (it is our own)
    channels = scope["channels"]
    assert isinstance(channels, pd.DataFrame)
    assert len(channels) == 4


# Code


def public_functions() -> list[str]:
    """What researchers call: the functions of every room and of the door."""
    rooms = {
        f"cxlab.{room}": getattr(cxlab, room)
        for room in cxlab.__all__
        if isinstance(getattr(cxlab, room), ModuleType)
    }
    rooms["cxlab.workbench"] = importlib.import_module("cxlab.workbench")
    return [
        f"{name}.{public}"
        for name, room in rooms.items()
        for public in room.__all__
        if inspect.isfunction(getattr(room, public))
    ]


@pytest.mark.parametrize("name", public_functions())
def test_a_public_function_documents_every_parameter(name):
    found = validate(name)
    faults = {code for code, _ in found["errors"]}
    room, _, function = name.rpartition(".")
    signature = inspect.signature(getattr(importlib.import_module(room), function))
    # With one or two arguments, the first line can say it all.
    enough = {"PR01"} if len(signature.parameters) <= 2 else set()
    assert faults & {"GL08", "PR01", "PR02", "PR03", "PR07", "RT03"} <= enough


def test_nothing_in_the_repository_names_a_machine():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone, so nobody knows which files belong to the repository")
    # Put together here, so that this file does not find itself.
    machine = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "root", "home/" + "[a-z]")) + r")/")
    wrong = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix not in (".png", ".parquet", ".lock") and path.is_file():
            wrong += [name for line in path.read_text("utf-8").splitlines() if machine.search(line)]
    assert wrong == []


def test_a_command_answers_help_without_the_heavy_libraries():
    heavy = ("pandas", "duckdb", "matplotlib", "papermill", "scipy", "sqlglot", "pydantic")
    code = f"import sys, cxlab.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
