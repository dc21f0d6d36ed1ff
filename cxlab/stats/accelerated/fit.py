"""A line for the logarithm of time, fitted to counts (accelerated failure times).

Own code because lifelines' search stops short of the maximum: by 1e-5 of a coefficient for
Weibull times, in the third digit for log-logistic ones.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError
from cxlab.stats.accelerated.climb import climb
from cxlab.stats.accelerated.likelihood import Distribution
from cxlab.stats.accelerated.result import AcceleratedFit
from cxlab.stats.cox.checked import checked, names_of
from cxlab.stats.cox.newton import identified, inverse_of
from cxlab.stats.cox.ties import Floats

__all__ = ["accelerated"]


def accelerated(
    covariates: pd.DataFrame | ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
    distribution: Distribution = "weibull",
    level: float = 0.95,
) -> AcceleratedFit:
    """Fit an accelerated failure time model to counts.

    Parameters
    ----------
    covariates : pandas.DataFrame or array_like, shape (rows, k)
        Numbers, 0 and 1 for levels; columns of an array are called x1, x2, ...
    stop : array_like, shape (rows,)
        End of observation, above 0, in any unit of time.
    event : array_like, shape (rows,)
        1 where the row ends with the event, 0 where it was last seen without.
    entry : array_like, shape (rows,), optional
        Time after which the row was under observation. Default: from the start.
    frequency : array_like, shape (rows,), optional
        How many such rows there are. Default: 1.
    distribution : {"weibull", "exponential", "log-normal", "log-logistic"}
        Of the times. Compare by `aic` and with the product-limit curve.
    level : float
        Confidence level.

    Returns
    -------
    AcceleratedFit
        A coefficient b multiplies times by exp(b); under Weibull hazards by exp(-b / scale).

    Raises
    ------
    DataError
        If a row cannot be one, there is no event, or a covariate says nothing of its own.
    ConvergenceError
        If the likelihood has no maximum, such as a level without events.

    Notes
    -----
    Times are taken as exact. Where many share one, such as whole weeks, that of the middle of
    the unit is nearer to the truth than that of its end.

    References
    ----------
    Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, 2.3 and 3.6;
    Burridge (1981), Journal of the Royal Statistical Society B 43, 41-45.

    Examples
    --------
    >>> fit = accelerated([0, 0, 1, 1], [2, 5, 4, 9], [1, 0, 1, 0], frequency=[30, 70, 20, 80])
    >>> round(float(fit.table()["estimate"][0]), 2)
    2.66
    """
    if distribution not in ("weibull", "exponential", "log-normal", "log-logistic"):
        raise DataError(
            "distribution must be weibull, exponential, log-normal or log-logistic, "
            f"but is {distribution!r}."
        )
    names, x = names_of(covariates)
    rows, _, _ = checked(
        x, names, stop, event, entry=entry, strata=None, frequency=frequency, ties="breslow"
    )
    if not rows.stop.min() > 0:
        raise DataError(
            f"times must be above 0 to have a logarithm, but one is {rows.stop.min():g}. Count "
            "from half a unit."
        )
    f = rows.frequency
    mean = f @ rows.x / f.sum()
    spread = np.sqrt(f @ (rows.x - mean) ** 2 / f.sum())
    scale = np.where(spread > 1e-12 * np.abs(rows.x).max(axis=0), spread, 1.0)
    z = (rows.x - mean) / scale
    identified(z.T @ (f[:, None] * z) / f.sum(), names, 1.0)

    middle = float(np.log(rows.stop[rows.event]).mean())
    null, _, alone = climb(rows, np.ones((len(f), 1)), np.r_[middle, 1.0], ["1"], distribution)
    start = np.r_[null[0], np.zeros(len(names)), null[1]]
    given = np.column_stack([np.ones(len(f)), z])
    found, curve, loglik = climb(rows, given, start, ["1", *names], distribution)
    coef, covariance = _as_times(found, curve, distribution == "exponential")
    # Back to the covariates as they were given.
    back = np.eye(len(coef) + 1)
    back[1:-1, 1:-1] = np.diag(1 / scale)
    back[0, 1:-1] = -mean / scale
    return AcceleratedFit(
        names=names, coef=back[:-1, :-1] @ coef, log_scale=-float(np.log(found[-1])),
        covariance=back @ covariance @ back.T, loglik=loglik, loglik_null=alone,
        n=float(f.sum()), events=float(f @ rows.event), distribution=distribution, level=level,
    )  # fmt: skip


def _as_times(at: Floats, curve: Floats, fixed: bool) -> tuple[Floats, Floats]:
    """Coefficients of log time, and their covariance with that of the log scale."""
    pace = at[-1]
    coef = at[:-1] / pace
    k = len(coef)
    turn = np.zeros((k + 1, k + 1))  # slopes of (b / scale, 1 / scale) by (b, log scale)
    turn[:k, :k] = pace * np.eye(k)
    turn[:k, k] = -at[:-1]
    turn[k, k] = -pace
    whole = turn.T @ curve @ turn
    covariance = np.zeros((k + 1, k + 1))
    free = slice(0, k + 1 - fixed)
    covariance[free, free] = inverse_of(whole[free, free])
    return coef, covariance
