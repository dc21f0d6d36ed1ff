"""How reproducible is a project's work? What a machine can see of it, and what people must say.

The three levels are those of the maturity framework for reproducible analytical pipelines
(NHS RAP Community of Practice, "Levels of RAP", in the edition of September 2024); the
wording here is our own. An item is verified only by evidence that is named with it.
"""

import ast
import json
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cxlab.columns import FINDING
from cxlab.errors import RunError
from cxlab.report import words

__all__ = ["Item", "check_project", "levels", "summary"]

Level = Literal["baseline", "silver", "gold"]
Evidence = tuple[bool, str]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One demand of the framework, and how a project stands to it.

    Attributes
    ----------
    state : str
        `held`, `not held`, or `for people` where no machine can tell.
    evidence : str
        What was found, or what somebody has to confirm.
    """

    level: Level
    demand: str
    state: Literal["held", "not held", "for people"]
    evidence: str


def check_project(root: Path, *, reports: Path | None = None) -> list[Item]:
    """Hold a project against every demand.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder: the one with README.md.
    reports : pathlib.Path, optional
        Its published reports. Default: `reports` below it.

    Raises
    ------
    RunError
        If the folder does not exist.
    """
    if not root.is_dir():
        raise RunError(f"A project must be a folder, but {str(root)!r} is none.")
    project = _Project(root, reports or root / "reports")
    return [_item(project, *demand) for demand in _DEMANDS]


def levels(items: list[Item]) -> dict[str, bool]:
    """Tell of each level whether all that can be verified holds; a level needs those below it."""
    held, out = True, {}
    for level in ("baseline", "silver", "gold"):
        held = held and not any(i.level == level and i.state == "not held" for i in items)
        out[level] = held
    return out


def summary(items: list[Item]) -> str:
    """Say in one line how far the project has come."""
    reached = [level for level, held in levels(items).items() if held]
    count = {s: sum(i.state == s for i in items) for s in ("held", "not held", "for people")}
    level = f"{reached[-1].capitalize()} in all that can be verified" if reached else "No level yet"
    return (
        f"{level}: {count['held']} of {count['held'] + count['not held']} demands hold, "
        f"{count['for people']} more are for people to confirm."
    )


@dataclass(frozen=True)
class _Project:
    root: Path
    reports: Path

    def files(self, *patterns: str) -> list[Path]:
        """List the project's own files: not what was set up, made or hidden."""
        skipped = {"node_modules", "build", "dist", self.reports.name}
        return sorted(
            file
            for pattern in patterns
            for file in self.root.rglob(pattern)
            if not any(
                part.startswith(".") or part in skipped
                for part in file.relative_to(self.root).parts[:-1]
            )
        )

    def has(self, *names: str) -> str:
        """Return the first of some paths that exists, or nothing."""
        return next((name for name in names if (self.root / name).exists()), "")

    @property
    def package(self) -> list[Path]:
        """The Python files that are neither tests nor tools beside the package."""
        return [f for f in self.files("*.py") if (f.parent / "__init__.py").exists() and
                f.relative_to(self.root).parts[0] != "tests"]  # fmt: skip

    @property
    def settings(self) -> dict[str, Any]:
        """What pyproject.toml says; empty where it cannot be read."""
        with suppress(OSError, ValueError):
            return tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        return {}

    def git(self, *words: str) -> str:
        """Return what git says, or nothing."""
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(  # noqa: S603
                ["git", "-C", str(self.root), *words],  # noqa: S607
                capture_output=True, text=True, timeout=20, check=True,
            )  # fmt: skip
            return done.stdout.strip()
        return ""


def _open_language(project: _Project) -> Evidence:
    code, closed = (
        project.files("*.py", "*.sql", "*.ipynb", "*.R"),
        project.files("*.xls*", "*.sas"),
    )
    found = f"{len(code):,} files of Python, SQL, R and notebooks"
    return bool(code) and not closed, f"{found}; {len(closed)} workbooks or closed scripts"


def _version_control(project: _Project) -> Evidence:
    commits = project.git("rev-list", "--count", "HEAD")
    changed = len(project.git("status", "--porcelain").splitlines())
    if not commits:
        return False, "no git history here"
    since = words.plural(changed, "file")
    return True, f"git, {words.plural(int(commits), 'commit')}, {since} changed since the last"


def _readme(project: _Project) -> Evidence:
    name = project.has("README.md", "README.rst", "README.txt")
    text = (project.root / name).read_text(encoding="utf-8") if name else ""
    commands = text.count("```") // 2
    return commands > 0, f"{name or 'no README'}, {commands} blocks of commands"


def _no_manual_step(project: _Project) -> Evidence:
    manifests = sorted(project.reports.glob("*/*/manifest.json"))
    runner = project.has("Makefile", ".github/workflows")
    notebooks = _notebooks(project)
    plain = [n for n in notebooks if not any(c.get("outputs") for c in _code(n))]
    return (
        bool(runner) and len(plain) == len(notebooks),
        f"{runner or 'no runner'}; {len(plain)} of {len(notebooks)} notebooks kept without "
        f"outputs; {words.plural(len(manifests), 'report')} sealed by a manifest",
    )


def _documented(project: _Project) -> Evidence:
    told = [ast.get_docstring(node) is not None for node in _public(project)]
    share = sum(told) / len(told) if told else 0.0
    guide = project.has("docs", "doc")
    found = f"{sum(told):,} of {len(told):,} public names have a docstring"
    return share >= 0.95 and bool(guide), f"{found}; {guide or 'no'} folder of documents"


def _organised(project: _Project) -> Evidence:
    wanted = ("notebooks", "tests", "README.md")
    missing = [name for name in wanted if not project.has(name)]
    return not missing and bool(project.package), (
        f"missing: {', '.join(missing)}" if missing else f"{', '.join(wanted)} and a package"
    )


def _reusable(project: _Project) -> Evidence:
    functions = sum(isinstance(node, ast.FunctionDef) for node in _public(project))
    defined = sum(
        "".join(cell["source"]).lstrip().startswith(("def ", "class "))
        for notebook in _notebooks(project)
        for cell in _code(notebook)
    )
    return functions > 0 and not defined, (
        f"{functions:,} public functions in the package, {defined} cells of notebooks define one"
    )


def _standards(project: _Project) -> Evidence:
    tools = sorted({"ruff", "black", "flake8", "mypy"} & set(project.settings.get("tool", {})))
    return bool(tools), f"configured in pyproject.toml: {', '.join(tools) or 'nothing'}"


def _tested(project: _Project) -> Evidence:
    files = project.files("test_*.py")
    tests = sum(
        isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for file in files
        for node in ast.walk(_tree(file))
    )
    return tests > 0, f"{tests:,} tests in {len(files)} files"


def _dependencies(project: _Project) -> Evidence:
    lock = project.has("requirements.lock", "uv.lock", "poetry.lock", "conda-lock.yml")
    named = project.has("environment.yml", "pyproject.toml", "requirements.txt")
    hashed = lock and "sha256:" in (project.root / lock).read_text(encoding="utf-8")
    return bool(lock), f"{named or 'no list'}; {lock or 'no lock'}{', with hashes' * bool(hashed)}"


def _logged(project: _Project) -> Evidence:
    ledger = project.reports / "ledger.sqlite"
    if not ledger.is_file():
        return False, f"no {ledger.name} in {project.reports.name}: run a report first"
    from cxlab.cycle.ledger import Ledger

    runs = Ledger(ledger).runs()
    ended = sum(run.state == "ok" for run in runs)
    noted = words.plural(len(runs), "run")
    return bool(runs), f"{ledger.name}: {noted} noted, {ended:,} of them ended well"


def _tidy(project: _Project) -> Evidence:
    import pyarrow.parquet as pq

    found = sorted(project.reports.glob("*/*/findings.parquet"))
    tidy = [f for f in found if set(FINDING) <= set(pq.read_schema(f).names)]
    if not found:
        return False, f"no findings in {project.reports.name}: run a report first"
    return tidy == found, f"{len(tidy)} of {len(found)} reports keep findings one row a number"


def _packaged(project: _Project) -> Evidence:
    told = project.settings
    name = told.get("project", {}).get("name", "")
    return bool(name and "build-system" in told), f"pyproject.toml: {name or 'no package'}"


def _checked_each_time(project: _Project) -> Evidence:
    found = project.has(".ci/run", ".github/workflows", ".gitlab-ci.yml")
    return bool(found), found or "no description of a check that runs by itself"


def _signposted(project: _Project) -> Evidence:
    found = project.has("CHANGELOG.md", "CHANGELOG.rst", "NEWS.md")
    version = project.settings.get("project", {}).get("version", "")
    return bool(found), f"{found or 'no changelog'}; version {version or 'not stated'}"


def _notebooks(project: _Project) -> list[dict[str, Any]]:
    return [json.loads(f.read_text(encoding="utf-8")) for f in project.files("*.ipynb")]


def _code(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _public(project: _Project) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for file in project.package:
        for node in _tree(file).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield node


def _tree(file: Path) -> ast.Module:
    with suppress(SyntaxError, UnicodeDecodeError):
        return ast.parse(file.read_text(encoding="utf-8"))
    return ast.Module(body=[], type_ignores=[])


def _item(
    project: _Project, level: Level, demand: str, check: Callable[[_Project], Evidence] | str
) -> Item:
    if isinstance(check, str):
        return Item(level=level, demand=demand, state="for people", evidence=check)
    held, evidence = check(project)
    state: Literal["held", "not held"] = "held" if held else "not held"
    return Item(level=level, demand=demand, state=state, evidence=evidence)


_DEMANDS: tuple[tuple[Level, str, Callable[[_Project], Evidence] | str], ...] = (
    ("baseline", "Made by code in an open language", _open_language),
    ("baseline", "Code under version control", _version_control),
    ("baseline", "A README tells the steps", _readme),
    ("baseline", "Code was reviewed by a second person", "Who reviewed the last change?"),
    ("baseline", "Code is open to those it concerns", "Can every reader of a report see it?"),
    ("silver", "No manual step between data and report", _no_manual_step),
    ("silver", "Documented for users and for developers", _documented),
    ("silver", "Folders in the usual order", _organised),
    ("silver", "Functions rather than copies", _reusable),
    ("silver", "A coding standard is kept", _standards),
    ("silver", "Tests", _tested),
    ("silver", "Dependencies are written down", _dependencies),
    ("silver", "Runs are logged", _logged),
    ("silver", "Results are tidy data", _tidy),
    ("gold", "Installable as a package", _packaged),
    ("gold", "Checked by itself at each change", _checked_each_time),
    ("gold", "Runs on a schedule or an event", "Is `cxlab run STUDY --due` in a timer?"),
    ("gold", "Changes are signposted", _signposted),
)
