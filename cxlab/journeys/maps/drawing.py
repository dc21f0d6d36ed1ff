"""From the findings of a journey map to the cells that are drawn, each with how it is known.

What is withheld has lost its numbers before it comes here; what nobody knows is said to be
missing, with what would tell it.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlab.journeys.maps.lanes import declared, places, times
from cxlab.journeys.maps.pains import complaints, pains
from cxlab.journeys.maps.phases import Stages
from cxlab.journeys.maps.reading import FELT, by_stage, rows_of
from cxlab.journeys.maps.told import facts
from cxlab.report import words
from cxlab.report.journey_map import MISSING, SURVEYED, Cell, Feeling, Line, Map, Stage

__all__ = ["maps_of"]


def maps_of(
    estimates: pd.DataFrame, personas: Sequence[str], stages: Stages, outcome: str, *, due: str
) -> list[Map]:
    """Lay out one map per persona; `due` says why it is due for review, if it is."""
    review = [f"Due for review: {due}"] if due else []
    return [
        Map(
            persona=persona[:1].upper() + persona[1:],
            facts=review + facts(rows_of(estimates, persona=persona), outcome),
            stages=_stages(rows_of(estimates, persona=persona), stages, outcome),
        )
        for persona in personas
    ]


def _stages(rows: pd.DataFrame, stages: Stages, outcome: str) -> list[Stage]:
    felt = by_stage(rows_of(rows, metric=list(FELT))).dropna(subset="estimate")
    lowest = _lowest(felt)
    spots = rows_of(rows, metric=list(FELT))
    spots = spots[spots["touchpoint"].notna()].dropna(subset="estimate")
    drawn = []
    for name in stages.names:
        plan = stages.plan.get(name)
        here = rows_of(rows, stage=name)
        given = rows_of(felt, stage=name)
        reach = rows_of(here, metric="map.reach_share")
        drawn.append(
            Stage(
                name=name,
                reach=_reach(reach),
                is_after=bool(outcome and plan and plan.after),
                feeling=_feeling(given.iloc[0], name == lowest) if len(given) else None,
                no_feeling=_no_feeling(by_stage(rows_of(here, metric=list(FELT)))),
                cells=[
                    places(here, "touchpoint", plan, spots),
                    places(here, "channel", plan, spots.head(0)),
                    times(here, plan),
                    pains(here, spots),
                    complaints(here),
                    declared("Promise", plan.promise if plan else None),
                    declared("Owner", plan.owner if plan else None),
                ],
            )
        )
    return drawn


def _reach(rows: pd.DataFrame) -> str:
    if rows.empty or pd.isna(rows["estimate"].iloc[0]):
        return "reached by too few to show"
    row = rows.iloc[0]
    return f"{words.value(row['estimate'], 'share')} of journeys come here"


def _feeling(row: Any, is_lowest: bool) -> Feeling:
    return Feeling(
        name=FELT[row["metric"]], estimate=row["estimate"], low=row["conf_low"],
        high=row["conf_high"], base=f"n\N{NO-BREAK SPACE}{words.number(row['n'])}",
        tag="lowest" if is_lowest else "",
    )  # fmt: skip


def _no_feeling(rows: pd.DataFrame) -> Cell:
    """Say why there is no curve: too few have answered, or nobody was asked."""
    if len(rows):
        line = Line(said="feeling", value="withheld")
        return Cell(lane="Feeling, −1 to +1", grade=SURVEYED, lines=[line], base="too few")
    said = "Nobody was asked. A survey would tell: how did you feel at this point?"
    return Cell(lane="Feeling, −1 to +1", grade=MISSING, lines=[Line(said=said)])


def _lowest(felt: pd.DataFrame) -> str | None:
    """Name the stage that is felt worst, where that is clear of all others."""
    if len(felt) < 2:
        return None
    order = felt.sort_values("estimate", kind="stable")
    first, second = order.iloc[0], order.iloc[1]
    return str(first["stage"]) if first["conf_high"] < second["conf_low"] else None
