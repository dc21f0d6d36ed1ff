"""Does a cycle give the same numbers when everything is made anew?

The cycle is run again from its sources, with nothing kept from before, and its findings
are compared with the published ones: equal, or within a tolerance that whoever asks
declares for results of chance.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from cxlab.cycle.findings import read_findings
from cxlab.cycle.plan import make_plan
from cxlab.cycle.progress import Reporter
from cxlab.cycle.run import Options, run_cycle
from cxlab.data.calendar import Cycle
from cxlab.data.settings import Settings
from cxlab.errors import RunError

__all__ = ["differences", "findings_again"]

_WHICH = ["chapter", "metric", "dims", "unit", "method"]
_NUMBERS = ["estimate", "conf_low", "conf_high", "n"]
_SHOWN = 20


def findings_again(
    study: Path, settings: Settings, cycle: Cycle, reporter: Reporter, *, jobs: int = 2
) -> pd.DataFrame:
    """Run a cycle in an empty place, and return its findings; nothing of it is kept.

    Raises
    ------
    RunError
        If a chapter fails.
    """
    with _empty_state() as place:
        plan = make_plan(study, settings, cycle)
        options = Options(reports=place / "reports", jobs=jobs, command="cxlab verify --again")
        report = run_cycle(plan, options, reporter)
        if report.failed:
            name, reason = report.failed[0]
            raise RunError(f"{cycle.name} must run to be compared, but {name} failed: {reason}")
        return read_findings(report.target)


def differences(before: pd.DataFrame, after: pd.DataFrame, *, tolerance: float = 0.0) -> list[str]:
    """Compare the findings of two runs of one cycle.

    Parameters
    ----------
    before, after : pandas.DataFrame
        As read by `read_findings`; the order of rows does not matter.
    tolerance : float
        Largest difference of a number, as a share of it, that counts as equal.

    Returns
    -------
    list of str
        What differs, one line each; empty when nothing does.
    """
    pair = [_keyed(frame) for frame in (before, after)]
    both = pair[0].index.intersection(pair[1].index)
    lines = [
        f"{_name(key)}: only in the published report" for key in pair[0].index.difference(both)
    ]
    lines += [f"{_name(key)}: only in the new run" for key in pair[1].index.difference(both)]
    old, new = (frame.loc[both, _NUMBERS].to_numpy(dtype=float) for frame in pair)
    same = np.isclose(new, old, rtol=tolerance, atol=0.0, equal_nan=True)
    for row, column in np.argwhere(~same)[:_SHOWN]:
        numbers = f"{float(old[row, column])} was published, {float(new[row, column])} came out"
        lines.append(f"{_name(both[row])}: {_NUMBERS[column]}: {numbers}")
    if (more := int((~same).sum()) - _SHOWN) > 0:
        lines.append(f"... and {more:,} more numbers differ.")
    return lines


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """Index findings by what they are about; equal ones are numbered."""
    ordered = frame.sort_values([*_WHICH, *_NUMBERS], kind="stable", ignore_index=True)
    turn = ordered.groupby(_WHICH, dropna=False).cumcount()
    return ordered.assign(turn=turn).set_index([*_WHICH, "turn"])


def _name(key: tuple[object, ...]) -> str:
    chapter, metric, dims = key[:3]
    return f"{chapter} {metric}" + ("" if dims == "{}" else f" {dims}")


@contextmanager
def _empty_state() -> Iterator[Path]:
    """Give a run a place of its own, so that nothing finished before is taken over."""
    before = os.environ.get("CXLAB_STATE")
    with TemporaryDirectory(prefix="cxlab-again-") as place:
        os.environ["CXLAB_STATE"] = str(Path(place) / "state")
        try:
            yield Path(place)
        finally:
            if before is None:
                del os.environ["CXLAB_STATE"]
            else:
                os.environ["CXLAB_STATE"] = before
