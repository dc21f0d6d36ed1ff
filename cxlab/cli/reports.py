"""Commands about reports: make, open, verify, and clear away what must go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxlab.cli.cycles import chosen_cycles, one_cycle, open_study
from cxlab.cli.options import CycleOpt, ReportsOpt, StudyArg, app

if TYPE_CHECKING:
    from cxlab.cycle.plan import Plan
    from cxlab.cycle.run import Report
    from cxlab.data.calendar import Cycle
    from cxlab.data.settings import Settings

__all__: list[str] = []


@app.command(
    epilog="Examples:\n\n"
    "cxlab run params/sample --cycle 2026Q3\n\n"
    "cxlab run params/sample --cycles 2025Q1..2026Q3 --jobs 2\n\n"
    "cxlab run params/sample --chapters 40,70 --reports drafts\n\n"
    "cxlab run params/sample --due        (from cron: catches up, then does nothing)"
)
def run(
    study: StudyArg,
    cycle: CycleOpt = None,
    cycles: Annotated[
        str | None,
        typer.Option(metavar="FIRST..LAST", help="All cycles from the first to the last."),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Every complete cycle that is missing or stale.")
    ] = False,
    chapters: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Only these chapters, such as 40_feedback or 10,40."),
    ] = None,
    reports: ReportsOpt = Path("reports"),
    jobs: Annotated[int, typer.Option(min=1, help="Chapters that run side by side.")] = 2,
    force: Annotated[
        bool, typer.Option("--force", help="Run everything anew, also what has not changed.")
    ] = False,
) -> None:
    """Run the chapters of a study and publish the report.

    Reads the sources, checks them against their contracts, executes what is not
    finished yet, and puts the report in place at once: readers see the old one or the
    new one, never a mix. Running twice on unchanged inputs does nothing. A chapter
    that fails is kept and linked, and hides no other.
    """
    from cxlab.cycle.plan import make_plan
    from cxlab.cycle.progress import reporter
    from cxlab.cycle.run import Options, run_cycle

    if sum((cycle is not None, cycles is not None, due)) > 1:
        raise typer.BadParameter("give one of --cycle, --cycles and --due.")
    folder, settings = open_study(study)
    only = [name.strip() for name in chapters.split(",")] if chapters else None
    options = Options(reports=reports, jobs=jobs, force=force, command=_command())
    worst = 0
    for chosen in chosen_cycles(folder, settings, cycle=cycle, cycles=cycles, due=due):
        plan = make_plan(folder, settings, chosen, only=only)
        worst = max(worst, _tell(run_cycle(plan, options, reporter(sys.stderr)), plan))
    raise typer.Exit(worst)


@app.command("open", epilog="Example:\n\ncxlab open params/sample --cycle 2026Q3")
def open_(study: StudyArg, cycle: CycleOpt = None, reports: ReportsOpt = Path("reports")) -> None:
    """Print the path of a published report, and open it where there is a browser."""
    from cxlab.errors import RunError

    folder, settings = open_study(study)
    chosen = one_cycle(folder, settings, cycle)
    page = (reports / folder.resolve().name / chosen.name / "index.html").resolve()
    if not page.is_file():
        raise RunError(
            f"{chosen.name} must have been published, but {page} does not exist. "
            f"Make it with: cxlab run {study} --cycle {chosen.name}"
        )
    typer.echo(page)
    _show_in_browser(page)


@app.command(
    epilog="Examples:\n\ncxlab verify params/sample --cycle 2026Q3\n\n"
    "cxlab verify params/sample --again        (also runs the cycle anew, and compares numbers)"
)
def verify(
    study: StudyArg,
    cycle: CycleOpt = None,
    reports: ReportsOpt = Path("reports"),
    again: Annotated[
        bool, typer.Option("--again", help="Run the cycle anew and compare every number.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, help="With --again: relative difference that counts as equal.")
    ] = 0.0,
) -> None:
    """Compare a published report with its seal, and with a run made anew.

    Hashes every file of the cycle, follows the chain of manifests back to the first
    cycle, and hashes the snapshot where it is still kept. With --again the cycle is run
    from its sources in an empty place, and every number compared with the published one.
    Exit code 1 when anything differs.
    """
    from cxlab.cycle.manifest import broken_links, read_manifest
    from cxlab.cycle.manifest import verify as compare
    from cxlab.cycle.place import hash_tree
    from cxlab.data.snapshot import verify_snapshots

    folder, settings = open_study(study)
    target = reports / folder.resolve().name / one_cycle(folder, settings, cycle).name
    wrong = compare(target, hash_tree(target) if target.is_dir() else {})
    if sealed := read_manifest(target):
        wrong += broken_links(target)
        wrong += verify_snapshots(folder, sealed["cycle"], sealed["snapshot"]["hash"])
    if again and sealed:
        wrong += _made_again(folder, settings, settings.parse_cycle(target.name), target, tolerance)
    for line in wrong:
        typer.echo(line)
    if wrong:
        raise typer.Exit(1)
    also = " A run made anew gives the same numbers." if again else ""
    typer.echo(f"{target}: every file is as it was published.{also}")


@app.command(epilog="Example:\n\ncxlab erased params/mine")
def erased(study: StudyArg, reports: ReportsOpt = Path("reports")) -> None:
    """Clear away what was made with rows of persons who asked to be erased.

    Reads each published or kept cycle again, removes kept snapshots from before a
    request, and names the published cycles that were made with such rows. Exit code 1
    while one of these still stands: run it again.
    """
    from cxlab.cycle.erased import clear_erased

    folder, settings = open_study(study)
    found = clear_erased(folder, settings, reports / folder.resolve().name)
    if found.persons is None:
        typer.echo("Nothing has been published or kept yet.")
        return
    typer.echo(f"{found.persons:,} asked to be erased.")
    for name in found.removed:
        typer.echo(f"removed the kept snapshot {name}")
    for name in found.standing:
        typer.echo(f"{name} was published with their rows. Run: cxlab run {study} --cycle {name}")
    if found.standing:
        raise typer.Exit(1)


def _made_again(
    folder: Path, settings: Settings, cycle: Cycle, target: Path, tolerance: float
) -> list[str]:
    """Run a cycle anew and list the numbers that differ from the published ones."""
    from cxlab.cycle.again import differences, findings_again
    from cxlab.cycle.findings import read_findings
    from cxlab.cycle.progress import reporter

    found = findings_again(folder, settings, cycle, reporter(sys.stderr))
    return differences(read_findings(target), found, tolerance=tolerance)


def _tell(report: Report, plan: Plan) -> int:
    """Print what a run has done, and return its exit code."""
    name = f"{plan.name} {plan.cycle.name}"
    if not report.published:
        typer.echo(f"{name}: nothing has changed, {report.target}/index.html stands.")
        return 0
    kept = f", {len(report.kept)} kept" if report.kept else ""
    for chapter, reason in report.failed:
        typer.echo(f"{name}: chapter {chapter} failed: {reason}", err=True)
    typer.echo(f"{name}: {len(report.executed)} chapters run{kept}; {report.target / 'index.html'}")
    return report.exit_code


def _show_in_browser(page: Path) -> None:
    import os
    import webbrowser

    if sys.stdout.isatty() and (os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32")):
        webbrowser.open(page.as_uri())


def _command() -> str:
    """Return the command as typed, without its folders."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
