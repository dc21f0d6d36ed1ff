"""The command line: reads arguments, nothing else.

Heavy imports wait until a command needs them, so that `--help` answers at once.
"""

import typer

from cxlab.cli import lists, reports, studies, upkeep  # each adds its commands, in this order
from cxlab.cli.options import app
from cxlab.errors import CxlabError

__all__ = ["app", "lists", "main", "reports", "studies", "upkeep"]


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
