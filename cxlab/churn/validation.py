"""Would last cycle's model have known who left in this one?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.churn.forecast import foresee
from cxlab.churn.model import counts_of, left_of
from cxlab.churn.spells import SAID
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.survival import (
    BrierScores,
    brier_scores,
    calibration,
    concordance,
    dynamic_auc,
    product_limit,
)

__all__ = ["ChurnValidation", "churn_validation"]

LEAST_TO_JUDGE = 10
_DRAWS = 200
_INDICES = {
    "ici": "mean (ICI)",
    "e50": "half are off by less (E50)",
    "e90": "nine in ten are off by less (E90)",
}
_EVEN = 0.5  # share of pairs that chance alone puts in order
_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ChurnValidation(Result):
    """How a model fitted before a cycle did in it.

    Attributes
    ----------
    cycle : str
        The cycle that was foreseen.
    cause : str
        What was foretold: leaving of one's own will ('voluntary'), or 'any' end.
    useful : bool
        Whether its scores are better than those of telling everybody the same, and it clearly
        ranks better than chance. A model that is not makes no list.
    """

    cycle: str
    cause: str
    useful: bool

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share that left against the chance that was foretold, by group of risk."""
        seen = self._rows("churn.risk_group_left").set_index("group")
        told = self._rows("churn.risk_group_expected").set_index("group")["estimate"]
        line = seen.assign(expected=100 * told.astype(float), what="observed")
        ends = ["estimate", "conf_low", "conf_high"]
        ideal = line.assign(what="if it were right", **{end: told.astype(float) for end in ends})
        frame = pd.concat([line, ideal.assign(suppressed=line["suppressed"])]).reset_index()
        frame = frame[frame["expected"].notna()]
        if frame.empty:
            return None
        return charts.curve(
            frame, x="expected", unit="share", low="conf_low", high="conf_high", group="what",
            zero=True, axis="Share that left, %", name="Chance foretold, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Whether the forecast was better than none, and how well it told people apart."""
        c = self._rows("churn.concordance").iloc[0]
        if c["suppressed"]:
            return f"Too few left in {self.cycle} to judge the forecast of it."
        apart = (
            f"of two subscriptions it gave the one that ended sooner the higher risk in "
            f"{words.value(c['estimate'], 'share')} of cases "
            f"({words.interval(c['conf_low'], c['conf_high'], 'share')}; chance alone: a half)"
        )
        told = f"Last cycle's forecast of who leaves{SAID[self.cause]}"
        if self.useful:
            return f"{told} was better than none in {self.cycle}: {apart}.{self._calibrated()}"
        return (
            f"{told} was no better in {self.cycle} than telling everybody the same, so it makes "
            f"no list: {apart}.{self._calibrated()}"
        )

    def _calibrated(self) -> str:
        """How many ended for each that was foretold."""
        row = self._rows("churn.calibration_ratio").iloc[0]
        if row["suppressed"]:
            return ""
        low, high = float(row["conf_low"]), float(row["conf_high"])
        way = "as many as" if low <= 1 <= high else "more than" if low > 1 else "fewer than"
        sure = ", as far as can be told" if low <= 1 <= high else ""
        return (
            f" For each ending that it foretold there were {words.value(row['estimate'], 'mean')} "
            f"({words.interval(low, high, 'mean')}): {way} foretold{sure}."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def churn_validation(
    subscriptions: TableLike,
    signals: TableLike | None = None,
    *,
    cycle: Cycle,
    drivers: Sequence[str] = (),
    window_days: int = 91,
    cycles: int = 8,
    complete_from: date | None = None,
    seed: int = 0,
) -> ChurnValidation:
    """Hold a forecast made when the cycle began against what happened in it.

    Parameters
    ----------
    subscriptions, signals : table
        As for `churn_drivers`.
    cycle : Cycle
        The cycle that was foreseen; the model has seen earlier ones alone.
    drivers, window_days, cycles, complete_from
        As for `churn_drivers`.
    seed : int
        Of the resampling behind the interval of the calibration index.

    Returns
    -------
    ChurnValidation
        `churn.concordance` (Harrell's and Uno's), `churn.auc` and `churn.brier_difference` (less
        that of the null) by `after_days`, `churn.calibration_ratio`, `churn.calibration_index`
        by `measure` (mean, median and ninth decile), and by group of risk
        `churn.risk_group_left` and `churn.risk_group_expected`.

    Raises
    ------
    Withheld
        If fewer than twenty left before the cycle, or fewer than ten in it.

    Notes
    -----
    Where it is told of whose will they ended, and enough did so of their own, that is foretold,
    and it is judged by that; else any end. Chances are those of a Cox model per cause on age,
    given the age reached, with a ridge as strong as AIC would have it. The null model tells
    everybody the share of those who left within as many weeks of the earlier landmarks. Who
    left otherwise counts as having stayed until the cycle's end. Scores are weighted by the
    inverse probability of having been watched.

    References
    ----------
    Harrell et al. (1996), Statistics in Medicine 15, 361-387; Uno et al. (2011), Statistics in
    Medicine 30, 1105-1117; Wolbers et al. (2009), Epidemiology 20, 555-561; Graf et al. (1999),
    Statistics in Medicine 18, 2529-2545; Austin, Harrell & van Klaveren (2020), Statistics in
    Medicine 39, 2714-2742.
    """
    model, now = foresee(
        subscriptions, signals, cycle=cycle, drivers=drivers, window_days=window_days,
        cycles=cycles, complete_from=complete_from,
    )  # fmt: skip
    rows = counts_of(now)
    if (missing := set(model.design.signs) - set(rows.columns)) or rows.empty:
        rows = rows.assign(**dict.fromkeys(missing, 0))
    horizon = float(((cycle.cutoff - cycle.start).days) // 7)
    _, had, open_ = outcome = _outcome(rows, model.cause, whole=horizon)
    left = float(had.sum())
    if left < LEAST_TO_JUDGE:
        raise Withheld(
            f"A forecast is judged by {LEAST_TO_JUDGE} subscriptions that ended in the cycle, but "
            f"{words.number(left)} did in {cycle.name}."
        )
    times = sorted({t for t in (4.0, 8.0, horizon) if 0 < t <= horizon})
    if not times:
        raise Withheld(f"A forecast is judged by whole weeks, but {cycle.name} has none.")
    risk = model.risk(rows, times)
    null = product_limit(*_outcome(model.counts, model.cause))
    scores = brier_scores(*outcome, risk=risk, times=times, null=null)
    made = _rows(outcome, risk, times, scores, left, seed)
    ranks = made[0]["conf_low"]
    return ChurnValidation(
        estimates=pd.DataFrame(made),
        subtitle=f"Share of each group of risk that ended{SAID[model.cause]} in {cycle.name} "
        "against the chance told when it began, %; 95% band",
        note=f"Base: {words.number(left + open_.sum())} subscriptions that ran when {cycle.name} "
        f"began, of which {words.number(left)} ended{SAID[model.cause]} in it. The "
        "model was fitted to earlier cycles alone, to "
        f"{words.plural(model.fit.events, 'ending')}, and knows of each subscription its age and "
        f"{words.listing(model.design.names)}. The forecast that it must beat tells everybody the "
        "same.",
        cycle=cycle.name,
        cause=model.cause,
        useful=scores.integrated_difference.estimate < 0 and ranks > _EVEN,
    )


def _outcome(
    counts: pd.DataFrame, cause: str, *, whole: float | None = None
) -> tuple[_Floats, _Floats, _Floats]:
    """Weeks since the landmark, how many had left of the cause by then, and how many had not.

    All were watched until their cycle ended, so whoever left otherwise is known not to have left
    of the cause until then, and is kept for so long among those who had not. Of one cycle of so
    many `whole` weeks, who left in the part of a week at its end left in the last one, and who
    did not leave is known to have stayed beyond: nobody was watched for less.
    """
    n, had = counts["n"].to_numpy(float), left_of(counts, cause)
    lasted = (counts["stop"] - counts["entry"]).to_numpy(float)
    if whole is not None:
        return np.where(had, np.minimum(lasted, whole), whole + 1), n * had, n * ~had
    otherwise = left_of(counts, "any") & ~had
    return np.where(otherwise, lasted.max(initial=0.0), lasted), n * had, n * ~had


def _rows(
    outcome: Any, risk: _Floats, times: list[float], scores: BrierScores, left: float, seed: int
) -> list[dict[str, Any]]:
    last = risk[:, -1]
    rows = []
    for kind in ("harrell", "uno"):
        found = concordance(*outcome, risk=last, weighting=kind, until=times[-1]).c
        rows.append(_row("churn.concordance", found, left, measure=found.method.split(",")[0]))
    for time, auc in zip(times, dynamic_auc(*outcome, risk=risk, times=times), strict=True):
        rows.append(_row("churn.auc", auc, left, after_days=7 * time))
    for time, gap in zip(times, scores.difference, strict=True):
        rows.append(_row("churn.brier_difference", gap, left, unit="score", after_days=7 * time))
    whole = scores.integrated_difference
    rows.append(_row("churn.brier_difference", whole, left, unit="score", measure="over all weeks"))
    fit = calibration(*outcome, risk=last, horizon=times[-1], groups=5)
    rows.append(_row("churn.calibration_ratio", fit.ratio, left, unit="mean"))
    ends = _index_ends(outcome, last, times[-1], seed)
    for (index, named), (low, high) in zip(_INDICES.items(), ends, strict=True):
        off = float(getattr(fit, index))
        rows.append(
            estimate_row(
                "churn.calibration_index", off, min(low, off), max(high, off), n=fit.ratio.n,
                count=left, unit="share", measure=named, after_days=None, group=None,
                method=f"calibration index, {_DRAWS} resamples of subscriptions",
            )
        )  # fmt: skip
    for place, (told, seen) in enumerate(zip(fit.expected, fit.observed, strict=True), start=1):
        group = f"risk group {place}"
        gone = math.floor(seen.estimate * seen.n) if math.isfinite(seen.estimate) else 0
        rows.append(_row("churn.risk_group_left", seen, gone, group=group))
        same = replace(seen, estimate=float(told), low=float(told), high=float(told),
                       method="mean chance foretold")  # fmt: skip
        rows.append(_row("churn.risk_group_expected", same, gone, group=group))
    return rows


def _row(
    metric: str, found: Any, count: float, *, unit: str = "share", **dims: Any
) -> dict[str, Any]:
    every = {"measure": None, "after_days": None, "group": None} | dims
    row = interval_row(metric, found, unit=unit, count=count, **every)
    if math.isfinite(found.low) and math.isfinite(found.high):
        return row
    nothing = dict.fromkeys(("estimate", "conf_low", "conf_high"), math.nan)
    return row | nothing | {"suppressed": True}


def _index_ends(outcome: Any, risk: _Floats, horizon: float, seed: int) -> Any:
    """Ends of each calibration index over resamples of subscriptions."""
    rng = np.random.default_rng(seed)
    lasted, events, censored = outcome
    cells = np.r_[events, censored]
    drawn = []
    for _ in range(_DRAWS):
        again = rng.multinomial(int(cells.sum()), cells / cells.sum()).astype(float)
        had, open_ = again[: len(events)], again[len(events) :]
        if had.sum() and (had + open_)[lasted > horizon].sum():
            fit = calibration(lasted, had, open_, risk=risk, horizon=horizon, groups=2)
            drawn.append([float(getattr(fit, index)) for index in _INDICES])
    return np.quantile(drawn, [0.025, 0.975], axis=0).T.tolist()
