"""How much of a journey lies further from any contact than a company could notice?"""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, keep, query, view
from cxlab.data.span import moment_us, span_us
from cxlab.journeys.cases import Journeys
from cxlab.journeys.exact import seconds, sum_of_products
from cxlab.stats.clusters import ClusterSums, cluster_mean
from cxlab.stats.intervals import Interval

__all__ = [
    "AFTER",
    "BEFORE",
    "dark_share",
    "dark_sums",
    "is_silent_after",
    "pauses",
    "window_frame",
]

BEFORE, AFTER = "before the outcome", "after the outcome"


def window_frame(cycles: list[Cycle], since: datetime) -> pd.DataFrame:
    """List cycles and their ends, none before `since`: cycle, start_us, cutoff_us."""
    return pd.DataFrame(
        {
            "cycle": [c.name for c in cycles],
            "start_us": [moment_us(max(c.start, since)) for c in cycles],
            "cutoff_us": [moment_us(c.cutoff) for c in cycles],
        }
    )


def pauses(journeys: Journeys, windows: pd.DataFrame, *, window: str, near: str) -> Table:
    """Cut the time around each outcome at its contacts.

    Parameters
    ----------
    journeys : Journeys
        Those with an outcome in one of the windows are used.
    windows : pandas.DataFrame
        `cycle`, `start_us`, `cutoff_us`.
    window : str
        How long the time after an outcome is followed; a next journey ends it sooner.
    near : str
        Time further than this from any contact is dark.

    Returns
    -------
    Table
        One row per contact and the pause after it: `cycle`, `journey`, `person`, `side` (0
        before, 1 after the outcome), `place`, `whole_us`, `dark_us`; kept in the engine.

    Notes
    -----
    Before the outcome time runs from the first contact to the outcome; service contacts that
    a journey opens with are about something else. After it, only outcomes
    whose whole window lies before the cutoff are followed: else those of late in a cycle would
    look brighter, since contacts come soon after an outcome or not at all.
    """
    after, close = span_us(window), span_us(near)
    return keep(
        view(
            f"""
            with ends as (
                select journey, person, outcome_us, least(
                    outcome_us + {after}, coalesce(lead(started_us) over (
                        partition by person order by started_us, journey), outcome_us + {after})
                ) as end_us
                from j
            ),
            chosen as (
                select w.cycle, e.journey, e.person, e.outcome_us, e.end_us
                from ends as e join w on e.outcome_us >= w.start_us and e.outcome_us < w.cutoff_us
            ),
            paired as (
                select t.journey, t.place, t.at_us,
                    lead(t.at_us) over (partition by t.journey order by t.position) as next_us,
                    min(case when t.is_after = 0 then t.at_us end) over (partition by t.journey)
                        as first_us
                from t join chosen as c on t.journey = c.journey
            ),
            sided as (
                select c.cycle, c.journey, c.person, p.place, p.at_us, p.next_us,
                    case when p.at_us < c.outcome_us then 0 else 1 end as side,
                    case when p.at_us < c.outcome_us then c.outcome_us else c.end_us end as end_us
                from chosen as c join paired as p on c.journey = p.journey
                where (p.at_us < c.outcome_us and p.at_us >= p.first_us)
                    or (p.at_us >= c.outcome_us and c.outcome_us + {after} <= $cutoff_us)
            )
            select cycle, journey, person, side, place,
                greatest(least(coalesce(next_us, end_us), end_us) - at_us, 0) as whole_us,
                greatest(least(coalesce(next_us - {close}, end_us), end_us) - at_us - {close}, 0)
                    as dark_us
            from sided
            """,
            j=journeys.journeys,
            t=journeys.touches,
            w=windows,
            cutoff_us=moment_us(journeys.cutoff),
        )
    )


def dark_sums(
    cut: Table, *, by: pd.DataFrame | None = None, cycle: str | None = None
) -> pd.DataFrame:
    """Sum dark and whole seconds over people, by side and a word of the place or the cycle.

    Parameters
    ----------
    cut : Table
        As `pauses` gives it.
    by : pandas.DataFrame, optional
        `place`, `name`. Default: by cycle.
    cycle : str, optional
        Only this cycle. Default: all.

    Returns
    -------
    pandas.DataFrame
        `name`, `side`, `people`, `journeys`, and the sums that `dark_share` needs.
    """
    name = "d.cycle" if by is None else "p.name"
    joined = "" if by is None else " join p on d.place = p.place"
    only = "" if cycle is None else " and d.cycle = $cycle"
    return query(
        f"""
        with person as (
            select {name} as name, d.side, d.person, count(distinct d.journey) as journeys,
                {seconds("sum(d.whole_us)")} as n, {seconds("sum(d.dark_us)")} as y
            from d{joined} where d.whole_us > 0{only}
            group by {name}, d.side, d.person
        )
        select name, side, count(*) as people, sum(journeys) as journeys, sum(n) as n,
            sum(y) as total, {sum_of_products("n", "n")} as n_n,
            {sum_of_products("n", "y")} as n_total, {sum_of_products("y", "y")} as total_total
        from person group by name, side order by side, name
        """,
        d=cut,
        **_given(p=by, cycle=cycle),
    )


def is_silent_after(cut: Table) -> bool:
    """Tell whether no outcome is followed by a contact: then all time after it would be dark."""
    found = query(
        """
        select case when max(n) = 1 then 1 else 0 end as is_silent from (
            select count(*) as n from d where side = 1 and whole_us > 0 group by journey
        ) as j
        """,
        d=cut,
    )  # the pause after the outcome itself is one
    return bool(found["is_silent"][0])


def dark_share(sums: dict[Any, Any]) -> Interval:
    """Give the share of time in the dark its interval; `n` counts journeys."""
    found = cluster_mean(
        ClusterSums(
            customers=float(sums["people"]),
            **{k: float(sums[k]) for k in ("n", "total", "n_n", "n_total", "total_total")},
        )
    )
    return Interval(
        estimate=found.estimate, low=max(0.0, found.low), high=min(1.0, found.high),
        n=float(sums["journeys"]), method="ratio of times, t interval, people as clusters",
        level=found.level, se=found.se if np.isfinite(found.se) else float("nan"),
    )  # fmt: skip


def _given(**names: Any) -> dict[str, Any]:
    """Keep the names of a query that it has a use for."""
    return {name: value for name, value in names.items() if value is not None}
