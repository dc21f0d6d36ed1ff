"""One chapter in one kernel, through papermill.

This module is loaded once, in the process that starts the workers; every worker is a
copy of it and runs one chapter. It imports papermill, which takes most of a second, so
nothing that a command imports may import it.
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers

from cxlab.cycle import executed
from cxlab.cycle.kernels import START_SECONDS, Kernel, gigabytes, kernel_manager
from cxlab.cycle.spare import Spare

__all__ = ["run_chapter"]

_quiet = logging.getLogger("cxlab.papermill")


def run_chapter(
    job: Mapping[str, Any], spare: Spare, *, folder: Path, on_cell: Callable[[int, int], None]
) -> dict[str, Any]:
    """Execute one notebook and keep it, whatever happens inside.

    Parameters
    ----------
    job : dict
        A `cxlab.cycle.execute.Job` as plain JSON.
    spare : Spare
        What becomes the kernel.
    folder : pathlib.Path
        A fresh folder of this kernel alone, with a path short enough for sockets.
    on_cell : callable
        Called with (cell, cells) when a cell starts, counting from 1.

    Returns
    -------
    dict
        state, error, cells: as in `cxlab.cycle.execute.Outcome`.
    """
    cwd, output = Path(job["cwd"]), Path(job["output"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notebooks without cell ids are fine
        notebook = nbformat.read(job["notebook"], as_version=4)  # type: ignore[no-untyped-call]
    chapter = _Chapter(job, spare, folder, on_cell)
    papermill_engines.register("cxlab", chapter)
    signal.signal(signal.SIGTERM, lambda *_: chapter.stop())
    state, error = "ok", None
    try:
        papermill.execute_notebook(
            notebook,
            None,  # papermill would overwrite in place; saving is ours
            parameters=dict(job["parameters"]),
            engine_name="cxlab",
            kernel_name="python3",
            language="python",
            progress_bar=False,
        )
    except PapermillExecutionError as stop:
        state, error = chapter.told(stop.ename, stop.evalue)
    except Exception as stop:
        if chapter.record is None:
            raise
        state, error = chapter.failed(stop)
    record = chapter.record
    if record is None:
        raise RuntimeError("papermill ended without starting the notebook")
    if state == "ok" and record.nb.metadata.papermill.exception:
        # papermill takes sys.exit() for success, and leaves all later cells out.
        state, error = "failed", f"SystemExit in {chapter.where}: later cells did not run"
    remove_error_markers(record.nb)  # red banners that papermill inserts as cells
    snapshot = job["environment"].get("CXLAB_SNAPSHOT")
    error = executed.scrub(
        record.nb, cwd=cwd, snapshot=Path(snapshot) if snapshot else None, error=error
    )
    executed.write(record.nb, output, is_final=True)
    executed.partial_path(output).unlink(missing_ok=True)
    return {"state": state, "error": error, "cells": record.done}


class _Chapter(NBClientEngine):  # type: ignore[misc]
    """An engine of papermill for one chapter: our kernel, our record, our limits."""

    def __init__(
        self,
        job: Mapping[str, Any],
        spare: Spare,
        folder: Path,
        on_cell: Callable[[int, int], None],
    ) -> None:
        self.job, self.spare, self.folder, self.on_cell = job, spare, folder, on_cell
        self.record: _Record | None = None
        self.kernel: Kernel | None = None
        self.is_stopped = False

    def stop(self) -> None:
        """End the kernel, so that its notebook is kept with all it has shown so far."""
        self.is_stopped = True
        if self.kernel is None or not self.kernel.end():
            os._exit(1)  # nothing has run yet; the runner writes the record

    def execute_notebook(self, nb: nbformat.NotebookNode, _name: str, **_: object) -> Any:
        """Run all cells; called by papermill in place of its own engine."""
        partial = executed.partial_path(Path(self.job["output"]))
        self.record = _Record(nb, partial, self.on_cell)
        self.record.notebook_start()
        manager, self.kernel = kernel_manager(
            self.folder, self.spare, memory_bytes=self.job["memory_bytes"]
        )
        client = _Client(
            self.record,
            km=manager,
            timeout_func=lambda _cell: self.job["cell_timeout_s"],
            startup_timeout=START_SECONDS,
            log=_quiet,
        )
        try:
            client.execute(
                cleanup_kc=True,
                env=self._environment(),
                cwd=self.job["cwd"],
                words=str(self.folder / "stderr.txt"),
            )
        finally:
            self.record.notebook_complete()
        return self.record.nb

    def _environment(self) -> dict[str, str]:
        # Start-up files of the person at the keyboard must not change a report.
        own = {"IPYTHONDIR": str(self.folder / "ipython"), "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **own, **self.job["environment"]}

    @property
    def where(self) -> str:
        """The cell that was started last, in words."""
        assert self.record is not None  # noqa: S101
        if self.record.cell == 0:
            return "the start of its kernel"
        return f"cell {self.record.cell} of {self.record.cells}"

    def told(self, name: str, message: str) -> tuple[str, str]:
        """Say what a cell raised."""
        text = executed.one_line(f"{name} in {self.where}: {message}")
        if not (name.endswith("MemoryError") or name == "OutOfMemoryException"):
            return "failed", text
        limit = self.job["memory_bytes"]
        most = f" (a chapter may use {gigabytes(limit)})" if limit else ""
        return "out of memory", text.rstrip(".") + most

    def failed(self, stop: Exception) -> tuple[str, str]:
        """Say why the kernel stopped, and write it into the cell that was running."""
        assert self.record is not None  # noqa: S101
        state, error = self._reason(stop)
        index = self.record.index
        executed.add_error(
            self.record.nb, name=executed.error_name(state), message=error, cell=index
        )
        return state, error

    def _reason(self, stop: Exception) -> tuple[str, str]:
        kernel = self.kernel
        if self.is_stopped:
            limit = f"{self.job['chapter_timeout_s']:g} s"
            return "timed out", f"The chapter ran longer than its {limit}; stopped in {self.where}."
        if kernel is not None and kernel.is_over:
            limit = gigabytes(self.job["memory_bytes"])
            return "out of memory", (
                f"{self.where.capitalize()} needed more than the {limit} of memory that a chapter "
                "may use. Ask the engine for less, or raise the limit."
            )
        if isinstance(stop, CellTimeoutError):
            limit = f"{self.job['cell_timeout_s']:g} s"
            return "timed out", f"{self.where.capitalize()} ran longer than its {limit}."
        if isinstance(stop, DeadKernelError) and kernel is not None:
            return "killed", f"The kernel {kernel.ended(self.where)}."
        if self.record is not None and self.record.cell == 0 and kernel is not None:
            return "failed", executed.one_line(f"The kernel did not start: {kernel.last_words()}")
        return "failed", executed.one_line(f"{type(stop).__name__} in {self.where}: {stop}")


class _Record(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's record of a notebook that runs; saves whole files, and counts cells."""

    def __init__(
        self, nb: nbformat.NotebookNode, path: Path, on_cell: Callable[[int, int], None]
    ) -> None:
        super().__init__(nb, progress_bar=False)
        self.path, self.on_cell = path, on_cell
        self.order = executed.code_cells(nb)
        self.cells, self.cell, self.done = len(self.order), 0, 0
        self.index: int | None = None

    def save(self, **_: object) -> None:
        """Save what is there so far; validation waits for the end."""
        executed.write(self.nb, self.path)
        self.last_save_time = self.now()

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: object) -> None:
        """Note and report that a cell starts."""
        if cell_index in self.order:
            self.index, self.cell = cell_index, self.order.index(cell_index) + 1
            self.on_cell(self.cell, self.cells)
            super().cell_start(cell, cell_index, **kwargs)

    def cell_complete(self, cell: Any, cell_index: int | None = None, **kwargs: object) -> None:
        """Note that a cell ended; papermill calls this for failed cells too."""
        if cell_index in self.order:
            failed = sys.exc_info()[0] is not None or cell.metadata.papermill.exception
            self.done += not failed
            super().cell_complete(cell, cell_index, **kwargs)


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    def papermill_execute_cells(self) -> None:
        try:
            super().papermill_execute_cells()
        except BaseException:
            self.shutdown_kernel = "immediate"  # a kernel that hangs would not hear a request
            raise
