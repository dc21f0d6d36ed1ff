"""What a part of a known base says about all of it, weighted cell by cell.

Each member of the part stands for as many of the base as are in the same cell. That
mends what the cells explain, and nothing else.
"""

import math
from collections.abc import Sequence

import pandas as pd

from cxlab.columns import ALL_OTHERS
from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, centred

__all__ = ["collapsed", "kish_n", "poststratified"]

_SUMS = ("n", "total", "n_n", "n_total", "total_total")


def collapsed(cells: pd.DataFrame, variables: Sequence[str], *, least: int) -> pd.DataFrame:
    """Join cells in which too few members stand for the others.

    Small cells give up the last variable first: those of one parent become one cell. What
    is small to the end joins the next smallest.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row per cell: the variables as text, `members`, `base`, and any more sums.
    variables : sequence of str
        Columns that make a cell, the most important first.
    least : int
        Fewest members of a cell.

    Returns
    -------
    pandas.DataFrame
        As given, with fewer rows; all sums are kept.

    Raises
    ------
    DataError
        If there are fewer members than that in all.

    Examples
    --------
    >>> cells = pd.DataFrame({"region": list("aab"), "age": list("xyx"),
    ...                       "members": [40, 3, 30], "base": [50, 20, 40]})
    >>> collapsed(cells, ["region", "age"], least=10)[["region", "age", "members", "base"]]
      region  age  members  base
    0      a  all       43    70
    1      b    x       30    40
    """
    if cells["members"].sum() < least:
        raise DataError(
            f"weighting needs {least} or more members in all, but has "
            f"{cells['members'].sum():g}. Widen the group."
        )
    names = list(variables)
    frame = cells.groupby(names, as_index=False, sort=True).sum()
    for place in range(len(names) - 1, -1, -1):
        parents = names[:place]
        small = frame["members"] < least
        if parents:
            # A parent with one small cell becomes one cell: what is left would be small again.
            keys = frame[parents].agg("\x1f".join, axis=1)
            small = small.groupby(keys).transform("any")
        frame.loc[small, names[place]] = "all" if parents else ALL_OTHERS
        frame = frame.groupby(names, as_index=False, sort=True).sum()
    while len(frame) > 1 and frame["members"].min() < least:
        frame = frame.sort_values(["members", *names], kind="stable").reset_index(drop=True)
        frame.loc[[0, 1], names] = ALL_OTHERS
        frame = frame.groupby(names, as_index=False, sort=True).sum()
    return frame


def poststratified(cells: pd.DataFrame, *, level: float = 0.95) -> Interval:
    """Mean of one observation in the base, from weighted sums of its members.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row per cell: `members` (at least two) and `base`, both counts of people; of
        the members the sums `n` and `total` over what each did, and `n_n`, `n_total` and
        `total_total` of squares and products, as in `ClusterSums`.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        The mean, in the unit of `total`. The variance takes the cells as given, as Holt
        & Smith (1979) advise; `n` is Kish's effective number of members.

    References
    ----------
    Holt & Smith (1979), "Post Stratification", Journal of the Royal Statistical Society A
    142, 33-46; Cochran (1977), Sampling Techniques, section 6.11 (a ratio over strata).

    Examples
    --------
    >>> cells = pd.DataFrame({"members": [10, 10], "base": [10, 30], "n": [10, 10],
    ...                       "total": [5, 8], "n_n": [10, 10], "n_total": [5, 8],
    ...                       "total_total": [5, 8]})
    >>> round(poststratified(cells).estimate, 3)
    0.725
    """
    c = cells[["members", "base", *_SUMS]].astype("float64")
    weight = c["base"] / c["members"]
    size = float((weight * c["n"]).sum())
    if not size > 0:
        raise DataError("a weighted mean needs observations, but has none. Widen the group.")
    mean = float((weight * c["total"]).sum()) / size
    # Residuals of the ratio, and their variance within each cell.
    total = c["total"] - mean * c["n"]
    squares = c["total_total"] - 2 * mean * c["n_total"] + mean**2 * c["n_n"]
    within = (squares - total**2 / c["members"]).clip(lower=0) / (c["members"] - 1)
    variance = float((c["base"] ** 2 * within / c["members"]).sum()) / size**2
    return centred(
        mean, math.sqrt(variance), df=float((c["members"] - 1).sum()), n=kish_n(cells),
        method="post-stratified mean, t interval", level=level,
    )  # fmt: skip


def kish_n(cells: pd.DataFrame) -> float:
    """How many members with equal weights would be worth as much (Kish 1965, section 11.7)."""
    weight = cells["base"] / cells["members"]
    return float(cells["base"].sum() ** 2 / (cells["members"] * weight**2).sum())
