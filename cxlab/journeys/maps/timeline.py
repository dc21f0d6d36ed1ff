"""How long do journeys take: to the outcome, after it, in each stage and between them?

Journeys that may still go on are known up to a moment only. They are counted as long as they
were watched, rather than left out: leaving them out would keep the short ones.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.data.working_time import WorkingHours
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.maps.lengths import elapsed_rows, stage_rows
from cxlab.journeys.maps.phases import (
    APART_BY_STAGE,
    EVERYBODY,
    Begun,
    Stages,
    begun_in,
    stages_of,
)
from cxlab.journeys.maps.watched import FEWEST
from cxlab.report import charts, words
from cxlab.report.finding import Result

__all__ = ["Timeline", "timeline"]

_DRAWN = (
    ("journey.days_in_stage", "stage", "in the stage"),
    ("journey.days_to_next_stage", "stage", "to the next stage"),
    ("journey.days_to_outcome", "persona", "to the outcome"),
    ("journey.days_in_all", "persona", "from first to last contact"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline(Result):
    """Lengths of time by persona and stage; quartiles, each with its interval."""

    cycle: str
    outcome: str
    personas: list[str]
    stages: list[str]
    apart = APART_BY_STAGE

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the medians of what has most to compare: stages, ways between them, or personas."""
        for metric, label, what in _DRAWN:
            rows = self._medians(metric)
            if label == "stage":
                rows = rows[rows["persona"] == self.personas[0]]
            if rows["estimate"].notna().sum() < 2:  # a single dot compares nothing
                continue
            unit, per_day = _readable(rows["estimate"].max())
            ends = ["estimate", "conf_low", "conf_high"]
            return charts.dots(
                rows.assign(**{c: rows[c] * per_day for c in ends}), label=label, unit="mean",
                axis=f"Median {unit} {what}", ax=ax,
            )  # fmt: skip
        return None

    def sentence(self) -> str:
        """How long the way to the outcome takes."""
        rows, since = self._medians("journey.days_to_outcome").dropna(subset="estimate"), ""
        if rows.empty:
            rows = self._medians("journey.days_in_all").dropna(subset="estimate")
            if rows.empty:
                return f"Too few journeys that began in {self.cycle} have ended to time them."
            said = "From first to last contact half of the journeys take at most"
        else:
            said = f"Half of those who come to '{self.outcome}' are there within"
            since = " of the first contact"
        row = rows.iloc[0]
        who = "" if row["persona"] == EVERYBODY else f"{row['persona']}: "
        ends = f"{words.duration(row['conf_low'])} to {words.duration(row['conf_high'])}"
        said = said[:1].lower() + said[1:] if who else said
        return f"{who}{said} {words.duration(row['estimate'])}{since} ({ends})."

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
        `journey.working_hours_in_stage` and `..._to_next_stage`. Where the study has no
        stages, these are left out and the note says what is missing.

    Raises
    ------
    Withheld
        If no journey began in the cycle, or too few have come far enough.

    Notes
    -----
    Whether a silence is an end is known only when it has lasted: all journeys are judged as
    known one `gap` before the cutoff, where the end of each is either seen or not, whatever
    it is (product limit). Those without the outcome stay among those who might have come to
    it, so that `outcome_share` is a cumulative incidence; the quartiles to the outcome and to
    the next stage are of those who come to it. Where no silence tells an end (`gap: null`), what
    may go on after the outcome is not timed, nor a stage in which more than a tenth still stay.
    """
    stages, unstaged = _stages_if_any(journeys)
    begun = begun_in(journeys, stages, cycle=cycle, persona=persona)
    rows, still = elapsed_rows(begun, journeys), 0
    if stages.names:
        staying, still = stage_rows(begun, journeys, stages, cycle=cycle, hours=hours)
        rows += staying
    frame = pd.DataFrame(rows)
    if frame.empty or frame["estimate"].isna().all():
        raise Withheld(
            f"Fewer than {FEWEST} journeys that began in {cycle.name} have come far enough to "
            f"be timed. {unstaged}".strip()
        )
    return Timeline(
        estimates=frame,
        subtitle=f"Quartiles of lengths of time, {begun.said(cycle)}; 95% interval",
        noted=lambda least: _note(begun, still, hours, least, [unstaged, _unreached(journeys)]),
        cycle=cycle.name,
        outcome=words.listing(journeys.settings.outcome, "or"),
        personas=begun.personas,
        stages=stages.names,
    )


def _stages_if_any(journeys: Journeys) -> tuple[Stages, str]:
    """Return the stages, or none and why there are none: a way has a length without them."""
    try:
        return stages_of(journeys), ""
    except Withheld as reason:
        of_place = journeys.places[["place"]].assign(stage_no=-1)
        return Stages(names=[], plan={}, of_place=of_place), f"Stages are not timed: {reason}"


def _unreached(journeys: Journeys) -> str:
    return f"No way to the outcome is timed: {journeys.unseen}" if journeys.unseen else ""


def _note(
    begun: Begun, still: int, hours: WorkingHours | None, least: int, missing: list[str]
) -> str:
    said = [
        "Open journeys count as long as they were watched (product limit), and the several "
        "journeys of a person as one cluster."
    ]
    unstaged, unreached = missing
    said.append(
        unstaged
        or "A journey is in the furthest stage that it has reached; time in a stage runs from "
        "its first to its last contact."
    )
    if still:
        said.append(
            f"{words.begun(words.plural_from(least, still, 'stay'))} in a stage had not ended, or "
            "not for sure, and count in the same way."
        )
    if begun.late:
        said.append(
            f"{words.begun(words.plural_from(least, begun.late, 'journey'))} began so late that "
            "no end can be known yet."
        )
    if begun.unnamed:
        nobody = words.plural_from(least, begun.unnamed, "journey")
        said.append(f"Left out, since nobody knows their persona: {nobody}.")
    if hours is not None and not unstaged:
        said.append(f"Working hours: {hours.said()}.")
    if unreached:
        said.append(unreached)
    return " ".join(said)
