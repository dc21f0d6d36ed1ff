"""How soon do those who enter convert, when the last of them were only just seen to enter?

Half of the converters of a quarter converted within so many days: such a number leaves out
those who never do, and those who have not yet. The curve is of all who entered; whoever was
not watched until the window's end counts for as long as they were.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.data.funnel_settings import Funnel
from cxlab.data.span import span_us
from cxlab.errors import Withheld
from cxlab.journeys.funnels.counts import FunnelCounts, shared_counts
from cxlab.journeys.funnels.funnel import FEWEST
from cxlab.journeys.funnels.rates import UNITS, mature_steps, titled
from cxlab.journeys.funnels.wording import entered, left_out, ruled
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy, blank, running
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.intervals import Interval
from cxlab.stats.survival import SurvivalCurve, product_limit

__all__ = ["TimeToConvert", "time_to_convert"]

# What people count a length of time in: the largest of which the window has three.
_LENGTHS = {"days": "1 day", "hours": "1 hour", "minutes": "1 minute", "seconds": "1 second"}
_SMALLER = {"days": ("hours", 24), "hours": ("minutes", 60), "minutes": ("seconds", 60)}
OPEN = "not converted yet"  # and the window is not over
_POINTS = 24  # of the curve that are shown


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeToConvert(Result):
    """Share of all entrants that had converted by each time since their entry.

    Attributes
    ----------
    spec : Funnel
        The funnel that was counted.
    cycle : str
        The cycle in which they entered.
    time_unit : str
        What lengths of time are in: days, hours, minutes or seconds.
    """

    spec: Funnel
    cycle: str
    time_unit: str

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small numbers, and times between which too few converted."""
        policy, curve = Policy.of(rules), self._is_curve()
        close = curve.to_numpy(dtype=bool, copy=True)
        close[close] = running(self.estimates["count"][curve], policy.min_cell)
        if not policy.both_sides:  # those after the last but one are the other side of a share
            close[np.flatnonzero(curve)[-1]] = False
        safe = super().protect(rules)
        hidden = safe.estimates["suppressed"].to_numpy(dtype=bool) | close
        return replace(safe, estimates=blank(safe.estimates, hidden))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the curve with its band."""
        rows = self.estimates[self._is_curve() & ~self.estimates["suppressed"].astype(bool)]
        x = f"after_{self.time_unit}"
        origin = pd.DataFrame([{x: 0.0, "estimate": 0.0, "conf_low": 0.0, "conf_high": 0.0}])
        frame = pd.concat([origin, rows[list(origin)]], ignore_index=True)
        return charts.curve(
            frame.astype(float), x=x, unit="share", low="conf_low", high="conf_high", zero=True,
            step=True, axis="Share of all who entered, %", ax=ax,
            name=f"{self.time_unit.capitalize()} since the entry",
        )  # fmt: skip

    def sentence(self) -> str:
        """The share that converts within the window, and how soon the converters do."""
        rows = self.estimates.set_index("metric")
        end = self.estimates[self._is_curve()].iloc[-1]
        units = UNITS[self.spec.count_by]
        if end["suppressed"]:
            return f"Too few {units} that entered in {self.cycle} converted to show how soon."
        is_seen = "funnel.converted_within" in rows.index
        time = _length(float(end[f"after_{self.time_unit}"]), self.time_unit)
        said = (
            f"Within {self.spec.window if is_seen else time} of entering, "
            f"{words.value(end['estimate'], 'share')} of the {words.number(end['n'])} {units} "
            f"convert ({words.interval(end['conf_low'], end['conf_high'], 'share')})"
        )
        half, most = (
            float(rows["estimate"][f"funnel.converters_{part}"]) for part in ("median", "p90")
        )
        if not np.isfinite([half, most]).all():
            return f"{said}."
        return (
            f"{said}; of the converters alone, half do so within "
            f"{_length(half, self.time_unit)} and nine in ten within "
            f"{_length(most, self.time_unit)}."
        )

    def _is_curve(self) -> "pd.Series[bool]":
        return self.estimates["metric"] == "funnel.converted_by"


def time_to_convert(
    interactions: TableLike, spec: Funnel, *, cycle: Cycle, name: str = ""
) -> TimeToConvert:
    """Estimate how many of all who entered in the cycle convert, and how soon.

    Parameters
    ----------
    interactions : table
        `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and what the funnel
        names.
    spec : Funnel
        The steps and what counts; see `Funnel`.
    cycle : Cycle
        Entrants belong to the cycle in which they entered; later rows are not looked at.
    name : str
        Name of the funnel where a report shows several: its rows carry it. Without one they
        are what a key measure such as `funnel.conversion_rate` shows.

    Returns
    -------
    TimeToConvert
        `funnel.converted_by` time since the entry and `funnel.converted_within` the window
        (cumulative incidence over all entrants), `funnel.converters_median` and
        `funnel.converters_p90` (of those who converted only), `funnel.censored`.

    Raises
    ------
    Withheld
        If fewer than ten entered, or fewer than ten converted.

    Notes
    -----
    The curve is one minus the product-limit estimate with a log-log band; entrants whose
    window is not over are censored where the data end. Times are counted in whole units of
    a three-hundredth of the window or more, and rounded up. Where persons have several
    sessions or attempts, the variance carries the design effect of the conversion rate.

    References
    ----------
    Kaplan & Meier (1958), Journal of the American Statistical Association 53, 457-481.
    """
    counts = shared_counts(interactions, spec, start=cycle.start, cutoff=cycle.cutoff)
    unit = next(u for u, one in _LENGTHS.items() if 3 * span_us(one) <= span_us(spec.window)
                or u == "seconds")  # fmt: skip
    spans = _spans(counts, span_us(_LENGTHS[unit]))
    entrants, converted = float(spans["n"].sum()), float(spans["n"][spans["is_converted"]].sum())
    if entrants < FEWEST or converted < FEWEST:
        raise Withheld(
            f"A curve needs at least {FEWEST} {UNITS[spec.count_by]} that converted, but "
            f"{words.number(converted)} of the {words.number(entrants)} that entered in "
            f"{cycle.name} did."
        )
    mature = mature_steps(counts).get("")
    effect = mature.design_effect if mature is not None else 1.0
    happened = spans["n"].where(spans["is_converted"], 0)
    curve = product_limit(spans["time"], happened, spans["n"] - happened, design_effect=effect)
    alone = spans[spans["is_converted"]]
    converters = product_limit(alone["time"], alone["n"], design_effect=effect)
    window = span_us(spec.window) / span_us(_LENGTHS[unit])
    rows = _rows(curve, converters, _people(counts) / converted, window, unit)
    open_ = spans["n"][~spans["is_converted"] & (spans["time"] < window)].sum()
    rows.append(
        estimate_row(
            "funnel.censored", open_, open_, open_, n=open_, unit="count",
            method="complete count", maturity=OPEN, **{f"after_{unit}": np.nan},
        )
    )  # fmt: skip
    return TimeToConvert(
        estimates=titled(pd.DataFrame(rows), name),
        subtitle=f"Share of all {entered(spec, cycle)} that had reached {spec.steps[-1].name} "
        f"by {unit} since the entry; 95% band",
        note="Entrants whose window is not over count for as long as they were seen; those of "
        f"them who have converted are not among '{OPEN}'. Median and nine in ten are of "
        "converters only: they say nothing of those who never convert. "
        f"{left_out(counts)} {ruled(spec)}",
        spec=spec,
        cycle=cycle.name,
        time_unit=unit,
    )


def _spans(counts: FunnelCounts, unit_us: int) -> pd.DataFrame:
    """Lengths of time in the unit shown, rounded up to whole units of the count."""
    window = span_us(counts.funnel.window)
    ends = np.minimum((counts.durations["span_units"] + 1) * counts.unit_us, window)
    frame = counts.durations.assign(time=ends / unit_us)
    return frame.assign(n=frame["n"].astype(float), is_converted=frame["is_converted"].astype(bool))


def _people(counts: FunnelCounts) -> float:
    """Return how many people reached the last step."""
    last = counts.reached["step"] == len(counts.funnel.steps)
    return float(counts.reached["persons"][last].sum())


def _rows(
    curve: SurvivalCurve, converters: SurvivalCurve, people: float, window: float, unit: str
) -> list[dict[str, Any]]:
    """Rows of the curve, of its end, and of the converters; `people` per conversion."""
    had = np.cumsum(curve.events)
    times = _apart(curve.time, had, end=min(window, float(curve.time[-1])))
    found, rows = curve.incidence(times), []
    by_then = np.r_[0.0, had][np.searchsorted(curve.time, times, side="right")]
    for row, count in zip(found.to_dict("records"), by_then * people, strict=True):
        share = Interval(
            estimate=row["estimate"], low=row["conf_low"], high=row["conf_high"], n=curve.n,
            method=curve.method,
        )  # fmt: skip
        at = {f"after_{unit}": row["time"], "maturity": None}
        rows.append(
            interval_row("funnel.converted_by", share, unit="share", count=np.floor(count), **at)
        )
    whole = {f"after_{unit}": np.nan, "maturity": None}
    if times[-1] >= window:  # else nobody was seen to the window's end
        rows.append({**rows[-1], "metric": "funnel.converted_within", **whole})
    for name, part in (("median", 0.5), ("p90", 0.9)):
        rows.append(
            interval_row(
                f"funnel.converters_{name}", converters.quantile(part), unit=unit,
                count=np.floor(converters.n * people), **whole,
            )
        )  # fmt: skip
    return rows


def _apart(time: Any, had: Any, *, end: float) -> Any:
    """Choose times between which at least ten converted, and a share of all who did."""
    least = max(FEWEST, had[-1] / _POINTS)
    chosen, last = [], 0.0
    for at, by_then in zip(time, had, strict=True):
        if by_then - last >= least:
            chosen.append(float(at))
            last = float(by_then)
    return np.unique([*chosen, end])


def _length(time: float, unit: str) -> str:
    """Write a length of time in a unit of which it has at least one."""
    while time < 1 and unit in _SMALLER:
        unit, parts = _SMALLER[unit]
        time *= parts
    whole = round(time, 1).is_integer()
    return words.plural(round(time), unit[:-1]) if whole else words.value(time, unit)
