"""How far off are predicted chances, and is that better than telling everybody the same?

The Brier score is the mean squared distance of the predicted chance from what happened. The
null model gives everybody the share that the product-limit curve gives all; a model that does
not beat it knows nothing of single people.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import Interval, z_quantile
from cxlab.stats.survival.curve import SurvivalCurve
from cxlab.stats.survival.kaplan_meier import product_limit
from cxlab.stats.survival.outcomes import Outcomes, horizons_of, outcomes_of

__all__ = ["Between", "BrierScores", "brier_scores", "chances_of"]

Between = Literal["lines", "steps"]
_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class BrierScores:
    """Brier scores of a model and of the null model at several times, and over them all.

    Attributes
    ----------
    times : numpy.ndarray, shape (m,)
        Ascending, in the unit of the durations.
    score, null : list of Interval, length m
        Of the model and of the null model at each time.
    difference : list of Interval, length m
        Model less null: below 0 the model is better.
    integrated, integrated_null, integrated_difference : Interval
        Means over time, from 0 to the last of the times.
    """

    times: _Floats = field(repr=False)
    score: list[Interval] = field(repr=False)
    null: list[Interval] = field(repr=False)
    difference: list[Interval] = field(repr=False)
    integrated: Interval
    integrated_null: Interval
    integrated_difference: Interval

    @property
    def skill(self) -> float:
        """Share of the null model's integrated score that the model takes away, if it has one."""
        null = self.integrated_null.estimate
        return 1 - self.integrated.estimate / null if null > 0 else math.nan

    @property
    def beats_null(self) -> bool:
        """Whether the model is better over all times, and clearly so."""
        return self.integrated_difference.high < 0

    def table(self) -> pd.DataFrame:
        """One row per time: both scores, and their difference with its interval."""
        return pd.DataFrame(
            {
                "time": self.times,
                "score": [x.estimate for x in self.score],
                "null": [x.estimate for x in self.null],
                "estimate": [x.estimate for x in self.difference],
                "conf_low": [x.low for x in self.difference],
                "conf_high": [x.high for x in self.difference],
            }
        )


def brier_scores(
    durations: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike | None = None,
    *,
    risk: ArrayLike,
    times: ArrayLike,
    null: SurvivalCurve | None = None,
    between: Between = "lines",
    level: float = 0.95,
) -> BrierScores:
    """Hold predicted chances against what happened, from counts.

    Parameters
    ----------
    durations, events, censored : array_like, shape (rows,)
        As for `product_limit`, of people who were not used to make the predictions.
    risk : array_like, shape (rows, times)
        Predicted chance that the event comes by each time, 0 to 1.
    times : array_like, shape (times,)
        Ascending from above 0, within what was observed.
    null : SurvivalCurve, optional
        Curve known when the predictions were made. Default: that of these very people,
        which flatters the null model a little.
    between : {"lines", "steps"}
        How scores go from one time to the next, for their mean: in straight lines, or
        staying as they are (exact where predictions change at these times only).
    level : float
        Confidence level.

    Returns
    -------
    BrierScores
        Scores, differences from the null model, and their means over time.

    Raises
    ------
    DataError
        If a count, a chance or a time cannot be one, or nobody was watched so long.

    Notes
    -----
    Who was not watched until a time is stood for by those who were (inverse probability of
    censoring weights, from one curve for all). At the start scores are 0. Errors are those
    of a mean over people, weights taken as known.

    References
    ----------
    Graf et al. (1999), Statistics in Medicine 18, 2529-2545; Gerds & Schumacher (2006),
    Biometrical Journal 48, 1029-1040.

    Examples
    --------
    >>> found = brier_scores([1, 2, 3, 4], [1, 1, 1, 1], risk=[[0.9], [0.7], [0.2], [0.1]],
    ...                      times=[2])
    >>> round(found.score[0].estimate, 4), found.null[0].estimate
    (0.0375, 0.25)
    """
    outcomes = outcomes_of(durations, events, censored)
    asked = horizons_of(times, outcomes)
    chances = chances_of(risk, outcomes, len(asked))
    curve = product_limit(durations, events, censored) if null is None else null
    curve.reaches(float(asked[-1]))
    usual = curve.incidence(asked)["estimate"].to_numpy()
    span = _spans(asked, between)
    whole = np.zeros((2, len(outcomes.time)))
    each: list[list[Interval]] = [[], [], []]
    for at, time in enumerate(asked):
        had = outcomes.had & (outcomes.time <= time)
        off = outcomes.known(float(time)) * np.array(
            [(had - chances[outcomes.row, at]) ** 2, (had - usual[at]) ** 2]
        )
        whole += span[at] * off
        for kept, one in zip(each, (off[0], off[1], off[0] - off[1]), strict=True):
            kept.append(_mean(one, outcomes, level, "Brier score"))
    over = [
        _mean(one, outcomes, level, "integrated Brier score")
        for one in (whole[0], whole[1], whole[0] - whole[1])
    ]
    return BrierScores(
        times=asked, score=each[0], null=each[1], difference=each[2], integrated=over[0],
        integrated_null=over[1], integrated_difference=over[2],
    )  # fmt: skip


def _spans(times: _Floats, between: Between) -> _Floats:
    """Share of all the time for which each score stands."""
    gone, left = np.diff(np.r_[0.0, times]), np.diff(np.r_[times, times[-1]])
    if between == "lines":  # half the way to both neighbours
        return np.asarray((gone + left) / 2 / times[-1])
    if between == "steps":
        return np.asarray(left / times[-1])
    raise DataError(f"between must be lines or steps, but is {between!r}.")


def chances_of(risk: ArrayLike, outcomes: Outcomes, times: int) -> _Floats:
    """Read predicted chances, one per row and time.

    Parameters
    ----------
    risk : array_like, shape (rows, times), or (rows,) for one time
        0 to 1.
    outcomes : Outcomes
        Of the same rows.
    times : int
        How many.

    Returns
    -------
    numpy.ndarray, shape (rows, times)
        As they are, not copied where they are numbers already.

    Raises
    ------
    DataError
        If the shape is another, or a row that counts somebody has no chance.
    """
    chances = np.asarray(risk)
    chances = chances[:, np.newaxis] if chances.ndim == 1 else chances
    rows = int(outcomes.row.max()) + 1
    if chances.ndim != 2 or len(chances) < rows or chances.shape[1] != times:
        raise DataError(
            f"risk must have a row for each row of counts and a column for each of {times} times, "
            f"but has the shape {np.shape(risk)}."
        )
    wrong: NDArray[np.bool_] = np.any(~((chances >= 0) & (chances <= 1)), axis=1)
    if wrong[outcomes.row].any():
        at = int(outcomes.row[wrong[outcomes.row]].min())
        raise DataError(
            f"risk must be a chance, 0 to 1, but row {at} has {chances[at].tolist()}. "
            "Give the predicted share that has the event by each time."
        )
    return chances


def _mean(each: _Floats, outcomes: Outcomes, level: float, method: str) -> Interval:
    """Mean over people, with the interval of a mean of many."""
    n = outcomes.n
    mean = float(outcomes.weight @ each) / n
    squares = float(outcomes.weight @ (each - mean) ** 2)
    se = math.sqrt(squares / (n * (n - 1))) if n > 1 else math.nan
    far = z_quantile(level) * se
    return Interval(
        estimate=mean, low=mean - far, high=mean + far, n=n, level=level, se=se,
        method=f"{method}, weighted by the chance of being watched",
    )  # fmt: skip
