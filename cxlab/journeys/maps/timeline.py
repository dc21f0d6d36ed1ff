"""How long do journeys take: to the outcome, after it, in each stage and between them?

Journeys that may still go on are known up to a moment only. They are counted as long as they
were watched, rather than left out: leaving them out would keep the short ones.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, keep, query, view
from cxlab.data.working_time import WorkingHours, add_working_time
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.maps.phases import (
    EVERYBODY,
    Begun,
    Stages,
    begun_in,
    protect_by_stage,
    stages_of,
)
from cxlab.journeys.maps.quartiles import QUARTILES, quartiles
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, design_effect
from cxlab.stats.intervals import Interval, wilson
from cxlab.stats.survival import SurvivalCurve, product_limit

__all__ = ["Timeline", "timeline"]

FEWEST = 10  # journeys below which no length is trusted
DAY = 86_400_000_000
HOUR = 3_600_000_000

# First touch to outcome, outcome to last touch, first touch to last touch.
_ELAPSED = {
    "journey.days_to_outcome": (
        "case when outcome_us < $horizon then outcome_us - started_us end", "started_us", "true"
    ),
    "journey.days_after_outcome": (
        "case when is_over = 1 then ended_us - outcome_us end", "outcome_us",
        "outcome_us < $horizon"
    ),
    "journey.days_in_all": (
        "case when is_over = 1 then ended_us - started_us end", "started_us", "true"
    ),
}  # fmt: skip
# Few who go on to the next stage must not hide how long many stay.
PARTS = ("within", "to the next")
_STAYS = ("journey.days_in_stage", "journey.days_to_next_stage")
_WORKED = ("journey.working_hours_in_stage", "journey.working_hours_to_next_stage")
# Lengths are counted in steps that grow with them: a curve needs few rows, and loses little.
_STEP = f"""
    case when x < {HOUR // 3} then {HOUR // 60} when x < {6 * HOUR} then {HOUR // 6}
        when x < {2 * DAY} then {HOUR} when x < {30 * DAY} then {6 * HOUR} else {DAY} end
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline(Result):
    """Lengths of time by persona and stage; quartiles, each with its interval."""

    cycle: str
    outcome: str
    personas: list[str]
    stages: list[str]

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the median length of each stage, or to the outcome where there is none."""
        rows = self._medians("journey.days_in_stage")
        if rows["estimate"].notna().sum() < 2:
            return None
        rows = rows[rows["persona"] == self.personas[0]]
        unit, per_day = _readable(rows["estimate"].max())
        ends = ["estimate", "conf_low", "conf_high"]
        return charts.dots(
            rows.assign(**{c: rows[c] * per_day for c in ends}), label="stage", unit="mean",
            axis=f"Median {unit} in the stage", ax=ax,
        )  # fmt: skip

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small groups, stage by stage."""
        return replace(self, estimates=protect_by_stage(self.estimates, rules))

    def sentence(self) -> str:
        """How long the way to the outcome takes."""
        rows, since = self._medians("journey.days_to_outcome").dropna(subset="estimate"), ""
        if rows.empty:
            rows = self._medians("journey.days_in_all").dropna(subset="estimate")
            if rows.empty:
                return f"Too few journeys that began in {self.cycle} have ended to time them."
            said = "From first to last contact half of the journeys take at most"
        else:
            said = f"Of those who come to '{self.outcome}', half are there within"
            since = " of the first contact"
        row = rows.iloc[0]
        who = "" if row["persona"] == EVERYBODY else f" ({row['persona']})"
        ends = f"{words.duration(row['conf_low'])} to {words.duration(row['conf_high'])}"
        return f"{said} {words.duration(row['estimate'])}{since}{who}: {ends}."

    def _medians(self, metric: str) -> pd.DataFrame:
        rows = self.estimates[
            (self.estimates["metric"] == metric) & (self.estimates["measure"] == "median")
        ]
        return rows.reset_index(drop=True)


def _readable(most_days: float) -> tuple[str, float]:
    """Choose the unit in which days can be read off a chart, and how many make a day."""
    for unit, per_day in (("days", 1), ("hours", 24), ("minutes", 1440)):
        if most_days * per_day >= 2:
            return unit, per_day
    return "minutes", 1440


def timeline(
    journeys: Journeys,
    *,
    cycle: Cycle,
    persona: TableLike | None = None,
    hours: WorkingHours | None = None,
) -> Timeline:
    """Time how long the journeys that began in a cycle take.

    Parameters
    ----------
    journeys : Journeys
        From `split_journeys`.
    cycle : Cycle
        In which they began.
    persona : table, optional
        `customer_id` and one more column: each persona apart.
    hours : WorkingHours, optional
        The study's `working_hours`: stages are then timed in these as well.

    Returns
    -------
    Timeline
        `journey.outcome_share`; quartiles (`measure`) of `journey.days_to_outcome`,
        `journey.days_after_outcome` and `journey.days_in_all` from first touch to last, and
        by stage of `journey.days_in_stage` and `journey.days_to_next_stage`, with
        `journey.working_hours_in_stage` and `..._to_next_stage`.

    Raises
    ------
    Withheld
        If no journey began in the cycle, or nothing tells its stages.

    Notes
    -----
    Whether a silence is an end is known only when it has lasted: all journeys are judged as
    known one `gap` before the cutoff, where the end of each is either seen or not, whatever
    it is (product limit). Those without the outcome stay among those who might have come to
    it, so that `outcome_share` is a cumulative incidence; the quartiles to the outcome are of
    those who come to it. Stays in a stage are timed where the journey has left it.
    """
    stages = stages_of(journeys)
    begun = begun_in(journeys, stages, cycle=cycle, persona=persona)
    rows = elapsed_rows(begun, journeys)
    staying, still = stage_rows(begun, stages, cycle=cycle, hours=hours)
    rows += staying
    frame = pd.DataFrame(rows)
    if frame.empty or frame["estimate"].isna().all():
        raise Withheld(
            f"Fewer than {FEWEST} journeys that began in {cycle.name} have come far enough to "
            "be timed."
        )
    return Timeline(
        estimates=frame,
        subtitle=f"Quartiles of lengths of time, {begun.said(cycle)}; 95% interval",
        note=_note(begun, still, hours),
        cycle=cycle.name,
        outcome=words.listing(journeys.settings.outcome, "or"),
        personas=begun.personas,
        stages=stages.names,
    )


def elapsed_rows(begun: Begun, journeys: Journeys) -> list[dict[str, Any]]:
    """Time the way to the outcome, from there to the last contact, and all of it."""
    rows: list[dict[str, Any]] = []
    for metric in _ELAPSED:
        if metric == "journey.days_in_all" or journeys.settings.outcome:
            rows += _elapsed(begun, metric)
    return rows


def stage_rows(
    begun: Begun, stages: Stages, *, cycle: Cycle, hours: WorkingHours | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Time the stays in each stage and the ways between them; and count what still goes on."""
    over = keep(
        view(
            """
            select p.*, case when p.next_us < $horizon then p.next_us end as then_us
            from p join j on p.journey = j.journey
            where p.next_us < $horizon or (p.next_us is null and j.is_over = 1)
            """,
            p=begun.phases,
            j=begun.journeys,
            horizon=begun.horizon_us,
        )
    )
    still = query(
        "select (select count(*) from p) - (select count(*) from o) as n from "
        "(select 1 as one) as d",
        p=begun.phases,
        o=over,
    )["n"][0]
    metrics, lengths = list(_STAYS), ["left_us - entered_us", "then_us - left_us"]
    if hours is not None:
        zone = cycle.time_zone
        over = add_working_time(
            over, hours, time_zone=zone, start="entered_us", end="left_us", name="worked_in"
        )
        over = add_working_time(
            over, hours, time_zone=zone, start="left_us", end="then_us", name="worked_to"
        )
        over = keep(over)
        metrics += _WORKED
        lengths += ["worked_in", "worked_to"]
    return _stays(over, begun, stages, metrics, lengths), int(still)


def _stays(
    over: Table, begun: Begun, stages: Stages, metrics: list[str], lengths: list[str]
) -> list[dict[str, Any]]:
    size, kinds = len(stages.names), len(metrics)
    codes = pd.DataFrame({"persona": begun.personas, "persona_no": range(len(begun.personas))})
    parts = " union all ".join(
        f"select cast((c.persona_no * {size} + o.stage_no) * {kinds} + {k} as bigint) as grp, "
        f"o.person_id, {length} as length_us from o join c on o.persona = c.persona "
        f"where {length} is not null"
        for k, length in enumerate(lengths)
    )
    found = quartiles(view(parts, o=over, c=codes))
    rows = []
    for row in found.sort_values(["grp"], kind="stable").to_dict("records"):
        at, kind = divmod(int(row["grp"]), kinds)
        persona_no, stage_no = divmod(at, size)
        unit, scale = ("days", DAY) if kind < len(_STAYS) else ("hours", HOUR)
        rows.append(
            timed(metrics[kind], row["found"], scale=scale, unit=unit, people=row["people"],
                  persona=begun.personas[persona_no], stage=stages.names[stage_no],
                  measure=row["measure"], part=PARTS[kind % 2])
        )  # fmt: skip
    return rows


def timed(
    metric: str, found: Interval, *, scale: float, unit: str, people: float, **dims: Any
) -> dict[str, Any]:
    """Make the row of a length of time; without a number where it is of too few."""
    known = found.n >= FEWEST and people >= 2 and math.isfinite(found.estimate)
    ends = [x / scale if known and math.isfinite(x) else math.nan
            for x in (found.estimate, found.low, found.high)]  # fmt: skip
    row = estimate_row(
        metric, ends[0], ends[1], ends[2], n=found.n, count=people, unit=unit,
        method=found.method, **dims,
    )  # fmt: skip
    # An end that no data reach is no interval, and a number without one does not travel.
    return row if np.isfinite(ends).all() else {**row, "suppressed": True} | _NONE


_NONE = {"estimate": math.nan, "conf_low": math.nan, "conf_high": math.nan}


def _elapsed(begun: Begun, metric: str) -> list[dict[str, Any]]:
    """Make the rows of one elapsed time, by persona, from a product-limit curve."""
    length, origin, which = _ELAPSED[metric]
    spans = view(
        f"""
        select persona, person_id, {length} as length_us, $horizon - {origin} as watched_us
        from j where {which} and started_us < $horizon
        """,
        j=begun.journeys,
        horizon=begun.horizon_us,
    )
    counts = query(
        f"""
        select persona, length_us, sum(seen) as seen, count(*) - sum(seen) as unseen from (
            select persona, x - x % nullif({_STEP}, 0) as length_us, seen from (
                select persona, coalesce(length_us, watched_us) as x,
                    case when length_us is not null then 1 else 0 end as seen from s
            ) as d
        ) as e group by persona, length_us order by persona, length_us
        """,
        s=spans,
    )
    rows = []
    people = _people(spans)
    for persona in begun.personas:
        mine = counts[counts["persona"] == persona]
        if mine["seen"].sum() < FEWEST:
            continue
        sums = people.loc[persona]
        effect = design_effect(_clusters(sums))
        curve = product_limit(mine["length_us"], mine["seen"], mine["unseen"], design_effect=effect)
        rows += _read(metric, curve, persona, sums)
    return rows


def _read(metric: str, curve: SurvivalCurve, persona: str, sums: Any) -> list[dict[str, Any]]:
    """Read the share with the event, and the quartiles of those who have it, off a curve."""
    dims = {"persona": persona, "stage": None, "part": None}
    rows: list[dict[str, Any]] = []
    reached = 1.0
    if metric == "journey.days_to_outcome":
        last = curve.incidence([curve.time[curve.events > 0][-1]]).iloc[0]
        reached = float(last["estimate"])
        found = Interval(
            estimate=reached, low=last["conf_low"], high=last["conf_high"], n=curve.n,
            method=f"cumulative incidence; {curve.method}",
        )  # fmt: skip
        if not curve.survival[-1] > 0:  # all came to it, and the curve has no error to state
            found = wilson(curve.n, curve.n)
        if np.isfinite([found.low, found.high]).all():
            rows.append(
                interval_row("journey.outcome_share", found, unit="share",
                             count=float(sums["seen_people"]), measure=None, **dims)
            )  # fmt: skip
    for measure, q in QUARTILES.items():
        found = curve.quantile(min(q * reached, 1 - 1e-12))
        if not curve.survival[-1] > 0:  # by the last of these times all of them had it
            ends = curve.time[curve.events > 0][[0, -1]]
            low = ends[0] if math.isinf(found.low) else found.low
            found = replace(found, low=float(low), high=float(min(found.high, ends[1])))
        rows.append(
            timed(metric, found, scale=DAY, unit="days", people=float(sums["seen_people"]),
                  measure=measure, **dims)
        )  # fmt: skip
    return rows


def _people(spans: Table) -> pd.DataFrame:
    """Sum over persons how many journeys they began, and how many of these ended as asked."""
    return query(
        """
        select persona, count(*) as people, sum(case when y > 0 then 1 else 0 end) as seen_people,
            sum(n) as n, sum(n * n) as n_n, sum(y) as y, sum(n * y) as n_y, sum(y * y) as y_y
        from (
            select persona, person_id, count(*) as n,
                sum(case when length_us is not null then 1 else 0 end) as y
            from s group by persona, person_id
        ) as p group by persona order by persona
        """,
        s=spans,
    ).set_index("persona")


def _clusters(sums: Any) -> ClusterSums:
    """Journeys of each person that ended as asked, as sums over persons."""
    return ClusterSums(
        customers=float(sums["people"]), n=float(sums["n"]), total=float(sums["y"]),
        n_n=float(sums["n_n"]), n_total=float(sums["n_y"]), total_total=float(sums["y_y"]),
    )  # fmt: skip


def _note(begun: Begun, still: int, hours: WorkingHours | None) -> str:
    said = [
        "Open journeys count as long as they were watched (product limit), and the several "
        "journeys of a person as one cluster. A journey is in the furthest stage that it has "
        "reached; time in a stage runs from its first to its last contact."
    ]
    if still:
        said.append(
            f"{words.plural(still, 'stay')} in a stage had not ended, or not for sure, and "
            "are in no length of a stage, which makes these a little short."
        )
    if begun.late:
        said.append(
            f"{words.plural(begun.late, 'journey')} began so late that no end can be known yet."
        )
    if begun.unnamed:
        said.append(f"{words.plural(begun.unnamed, 'journey')} of nobody with a persona left out.")
    if hours is not None:
        said.append(f"Working hours: {hours.said()}.")
    return " ".join(said)
