"""Tied events taken exactly: any as many of those at risk might have had them (Cox 1972).

Where d of n at risk have the event at one time, the likelihood of it being these is that among
all sets of d. Time is then made of steps, such as renewal dates, and the coefficients are
logarithms of odds ratios within a step. Efron's ties, which take time for continuous and merely
written down in steps, are what `cox` fits, predicts and checks with.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from cxlab.errors import ConvergenceError, DataError
from cxlab.stats.cox.fit import cox
from cxlab.stats.cox.newton import identified, inverse_of
from cxlab.stats.cox.risk_sets import RiskSets
from cxlab.stats.cox.ties import Floats
from cxlab.stats.intervals import z_quantile

__all__ = ["ExactCox", "TiedSet", "exact_cox", "exact_likelihood", "tied_sets"]

_MOST = 50_000  # rows at risk times events, over all times: more take minutes
_STEPS = 50
_ARRIVED = 1e-9  # last step in standard deviations of a covariate
_FLIGHT = 20.0  # difference in log odds that no real covariate makes


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactCox:
    """Coefficients of a Cox regression with exact ties: logarithms of odds ratios.

    Attributes
    ----------
    names : list of str
        Covariates.
    coef : numpy.ndarray, shape (k,)
        Change of the log odds within a step of time, per unit of each covariate.
    covariance : numpy.ndarray, shape (k, k)
        Of the coefficients: the inverse of the information.
    loglik, loglik_null : float
        Logarithm of the exact partial likelihood, and with all coefficients 0.
    n, events : float
        Rows observed, and those of them with the event.
    level : float
        Confidence level of intervals.
    """

    names: list[str]
    coef: Floats
    covariance: Floats = field(repr=False)
    loglik: float
    loglik_null: float
    n: float
    events: float
    level: float = 0.95

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients: (k,)."""
        errors: Floats = np.sqrt(np.diag(self.covariance))
        return errors

    def table(self) -> pd.DataFrame:
        """Return one row per covariate: odds ratio with Wald interval, coefficient, test."""
        far = z_quantile(self.level) * self.se
        return pd.DataFrame(
            {
                "covariate": self.names,
                "estimate": np.exp(self.coef),
                "conf_low": np.exp(self.coef - far),
                "conf_high": np.exp(self.coef + far),
                "coefficient": self.coef,
                "se": self.se,
                "p_value": 2 * ndtr(-np.abs(self.coef / self.se)),
                "n": self.n,
                "events": self.events,
            }
        )


def exact_cox(
    covariates: pd.DataFrame | ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> ExactCox:
    """Fit a Cox regression by the exact partial likelihood, to a row per person.

    Parameters
    ----------
    covariates, stop, event, entry, strata
        As for `cox`; rows are single people (or episodes), not counts.
    level : float
        Confidence level.

    Returns
    -------
    ExactCox
        Coefficients with errors. Without ties they are those of `cox`.

    Raises
    ------
    DataError
        As for `cox`; also where rows at risk times events, over all times, come to more than
        50,000.
    ConvergenceError
        If the likelihood has no maximum.

    References
    ----------
    Cox (1972), Journal of the Royal Statistical Society B 34, 187-220, section 6; Gail, Lubin &
    Rubinstein (1981), Biometrika 68, 703-707, for the sums over sets.

    Examples
    --------
    >>> fit = exact_cox([0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 1, 2], [1, 1, 0, 1, 1, 1])
    >>> round(float(fit.coef[0]), 4)
    1.396
    """
    # Efron's fit is near, and refuses what cannot be fitted.
    near = cox(covariates, stop, event, entry=entry, strata=strata, ties="efron")
    sets = tied_sets(near.risk)
    beta = np.zeros(len(near.names))
    loglik_null, _, curve = exact_likelihood(sets, beta)
    identified(curve, near.names, near.events)
    beta = near.climbed.beta
    width = np.ptp(near.risk.x, axis=0)
    loglik, slope, curve = exact_likelihood(sets, beta)
    for _ in range(_STEPS):
        step = np.linalg.solve(curve, slope)
        step = step * min(1.0, 1.0 / max(1e-300, float((np.abs(step) * width).max())))
        beta = beta + step
        if (np.abs(beta) * width).max() > _FLIGHT:
            break
        loglik, slope, curve = exact_likelihood(sets, beta)
        if np.abs(step).max() < _ARRIVED:
            return ExactCox(
                names=near.names, coef=beta / near.scale,
                covariance=inverse_of(curve) / np.outer(near.scale, near.scale),
                loglik=loglik, loglik_null=loglik_null, n=near.n, events=near.events, level=level,
            )  # fmt: skip
    worst = near.names[int(np.argmax(np.abs(beta) * width))]
    raise ConvergenceError(
        f"the exact likelihood must have a maximum, but it keeps rising with the coefficient of "
        f"{worst!r}. Join its level with another, leave it out, or fit `cox` with Efron's ties."
    )


@dataclass(frozen=True, eq=False)
class TiedSet:
    """Those at risk at one time.

    Attributes
    ----------
    x : numpy.ndarray, shape (rows, k)
        Their covariates.
    had : numpy.ndarray of bool, shape (rows,)
        Who had the event.
    """

    x: Floats
    had: NDArray[np.bool_]


def tied_sets(risk: RiskSets) -> list[TiedSet]:
    """List those at risk at each time of an event; where all of them had it, nothing is told."""
    work = risk.events @ risk.at_risk(np.ones((len(risk.x), 1)))[:, 0]
    if work > _MOST:
        raise DataError(
            f"exact ties need rows at risk times events to come to at most {_MOST:,}, but they "
            f"come to {work:,.0f}. Fit `cox` with Efron's ties."
        )
    x = risk.x[risk.pattern]
    sets = []
    for slot in range(len(risk.time)):
        there = (risk.first <= slot) & (slot < risk.last)
        sets.append(TiedSet(x[there], (risk.had & (risk.last == slot + 1))[there]))
    return [one for one in sets if not one.had.all()]


def exact_likelihood(sets: list[TiedSet], beta: Floats) -> tuple[float, Floats, Floats]:
    """Logarithm of the exact partial likelihood, its slope (k,) and negative curvature (k, k)."""
    value, slope, curve = 0.0, np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
    for one in sets:
        log_sum, mean, spread = _over_sets(one.x, one.x @ beta, int(one.had.sum()))
        total = one.x[one.had].sum(axis=0)
        value += float(total @ beta) - log_sum
        slope += total - mean
        curve += spread
    return value, slope, curve


def _over_sets(x: Floats, log_odds: Floats, d: int) -> tuple[float, Floats, Floats]:
    """Sum over all sets of d rows: log of the sum of their odds, mean and variance of their x.

    Row after row: a set of j has the new row and j - 1 of those before, or only those before.
    """
    k = x.shape[1]
    odds, mean, square = np.zeros(d + 1), np.zeros((d + 1, k)), np.zeros((d + 1, k, k))
    odds[0], scale = 1.0, 0.0
    for row, w in zip(x, np.exp(log_odds - log_odds.max()), strict=True):
        cross = mean[:-1, :, None] * row
        square[1:] += w * (
            square[:-1] + cross + cross.transpose(0, 2, 1)
            + odds[:-1, None, None] * np.outer(row, row)
        )  # fmt: skip
        mean[1:] += w * (mean[:-1] + odds[:-1, None] * row)
        odds[1:] += w * odds[:-1]
        size = odds.max()
        scale += np.log(size)
        odds, mean, square = odds / size, mean / size, square / size
    middle = mean[d] / odds[d]
    log_sum = np.log(odds[d]) + scale + d * log_odds.max()
    return float(log_sum), middle, square[d] / odds[d] - np.outer(middle, middle)
