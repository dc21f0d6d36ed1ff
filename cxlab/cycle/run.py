"""A cycle, end to end: plan, execute what is not finished, publish, remember."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cxlab.cycle import execute as execution
from cxlab.cycle import manifest as manifests
from cxlab.cycle import place
from cxlab.cycle.ledger import Ledger
from cxlab.cycle.made import Made
from cxlab.cycle.plan import Chapter, Plan
from cxlab.cycle.progress import Reporter
from cxlab.data.pseudonyms import hidden_key
from cxlab.errors import CxlabError, RunError

__all__ = ["Options", "Report", "run_cycle", "target_folder"]

# Chapters share the processors: threads of a small product of one would only wait for those of
# another. And a sum does not depend on how many processors a machine has.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_KEEP = 3  # snapshots and finished chapters kept per cycle


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is carried out; none of it changes a number."""

    reports: Path = Path("reports")
    jobs: int = 2
    force: bool = False
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run has done."""

    target: Path
    executed: tuple[str, ...]
    kept: tuple[str, ...]  # chapters that were finished before
    failed: tuple[tuple[str, str], ...]  # chapter and reason
    published: bool  # False where nothing had changed

    @property
    def exit_code(self) -> int:
        """0 when all chapters are good, 1 when one failed."""
        return 1 if self.failed else 0


def run_cycle(plan: Plan, options: Options, reporter: Reporter) -> Report:
    """Run a plan and publish it.

    Chapters that finished before with the same key are taken as they are. A failing
    chapter hides no other. A report in which one failed or was not run never takes the
    place of a whole one, but appears beside it as a draft.

    Parameters
    ----------
    plan : Plan
        As made by `make_plan`.
    options : Options
        Where to, how many at a time, whether to run everything anew.
    reporter : Reporter
        Told of every cell and chapter.

    Raises
    ------
    RunError
        If the reports folder cannot be written, or another run is at this cycle.
    """
    reports = options.reports / plan.name
    _make_folder(options.reports)
    _make_folder(reports)
    _check_owner(reports, plan, options)
    target = reports / plan.cycle.name
    with place.lock(reports / f".{plan.cycle.name}.lock", who=options.command or "cxlab run"):
        place.sweep(reports)
        plan_hash = plan.hash(str(manifests.previous_cycle(reports, plan)))
        if not options.force and _is_current(target, plan_hash):
            shutil.rmtree(_draft(target), ignore_errors=True)
            return Report(
                target=target,
                executed=(),
                kept=tuple(c.name for c in plan.chapters),
                failed=(),
                published=False,
            )
        ledger = Ledger(options.reports / "ledger.sqlite")
        run_id = ledger.start(study=plan.name, cycle=plan.cycle.name, command=options.command)
        try:
            report, seal = _run(plan, options, reporter, reports, run_id, plan_hash)
        except BaseException as fault:
            refused = isinstance(fault, CxlabError)
            with suppress(RunError):  # a full disk must not hide what went wrong
                ledger.finish(run_id, state="refused" if refused else "failed", exit_code=2)
            raise
        ledger.finish(
            run_id,
            state="failed" if report.failed else "ok",
            exit_code=report.exit_code,
            snapshot_hash=plan.snapshot.hash,
            manifest_hash=seal,
            chapters={**dict.fromkeys(report.executed, "ok"), **dict(report.failed)},
        )
    return report


def target_folder(reports: Path, study: str, cycle: str) -> Path:
    """Return where a cycle is published."""
    return reports / study / cycle


def _run(
    plan: Plan, options: Options, reporter: Reporter, reports: Path, run_id: str, plan_hash: str
) -> tuple[Report, str]:
    from cxlab.cycle.publish import publish, write_archive

    pending = [
        c
        for c in plan.chapters
        if c.chosen and not c.withheld and (options.force or not c.finished(plan.state).is_file())
    ]
    outcomes = _execute(plan, pending, options, reporter, run_id)
    made = [_made(plan, chapter, outcomes.get(chapter.name)) for chapter in plan.chapters]
    whole = all(m.is_good for m in made)
    target = reports / plan.cycle.name
    if not whole and _is_whole(target):
        target = _draft(target)
    seal = publish(
        plan,
        made,
        reports=reports,
        target=target,
        run_id=run_id,
        plan_hash=plan_hash if whole else "",
    )
    if whole:
        shutil.rmtree(_draft(target), ignore_errors=True)
    write_archive(reports, plan.settings.title, plan.settings.language)
    _tidy(plan)
    report = Report(
        target=target,
        executed=tuple(c.name for c in pending),
        kept=tuple(m.chapter.name for m in made if m.state == "ok" and m.chapter not in pending),
        failed=tuple((m.chapter.name, m.error) for m in made if m.has_failed),
        published=True,
    )
    return report, seal


def _made(plan: Plan, chapter: Chapter, outcome: execution.Outcome | None) -> Made:
    """Say how a chapter came out: just now, in an earlier run, or not at all."""
    finished = chapter.finished(plan.state)
    if outcome is not None and outcome.state != "ok":
        return Made(
            chapter=chapter,
            state=outcome.state,
            notebook=outcome.output,
            seconds=outcome.seconds,
            error=outcome.error or outcome.state,
        )
    if chapter.withheld:
        return Made(chapter=chapter, state="withheld", notebook=None)
    if not finished.is_file():
        return Made(chapter=chapter, state="not run", notebook=None)
    seconds = outcome.seconds if outcome else 0.0
    return Made(chapter=chapter, state="ok", notebook=finished, seconds=seconds)


def _execute(
    plan: Plan, pending: Sequence[Chapter], options: Options, reporter: Reporter, run_id: str
) -> dict[str, execution.Outcome]:
    """Execute chapters; what finishes is kept under its key for the next run."""
    folder = plan.state / "runs" / run_id
    folder.mkdir(parents=True)
    limits = plan.settings.limits
    jobs = [
        execution.Job(
            name=chapter.name,
            notebook=chapter.notebook,
            output=folder / f"{chapter.name}.ipynb",
            parameters={
                "study": str(plan.study),
                "cycle": plan.cycle.name,
                **chapter.parameters,
            },
            environment={
                "CXLAB_SNAPSHOT": str(plan.snapshot.folder.resolve()),
                "MPLBACKEND": "agg",
                **_ONE_THREAD,
                **hidden_key(plan.settings.privacy.key),
            },
            cwd=Path.cwd(),
            cell_timeout_s=limits.cell_seconds,
            chapter_timeout_s=limits.chapter_seconds,
            memory_bytes=_bytes(limits.memory),
        )
        for chapter in pending
    ]
    keys = {chapter.name: chapter for chapter in pending}

    def done(outcome: execution.Outcome) -> None:
        # Kept at once, so that a run that is killed need not repeat it.
        if outcome.state == "ok" and outcome.output is not None:
            kept = keys[outcome.name].finished(plan.state)
            kept.parent.mkdir(parents=True, exist_ok=True)
            outcome.output.replace(kept)
        reporter.done(outcome)

    if not jobs:
        return {}
    with reporter:
        outcomes = execution.execute(
            jobs,
            at_a_time=max(1, options.jobs),
            loads_cxlab=len(jobs) > 1,
            on_event=reporter.event,
            on_done=done,
        )
    return {outcome.name: outcome for outcome in outcomes}


def _is_current(target: Path, plan_hash: str) -> bool:
    read = manifests.read_manifest(target)
    return (
        read is not None
        and read["plan_hash"] == plan_hash
        and not manifests.verify(target, place.hash_tree(target))
    )


def _is_whole(target: Path) -> bool:
    read = manifests.read_manifest(target)
    return read is not None and all(c["state"] in ("ok", "withheld") for c in read["chapters"])


def _check_owner(reports: Path, plan: Plan, options: Options) -> None:
    """Refuse a folder that holds the reports of another study whose folder has this name."""
    titles = {read["title"] for _, read in manifests.published(reports)}
    if titles - {plan.settings.title} and plan.settings.title not in titles and not options.force:
        raise RunError(
            f"{reports} must hold reports of {plan.settings.title!r}, but holds those of "
            f"{', '.join(map(repr, sorted(titles)))}. Name another folder with --reports, rename "
            "the study's folder, or say --force if only its title has changed."
        )


def _draft(target: Path) -> Path:
    """Return where a report that is not whole goes when a whole one stands."""
    return target.with_name(f"{target.name}-draft")


def _make_folder(folder: Path) -> None:
    if not folder.exists() and folder.parent.is_dir():
        place.check_writable(folder.parent)
        folder.mkdir(exist_ok=True)
    place.check_writable(folder)


def _tidy(plan: Plan) -> None:
    """Keep the newest snapshots of the cycle and chapters of the study; drop older ones."""
    snapshots = sorted(
        (plan.state / "snapshots").glob(f"{plan.cycle.name}-*"), key=lambda f: f.stat().st_mtime
    )
    for old in snapshots[:-_KEEP]:
        if old.resolve() != plan.snapshot.folder.resolve():
            shutil.rmtree(old, ignore_errors=True)
    for old in sorted((plan.state / "runs").glob("*"))[:-20]:
        shutil.rmtree(old, ignore_errors=True)


def _bytes(text: str) -> int:
    number = float(text.rstrip("GMiB "))
    return int(number * {"G": 1024**3, "M": 1024**2}[text.rstrip("iB ")[-1]])
