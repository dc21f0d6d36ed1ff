"""What a regression of log time found: time ratios, shares and quantiles with intervals."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from cxlab.errors import DataError
from cxlab.stats.accelerated.likelihood import Distribution, shape
from cxlab.stats.cox.checked import names_of
from cxlab.stats.cox.ties import Floats
from cxlab.stats.intervals import z_quantile

__all__ = ["AcceleratedFit"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AcceleratedFit:
    """Coefficients of log time: logarithms of time ratios.

    Attributes
    ----------
    names : list of str
        Covariates, after the intercept.
    coef : numpy.ndarray, shape (k + 1,)
        Intercept, and change of log time per unit of each covariate.
    log_scale : float
        Logarithm of the scale of the noise; 0 for the exponential.
    covariance : numpy.ndarray, shape (k + 2, k + 2)
        Of the coefficients and of `log_scale`; its last row is 0 for the exponential.
    loglik, loglik_null : float
        Logarithm of the likelihood of the times, and with the intercept alone.
    n, events : float
        People observed, and those of them who had the event.
    distribution : str
        Shape of the noise, by the name of the times' distribution.
    level : float
        Confidence level of intervals.
    """

    names: list[str]
    coef: Floats
    log_scale: float
    covariance: Floats = field(repr=False)
    loglik: float
    loglik_null: float
    n: float
    events: float
    distribution: Distribution
    level: float = 0.95

    @property
    def aic(self) -> float:
        """Akaike's criterion, on the scale of time: lower is better among distributions."""
        free = len(self.coef) + (self.distribution != "exponential")
        return 2 * (free - self.loglik)

    def table(self) -> pd.DataFrame:
        """Return one row per covariate: time ratio with interval, coefficient, test."""
        coef, se = self.coef[1:], np.sqrt(np.diag(self.covariance))[1:-1]
        far = z_quantile(self.level) * se
        return pd.DataFrame(
            {
                "covariate": self.names,
                "estimate": np.exp(coef),
                "conf_low": np.exp(coef - far),
                "conf_high": np.exp(coef + far),
                "coefficient": coef,
                "se": se,
                "p_value": 2 * ndtr(-np.abs(coef / se)),
                "n": self.n,
                "events": self.events,
            }
        )

    def survival(self, patterns: pd.DataFrame | ArrayLike, times: ArrayLike) -> pd.DataFrame:
        """Share of each pattern without the event after each time, also beyond the data.

        Parameters
        ----------
        patterns : pandas.DataFrame or array_like, shape (m, k)
            Covariates, those of the fit.
        times : array_like, shape (t,)
            Above 0, in the unit of the fit.

        Returns
        -------
        pandas.DataFrame
            One row per pattern and time: pattern (its index), time, estimate, conf_low,
            conf_high; the interval is symmetric on the scale of the noise.
        """
        asked, scale = np.atleast_1d(np.asarray(times, dtype=np.float64)), np.exp(self.log_scale)
        found = []
        for label, x in self._patterns(patterns):
            z = (np.log(asked) - x @ self.coef) / scale
            slope = np.column_stack([np.tile(-x / scale, (len(z), 1)), -z])
            far = z_quantile(self.level) * self._error(slope)
            share, low, high = (
                np.exp(shape(self.distribution, v)[1][0]) for v in (z, z + far, z - far)
            )
            columns = {"time": asked, "estimate": share, "conf_low": low, "conf_high": high}
            found.append(pd.DataFrame({"pattern": label, **columns}))
        return pd.concat(found, ignore_index=True)

    def quantile(self, patterns: pd.DataFrame | ArrayLike, share: float = 0.5) -> pd.DataFrame:
        """Time by which a share of each pattern had the event; the median by default.

        Parameters
        ----------
        patterns : pandas.DataFrame or array_like, shape (m, k)
            Covariates, those of the fit.
        share : float
            Between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            One row per pattern: pattern, estimate, conf_low, conf_high.
        """
        if not 0 < share < 1:
            raise DataError(f"a quantile needs a share between 0 and 1, but has {share:g}.")
        z = {
            "log-normal": float(ndtri(share)),
            "log-logistic": float(np.log(share / (1 - share))),
        }.get(self.distribution, float(np.log(-np.log1p(-share))))
        rows, noise = [], z * np.exp(self.log_scale)
        for label, x in self._patterns(patterns):
            log = x @ self.coef + noise
            far = z_quantile(self.level) * self._error(np.r_[x, noise][None, :])[0]
            rows.append((label, np.exp(log), np.exp(log - far), np.exp(log + far)))
        return pd.DataFrame(rows, columns=["pattern", "estimate", "conf_low", "conf_high"])

    def _error(self, slope: Floats) -> Floats:
        """Standard error of functions with these slopes by coefficients and log scale."""
        error: Floats = np.sqrt(((slope @ self.covariance) * slope).sum(axis=1))
        return error

    def _patterns(self, patterns: pd.DataFrame | ArrayLike) -> list[tuple[object, Floats]]:
        if isinstance(patterns, pd.DataFrame):
            missing = [name for name in self.names if name not in patterns.columns]
            if missing:
                raise DataError(f"patterns must have covariates {self.names}, but lack {missing}.")
            patterns = patterns[self.names]
        names, x = names_of(patterns)
        if len(names) != len(self.names):
            raise DataError(f"patterns must have one number for each of {self.names}.")
        labels = patterns.index if isinstance(patterns, pd.DataFrame) else range(len(x))
        return list(zip(labels, np.column_stack([np.ones(len(x)), x]), strict=True))
