"""Did more get through the funnel than in the cycle before, and at which step?

Both cycles are counted alike: of each only the entries whose window was over when it ended,
so that neither looks worse for having been watched for less time.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.data.funnel_settings import Funnel
from cxlab.errors import Withheld
from cxlab.journeys.funnels.both_cycles import BothCycles, both_cycles
from cxlab.journeys.funnels.counts import counted
from cxlab.journeys.funnels.funnel import enough
from cxlab.journeys.funnels.rates import UNITS, StepCounts, titled
from cxlab.journeys.funnels.units import Entered, entered
from cxlab.journeys.funnels.wording import described, ruled
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import Interval
from cxlab.stats.multiplicity import benjamini_hochberg
from cxlab.stats.power import detectable_change

__all__ = ["FunnelChange", "difference", "funnel_change", "two_cycles"]

_CLEAR = 0.05  # adjusted p below which a step is named


@dataclass(frozen=True, kw_only=True, eq=False)
class FunnelChange(Result):
    """Rates of a funnel in this cycle and the one before, step by step.

    Attributes
    ----------
    spec : Funnel
        The funnel that was counted.
    cycle, before : str
        Names of the two cycles; rows without a `cycle` are about this one.
    """

    spec: Funnel
    cycle: str
    before: str

    def table(self) -> pd.DataFrame:
        """One row for the whole way and one per step: both rates, their change, its p."""
        rates = pd.concat([self._rows("funnel.conversion_rate"), self._rows("funnel.step_rate")])
        now, then = (rates[rates["cycle"].isna() == is_now] for is_now in (True, False))
        moves = pd.concat(
            [self._rows("funnel.conversion_change"), self._rows("funnel.step_change")]
        )
        frame = moves[["step", "estimate", "conf_low", "conf_high", "suppressed"]]
        for name, part in (
            ("earlier_rate", then),
            ("step_rate", now),
            ("p_value", self._rows("funnel.p_value")),
            ("p_bh", self._rows("funnel.p_bh")),
        ):
            named = part[["step", "estimate"]].rename(columns={"estimate": name})
            frame = frame.merge(named, how="left", on="step", validate="one_to_one")
        front = ["step", "earlier_rate", "step_rate"]
        frame = frame[front + [c for c in frame if c not in front]]
        return frame.assign(unit="share").reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the change of each step's rate, and of the whole way."""
        frame = self.table()
        whole = f"From {self.spec.steps[0].name} to {self.spec.steps[-1].name}"
        return charts.diverging(
            frame.assign(step=frame["step"].fillna(whole)), label="step", unit="share",
            axis="Change of the share of the step before, percentage points", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say whether the conversion changed, and at which steps."""
        row = self._rows("funnel.conversion_change").iloc[0]
        if row["suppressed"]:
            return f"Too few converted to tell whether that changed from {self.before}."
        estimate, low, high = (float(row[c]) for c in ("estimate", "conf_low", "conf_high"))
        if low <= 0 <= high:
            seen = words.number(100 * detectable_change(low, high), 1)
            said = (
                f"No clear change in the conversion from {self.before} to {self.cycle} "
                f"(we could have seen one of {seen} points)"
            )
        else:
            way = "Higher" if low > 0 else "Lower"
            moved = words.change(estimate, low, high, "share")
            said = f"{way} conversion in {self.cycle} than in {self.before}: {moved}"
        return f"{said}; {self._at_steps()}."

    def _at_steps(self) -> str:
        steps = self.table()
        clear = steps[(steps["p_bh"] < _CLEAR) & steps["step"].notna()]
        if clear.empty:
            return "no single step changed clearly"
        moved = [
            f"{row['step']} ({words.signed(row['estimate'], 'share')})"
            for row in clear.to_dict("records")
        ]
        return f"the share that went on changed at {words.listing(moved)}"

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def funnel_change(
    interactions: TableLike,
    spec: Funnel,
    *,
    cycle: Cycle,
    complete_from: date | None = None,
    name: str = "",
) -> FunnelChange:
    """Compare the rates of a funnel with those of the cycle before.

    Parameters
    ----------
    interactions : table
        `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and what the funnel
        names.
    spec : Funnel
        The steps and what counts; see `Funnel`.
    cycle : Cycle
        This cycle; it is compared with the one before.
    complete_from : datetime.date, optional
        First day for which the data are complete; no earlier cycle is compared.
    name : str
        Name of the funnel where a report shows several: its rows carry it. Without one they
        are what a key measure such as `funnel.conversion_rate` shows.

    Returns
    -------
    FunnelChange
        `funnel.conversion_change`, and by step `funnel.step_change` with `funnel.p_value` and
        `funnel.p_bh` (adjusted over the steps), beside the rates of both cycles.

    Raises
    ------
    Withheld
        If fewer than ten entrants of a cycle are mature, or its data are not complete.

    Notes
    -----
    Newcombe's interval, from the Wilson intervals of both cycles. Where people entered in
    both, or have several sessions or attempts, the correlation of the two rates over people
    goes into the interval (Zou 2008) and the test, which compares with one rate for both.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; Zou (2008), Statistics in
    Medicine 27, 5080-5089; Benjamini & Hochberg (1995), Journal of the Royal Statistical
    Society B 57, 289-300.
    """
    sides = two_cycles(interactions, spec, cycle, complete_from)
    now, before = (
        enough(counted(side), spec, c)
        for side, c in zip(sides, (cycle, cycle.previous), strict=True)
    )
    tie = both_cycles(*sides)
    rows = _whole(now, before, tie, cycle.previous.name)
    steps = [
        row
        for i in range(1, now.last + 1)
        for row in _step(now, before, tie, i, cycle.previous.name)
    ]
    rows += steps + _adjusted(steps)
    return FunnelChange(
        estimates=titled(pd.DataFrame(rows), name),
        subtitle=described(spec, cycle).replace("Share of", "Change of the share of", 1),
        note=f"{_note(now, before, tie, spec, cycle)} {ruled(spec)}",
        spec=spec,
        cycle=cycle.name,
        before=cycle.previous.name,
    )


def two_cycles(
    interactions: TableLike,
    spec: Funnel,
    cycle: Cycle,
    complete_from: date | None,
    *,
    by: str | TableLike | None = None,
) -> tuple[Entered, Entered]:
    """Find who entered in this cycle and in the one before, each as it stood at its own end."""
    if complete_from is not None and cycle.previous.first_day < complete_from:
        raise Withheld(
            f"A change needs the whole of {cycle.previous.name}, but the data are complete from "
            f"{complete_from} on."
        )
    now, before = (
        entered(interactions, spec, start=c.start, cutoff=c.cutoff, by=by)
        for c in (cycle, cycle.previous)
    )
    return now, before


def _whole(now: StepCounts, before: StepCounts, tie: BothCycles, name: str) -> list[dict[str, Any]]:
    """Rows of the conversion; the change first, which the table is about."""
    last = now.last
    keys: dict[str, Any] = {"step": None, "cycle": None}
    rates = now.of_entrants(last), before.of_entrants(last)
    likeness = tie.correlation(now, before, last, of_entrants=True)
    people = now.persons(last), before.persons(last)
    sums = now.sums(last, of_entrants=True), before.sums(last, of_entrants=True)
    p = _p_value(*sums, likeness)
    return [
        interval_row(
            "funnel.conversion_change", difference(*rates, likeness), unit="share",
            count=min(people), **keys,
        ),
        _p_row("funnel.p_value", p, *rates, min(people), **keys),
        interval_row("funnel.conversion_rate", rates[0], unit="share", count=people[0], **keys),
        interval_row(
            "funnel.conversion_rate", rates[1], unit="share", count=people[1],
            **keys | {"cycle": name},
        ),
    ]  # fmt: skip


def _step(
    now: StepCounts, before: StepCounts, tie: BothCycles, i: int, name: str
) -> list[dict[str, Any]]:
    """Rows of one step; without a change where nobody stood before it in one of the cycles."""
    step = str(now.steps["step"].iloc[i])
    rates = now.of_before(i), before.of_before(i)
    people = now.persons(i), before.persons(i)
    rows = [
        interval_row("funnel.step_rate", rate, unit="share", count=n, step=step, cycle=of)
        for rate, n, of in zip(rates, people, (None, name), strict=True)
        if rate is not None
    ]
    if rates[0] is None or rates[1] is None:
        return rows
    likeness = tie.correlation(now, before, i)
    p = _p_value(now.sums(i), before.sums(i), likeness)
    keys = {"step": step, "cycle": None}
    gap = difference(rates[0], rates[1], likeness)
    rows.append(interval_row("funnel.step_change", gap, unit="share", count=min(people), **keys))
    rows.append(_p_row("funnel.p_value", p, rates[0], rates[1], min(people), **keys))
    return rows


def difference(now: Interval, before: Interval, likeness: float) -> Interval:
    """Change of a rate, with the correlation that the same people make."""
    method = "Newcombe hybrid score interval"
    if any("effective n" in each.method for each in (now, before)):
        method += ", effective n"
    if likeness:
        method += ", people in both cycles"
    return mover_difference(now, before, correlation=likeness, method=method)


def _p_value(now: ClusterSums, before: ClusterSums, likeness: float) -> float:
    """Two-sided score test of one rate in both cycles."""
    size, earlier = (effective_n(c, c.mean * (1 - c.mean)) for c in (now, before))
    pooled = (now.mean * size + before.mean * earlier) / (size + earlier)
    one, other = (math.sqrt(pooled * (1 - pooled) / n) for n in (size, earlier))
    se = math.sqrt(max(0.0, one**2 + other**2 - 2 * likeness * one * other))
    gap = now.mean - before.mean
    return float(2 * ndtr(-abs(gap) / se)) if se > 0 else float(gap == 0)


def _p_row(
    metric: str, p: float, now: Interval, before: Interval, people: float, **keys: Any
) -> dict[str, Any]:
    return estimate_row(
        metric, p, np.nan, np.nan, n=now.n + before.n, count=people, unit="p",
        method="two-sided score test", **keys,
    )  # fmt: skip


def _adjusted(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tested = [row for row in steps if row["metric"] == "funnel.p_value"]
    if not tested:
        return []
    adjusted = benjamini_hochberg([row["estimate"] for row in tested])
    method = "Benjamini-Hochberg over the steps"
    return [
        {**row, "metric": "funnel.p_bh", "estimate": float(p), "method": method}
        for row, p in zip(tested, adjusted, strict=True)
    ]


def _note(now: StepCounts, before: StepCounts, tie: BothCycles, spec: Funnel, cycle: Cycle) -> str:
    earlier, units = cycle.previous.name, UNITS[spec.count_by]
    said = [
        f"Base: {words.number(now.entrants)} {units} of {cycle.name} and "
        f"{words.number(before.entrants)} of {earlier}. Each cycle without its last "
        f"{spec.window}, so that all had as long to convert; {earlier} with all that is known of "
        "it by now.",
    ]
    if tie.people:
        said.append("People who entered in both cycles are not counted as strangers.")
    for one, other, which in ((now, before, earlier), (before, now, cycle.name)):
        new = one.steps["step"][(one.steps["n"] > 0) & (other.steps["n"].to_numpy() == 0)]
        if len(new):
            said.append(
                f"Nobody reached {words.listing(list(new))} in {which}: perhaps it was not "
                "recorded then."
            )
    return " ".join(said)
