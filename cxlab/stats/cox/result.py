"""What a Cox regression found: coefficients, hazard ratios with intervals, tests."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, stdtr

from cxlab.errors import DataError
from cxlab.stats.cox.newton import Climb
from cxlab.stats.cox.risk_sets import RiskSets
from cxlab.stats.cox.robust import Clusters
from cxlab.stats.cox.ties import Floats, Ties
from cxlab.stats.intervals import Interval, t_quantile, z_quantile

__all__ = ["FEW", "CoxFit"]

FEW = 20  # clusters; below, the errors are too small to be shown


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
        Of the coefficients; rows of one cluster are taken together where there are clusters.
    model_covariance : numpy.ndarray, shape (k, k)
        Inverse of the information: the same without clusters.
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
    risk, climbed : RiskSets, Climb
        Counts by pattern and time, and the maximum, in units of `(x - mean) / scale`.
    mean, scale : numpy.ndarray, shape (k,)
        What is taken off each covariate, and by what it is then divided.
    strata : list
        What each stratum is called.
    until : numpy.ndarray, shape (strata,)
        Last time at which anybody of each stratum was seen.
    clusters : Clusters, optional
        Who is behind which row.
    """

    names: list[str]
    coef: Floats
    covariance: Floats = field(repr=False)
    model_covariance: Floats = field(repr=False)
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
    until: Floats = field(repr=False)
    clusters: Clusters | None = field(repr=False, default=None)

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients: (k,)."""
        errors: Floats = np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def method(self) -> str:
        """How the numbers were made, in words."""
        said = f"Cox regression, {self.ties.capitalize()} ties, Wald interval"
        if self.clusters is None:
            return said
        few = self.clusters.count < FEW
        return f"{said}, {self.clusters.count:g} clusters" + ": too few for an interval" * few

    @property
    def reach(self) -> float:
        """Standard errors from an estimate to the end of its interval.

        With clusters (G) Student's quantile on G - 1 and the factor of CR1, as Cameron & Miller
        (2015) advise; missing below 20, where even these are too short.
        """
        if self.clusters is None:
            return z_quantile(self.level)
        count = self.clusters.count
        if count < FEW:
            return math.nan
        return t_quantile(self.level, count - 1) * math.sqrt(count / (count - 1))

    def table(self) -> pd.DataFrame:
        """Return one row per covariate: hazard ratio with interval, coefficient, test."""
        far = self.reach * self.se
        return pd.DataFrame(
            {
                "covariate": self.names,
                "estimate": np.exp(self.coef),
                "conf_low": np.exp(self.coef - far),
                "conf_high": np.exp(self.coef + far),
                "coefficient": self.coef,
                "se": self.se,
                "p_value": self._p_values(),
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
        return self.contrast({name: units})

    def contrast(self, weights: Mapping[str, float]) -> Interval:
        """By what the hazard is multiplied when several covariates differ at once.

        Parameters
        ----------
        weights : mapping of str to float
            How much higher each covariate is; 1 for one period and -1 for another compares
            the hazard ratios of two periods.

        Returns
        -------
        Interval
            Symmetric on the log scale; `se` is that of the log.

        Raises
        ------
        DataError
            If a name is not one of the covariates.
        """
        unknown = [name for name in weights if name not in self.names]
        if unknown:
            raise DataError(f"there is no covariate {unknown[0]!r}, only {self.names}.")
        w = np.array([weights.get(name, 0.0) for name in self.names])
        log, se = float(w @ self.coef), math.sqrt(max(0.0, float(w @ self.covariance @ w)))
        far = self.reach * se
        return Interval(
            estimate=math.exp(log), low=math.exp(log - far), high=math.exp(log + far),
            n=self.n, method=self.method, level=self.level, se=se,
        )  # fmt: skip

    def tests(self) -> pd.DataFrame:
        """Test all coefficients at once: by likelihood ratio, Wald and score.

        With clusters by Wald only, for the likelihood takes all rows for independent.
        """
        k = len(self.names)
        wald = float(self.coef @ np.linalg.solve(self.covariance, self.coef))
        ratio = 2 * (self.loglik - self.loglik_null)
        tests = {"likelihood ratio": ratio, "Wald": wald, "score": self.climbed.score_test}
        if self.clusters is not None:
            tests = {"Wald": wald}
        statistic = np.array(list(tests.values()))
        return pd.DataFrame(
            {
                "test": list(tests),
                "statistic": statistic,
                "df": k,
                "p_value": chdtrc(k, np.maximum(statistic, 0.0)),
            }
        )

    def _p_values(self) -> Floats:
        far = -np.abs(self.coef / self.se)
        if self.clusters is None:
            return np.asarray(2 * ndtr(far), dtype=np.float64)
        count = self.clusters.count
        if count < FEW:
            return np.full(len(far), np.nan)
        small = math.sqrt((count - 1) / count)
        return np.asarray(2 * stdtr(count - 1, far * small), dtype=np.float64)
