"""Commands about the project itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cxlab.cli.options import ReportsOpt, app

__all__: list[str] = []


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
