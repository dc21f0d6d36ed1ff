"""Does a score put first those who have the event first? The share of pairs in the right order.

A pair can be told when the one with the event was not outlasted by the end of watching the
other. Half a point where both have one score.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval
from cxlab.stats.survival.counts import sums_at
from cxlab.stats.survival.outcomes import Outcomes, outcomes_of
from cxlab.stats.survival.pairs import ahead
from cxlab.stats.survival.scales import logit_interval

__all__ = ["Concordance", "PairWeight", "concordance", "scores_of"]

PairWeight = Literal["harrell", "uno", "S", "S/G", "I"]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Concordance:
    """How well a score orders people by when they have the event.

    Attributes
    ----------
    c : Interval
        Share of pairs in the right order, ties in the score counting half.
    concordant, discordant, tied_risk : float
        Pairs that can be told, by outcome, not weighted.
    tied_time : float
        Pairs with the event at one time and different scores, which tell nothing.
    """

    c: Interval
    concordant: float
    discordant: float
    tied_risk: float
    tied_time: float


def concordance(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    risk: ArrayLike,
    weighting: PairWeight = "harrell",
    until: float = math.inf,
    level: float = 0.95,
) -> Concordance:
    """Share of pairs that a score puts in the order in which they had the event.

    Parameters
    ----------
    durations, events, censored : array_like, shape (rows,)
        As for `product_limit`.
    risk : array_like, shape (rows,)
        Score of each row's people, on any scale; higher means sooner.
    weighting : {"harrell", "uno", "S", "S/G", "I"}
        What a pair counts for, by the time of its earlier event: 1 (Harrell), the inverse
        square of the chance G of being watched so long (Uno), or R's S/n, S/(G n) and 1/n
        for S the share without the event and n those at risk. Harrell's depends on how
        long people were watched; Uno's does not.
    until : float
        Only events before this time begin a pair. Uno's needs it where few are watched
        for long. Default: all.
    level : float
        Confidence level.

    Returns
    -------
    Concordance
        The share, with an interval that is symmetric on the scale of logits.

    Raises
    ------
    DataError
        If a count or a score cannot be one, or no pair can be told.

    Notes
    -----
    The standard error is the infinitesimal jackknife's over people, as in R, weights taken
    as known. It takes n log n steps.

    References
    ----------
    Harrell, Lee & Mark (1996), Statistics in Medicine 15, 361-387; Uno et al. (2011),
    Statistics in Medicine 30, 1105-1117; Therneau & Watson (2017), Mayo Clinic Technical
    Report 85.

    Examples
    --------
    >>> found = concordance([2, 5, 7, 9], [1, 1, 1, 0], [0, 0, 0, 1], risk=[0.9, 0.4, 0.5, 0.1])
    >>> round(found.c.estimate, 3), found.concordant, found.discordant
    (0.833, 5.0, 1.0)
    """
    outcomes = outcomes_of(durations, events, censored)
    rank = np.unique(scores_of(risk, outcomes)[outcomes.row], return_inverse=True)[1]
    moment = np.unique(outcomes.time, return_inverse=True)[1]
    # At one time, events come before ends of watching: who was last seen then outlasted them.
    position = 2 * moment + ~outcomes.had
    key, place = np.unique(position * (rank.max() + 1) + rank, return_inverse=True)
    position, rank = key // (rank.max() + 1), key % (rank.max() + 1)
    people = sums_at(place, outcomes.weight, len(key))
    time = np.zeros(len(key))
    time[place] = outcomes.time
    begins = (position % 2 == 0) & (time < until)
    worth = np.where(begins, _worth(time, outcomes, weighting), 0.0)
    # Against all who outlast them: the lower their risk, the better.
    lower, equal, total = ahead(-position, rank, people)
    starting = people * worth
    pairs = float(starting @ total)
    if not pairs > 0:
        raise DataError(
            "no pair can be told: nobody had the event while another was watched on. "
            "Watch for longer, or take more people."
        )
    c = float(starting @ (lower + equal / 2)) / pairs
    # Against all who went before them.
    below, same, before = ahead(position, rank, starting)
    mine = worth * (lower + equal / 2 - c * total)
    theirs = before - below - same / 2 - c * before
    se = math.sqrt(float(people @ (mine + theirs) ** 2)) / pairs
    once = people * begins
    name = {"harrell": "Harrell's C", "uno": "Uno's C"}.get(weighting, f"C weighted by {weighting}")
    return Concordance(
        c=logit_interval(c, se, n=outcomes.n, level=level, method=f"{name}, jackknife error"),
        concordant=float(once @ lower), tied_risk=float(once @ equal),
        discordant=float(once @ (total - lower - equal)), tied_time=_tied(position, people, begins),
    )  # fmt: skip


def scores_of(risk: ArrayLike, outcomes: Outcomes) -> _Floats:
    """Read a score per row.

    Parameters
    ----------
    risk : array_like, shape (rows,)
        On any scale.
    outcomes : Outcomes
        Of the same rows.

    Returns
    -------
    numpy.ndarray, shape (rows,)
        As numbers.

    Raises
    ------
    DataError
        If a row that counts somebody has no score.
    """
    scores = np.atleast_1d(np.asarray(risk, dtype=np.float64))
    if scores.ndim != 1 or len(scores) <= int(outcomes.row.max()):
        raise DataError(f"risk must have one number per row, but has the shape {scores.shape}.")
    missing = np.isnan(scores[outcomes.row])
    if missing.any():
        at = int(outcomes.row[missing].min())
        raise DataError(f"risk must be known for every row, but row {at} has none. Leave it out.")
    return scores


def _worth(time: _Floats, outcomes: Outcomes, weighting: PairWeight) -> _Floats:
    """What a pair counts for by the time of its earlier event."""
    if weighting == "harrell":
        return np.ones(len(time))
    watched = outcomes.watched.until(time)
    if weighting == "uno":
        worth: _Floats = watched**-2.0
        return worth
    moment, place = np.unique(outcomes.time, return_inverse=True)
    people = sums_at(place, outcomes.weight, len(moment))
    d = sums_at(place, outcomes.weight * outcomes.had, len(moment))
    n = np.cumsum(people[::-1])[::-1]
    before = np.r_[1.0, np.cumprod(1 - d / n)[:-1]]
    at = np.searchsorted(moment, time)
    if weighting == "I":
        return np.asarray(1 / n[at])
    if weighting == "S":
        return np.asarray(before[at] / n[at])
    if weighting == "S/G":
        return np.asarray(before[at] / (watched * n[at]))
    raise DataError(f"weighting must be harrell, uno, S, S/G or I, but is {weighting!r}.")


def _tied(position: NDArray[np.int64], people: _Floats, begins: NDArray[np.bool_]) -> float:
    """Pairs with the event at one time and different scores."""
    each = np.bincount(position[begins], people[begins])
    return float((each @ each - people[begins] @ people[begins]) / 2)
