"""What customers will still be worth: purchases to come, times spend, discounted.

Residual value only: what customers of today will bring from now on. What they have brought
already, and what they cost to win, is not in it.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from cxlab.errors import ParameterError
from cxlab.stats.customer_base.fit import log_ends, positive
from cxlab.stats.customer_base.maximum import Floats, slopes
from cxlab.stats.customer_base.patterns import Histories
from cxlab.stats.customer_base.repeat_buying import RepeatBuying
from cxlab.stats.customer_base.spend import Spend, expected_spend, squared_spend
from cxlab.stats.intervals import Interval, z_quantile

__all__ = ["ResidualValue", "discounted_purchases", "residual_value"]

_NODES = 12  # of the integral over time; the integrand bends slowly


@dataclass(frozen=True, kw_only=True, eq=False)
class ResidualValue:
    """Discounted value still to come of one customer of each history.

    Attributes
    ----------
    base : Histories
        The customers.
    purchases, spend, value : numpy.ndarray, shape (k,)
        Expected purchases, each discounted to now; expected spend per purchase; and their
        product times the margin, less what serving them costs.
    level : float
        Confidence level.
    by_purchases, by_spend : numpy.ndarray, shape (parameters, k)
        Derivatives of `value` by the logarithms of the parameters of each fit.
    chance : numpy.ndarray, shape (k,)
        Variance of what one customer will bring about `value`, were the models true; infinite
        where spend has none.
    """

    base: Histories = field(repr=False)
    purchases: Floats = field(repr=False)
    spend: Floats = field(repr=False)
    value: Floats = field(repr=False)
    level: float
    by_purchases: Floats = field(repr=False)
    by_spend: Floats = field(repr=False)
    covariances: tuple[Floats, Floats] = field(repr=False)
    chance: Floats = field(repr=False)

    def table(self) -> pd.DataFrame:
        """Return one row per history, with the value of one customer and its interval."""
        variance = sum(
            np.einsum("im,ij,jm->m", by, covariance, by)
            for by, covariance in zip(
                (self.by_purchases, self.by_spend), self.covariances, strict=True
            )
        )
        se = np.sqrt(variance)
        low, high = log_ends(np.abs(self.value), se, self.level)
        far = z_quantile(self.level) * se
        low, high = (np.where(self.value > 0, end, self.value + far * side)
                     for end, side in ((low, -1), (high, 1)))  # fmt: skip
        return pd.DataFrame(
            {"x": self.base.x, "t_x": self.base.t_x, "watched": self.base.watched,
             "customers": self.base.customers, "purchases": self.purchases,
             "spend": self.spend, "estimate": self.value, "conf_low": low, "conf_high": high}
        )  # fmt: skip

    def total(self, customers: Floats | None = None, *, realised: bool = False) -> Interval:
        """Value of all customers together, or of a segment.

        Parameters
        ----------
        customers : numpy.ndarray, shape (k,), optional
            How many customers of the segment have each history. Default: all.
        realised : bool
            Whether the interval is for what these customers will bring, which also varies by
            who they are and by chance; by default for what is to be expected of any with
            such histories.

        Returns
        -------
        Interval
            Expected residual value, in the unit of the spend. The interval takes the models
            for true.
        """
        many = self.base.customers if customers is None else customers
        variance = 0.0
        # The two likelihoods are apart under independence of frequency and spend, so their
        # errors are too.
        for by, covariance in zip(
            (self.by_purchases, self.by_spend), self.covariances, strict=True
        ):
            gradient = by @ many
            variance += float(gradient @ covariance @ gradient)
        value, n = float(many @ self.value), float(np.sum(many))
        also = ""
        if realised:
            variance += float(many[many > 0] @ self.chance[many > 0])
            also = " and chance"
        se = variance**0.5
        if not np.isfinite(se):  # spend without a variance: anything may come
            return Interval(estimate=value, low=min(value, 0.0), high=math.inf, n=n,
                            level=self.level, method="maximum likelihood")  # fmt: skip
        if value > 0:
            found = positive(value, se, n=n, level=self.level)
            return replace(found, method=f"maximum likelihood, delta method{also} on the log scale")
        far = z_quantile(self.level) * se  # serving costs more than is earned: no logarithm
        return Interval(estimate=value, low=value - far, high=value + far, n=n, level=self.level,
                        se=se, method=f"maximum likelihood, delta method{also}")  # fmt: skip


def residual_value(
    buying: RepeatBuying,
    spend: Spend,
    base: Histories,
    *,
    length: float,
    discount_rate: float,
    periods_per_year: float,
    margin: float = 1.0,
    cost: float = 0.0,
) -> ResidualValue:
    """Join a model of purchases and a model of spend to a discounted residual value.

    Parameters
    ----------
    buying : RepeatBuying
        Fitted purchases.
    spend : Spend
        Fitted spend per purchase.
    base : Histories
        Customers, with their `spend`.
    length : float
        Time to come, in the unit of the histories.
    discount_rate : float
        Per year, effective: 0.1 for 10 %. A purchase is discounted to now from its moment.
    periods_per_year : float
        Units of time in a year: 52.18 where histories are in weeks, 365.25 in days.
    margin : float
        Share of the spend that is earned, after the cost of goods.
    cost : float
        What serving one purchase costs, taken as known; more than it earns makes a value
        negative.

    Returns
    -------
    ResidualValue
        By history and in total.

    Raises
    ------
    ParameterError
        If an option has no meaning, the base has no spend, or spend has no mean.

    References
    ----------
    Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base
    Analysis", Journal of Marketing Research 42(4), 415-430.
    """
    buying.need()
    spend.need()
    for name, number, least in (
        ("length", length, 0.0), ("periods_per_year", periods_per_year, 0.0),
        ("margin", margin, 0.0), ("discount_rate", discount_rate, -1e-300),
        ("cost", cost, -1e-300),
    ):  # fmt: skip
        if not (np.isfinite(number) and number > least):
            raise ParameterError(f"{name} cannot be {number:g}.")
    if np.isnan(base.spend[base.x > 0]).any():
        raise ParameterError("histories need the spend per repeat purchase. Give them `spend`.")
    rate = float(np.log1p(discount_rate)) / periods_per_year

    def often(theta: Floats) -> Floats:
        return discounted_purchases(buying, np.exp(theta), base, length, rate)

    def paid(theta: Floats) -> Floats:
        spent = expected_spend(np.exp(theta), base.x, base.spend)
        return np.asarray(margin * spent, dtype=np.float64)

    purchases, earned = often(buying.theta), paid(spend.theta)
    if not np.isfinite(earned).all():
        raise ParameterError(
            "the fitted spend has no mean for customers who bought rarely (q is 1 or less), "
            "so neither has their value. Leave out extreme amounts."
        )
    left = earned - cost
    once, twice = buying.moments(base, length)
    own, each = squared_spend(np.exp(spend.theta), base.x, base.spend)
    squared = margin**2 * own - 2 * cost * earned + cost**2
    # Given a customer's mean, purchases differ from it; customers differ, and so do counts.
    chance = once * margin**2 * each + twice * squared - (once * left) ** 2
    sooner = np.divide(purchases, once, out=np.ones_like(once), where=once > 0)
    return ResidualValue(
        base=base, purchases=purchases, spend=earned / margin, value=purchases * left,
        level=buying.level, by_purchases=slopes(often, buying.theta) * left,
        by_spend=slopes(paid, spend.theta) * purchases,
        covariances=(buying.covariance_log, spend.covariance_log),
        chance=sooner**2 * np.maximum(chance, 0.0),
    )  # fmt: skip


def discounted_purchases(
    buying: RepeatBuying, params: Floats, base: Histories, length: float, rate: float
) -> Floats:
    """Expected purchases within a length of time, each discounted to now at a continuous rate.

    By parts, the integral of exp(-rate s) dE(s) is exp(-rate t) E(t) plus rate times that of
    exp(-rate s) E(s), by Gauss and Legendre's rule on the log scale of time.
    """
    at, weights = np.polynomial.legendre.leggauss(_NODES)
    scale = max(float(base.watched.max()), length / 50)
    span = float(np.log1p(length / scale))
    s = np.r_[scale * np.expm1(span * (1 + at) / 2), length]
    inside = rate * np.exp(-rate * s[:-1]) * (scale + s[:-1]) * weights * span / 2
    share = np.r_[inside, np.exp(-rate * length)]
    expected = share @ buying.model.future(params, base, s)
    return np.asarray(buying.model.p_alive(params, base) * expected, dtype=np.float64)
