"""Cox regression from counts: how covariates multiply the rate at which customers leave.

The rows are counts by covariate pattern, time and end, as an engine groups them; the answer is
exactly that for one row per person (see `ties`).
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from cxlab.errors import DataError
from cxlab.stats.cox.checked import checked, names_of
from cxlab.stats.cox.newton import Climb, climb
from cxlab.stats.cox.risk_sets import RiskSets, risk_sets
from cxlab.stats.cox.ties import Floats, Ties
from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["CoxFit", "cox"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CoxFit:
    """Coefficients of a Cox regression: logarithms of hazard ratios.

    Attributes
    ----------
    names : list of str
        Covariates.
    coef : numpy.ndarray, shape (k,)
        Change of the log hazard per unit of each covariate.
    covariance : numpy.ndarray, shape (k, k)
        Of the coefficients.
    loglik, loglik_null : float
        Logarithm of the partial likelihood, and with all coefficients 0.
    n, events : float
        People (or episodes) observed, and those of them who had the event.
    ties : str
        How the events of one time were taken.
    steps : int
        Newton steps to the maximum.
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
    ties: Ties
    steps: int
    level: float = 0.95
    risk: RiskSets = field(repr=False)
    climbed: Climb = field(repr=False)
    mean: Floats = field(repr=False)
    scale: Floats = field(repr=False)
    strata: list[Any] = field(repr=False)

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients: (k,)."""
        errors: Floats = np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def method(self) -> str:
        """How the numbers were made, in words."""
        return f"Cox regression, {self.ties.capitalize()} ties, Wald interval"

    def table(self) -> pd.DataFrame:
        """Return one row per covariate: hazard ratio with interval, coefficient, test."""
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

    def hazard_ratio(self, name: str, *, units: float = 1.0) -> Interval:
        """By what the hazard is multiplied when a covariate is so many units higher.

        Parameters
        ----------
        name : str
            One of the covariates.
        units : float
            How much higher.

        Returns
        -------
        Interval
            Symmetric on the log scale; `se` is that of the log.
        """
        if name not in self.names:
            raise DataError(f"there is no covariate {name!r}, only {self.names}.")
        at = self.names.index(name)
        log, se = units * float(self.coef[at]), abs(units) * float(self.se[at])
        far = z_quantile(self.level) * se
        return Interval(
            estimate=math.exp(log), low=math.exp(log - far), high=math.exp(log + far),
            n=self.n, method=self.method, level=self.level, se=se,
        )  # fmt: skip

    def tests(self) -> pd.DataFrame:
        """Test all coefficients at once: by likelihood ratio, Wald and score."""
        k = len(self.names)
        wald = float(self.coef @ np.linalg.solve(self.covariance, self.coef))
        ratio = 2 * (self.loglik - self.loglik_null)
        statistic = np.array([ratio, wald, self.climbed.score_test])
        return pd.DataFrame(
            {
                "test": ["likelihood ratio", "Wald", "score"],
                "statistic": statistic,
                "df": k,
                "p_value": chdtrc(k, np.maximum(statistic, 0.0)),
            }
        )


def cox(
    covariates: pd.DataFrame | ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    frequency: ArrayLike | None = None,
    ties: Ties = "efron",
    level: float = 0.95,
) -> CoxFit:
    """Fit a Cox regression to counts by pattern, time and end.

    Parameters
    ----------
    covariates : pandas.DataFrame or array_like, shape (rows, k)
        Numbers, 0 and 1 for levels; columns of an array are called x1, x2, ...
    stop : array_like, shape (rows,)
        End of observation, in any unit of time.
    event : array_like, shape (rows,)
        1 where the row ends with the event, 0 where it was last seen without.
    entry : array_like, shape (rows,), optional
        Time after which the row was under observation: it counts in (entry, stop]. Late
        entries, and people whose covariates change, who have a row per stretch. Default: all
        from the start.
    strata : array_like, shape (rows,), optional
        Groups with a baseline hazard of their own.
    frequency : array_like, shape (rows,), optional
        How many such rows there are; exactly as if each stood there so often. Default: 1.
    ties : {"efron", "breslow"}
        How the events of one time are taken. Breslow pulls coefficients to 0 where many
        events share a time.
    level : float
        Confidence level.

    Returns
    -------
    CoxFit
        Coefficients, hazard ratios, tests; and what predictions and checks need.

    Raises
    ------
    DataError
        If a row cannot be one, there is no event, or a covariate says nothing of its own.
    ConvergenceError
        If the likelihood has no maximum; the covariates that separate are named.

    Notes
    -----
    Under Efron the events of one time must be a whole number, for it is people who leave one
    after the other. Weights that are not counts of people fit with Breslow only.

    References
    ----------
    Cox (1972), Journal of the Royal Statistical Society B 34, 187-220; Efron (1977), Journal
    of the American Statistical Association 72, 557-565; Therneau & Grambsch (2000), Modeling
    Survival Data, 3.1 and 3.3.

    Examples
    --------
    >>> fit = cox([0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 2, 3], [1, 1, 0, 1, 1, 0],
    ...           frequency=[10, 10, 80, 20, 20, 60])
    >>> round(float(fit.coef[0]), 4), round(fit.hazard_ratio("x1").low, 3)
    (0.8182, 1.325)
    """
    names, x = names_of(covariates)
    rows, labels, _ = checked(
        x, names, stop, event, entry=entry, strata=strata, frequency=frequency, ties=ties
    )
    risk, mean, scale = risk_sets(rows)
    if ties == "efron":
        _whole(risk)
    found = climb(risk, names, ties=ties)
    return CoxFit(
        names=names, coef=found.beta / scale, covariance=found.inverse / np.outer(scale, scale),
        loglik=found.loglik, loglik_null=found.loglik_null, n=float(rows.frequency.sum()),
        events=float(risk.events.sum()), ties=ties, steps=found.steps, level=level, risk=risk,
        climbed=found, mean=mean, scale=scale, strata=labels,
    )  # fmt: skip


def _whole(risk: RiskSets) -> None:
    """Refuse fractions of people where people leave one after the other."""
    off = np.abs(risk.events - np.rint(risk.events)) > 1e-9 * risk.events
    if off.any():
        at = int(np.flatnonzero(off)[0])
        raise DataError(
            f"under Efron the events of one time must be a whole number, but at time "
            f"{risk.time[at]:g} there are {risk.events[at]:g}. Give counts, or ties='breslow'."
        )
