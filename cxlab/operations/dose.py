"""How satisfaction goes with the days that a delivery is late.

An association: late orders differ from others in more than their lateness.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, query
from cxlab.errors import DataError, Withheld
from cxlab.operations.deliveries import AS_INDEPENDENT, BANDS, FEWEST, band_of, deliveries
from cxlab.operations.slope import slope
from cxlab.report import charts, disclosure, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result, interval_row
from cxlab.stats.differences import welch
from cxlab.stats.intervals import constant_mean, sample_variance, t_mean, wilson
from cxlab.stats.power import detectable_change

__all__ = ["OVERDUE", "WAITING", "DoseResponse", "dose_response"]

# An order that has not come when it is rated: nobody knows yet how late it will be.
WAITING = "rated before delivery, in time"
OVERDUE = "rated before delivery, overdue"
TOP_BOX = "top two points"


@dataclass(frozen=True, kw_only=True, eq=False)
class DoseResponse(Result):
    """Satisfaction by band of days late, and its slope per day."""

    cycle: str
    scale: tuple[float, float]
    most_days: int

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small groups; the slope as well where its base tells of the overdue."""
        safe = super().protect(rules)
        overdue = safe.estimates["days_late"] == OVERDUE
        if not safe.estimates.loc[overdue, "suppressed"].any():
            return safe
        hidden = safe.estimates["suppressed"] | (safe.estimates["metric"] == "delivery.csat_slope")
        rows = disclosure.blank(safe.estimates, hidden.to_numpy(dtype=bool))
        return replace(safe, estimates=rows)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the mean of each band with its interval."""
        low, high = (words.number(end) for end in self.scale)
        return charts.dots(
            self._rows("delivery.csat_by_lateness"), label="days_late", unit="points",
            axis=f"Mean satisfaction, {low} to {high}", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """What goes with being late, and that it need not come from it."""
        told = [self._gap(), self._slope()]
        return " ".join([*(part for part in told if part), "Association, not cause."])

    def _gap(self) -> str:
        row = self._numbers("delivery.csat_late_difference")
        if row is None:
            return f"Too few late orders were rated in {self.cycle} to compare with the others."
        if row[1] <= 0 <= row[2]:
            seen = words.number(detectable_change(row[1], row[2]), 2)
            return (
                "No detectable difference in satisfaction between late orders and those in "
                f"time (we could have seen one of {seen} points)."
            )
        return f"Orders late when rated score {_points(row)} than those in time."

    def _slope(self) -> str:
        row = self._numbers("delivery.csat_slope")
        if row is None or row[1] <= 0 <= row[2]:
            return "How it goes on with each day late cannot be told." if row else ""
        return f"Each day late goes with {_points(row)}, up to {self.most_days} days."

    def _numbers(self, metric: str) -> tuple[float, float, float] | None:
        rows = self._rows(metric)
        if rows.empty or rows["suppressed"].iloc[0]:
            return None
        each, low, high = (float(rows[c].iloc[0]) for c in ("estimate", "conf_low", "conf_high"))
        return each, low, high

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def dose_response(
    shipments: TableLike,
    answers: TableLike,
    *,
    cycle: Cycle,
    question: str | None = None,
    most_days: int = 14,
) -> DoseResponse:
    """Satisfaction with an order by how late it came.

    Parameters
    ----------
    shipments : table
        As in `lateness`. An order has come when its last shipment has.
    answers : table
        Rows of construct `csat` with order_id, answered_at, response_id, value,
        scale_min and scale_max, perhaps question and reversed.
    cycle : Cycle
        Orders that were rated in it. An order rated several times counts once, with
        its last rating.
    question : str, optional
        Which question, where several ask for satisfaction. Default: any.
    most_days : int
        Days beyond this count as this many in the slope: a scale has an end, and a
        few parcels that took months would otherwise set the line.

    Returns
    -------
    DoseResponse
        `delivery.csat_by_lateness` (mean) and `delivery.top_box_by_lateness` by band;
        `delivery.csat_late_difference`, late (or overdue) minus in time; and
        `delivery.csat_slope` in points per day late (0 for on time or early).

    Raises
    ------
    DataError
        If the ratings are on several scales, or one lies outside its scale.
    Withheld
        If fewer than ten orders of `shipments` were rated in the cycle.

    Notes
    -----
    Who rates before the parcel has come cannot know how late it will be. Such ratings
    are groups of their own, told apart by whether the promised day had passed: the
    overdue count as late in the difference, the others in neither group, and both are
    no part of the slope. The day of a rating is `answered_on` (DATE, local) where
    the table has it, else the UTC day of `answered_at`.

    Means have Student's interval, their difference Welch's. The slope is least squares
    with the HC3 variance (MacKinnon & White 1985, Journal of Econometrics 29, 305-325),
    since ratings scatter more where deliveries are late. Orders are taken as
    independent of one another.
    """
    sums = _sums(shipments, answers, cycle, question)
    total = int(sums["n"].sum())
    if total < FEWEST:
        raise Withheld(
            f"Satisfaction by lateness needs at least {FEWEST} rated orders with a promised "
            f"day, but {words.number(total)} were rated in {cycle.name}."
        )
    scale = _one_scale(sums)
    band = sums["days"].map(band_of).where(sums["has_come"] == 1, WAITING)
    band = band.mask((sums["has_come"] == 0) & (sums["days"] > 0), OVERDUE)
    numbers = sums[["n", "total", "squares", "top"]].groupby(band).sum()
    rows = [
        row
        for name in [*(b[0] for b in BANDS), WAITING, OVERDUE]
        if name in numbers.index
        for row in _band_rows(name, numbers.loc[name], scale)
    ]
    rows += _contrasts(sums, most_days)
    # Their number is no part of the base: it would tell of the few of them by subtraction.
    waiting = int(numbers["n"].get(WAITING, 0))
    low, high = (words.number(end) for end in scale)
    return DoseResponse(
        estimates=pd.DataFrame(rows),
        subtitle=f"Mean satisfaction, {low} to {high}, of orders rated {cycle.first_day} to "
        f"{cycle.last_day}, by days after the first promised day; 95% interval",
        note=f"Base: {words.number(total - waiting)} orders that were overdue or had come when "
        "rated, unweighted, the last rating of each. Those rated before the delivery was "
        f"complete stand apart and are no part of the slope. {AS_INDEPENDENT}",
        cycle=cycle.name,
        scale=scale,
        most_days=most_days,
    )


def _contrasts(sums: pd.DataFrame, most_days: int) -> list[dict[str, Any]]:
    """Compare late with in time, and fit the slope, where enough are late."""
    dims: dict[str, Any] = {"days_late": None, "measure": None}
    come = sums["has_come"] == 1
    numbers = ["n", "total", "squares"]
    late = _three(sums.loc[sums["days"] > 0, numbers])
    in_time = _three(sums.loc[come & (sums["days"] <= 0), numbers])
    rows = []
    if min(late[0], in_time[0]) >= FEWEST:
        gap = welch(late, in_time)
        rows.append(interval_row("delivery.csat_late_difference", gap, unit="points", **dims))
    known = sums[come].assign(dose=sums["days"].clip(0, most_days))
    if known.loc[known["dose"] > 0, "n"].sum() >= FEWEST and known["dose"].nunique() > 2:
        line = slope(known["dose"], known["n"], known["total"], known["squares"])
        rows.append(interval_row("delivery.csat_slope", line, unit="points", **dims))
    return rows


def _three(sums: pd.DataFrame) -> tuple[float, float, float]:
    n, total, squares = (float(x) for x in sums.sum())
    return n, total, squares


def _points(row: tuple[float, float, float]) -> str:
    """Write a difference in points as less or more: '0.21 points less (0.10 to 0.32)'."""
    low, high = sorted(abs(end) for end in row[1:])
    side = "less" if row[0] < 0 else "more"
    return (
        f"{words.number(abs(row[0]), 2)} points {side} "
        f"({words.number(low, 2)} to {words.number(high, 2)})"
    )


def _sums(
    shipments: TableLike, answers: TableLike, cycle: Cycle, question: str | None
) -> pd.DataFrame:
    """Sum the last rating of each order by its days late."""
    arrived, asked = in_one_engine(shipments, answers)
    asked.need("order_id", "construct", "answered_at", "response_id", "value")
    asked.need("scale_min", "scale_max")
    _within_scale(asked, cycle, question)
    turned = "case when reversed then scale_min + scale_max - value else value end"
    value = turned if "reversed" in asked.columns else "value"
    day = "answered_on" if "answered_on" in asked.columns else "cast(answered_at as date)"
    sql = f"""
        with last as (
            select order_id, answered_at, {day} as rated_on, scale_min, scale_max,
                cast({value} as decimal(18, 6)) as rating,
                row_number() over (
                    partition by order_id order by answered_at desc, response_id desc
                ) as place
            from a
            where construct = 'csat' and value is not null and order_id is not null
                and answered_at >= $start and answered_at < $cutoff
                {"and question = $question" if question else ""}
        ), rated as (
            select l.rating, l.scale_min, l.scale_max,
                case when d.delivered_at <= l.answered_at then 1 else 0 end as has_come,
                case when d.delivered_at <= l.answered_at then d.days_late
                    else date_diff('day', d.promised_on, l.rated_on) end as days
            from last l join d on l.order_id = d.order_id where l.place = 1
        )
        select scale_min, scale_max, has_come, days, count(*) as n, sum(rating) as total,
            sum(cast(rating * rating as decimal(18, 6))) as squares,
            count(*) filter (where rating >= scale_max - 1) as top
        from rated group by 1, 2, 3, 4 order by 1, 2, 3, 4
    """
    names: dict[str, Any] = {"question": question} if question else {}
    return query(
        sql,
        a=asked,
        d=deliveries(arrived, cutoff=cycle.cutoff),
        start=cycle.start,
        cutoff=cycle.cutoff,
        **names,
    )


def _within_scale(asked: Table, cycle: Cycle, question: str | None) -> None:
    """Refuse ratings that their scale does not have: 99 is often 'no answer'."""
    names: dict[str, Any] = {"question": question} if question else {}
    outside = query(
        f"""
        select cast(scale_min as double) as low, cast(scale_max as double) as high,
            count(*) as n, max(cast(value as double)) as most
        from a
        where construct = 'csat' and order_id is not null
            and answered_at >= $start and answered_at < $cutoff
            and (value < scale_min or value > scale_max)
            {"and question = $question" if question else ""}
        group by 1, 2 order by 1, 2
        """,
        a=asked,
        start=cycle.start,
        cutoff=cycle.cutoff,
        **names,
    )
    if len(outside):
        found = [f"{r.n:,} outside {r.low:g} to {r.high:g}" for r in outside.itertuples()]
        raise DataError(
            f"Ratings of satisfaction must lie on their scale, but {cycle.name} has "
            f"{words.listing(found)}, among them {outside['most'].iloc[0]:g}. "
            "Leave 'not applicable' without a value."
        )


def _one_scale(sums: pd.DataFrame) -> tuple[float, float]:
    scales = sums[["scale_min", "scale_max"]].drop_duplicates()
    if len(scales) > 1:
        found = [f"{low:g} to {high:g}" for low, high in scales.to_numpy()]
        raise DataError(
            f"Ratings of satisfaction must share one scale, but have {words.listing(found)}. "
            "Map them onto one, or name a question."
        )
    return float(scales["scale_min"].iloc[0]), float(scales["scale_max"].iloc[0])


def _band_rows(name: str, sums: Any, scale: tuple[float, float]) -> list[dict[str, Any]]:
    n, total, squares = float(sums["n"]), float(sums["total"]), float(sums["squares"])
    low, high = scale
    if n > 1 and sample_variance(n, total, squares) > 0:
        mean = t_mean(n, total, squares).clip(low, high)
    else:
        mean = constant_mean(n, total / n, scale_min=low, scale_max=high)
    top = float(sums["top"])
    dims: dict[str, Any] = {"days_late": name, "measure": None}
    return [
        interval_row("delivery.csat_by_lateness", mean, unit="points", **dims),
        interval_row(
            "delivery.top_box_by_lateness",
            wilson(top, n),
            unit="share",
            count=top,
            **dims | {"measure": TOP_BOX},
        ),
    ]
