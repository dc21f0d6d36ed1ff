"""The command `cxlab`, and the options that its commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["CycleOpt", "ReportsOpt", "StudyArg", "app"]

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
    Path, typer.Argument(metavar="STUDY", help="Folder of the study, such as params/sample.")
]
CycleOpt = Annotated[
    str | None,
    typer.Option(
        "--cycle", metavar="NAME", help="One cycle, such as 2026Q3. Default: default_cycle."
    ),
]
ReportsOpt = Annotated[
    Path, typer.Option("--reports", metavar="DIR", help="Folder that takes the reports.")
]
