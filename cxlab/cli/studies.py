"""Commands about studies: check one, begin one, make up one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cxlab.cli.cycles import one_cycle, open_study
from cxlab.cli.options import CycleOpt, StudyArg, app

__all__: list[str] = []


@app.command(epilog="Example:\n\ncxlab check params/sample --cycle 2026Q3")
def check(study: StudyArg, cycle: CycleOpt = None) -> None:
    """Check settings, sources and contracts; start no kernel.

    Prints for each table how many rows came in, are used, were set aside and were
    excluded by a rule, and why; which checks of the tables fail or warn; and what is
    wrong with the key measures, or with the outcome of journeys, which gives exit
    code 2.
    """
    from cxlab.cycle.lint import journey_lines, kpi_lines, log_of, quality_lines
    from cxlab.cycle.plan import make_plan

    folder, settings = open_study(study)
    plan = make_plan(folder, settings, one_cycle(folder, settings, cycle))
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
    lost, unseen = journey_lines(plan.snapshot, settings)
    wrong += lost
    if settings.journey.key is not None and (log := log_of(plan.snapshot)) is not None:
        from cxlab.journeys.silences import early_ends

        if said := early_ends(log, settings.journey, cutoff=plan.snapshot.cutoff):
            unseen.append(f"warning: {said}")
    for line in (*silent, *unseen, *wrong):
        typer.echo(line)
    if wrong:
        raise typer.Exit(2)


@app.command(epilog="Example:\n\ncxlab new params/mine; cxlab run params/mine")
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the study.")],
) -> None:
    """Make a new study with commented templates; it runs as it is."""
    from cxlab.cycle.new_study import new_study

    for file in new_study(folder):
        typer.echo(file)
    typer.echo(f"Try it with: cxlab run {folder}")


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
