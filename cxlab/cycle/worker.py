"""The process that starts the workers: one copy of itself for every chapter.

It imports papermill once, and what chapters use if it is told to, then waits for orders
on its standard input. Each chapter runs in a fork of its own with its own process group,
so that one signal ends the chapter, its kernel and whatever the notebook started.

Nobody is left behind: when the runner dies this process sees its input end, and ends
all groups; when this process dies each worker sees the end of a pipe that only this
process could write to, and ends its own group.

Messages are lines of JSON. In: ``{"start": number, "job": {...}}``, ``{"stop": number}``,
``{"kill": number}``. Out: ``{"ready": true}``, ``{"started": number}``,
``{"cell": i, "cells": n, "number": number}``, ``{"result": {...}, "number": number}``,
``{"gone": number, "status": code}``.
"""

import ctypes
import gc
import json
import os
import select
import selectors
import shutil
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any, NoReturn

import psutil  # type: ignore[import-untyped]

import cxlab
from cxlab.cycle.spare import Spare

__all__ = ["main"]

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main(folder: str, *, loads_cxlab: bool) -> None:
    """Serve one runner until it goes away.

    Parameters
    ----------
    folder : str
        Folder for sockets, this runner's alone; removed at the end.
    loads_cxlab : bool
        Load all that ``import cxlab`` offers, so that no kernel needs to.
    """
    runner = os.getppid()
    report = os.dup(1)  # nothing that prints may garble the messages
    os.dup2(2, 1)
    _adopt_orphans()
    _import_once(loads_cxlab)
    nursery = _Nursery(Path(folder), report)
    try:
        nursery.serve(runner)
    finally:
        nursery.end_all()
        shutil.rmtree(folder, ignore_errors=True)


class _Nursery:
    """Forks workers, reports their ends, and ends their groups."""

    def __init__(self, folder: Path, report: int) -> None:
        self.folder, self.report = folder, report
        self.workers: dict[int, int] = {}  # process id -> number of the job
        self.alive, self._we_live = os.pipe()
        self._wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self, runner: int) -> None:
        """Obey orders until the input ends or the runner is gone."""
        orders = b""
        _say(self.report, {"ready": True})
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            # The input can stay open in a copy of the runner: so ask who our parent is, too.
            while os.getppid() == runner:
                for key, _ in selector.select(timeout=1):
                    chunk = os.read(key.fd, 1 << 16)
                    if key.fd == 0 and not chunk:
                        return
                    orders += chunk if key.fd == 0 else b""
                *lines, orders = orders.split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
                self._reap()

    def _obey(self, order: dict[str, Any]) -> None:
        if "start" not in order:
            for pid, number in self.workers.items():
                if number == order.get("kill"):
                    _end_group(pid)
                elif number == order.get("stop"):
                    os.kill(pid, signal.SIGTERM)  # ours and not reaped, so still the same
            return
        number = order["start"]
        pid = os.fork()
        if pid == 0:
            self._work(number, order["job"])
        _own_group(pid)
        self.workers[pid] = number
        _say(self.report, {"started": number})

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                break
            if pid in self.workers:
                _end_group(pid)  # a kernel must not outlive its worker
                shutil.rmtree(self._room(self.workers[pid]), ignore_errors=True)
                code = os.waitstatus_to_exitcode(status)
                _say(self.report, {"gone": self.workers.pop(pid), "status": code})
        _end_strays(set(self.workers))

    def end_all(self) -> None:
        """End every worker and all that they started."""
        for pid in self.workers:
            _end_group(pid)
        _end_strays(set())

    def _room(self, number: int) -> Path:
        return self.folder / str(number)

    def _work(self, number: int, job: dict[str, Any]) -> NoReturn:
        """Be the worker of one chapter; never returns to the loop above."""
        result: dict[str, Any] = {"state": "failed", "error": "The worker stopped.", "cells": 0}
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _own_group(0)
            os.close(self._we_live)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            spare = Spare()  # before any thread is there
            threading.Thread(target=_end_with, args=(self.alive,), daemon=True).start()
            os.chdir(job["cwd"])
            self._room(number).mkdir(mode=0o700)
            from cxlab.cycle import chapter, executed

            try:
                result = chapter.run_chapter(
                    job,
                    spare,
                    folder=self._room(number),
                    on_cell=lambda cell, cells: _say(
                        self.report, {"cell": cell, "cells": cells, "number": number}
                    ),
                )
            except Exception as stop:
                result["error"] = executed.one_line(f"{type(stop).__name__}: {stop}")
            _say(self.report, {"result": result, "number": number})
        finally:
            os._exit(0)  # the loop and the files of the parent are not ours to close


def _say(report: int, message: dict[str, Any]) -> None:
    line = _line(message)
    if len(line) > select.PIPE_BUF:  # only what is shorter is written in one piece
        message["result"]["error"] = message["result"]["error"][:80]
        line = _line(message)
    try:
        os.write(report, line)
    except BrokenPipeError:
        return  # the runner is gone; the loop will notice


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _own_group(pid: int) -> None:
    """Give a worker its own process group; both sides ask, whichever comes first."""
    try:
        os.setpgid(pid, pid)
    except OSError:
        return


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # macOS answers EPERM where only zombies are left


def _end_with(alive: int) -> None:
    """Wait until nobody can write to this pipe any more, then end the own group."""
    os.read(alive, 1)
    _end_group(os.getpgrp())


def _adopt_orphans() -> None:
    """Become the parent of processes that a notebook cut loose, where Linux allows it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_strays(workers: set[int]) -> None:
    for child in psutil.Process().children():
        if child.pid not in workers:
            child.kill()


def _import_once(loads_cxlab: bool) -> None:
    # papermill would load Arrow for Hadoop paths. Without it no thread is running here, which
    # is what makes a fork safe. The threads that come with cxlab are those of OpenBLAS and of
    # Arrow's allocator, which both end or renew themselves at a fork.
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ipykernel import ipkernel, kernelapp  # noqa: F401

        from cxlab.cycle import chapter  # noqa: F401
    del sys.modules["pyarrow"]
    if loads_cxlab:
        for name in cxlab.__all__:
            getattr(cxlab, name)
    gc.freeze()  # what is shared stays shared: no fork writes marks into it
