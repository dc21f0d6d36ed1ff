"""From executed notebooks to a folder that a director can open.

Everything is made in a hidden folder beside the target and put in place at once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from cxlab.cycle import manifest as manifests
from cxlab.cycle.claims import check_claims
from cxlab.cycle.findings import Shown, read_findings, read_shown, to_frame, write_findings
from cxlab.cycle.index import measures, opening
from cxlab.cycle.missing import closed_gate, why_missing
from cxlab.cycle.place import hash_tree, staging
from cxlab.cycle.plan import Chapter, Plan
from cxlab.cycle.scan import check_folder, named_customers
from cxlab.data.calendar import Cycle
from cxlab.data.kpis import Kpi, catalogue
from cxlab.data.personal import mask
from cxlab.metrics import Metric
from cxlab.report import html, page, words
from cxlab.report.disclosure import RULES
from cxlab.report.finding import Card
from cxlab.report.tables import unmarked

__all__ = ["Made", "publish", "write_archive"]

_TOGETHER = (
    '<p class="cx-muted">A change is called clear where it holds with all key measures looked at '
    "together (Holm, 5% for any false claim); its interval stands for the measure alone.</p>"
)


_STANDS = ("ok", "withheld", "not run")


@dataclass(frozen=True, kw_only=True)
class Made:
    """How one chapter came out of the run."""

    chapter: Chapter
    state: str  # ok, withheld, not run, or how it failed
    notebook: Path | None
    seconds: float = 0.0
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Tell whether the chapter says all it can."""
        return self.state in ("ok", "withheld")

    @property
    def has_failed(self) -> bool:
        """Tell whether it was tried and did not finish."""
        return not self.is_good and self.state != "not run"

    def record(self) -> dict[str, Any]:
        """Return the chapter's line in the manifest."""
        return {
            "name": self.chapter.name,
            "title": self.chapter.title,
            "state": self.state,
            "error": self.error,
            "seconds": round(self.seconds, 2),
            "key": self.chapter.key,
            "parameters": {
                name: mask(value) if isinstance(value, str) else value
                for name, value in {**self.chapter.defaults, **self.chapter.parameters}.items()
            },
        }


def publish(
    plan: Plan, made: Sequence[Made], *, reports: Path, target: Path, run_id: str, plan_hash: str
) -> str:
    """Make the cycle's folder and put it in place.

    Parameters
    ----------
    plan : Plan
        What was run.
    made : sequence of Made
        Its chapters.
    reports : pathlib.Path
        The study's folder below the reports folder.
    target : pathlib.Path
        The cycle's folder in it.
    run_id : str
        As in the ledger.
    plan_hash : str
        Hash of everything that the folder depends on.

    Returns
    -------
    str
        sha256 of the manifest.

    Raises
    ------
    RunError
        If the folder cannot be written, holds something personal, or claims more than its
        numbers carry; the target is then as it was.
    """
    notebooks = {m.chapter.name: _notebook(m) for m in made}
    shown = [s for name, nb in notebooks.items() for s in read_shown(nb, name)]
    findings = to_frame(shown)
    previous = manifests.previous_cycle(reports, plan)
    described = manifests.manifest(
        plan,
        run_id=run_id,
        chapters=[m.record() for m in made],
        shown=shown,
        previous=previous,
        plan_hash=plan_hash,
    )
    base = _base_page(plan, made, described, reports)
    with staging(target) as folder:
        write_findings(findings, folder)
        aside = pd.read_parquet(plan.snapshot.folder / "set_aside.parquet")
        # Reasons only: the rows themselves may hold what nobody may read.
        aside.drop(columns="record").to_parquet(folder / "set_aside.parquet", index=False)
        for item in made:
            context = replace(
                base,
                title=unmarked(item.chapter.title),
                name=item.chapter.name,
                about=_about(plan, described, item),
            )
            text = page.render_chapter(notebooks[item.chapter.name], context=context)
            (folder / f"{item.chapter.name}.html").write_text(text, encoding="utf-8")
        first = _first_page(plan, base, findings, shown, reports, described)
        (folder / "index.html").write_text(first, encoding="utf-8")
        known = named_customers(folder, plan.snapshot.folder)
        check_folder(folder, known=known, allow=plan.settings.privacy.allow)
        check_claims(folder, shown, errors=[item.error for item in made])
        return manifests.seal(folder, described, hash_tree(folder))


def write_archive(reports: Path, title: str, language: str) -> None:
    """Write the study's list of all cycles, the newest first."""
    rows = []
    for folder, read in reversed(manifests.published(reports)):
        failed = [c["title"] for c in read["chapters"] if c["state"] not in ("ok", "withheld")]
        state = f"failed: {', '.join(failed)}" if failed else f"made {read['made_at'][:10]}"
        rows.append((folder.name, f"{folder.name}/index.html", state))
    context = page.Page(
        title=f"{unmarked(title)}: all cycles",
        study=unmarked(title),
        cycle="all cycles",
        period="the newest first",
        language=language,
        listed="Cycles",
        chapters=[page.Chapter(name, name, href, "finished", state) for name, href, state in rows],
    )
    draft = reports / ".index.html"
    draft.write_text(page.render_index(context), encoding="utf-8")
    draft.replace(reports / "index.html")


def _notebook(made: Made) -> Any:
    """Read an executed notebook, or make one that says why there is none."""
    if made.notebook is not None and made.notebook.is_file():
        return nbformat.read(made.notebook, as_version=4)  # type: ignore[no-untyped-call]
    reason = made.chapter.withheld or made.error or "This run was told to leave the chapter out."
    bundle = Card(title="Not available", reason=reason)._repr_mimebundle_()
    output = {"output_type": "display_data", "data": bundle, "metadata": {}}
    code = {"cell_type": "code", "source": "", "metadata": {}, "outputs": [output]}
    head = {"cell_type": "markdown", "source": f"# {made.chapter.title}", "metadata": {}}
    cells = [{**head, "id": "title"}, {**code, "id": "reason", "execution_count": None}]
    return nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    )


def _base_page(
    plan: Plan, made: Sequence[Made], described: Mapping[str, Any], reports: Path
) -> page.Page:
    """Fill in what all pages of the cycle share."""
    cycle, settings = plan.cycle, plan.settings
    states = {m.chapter.name: m for m in made}
    chapters = [
        page.Chapter(
            m.chapter.name,
            unmarked(m.chapter.title),
            f"{m.chapter.name}.html",
            {"ok": "finished", "withheld": "withheld", "not run": "withheld"}.get(
                m.state, "failed"
            ),
            unmarked(m.error or m.chapter.withheld or m.chapter.question),
        )
        for m in states.values()
    ]
    there = [(folder.name, read["start"]) for folder, read in manifests.published(reports)]
    here = (cycle.name, described["start"])
    names = [name for name, _ in sorted({*there, here}, key=lambda c: c[1], reverse=True)]
    failed = [m.chapter.title for m in made if m.has_failed]
    left_out = [m.chapter.title for m in made if m.state == "not run"]
    banner = ""
    if failed:
        banner = f"Not complete: {', '.join(failed)} failed in this run. The other chapters stand."
    elif left_out:
        banner = f"A draft: this run was told to leave out {', '.join(left_out)}."
    elif described["warnings"]:
        banner = " ".join(w for w in described["warnings"] if w.startswith("The data end"))
    return page.Page(
        title=unmarked(settings.title),
        study=unmarked(settings.title),
        cycle=cycle.name,
        period=f"{_day(cycle.first_day)} to {_day(cycle.last_day)}",
        data_as_of=f"{_day(cycle.last_day)}, 24:00 {settings.time_zone}",
        language=settings.language,
        chapters=chapters,
        cycles=[
            page.CycleLink(
                n, "index.html" if n == cycle.name else f"../{n}/index.html", n == cycle.name
            )
            for n in names
        ],
        all_cycles="../index.html",
        downloads=[
            ("All findings (CSV)", "findings.csv"),
            ("All findings (Parquet)", "findings.parquet"),
            ("Rows set aside (Parquet)", "set_aside.parquet"),
            ("Manifest (JSON)", "manifest.json"),
        ],
        manifest=json.dumps(described, ensure_ascii=False),
        banner=unmarked(banner),
    )


def _about(plan: Plan, described: Mapping[str, Any], made: Made | None) -> list[tuple[str, str]]:
    tables = plan.snapshot.tables
    commit = described["code"]["commit"]
    code = f"cxlab {described['code']['cxlab']}" + (f", commit {commit[:10]}" if commit else "")
    lines = [
        ("Cycle", f"{plan.cycle.name}, {plan.cycle.first_day} to {plan.cycle.last_day}"),
        ("Data as of", f"{plan.cycle.last_day}, 24:00 {plan.settings.time_zone}"),
        ("Run", f"{described['run_id']}, made {described['made_at'][:16].replace('T', ' ')} UTC"),
        ("Code", code + (" with uncommitted changes" if described["code"]["dirty"] else "")),
        ("Snapshot", plan.snapshot.hash[:16]),
        (
            "Rows",
            f"{tables['rows_in'].sum():,} in = {tables['rows_used'].sum():,} used + "
            f"{tables['rows_set_aside'].sum():,} set aside + "
            f"{tables['rows_excluded'].sum():,} excluded by rule",
        ),
        (
            "Withheld",
            _withheld(described, plan.settings.privacy.min_cell, made),
        ),
    ]
    if made is not None:
        values = made.record()["parameters"]
        given = made.chapter.parameters
        listed = [f"{k} = {v!r}{'' if k in given else ' (default)'}" for k, v in values.items()]
        lines.append(("Parameters", "; ".join(["study and cycle as above", *listed])))
    return lines


def _withheld(described: Mapping[str, Any], min_cell: int, made: Made | None) -> str:
    """Say how many cells are withheld by each rule: in one chapter, or in all and in each."""
    counts = described["suppressed_by"]
    if made is not None:
        counts = {k: v for k, v in counts.items() if k == made.chapter.name}
    sums = {rule: sum(own[rule] for own in counts.values()) for rule in RULES}
    about = {
        "small": f"with fewer than {min_cell} people",
        "dominance": "with money of one customer or two",
        "complementary": "from which one of these would follow",
    }
    said = f"{words.plural(sum(sums.values()), 'cell')}: " + ", ".join(
        f"{count} {about[rule]}" for rule, count in sums.items()
    )
    if made is not None or not any(sums.values()):
        return said
    titles = {chapter["name"]: chapter["title"] for chapter in described["chapters"]}
    each = "; ".join(
        f"{titles[name]}: {sum(own.values())}" for name, own in counts.items() if any(own.values())
    )
    return f"{said} ({each})"


def _first_page(
    plan: Plan,
    base: page.Page,
    findings: pd.DataFrame,
    shown: Sequence[Shown],
    reports: Path,
    described: Mapping[str, Any],
) -> str:
    href = {c.name: f"{c.name}.html" for c in plan.chapters}
    earlier = [
        read_findings(folder)
        for folder, read in manifests.published(reports)
        if read["start"] < described["start"]
    ]
    failed = [c["title"] for c in described["chapters"] if c["state"] not in _STANDS]
    found = measures(
        plan.settings,
        findings,
        previous=plan.cycle.previous.name,
        earlier=earlier,
        href=href,
        withheld=lambda kpi: closed_gate(kpi, plan.settings, plan.snapshot),
        missing=lambda kpi: why_missing(
            kpi, plan.settings, plan.snapshot, findings=findings, failed=failed
        ),
    )
    measured = [m.tile for m in found if not m.kpi.not_applicable]
    known = catalogue(plan.settings.metrics)
    kpis = [(m.kpi.name, _definition(m.kpi, known.get(m.kpi.metric or ""))) for m in found]
    context = replace(
        base,
        title=f"Customer experience, {_span(plan.cycle)}",
        about=_about(plan, described, None),
        opening=opening(found, shown, href),
        sections=[("Key measures", html.tiles(measured) + _TOGETHER)] if measured else [],
        closing=[("What the measures mean", html.definitions(kpis))] if kpis else [],
    )
    return page.render_index(context)


def _definition(kpi: Kpi, metric: Metric | None) -> str:
    if kpi.not_applicable:
        return f"Not applicable: {kpi.not_applicable}"
    good = {"up": "Higher is better.", "down": "Lower is better.", "neither": ""}[kpi.direction]
    said = kpi.definition or (metric.definition if metric else "")
    named = f"Metric {metric.at}." if metric else ""
    return " ".join(part for part in (said, good, f"Owner: {kpi.owner}.", named) if part)


def _span(cycle: Cycle) -> str:
    """Write a cycle's months: January to March 2018."""
    first, last = cycle.first_day, cycle.last_day
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%B %Y}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first:%B}{year} to {last:%B %Y}"


def _day(day: Any) -> str:
    return f"{day.day} {day:%B %Y}"
