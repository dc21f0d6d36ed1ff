"""How often customers without a contract will buy again, and whether they still do.

Fits BG/NBD, MBG/NBD, Pareto/NBD or BG/BB to counts of histories. Intervals are by the delta method
(save that of `active`), on the scale on which the number may take any value: the log for
purchases, the logit for chances. It needs no draws, so that it is the same on every run and
cheap for a hundred thousand histories; that it covers is checked by simulation.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from cxlab.errors import DataError, ParameterError
from cxlab.stats.customer_base.beta_bernoulli import BetaGeometricBernoulli
from cxlab.stats.customer_base.beta_geometric import BetaGeometricNbd
from cxlab.stats.customer_base.fit import LikelihoodFit, log_ends, logit_ends, positive
from cxlab.stats.customer_base.maximum import maximise
from cxlab.stats.customer_base.pareto import ParetoNbd
from cxlab.stats.customer_base.patterns import Floats, Histories
from cxlab.stats.customer_base.profile import profile_ends
from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["Model", "RepeatBuying", "fit_repeat_buying"]

Model: TypeAlias = Literal["BG/NBD", "MBG/NBD", "Pareto/NBD", "BG/BB"]

_NEARLY_ALL = 1 - 1e-12  # a share whose logit is still a number

_MODELS: dict[str, BetaGeometricNbd | ParetoNbd | BetaGeometricBernoulli] = {
    "BG/NBD": BetaGeometricNbd(modified=False),
    "MBG/NBD": BetaGeometricNbd(modified=True),
    "Pareto/NBD": ParetoNbd(),
    "BG/BB": BetaGeometricBernoulli(),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class RepeatBuying(LikelihoodFit):
    """A fitted model of repeat buying.

    Attributes
    ----------
    model : BetaGeometricNbd, ParetoNbd or BetaGeometricBernoulli
        The likelihood and what follows from it, at given parameters.
    fitted : Histories
        What it was fitted to.
    """

    model: BetaGeometricNbd | ParetoNbd | BetaGeometricBernoulli = field(repr=False)
    fitted: Histories = field(repr=False)

    def p_alive(self, base: Histories) -> pd.DataFrame:
        """Chance that customers of each history still buy, one row per history.

        Nobody is told to be alive for certain: the chance is missing where the model cannot
        doubt it, which `reason` explains.
        """
        chance, se = self.errors(lambda p: self.model.p_alive(p, base))
        low, high = logit_ends(chance, se, self.level)
        sure = chance >= 1
        why = "never bought again, which the model takes for no sign"
        why = why if self.model.title == "BG/NBD" else "bought at the very end of observation"
        values = {"estimate": chance, "conf_low": low, "conf_high": high}
        return _of(base).assign(
            **{name: np.where(sure, np.nan, v) for name, v in values.items()},
            reason=np.where(sure, why, ""),
        )

    def active(self, base: Histories) -> Interval:
        """Customers who still buy, of all of these.

        Parameters
        ----------
        base : Histories
            The customers.

        Returns
        -------
        Interval
            A number of customers. How many of those who never came back are gone is known
            badly, and the delta method claims too much of it: the interval is by profile
            likelihood. Where the data set no end to it, the end is nobody or everybody.

        Raises
        ------
        ParameterError
            If the model takes everybody who never bought again for active.
        """
        if self.model.title == "BG/NBD" and (base.x == 0).any():
            raise ParameterError(
                "BG/NBD takes everybody who never bought again for active, so it cannot count "
                "those who are. Fit MBG/NBD or Pareto/NBD."
            )
        self.need()

        def log_odds(theta: Floats) -> float:
            share = float(base.customers @ self.model.p_alive(np.exp(theta), base)) / base.n
            return float(logit(min(share, _NEARLY_ALL)))

        low, high = profile_ends(
            lambda u: self.model.log_likelihood(u, self.fitted), self.theta, self.covariance_log,
            log_odds, level=self.level,
        )  # fmt: skip
        return Interval(
            estimate=base.n * float(expit(log_odds(self.theta))), n=base.n, level=self.level,
            low=0.0 if np.isnan(low) else base.n * float(expit(low)),
            high=base.n if np.isnan(high) else base.n * float(expit(high)),
            method="maximum likelihood, profile likelihood interval",
        )  # fmt: skip

    def new_customer(self, lengths: ArrayLike) -> pd.DataFrame:
        """Expected repeat purchases of a new customer, one row per length of time."""
        asked = np.atleast_1d(np.asarray(lengths, dtype=np.float64))
        mean, se = self.errors(lambda p: self.model.new(p, asked))
        low, high = log_ends(mean, se, self.level)
        return pd.DataFrame(
            {"length": asked, "estimate": mean, "conf_low": low, "conf_high": high, "n": self.n}
        )

    def future(self, base: Histories, length: float) -> pd.DataFrame:
        """Expected purchases in the time to come of one customer of each history."""
        _positive(length)
        mean, se = self.errors(lambda p: self.expected(p, base, length))
        low, high = log_ends(mean, se, self.level)
        return _of(base).assign(estimate=mean, conf_low=low, conf_high=high)

    def total(self, base: Histories, length: float, *, realised: bool = False) -> Interval:
        """Purchases in the time to come of all these customers together.

        Parameters
        ----------
        base : Histories
            The customers, all or those of a segment.
        length : float
            Time to come, in the unit of the histories.
        realised : bool
            Whether the interval is for what will be counted, which also varies by chance;
            by default for what is to be expected.

        Returns
        -------
        Interval
            A number of purchases. The interval takes the model for true.
        """
        _positive(length)
        total, se = self.errors(
            lambda p: np.array([base.customers @ self.expected(p, base, length)])
        )
        mean, error = float(total[0]), float(se[0])
        if not realised:
            return positive(mean, error, n=base.n, level=self.level)
        once, squared = self.moments(base, length)
        chance = base.customers @ (squared - once**2)
        spread = float(np.sqrt(error**2 + chance))
        # Counts are nearest to normal in their square root.
        middle, half = np.sqrt(mean), z_quantile(self.level) * spread / (2 * np.sqrt(mean))
        return Interval(
            estimate=mean, low=float(max(middle - half, 0.0) ** 2), high=float(middle + half) ** 2,
            n=base.n, level=self.level, se=spread,
            method="maximum likelihood, delta method and chance on the square root scale",
        )  # fmt: skip

    def moments(self, base: Histories, length: float) -> tuple[Floats, Floats]:
        """Expected purchases in the time to come of one customer of each history, and squares."""
        params = np.exp(self.theta)
        alive = self.model.p_alive(params, base)
        once = alive * self.model.future(params, base, np.array([length]))[0]
        return once, alive * self.model.pairs(params, base, length) + once

    def expected(self, params: Floats, base: Histories, length: float) -> Floats:
        """Expected purchases per customer of each history at given parameters."""
        mean = self.model.future(params, base, np.array([length]))[0]
        return np.asarray(self.model.p_alive(params, base) * mean, dtype=np.float64)


def fit_repeat_buying(
    base: Histories, *, model: Model = "BG/NBD", level: float = 0.95
) -> RepeatBuying:
    """Fit a model of repeat buying by maximum likelihood.

    Parameters
    ----------
    base : Histories
        Customers by their history, as `histories` gathers them.
    model : {"BG/NBD", "MBG/NBD", "Pareto/NBD", "BG/BB"}
        Who may leave when: after a repeat purchase, after any purchase, or at any moment; the
        last is for occasions that are counted, such as campaigns.
    level : float
        Confidence level of all intervals.

    Returns
    -------
    RepeatBuying
        With `converged` and the `reason` if not; then it gives no numbers.

    Raises
    ------
    DataError
        If nobody bought again or nobody was watched for any time.
    ParameterError
        If there is no such model.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284; Batislam, Denizel &
    Filiztekin (2007), International Journal of Research in Marketing 24(3), 201-209;
    Schmittlein, Morrison & Colombo (1987), Management Science 33(1), 1-24; Fader, Hardie &
    Shang (2010), Marketing Science 29(6), 1086-1108.

    Examples
    --------
    >>> from cxlab.stats.customer_base.patterns import histories
    >>> base = histories(
    ...     [0, 1, 1, 2, 3, 5, 8], [0, 4, 20, 30, 12, 33, 36], [39] * 7,
    ...     [600, 100, 60, 80, 40, 50, 20],
    ... )
    >>> fit = fit_repeat_buying(base, model="MBG/NBD")
    >>> fit.converged, round(fit.total(base, 39).estimate)
    (True, 461)
    """
    if model not in _MODELS:
        raise ParameterError(f"model must be one of {', '.join(_MODELS)}, but is {model!r}.")
    chosen = _MODELS[model]
    if not base.x.any():
        raise DataError("a model of repeat buying needs repeat purchases, but nobody made one.")
    if not base.watched.any():
        raise DataError("customers must be watched for some time, but all for none.")
    # In units of the mean time watched all parameters are near 1; occasions are counted.
    unit = float(base.customers @ base.watched) / base.n if chosen.times.any() else 1.0
    scaled = base.in_units_of(unit)
    found = maximise(
        lambda u: chosen.log_likelihood(u, scaled), chosen.starts(scaled), chosen.names
    )
    return RepeatBuying(
        model=chosen, fitted=base, names=chosen.names, n=base.n, level=level, reason=found.reason,
        starts=found.starts, agreeing=found.agreeing,
        theta=found.theta + np.log(unit) * chosen.times, covariance_log=found.covariance,
        # A likelihood is a density in time, once per purchase.
        log_likelihood=found.value - float(base.customers @ base.x) * float(np.log(unit)),
    )  # fmt: skip


def _of(base: Histories) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": base.x, "t_x": base.t_x, "watched": base.watched, "customers": base.customers}
    )


def _positive(length: float) -> None:
    if not (np.isfinite(length) and length > 0):
        raise ParameterError(f"the time to come must be longer than 0, but is {length:g}.")
