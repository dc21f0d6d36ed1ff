"""What every fit of this package offers: parameters with errors, or a plain refusal.

A fit that did not converge can be looked at (`reason`), but gives no number.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from cxlab.errors import ConvergenceError
from cxlab.stats.customer_base.maximum import Floats, slopes
from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["LikelihoodFit", "log_ends", "logit_ends", "positive"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LikelihoodFit:
    """Parameters by maximum likelihood, all positive.

    Attributes
    ----------
    names : tuple of str
        The parameters.
    log_likelihood : float
        Its height where the search ended, in the units of the data.
    n : float
        Customers it rests on.
    reason : str
        Why the search did not converge; empty where it did.
    starts, agreeing : int
        Starts of the search, and how many led to this height.
    level : float
        Confidence level of all intervals.
    theta, covariance_log : numpy.ndarray
        Logarithms of the parameters and their covariance, from the observed information.
    """

    names: tuple[str, ...]
    log_likelihood: float
    n: float
    reason: str
    starts: int
    agreeing: int
    level: float = 0.95
    theta: Floats = field(repr=False)
    covariance_log: Floats = field(repr=False)

    @property
    def converged(self) -> bool:
        """Whether the search found a maximum; if not, no number is given."""
        return not self.reason

    @property
    def params(self) -> dict[str, float]:
        """Estimates by name, in the units of the data."""
        self.need()
        return dict(zip(self.names, np.exp(self.theta).tolist(), strict=True))

    @property
    def aic(self) -> float:
        """Akaike's criterion: the lower, the better a fit foretells for its parameters."""
        return 2 * len(self.names) - 2 * self.log_likelihood

    def table(self) -> pd.DataFrame:
        """One row per parameter, with an interval that is symmetric on the log scale."""
        self.need()
        estimate, se = np.exp(self.theta), np.sqrt(np.diag(self.covariance_log))
        low, high = log_ends(estimate, estimate * se, self.level)
        return pd.DataFrame(
            {"parameter": list(self.names), "estimate": estimate, "se": estimate * se,
             "conf_low": low, "conf_high": high, "n": self.n}
        )  # fmt: skip

    def covariance(self) -> pd.DataFrame:
        """Covariance of the parameters, in the units of the data."""
        self.need()
        scale = np.exp(self.theta)
        values = self.covariance_log * np.outer(scale, scale)
        return pd.DataFrame(values, index=list(self.names), columns=list(self.names))

    def errors(self, function: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
        """Values of a function of the parameters, and their standard errors (delta method)."""
        self.need()
        values = function(np.exp(self.theta))
        by = slopes(lambda u: function(np.exp(u)), self.theta)
        variance = np.einsum("im,ij,jm->m", by, self.covariance_log, by)
        return values, np.sqrt(np.maximum(variance, 0.0))

    def need(self) -> None:
        """Refuse to give a number where the search did not converge.

        Raises
        ------
        ConvergenceError
            With the reason.
        """
        if self.reason:
            raise ConvergenceError(
                f"the fit did not converge: {self.reason}. Give it more customers or a longer "
                "time, or take another model."
            )


def log_ends(estimate: Floats, se: Floats, level: float) -> tuple[Floats, Floats]:
    """Ends of an interval of what is positive, symmetric on the log scale."""
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(estimate > 0, z_quantile(level) * se / estimate, 0.0)
    return estimate * np.exp(-far), estimate * np.exp(far)


def logit_ends(chance: Floats, se: Floats, level: float) -> tuple[Floats, Floats]:
    """Ends of an interval of a chance, symmetric on the logit scale."""
    inside = (chance > 0) & (chance < 1)
    safe = np.where(inside, chance, 0.5)
    far = z_quantile(level) * se / (safe * (1 - safe))
    low, high = expit(logit(safe) - far), expit(logit(safe) + far)
    return np.where(inside, low, chance), np.where(inside, high, chance)


def positive(estimate: float, se: float, *, n: float, level: float) -> Interval:
    """Interval of a positive number by the delta method on the log scale.

    Parameters
    ----------
    estimate, se : float
        The number and its standard error.
    n : float
        Customers it rests on.
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Symmetric in its logarithm.

    Examples
    --------
    >>> found = positive(10.0, 1.0, n=100, level=0.95)
    >>> round(found.low, 2), round(found.high, 2)
    (8.22, 12.17)
    """
    low, high = log_ends(np.array([estimate]), np.array([se]), level)
    return Interval(
        estimate=estimate, low=float(low[0]), high=float(high[0]), n=n, level=level, se=se,
        method="maximum likelihood, delta method on the log scale",
    )  # fmt: skip
