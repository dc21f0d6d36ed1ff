"""Rows of a complete count, and matrices of moves."""

from typing import Any

import numpy as np
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


def protect_moves(estimates: pd.DataFrame, rules: Policy | int) -> pd.DataFrame:
    """Withhold small cells of a matrix most of whose cells are empty.

    Empty cells are withheld like small ones, so that the two look alike, yet they do not
    ask for company: nobody stands behind them whom a subtraction could find.
    """
    empty = estimates["count"] == 0
    safe = estimates.copy()
    safe[["estimate", "conf_low", "conf_high", "n", "count"]] = np.nan
    safe["suppressed"] = True
    safe.loc[~empty] = disclosure.protect(estimates[~empty], rules)
    return safe


def worth_drawing(cells: pd.DataFrame, row: str, column: str) -> pd.DataFrame:
    """Leave out the rows and columns of a matrix in which every cell is withheld."""
    shown = cells[~cells["suppressed"].astype(bool)]
    if shown.empty:
        return cells
    return cells[cells[row].isin(shown[row]) & cells[column].isin(shown[column])]
