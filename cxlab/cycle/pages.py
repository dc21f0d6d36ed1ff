"""What the pages of a cycle say of the run, and the first of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cxlab.cycle import manifest as manifests
from cxlab.cycle.findings import Shown, read_findings
from cxlab.cycle.index import measures, opening
from cxlab.cycle.made import Made
from cxlab.cycle.missing import closed_gate, why_missing
from cxlab.cycle.plan import Plan
from cxlab.data.calendar import Cycle
from cxlab.data.kpis import Kpi, catalogue
from cxlab.metrics import Metric
from cxlab.report import html, page, words
from cxlab.report.disclosure import RULES
from cxlab.report.tables import unmarked

__all__ = ["about", "base_page", "first_page"]

_TOGETHER = (
    '<p class="cx-muted">A change is called clear where it holds with all key measures looked at '
    "together (Holm, 5% for any false claim); its interval stands for the measure alone.</p>"
)
_STANDS = ("ok", "withheld", "not run")


def base_page(
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


def about(plan: Plan, described: Mapping[str, Any], made: Made | None) -> list[tuple[str, str]]:
    """List from what a page was made: cycle, run, code, rows, what is withheld, parameters."""
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


def first_page(
    plan: Plan,
    base: page.Page,
    findings: pd.DataFrame,
    shown: Sequence[Shown],
    reports: Path,
    described: Mapping[str, Any],
) -> str:
    """Write the page that opens the report: key measures, and what they mean."""
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
        about=about(plan, described, None),
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
