"""All that the chapter on journeys asks of the engine, against one group-by over the same log.

The sample company is made and read at a size that has as many interactions as asked for. Then
every cell of the notebook is run as it stands, with a clock around each question to the engine;
what is left of the cell's time is arithmetic and drawing, which does not grow with the log.

    python benchmarks/journeys.py [CUSTOMERS]
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from memory import peak_megabytes

ROOT = Path(__file__).resolve().parents[1]
CUSTOMERS = 190_000  # about ten million interactions
CYCLE = "2026Q3"
PROMISED = 10.0  # times the group-by


class Clock:
    """Seconds that an engine spends on answers, by cell."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, engine: Any) -> None:
        """Put itself around the three ways of asking an engine."""
        for name in ("_answer", "_keep", "_create_view"):
            setattr(engine, name, self._timed(getattr(engine, name)))

    def _timed(self, asked: Any) -> Any:
        def ask(*args: Any) -> Any:
            began = time.perf_counter()
            try:
                return asked(*args)
            finally:
                self.seconds += time.perf_counter() - began

        return ask


def main(customers: int = CUSTOMERS) -> int:
    """Make the company and its snapshot here, and ask in a process of its own."""
    from cxlab.data.sample.study import new_sample
    from cxlab.data.sample.write import Options
    from cxlab.workbench import open as open_lab

    with tempfile.TemporaryDirectory() as place:
        os.environ |= {"MPLBACKEND": "agg", "CXLAB_STATE": str(Path(place) / "state")}
        study = Path(place) / "company"
        new_sample(study, Options(customers=customers))
        open_lab(study, cycle=CYCLE)
        return subprocess.run([sys.executable, __file__, str(study)], check=False).returncode


def asked(study: Path) -> int:
    """Print what each cell took, the ratio to the group-by, and the peak memory."""
    from cxlab.workbench import open as open_lab

    rows, bare = group_by(open_lab(study, cycle=CYCLE, purpose="analytics"))
    print(f"{rows:,} interactions; one group-by takes {bare:.2f} s")
    clock = chapter(study)
    ratio = clock.seconds / bare
    most = peak_megabytes() / 1024
    print(f"all questions: {clock.seconds:.1f} s, {ratio:.1f} times the group-by ({PROMISED:g})")
    print(f"peak memory: {most:.2f} GiB (4)")
    return int(ratio > PROMISED or most > 4)


def group_by(lab: Any) -> tuple[int, float]:
    """Count and time the contacts of each person: the plainest question of this size."""
    from cxlab.data.engine import query

    seconds = []
    for _ in range(3):
        lab.engine.forget()
        began = time.perf_counter()
        found = query(
            """
            select sum(n) as n, max(lasted) as most from (
                select customer_id, anonymous_id, count(*) as n, max(activity) as activity,
                    epoch_us(max(occurred_at)) - epoch_us(min(occurred_at)) as lasted
                from t group by customer_id, anonymous_id
            ) as p
            """,
            t=lab.interactions,
        )
        seconds.append(time.perf_counter() - began)
    return int(found["n"][0]), sorted(seconds)[1]


def chapter(study: Path) -> Clock:
    """Run the notebook's cells with a clock around the engine."""
    from IPython.core.interactiveshell import InteractiveShell

    clock, shell = Clock(), InteractiveShell.instance()
    notebook = nbformat.read(ROOT / "notebooks" / "20_journeys.ipynb", as_version=4)
    for cell in (c for c in notebook.cells if c.cell_type == "code"):
        before, began = clock.seconds, time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            done = shell.run_cell(cell.source.replace("params/sample", str(study)))
        done.raise_error()
        if "cx.open(" in cell.source:
            clock.around(shell.user_ns["lab"].engine)
        asked, took = clock.seconds - before, time.perf_counter() - began
        print(f"  {asked:7.2f} s of {took:6.2f} s  {cell.source.strip().splitlines()[-1][:70]}")
    return clock


if __name__ == "__main__":
    given = sys.argv[1:]
    if given and Path(given[0]).is_dir():
        sys.exit(asked(Path(given[0])))
    sys.exit(main(*(int(float(x)) for x in given)))
