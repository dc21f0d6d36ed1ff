"""The command that writes a list of people: a file of its own, in no report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cxlab.cli.cycles import one_cycle, open_study
from cxlab.cli.options import CycleOpt, StudyArg, app

__all__: list[str] = []


@app.command("at-risk", epilog="Example:\n\ncxlab at-risk params/sample --cycle 2026Q3")
def at_risk(
    study: StudyArg,
    cycle: CycleOpt = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Default: at-risk/<study>-<cycle>.csv."),
    ] = None,
) -> None:
    """Write the list of customers at risk, with reasons, value and a date of expiry.

    A customer stands on it once, with the number of their subscriptions and the value at risk
    of all of them. The risk is that to leave of one's own will, where it is told of whose will
    others ended.
    Only customers who allow analytics and the purpose that the settings name (at_risk.purpose)
    are listed, and none who was contacted often enough. There is no list where last cycle's
    forecast did no better than telling everybody the same. The file is for its owner's eyes
    and may not lie among reports.
    """
    from cxlab.churn.study import list_of
    from cxlab.data.lab import open_lab

    folder, settings = open_study(study)
    chosen = one_cycle(folder, settings, cycle)
    found = list_of(open_lab(folder, cycle=chosen.name, purpose="analytics"))
    file = found.write(out or Path("at-risk") / f"{folder.name}-{chosen.name}.csv")
    typer.echo(found.sentence())
    typer.echo(f"{file}: not to be used after {found.people['expires_on'].max()}.")
