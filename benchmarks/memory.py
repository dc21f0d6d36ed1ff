"""The most memory that this process had in use, without what its parent had before it.

The system hands the peak of whoever starts a process on to it, so that a small one started by a
large one looks large.
"""

import contextlib
import re
import resource
from pathlib import Path

__all__ = ["peak_megabytes"]


def peak_megabytes() -> int:
    """Read the peak of this process; where the system does not tell it, the one handed on."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
