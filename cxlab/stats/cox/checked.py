"""What a Cox regression is given: made into plain arrays, and refused where it cannot be."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.cox.risk_sets import Ints, Rows
from cxlab.stats.cox.ties import Floats, Ties

__all__ = ["checked", "names_of", "numbers", "starts"]


def names_of(covariates: pd.DataFrame | ArrayLike) -> tuple[list[str], Floats]:
    """Give covariates their names, and one column of numbers each."""
    if isinstance(covariates, pd.DataFrame):
        names = [str(name) for name in covariates.columns]
        wrong = [n for n, kind in zip(names, covariates.dtypes, strict=True) if not _counts(kind)]
        if wrong:
            raise DataError(
                f"covariates must be numbers, but {wrong} are not. Give each level but one a "
                "column of 0 and 1, such as pandas.get_dummies(..., drop_first=True)."
            )
        return names, covariates.to_numpy(dtype=np.float64, na_value=np.nan)
    x = np.asarray(covariates, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2:
        raise DataError(f"covariates must be one row per row of counts, but have shape {x.shape}.")
    return [f"x{j + 1}" for j in range(x.shape[1])], x


def checked(
    x: Floats,
    names: Sequence[str],
    stop: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None,
    strata: ArrayLike | None,
    frequency: ArrayLike | None,
    ties: Ties,
) -> tuple[Rows, list[Any], NDArray[np.bool_]]:
    """Check rows, and leave out those that stand for nobody.

    Returns
    -------
    Rows
        Those with a frequency above 0.
    list
        What each stratum is called, in order.
    numpy.ndarray of bool, shape (rows,)
        Which of the rows given are left.
    """
    if ties not in ("efron", "breslow"):
        raise DataError(f"ties must be efron or breslow, but is {ties!r}.")
    n = len(x)
    end, had = numbers("stop", stop, n), numbers("event", event, n)
    f = np.ones(n) if frequency is None else numbers("frequency", frequency, n)
    start = starts(entry, n)
    _refuse("event", had, ~np.isin(had, (0, 1)), "0 or 1")
    _refuse("frequency", f, f < 0, "0 or more")
    _refuse("entry", start, start >= end, "before the stop of its row")
    for name, column in zip(names, x.T, strict=True):
        _refuse(f"covariate {name!r}", column, ~np.isfinite(column), "a finite number")
    if not names:
        raise DataError("a Cox regression needs at least one covariate, but has none.")
    stratum, labels = _strata(strata, n)
    kept = f > 0
    if not (kept & (had == 1)).any():
        raise DataError("a Cox regression needs at least one event, but there is none.")
    rows = Rows(
        x=x[kept], entry=start[kept], stop=end[kept], event=had[kept] == 1,
        stratum=stratum[kept], frequency=f[kept],
    )  # fmt: skip
    return rows, labels, kept


def numbers(name: str, values: ArrayLike, n: int) -> Floats:
    """One finite number per row, or a refusal."""
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (n,):
        raise DataError(f"{name} must have one number per row ({n}), but has shape {found.shape}.")
    _refuse(name, found, ~np.isfinite(found), "a finite number")
    return found


def starts(entry: ArrayLike | None, n: int) -> Floats:
    """Entry of each row; minus infinity is the start of time."""
    start = np.full(n, -np.inf)
    if entry is not None:
        given = np.asarray(entry, dtype=np.float64)
        known = given != -np.inf
        start[known] = numbers("entry", np.where(known, given, 0.0), n)[known]
    return start


def _strata(strata: ArrayLike | None, n: int) -> tuple[Ints, list[Any]]:
    if strata is None:
        return np.zeros(n, dtype=np.int64), [None]
    given = pd.Series(strata)
    if len(given) != n or given.isna().any():
        raise DataError(f"strata must name one stratum per row ({n}), none of them missing.")
    codes, labels = pd.factorize(given, sort=True)
    return codes.astype(np.int64), list(labels)


def _refuse(name: str, values: Floats, wrong: NDArray[np.bool_], must: str) -> None:
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{name} must be {must}, but row {at} has {values[at]:g}.")


def _counts(kind: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(kind))  # bool counts too
