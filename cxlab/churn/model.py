"""How much sooner do subscriptions end, by what was known at the landmark: the regression.

Fitted to counts by pattern, entry, stop and end. Errors take all rows of one customer together:
what each row adds to the slope of the likelihood goes back to the engine as whole millionths,
and is summed there by customer, exactly and in any order of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.churn.landmarks import Landmarks
from cxlab.churn.spells import CAUSES
from cxlab.data.engine import Table, keep, query, view
from cxlab.stats.cox import CoxFit, cox
from cxlab.stats.cox.robust import Clusters, score_residuals

__all__ = [
    "FEWEST_LEAVERS",
    "Design",
    "causes_of",
    "counts_of",
    "design_of",
    "fitted",
    "leavers",
    "left_of",
]

FEWEST_LEAVERS = 20  # below which there is no regression
PATTERNS = 200_000  # most rows that counts by pattern may have
_OWN_LEVELS = 5
_FEW = 5  # leavers that a covariate needs on either side
_MILLION = 1e6
_Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Design:
    """Which covariates a model has.

    Attributes
    ----------
    levels : dict of str to list of str
        By attribute the levels that are told apart; all others are what they are held against.
    against : dict of str to str
        The commonest of these others.
    signs : dict of str to str
        By column, the sign that it counts.
    follows : tuple of str
        What was left out, since it follows from the others.
    """

    levels: dict[str, list[str]]
    against: dict[str, str]
    signs: dict[str, str]
    follows: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Covariates in the order of the matrix."""
        return [*self.terms]

    @property
    def terms(self) -> dict[str, tuple[str, str | None]]:
        """By covariate, the column it comes from and its level (None for a sign)."""
        said: dict[str, tuple[str, str | None]] = {}
        for attribute, levels in self.levels.items():
            for level in levels:
                said[f"{attribute.replace('_', ' ')}: {level}"] = (attribute, level)
        return said | {sign: (column, None) for column, sign in self.signs.items()}

    def matrix(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Covariates of rows that have the columns."""
        return pd.DataFrame(
            {
                name: rows[column].astype(float) if level is None else
                (rows[column] == level).astype(float)
                for name, (column, level) in self.terms.items()
            },
            index=rows.index,
        )  # fmt: skip


def counts_of(marks: Landmarks, *, only: Sequence[str] | None = None) -> pd.DataFrame:
    """Count rows by pattern, entry, stop and end.

    Parameters
    ----------
    marks : Landmarks
        As `landmarks` sets them up.
    only : sequence of str, optional
        Names of the cycles whose landmarks count.

    Returns
    -------
    pandas.DataFrame
        entry, stop, ended (the cause, or 'none'), the columns of the pattern, and n.
    """
    listed = _columns(marks)
    chosen = pd.DataFrame({"chosen": list(only or [])}, dtype="string")
    join = "" if only is None else "join c on r.cycle = c.chosen"
    return query(
        f"""
        select r.entry, r.stop, coalesce(r.cause, 'none') as ended{listed}, count(*) as n
        from r {join} where r.stop > r.entry
        group by r.entry, r.stop, coalesce(r.cause, 'none'){listed}
        order by r.entry, r.stop, coalesce(r.cause, 'none'){listed}
        """,
        r=marks.rows, limit=PATTERNS, **({} if only is None else {"c": chosen}),
    )  # fmt: skip


def causes_of(counts: pd.DataFrame) -> list[str]:
    """List the causes that enough left of; all together are 'any' where none has enough."""
    n = counts["n"].to_numpy(float)
    return [c for c in CAUSES if n[left_of(counts, c)].sum() >= FEWEST_LEAVERS] or ["any"]


def left_of(counts: pd.DataFrame, cause: str) -> NDArray[np.bool_]:
    """Tell which rows ended of a cause."""
    ended = counts["ended"] != "none" if cause == "any" else counts["ended"] == cause
    return ended.to_numpy(bool)


def leavers(counts: pd.DataFrame, design: "Design", had: NDArray[np.bool_]) -> dict[str, float]:
    """How many left with each covariate, or without it where these are fewer."""
    x, n = design.matrix(counts), counts["n"].to_numpy(float) * had
    return {name: float(min(n[x[name] > 0].sum(), n[x[name] == 0].sum())) for name in design.names}


def design_of(counts: pd.DataFrame, marks: Landmarks, had: NDArray[np.bool_]) -> Design:
    """Choose the covariates that enough of those who left, and of the others, have."""
    n, left = counts["n"].to_numpy(float), counts["n"].to_numpy(float) * had
    levels: dict[str, list[str]] = {}
    against: dict[str, str] = {}
    for attribute in marks.attributes:
        sums = pd.DataFrame({"level": counts[attribute], "n": n, "left": left})
        sums = sums.groupby("level").sum().sort_values("n", ascending=False, kind="stable")
        if sums.empty:
            continue
        against[attribute] = str(sums.index[0])
        rest = sums.iloc[1:]
        kept = rest.index[rest["left"] >= _FEW][:_OWN_LEVELS]
        if sums["left"].sum() - sums.loc[kept, "left"].sum() >= _FEW:
            levels[attribute] = [str(level) for level in kept]
    signs = {}
    for column, sign in zip(marks.sign_columns, marks.signs, strict=True):
        seen = counts[column].to_numpy() > 0
        if min(left[seen].sum(), left[~seen].sum()) >= _FEW:
            signs[column] = sign
    design = Design({a: found for a, found in levels.items() if found}, against, signs)
    return _told_apart(design, counts)


def _told_apart(design: Design, counts: pd.DataFrame) -> Design:
    """Leave out what says nothing beyond those before it, such as a level that two share."""
    x = design.matrix(counts).to_numpy() * np.sqrt(counts["n"].to_numpy(float))[:, None]
    base = np.sqrt(counts["n"].to_numpy(float))[:, None]
    kept, follows = base / np.linalg.norm(base), []
    for name, column in zip(design.names, x.T, strict=True):
        rest = column - kept @ (kept.T @ column)
        rest = rest - kept @ (kept.T @ rest)  # once more, for what rounding left
        size = float(np.linalg.norm(rest))
        if not size > 1e-8 * float(np.linalg.norm(column)):
            follows.append(name)
        else:
            kept = np.column_stack([kept, rest / size])
    out = {design.terms[name] for name in follows}
    levels = {
        attribute: [level for level in each if (attribute, level) not in out]
        for attribute, each in design.levels.items()
    }
    signs = {column: sign for column, sign in design.signs.items() if (column, None) not in out}
    levels = {attribute: each for attribute, each in levels.items() if each}
    return Design(levels, design.against, signs, tuple(follows))


def fitted(
    counts: pd.DataFrame, design: Design, had: NDArray[np.bool_], *, split: float | None = None,
    changing: Sequence[str] = (), marks: Landmarks | None = None, only: Sequence[str] | None = None,
) -> CoxFit:  # fmt: skip
    """Fit the regression, with ratios that change at an age if that is asked for.

    Parameters
    ----------
    counts : pandas.DataFrame
        As `counts_of` gives them.
    design : Design
        The covariates.
    had : numpy.ndarray of bool, shape (rows,)
        Whether a row ends with the event in question.
    split : float, optional
        Week of life at which the ratios of `changing` may change.
    changing : sequence of str
        Covariates whose ratio may change; each becomes two, until and after the split.
    marks : Landmarks, optional
        Where the rows are, for errors that take those of one customer together.
    only : sequence of str, optional
        As for `counts_of`.

    Returns
    -------
    CoxFit
        With errors by customer if `marks` is given.
    """
    origin = np.arange(len(counts))
    low, high = counts["entry"].to_numpy(float), counts["stop"].to_numpy(float)
    event, x = had.astype(float), design.matrix(counts)
    if split is not None:
        crosses = (low < split) & (high > split)
        origin = np.r_[origin, origin[crosses]]
        low, high = np.r_[low, np.full(crosses.sum(), split)], np.r_[high, high[crosses]]
        event = np.r_[np.where(crosses, 0.0, event), event[crosses]]
        high[: len(crosses)][crosses] = split
        x = pd.DataFrame(x.to_numpy()[origin], columns=x.columns)
        columns = {}
        for name in x.columns:
            if name in changing:
                columns[f"{name} until"] = x[name] * (high <= split)
                columns[f"{name} after"] = x[name] * (high > split)
            else:
                columns[name] = x[name]
        x = pd.DataFrame(columns)
    fit = cox(x, high, event, entry=low, frequency=counts["n"].to_numpy(float)[origin])
    fit = replace(fit, n=float(counts["n"].sum()))  # rows, not pieces of them
    if marks is None:
        return fit
    each = score_residuals(fit.risk, fit.climbed.at)
    by_row: _Floats = np.column_stack(
        [np.bincount(origin, column, minlength=len(counts)) for column in each.T]
    ).astype(np.float64)
    return _by_customer(fit, counts, by_row, marks, only)


def _by_customer(
    fit: CoxFit, counts: pd.DataFrame, each: _Floats, marks: Landmarks, only: Sequence[str] | None
) -> CoxFit:
    """Exchange the errors for those of Lin and Wei: products of customers' sums."""
    k = each.shape[1]
    scores = pd.DataFrame(
        {f"u{j}": np.rint(_MILLION * each[:, j]).astype(np.int64) for j in range(k)}
    ).rename_axis("place").reset_index()  # fmt: skip
    sums = ", ".join(f"sum(u.u{j}) as u{j}" for j in range(k))
    people = view(
        f"select r.customer_id, {sums} from r join u on r.place = u.place group by r.customer_id",
        r=_placed(counts, marks, only), u=scores,
    )  # fmt: skip
    pairs = list(combinations_with_replacement(range(k), 2))
    products = ", ".join(
        f"sum(cast(p.u{i} as decimal(19, 0)) * cast(p.u{j} as decimal(19, 0))) as m{i}_{j}"
        for i, j in pairs
    )
    found = query(f"select count(*) as many, {products} from p", p=people).iloc[0]
    meat = np.zeros((k, k))
    for i, j in pairs:
        meat[i, j] = meat[j, i] = float(found[f"m{i}_{j}"]) / _MILLION**2
    inverse = fit.climbed.inverse
    none = np.zeros(0)
    return replace(
        fit, covariance=(inverse @ meat @ inverse) / np.outer(fit.scale, fit.scale),
        clusters=Clusters(
            code=none.astype(np.int64), within=none, alike=np.array([float(found["many"])])
        ),
    )  # fmt: skip


def _placed(counts: pd.DataFrame, marks: Landmarks, only: Sequence[str] | None) -> Table:
    """Tell of each row which row of the counts it is in: customer_id, place."""
    keys = ["entry", "stop", *marks.attributes, *marks.sign_columns]
    known = counts[[*keys, "ended"]].rename_axis("place").reset_index()
    on = " and ".join(f'r."{key}" = k."{key}"' for key in keys)
    chosen = pd.DataFrame({"chosen": list(only or [])}, dtype="string")
    join = "" if only is None else "join c on r.cycle = c.chosen"
    return keep(
        view(
            f"""
            select r.customer_id, k.place from r {join}
            join k on {on} and coalesce(r.cause, 'none') = k.ended
            """,
            r=marks.rows, k=known, **({} if only is None else {"c": chosen}),
        )
    )  # fmt: skip


def _columns(marks: Landmarks) -> str:
    return "".join(f', r."{c}"' for c in (*marks.attributes, *marks.sign_columns))
