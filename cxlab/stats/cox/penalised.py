"""Cox regressions that foretell rather than explain: coefficients are held back (ridge).

Many covariates fitted to few events follow chance, and do worse on the next customers than on
those they were fitted to. A penalty on the squares of the coefficients pulls them to 0, more so
the less the events tell of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlab.errors import DataError
from cxlab.stats.cox.fit import cox_at
from cxlab.stats.cox.likelihood import information, moments
from cxlab.stats.cox.newton import Climb, climb
from cxlab.stats.cox.result import CoxFit
from cxlab.stats.cox.risk_sets import RiskSets
from cxlab.stats.cox.ties import Floats, Ties

__all__ = ["PenalisedCox", "penalised_cox"]

# Strengths tried, in units of what the events tell of a coefficient: from one that leaves all
# but a thousandth of it to one that leaves a hundredth.
_TRIED = 10.0 ** (np.arange(8, -13, -1) / 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class PenalisedCox(CoxFit):
    """A Cox regression whose coefficients are pulled to 0; it has no errors, intervals or tests.

    Attributes
    ----------
    strength : float
        Half of it times the square of each coefficient, per standard deviation of its
        covariate, is taken off the log-likelihood.
    effective : float
        Effective degrees of freedom: the number of coefficients that are left, in all.
    path : pandas.DataFrame
        The strengths tried, strongest first: strength, effective, loglik, aic.
    """

    strength: float
    effective: float
    path: pd.DataFrame = field(repr=False)

    @property
    def method(self) -> str:
        """How the numbers were made, in words."""
        return (
            f"Cox regression, {self.ties.capitalize()} ties, ridge of strength {self.strength:.3g} "
            f"({self.effective:.1f} effective degrees of freedom), no interval"
        )

    @property
    def reach(self) -> float:
        """Missing: around an estimate that is biased on purpose no interval holds the truth."""
        return np.nan

    def tests(self) -> pd.DataFrame:
        """Refuse: the size of a coefficient says how far it was pulled, too.

        Raises
        ------
        DataError
            Always.
        """
        raise DataError("a penalised fit has no tests. Fit `cox` to ask what goes with the event.")


def penalised_cox(
    covariates: pd.DataFrame | ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
    free: Sequence[str] = (),
    strength: float | None = None,
    ties: Ties = "efron",
) -> PenalisedCox:
    """Fit a Cox regression with a ridge penalty to counts by pattern, time and end.

    Parameters
    ----------
    covariates, stop, event, entry, strata, frequency, ties
        As for `cox`.
    free : sequence of str
        Covariates that are not penalised.
    strength : float, optional
        Of the penalty. Default: that of 21 between very weak and very strong with the lowest
        AIC.

    Returns
    -------
    PenalisedCox
        What `predicted_survival` and `absolute_risk` take, without errors: the bias that makes
        forecasts better is not in them, so that an interval would claim too much.

    Raises
    ------
    DataError
        As for `cox`, or if the strength is not a number from 0 on, or no covariate is penalised.
    ConvergenceError
        If the likelihood has no maximum in the covariates that are free.

    Notes
    -----
    Maximises l(b) - strength / 2 sum (b_j s_j)^2, with s_j the standard deviation of covariate
    j over the rows: units do not matter. AIC is -2 l + 2 e, with e = tr(I (I + P)^-1), I
    the information and P the diagonal of the penalty: what cross-validation of the partial
    likelihood comes to with many events, and the same on every engine, for nothing is drawn.

    References
    ----------
    Gray (1992), Journal of the American Statistical Association 87, 942-951; Verweij & van
    Houwelingen (1994), Statistics in Medicine 13, 2427-2436.

    Examples
    --------
    >>> rows = [0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 2, 3], [1, 1, 0, 1, 1, 0]
    >>> fit = penalised_cox(*rows, frequency=[10, 10, 80, 20, 20, 60], strength=15)
    >>> round(float(fit.coef[0]), 4), round(fit.effective, 2)
    (0.6421, 0.79)
    """
    if strength is not None and not (np.isfinite(strength) and strength >= 0):
        raise DataError(f"strength must be 0 or more, but is {strength}.")
    tried: list[tuple[float, float, Climb]] = []

    def summit(risk: RiskSets, names: list[str], ties: Ties) -> Climb:
        held = _held(names, free)
        unit = 1.0 if strength is not None else _told(risk, held, ties)
        start = None
        for size in [strength] if strength is not None else _TRIED * unit:
            found = climb(risk, names, ties=ties, penalty=size * held, start=start)
            left = len(names) - size * float(held @ np.diag(found.inverse))
            tried.append((float(size), left, found))
            start = found.beta
        return min(tried, key=lambda one: _aic(one[1], one[2]))[2]

    fit = cox_at(
        summit, covariates, stop, event, entry=entry, strata=strata, frequency=frequency, ties=ties
    )
    size, left, _ = next(one for one in tried if one[2] is fit.climbed)
    plain = {f.name: getattr(fit, f.name) for f in fields(CoxFit)}
    unknown = np.full_like(fit.covariance, np.nan)
    plain |= {"covariance": unknown, "model_covariance": unknown}
    plain["climbed"] = replace(fit.climbed, inverse=unknown)
    path = pd.DataFrame(
        [(one, e, at.loglik, _aic(e, at)) for one, e, at in tried],
        columns=["strength", "effective", "loglik", "aic"],
    )
    return PenalisedCox(**plain, strength=size, effective=left, path=path)


def _held(names: list[str], free: Sequence[str]) -> Floats:
    """1 for each covariate that is penalised, else 0."""
    unknown = [name for name in free if name not in names]
    if unknown:
        raise DataError(f"free must name covariates of {names}, but has {unknown}.")
    held = np.array([name not in free for name in names], dtype=np.float64)
    if not held.any():
        raise DataError("at least one covariate must be penalised, but all are free. Fit `cox`.")
    return held


def _told(risk: RiskSets, held: Floats, ties: Ties) -> float:
    """How much the events tell of a penalised coefficient, on average, at 0."""
    zero = np.zeros(risk.x.shape[1])
    told = np.diag(information(risk, moments(risk, zero, ties=ties)))
    return float(told @ held / held.sum())


def _aic(effective: float, at: Climb) -> float:
    return 2 * effective - 2 * at.loglik
