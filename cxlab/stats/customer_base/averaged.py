"""Several models of renewals together, each by how well it fits.

The data seldom say which model is true, and the one that happens to fit best this time makes
a band that is too narrow. Weighed by AIC, models that fit about as well have about as much to
say, and where they disagree the band says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from cxlab.errors import ConvergenceError
from cxlab.stats.customer_base.fit import logit_ends, positive
from cxlab.stats.customer_base.maximum import Floats
from cxlab.stats.customer_base.renewal_law import log_survival
from cxlab.stats.customer_base.retention import Retention
from cxlab.stats.intervals import Interval

__all__ = ["AveragedRetention"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AveragedRetention:
    """Models of renewals fitted to the same counts, the one that weighs most first.

    Attributes
    ----------
    fits : tuple of Retention
        The models.
    weights : numpy.ndarray, shape (models,)
        What each one's numbers count for; they add up to 1.

    References
    ----------
    Buckland, Burnham & Augustin (1997), "Model Selection: An Integral Part of Inference",
    Biometrics 53, 603-618, equation 9 for the standard error; Burnham & Anderson (2002), Model
    Selection and Multimodel Inference, section 2.9, for the weights.

    Examples
    --------
    >>> from cxlab.stats.customer_base import fit_retention
    >>> cohort = [1000, 869, 743, 653, 593, 551, 517, 491]
    >>> both = AveragedRetention.of(fit_retention(cohort, model=m) for m in ("sBG", "BdW"))
    >>> [(fit.model, round(float(w), 2)) for fit, w in zip(both.fits, both.weights)]
    [('BdW', 0.99), ('sBG', 0.01)]
    """

    fits: tuple[Retention, ...]
    weights: Floats

    @classmethod
    def of(cls, fits: Iterable[Retention]) -> Self:
        """Weigh models that were fitted to the same counts; one that did not converge is left out.

        Raises
        ------
        ConvergenceError
            If none converged.
        """
        tried = list(fits)
        stand = [fit for fit in tried if fit.converged]
        if not stand:
            reasons = "; ".join(f"{fit.model}: {fit.reason}" for fit in tried)
            raise ConvergenceError(f"No model of renewals converged. {reasons}.")
        return cls.weighed(stand, [fit.aic for fit in stand])

    @classmethod
    def weighed(cls, fits: Sequence[Retention], aic: Sequence[float]) -> Self:
        """Weigh models by criteria of their own, such as those of fits that they are parts of."""
        order = np.argsort(aic, kind="stable")
        weights = np.exp((min(aic) - np.asarray(aic)[order]) / 2)
        return cls(fits=tuple(fits[i] for i in order), weights=weights / weights.sum())

    def curve(self, renewals: int) -> pd.DataFrame:
        """Share of new customers who are left after 0, 1, ... renewals, with its band.

        Parameters
        ----------
        renewals : int
            How many are looked at.

        Returns
        -------
        pandas.DataFrame
            `renewal`, `estimate`, `conf_low`, `conf_high`, `n`.
        """
        t = np.arange(renewals + 1, dtype=np.float64)
        each = [fit.errors(lambda p: np.exp(log_survival(p, t))) for fit in self.fits]
        share, se = self._together(*(np.array(v) for v in zip(*each, strict=True)))
        low, high = logit_ends(share, se, self.fits[0].level)
        return pd.DataFrame(
            {"renewal": t.astype(np.int64), "estimate": share, "conf_low": low,
             "conf_high": high, "n": self.fits[0].n}
        )  # fmt: skip

    def further_renewals(self, made: int = 0, *, horizon: int) -> Interval:
        """Expected renewals to come of a customer who has made some, up to a horizon.

        Parameters
        ----------
        made : int
            Renewals made so far.
        horizon : int
            Renewals that are looked at.

        Returns
        -------
        Interval
            As that of one model, `Retention.further_renewals`; the method names all that count.
        """
        each = [fit.further_renewals(made, horizon=horizon) for fit in self.fits]
        worth, se = self._together(
            np.array([[one.estimate] for one in each]), np.array([[one.se] for one in each])
        )
        first = each[0]
        found = positive(float(worth[0]), float(se[0]), n=first.n, level=first.level)
        return replace(found, method=f"{found.method}: {self.method}")

    @property
    def method(self) -> str:
        """What the numbers come from, in words."""
        names = [fit.model for fit in self.fits]
        return names[0] if len(names) == 1 else f"{', '.join(names)} averaged by AIC"

    def _together(self, values: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """Average over models, and an error in which they may disagree: (models, points) each."""
        mean = self.weights @ values
        return mean, self.weights @ np.sqrt(errors**2 + (values - mean) ** 2)
