"""Small groups and uneven amounts are withheld, and so is what would give them away."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.report.disclosure.closing import Demands, close
from cxlab.report.disclosure.policy import AMOUNT, Policy, is_move

__all__ = ["RULES", "blank", "dimensions", "protect", "running", "suppressed_cells", "tally"]

RULES = ("small", "dominance", "complementary")

# Dimensions along which rows are not parts of one total.
_AFTER = {f"after_{unit}" for unit in ("days", "hours", "minutes", "seconds")}
_NOT_ADDITIVE = {
    "period", "cycle", "measure", "contrast", "against", "covariate", "within_days", "model",
    "step", *_AFTER,
}  # fmt: skip
_NUMBERS = ("estimate", "conf_low", "conf_high", "n", "count")


def dimensions(estimates: pd.DataFrame) -> list[str]:
    """Return the columns that say which group a row is about."""
    return [c for c in estimates.columns if c not in ESTIMATE and not str(c).startswith("_")]


def protect(estimates: pd.DataFrame, rules: Policy | int, *, sparse: bool = False) -> pd.DataFrame:
    """Blank the numbers of every cell that is small or uneven, or would reveal one.

    Parameters
    ----------
    estimates : pandas.DataFrame
        Rows with `metric`, the columns of a group, `count`: the people behind the row,
        and for money how it comes about (`Money.columns`). Rows of one metric are taken
        as parts of one total along each dimension but `period`, `cycle`, `measure`,
        `contrast`, `against`, `covariate`, `within_days`, `model`, `step` and the time since
        an entry (`after_days`).
    rules : Policy or int
        When a number is withheld; a mere number is the least of people.
    sparse : bool
        Whether most cells are empty by nature, as in a matrix of moves. Empty ones are
        withheld like small ones but need no company, and of the small ones no exact
        number can be told: more would leave nothing to read.

    Returns
    -------
    pandas.DataFrame
        The same rows; where suppressed, numbers are missing and `suppressed` is true.
        Columns whose name begins with an underscore are left out.
    """
    policy = Policy.of(rules)
    shown = [c for c in estimates.columns if not str(c).startswith("_")]
    if estimates.empty:
        return estimates[shown].copy()
    rows = estimates.reset_index(drop=True)
    dims = dimensions(rows)
    keys = rows[dims].astype("string").fillna("")
    group = keys.groupby(dims, sort=False).ngroup() if dims else None
    moves = rows["metric"].map(is_move)
    exempt = rows["metric"].isin(policy.exceptions)
    given = rows["suppressed"].fillna(False).astype(bool)

    def together(flags: "pd.Series[bool]") -> "pd.Series[bool]":
        """One group hidden in one metric would be readable in its neighbour."""
        if group is not None:
            # A change tells of two cycles: hidden for the other one, it says nothing of this.
            level = _anywhere(flags & ~moves, group)
            flags = flags | level | (moves & _anywhere(flags & moves, group))
        return (flags & ~exempt) | given

    hidden = together(given | policy.is_small(rows) | policy.is_dominated(rows))
    asks = hidden & ((rows["count"] != 0) | (not sparse))
    blocks = list(_blocks(rows, keys, policy, sparse=sparse))
    before = -1
    while before < hidden.sum():
        before = int(hidden.sum())
        for at, names, value, demands in blocks:
            closed = close(
                names, value, demands=demands,
                hidden=hidden.to_numpy()[at], asks=asks.to_numpy()[at], fixed=exempt.to_numpy()[at],
            )  # fmt: skip
            hidden |= rows.index.isin(at[closed])
        hidden = together(hidden)
    return blank(estimates[shown], hidden.to_numpy())


def blank(rows: pd.DataFrame, hidden: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Take out the numbers of some rows."""
    out = rows.copy()
    out.loc[hidden, list(_NUMBERS)] = np.nan
    out["suppressed"] = hidden
    return out


def running(counts: Iterable[float], least: float) -> npt.NDArray[np.bool_]:
    """Tell which of rising counts come too soon after the last one that is shown.

    Two of them that are shown tell how many there were between them.

    >>> running([12, 15, 22, 30, 34], 10).tolist()
    [False, True, False, True, False]
    """
    last, close = 0.0, []
    for count in counts:
        close.append(bool(count - last < least))
        last = last if close[-1] else count
    return np.array(close, dtype=np.bool_)


def suppressed_cells(estimates: pd.DataFrame) -> int:
    """Count the suppressed groups, each once however many metrics it has."""
    return int(_groups(estimates, estimates["suppressed"].fillna(False).astype(bool)).sum())


def tally(before: pd.DataFrame, after: pd.DataFrame, rules: Policy | int) -> dict[str, int]:
    """Count the suppressed groups by the first rule that each one breaks.

    Parameters
    ----------
    before, after : pandas.DataFrame
        The same estimates, unprotected and protected.
    rules : Policy or int
        As they were protected.

    Returns
    -------
    dict of str to int
        small (too few people), dominance, complementary (would tell of another).
    """
    policy = Policy.of(rules)
    hidden = after["suppressed"].fillna(False).astype(bool).to_numpy()
    small = (policy.is_small(before) | before["suppressed"].fillna(False).astype(bool)).to_numpy()
    uneven = policy.is_dominated(before).to_numpy()
    every, few, much = (
        _groups(before, pd.Series(flags, index=before.index))
        for flags in (hidden, hidden & small, hidden & uneven)
    )
    counts = (every & few, every & much & ~few, every & ~few & ~much)
    return {rule: int(flags.sum()) for rule, flags in zip(RULES, counts, strict=True)}


def _groups(estimates: pd.DataFrame, flags: "pd.Series[bool]") -> "pd.Series[bool]":
    """Tell for each group whether one of its rows is flagged."""
    dims = dimensions(estimates)
    if not dims or estimates.empty:
        return pd.Series([bool(flags.any())])
    keys = estimates[dims].astype("string").fillna("")
    return flags.groupby([keys[d] for d in dims]).any()


def _anywhere(flags: "pd.Series[bool]", group: "pd.Series[int]") -> "pd.Series[bool]":
    """Tell for each row whether one of its group is flagged."""
    return group.isin(group[flags])


def _blocks(
    rows: pd.DataFrame, keys: pd.DataFrame, policy: Policy, *, sparse: bool
) -> Iterator[
    tuple[npt.NDArray[np.int64], list[tuple[str, ...]], npt.NDArray[np.floating[Any]], Demands]
]:
    """Take apart the rows that can add up: one metric, one period, one measure.

    Each gives one table of people and, where it is about money, one of amounts.
    """
    axes = sorted(d for d in keys.columns if d not in _NOT_ADDITIVE)
    label = rows["metric"].astype(str)
    for dim in sorted(_NOT_ADDITIVE & set(keys.columns)):
        label = label + "\x1e" + keys[dim].astype(str)
    for found in label.groupby(label, sort=True).indices.values():
        at = np.asarray(found, dtype=np.int64)
        names = [tuple(key) for key in keys[axes].to_numpy(dtype=object)[at]]
        people = rows["count"].iloc[at].astype("float64")
        yield at, names, people.to_numpy(dtype=np.float64), policy.of_people(people, sparse=sparse)
        if AMOUNT in rows.columns and rows[AMOUNT].iloc[at].notna().all():
            amounts = rows[AMOUNT].iloc[at].to_numpy(dtype=np.float64)
            yield at, names, amounts, policy.of_money(rows.iloc[at])
