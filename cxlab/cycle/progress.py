"""How a run tells what it is doing: live on a terminal, line by line elsewhere."""

import os
import time
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

from cxlab.cycle.execute import Event, Outcome

__all__ = ["Reporter", "reporter"]


class Reporter(Protocol):
    """Shows events and outcomes of a run; used as a context manager."""

    def event(self, event: Event) -> None:
        """Show that a cell has started."""

    def done(self, outcome: Outcome) -> None:
        """Show how a chapter ended."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def reporter(stream: TextIO) -> Reporter:
    """Return what suits a stream: a live display on a terminal, else plain lines.

    `TERM=dumb` asks for plain lines on a terminal too; `NO_COLOR` keeps the display
    and takes its colours.
    """
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return _Live(stream)
    return _Lines(stream)


class _Lines:
    """One line when a chapter starts and one when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.seen: set[str] = set()

    def event(self, event: Event) -> None:
        if event.chapter not in self.seen:
            self.seen.add(event.chapter)
            self._say(f"{event.chapter}: started, {event.cells} cells")

    def done(self, outcome: Outcome) -> None:
        self._say(f"{outcome.name}: {_ending(outcome)}")

    def _say(self, line: str) -> None:
        # Names and messages may hold what an old stream cannot write.
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        self.stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        self.stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return


class _Live:
    """One row per running chapter, redrawn in place; endings stay above."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console  # takes a fifth of a second: only here
        from rich.live import Live

        self.console = Console(file=stream)
        self.running: dict[str, tuple[Event, float]] = {}
        self.live = Live(
            console=self.console,
            get_renderable=self._table,
            refresh_per_second=4,
            transient=True,
            # The command's own output, to either stream, stays as it is.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def event(self, event: Event) -> None:
        self.running[event.chapter] = event, time.monotonic()
        self.live.refresh()

    def done(self, outcome: Outcome) -> None:
        from rich.text import Text

        self.running.pop(outcome.name, None)
        style = "green" if outcome.state == "ok" else "bold red"
        mark = "✓" if outcome.state == "ok" else "✗"
        # Text, not markup: a message may hold square brackets.
        self.console.print(Text(f"{mark} {outcome.name}  {_ending(outcome)}", style=style))

    def _table(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for event, seen in self.running.values():
            seconds = event.elapsed + time.monotonic() - seen
            bar = ProgressBar(total=event.cells, completed=event.cell - 1, width=20)
            cell = Text(f"cell {event.cell}/{event.cells}")
            table.add_row(Text(event.chapter), bar, cell, Text(f"{seconds:.0f} s"))
        return table

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.live.stop()


def _ending(outcome: Outcome) -> str:
    took = f"{outcome.seconds:.1f} s"
    if outcome.state == "ok":
        return f"ok, {outcome.cells} cells in {took}"
    return f"{outcome.state} after {took}. {outcome.error}"
