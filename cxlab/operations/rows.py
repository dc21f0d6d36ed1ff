"""One interval as one row of a result."""

from typing import Any

from cxlab.report.finding import estimate_row
from cxlab.stats.intervals import Interval

__all__ = ["row_of"]


def row_of(
    metric: str, found: Interval, *, unit: str, count: float | None = None, **dims: object
) -> dict[str, Any]:
    """Build a row of `Result.estimates` from an interval.

    Parameters
    ----------
    metric : str
        Dotted name.
    found : Interval
        The estimate.
    unit : str
        As in `cxlab.report.words.value`.
    count : float, optional
        People in this row alone. Default: all of n.
    **dims : str or None
        The group.

    Returns
    -------
    dict
        One row.
    """
    return estimate_row(
        metric,
        found.estimate,
        found.low,
        found.high,
        n=found.n,
        count=count,
        unit=unit,
        method=found.method,
        **dims,
    )
