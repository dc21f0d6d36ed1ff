"""The command `cxlab sample`: checks its options, and tells how far it is."""

import sys
import time
from pathlib import Path

from cxlab.data.sample.company import company
from cxlab.data.sample.study import new_sample
from cxlab.data.sample.write import Options, usual_size
from cxlab.errors import ParameterError

__all__ = ["tell_sample"]


def tell_sample(folder: Path, *, customers: int | None, seed: int, variant: str, form: str) -> None:
    """Write a sample company, and say what was written and how long it took.

    Raises
    ------
    ParameterError
        If there is no such variant or format.
    """
    if form not in ("parquet", "csv"):
        raise ParameterError(f"--format must be parquet or csv, but is {form!r}.")
    known = company(variant).variant
    options = Options(
        customers=customers or usual_size(known),
        seed=seed,
        variant=known,
        form=form,
    )
    started = time.monotonic()
    made = new_sample(folder, options, tell=_progress if sys.stderr.isatty() else None)
    seconds = time.monotonic() - started
    sys.stdout.write(
        f"{folder}: {made.rows['people']:,} customers, {made.rows['interactions']:,} interactions, "
        f"{made.rows['orders']:,} orders; {made.raw_bytes / 1e6:,.0f} MB of raw files in "
        f"{seconds:,.0f} s.\n"
    )
    sys.stdout.write(f"The truth is in {folder / 'truth'}. Try it with: cxlab run {folder}\n")


def _progress(done: int, of: int) -> None:
    end = "\n" if done == of else ""
    sys.stderr.write(f"\r{done} of {of} parts{end}")
    sys.stderr.flush()
