"""The company's systems hand over their files: every part by a process, then put in order.

A process makes every so many parts of the company, writes each export of a part to a
file of its own, and says so. Here the pieces of a file are put together in the order
of the parts, so that the result does not depend on how many processes there were.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue
from tempfile import TemporaryFile
from typing import IO

from cxlab.data.sample.company import Variant, company
from cxlab.data.sample.simulate import PART
from cxlab.data.sample.truth import write_margins, write_truth
from cxlab.data.sample.world import World
from cxlab.errors import RunError

__all__ = ["Made", "Options", "usual_size", "write_company"]

_START = (
    "import sys; sys.path.append(sys.argv[1]); from cxlab.data.sample import parts; "
    "parts.main(sys.argv[2])"
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which company to write.

    Attributes
    ----------
    customers : int
        How many people.
    seed : int
        From which all chance follows.
    variant : str
        Which of its variants.
    form : str
        Of the two long exports, `parquet` or `csv`.
    part : int
        Customers made at a time. Chance goes by parts: another size is another company.
    """

    customers: int = 20_000
    seed: int = 2026
    variant: Variant = "base"
    form: str = "parquet"
    part: int = PART

    @property
    def world(self) -> World:
        """What all of its customers share."""
        return World(company(self.variant), self.seed)

    @property
    def firsts(self) -> range:
        """The first person of each part."""
        return range(0, self.customers, self.part)


def usual_size(variant: Variant) -> int:
    """Return how many customers a variant has where nobody says."""
    return 40 if variant == "tiny" else 20_000


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was written: rows of the simulated tables, and bytes of the raw files."""

    rows: dict[str, int]
    raw_bytes: int


def write_company(
    folder: Path,
    options: Options,
    *,
    jobs: int = 2,
    tell: Callable[[int, int], None] | None = None,
) -> Made:
    """Write `raw/` and `truth/` of a company below an empty folder.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder.
    options : Options
        Which company.
    jobs : int
        Processes side by side; the files do not depend on it.
    tell : callable
        Is told how many parts are done, and of how many.
    """
    pieces = folder / ".pieces"
    raw = folder / "raw"
    rows: Counter[str] = Counter()
    dirt: Counter[str] = Counter()
    for done, part in enumerate(_parts(pieces, options, jobs), start=1):
        rows.update(part["rows"])
        dirt.update(part["dirt"])
        piece = pieces / f"{part['first']:012d}"
        _put_together(piece / "raw", raw)
        _put_together(piece / "truth", folder / "truth")
        shutil.rmtree(piece)
        if tell:
            tell(done, len(options.firsts))
    pieces.rmdir()
    write_truth(folder / "truth", options.world, dirt)
    write_margins(folder / "truth", raw / "research" / "customer_base.csv")
    sizes = sum(file.stat().st_size for file in raw.rglob("*") if file.is_file())
    return Made(rows=dict(rows), raw_bytes=sizes)


def _parts(pieces: Path, options: Options, jobs: int) -> Iterator[dict[str, dict[str, int]]]:
    """Yield what each part's process says of it, in the order of the parts."""
    pieces.mkdir(parents=True)
    jobs = min(jobs, len(options.firsts))
    with ExitStack() as stack:
        # Files, since a pipe that nobody reads would stop whoever has much to say.
        errors = [
            stack.enter_context(TemporaryFile("w+", encoding="utf-8", errors="replace"))
            for _ in range(jobs)
        ]
        workers = [_start(pieces, options, job, jobs, errors[job]) for job in range(jobs)]
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=jobs))
        # A reader each, so that no process waits with its message.
        said: list[Queue[str]] = [Queue() for _ in workers]
        readers = [pool.submit(_listen, *pair) for pair in zip(workers, said, strict=True)]
        try:
            for place in range(len(options.firsts)):
                line = said[place % jobs].get()
                if not line:
                    raise _dead(workers[place % jobs], errors[place % jobs])
                yield json.loads(line)
        finally:
            # Before the pool waits for its readers: they read until their process ends.
            for worker, reader in zip(workers, readers, strict=True):
                worker.kill()
                worker.wait()
                reader.result()
                if worker.stdout:
                    worker.stdout.close()


def _start(
    pieces: Path, options: Options, job: int, jobs: int, errors: IO[str]
) -> "subprocess.Popen[str]":
    package = str(Path(__file__).parents[3])
    order = {**asdict(options), "folder": str(pieces), "job": job, "jobs": jobs}
    return subprocess.Popen(  # noqa: S603
        # -P: a json.py in the folder where this was started must not be ours.
        [sys.executable, "-P", "-c", _START, package, json.dumps(order)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def _listen(worker: "subprocess.Popen[str]", queue: "Queue[str]") -> None:
    stream: IO[str] | None = worker.stdout
    if stream:
        for line in stream:
            queue.put(line)
    queue.put("")  # the end, or a sudden one


def _dead(worker: "subprocess.Popen[str]", errors: IO[str]) -> RunError:
    worker.wait()  # its last words come after its last message
    errors.seek(0)
    words = errors.read().strip()
    last = words.splitlines()[-1][:300] if words else "without a word"
    return RunError(
        "The process that makes the sample company must finish its parts, but it ended: "
        f"{last}. Free some memory or disk, and try again."
    )


def _put_together(piece: Path, whole: Path) -> None:
    """Append each file of a piece to the whole; Parquet files stay side by side."""
    for file in sorted(f for f in piece.rglob("*") if f.is_file()):
        target = whole / file.relative_to(piece)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            file.replace(target)
            continue
        with file.open("rb") as source, target.open("ab") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
