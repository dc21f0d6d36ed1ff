"""How long journeys take to their outcome and after it, in each stage and between stages: rows."""

import math
from typing import Any

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import keep, query, view
from cxlab.data.working_time import WorkingHours, add_working_time
from cxlab.journeys.cases import Journeys
from cxlab.journeys.maps.phases import Begun, Stages
from cxlab.journeys.maps.watched import FEWEST, QUARTILES, Watched, union, watched
from cxlab.report.finding import estimate_row, interval_row
from cxlab.stats.intervals import Interval

__all__ = ["STILL_ON", "elapsed_rows", "stage_rows"]

STILL_ON = "withheld: more than a tenth may still go on, and nothing tells when they ended"

_DAY = 86_400_000_000
_HOUR = 3_600_000_000
_TO, _AFTER, _ALL = (
    f"journey.days_{part}" for part in ("to_outcome", "after_outcome", "in_all")
)  # first touch to outcome, outcome to last touch, first touch to last
_ELAPSED = {
    _TO: ("case when outcome_us < $horizon then outcome_us - started_us end", "started_us", "true"),
    _AFTER: (
        "case when is_over = 1 then ended_us - outcome_us end", "outcome_us",
        "outcome_us < $horizon"
    ),
    _ALL: ("case when is_over = 1 then ended_us - started_us end", "started_us", "true"),
}  # fmt: skip
# Few who go on to the next stage must not hide how long many stay.
_PARTS = ("within", "to the next")
_STAYS = ("journey.days_in_stage", "journey.days_to_next_stage")
_WORKED = ("journey.working_hours_in_stage", "journey.working_hours_to_next_stage")
_MOST_STILL = 0.1  # share of stays that may still go on where nothing tells whether they do


def elapsed_rows(begun: Begun, journeys: Journeys) -> list[dict[str, Any]]:
    """Time the way to the outcome, from there to the last contact, and all of it."""
    metrics = [_TO] if journeys.settings.outcome else []
    if begun.ends_known:
        metrics += [_AFTER, _ALL] if journeys.settings.outcome else [_ALL]
    if not metrics:
        return []
    size = len(metrics)
    spans = view(
        union(
            f"select cast(c.persona_no * {size} + {k} as bigint) as grp, j.person_id, "
            f"{_ELAPSED[metric][0]} as length_us, $horizon - {_ELAPSED[metric][1]} as watched_us "
            "from j join c on j.persona = c.persona "
            f"where started_us < $horizon and {_ELAPSED[metric][2]}"
            for k, metric in enumerate(metrics)
        ),
        j=begun.journeys,
        c=_numbered(begun),
        horizon=begun.horizon_us,
    )
    rows: list[dict[str, Any]] = []
    for grp, group in sorted(watched(spans).items(), key=lambda item: item[0] % size):
        persona_no, kind = divmod(grp, size)
        if group.seen >= FEWEST:
            rows += _read(metrics[kind], group, begun.personas[persona_no])
    return rows


def stage_rows(
    begun: Begun,
    journeys: Journeys,
    stages: Stages,
    *,
    cycle: Cycle,
    hours: WorkingHours | None = None,
) -> tuple[list[dict[str, Any]], int]:
    """Time the stays in each stage and the ways between them; and count what still goes on."""
    stays = view(
        """
        select d.*, case when has_left = 1 then left_us else $horizon end as in_until,
            case when has_gone = 1 then next_us else $horizon end as to_until
        from (
            select p.*, case when p.next_us < $horizon then 1 else 0 end as has_gone,
                case when p.left_us < $horizon and (p.next_us is not null or j.is_over = 1)
                    then 1 else 0 end as has_left
            from p join j on p.journey = j.journey where p.entered_us < $horizon
        ) as d
        """,
        p=begun.phases,
        j=begun.journeys,
        horizon=begun.horizon_us,
    )
    still = query("select count(*) as n from s where has_left = 0", s=keep(stays))["n"][0]
    metrics = list(_STAYS)
    lengths = ["in_until - entered_us", "to_until - left_us"]
    if hours is not None:
        for start, name in (("entered", "in"), ("left", "to")):
            stays = add_working_time(
                stays, hours, time_zone=cycle.time_zone, start=f"{start}_us",
                end=f"{name}_until", name=f"worked_{name}",
            )  # fmt: skip
        metrics += _WORKED
        lengths += ["worked_in", "worked_to"]
    size, kinds = len(stages.names), len(metrics)
    known = {0: "true", 1: "has_left = 1"}  # the way to the next begins when a stage was left
    spans = view(
        union(
            f"select cast((c.persona_no * {size} + s.stage_no) * {kinds} + {k} as bigint) as grp, "
            f"s.person_id, case when {('has_left', 'has_gone')[k % 2]} = 1 then {length} end "
            f"as length_us, {length} as watched_us from s join c on s.persona = c.persona "
            f"where {known[k % 2]}"
            for k, length in enumerate(lengths)
        ),
        s=keep(stays),
        c=_numbered(begun),
    )
    rules = journeys.settings
    # A case that is either won or lost, and tells it, goes on until it has.
    told = rules.gap is not None or bool(rules.key and rules.outcome and rules.lost)
    rows = []
    for grp, group in sorted(watched(spans).items()):
        at, kind = divmod(grp, kinds)
        persona_no, stage_no = divmod(at, size)
        if kind % 2 and group.seen == 0:  # nobody goes on from there
            continue
        unit, scale = ("days", _DAY) if kind < len(_STAYS) else ("hours", _HOUR)
        hidden = not told and group.n - group.seen > _MOST_STILL * group.n
        for measure in QUARTILES:
            rows.append(
                _timed(metrics[kind], group, measure, of_reached=bool(kind % 2), scale=scale,
                       unit=unit, hidden=hidden and not kind % 2,
                       persona=begun.personas[persona_no], stage=stages.names[stage_no],
                       part=_PARTS[kind % 2])
            )  # fmt: skip
    return rows, int(still)


def _numbered(begun: Begun) -> pd.DataFrame:
    return pd.DataFrame({"persona": begun.personas, "persona_no": range(len(begun.personas))})


def _read(metric: str, group: Watched, persona: str) -> list[dict[str, Any]]:
    """Read the share that comes to the outcome, and the quartiles, off a curve."""
    dims: dict[str, Any] = {"persona": persona, "stage": None, "part": None}
    rows: list[dict[str, Any]] = []
    if metric == _TO and group.enough:
        found = group.share()
        if np.isfinite([found.low, found.high]).all():
            rows.append(
                interval_row("journey.outcome_share", found, unit="share", count=group.people,
                             measure=None, **dims)
            )  # fmt: skip
    rows += [
        _timed(metric, group, measure, of_reached=metric == _TO, scale=_DAY, unit="days", **dims)
        for measure in QUARTILES
    ]
    return rows


def _timed(
    metric: str,
    group: Watched,
    measure: str,
    *,
    of_reached: bool,
    scale: float,
    unit: str,
    hidden: bool = False,
    **dims: Any,
) -> dict[str, Any]:
    """Make the row of a length of time; without a number where it is of too few."""
    nothing = Interval(
        estimate=math.nan, low=math.nan, high=math.nan, n=group.n,
        method=STILL_ON if hidden else "withheld: too few",
    )  # fmt: skip
    enough = group.enough and group.seen >= FEWEST and group.people >= 2 and not hidden
    found = group.quartile(measure, of_reached=of_reached) if enough else nothing
    # An end that no data reach is no interval, and a number without one does not travel.
    if not np.isfinite([found.estimate, found.low, found.high]).all():
        found = nothing
    row = estimate_row(
        metric, found.estimate / scale, found.low / scale, found.high / scale, n=group.n,
        count=group.people, unit=unit, method=found.method, measure=measure, **dims,
    )  # fmt: skip
    return row if math.isfinite(found.estimate) else {**row, "suppressed": True}
