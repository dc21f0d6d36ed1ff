"""What would a model say of those who ran when a cycle began, that knows only what came before?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.churn.landmarks import landmarks
from cxlab.churn.model import (
    FEWEST_LEAVERS,
    Design,
    causes_of,
    counts_of,
    design_of,
    left_of,
)
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import Withheld
from cxlab.report import words
from cxlab.stats.cox import PenalisedCox, absolute_risk, penalised_cox

__all__ = ["Foreseen", "foresee", "model_of"]

_OTHERWISE = "otherwise"
_Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Foreseen:
    """A model of leaving, and how its covariates are made.

    Attributes
    ----------
    cause : str
        What is foretold: leaving of one's own will, or any end where causes are not told.
    fits : dict of str to PenalisedCox
        That of the cause, and that of all other ends, where there are any: who leaves
        otherwise first can no longer leave of their own will.
    design : Design
        Covariates of all fits.
    counts : pandas.DataFrame
        To which they were fitted.
    """

    cause: str
    fits: dict[str, PenalisedCox]
    design: Design
    counts: pd.DataFrame

    @property
    def fit(self) -> PenalisedCox:
        """What goes with leaving of the cause."""
        return self.fits[self.cause]

    def risk(self, rows: pd.DataFrame, weeks: Sequence[float]) -> _Floats:
        """Chance to end of the cause within so many weeks, given age reached and pattern.

        Whoever is older than all that were seen is given the rate of the oldest.
        """
        keys = [column for column, _ in self.design.terms.values()]
        keys = ["entry", *dict.fromkeys(keys)]
        each = rows[keys].drop_duplicates().reset_index(drop=True)
        oldest = float(self.fit.until.max()) - max(weeks)
        after = np.minimum(each["entry"].to_numpy(float), max(oldest, 0.0))
        told = absolute_risk(self.fits, self.design.matrix(each), weeks, after=after)
        told = told[told["cause"] == self.cause]
        chance = told["estimate"].to_numpy(float).reshape(len(each), len(weeks))
        place = rows[keys].merge(each.reset_index(), on=keys, how="left", validate="many_to_one")
        found: _Floats = np.clip(chance[place["index"].to_numpy()], 0.0, 1.0)
        return found


def model_of(marks: Any, *, cycle: str) -> Foreseen:
    """Fit what a list would be made with.

    Parameters
    ----------
    marks : Landmarks
        Of cycles that are over.
    cycle : str
        What the reason names if there is too little.

    Returns
    -------
    Foreseen
        The model: a penalty holds its coefficients back, since it is to foretell, not to
        explain; so it has no errors.

    Raises
    ------
    Withheld
        If too few left, or nothing was known of enough of them.
    """
    counts = counts_of(marks)
    cause = "voluntary" if "voluntary" in causes_of(counts) else "any"
    had = left_of(counts, cause)
    many = float(counts["n"].to_numpy(float)[had].sum())
    if many < FEWEST_LEAVERS:
        raise Withheld(
            f"A forecast needs {FEWEST_LEAVERS} subscriptions that ended in the cycles up to "
            f"{cycle}, but {words.number(many)} did."
        )
    design = design_of(counts, marks, had)
    if not design.names:
        raise Withheld(f"Of too few of those who left up to {cycle} was anything known before.")
    ends = {cause: had, _OTHERWISE: left_of(counts, "any") & ~had}
    fits = {
        name: penalised_cox(
            design.matrix(counts), counts["stop"], left, entry=counts["entry"],
            frequency=counts["n"],
        )
        for name, left in ends.items() if left.any()
    }  # fmt: skip
    return Foreseen(cause, fits, design, counts)


def foresee(
    subscriptions: TableLike, signals: TableLike | None, *, cycle: Cycle, **how: Any
) -> tuple[Foreseen, Any]:
    """Fit a model on what was known when the cycle began, and set up what it must foresee.

    Parameters
    ----------
    subscriptions, signals : table
        As for `churn_drivers`.
    cycle : Cycle
        The cycle that is to be foreseen.
    **how
        As for `landmarks`.

    Returns
    -------
    Foreseen
        Fitted to cycles before this one alone, as known at its beginning.
    Landmarks
        Those running when it began, and what became of them within it.
    """
    past = landmarks(subscriptions, signals, cycle=cycle.previous, **how)
    model = model_of(past, cycle=cycle.previous.name)
    now = landmarks(subscriptions, signals, cycle=cycle, **{**how, "cycles": 1})
    return model, now
