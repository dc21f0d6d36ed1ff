"""The partial likelihood of Cox, its slope and its curvature, from sums over risk sets."""

from dataclasses import dataclass

import numpy as np

from cxlab.stats.cox.risk_sets import RiskSets
from cxlab.stats.cox.ties import Floats, Ties, TieSums, tie_sums

__all__ = ["Moments", "information", "log_likelihood", "moments", "schoenfeld", "score"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """What one value of the coefficients implies at each slot.

    Attributes
    ----------
    hazard : numpy.ndarray, shape (patterns,)
        exp(x'b) of each pattern.
    s1, e1 : numpy.ndarray, shape (slots, k)
        Sums of exp(x'b) x over those at risk, and over those with the event.
    sums : TieSums
        Sums over the events of each slot.
    """

    hazard: Floats
    s1: Floats
    e1: Floats
    sums: TieSums

    @property
    def mean_sum(self) -> Floats:
        """Sum over the events of a slot of the mean covariates at risk: (slots, k)."""
        return _rows(self.sums.a0, self.s1) - _rows(self.sums.a1, self.e1)

    @property
    def mean_hazard(self) -> Floats:
        """Sum over the events of a slot of mean times hazard: (slots, k)."""
        return _rows(self.sums.b0, self.s1) - _rows(self.sums.b1, self.e1)

    @property
    def tied_mean_hazard(self) -> Floats:
        """The same, each event weighted by its c: (slots, k)."""
        return _rows(self.sums.b1, self.s1) - _rows(self.sums.b2, self.e1)


def moments(risk: RiskSets, beta: Floats, *, ties: Ties) -> Moments:
    """Sum over the risk sets at these coefficients (of the scaled covariates)."""
    hazard = np.exp(risk.x @ beta)
    values = np.column_stack([hazard, hazard[:, None] * risk.x])
    at_risk, tied = risk.at_risk(values), risk.with_event(values)
    sums = tie_sums(risk.events, at_risk[:, 0], tied[:, 0], ties=ties)
    return Moments(hazard=hazard, s1=at_risk[:, 1:], e1=tied[:, 1:], sums=sums)


def log_likelihood(risk: RiskSets, beta: Floats, found: Moments) -> float:
    """Logarithm of the partial likelihood."""
    predictor = risk.at_event(np.ones(len(risk.time))) @ (risk.x @ beta)
    return float(predictor - found.sums.log.sum())


def schoenfeld(risk: RiskSets, found: Moments) -> Floats:
    """Sum over the events of each slot of covariates less their mean at risk: (slots, k)."""
    return risk.with_event(risk.x) - found.mean_sum


def score(risk: RiskSets, found: Moments, by: Floats | None = None) -> Floats:
    """Slope of the log-likelihood, each slot weighted by a function of time: (k,)."""
    each = schoenfeld(risk, found)
    return each.sum(axis=0) if by is None else by @ each


def information(risk: RiskSets, found: Moments, by: Floats | None = None) -> Floats:
    """Negative curvature, each slot weighted by a function of time: (k, k).

    The sum over slots of the variance of the covariates at risk. Its first part needs no
    matrix per slot: what a pattern adds is its hazard times the time-sums while at risk.
    """
    g = np.ones(len(risk.time)) if by is None else by
    s, x = found.sums, risk.x
    weight = found.hazard * (risk.while_at_risk(g * s.a0) - risk.at_event(g * s.a1))
    second = x.T @ (weight[:, None] * x)
    cross = found.s1.T @ _rows(g * s.b1, found.e1)
    squares = found.s1.T @ _rows(g * s.b0, found.s1) + found.e1.T @ _rows(g * s.b2, found.e1)
    whole: Floats = second - squares + cross + cross.T
    return (whole + whole.T) / 2


def _rows(weight: Floats, values: Floats) -> Floats:
    weighted: Floats = weight[:, None] * values
    return weighted
