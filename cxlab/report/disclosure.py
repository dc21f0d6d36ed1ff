"""Small groups are withheld, and so is what would give them away.

A cell with fewer people than `min_cell` is suppressed, zero included. Where cells
add up to a published total, one suppressed cell could be found by subtraction, so
the next smallest cell of the same line goes with it: the complementary rule.
"""

import numpy as np
import pandas as pd

from cxlab.columns import ESTIMATE

__all__ = ["dimensions", "protect", "suppressed_cells"]

# Dimensions along which rows are not parts of one total.
_NOT_ADDITIVE = {"period", "cycle", "measure", "contrast"}
_NUMBERS = ("estimate", "conf_low", "conf_high", "n", "count")


def dimensions(estimates: pd.DataFrame) -> list[str]:
    """Return the columns that say which group a row is about."""
    return [c for c in estimates.columns if c not in ESTIMATE]


def protect(estimates: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Blank the numbers of every cell that is small or would reveal a small one.

    Parameters
    ----------
    estimates : pandas.DataFrame
        Rows with `metric`, the columns of a group, and `count`: the people behind
        the row. Rows of one metric are taken as parts of one total along each
        dimension but `period`, `cycle`, `measure` and `contrast`.
    min_cell : int
        Fewest people that a published cell may stand on.

    Returns
    -------
    pandas.DataFrame
        The same rows; where suppressed, numbers are missing and `suppressed` is true.
    """
    out = estimates.copy()
    if out.empty:
        return out
    dims = dimensions(out)
    keys = out[dims].astype("string").fillna("")
    hidden = out["suppressed"].fillna(False).astype(bool)
    hidden |= out["count"].fillna(np.inf) < min_cell
    for _, block in out.groupby(_families(out, keys), sort=False):
        rows = block.index
        used = [d for d in dims if (keys.loc[rows, d] != "").any()]
        hidden.loc[rows] = _complement(
            keys.loc[rows, used], out.loc[rows, "count"], hidden.loc[rows]
        )
    # One group hidden in one metric would be readable in its neighbour.
    cell = keys.agg("\x1f".join, axis=1) if dims else pd.Series("", index=out.index)
    if dims:
        hidden = hidden.groupby(cell).transform("any")
    out.loc[hidden, list(_NUMBERS)] = np.nan
    out["suppressed"] = hidden
    return out


def suppressed_cells(estimates: pd.DataFrame) -> int:
    """Count the suppressed groups, each once however many metrics it has."""
    hidden = estimates[estimates["suppressed"].fillna(False).astype(bool)]
    dims = dimensions(estimates)
    return len(hidden[dims].drop_duplicates()) if dims else int(len(hidden) > 0)


def _families(out: pd.DataFrame, keys: pd.DataFrame) -> pd.Series:
    """Label the rows that add up to one total: one metric, same dims, one period."""
    used = (keys != "").apply(lambda row: ",".join(row.index[row]), axis=1)
    apart = [d for d in keys.columns if d in _NOT_ADDITIVE]
    label = out["metric"].astype(str) + "\x1e" + used.astype(str)
    for dim in apart:
        label += "\x1e" + keys[dim]
    return label


def _complement(keys: pd.DataFrame, count: pd.Series, hidden: pd.Series) -> pd.Series:
    """Hide more cells until no line of the table gives a hidden one away."""
    hidden = hidden.copy()
    axes = [d for d in keys.columns if d not in _NOT_ADDITIVE]
    changed = bool(axes)
    while changed:
        changed = False
        for axis in axes:
            others = [d for d in axes if d != axis]
            lines = keys.groupby(others, sort=False).groups.values() if others else [keys.index]
            for line in lines:
                changed |= _close_line(keys.loc[line, axis], count, hidden)
    return hidden


def _close_line(labels: pd.Series, count: pd.Series, hidden: pd.Series) -> bool:
    """Hide the smallest open cell of a line whose hidden cells can be told."""
    line = labels.index
    masked = line[hidden.loc[line].to_numpy()]
    open_ = line[~hidden.loc[line].to_numpy()]
    if not len(masked) or not len(open_):
        return False
    # Two hidden cells share what is missing, unless that is nothing: then both are zero.
    if len(masked) > 1 and count.loc[masked].sum() > 0:
        return False
    # Ties go by name, so that the choice does not depend on the order of rows.
    order = pd.DataFrame({"count": count.loc[open_], "label": labels.loc[open_]})
    hidden.loc[order.sort_values(["count", "label"]).index[0]] = True
    return True
