"""One kernel: started by us, ended with its worker, watched for its memory."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from jupyter_client import AsyncKernelManager  # type: ignore[attr-defined]
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import LocalProvisioner  # type: ignore[attr-defined]

from cxlab.cycle.spare import Spare

__all__ = ["START_SECONDS", "Kernel", "gigabytes", "kernel_manager"]

START_SECONDS = 60
_LOOK_SECONDS = 0.05  # a program fills at most some 200 MB between two looks


class Kernel(LocalProvisioner):
    """Starts the kernel in its worker's process group, and watches its memory.

    One signal to the group then ends a chapter with all that it started. Memory is
    watched from outside, since a limit on address space also counts what is only
    reserved: a kernel that held 0.3 GB had reserved 2.4 GB on two cores (OpenBLAS,
    Arrow, DuckDB), and more cores reserve more. Such a limit refuses healthy chapters.
    """

    spare: Spare
    memory_bytes: int | None = None
    is_over = False
    _words: Path | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel; called by Jupyter."""
        self._words = Path(kwargs.pop("words"))
        self.spare.become(
            cmd,
            cwd=Path(kwargs["cwd"]),
            environment={**kwargs["env"], "JPY_PARENT_PID": str(os.getpid())},
            words=self._words,
        )
        self.process = self.spare  # type: ignore[assignment]  # all that is asked of it
        self.pid, self.pgid = self.spare.pid, None  # a signal goes to the kernel, not to us
        _first_to_go(self.spare.pid)
        if self.memory_bytes:
            threading.Thread(target=self._watch, args=(self.memory_bytes,), daemon=True).start()
        return self.connection_info

    def _watch(self, most: int) -> None:
        pid, family, looked = self.spare.pid, _family(self.spare.pid), time.monotonic()
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
        if self._words is not None:
            self.spare.kill()
        return self._words is not None

    def ended(self, where: str) -> str:
        """Say how the kernel ended, in words."""
        code = self.spare.wait(5)
        if code is None or code >= 0:
            return f"ended by itself in {where} (exit code {code})"
        hint = "; perhaps the machine ran out of memory" if code == -signal.SIGKILL else ""
        return f"was ended by {signal.Signals(-code).name} in {where}{hint}"

    def last_words(self) -> str:
        """Return the last line that the kernel wrote before it had a voice."""
        text = self._words.read_text("utf-8", "replace").strip() if self._words else ""
        return text.splitlines()[-1] if text else f"no answer within {START_SECONDS} s"


def kernel_manager(folder: Path, spare: Spare, *, memory_bytes: int | None) -> tuple[Any, Kernel]:
    """Prepare a kernel that talks through sockets in a folder of its own."""
    # This interpreter, whatever the notebook names: names differ between machines.
    argv = ["ipykernel_launcher", "-f", "{connection_file}"]
    # TCP ports can clash between kernels; sockets in a folder of one's own cannot.
    manager = AsyncKernelManager(
        transport="ipc", ip=str(folder / "k"), connection_file=str(folder / "kernel.json")
    )
    manager._kernel_spec = KernelSpec(argv=argv, display_name="Python 3", language="python")
    kernel = Kernel(kernel_id="chapter", kernel_spec=manager.kernel_spec, parent=manager)
    kernel.spare, kernel.memory_bytes = spare, memory_bytes
    manager.provisioner = kernel
    return manager, kernel


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


def gigabytes(count: int | None) -> str:
    """Write a number of bytes for people."""
    return f"{(count or 0) / 2**30:.3g} GiB"
