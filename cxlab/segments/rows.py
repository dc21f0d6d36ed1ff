"""Rows of a result, from an interval or from a complete count."""

from typing import TYPE_CHECKING, Any

from cxlab.report.finding import estimate_row

if TYPE_CHECKING:  # scipy stays out of the room's import
    from cxlab.stats.intervals import Interval

__all__ = ["counted", "measured"]


def measured(
    metric: str, found: "Interval", *, unit: str, count: float, **dims: object
) -> dict[str, Any]:
    """Build a row from an interval; `count` is the people in it alone."""
    return estimate_row(
        metric, found.estimate, found.low, found.high,
        n=found.n, count=count, unit=unit, method=found.method, **dims,
    )  # fmt: skip


def counted(metric: str, count: float, *, n: float, **dims: object) -> dict[str, Any]:
    """Build a row for a count of everybody: nothing was sampled, so no interval."""
    return estimate_row(
        metric, count, count, count,
        n=n, count=count, unit="count", method="complete count", **dims,
    )  # fmt: skip
