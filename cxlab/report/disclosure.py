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
    axes = sorted(d for d in dims if d not in _NOT_ADDITIVE)
    cell = keys.agg("\x1f".join, axis=1) if dims else pd.Series("", index=out.index)
    before = -1
    while before < hidden.sum():
        before = hidden.sum()
        for _, block in out.groupby(_contexts(out, keys), sort=False):
            rows = block.index
            table = _Table(keys.loc[rows, axes], out.loc[rows, "count"], hidden.loc[rows])
            hidden.loc[rows] = table.closed()
        # One group hidden in one metric would be readable in its neighbour.
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


def _contexts(out: pd.DataFrame, keys: pd.DataFrame) -> pd.Series:
    """Label the rows that can add up: one metric, one period, one measure."""
    label = out["metric"].astype(str)
    for dim in keys.columns:
        if dim in _NOT_ADDITIVE:
            label += "\x1e" + keys[dim].astype(str)
    return label


class _Table:
    """Cells and their totals, as lines: parts that add up to a total.

    A total that is not among the rows is taken as known, since another page may show it.
    """

    def __init__(self, keys: pd.DataFrame, count: pd.Series, hidden: pd.Series) -> None:
        self._keys = [tuple(key) for key in keys.to_numpy(dtype=object)]
        self._count = count.to_numpy(dtype=float)
        self._hidden = hidden.to_numpy(dtype=bool).copy()
        place = {key: i for i, key in enumerate(self._keys)}
        lines: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        for i, key in enumerate(self._keys):
            for axis, name in enumerate(key):
                if name != "":
                    total = (*key[:axis], "", *key[axis + 1 :])
                    lines.setdefault((axis, total), []).append(i)
        # Sorted, so that the choice does not depend on the order of rows.
        # One part without a total tells nothing: a group within another one has no sum of its own.
        every = [(np.array(lines[at]), place.get(at[1])) for at in sorted(lines)]
        self._lines = [(p, t) for p, t in every if len(p) > 1 or t is not None]

    def closed(self) -> np.ndarray:
        """Hide more cells until none of the hidden ones can be found by subtraction."""
        while self._close_lines() or self._close_told():
            pass
        return self._hidden

    def _close_lines(self) -> bool:
        found = [self._hide_smallest([line]) for line in self._lines if self._tells(*line)]
        return any(found)

    def _tells(self, parts: np.ndarray, total: int | None) -> bool:
        """Tell whether a line gives its hidden parts away."""
        masked = parts[self._hidden[parts]]
        if not len(masked) or (total is not None and self._hidden[total]):
            return False
        # Two hidden cells share what is missing, unless that is nothing: then both are zero.
        return len(masked) == 1 or not np.nansum(self._count[masked]) > 0

    def _close_told(self) -> bool:
        """Hide one more cell where several lines together give a hidden one away."""
        for i in self._told():
            if self._hide_smallest([(p, t) for p, t in self._lines if i in p or i == t]):
                return True
        return False

    def _told(self) -> list[int]:
        """List the hidden cells that the open ones determine: those that no slack reaches."""
        unknown = np.flatnonzero(self._hidden)
        rows = [
            np.isin(unknown, parts).astype(float) - (unknown == total)
            for parts, total in self._lines
        ]
        if not len(unknown) or not rows:
            return []
        _, size, axes = np.linalg.svd(np.array(rows))
        slack = axes[np.count_nonzero(size > 1e-9) :]  # zeros up to rounding
        told = unknown[np.abs(slack).max(axis=0, initial=0.0) < 1e-9]
        return sorted(told, key=lambda i: self._keys[i])

    def _hide_smallest(self, lines: list[tuple[np.ndarray, int | None]]) -> bool:
        """Hide the smallest open part of some lines, or else a total; ties go by name."""
        parts = {int(i) for parts, _ in lines for i in parts if not self._hidden[i]}
        parts = parts or {t for _, t in lines if t is not None and not self._hidden[t]}
        if not parts:
            return False
        worth = {i: (np.nan_to_num(self._count[i], nan=np.inf), self._keys[i]) for i in parts}
        self._hidden[min(worth, key=worth.__getitem__)] = True
        return True
