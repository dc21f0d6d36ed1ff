"""One chapter in one kernel, through papermill.

This module is loaded once, in the process that starts the workers; every worker is a
copy of it and runs one chapter. It imports papermill, which takes most of a second, so
nothing that a command imports may import it.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil  # type: ignore[import-untyped]
from jupyter_client import AsyncKernelManager  # type: ignore[attr-defined]
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import LocalProvisioner  # type: ignore[attr-defined]
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers

from cxlab.cycle import executed

__all__ = ["run_chapter"]

_START_SECONDS = 60
_LOOK_SECONDS = 0.05  # a program fills at most some 200 MB between two looks
_quiet = logging.getLogger("cxlab.papermill")


def run_chapter(
    job: Mapping[str, Any], *, folder: Path, on_cell: Callable[[int, int], None]
) -> dict[str, Any]:
    """Execute one notebook and keep it, whatever happens inside.

    Parameters
    ----------
    job : dict
        A `cxlab.cycle.execute.Job` as plain JSON.
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
    chapter = _Chapter(job, folder, on_cell)
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
    executed.scrub(record.nb, cwd=cwd)
    executed.write(record.nb, output, is_final=True)
    executed.partial_path(output).unlink(missing_ok=True)
    return {"state": state, "error": error, "cells": record.done}


class _Chapter(NBClientEngine):  # type: ignore[misc]
    """An engine of papermill for one chapter: our kernel, our record, our limits."""

    def __init__(
        self, job: Mapping[str, Any], folder: Path, on_cell: Callable[[int, int], None]
    ) -> None:
        self.job, self.folder, self.on_cell = job, folder, on_cell
        self.record: _Record | None = None
        self.kernel: _Kernel | None = None
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
        manager = _kernel_manager(self.folder)
        self.kernel = _Kernel(kernel_id="chapter", kernel_spec=manager.kernel_spec, parent=manager)
        self.kernel.memory_bytes = self.job["memory_bytes"]
        manager.provisioner = self.kernel
        client = _Client(
            self.record,
            km=manager,
            timeout_func=lambda _cell: self.job["cell_timeout_s"],
            startup_timeout=_START_SECONDS,
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
        most = f" (a chapter may use {_gigabytes(limit)})" if limit else ""
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
            limit = _gigabytes(self.job["memory_bytes"])
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


class _Kernel(LocalProvisioner):
    """Starts the kernel in its worker's process group, and watches its memory.

    One signal to the group then ends a chapter with all that it started. Memory is
    watched from outside, since a limit on address space also counts what is only
    reserved: a kernel that held 0.3 GB had reserved 2.4 GB on two cores (OpenBLAS,
    Arrow, DuckDB), and more cores reserve more. Such a limit refuses healthy chapters.
    """

    memory_bytes: int | None = None
    is_over = False
    _child: subprocess.Popen[bytes] | None = None
    _words: Path | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel; called by Jupyter."""
        self._words = Path(kwargs.pop("words"))
        with self._words.open("wb") as words:
            child = subprocess.Popen(  # noqa: S603
                cmd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
                cwd=kwargs["cwd"],
                env={**kwargs["env"], "JPY_PARENT_PID": str(os.getpid())},
            )
        self.process = self._child = child
        self.pid, self.pgid = child.pid, None  # a signal goes to the kernel, not to us
        _first_to_go(child.pid)
        if self.memory_bytes:
            threading.Thread(target=self._watch, args=(self.memory_bytes,), daemon=True).start()
        return self.connection_info

    def _watch(self, most: int) -> None:
        assert self._child is not None  # noqa: S101
        pid, family, looked = self._child.pid, _family(self._child.pid), time.monotonic()
        while psutil.pid_exists(pid):
            if time.monotonic() > looked + 1:
                family, looked = _family(pid), time.monotonic()
            if sum(_memory(process) for process in family) > most:
                self.is_over = True
                for process in family:
                    _end(process)
                return
            time.sleep(_LOOK_SECONDS)

    def end(self) -> bool:
        """End the kernel at once; tell whether there was one."""
        if self._child is not None:
            self._child.kill()
        return self._child is not None

    def ended(self, where: str) -> str:
        """Say how the kernel ended, in words."""
        code = self._child.wait(5) if self._child else None
        if code is None or code >= 0:
            return f"ended by itself in {where} (exit code {code})"
        hint = "; perhaps the machine ran out of memory" if code == -signal.SIGKILL else ""
        return f"was ended by {signal.Signals(-code).name} in {where}{hint}"

    def last_words(self) -> str:
        """Return the last line that the kernel wrote before it had a voice."""
        text = self._words.read_text("utf-8", "replace").strip() if self._words else ""
        return text.splitlines()[-1] if text else f"no answer within {_START_SECONDS} s"


def _kernel_manager(folder: Path) -> Any:
    # This interpreter, whatever the notebook names: names differ between machines.
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    # TCP ports can clash between kernels; sockets in a folder of one's own cannot.
    manager = AsyncKernelManager(
        transport="ipc", ip=str(folder / "k"), connection_file=str(folder / "kernel.json")
    )
    manager._kernel_spec = KernelSpec(argv=argv, display_name="Python 3", language="python")
    return manager


def _first_to_go(pid: int) -> None:
    """Tell Linux to end this process before others when the machine's memory is full."""
    try:
        Path(f"/proc/{pid}/oom_score_adj").write_text("800", encoding="ascii")
    except OSError:
        return  # another system, or the process has ended already


def _family(pid: int) -> list[psutil.Process]:
    try:
        kernel = psutil.Process(pid)
        return [kernel, *kernel.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    """Return bytes that are this process's own, without files it shares with others."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))


def _end(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return


def _gigabytes(count: int | None) -> str:
    return f"{(count or 0) / 2**30:.3g} GiB"
