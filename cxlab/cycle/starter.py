"""The process that starts workers, as seen from the runner: orders out, messages in."""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cxlab.cycle import executed
from cxlab.errors import RunError

__all__ = ["Starter"]

_READY_SECONDS = 120  # papermill's first import from a cold disk
_END_SECONDS = 5


class Starter:
    """A process that lives as long as this context; see `cxlab.cycle.worker`.

    What it loads is loaded in the `environment` that all chapters share: matplotlib, for
    one, reads there once and for all how it is to draw.
    """

    def __init__(self, *, loads_cxlab: bool, environment: Mapping[str, str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cxlab-", dir=_short_folder()))
        self._log = (self._folder / "log.txt").open("w+b")
        package = str(Path(__file__).parents[2])
        # -P: a json.py in the folder where the run was started must not be ours.
        start = (
            "import sys; sys.path.append(sys.argv[1]); from cxlab.cycle import worker; "
            f"worker.main(sys.argv[2], loads_cxlab={loads_cxlab})"
        )
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", start, package, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **environment},
            start_new_session=True,  # Ctrl-C is the runner's to hear
        )
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._orders, self._report = self._process.stdin, self._process.stdout
        self._rest = b""

    def __enter__(self) -> Self:
        try:
            if not any("ready" in message for message in self.messages(timeout=_READY_SECONDS)):
                raise self._dead()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(BrokenPipeError):
            self._orders.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._report.close()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def order(self, order: Mapping[str, Any]) -> None:
        """Send one order."""
        try:
            self._orders.write(json.dumps(order).encode() + b"\n")
            self._orders.flush()
        except BrokenPipeError:
            raise self._dead() from None

    def messages(self, timeout: float) -> Iterator[dict[str, Any]]:
        """Yield what has been reported, waiting for it at most this many seconds."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._report, selectors.EVENT_READ)
            if not selector.select(timeout):
                return
        chunk = os.read(self._report.fileno(), 1 << 16)
        if not chunk:
            raise self._dead()
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines)

    def _dead(self) -> RunError:
        self._log.seek(0)
        words = executed.one_line(self._log.read().decode("utf-8", "replace")[-300:])
        return RunError(
            "The process that starts the chapters must live as long as the run, but it "
            f"ended or gave no answer. Its last words: {words or 'none'}. Run again."
        )


def _short_folder() -> str | None:
    """Return a folder for sockets whose path leaves room: systems allow some 100 bytes."""
    return "/tmp" if len(tempfile.gettempdir()) > 40 and Path("/tmp").is_dir() else None  # noqa: S108
