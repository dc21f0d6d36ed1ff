"""A copy of this process that waits to become a kernel.

Loading what every chapter uses (pandas, matplotlib, DuckDB, the rooms of cxlab) takes some
four seconds of a processor. A kernel that is a fork of a process which has loaded them
takes none. The fork is made before its worker has loops, sockets or threads of its own.
"""

import atexit
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import psutil  # type: ignore[import-untyped]

__all__ = ["Spare"]


class Spare:
    """A child that becomes a kernel when it is told to; then what Jupyter calls a process."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        orders, self._tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._tell)
            _wait(orders)
        os.close(orders)
        self._process = psutil.Process(self.pid)

    def become(
        self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], words: Path
    ) -> None:
        """Start the kernel; what it writes before it has a voice goes to the file `words`."""
        order = {
            "command": list(command),
            "cwd": str(cwd),
            "environment": dict(environment),
            "words": str(words),
        }
        with os.fdopen(self._tell, "w", encoding="ascii") as tell:
            json.dump(order, tell)

    def poll(self) -> int | None:
        """Return the exit code once it has ended; that of a signal is below nought."""
        with suppress(psutil.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end and return the exit code."""
        code: int | None = self._process.wait(timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        with suppress(psutil.NoSuchProcess):
            self._process.send_signal(number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _wait(orders: int) -> NoReturn:
    """Be the child: wait for the order, be a kernel, and never return to the caller's code."""
    code = 1
    try:
        os.dup2(orders, 3)  # all else that is open belongs to others
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        with os.fdopen(3, encoding="ascii") as told:
            order = told.read()
        if order:
            code = _be_kernel(**json.loads(order))
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            atexit._run_exitfuncs()
            sys.stderr.flush()
        os._exit(code)


def _be_kernel(*, command: list[str], cwd: str, environment: Mapping[str, str], words: str) -> int:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(words, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.argv = command
    from ipykernel import kernelapp

    try:
        kernelapp.launch_new_instance()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0
