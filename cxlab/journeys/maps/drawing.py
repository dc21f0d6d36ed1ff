"""From the findings of a journey map to the cells that are drawn, each with how it is known.

What is withheld has lost its numbers before it comes here; what nobody knows is said to be
missing, with what would tell it.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.journey_settings import PlannedStage
from cxlab.journeys.maps.deviations import CHANNEL, TOUCHPOINT
from cxlab.journeys.maps.phases import EVERYBODY, Stages
from cxlab.journeys.maps.planned import deviation_said
from cxlab.report import words
from cxlab.report.journey_map import (
    ASSUMED,
    MISSING,
    OBSERVED,
    SURVEYED,
    Cell,
    Feeling,
    Line,
    Map,
    Stage,
)

__all__ = ["maps_of", "told"]

_WORTH = 0.05  # share of journeys below which an end is no headline
_MOST = 4  # lines of a cell; the others are added up, or stand in the table
_FELT = {"emotion.valence": "Feeling", "emotion.satisfaction": "Satisfaction"}
_SIZE = "map.journeys"


def maps_of(
    estimates: pd.DataFrame, personas: Sequence[str], stages: Stages, outcome: str, *, due: str
) -> list[Map]:
    """Lay out one map per persona; `due` says why it is due for review, if it is."""
    review = [f"Due for review: {due}"] if due else []
    return [
        Map(
            persona=persona[:1].upper() + persona[1:],
            facts=review + _facts(_of(estimates, persona=persona), outcome),
            stages=_stages(_of(estimates, persona=persona), stages, outcome),
        )
        for persona in personas
    ]


def told(estimates: pd.DataFrame, persona: str, stages: Stages, *, cycle: str, outcome: str) -> str:
    """Say in one sentence where customers feel worst, and where most journeys end."""
    rows = _of(estimates, persona=persona)
    felt = _by_stage(_of(rows, metric=list(_FELT))).dropna(subset="estimate")
    who = "" if persona == EVERYBODY else f" ({persona})"
    said = []
    if len(felt) > 1:
        order = felt.sort_values("estimate", kind="stable")
        worst, best = order.iloc[0], order.iloc[-1]
        verb = "feel" if worst["metric"] == "emotion.valence" else "are"
        high, low = ("best", "worst") if verb == "feel" else ("most satisfied", "least")
        said.append(
            f"Customers{who} {verb} {high} in stage '{best['stage']}' ({_signed(best)}) and {low} "
            f"in '{worst['stage']}' ({_signed(worst)})"
        )
    ends = _of(rows, metric="map.ending_share").dropna(subset="estimate")
    ends = ends[ends["estimate"] >= _WORTH]
    if len(ends):
        top = ends.sort_values("estimate", kind="stable").iloc[-1]
        share = words.value(top["estimate"], "share")
        said.append(
            f"{share} of the journeys that come to '{top['stage']}' end there, without '{outcome}'"
        )
    if not said:
        return f"The journey of {cycle}{who}, in {words.plural(len(stages.names), 'stage')}."
    first = said[0] if len(felt) > 1 else said[0][:1].upper() + said[0][1:]
    return "; ".join([first, *said[1:]]) + "."


def _facts(rows: pd.DataFrame, outcome: str) -> list[str]:
    facts = []
    size = _of(rows, metric=_SIZE)
    if len(size):
        row = size.iloc[0]
        facts.append(
            "Size withheld: too few people"
            if pd.isna(row["estimate"])
            else f"{words.plural(row['estimate'], 'journey')} of "
            f"{words.plural(row['count'], 'person', 'people')}"
        )
    share = _of(rows, metric="journey.outcome_share").dropna(subset="estimate")
    if len(share):
        row = share.iloc[0]
        ends = words.interval(row["conf_low"], row["conf_high"], "share")
        facts.append(f"{words.value(row['estimate'], 'share')} come to '{outcome}' ({ends})")
    for metric, said in (
        ("journey.days_to_outcome", "half of these within {}"),
        ("journey.days_in_all", "half are over after {}"),
    ):
        half = _of(rows, metric=metric, measure="median").dropna(subset="estimate")
        if len(half):
            row = half.iloc[0]
            facts.append(f"{said.format(words.duration(row['estimate']))} ({_between(row)})")
            break
    fits = _of(rows, metric="plan.journeys_share").dropna(subset="estimate")
    if len(fits):
        row = fits.iloc[0]
        ends = words.interval(row["conf_low"], row["conf_high"], "share")
        facts.append(f"{words.value(row['estimate'], 'share')} follow the plan throughout ({ends})")
    return facts


def _stages(rows: pd.DataFrame, stages: Stages, outcome: str) -> list[Stage]:
    felt = _by_stage(_of(rows, metric=list(_FELT))).dropna(subset="estimate")
    lowest = _lowest(felt)
    spots = _of(rows, metric=list(_FELT))
    spots = spots[spots["touchpoint"].notna()].dropna(subset="estimate")
    drawn = []
    for name in stages.names:
        plan = stages.plan.get(name)
        here = _of(rows, stage=name)
        given = _of(felt, stage=name)
        reach = _of(here, metric="map.reach_share")
        drawn.append(
            Stage(
                name=name,
                reach=_reach(reach),
                is_after=bool(outcome and plan and plan.after),
                feeling=_feeling(given.iloc[0], name == lowest) if len(given) else None,
                no_feeling=_no_feeling(_by_stage(_of(here, metric=list(_FELT)))),
                cells=[
                    _places(here, "touchpoint", plan, spots),
                    _places(here, "channel", plan, spots.head(0)),
                    _times(here, plan),
                    _pains(here, spots),
                    _declared("Promise", plan.promise if plan else None),
                    _declared("Owner", plan.owner if plan else None),
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
        name=_FELT[row["metric"]], estimate=row["estimate"], low=row["conf_low"],
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


def _places(here: pd.DataFrame, of: str, plan: PlannedStage | None, spots: pd.DataFrame) -> Cell:
    """List where customers are met, the most frequent first."""
    lane = {"touchpoint": "Touchpoints", "channel": "Channels"}[of]
    planned = list(getattr(plan, f"{of}s")) if plan else []
    rows = _of(here, metric=f"map.{of}_share")
    rows = rows[rows[of] != NOT_KNOWN]
    if rows.empty and planned:
        lines = [Line(said=_name(p), tag="planned") for p in planned]
        return Cell(lane=lane, grade=ASSUMED, lines=lines, base="no contact in the log")
    if rows.empty:
        said = f"The log names none. Map the column {of} of interactions."
        return Cell(lane=lane, grade=MISSING, lines=[Line(said=said)])
    rows = rows.sort_values(["estimate", of], ascending=[False, True], kind="stable")
    lines = []
    for row in rows.head(_MOST).to_dict("records"):
        hidden = pd.isna(row["estimate"])
        felt = _of(spots, touchpoint=row[of]).head(1)
        lines.append(
            Line(
                said=_name(row[of]),
                value="withheld" if hidden else words.value(row["estimate"], "share"),
                share=None if hidden else row["estimate"],
                note=f"felt {_signed(felt.iloc[0])}" if len(felt) else "",
                tag="not planned" if planned and row[of] not in planned else "",
            )
        )
    rest = rows.iloc[_MOST:]
    if len(rest):
        lines.append(Line(said=f"and {words.plural(len(rest), 'other')}"))
    lines += [
        Line(said=_name(p), tag="planned, not met") for p in planned if p not in set(rows[of])
    ]
    n = rows["n"].dropna()
    base = f"n\N{NO-BREAK SPACE}{words.number(n.iloc[0])}" if len(n) else "too few"
    return Cell(lane=lane, grade=OBSERVED, lines=lines, base=base)


def _times(here: pd.DataFrame, plan: PlannedStage | None) -> Cell:
    """How long customers stay, and how long it takes to the next stage."""
    lines, base = [], ""
    for metric, said in (
        ("journey.days_in_stage", "in the stage"),
        ("journey.days_to_next_stage", "to the next"),
    ):
        rows = _of(here, metric=metric).set_index("measure")
        if rows.empty or rows["estimate"].isna().all():
            continue
        low, half, high = (float(rows["estimate"][m]) for m in _QUARTILES)
        value = "one contact" if half == 0 and "in_stage" in metric else words.duration(half)
        note = f"middle half: {words.duration(low)} to {words.duration(high)}"
        if low == 0:
            note = (
                f"three in four: up to {words.duration(high)}" if high else "three in four as well"
            )
        worked = _of(here, metric=metric.replace("days", "working_hours"), measure="median").dropna(
            subset="estimate"
        )
        if len(worked) and plan and plan.after and worked["estimate"].iloc[0] >= 0.05:
            note += f"; {words.value(worked['estimate'].iloc[0], 'hours')} of working time"
        lines.append(Line(said=said, value=value, note=note))
        base = base or f"n\N{NO-BREAK SPACE}{words.number(float(rows['n']['median']))}"
    within = plan.within if plan else None
    if not lines and len(_of(here, metric=["journey.days_in_stage", "journey.days_to_next_stage"])):
        lines, base = [Line(said="in the stage", value="withheld")], "too few"
    if lines:
        lines += [Line(said="planned", value=f"within {within}")] if within else []
        return Cell(lane="Time, median", grade=OBSERVED, lines=lines, base=base)
    if within:
        line = Line(said="planned", value=f"within {within}")
        return Cell(lane="Time, median", grade=ASSUMED, lines=[line])
    line = Line(said="No stay has ended that could be timed.")
    return Cell(lane="Time, median", grade=MISSING, lines=[line])


_QUARTILES = ("lower quartile", "median", "upper quartile")


_PAINS = ("map.ending_share", "map.trouble_share", "plan.deviation_share")


def _pains(here: pd.DataFrame, spots: pd.DataFrame) -> Cell:
    """List what goes wrong: journeys that end, contacts that fail, deviations, bad feelings."""
    lines = []
    ends = _of(here, metric="map.ending_share").dropna(subset="estimate")
    lines += [_pain("end here", row) for row in ends.to_dict("records")]
    fails = _of(here, metric="map.trouble_share").dropna(subset="estimate")
    fails = fails.sort_values("count", ascending=False, kind="stable").head(2)
    lines += [_pain(f"{row['activity']}: no success", row) for row in fails.to_dict("records")]
    parts = _of(here, metric="plan.deviation_share").dropna(subset="estimate")
    parts = parts[~parts["deviation"].isin([TOUCHPOINT, CHANNEL])]  # tagged in their own lanes
    parts = parts.sort_values("estimate", ascending=False, kind="stable").head(2)
    bought = _of(here, metric="plan.deviation_amount").dropna(subset="estimate")
    lines += [_pain(deviation_said(row), row, bought) for row in parts.to_dict("records")]
    met = set(_of(here, metric="map.touchpoint_share").dropna(subset="estimate")["touchpoint"])
    bad = spots[spots["touchpoint"].isin(met) & (spots["conf_high"] < 0)]
    bad = bad.sort_values("estimate", kind="stable").head(1)
    lines = lines[:_MOST]
    lines += [Line(said=f"felt badly: {r['touchpoint']}", note=_signed(r))
              for r in bad.to_dict("records")]  # fmt: skip
    grade = OBSERVED if len(lines) > len(bad) else SURVEYED if lines else MISSING
    if not lines and _of(here, metric=list(_PAINS))["suppressed"].astype(bool).any():
        hidden = Line(said="what goes wrong", value="withheld")
        return Cell(lane="Pain points", grade=OBSERVED, lines=[hidden], base="too few")
    if not lines:
        said = "Nothing is known to go wrong. Map outcome of interactions, or plan the stage."
        lines = [Line(said=said)]
    return Cell(lane="Pain points", grade=grade, lines=lines)


def _pain(said: str, row: Any, bought: pd.DataFrame | None = None) -> Line:
    """Write one pain point: its share, how sure that is, and what is bought all the same."""
    ends = words.interval(row["conf_low"], row["conf_high"], "share")
    note = f"{ends}, n\N{NO-BREAK SPACE}{words.number(row['n'])}"
    if bought is not None:
        for each in _of(bought, deviation=row["deviation"]).to_dict("records"):
            note += f"; bought {words.value(each['estimate'], each['unit'])}"
    return Line(said=said, value=words.value(row["estimate"], "share"), note=note)


def _declared(lane: str, said: str | None) -> Cell:
    if said:
        return Cell(lane=lane, grade=ASSUMED, lines=[Line(said=said)])
    what = "Nobody is named" if lane == "Owner" else "None is declared"
    return Cell(lane=lane, grade=MISSING, lines=[Line(said=f"{what} in the study's settings.")])


def _of(rows: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Choose the rows with these values."""
    for name, value in values.items():
        rows = rows[rows[name].isin(value) if isinstance(value, list) else rows[name] == value]
    return rows


def _by_stage(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["stage"].notna()]


def _signed(row: Any) -> str:
    ends = [words.signed(row[c], "points") for c in ("conf_low", "conf_high")]
    return f"{words.signed(row['estimate'], 'points')}, {ends[0]} to {ends[1]}"


def _between(row: Any) -> str:
    return f"{words.duration(row['conf_low'])} to {words.duration(row['conf_high'])}"


def _name(value: object) -> str:
    """Write a value of the log as words."""
    return str(value).replace("_", " ")
