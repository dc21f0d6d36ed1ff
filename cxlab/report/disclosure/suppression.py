"""Small groups and uneven amounts are withheld, and so is what would give them away."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.report.disclosure.closing import Demands, close
from cxlab.report.disclosure.policy import AMOUNT, Policy, is_move

__all__ = ["RULES", "blank", "dimensions", "protect", "running", "suppressed_cells", "tally"]

Flags: TypeAlias = npt.NDArray[np.bool_]
Words: TypeAlias = npt.NDArray[np.object_]
Block: TypeAlias = tuple[
    npt.NDArray[np.intp], list[tuple[str, ...]], npt.NDArray[np.floating[Any]], Demands
]

RULES = ("small", "dominance", "complementary")

# Dimensions along which rows are not parts of one total.
_AFTER = {f"after_{unit}" for unit in ("days", "hours", "minutes", "seconds")}
_NOT_ADDITIVE = {
    "period", "cycle", "measure", "contrast", "against", "covariate", "within_days", "model",
    "step", "table", *_AFTER,
}  # fmt: skip
_NUMBERS = ("estimate", "conf_low", "conf_high", "n", "count")


def dimensions(estimates: pd.DataFrame) -> list[str]:
    """Return the columns that say which group a row is about."""
    return [c for c in estimates.columns if c not in ESTIMATE and not str(c).startswith("_")]


def protect(
    estimates: pd.DataFrame,
    rules: Policy | int,
    *,
    sparse: bool = False,
    apart: Collection[str] = (),
) -> pd.DataFrame:
    """Blank the numbers of every cell that is small or uneven, or would reveal one.

    Parameters
    ----------
    estimates : pandas.DataFrame
        Rows with `metric`, the columns of a group, `count`: the people behind the row,
        and for money how it comes about (`Money.columns`). Rows of one metric are taken
        as parts of one total along each dimension but `period`, `cycle`, `measure`,
        `contrast`, `against`, `covariate`, `within_days`, `model`, `step`, `table` and the
        time since an entry (`after_days`).
    rules : Policy or int
        When a number is withheld; a mere number is the least of people.
    sparse : bool
        Whether most cells are empty by nature, as in a matrix of moves. Empty ones are
        withheld like small ones but need no company, and of the small ones no exact
        number can be told: more would leave nothing to read.
    apart : collection of str
        More columns whose values are no parts of one total; with `metric`, a group hidden in
        one metric tells of nothing in another.

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
    keys = _keys(rows, dims)
    alone = "metric" in apart
    group = _numbered(np.hstack([keys, _metric(rows)]) if alone else keys)
    moves = rows["metric"].map(is_move).to_numpy(bool)
    exempt = rows["metric"].isin(policy.exceptions).to_numpy(bool)
    given = rows["suppressed"].fillna(False).to_numpy(bool)

    def together(flags: Flags) -> Flags:
        """One group hidden in one metric would be readable in its neighbour."""
        if dims or alone:
            # A change tells of two cycles: hidden for the other one, it says nothing of this.
            level = _anywhere(flags & ~moves, group)
            flags = flags | level | (moves & _anywhere(flags & moves, group))
        kept: Flags = (flags & ~exempt) | given
        return kept

    hidden = together(
        given | policy.is_small(rows).to_numpy(bool) | policy.is_dominated(rows).to_numpy(bool)
    )
    asks = hidden & ((rows["count"].to_numpy(float) != 0) | (not sparse))
    blocks = list(_blocks(rows, keys, policy, sparse=sparse, apart=apart)) if asks.any() else []
    before = -1
    while before < hidden.sum():
        before = int(hidden.sum())
        for at, names, value, demands in blocks:
            hidden[at] |= close(
                names, value, demands=demands, hidden=hidden[at], asks=asks[at], fixed=exempt[at]
            )
        hidden = together(hidden)
    return blank(estimates[shown], hidden)


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
    return int(_groups(estimates, estimates["suppressed"].fillna(False).to_numpy(bool)).sum())


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
    hidden = after["suppressed"].fillna(False).to_numpy(bool)
    small = policy.is_small(before).to_numpy(bool) | before["suppressed"].fillna(False).to_numpy(
        bool
    )
    uneven = policy.is_dominated(before).to_numpy(bool)
    every, few, much = (
        _groups(before, flags) for flags in (hidden, hidden & small, hidden & uneven)
    )
    counts = (every & few, every & much & ~few, every & ~few & ~much)
    return {rule: int(flags.sum()) for rule, flags in zip(RULES, counts, strict=True)}


def _groups(estimates: pd.DataFrame, flags: Flags) -> Flags:
    """Tell for each group whether one of its rows is flagged."""
    dims = dimensions(estimates)
    if not dims or estimates.empty:
        return np.array([flags.any()], dtype=np.bool_)
    group = _numbered(_keys(estimates, dims))
    return np.bincount(group, flags) > 0


def _anywhere(flags: Flags, group: npt.NDArray[np.intp]) -> Flags:
    """Tell for each row whether one of its group is flagged."""
    return (np.bincount(group, flags) > 0)[group]


def _keys(rows: pd.DataFrame, dims: Sequence[str]) -> Words:
    """The group of each row in words, "" where it is a total; shape (rows, dims)."""
    keys = np.empty((len(rows), len(dims)), dtype=object)
    for i, dim in enumerate(dims):
        missing = rows[dim].isna()
        keys[:, i] = ["" if no else str(v) for v, no in zip(rows[dim], missing, strict=True)]
    return keys


def _numbered(keys: Words) -> npt.NDArray[np.intp]:
    """Number the distinct rows of words, in their order."""
    words = np.array(["\x1e".join(key) for key in keys.tolist()], dtype=object)
    return np.unique(words, return_inverse=True)[1]


def _metric(rows: pd.DataFrame) -> Words:
    return rows["metric"].astype(str).to_numpy(object)[:, None]


def _blocks(
    rows: pd.DataFrame, keys: Words, policy: Policy, *, sparse: bool, apart: Collection[str]
) -> Iterator[Block]:
    """Take apart the rows that can add up: one metric, one period, one measure.

    Each gives one table of people and, where it is about money, one of amounts.
    """
    separate = {d: d in _NOT_ADDITIVE or d in apart for d in dimensions(rows)}
    of = {d: keys[:, i] for i, d in enumerate(separate)}
    part = _numbered(np.column_stack([_metric(rows), *(of[d] for d in sorted(of) if separate[d])]))
    axes = [of[d].tolist() for d in sorted(of) if not separate[d]]
    names = list(zip(*axes, strict=True)) if axes else [()] * len(rows)
    people = rows["count"].astype("float64")
    for i in range(part.max() + 1):
        at = np.flatnonzero(part == i)
        mine, count = [names[j] for j in at], people.iloc[at]
        yield at, mine, count.to_numpy(np.float64), policy.of_people(count, sparse=sparse)
        if AMOUNT in rows.columns and rows[AMOUNT].iloc[at].notna().all():
            amounts = rows[AMOUNT].iloc[at].to_numpy(dtype=np.float64)
            yield at, mine, amounts, policy.of_money(rows.iloc[at])
