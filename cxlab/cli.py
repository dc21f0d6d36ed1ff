"""The command line: reads arguments, nothing else.

Heavy imports wait until a command needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxlab.errors import CxlabError

if TYPE_CHECKING:
    from cxlab.cycle.plan import Plan
    from cxlab.cycle.run import Report
    from cxlab.data.calendar import Cycle
    from cxlab.data.settings import Settings

__all__ = ["main"]

app = typer.Typer(
    name="cxlab",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Quarterly customer-experience reports from a company's own data.\n\n"
    "A study is a folder with a study.yaml and one SQL file per table. A run reads its "
    "sources as they were known at the end of a cycle, executes the chapters, and publishes "
    "one folder of plain HTML.\n\n"
    "Exit codes: 0 all good, 1 a chapter failed, 2 settings or data refused.",
    epilog="Start with: cxlab new params/mine; cxlab run params/mine",
)

StudyArg = Annotated[
    Path, typer.Argument(metavar="STUDY", help="Folder of the study, such as params/olist.")
]
CycleOpt = Annotated[
    str | None,
    typer.Option(
        "--cycle", metavar="NAME", help="One cycle, such as 2018Q1. Default: default_cycle."
    ),
]
ReportsOpt = Annotated[
    Path, typer.Option("--reports", metavar="DIR", help="Folder that takes the reports.")
]


@app.command(
    epilog="Examples:\n\n"
    "cxlab run params/olist --cycle 2018Q1\n\n"
    "cxlab run params/olist --cycles 2017Q1..2018Q2 --jobs 2\n\n"
    "cxlab run params/olist --chapters 40,70 --reports drafts\n\n"
    "cxlab run params/olist --due        (from cron: catches up, then does nothing)"
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
    folder, settings = _open(study)
    only = [name.strip() for name in chapters.split(",")] if chapters else None
    options = Options(reports=reports, jobs=jobs, force=force, command=_command())
    worst = 0
    for chosen in _chosen(folder, settings, cycle=cycle, cycles=cycles, due=due):
        plan = make_plan(folder, settings, chosen, only=only)
        worst = max(worst, _tell(run_cycle(plan, options, reporter(sys.stderr)), plan))
    raise typer.Exit(worst)


@app.command(epilog="Example:\n\ncxlab check params/olist --cycle 2018Q1")
def check(study: StudyArg, cycle: CycleOpt = None) -> None:
    """Check settings, sources and contracts; start no kernel.

    Prints for each table how many rows came in, are used, were set aside and were
    excluded by a rule, and why; which checks of the tables fail or warn; and what is
    wrong with the key measures, which gives exit code 2.
    """
    from cxlab.cycle.lint import kpi_lines, quality_lines
    from cxlab.cycle.plan import make_plan

    folder, settings = _open(study)
    plan = make_plan(folder, settings, _one(folder, settings, cycle))
    typer.echo(f"{settings.title}, {plan.cycle.name}: settings, sources and contracts hold.")
    columns = ["rows_in", "rows_used", "rows_set_aside", "rows_excluded"]
    typer.echo(f"{'table':<22}" + "".join(f"{c.removeprefix('rows_'):>12}" for c in columns))
    for row in plan.snapshot.tables.to_dict("records"):
        typer.echo(f"{row['table']:<22}" + "".join(f"{row[c]:>12,}" for c in columns))
    for row in plan.snapshot.reasons.to_dict("records"):
        typer.echo(f"  {row['table']}: {row['rows']:,} {row['fate']}: {row['reason']}")
    for note in plan.snapshot.notes:
        typer.echo(f"  note: {note}")
    for line in quality_lines(plan.snapshot):
        typer.echo(line)
    for chapter in plan.chapters:
        typer.echo(f"{chapter.name}: {chapter.withheld or 'ready'}")
    wrong, silent = kpi_lines(settings)
    for line in (*silent, *wrong):
        typer.echo(line)
    if wrong:
        raise typer.Exit(2)


@app.command("open", epilog="Example:\n\ncxlab open params/olist --cycle 2018Q1")
def open_(study: StudyArg, cycle: CycleOpt = None, reports: ReportsOpt = Path("reports")) -> None:
    """Print the path of a published report, and open it where there is a browser."""
    from cxlab.errors import RunError

    folder, settings = _open(study)
    chosen = _one(folder, settings, cycle)
    page = (reports / folder.resolve().name / chosen.name / "index.html").resolve()
    if not page.is_file():
        raise RunError(
            f"{chosen.name} must have been published, but {page} does not exist. "
            f"Make it with: cxlab run {study} --cycle {chosen.name}"
        )
    typer.echo(page)
    _show_in_browser(page)


@app.command(
    epilog="Examples:\n\ncxlab verify params/olist --cycle 2018Q1\n\n"
    "cxlab verify params/olist --again        (also runs the cycle anew, and compares numbers)"
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

    folder, settings = _open(study)
    target = reports / folder.resolve().name / _one(folder, settings, cycle).name
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

    folder, settings = _open(study)
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


@app.command(epilog="Example:\n\ncxlab new params/mine; cxlab run params/mine")
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the study.")],
) -> None:
    """Make a new study with commented templates; it runs as it is."""
    from cxlab.cycle.new_study import new_study

    for file in new_study(folder):
        typer.echo(file)
    typer.echo(f"Try it with: cxlab run {folder}")


@app.command("rap-check", epilog="Example:\n\ncxlab rap-check . --reports reports")
def rap_check(
    project: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")] = Path(),
    reports: ReportsOpt = Path("reports"),
) -> None:
    """Hold the project against the three levels of reproducible work.

    Says of each demand whether it holds and by what evidence, and lists what only people
    can confirm. Exit code 1 when a demand that can be verified does not hold.
    """
    from cxlab.cycle.selfcheck import check_project, summary

    items = check_project(project, reports=reports)
    for item in items:
        typer.echo(f"{item.level:<9} {item.state:<11} {item.demand}: {item.evidence}")
    typer.echo(summary(items))
    raise typer.Exit(any(item.state == "not held" for item in items))


@app.command(epilog="Example:\n\ncxlab sample sandbox --customers 5000; cxlab run sandbox")
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the study.")],
    customers: Annotated[
        int | None,
        typer.Option(min=1, help="How many people. Default: 20000, of variant tiny 40."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="All chance follows from it.")] = 2026,
    variant: Annotated[
        str, typer.Option(help="base, null, drift, tiny, misspecified or hostile.")
    ] = "base",
    form: Annotated[
        str, typer.Option("--format", help="Of the two long exports: parquet or csv.")
    ] = "parquet",
) -> None:
    """Make a made-up company: a whole study, its raw files, and the truth about it.

    The folder appears when it is whole. The same options give the same files.
    """
    from cxlab.data.sample.told import tell_sample

    tell_sample(folder, customers=customers, seed=seed, variant=variant, form=form)


def main() -> None:
    """Run the command line; what cxlab refuses becomes one message and exit code 2."""
    try:
        app()
    except CxlabError as refused:
        typer.echo(f"cxlab: {refused}", err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        typer.echo("cxlab: interrupted; the published reports are as they were.", err=True)
        raise SystemExit(130) from None


def _open(study: Path) -> tuple[Path, Settings]:
    from cxlab.data.settings import find_study, read_settings

    folder = find_study(study)
    return folder, read_settings(folder)


def _one(folder: Path, settings: Settings, name: str | None) -> Cycle:
    """Return the named cycle, the default one, or the last that is complete."""
    from cxlab.cycle.schedule import complete_cycles
    from cxlab.errors import DataError

    if name or settings.default_cycle:
        return settings.parse_cycle(name or str(settings.default_cycle))
    complete = complete_cycles(folder, settings)
    if not complete:
        raise DataError("No cycle is complete in the data yet. Name one with --cycle.")
    return complete[-1]


def _chosen(
    folder: Path, settings: Settings, *, cycle: str | None, cycles: str | None, due: bool
) -> list[Cycle]:
    from cxlab.cycle.schedule import complete_cycles, cycles_between

    if cycles:
        return cycles_between(settings, cycles)
    if due:
        return complete_cycles(folder, settings)
    return [_one(folder, settings, cycle)]


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
