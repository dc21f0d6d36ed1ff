"""The lanes of a journey map: where customers are met, how long it takes, whose it is."""

import math

import pandas as pd

from cxlab.columns import ALL_OTHERS, NOT_KNOWN
from cxlab.data.journey_settings import PlannedStage
from cxlab.journeys.maps.lengths import STILL_ON
from cxlab.journeys.maps.reading import name_of, rows_of, signed
from cxlab.report import words
from cxlab.report.journey_map import ASSUMED, MISSING, OBSERVED, Cell, Line

__all__ = ["declared", "places", "times"]

_MOST = 4  # lines of a cell; the others are added up, or stand in the table
_STILL_ON = "many may still stay: nothing tells when they leave"
_QUARTILES = ("lower quartile", "median", "upper quartile")


def places(here: pd.DataFrame, of: str, plan: PlannedStage | None, spots: pd.DataFrame) -> Cell:
    """List where customers are met, the most frequent first."""
    lane = {"touchpoint": "Touchpoints", "channel": "Channels"}[of]
    planned = list(getattr(plan, f"{of}s")) if plan else []
    rows = rows_of(here, metric=f"map.{of}_share")
    rows = rows[rows[of] != NOT_KNOWN]
    if rows.empty and planned:
        lines = [Line(said=name_of(p), tag="planned") for p in planned]
        return Cell(lane=lane, grade=ASSUMED, lines=lines, base="no contact in the log")
    if rows.empty:
        said = f"The log names none. Map the column {of} of interactions."
        return Cell(lane=lane, grade=MISSING, lines=[Line(said=said)])
    rows = rows.sort_values(["estimate", of], ascending=[False, True], kind="stable")
    gathered = (rows[of] == ALL_OTHERS).any()
    rows, lines = rows[rows[of] != ALL_OTHERS], []
    for row in rows.head(_MOST).to_dict("records"):
        hidden = pd.isna(row["estimate"])
        felt = rows_of(spots, touchpoint=row[of]).head(1)
        lines.append(
            Line(
                said=name_of(row[of]),
                value="withheld" if hidden else words.value(row["estimate"], "share"),
                share=None if hidden else row["estimate"],
                note=f"felt {signed(felt.iloc[0])}" if len(felt) else "",
                tag="not planned" if planned and row[of] not in planned else "",
            )
        )
    rest = rows.iloc[_MOST:]
    if gathered or len(rest):
        others = "others" if gathered else words.plural(len(rest), "other")
        lines.append(Line(said=f"and {others}"))
    lines += [
        Line(said=name_of(p), tag="planned, not met") for p in planned if p not in set(rows[of])
    ]
    n = rows["n"].dropna()
    base = f"n\N{NO-BREAK SPACE}{words.number(n.iloc[0])}" if len(n) else "too few"
    return Cell(lane=lane, grade=OBSERVED, lines=lines, base=base)


def times(here: pd.DataFrame, plan: PlannedStage | None) -> Cell:
    """How long customers stay, and how long it takes to the next stage."""
    lines, base = [], ""
    for metric, said in (
        ("journey.days_in_stage", "in the stage"),
        ("journey.days_to_next_stage", "to the next"),
    ):
        rows = rows_of(here, metric=metric).set_index("measure")
        if rows.empty or rows["estimate"].isna().all():
            if STILL_ON in set(rows["method"]):
                lines.append(Line(said=said, value="withheld", note=_STILL_ON))
            continue
        low, half, high = (float(rows["estimate"][m]) for m in _QUARTILES)
        value = "one contact" if half == 0 and "in_stage" in metric else words.duration(half)
        if math.isnan(half):
            value = "not known for sure"
        note = _spread(low, high)
        worked = rows_of(
            here, metric=metric.replace("days", "working_hours"), measure="median"
        ).dropna(subset="estimate")
        if len(worked) and plan and plan.after and worked["estimate"].iloc[0] >= 0.05:
            note += f"; {words.value(worked['estimate'].iloc[0], 'hours')} of working time"
        lines.append(Line(said=said, value=value, note=note))
        base = base or f"n\N{NO-BREAK SPACE}{words.number(float(rows['n']['median']))}"
    within = plan.within if plan else None
    hidden = rows_of(here, metric=["journey.days_in_stage", "journey.days_to_next_stage"])
    if not lines and len(hidden):
        lines, base = [Line(said="in the stage", value="withheld")], "too few"
    if lines:
        lines += [Line(said="planned", value=f"within {within}")] if within else []
        base = base or "no end in sight"
        return Cell(lane="Time, median", grade=OBSERVED, lines=lines, base=base)
    if within:
        line = Line(said="planned", value=f"within {within}")
        return Cell(lane="Time, median", grade=ASSUMED, lines=[line])
    line = Line(said="No stay has ended that could be timed.")
    return Cell(lane="Time, median", grade=MISSING, lines=[line])


def _spread(low: float, high: float) -> str:
    """Say between which times the middle half lies; what no data reach has no number."""
    least, most = words.duration(low), words.duration(high)
    if math.isnan(high):
        return f"three in four: {least} or more" if low else ""
    if not low:
        under = most if most.startswith("under") else f"up to {most}"
        return f"three in four: {under}" if high else "three in four as well"
    return f"middle half: {least}" + (f" to {most}" if most != least else "")


def declared(lane: str, said: str | None) -> Cell:
    """Repeat what the settings say of a stage: its promise, its owner."""
    if said:
        return Cell(lane=lane, grade=ASSUMED, lines=[Line(said=said)])
    what = "Nobody is named" if lane == "Owner" else "None is declared"
    return Cell(lane=lane, grade=MISSING, lines=[Line(said=f"{what} in the study's settings.")])
