"""The lanes of a journey map that say what goes wrong, and what people complain about."""

from dataclasses import replace
from typing import Any

import pandas as pd

from cxlab.journeys.maps.complaints import IN_COMMENTS, IN_TICKETS
from cxlab.journeys.maps.deviations import CHANNEL, TOUCHPOINT
from cxlab.journeys.maps.planned import deviation_said
from cxlab.journeys.maps.reading import rows_of, signed
from cxlab.report import words
from cxlab.report.journey_map import MISSING, OBSERVED, SURVEYED, Cell, Line

__all__ = ["complaints", "pains"]

_MOST = 4  # lines of a cell; the others stand in the table
_MOST_OF_A_KIND = 3  # complaints by ticket, and in comments
_PAINS = ("map.ending_share", "map.trouble_share", "plan.deviation_share")


def pains(here: pd.DataFrame, spots: pd.DataFrame) -> Cell:
    """List what goes wrong: journeys that end, contacts that fail, deviations, bad feelings."""
    lines = []
    ends = rows_of(here, metric="map.ending_share").dropna(subset="estimate")
    lines += [_pain("end here", row) for row in ends.to_dict("records")]
    fails = rows_of(here, metric="map.trouble_share").dropna(subset="estimate")
    fails = fails.sort_values("count", ascending=False, kind="stable").head(2)
    lines += [_pain(f"{row['activity']}: no success", row) for row in fails.to_dict("records")]
    parts = rows_of(here, metric="plan.deviation_share").dropna(subset="estimate")
    parts = parts[~parts["deviation"].isin([TOUCHPOINT, CHANNEL])]  # tagged in their own lanes
    parts = parts.sort_values("estimate", ascending=False, kind="stable").head(2)
    bought = rows_of(here, metric="plan.deviation_amount").dropna(subset="estimate")
    lines += [_pain(deviation_said(row), row, bought) for row in parts.to_dict("records")]
    met = set(rows_of(here, metric="map.touchpoint_share").dropna(subset="estimate")["touchpoint"])
    bad = spots[spots["touchpoint"].isin(met) & (spots["conf_high"] < 0)]
    bad = bad.sort_values("estimate", kind="stable").head(1)
    lines = lines[:_MOST]
    lines += [Line(said=f"felt badly: {r['touchpoint']}", note=signed(r))
              for r in bad.to_dict("records")]  # fmt: skip
    grade = OBSERVED if len(lines) > len(bad) else SURVEYED if lines else MISSING
    # Where it is withheld how many come, so is what goes wrong with them.
    hidden_too = rows_of(here, metric=["map.reach_share", *_PAINS])["suppressed"]
    if not lines and hidden_too.astype(bool).any():
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
        for each in rows_of(bought, deviation=row["deviation"]).to_dict("records"):
            note += f"; bought {words.value(each['estimate'], each['unit'])}"
    return Line(said=said, value=words.value(row["estimate"], "share"), note=note)


def complaints(here: pd.DataFrame) -> Cell:
    """List what most people complain about, by ticket and in comments; not one sum of both."""
    lines: list[Line] = []
    rows = rows_of(here, metric=[IN_TICKETS, IN_COMMENTS])
    told = rows[rows["estimate"].notna() & (rows["count"] > 0)]
    # A ticket is on record; a comment was asked for.
    shown = told if len(told) else rows
    grade = OBSERVED if (shown["metric"] == IN_TICKETS).any() else SURVEYED
    for metric, how in ((IN_TICKETS, "by ticket"), (IN_COMMENTS, "in comments")):
        most = rows_of(told, metric=metric).sort_values("estimate", ascending=False, kind="stable")
        for row in most.head(_MOST_OF_A_KIND).to_dict("records"):
            line = _pain(row["complaint"], row)
            people = words.plural(row["count"], "person", "people")
            lines.append(replace(line, note=f"{people} {how}; {line.note}"))
    if lines:
        return Cell(lane="Complaints", grade=grade, lines=lines)
    if rows["suppressed"].astype(bool).any():
        hidden = Line(said="complaints", value="withheld")
        return Cell(lane="Complaints", grade=grade, lines=[hidden], base="too few")
    if len(rows):
        return Cell(lane="Complaints", grade=grade, lines=[Line(said="Nobody complained.")])
    said = (
        "Nobody knows. Name the topics of tickets that are about this stage, or words to look "
        "for in rated comments on its touchpoints."
    )
    return Cell(lane="Complaints", grade=MISSING, lines=[Line(said=said)])
