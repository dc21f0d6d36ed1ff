"""The journey map: one picture per persona of what is known, and how it is known.

Stages run from left to right. Persona, timeline, feeling, touchpoint and channel are the five
elements; pain points, promise and owner stand below them. All numbers are findings first:
small groups are withheld before anything is drawn, and what nobody knows is drawn as missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, query
from cxlab.data.working_time import WorkingHours
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.limits.drift import Drift
from cxlab.journeys.maps.complaints import IN_COMMENTS, IN_TICKETS, comment_rows, ticket_rows
from cxlab.journeys.maps.drawing import maps_of
from cxlab.journeys.maps.lengths import elapsed_rows, stage_rows
from cxlab.journeys.maps.met import met_rows, reach_rows, trouble_rows
from cxlab.journeys.maps.phases import (
    APART_BY_STAGE,
    EVERYBODY,
    Begun,
    Stages,
    begun_in,
    stages_of,
)
from cxlab.journeys.maps.planned import fitness
from cxlab.journeys.maps.told import told
from cxlab.report import journey_map as picture
from cxlab.report import words
from cxlab.report.finding import Result, estimate_row

__all__ = ["JourneyMap", "journey_map", "touchpoints_by_stage"]

_DIMS = (
    "persona", "stage", "touchpoint", "channel", "activity", "deviation", "detail", "complaint",
    "measure", "part", "source", "emotion",
)  # fmt: skip
_MOST_PERSONAS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class JourneyMap(Result):
    """What is known of the journey, by persona and stage, and a picture of it."""

    cycle: str
    outcome: str
    personas: list[str]
    stages: Stages = field(repr=False)
    due: str = ""
    # Nor do complaints add up: who speaks of one may speak of another.
    apart = (*APART_BY_STAGE, "complaint")

    def table(self) -> pd.DataFrame:
        """One row per number on the map; what it is about beside its stage in one column."""
        frame = super().table()
        about = [c for c in _DIMS if c in frame and c not in ("persona", "stage")]
        named = [
            ", ".join(str(row[c]) for c in about if row[c] is not None and row[c] == row[c])
            for row in frame[about].to_dict("records")
        ]
        kept = frame.drop(columns=about)
        kept.insert(2, "detail", [name or None for name in named])
        return kept.drop(columns="persona") if len(self.personas) == 1 else kept

    def picture(self, *, uid: str) -> str:
        """Draw one map per persona, as HTML."""
        maps = maps_of(self.estimates, self.personas, self.stages, self.outcome, due=self.due)
        return picture.draw(maps, uid=uid, outcome=self.outcome)

    def sentence(self) -> str:
        """Where customers feel worst, or where most journeys end."""
        return told(
            self.estimates, self.personas[0], self.stages, cycle=self.cycle, outcome=self.outcome
        )


def journey_map(
    journeys: Journeys,
    *,
    cycle: Cycle,
    persona: TableLike | None = None,
    feelings: Result | Sequence[Result] = (),
    interactions: TableLike | None = None,
    currency: str = "",
    hours: WorkingHours | None = None,
    drifted: Sequence[Drift] = (),
    tickets: TableLike | None = None,
    comments: TableLike | None = None,
) -> JourneyMap:
    """Map the journeys that began in a cycle, persona by persona.

    Parameters
    ----------
    journeys : Journeys
        From `split_journeys`; its settings hold the planned map.
    cycle : Cycle
        In which the journeys began.
    persona : table, optional
        `customer_id` and one more column. Default: one map of all.
    feelings : Result or sequence of Result
        `cx.emotion.felt` by stage (see `touchpoints_by_stage`) and by touchpoint, with the
        same `persona`. Without them the lane says that nobody knows.
    interactions : table, optional
        With `outcome`, for the share of contacts that failed or were abandoned; with
        `value_amount`, for what journeys bought that part from the plan.
    currency : str
        Of these amounts, ISO 4217.
    hours : WorkingHours, optional
        The study's `working_hours`: stages after the outcome are timed in these as well.
    drifted : sequence of Drift
        From `drifts`: where one says so, the map is marked as due for review.
    tickets : table, optional
        For complaints about the `topics` of a planned stage.
    comments : table, optional
        For complaints about the `themes` of the settings, at the touchpoints of a stage.

    Returns
    -------
    JourneyMap
        Every number on the map is a row; `picture` draws them.

    Raises
    ------
    Withheld
        If no journey began in the cycle, or nothing tells the stages of a journey.

    Notes
    -----
    A share of contacts is Wilson's on the effective n, persons as clusters. How each cell is
    known: observed (in the log), surveyed (answers), assumed (planned or declared), missing.
    """
    stages = stages_of(journeys)
    begun = begun_in(journeys, stages, cycle=cycle, persona=persona)
    kept = begun.personas[:_MOST_PERSONAS]
    rows = _sizes(begun)
    rows += elapsed_rows(begun, journeys)
    rows += reach_rows(begun, stages, has_outcome=bool(journeys.settings.outcome))
    rows += met_rows(journeys, begun, stages)
    staying, still = stage_rows(begun, journeys, stages, cycle=cycle, hours=hours)
    rows += staying
    if interactions is not None:
        rows += trouble_rows(journeys, begun, stages, interactions)
    if tickets is not None:
        rows += ticket_rows(begun, stages, tickets)
    if comments is not None:
        rows += comment_rows(
            begun,
            stages,
            comments,
            by=touchpoints_by_stage(journeys),
            themes=journeys.settings.themes,
        )
    frames = [pd.DataFrame(rows)]
    if stages.plan:
        try:
            plan = fitness(
                journeys, cycle=cycle, persona=persona, interactions=interactions, currency=currency
            ).estimates
            frames.append(plan[plan["stage"].notna() | plan["deviation"].isna()])
        except Withheld:  # too few are decided: the map says less, and stands
            pass
    given = [feelings] if isinstance(feelings, Result) else list(feelings)
    frames += [_felt(each.estimates, persona is not None) for each in given]
    frame = pd.concat([f for f in frames if len(f)], ignore_index=True)
    for name in _DIMS:
        if name not in frame:
            frame[name] = None
    frame = frame.astype(dict.fromkeys(_DIMS, object))
    frame = frame.where(frame.notna() | ~frame.columns.isin(_DIMS), None)
    metrics = {*frame["metric"]}
    return JourneyMap(
        estimates=frame[frame["persona"].isin(kept)].reset_index(drop=True),
        subtitle=f"From the first contact to the last, {begun.said(cycle)}; 95% intervals",
        noted=lambda least: (
            _note(begun, still, hours, least, metrics=metrics)
            + (f" No journey can reach the outcome: {journeys.unseen}" if journeys.unseen else "")
        ),
        cycle=cycle.name,
        outcome=words.listing(journeys.settings.outcome, "or"),
        personas=kept,
        stages=stages,
        due=words.listing([each.reason for each in drifted if each.is_due]),
    )


def touchpoints_by_stage(journeys: Journeys) -> pd.DataFrame:
    """List the touchpoints of each stage: those planned, or else those in the log.

    Returns
    -------
    pandas.DataFrame
        `touchpoint`, `stage`; the grouping that `cx.emotion.felt` takes.
    """
    stages = stages_of(journeys)
    places = journeys.places
    pairs = []
    for i, name in enumerate(stages.names):
        planned = stages.plan[name].touchpoints if name in stages.plan else []
        here = stages.of_place.loc[stages.of_place["stage_no"] == i, "place"]
        logged = places.loc[places["place"].isin(here), "touchpoint"]
        pairs += [(t, name) for t in planned or sorted({*logged} - {NOT_KNOWN})]
    return pd.DataFrame(pairs, columns=["touchpoint", "stage"])


def _sizes(begun: Begun) -> list[dict[str, object]]:
    """Count the journeys of each persona, and whose they are."""
    sizes = query(
        "select persona, count(*) as n, count(distinct person_id) as people from j "
        "group by persona order by persona",
        j=begun.journeys,
    ).set_index("persona")
    rows = []
    for persona in begun.personas:
        n, people = (float(sizes[c][persona]) for c in ("n", "people"))
        rows.append(
            estimate_row(
                "map.journeys", n, n, n, n=n, count=people, unit="count",
                method="complete count", persona=persona, stage=None,
            )
        )  # fmt: skip
    return rows


def _felt(estimates: pd.DataFrame, by_persona: bool) -> pd.DataFrame:
    """Take over what is felt, under the personas of the map."""
    rows = estimates if "persona" in estimates else estimates.assign(persona=None)
    if by_persona:
        return rows[rows["persona"].notna()]
    return rows[rows["persona"].isna()].assign(persona=EVERYBODY)


def _note(
    begun: Begun, still: int, hours: WorkingHours | None, least: int, *, metrics: set[str]
) -> str:
    said = [
        "How each cell is known stands in it. Shares of touchpoints are of contacts in the stage; "
        "how many come to a stage or end there, and how long they stay, counts journeys that may "
        "still go on for as long as they were watched. Feelings are asked of touchpoints, "
        "and count in each stage that has the touchpoint."
    ]
    if "plan.deviation_amount" in metrics:
        said.append("Money is what journeys with a deviation bought at their outcome; not a loss.")
    if IN_TICKETS in metrics:
        said.append("Complaints by ticket are shares of all people on the map.")
    if IN_COMMENTS in metrics:
        said.append(
            "Complaints in comments are shares of those who rated the stage in a comment: they "
            "rated it below the middle of the scale, and used a word that the settings list for "
            "the theme. A list of words misses what is said otherwise."
        )
    if still:
        stays = words.begun(words.plural_from(least, still, "stay"))
        said.append(f"{stays} in a stage had not ended, or not for sure.")
    if begun.unnamed:
        nobody = words.plural_from(least, begun.unnamed, "journey")
        said.append(f"Left out, since nobody knows their persona: {nobody}.")
    if len(begun.personas) > _MOST_PERSONAS:
        left = begun.personas[_MOST_PERSONAS:]
        said.append(f"Not drawn, since fewest: {words.first_few(left)}.")
    if hours is not None:
        said.append(f"Working hours: {hours.said()}.")
    return " ".join(said)
