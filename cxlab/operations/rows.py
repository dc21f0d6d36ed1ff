"""One interval as one row of a result."""

from typing import Any

from cxlab.report.finding import estimate_row
from cxlab.stats.intervals import Interval

__all__ = ["row_of"]


def row_of(
    metric: str, found: Interval, *, unit: str, count: float | None = None, **dims: object
) -> dict[str, Any]:
    """Build a row of `Result.estimates`; `count` is the people in it, else all of n."""
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
