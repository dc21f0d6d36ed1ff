"""Rows of a complete count, and matrices of moves."""

from typing import Any

import pandas as pd

from cxlab.report import disclosure
from cxlab.report.disclosure import Policy
from cxlab.report.finding import estimate_row

__all__ = ["counted", "protect_moves", "worth_drawing"]


def counted(metric: str, count: float, *, n: float, **dims: object) -> dict[str, Any]:
    """Build a row for a count of everybody: nothing was sampled, so no interval."""
    return estimate_row(
        metric, count, count, count,
        n=n, count=count, unit="count", method="complete count", **dims,
    )  # fmt: skip


def protect_moves(
    estimates: pd.DataFrame,
    rules: Policy | int,
    *,
    axes: tuple[str, str],
    outside: frozenset[str],
    base_is_row: bool = False,
) -> pd.DataFrame:
    """Withhold small cells of a matrix most of whose cells are empty.

    Parameters
    ----------
    estimates : pandas.DataFrame
        A row per metric and pair of groups.
    rules : Policy or int
        See `cxlab.report.disclosure.protect`.
    axes : tuple of str
        The column of groups before, and of those after.
    outside : frozenset of str
        What stands on an axis and is no group: those who came or went.
    base_is_row : bool
        Whether `n` tells how many were in the group before.

    Notes
    -----
    How many are in each group before, and after, stands on its own elsewhere, and there
    small groups are withheld with company. Cells that add up to a group withheld there
    must not give it away here.
    """
    first = estimates[estimates[list(axes)].notna().all(axis=1)]
    cells = first[first["metric"] == first["metric"].iloc[0]] if len(first) else first
    rows = estimates.copy()
    totals: list[dict[str, Any]] = []
    for axis, other in (axes, axes[::-1]):
        size = cells[~cells[axis].isin(outside)].groupby(axis)["count"].sum()
        alone = pd.DataFrame([counted("size", n, n=n, **{axis: name}) for name, n in size.items()])
        if alone.empty:
            continue
        hidden = size[disclosure.protect(alone, rules)["suppressed"].to_numpy()]
        if base_is_row and axis == axes[0]:
            rows.loc[rows[axis].isin(hidden.index), "suppressed"] = True
        totals += [
            counted(str(metric), n, n=n, **{axis: name, other: None}) | {"suppressed": True}
            for metric in first["metric"].unique()
            for name, n in hidden.items()
        ]
    both = pd.concat([rows, pd.DataFrame(totals)], ignore_index=True) if totals else rows
    safe = disclosure.protect(both, rules, sparse=True).head(len(rows))
    return safe.set_axis(estimates.index)[[c for c in estimates.columns if c in safe.columns]]


def worth_drawing(cells: pd.DataFrame, row: str, column: str) -> pd.DataFrame:
    """Leave out the rows and columns of a matrix in which every cell is withheld."""
    shown = cells[~cells["suppressed"].astype(bool)]
    if shown.empty:
        return cells
    return cells[cells[row].isin(shown[row]) & cells[column].isin(shown[column])]
