"""How far along its stages was a journey, and when did it get there?

A contact belongs to the furthest stage that its journey has reached, so that looking back is
no way back: from the first contact of one stage to that of a later one a journey is in one
phase. Phases follow each other without a gap or an overlap, and their lengths add up.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, keep, query, view
from cxlab.data.journey_settings import PlannedStage
from cxlab.data.span import moment_us, span_us
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.decided import decided

__all__ = [
    "APART_BY_STAGE",
    "EVERYBODY",
    "Begun",
    "Chosen",
    "Stages",
    "begun_in",
    "decided_in",
    "stages_of",
]

# A journey comes through several stages: nobody can find one stage by taking the others from a
# sum. Personas, touchpoints and channels within a stage do add up, and are kept company. How
# many end in a stage tells nothing of how many come to it.
APART_BY_STAGE = ("stage", "metric")
EVERYBODY = "all journeys"
_MOST_STAGES = 12  # more do not stand side by side on a wall


@dataclass(frozen=True, kw_only=True, eq=False)
class Stages:
    """The stages of a map from left to right.

    Attributes
    ----------
    names : list of str
        In order.
    plan : dict of str to PlannedStage
        What is declared of each; empty where nobody has drawn a map.
    of_place : pandas.DataFrame
        `place`, and `stage_no`: its position among the names, -1 where it is in none.
    """

    names: list[str]
    plan: dict[str, PlannedStage]
    of_place: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """Some journeys, whose they are, and how far along the stages they came.

    Attributes
    ----------
    journeys : Table
        As `Journeys.journeys`, with `persona`.
    phases : Table
        `journey`, `person_id`, `persona`, `stage_no`, `entered_us`, `left_us` (last contact of
        the phase), `next_us` (first of the next phase, missing where there is none), `contacts`.
        What loses a journey is a contact of the stage that the journey is in.
    personas : list of str
        `EVERYBODY`, or the personas that there are, the largest first.
    until_us : int
        Nothing that came later is looked at.
    met : frozenset of int
        Numbers of the stages in which these journeys have a contact.
    unnamed : int
        Journeys of nobody with a persona.
    """

    journeys: Table = field(repr=False)
    phases: Table = field(repr=False)
    personas: list[str]
    until_us: int
    met: frozenset[int]
    unnamed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Begun(Chosen):
    """The journeys that began in a cycle, without those that are only of later stages.

    Attributes
    ----------
    journeys : Table
        With `is_over`: 1 where its end was seen before the horizon.
    since : datetime.datetime
        From when on journeys were taken (UTC).
    horizon_us : int
        Until this moment it is known of each journey whether it had ended.
    ends_known : bool
        Whether anything tells when a journey with its outcome is over: a silence, or that
        nothing belongs to it after the outcome.
    late : int
        Journeys that began after the horizon; nothing is known of their end yet.
    """

    since: datetime
    horizon_us: int
    ends_known: bool
    late: int

    def said(self, cycle: Cycle) -> str:
        """Write which journeys they are."""
        zone = ZoneInfo(cycle.time_zone)
        first = self.since.replace(tzinfo=UTC).astimezone(zone).date()
        return f"journeys that began {first} to {cycle.last_day}"


def stages_of(journeys: Journeys) -> Stages:
    """Say which stages a map has: those planned, or else those in the log, by when they come.

    Raises
    ------
    Withheld
        If the study plans no stages and its log knows none, or too many.
    """
    plan = {stage.name: stage for stage in journeys.settings.stages}
    places = journeys.places
    names = list(plan)
    if not names:
        known = places[places["stage"] != NOT_KNOWN]
        if known.empty:
            raise Withheld(
                "A journey map needs stages: map the column `stage` of interactions, or declare "
                "journey.stages in study.yaml with the activities that belong to each."
            )
        when = query(
            """
            select p.stage, sum(t.position) / nullif(count(*), 0) as at
            from t join p on t.place = p.place
            group by p.stage order by p.stage
            """,
            t=journeys.touches,
            p=known[["place", "stage"]],
        )
        names = when.sort_values(["at", "stage"], kind="stable")["stage"].tolist()
    if len(names) > _MOST_STAGES:
        raise Withheld(
            f"A journey map has room for {_MOST_STAGES} stages, but the log has {len(names)}. "
            "Declare journey.stages in study.yaml."
        )
    number = {name: i for i, name in enumerate(names)}
    of_place = places[["place"]].assign(
        stage_no=places["stage"].map(number).fillna(-1).astype("int64")
    )
    return Stages(names=names, plan=plan, of_place=of_place)


def begun_in(
    journeys: Journeys, stages: Stages, *, cycle: Cycle, persona: TableLike | None = None
) -> Begun:
    """Choose the journeys that began in a cycle, and lay out their phases.

    Where silence takes more than half of a cycle to tell an end, nearly nothing could be
    said of its own journeys: those that began one such silence earlier are taken as well.

    Parameters
    ----------
    journeys : Journeys
        From `split_journeys`.
    stages : Stages
        From `stages_of`.
    cycle : Cycle
        In which they began.
    persona : table, optional
        `customer_id` and one more column, the persona.

    Raises
    ------
    Withheld
        If no journey began in the cycle.
    DataError
        If a customer is of two personas.
    """
    journeys = journeys.as_of(cycle.cutoff)
    gap = journeys.settings.gap
    until = moment_us(min(journeys.cutoff, cycle.cutoff))
    horizon = until - (span_us(gap) if gap else 0)
    since = _since(cycle, horizon)
    follows = journeys.settings.key is not None or bool(journeys.places["is_after"].any())
    ends_known = gap is not None or not follows
    states = ["lost", "ended", *(["converted"] if ends_known else [])]
    mine = keep(_with_persona(_begun(journeys, since, cycle.cutoff, horizon, states), persona))
    late = query(
        "select count(*) as n from j where started_us >= $horizon and persona <> $nobody",
        j=mine,
        horizon=horizon,
        nobody=NOT_KNOWN,
    )["n"][0]
    return Begun(
        **_laid_out(journeys, mine, stages, until, f"began in {cycle.name}"),
        since=since,
        horizon_us=horizon,
        ends_known=ends_known,
        late=int(late),
    )


def decided_in(
    journeys: Journeys, stages: Stages, *, cycle: Cycle, persona: TableLike | None = None
) -> Chosen:
    """Choose the journeys that were decided in a cycle, and lay out their phases.

    Parameters and errors are those of `begun_in`.
    """
    journeys = journeys.as_of(cycle.cutoff)
    mine = view(
        "select j.* from j join d on j.journey = d.journey",
        j=journeys.journeys,
        d=decided(journeys, cycle),
    )
    until = moment_us(cycle.cutoff)
    named = keep(_with_persona(mine, persona))
    return Chosen(**_laid_out(journeys, named, stages, until, f"was decided in {cycle.name}"))


def _laid_out(
    journeys: Journeys, mine: Table, stages: Stages, until: int, what: str
) -> dict[str, Any]:
    """Say what is to be known of journeys with a persona, as `Chosen` has it."""
    sizes = query("select persona, count(*) as n from j group by persona order by persona", j=mine)
    named = sizes[sizes["persona"] != NOT_KNOWN].sort_values(
        ["n", "persona"], ascending=[False, True], kind="stable"
    )
    if named.empty:
        raise Withheld(f"No journey {'of a persona ' if len(sizes) else ''}{what}.")
    phases = keep(_phases(journeys, mine, stages, until))
    met = query("select distinct stage_no from p order by stage_no", p=phases)["stage_no"]
    return {
        "journeys": mine,
        "phases": phases,
        "personas": named["persona"].tolist(),
        "until_us": until,
        "met": frozenset(int(n) for n in met),
        "unnamed": int(sizes.loc[sizes["persona"] == NOT_KNOWN, "n"].sum()),
    }


def _since(cycle: Cycle, horizon: int) -> datetime:
    """From when on journeys are taken."""
    silence = moment_us(cycle.cutoff) - horizon
    length = moment_us(cycle.cutoff) - moment_us(cycle.start)
    early = silence if 2 * silence > length else 0
    return cycle.start - timedelta(microseconds=early)


def _begun(
    journeys: Journeys, since: datetime, cutoff: datetime, horizon: int, states: list[str]
) -> Table:
    ends = ", ".join(f"'{state}'" for state in states)
    return view(
        f"""
        select j.*,
            case when ended_us < $horizon and state in ({ends}) then 1 else 0 end as is_over
        from j where started_us >= $start and started_us < $cutoff and state <> 'after only'
        """,
        j=journeys.journeys,
        start=moment_us(since),
        cutoff=moment_us(cutoff),
        horizon=horizon,
    )


def _with_persona(mine: Table, persona: TableLike | None) -> Table:
    if persona is None:
        return view(f"select j.*, '{EVERYBODY}' as persona from j", j=mine)
    named, name = grouped(mine, persona)
    if name == "persona":
        return named
    return view(f'select j.*, j."{name}" as persona from j', j=named)


def _phases(journeys: Journeys, mine: Table, stages: Stages, until: int) -> Table:
    # What loses a journey may come at any stage: it reaches none, and ends the one it comes in.
    places = stages.of_place.merge(
        journeys.places[["place", "is_lost"]], on="place", validate="one_to_one"
    )
    places.loc[places["is_lost"], "stage_no"] = -1
    return view(
        """
        with reached as (
            select t.journey, t.at_us, max(p.stage_no) over (
                partition by t.journey order by t.position
                rows between unbounded preceding and current row) as stage_no
            from t join p on t.place = p.place
            join j as mine on t.journey = mine.journey  -- few of all are sorted
            where t.at_us < $until and (p.stage_no >= 0 or p.is_lost = 1)
        ),
        phase as (
            select journey, stage_no, min(at_us) as entered_us, max(at_us) as left_us,
                count(*) as contacts
            from reached where stage_no >= 0 group by journey, stage_no
        )
        select j.journey, j.person_id, j.persona, p.stage_no, p.entered_us, p.left_us,
            lead(p.entered_us) over (partition by p.journey order by p.stage_no) as next_us,
            p.contacts
        from phase as p join j on p.journey = j.journey
        """,
        t=journeys.touches,
        p=places.assign(is_lost=places["is_lost"].astype(int)),
        j=mine,
        until=until,
    )
