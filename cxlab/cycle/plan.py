"""What a run will do, worked out before anything starts.

Settings, SQL, sources, parameters: whatever is wrong stops here, before a kernel.
Each chapter gets a key, the hash of everything its numbers depend on; a chapter
whose key was finished before is not run again.
"""

import hashlib
import json
import platform
import sys
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cxlab.cycle.parameters import check_parameters, declared_parameters
from cxlab.data.calendar import Cycle
from cxlab.data.settings import Settings
from cxlab.data.snapshot import Snapshot, state_folder
from cxlab.data.taking import take_snapshot
from cxlab.errors import ParameterError, did_you_mean

__all__ = ["Chapter", "Plan", "find_notebooks", "make_plan", "package_hash", "versions"]

_LIBRARIES = (
    "duckdb",
    "lifelines",
    "matplotlib",
    "nbconvert",
    "numpy",
    "pandas",
    "papermill",
    "scipy",
    "seaborn",
    "sqlglot",
)
# Settings that no chapter's numbers depend on; a chapter's own parameters are in its key.
_NOT_IN_KEY = frozenset({"chapters", "covers", "default_cycle", "limits", "quality", "raw"})


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One notebook of a run."""

    name: str
    title: str
    question: str  # what it answers, from its heading
    notebook: Path
    parameters: dict[str, Any]
    defaults: dict[str, Any]
    key: str
    withheld: str  # why it cannot be run on this study; empty when it can
    chosen: bool = True  # False where --chapters leaves it out

    def finished(self, state: Path) -> Path:
        """Return where its executed notebook is kept once it has finished."""
        return state / "chapters" / f"{self.name}-{self.key[:16]}.ipynb"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One cycle of one study, ready to run."""

    study: Path
    settings: Settings
    cycle: Cycle
    snapshot: Snapshot
    chapters: tuple[Chapter, ...]

    @property
    def name(self) -> str:
        """The study's name: that of its folder."""
        return self.study.resolve().name

    @property
    def state(self) -> Path:
        """Where the study keeps what must not be published."""
        return state_folder(self.study)

    def hash(self, *also: str) -> str:
        """Hash everything that the published folder depends on."""
        parts = [self.settings.hash(), self.snapshot.hash, package_hash(), *also]
        parts += [f"{c.name} {c.key} {c.withheld}" for c in self.chapters]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def make_plan(
    study: Path, settings: Settings, cycle: Cycle, *, only: list[str] | None = None
) -> Plan:
    """Check everything that a run needs, and work out what it has to do.

    Parameters
    ----------
    study : pathlib.Path
        Folder of the study.
    settings : Settings
        Its settings.
    cycle : Cycle
        The cycle to report on.
    only : list of str, optional
        Names of chapters, or their beginnings such as `40`. Default: all.

    Returns
    -------
    Plan
        With one chapter per notebook, in the order of their names; those that `only`
        leaves out are not executed, but stand in the report where they had finished.

    Raises
    ------
    ParameterError
        If a chapter or a parameter is unknown.
    SettingsError, DataError
        If the study cannot be read.
    """
    notebooks = find_notebooks(study)
    for name in settings.chapters:
        if name not in notebooks:
            raise ParameterError(
                f"chapters in study.yaml must name notebooks, but {name!r} is none of "
                f"{list(notebooks)}.{did_you_mean(name, notebooks)}"
            )
    chosen = _choose(notebooks, only)
    # Parameters are checked before the sources are read: a slip should cost a second.
    checked = {name: _parameters(file, settings, name) for name, file in notebooks.items()}
    snapshot = take_snapshot(study, settings, cycle)
    chapters = tuple(
        replace(_chapter(name, file, checked[name], settings, snapshot), chosen=name in chosen)
        for name, file in notebooks.items()
    )
    return Plan(study=study, settings=settings, cycle=cycle, snapshot=snapshot, chapters=chapters)


def find_notebooks(study: Path) -> dict[str, Path]:
    """List the chapters: the house's own notebooks, and those of the study beside them.

    A notebook in `<study>/notebooks` comes on top, or in place of one of the same name.
    """
    package = Path(__file__).resolve().parents[1]
    house = next(
        (f for f in (package.parent / "notebooks", package / "notebooks") if f.is_dir()), None
    )
    found = {
        file.stem: file
        for folder in (house, study / "notebooks")
        if folder is not None
        for file in folder.glob("*.ipynb")
        if not file.name.startswith(".")
    }
    return dict(sorted(found.items()))


@cache
def package_hash() -> str:
    """Hash the package's own code and templates."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*")):
        if (
            file.suffix in (".py", ".j2", ".css", ".js", ".json", ".yml")
            and "__pycache__" not in file.parts
        ):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Return the versions that numbers can depend on."""
    found = {
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _choose(notebooks: dict[str, Path], only: list[str] | None) -> list[str]:
    if not only:
        return list(notebooks)
    chosen: list[str] = []
    for word in only:
        matches = [n for n in notebooks if n == word or n.split("_")[0] == word]
        if not matches:
            raise ParameterError(
                f"There is no chapter {word!r}, only {list(notebooks)}."
                f"{did_you_mean(word, notebooks)}"
            )
        chosen += matches
    return chosen


def _parameters(
    notebook: Path, settings: Settings, name: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    declared = declared_parameters(notebook)
    given = settings.chapters.get(name, {})
    own = {n: p for n, p in declared.items() if n not in ("study", "cycle")}
    if fixed := sorted({"study", "cycle"} & set(given)):
        raise ParameterError(f"chapters.{name}: {fixed} are set by the run. Take them out.")
    missing = [n for n in ("study", "cycle") if n not in declared]
    if missing:
        raise ParameterError(
            f"{notebook.name} must declare {missing} in its cell tagged 'parameters'."
        )
    return check_parameters(own, given, notebook=notebook.name), {
        n: p.default for n, p in own.items()
    }


def _chapter(
    name: str,
    notebook: Path,
    parameters: tuple[dict[str, Any], dict[str, Any]],
    settings: Settings,
    snapshot: Snapshot,
) -> Chapter:
    given, defaults = parameters
    content = notebook.read_bytes()
    read = json.loads(content)
    about = read.get("metadata", {}).get("cxlab", {})
    heading = "".join(next((c["source"] for c in read["cells"]), "")).split("\n", 1)[0]
    question = heading.partition(": ")[2].strip()
    missing = [t for t in about.get("needs", []) if not snapshot.rows_used.get(t)]
    closed = [snapshot.withheld[t] for t in about.get("needs", []) if t in snapshot.withheld]
    parts = {
        "notebook": hashlib.sha256(content).hexdigest(),
        "package": package_hash(),
        "parameters": given,
        "snapshot": snapshot.hash,
        "settings": settings.hash(without=_NOT_IN_KEY),
        "versions": versions(),
    }
    withheld = ""
    if missing:
        withheld = (
            f"This study has no data in {', '.join(missing)}, which the chapter needs. "
            "It appears as soon as a system that feeds it is mapped."
        )
    elif closed:
        withheld = " ".join(closed)
    return Chapter(
        name=name,
        title=about.get("title") or name.split("_", 1)[-1].replace("_", " ").capitalize(),
        question=question[:1].upper() + question[1:],
        notebook=notebook,
        parameters=given,
        defaults=defaults,
        key=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        withheld=withheld,
    )
