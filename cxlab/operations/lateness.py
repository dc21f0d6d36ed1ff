"""How early or late deliveries come, against the day first promised."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, query
from cxlab.errors import Withheld
from cxlab.operations.deliveries import (
    AS_INDEPENDENT,
    BANDS,
    FEWEST,
    NOT_YET,
    arrivals,
    band_of,
)
from cxlab.report import charts, words
from cxlab.report.finding import Result, interval_row
from cxlab.stats.intervals import Interval, wilson
from cxlab.stats.order_statistics import median_of_counts

__all__ = ["Lateness", "lateness"]

IN_TIME, LATE = "in time", "late"


@dataclass(frozen=True, kw_only=True, eq=False)
class Lateness(Result):
    """Days late of what was promised for the cycle, in bands that add up to all of it."""

    cycle: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each band, from early to not delivered yet."""
        return charts.bars(
            self._rows("delivery.lateness_share"), label="days_late", unit="share",
            low="conf_low", high="conf_high", axis="Share of shipments, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many came late, and when the middle one came."""
        late = self._rows("delivery.late_share").iloc[0]
        if late["suppressed"]:
            said = f"Too few shipments promised for {self.cycle} came late to be shown"
        else:
            said = (
                f"{words.value(late['estimate'], 'share')} of the shipments promised for "
                f"{self.cycle} came late or had not come by its end "
                f"({words.interval(late['conf_low'], late['conf_high'], 'share')})"
            )
        median = self._rows("delivery.median_days_late")
        if median.empty or median["suppressed"].iloc[0]:
            return f"{said}."
        return f"{said}; the middle one came {_said(median['estimate'].iloc[0])}."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def lateness(shipments: TableLike, *, cycle: Cycle) -> Lateness:
    """Distribution of days late among the shipments promised for the cycle.

    Parameters
    ----------
    shipments : table
        With order_id, promised_on (DATE, the first promise), delivered_at (UTC) and,
        where known, delivered_on (DATE, in the study's time zone).
    cycle : Cycle
        Shipments promised for one of its days.

    Returns
    -------
    Lateness
        `delivery.lateness_share` by band (`arrival` in time or late, and `days_late`;
        what had not come at the cutoff is a band of its own), `delivery.late_share`,
        and `delivery.median_days_late` (negative: early).

    Raises
    ------
    Withheld
        If fewer than ten shipments were promised for the cycle.

    Notes
    -----
    Shares have Wilson's interval. The median's is made of order statistics, and so is
    right whatever the distribution. What has not come will be later than the days
    waited so far: the median is given only where it is the same however long that is.
    Shipments are taken as independent of one another, since their customers are not told.
    """
    waits = query(
        """
        select case when days_late is null then 1 else 0 end as is_open,
            coalesce(days_late, date_diff('day', promised_on, $end) + 1) as days, count(*) as n
        from s where promised_on >= $first and promised_on <= $end
        group by 1, 2 order by 1, 2
        """,
        s=arrivals(shipments, cutoff=cycle.cutoff),
        first=cycle.first_day,
        end=cycle.last_day,
    )
    total = int(waits["n"].sum())
    if total < FEWEST:
        raise Withheld(
            f"A distribution needs at least {FEWEST} shipments, but {words.number(total)} "
            f"were promised for {cycle.name}."
        )
    open_ = waits["is_open"] == 1
    band = waits["days"].map(band_of).where(~open_, NOT_YET)
    counts = waits["n"].groupby(band).sum()
    # The bands of each side add up to a share that is published, here or as promises
    # kept; as a dimension, the side keeps a small band from being found by subtraction.
    sides = [(name, IN_TIME if high <= 0 else LATE) for name, _, high in BANDS]
    rows = [
        _share(
            "delivery.lateness_share", int(counts.get(name, 0)), total, arrival=side, days_late=name
        )
        for name, side in [*sides, (NOT_YET, LATE)]
    ]
    late = int(waits["n"][open_ | (waits["days"] > 0)].sum())
    rows.append(_share("delivery.late_share", late, total, arrival=None, days_late=None))
    if (median := _median(waits)) is not None:
        metric = "delivery.median_days_late"
        rows.append(interval_row(metric, median, unit="days", arrival=None, days_late=None))
    return Lateness(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of shipments, %, promised for {cycle.first_day} to {cycle.last_day}, "
        "by days after the first promised day; 95% interval",
        note=f"Base: {words.number(total)} shipments promised for {cycle.name}, "
        f"{words.number(int(counts.get(NOT_YET, 0)))} of them not delivered at its end. "
        f"{AS_INDEPENDENT}",
        cycle=cycle.name,
    )


def _median(waits: pd.DataFrame) -> Interval | None:
    """Give the median if it does not depend on what is still on its way."""
    never = waits["days"].astype(float).where(waits["is_open"] == 0, math.inf)
    soonest, latest = (median_of_counts(days, waits["n"]) for days in (waits["days"], never))
    same = soonest.estimate == latest.estimate and soonest.low == latest.low
    return latest if same and soonest.high == latest.high else None


def _share(metric: str, part: int, total: int, **dims: object) -> dict[str, Any]:
    return interval_row(metric, wilson(part, total), unit="share", count=part, **dims)


def _said(days: float) -> str:
    if days == 0:
        return "on the promised day"
    side = "before" if days < 0 else "after"
    return f"{words.plural(abs(days), 'day')} {side} the promised one"
