"""Run chapters: several at a time, each within its limits, none harming another.

This side schedules, keeps the time and collects; `worker` and `kernels` do the work in
processes of their own.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cxlab.cycle import executed
from cxlab.cycle.starter import Starter

__all__ = ["Event", "Job", "Outcome", "State", "execute"]

State = Literal["ok", "failed", "timed out", "killed", "out of memory"]

_LIMITS = ("cell_timeout_s", "chapter_timeout_s", "memory_bytes")
_END_SECONDS = 5  # from a request to the order


@dataclass(frozen=True, kw_only=True)
class Job:
    """One notebook to run.

    Attributes
    ----------
    name : str
        The chapter's name, as in `40_feedback`.
    notebook, output : pathlib.Path
        What to run, and where the executed notebook goes. The folder exists.
    parameters : dict
        Values for the parameters cell, checked before.
    environment : dict
        Variables that the kernel gets on top of the runner's own.
    cwd : pathlib.Path
        Working directory of the notebook.
    cell_timeout_s, chapter_timeout_s : float
        Limits in seconds.
    memory_bytes : int, optional
        What the kernel and its children may hold together. Default: no limit.
    """

    name: str
    notebook: Path
    output: Path
    parameters: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path()
    cell_timeout_s: float = 600
    chapter_timeout_s: float = 1800
    memory_bytes: int | None = None

    def as_order(self) -> dict[str, Any]:
        """Return it as JSON, its paths independent of anyone's working directory."""
        paths = {k: str(Path(getattr(self, k)).absolute()) for k in ("notebook", "output", "cwd")}
        limits = {k: getattr(self, k) for k in _LIMITS}
        given = {"parameters": dict(self.parameters), "environment": dict(self.environment)}
        return {**paths, **limits, **given}


@dataclass(frozen=True)
class Event:
    """A cell has started: the `cell`-th of `cells`, `elapsed` seconds into its chapter."""

    chapter: str
    cell: int
    cells: int
    elapsed: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a chapter ended.

    Attributes
    ----------
    name : str
        The chapter's name.
    state : str
        ok, failed, timed out, killed or out of memory.
    error : str or None
        One line in plain words; None when ok.
    seconds : float
        Wall time from the start of its worker.
    cells : int
        Code cells that ran to their end.
    output : pathlib.Path or None
        The executed notebook, also of a chapter that failed: as far as it got, with
        the error in it. None if the notebook itself cannot be read.
    """

    name: str
    state: State
    error: str | None
    seconds: float
    cells: int
    output: Path | None


def execute(
    jobs: Sequence[Job],
    *,
    at_a_time: int,
    loads_cxlab: bool = False,
    on_event: Callable[[Event], None],
    on_done: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Run notebooks in processes of their own and wait for all of them.

    Parameters
    ----------
    jobs : sequence of Job
        What to run, started in this order.
    at_a_time : int
        How many chapters may run side by side, at least 1.
    loads_cxlab : bool, optional
        Load cxlab once for all kernels, which are forks; worth its seconds where more than
        one chapter uses it.
    on_event : callable
        Called with an `Event` whenever a cell starts.
    on_done : callable, optional
        Called with an `Outcome` as soon as a chapter has ended.

    Returns
    -------
    list of Outcome
        One for each job, in the order of the jobs.

    Raises
    ------
    RunError
        If no worker can be started. A chapter that fails is an outcome, not an error.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = deque(enumerate(jobs))
    running: dict[int, _Running] = {}
    if not jobs:
        return []
    starter = Starter(loads_cxlab=loads_cxlab, environment=_shared_environment(jobs))
    with _no_partials(jobs), starter as workers:
        while waiting or running:
            while waiting and len(running) < max(at_a_time, 1):
                number, job = waiting.popleft()
                running[number] = _Running(job)
                workers.order({"start": number, "job": job.as_order()})
            pause = min(one.left for one in running.values())
            for message in workers.messages(timeout=max(pause, 0)):
                if "gone" in message:
                    outcome = running.pop(message["gone"]).outcome(message["status"])
                    outcomes[message["gone"]] = outcome
                    on_done(outcome)
                elif "started" in message:
                    running[message["started"]].started = time.monotonic()
                elif "cell" in message:
                    on_event(running[message["number"]].event(message))
                elif "result" in message:
                    running[message["number"]].result = message["result"]
            for number, one in running.items():
                if one.left <= 0:
                    workers.order({one.next_order(): number})
    return [outcomes[number] for number in range(len(jobs))]


def _shared_environment(jobs: Sequence[Job]) -> dict[str, str]:
    return dict(set.intersection(*(set(job.environment.items()) for job in jobs)))


@contextmanager
def _no_partials(jobs: Sequence[Job]) -> Iterator[None]:
    """Take away what an interrupted run leaves half-written."""
    try:
        yield
    finally:
        for job in jobs:
            partial = executed.partial_path(job.output)
            partial.unlink(missing_ok=True)
            partial.with_name(partial.name + ".new").unlink(missing_ok=True)


@dataclass
class _Running:
    """A chapter under way."""

    job: Job
    started: float = field(default_factory=time.monotonic)
    result: dict[str, Any] | None = None
    grace: float = 0
    cell: int = 0
    cells: int = 0

    @property
    def left(self) -> float:
        """Seconds until it must have ended."""
        return self.started + self.job.chapter_timeout_s + self.grace - time.monotonic()

    def next_order(self) -> Literal["stop", "kill"]:
        """Return what to ask for when time is up: first that it ends, then its end."""
        asked, self.grace = self.grace > 0, self.grace + _END_SECONDS
        return "kill" if asked else "stop"

    def event(self, message: Mapping[str, Any]) -> Event:
        self.cell, self.cells = message["cell"], message["cells"]
        elapsed = time.monotonic() - self.started
        return Event(self.job.name, self.cell, self.cells, elapsed)

    def outcome(self, status: int) -> Outcome:
        seconds = time.monotonic() - self.started
        result = self.result or self._salvage(status)
        kept = self.job.output if self.job.output.exists() else None
        return Outcome(name=self.job.name, seconds=seconds, output=kept, **result)

    def _salvage(self, status: int) -> dict[str, Any]:
        """Say why no result came, and keep the notebook as far as it got."""
        where = f" in cell {self.cell} of {self.cells}" if self.cell else ""
        if self.grace:
            limit = f"{self.job.chapter_timeout_s:g} s"
            state, error = "timed out", f"The chapter ran longer than its {limit}; stopped{where}."
        else:
            state, error = "killed", f"The worker was ended from outside{where} (status {status})."
        partial = executed.partial_path(self.job.output)
        for source in (partial, self.job.notebook):
            try:
                notebook = json.loads(source.read_text("utf-8"))
                executed.add_error(notebook, name=executed.error_name(state), message=error)
                executed.scrub(notebook, cwd=self.job.cwd)
                executed.write(notebook, self.job.output, is_final=True)
                break
            except (OSError, ValueError, KeyError):
                continue
        return {"state": state, "error": error, "cells": max(self.cell - 1, 0)}
