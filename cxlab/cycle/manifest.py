"""The seal of a published cycle: what it was made from, by what, and a hash of every file.

Each manifest names the hash of the previous cycle's, so that the chain shows when
an earlier report was changed.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlab import __version__
from cxlab.cycle.plan import Plan, package_hash, versions
from cxlab.data.quality import REMEDY
from cxlab.errors import RunError

if TYPE_CHECKING:
    from cxlab.cycle.findings import Shown

__all__ = [
    "broken_links",
    "manifest",
    "previous_cycle",
    "published",
    "read_manifest",
    "seal",
    "verify",
]

_VERSION = 1
_OWN = "own_sha256"  # of the manifest without this line


def manifest(
    plan: Plan,
    *,
    run_id: str,
    chapters: Sequence[Mapping[str, Any]],
    shown: Sequence[Shown],
    previous: tuple[str, str] | None,
    plan_hash: str,
) -> dict[str, Any]:
    """Describe a run: everything but the hashes of its files.

    No text holds a mark that turns the direction of writing, whoever wrote it.

    Parameters
    ----------
    plan : Plan
        What was run.
    run_id : str
        As in the ledger.
    chapters : sequence of mapping
        Name, title, state, seconds, error and key of each.
    shown : sequence of Shown
        What the chapters displayed.
    previous : (str, str), optional
        Name of the cycle before this one and the hash of its manifest.
    plan_hash : str
        Hash of everything that the published folder depends on.
    """
    from cxlab.cycle.findings import suppressed  # pandas stays out of the import

    snapshot = plan.snapshot
    described = {
        "version": _VERSION,
        "study": plan.name,
        "title": plan.settings.title,
        "cycle": plan.cycle.name,
        "start": plan.cycle.start.isoformat() + "Z",
        "cutoff": plan.cycle.cutoff.isoformat() + "Z",
        "time_zone": plan.settings.time_zone,
        "run_id": run_id,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan_hash": plan_hash,
        "settings_hash": plan.settings.hash(),
        "snapshot": {
            "hash": snapshot.hash,
            "tables": snapshot.records["tables"],
            "not_used": snapshot.records["reasons"],
            "sources": snapshot.records["sources"],
        },
        "code": {"cxlab": __version__, "package_hash": package_hash(), **_git()},
        "versions": versions(),
        "packages_hash": _packages_hash(),
        "seeds": {"default": 1} | _seeds(plan),
        "chapters": [dict(c) for c in chapters],
        "suppressed_cells": sum(s.suppressed_cells for s in shown),
        "suppressed_by": suppressed(shown),
        "gaps": [{"chapter": s.chapter, "reason": s.sentence} for s in shown if s.kind == "card"],
        # The version of each metric that is shown; null where no catalogue has it.
        "metrics": {
            row["metric"]: row.get("version")
            for row in sorted((r for s in shown for r in s.rows), key=lambda r: str(r["metric"]))
        },
        "gates": {
            "withheld_tables": {t: f"{why} {REMEDY}" for t, why in snapshot.withheld.items()},
            "failed": [c for c in snapshot.records.get("checks", []) if c["state"] == "fail"],
        },
        "warnings": snapshot.notes,
        "previous": {"cycle": previous[0], "manifest_sha256": previous[1]} if previous else None,
    }
    return {name: _unmarked(value) for name, value in described.items()}


def seal(folder: Path, described: dict[str, Any], hashes: Mapping[str, str]) -> str:
    """Write `manifest.json` with the hash of every file and of itself; return the file's hash."""
    content = {**described, "files": dict(hashes)}
    text = _text({**content, _OWN: _sha256(_text(content))})
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return _sha256(text)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read the manifest of a published cycle; None where there is no whole one."""
    try:
        read = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return read if isinstance(read, dict) and "files" in read else None


def published(reports: Path) -> list[tuple[Path, dict[str, Any]]]:
    """List the published cycles of a study with their manifests, the oldest first."""
    found = [
        (folder, read)
        for folder in reports.glob("[!.]*/")
        if (read := read_manifest(folder)) is not None and read["cycle"] == folder.name
    ]
    return sorted(found, key=lambda pair: pair[1]["start"])


def previous_cycle(reports: Path, plan: Plan) -> tuple[str, str] | None:
    """Find the newest published cycle before this one: its name and its manifest's hash."""
    start = plan.cycle.start.isoformat() + "Z"
    earlier = [folder for folder, read in published(reports) if read["start"] < start]
    if not earlier:
        return None
    return earlier[-1].name, hashlib.sha256(
        (earlier[-1] / "manifest.json").read_bytes()
    ).hexdigest()


def verify(folder: Path, hashes: Mapping[str, str]) -> list[str]:
    """Compare a published cycle with its seal.

    Parameters
    ----------
    folder : pathlib.Path
        The cycle's folder.
    hashes : mapping of str to str
        sha256 of every file that is there now.

    Returns
    -------
    list of str
        What differs, one line each; empty when nothing does.

    Raises
    ------
    RunError
        If there is no whole manifest.
    """
    read = read_manifest(folder)
    if read is None:
        raise RunError(
            f"{folder} must hold a published cycle, but has no whole manifest.json. "
            "Publish it again with: cxlab run STUDY --cycle NAME --force"
        )
    found = {name: value for name, value in hashes.items() if name != "manifest.json"}
    sealed: dict[str, str] = read["files"]
    wrong = [] if _is_own(folder / "manifest.json", read) else ["manifest.json: has changed"]
    wrong += [f"{name}: is missing" for name in sealed if name not in found]
    wrong += [f"{name}: was added" for name in found if name not in sealed]
    wrong += [
        f"{name}: has changed" for name in sealed if found.get(name, sealed[name]) != sealed[name]
    ]
    if before := read["previous"]:
        path = folder.parent / before["cycle"] / "manifest.json"
        now = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if now != before["manifest_sha256"]:
            state = "is missing" if now is None else "has changed"
            wrong.append(f"../{before['cycle']}/manifest.json: {state} since this cycle was sealed")
    return sorted(wrong)


def broken_links(folder: Path) -> list[str]:
    """Follow the chain of manifests back from a cycle, and name each link that does not hold."""
    wrong, read = [], read_manifest(folder)
    while read is not None and (before := read["previous"]):
        path = folder.parent / before["cycle"] / "manifest.json"
        now = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        if now != before["manifest_sha256"]:
            wrong.append(f"../{before['cycle']}: is not what {read['cycle']} was sealed with")
        read = read_manifest(path.parent)
    return wrong


def _is_own(file: Path, read: Mapping[str, Any]) -> bool:
    """Tell whether a manifest is, byte by byte, what was sealed."""
    content = {name: value for name, value in read.items() if name != _OWN}
    own = _sha256(_text(content))
    return read.get(_OWN) == own and file.read_bytes() == _text({**content, _OWN: own}).encode()


def _unmarked(value: Any) -> Any:
    from cxlab.report.tables import unmarked  # pandas stays out of the import

    if isinstance(value, str):
        return unmarked(value)
    if isinstance(value, Mapping):
        return {_unmarked(name): _unmarked(inner) for name, inner in value.items()}
    return [_unmarked(inner) for inner in value] if isinstance(value, list | tuple) else value


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _seeds(plan: Plan) -> dict[str, Any]:
    """Return the seed of each chapter that declares one; all others use the default."""
    declared = {c.name: {**c.defaults, **c.parameters}.get("seed") for c in plan.chapters}
    return {name: seed for name, seed in declared.items() if seed is not None}


@cache
def _packages_hash() -> str:
    """Hash the names and versions of all that is installed: the lock as it was carried out."""
    installed = sorted({f"{d.name}=={d.version}" for d in distributions()})
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


@cache
def _git() -> dict[str, Any]:
    """Return the commit of the code, and whether it has uncommitted changes."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}

    def git(*words: str) -> str:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *words],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        return done.stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None}
