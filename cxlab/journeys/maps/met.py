"""Where are customers met in each stage, how many get there, and what goes wrong?

Shares with their intervals for the lanes of the journey map; all from the contacts of the
journeys that began in a cycle.
"""

from typing import Any

import numpy as np
import pandas as pd

from cxlab.columns import ALL_OTHERS, NOT_KNOWN
from cxlab.data.engine import Table, TableLike, query, view
from cxlab.journeys.cases import Journeys
from cxlab.journeys.contacts import contact_view
from cxlab.journeys.few_places import PLACES
from cxlab.journeys.maps.phases import Begun, Stages
from cxlab.journeys.maps.watched import FEWEST, Watched, watched
from cxlab.report.finding import estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.intervals import wilson

__all__ = ["MET", "met_rows", "reach_rows", "too_few", "trouble_rows"]

_MOST = 20  # touchpoints, and channels, told apart; a stage shows four of them
MET = {"touchpoint": "map.touchpoint_share", "channel": "map.channel_share"}

# Sums over persons of how many units they have and how many of these count.
_SUMS = """
select persona, stage_no, item, count(*) as people_all,
    sum(case when y > 0 then 1 else 0 end) as people,
    sum(n) as n, sum(n * n) as n_n, sum(y) as y, sum(n * y) as n_y, sum(y * y) as y_y
from p group by persona, stage_no, item order by persona, stage_no, item
"""

# A person without the item has y = 0 there, and still counts in n and n squared.
_ITEMS = """
select i.persona, i.stage_no, i.item, b.people_all, i.people, b.n, b.n_n, i.y, i.n_y, i.y_y
from (
    select c.persona, c.stage_no, c.item, count(*) as people, sum(c.y) as y,
        sum(c.y * t.n) as n_y, sum(c.y * c.y) as y_y
    from (
        select persona, stage_no, person_id, item, count(*) as y
        from c group by persona, stage_no, person_id, item
    ) as c join (
        select persona, stage_no, person_id, count(*) as n
        from c group by persona, stage_no, person_id
    ) as t on c.persona = t.persona and c.stage_no = t.stage_no and c.person_id = t.person_id
    group by c.persona, c.stage_no, c.item
) as i join (
    select persona, stage_no, count(*) as people_all, sum(n) as n, sum(n * n) as n_n
    from (
        select persona, stage_no, person_id, count(*) as n
        from c group by persona, stage_no, person_id
    ) as d group by persona, stage_no
) as b on i.persona = b.persona and i.stage_no = b.stage_no
order by i.persona, i.stage_no, i.item
"""


def met_rows(journeys: Journeys, begun: Begun, stages: Stages) -> list[dict[str, Any]]:
    """Share of each stage's contacts by touchpoint, and by channel; the rarest as one.

    Whoever may read one of them must not learn the others: what takes long to hold apart, and
    is hardly ever shown, is gathered before.
    """
    rows = []
    for column, metric in MET.items():
        if (journeys.places[column] == NOT_KNOWN).all():
            continue
        named = _few_items(journeys, begun, stages, column)
        placed = stages.of_place.merge(named, on="place", validate="one_to_one")
        contacts = view(
            """
            select j.persona, j.person_id, p.stage_no, p.item
            from t join p on t.place = p.place join j on t.journey = j.journey
            where p.stage_no >= 0 and t.at_us < $until
            """,
            t=journeys.touches,
            p=placed,
            j=begun.journeys,
            until=begun.until_us,
        )
        rows += _rows(query(_ITEMS, c=contacts), metric, column, begun, stages)
    return rows


def _few_items(journeys: Journeys, begun: Begun, stages: Stages, column: str) -> pd.DataFrame:
    """Name the touchpoint or channel of each place: planned or frequent ones, and all others."""
    named = journeys.places[["place", column]].rename(columns={column: "item"})
    sizes = query(
        """
        select p.item, count(*) as n from t join p on t.place = p.place
        join j on t.journey = j.journey
        where p.item <> $unknown and t.at_us < $until group by p.item order by n desc, p.item
        """,
        t=journeys.touches,
        p=named,
        j=begun.journeys,
        unknown=NOT_KNOWN,
        until=begun.until_us,
        limit=PLACES,
    )["item"]
    if len(sizes) <= _MOST + 1:  # one alone keeps its name
        return named
    planned = [x for stage in stages.plan.values() for x in getattr(stage, f"{column}s")]
    kept = {*sizes.head(_MOST), *planned, NOT_KNOWN}
    return named.assign(item=named["item"].where(named["item"].isin(kept), ALL_OTHERS))


def reach_rows(begun: Begun, stages: Stages, *, has_outcome: bool) -> list[dict[str, Any]]:
    """Share of journeys that come to each stage, and of these the share that ends there.

    Both as cumulative incidences: a journey that began yesterday has not failed to come, and
    one that is still quiet has not ended.
    """
    names, size = stages.names, len(stages.names)
    codes = pd.DataFrame({"persona": begun.personas, "persona_no": range(len(begun.personas))})
    reached = view(
        f"""
        select cast(c.persona_no * {size} + s.stage_no as bigint) as grp, j.person_id,
            case when p.entered_us < $horizon then p.entered_us - j.started_us end as length_us,
            $horizon - j.started_us as watched_us
        from j join c on j.persona = c.persona cross join s
        left join p on j.journey = p.journey and s.stage_no = p.stage_no
        where j.started_us < $horizon
        """,
        j=begun.journeys,
        p=begun.phases,
        c=codes,
        s=pd.DataFrame({"stage_no": range(size)}),
        horizon=begun.horizon_us,
    )
    rows = _incidences("map.reach_share", watched(reached), begun, stages)
    if not has_outcome:
        return rows
    # A journey that ends without its outcome ends in the last stage that it reached.
    ended = view(
        f"""
        select cast(c.persona_no * {size} + p.stage_no as bigint) as grp, p.person_id,
            case when p.next_us is null and j.is_over = 1 and j.outcome_us is null
                then j.ended_us - p.entered_us end as length_us,
            $horizon - p.entered_us as watched_us
        from p join j on p.journey = j.journey join c on p.persona = c.persona
        where p.entered_us < $horizon
        """,
        p=begun.phases,
        j=begun.journeys,
        c=codes,
        horizon=begun.horizon_us,
    )
    before = {i for i, n in enumerate(names) if n not in stages.plan or not stages.plan[n].after}
    groups = {grp: g for grp, g in watched(ended).items() if grp % size in before}
    return rows + _incidences("map.ending_share", groups, begun, stages)


def _incidences(
    metric: str, groups: dict[int, Watched], begun: Begun, stages: Stages
) -> list[dict[str, Any]]:
    """Make one row per persona and stage of what came to journeys in it."""
    rows = []
    for grp, group in sorted(groups.items()):
        persona_no, stage_no = divmod(grp, len(stages.names))
        dims = {"persona": begun.personas[persona_no], "stage": stages.names[stage_no]}
        found = group.share() if group.enough else None
        if found is None or not np.isfinite([found.low, found.high]).all():
            rows.append(too_few(metric, group.n, group.people, dims))
        else:
            rows.append(interval_row(metric, found, unit="share", count=group.people, **dims))
    return rows


def trouble_rows(
    journeys: Journeys, begun: Begun, stages: Stages, interactions: TableLike
) -> list[dict[str, Any]]:
    """Share of contacts that failed or were abandoned, of those whose result is on record."""
    log: Table = journeys.touches.engine.table(interactions)
    if "outcome" not in log.columns:
        return []
    key = journeys.settings.key
    places = journeys.places.merge(
        stages.of_place, on="place", suffixes=("_in_log", ""), validate="one_to_one"
    )
    told = view(
        """
        select j.persona, c.person_id, p.stage_no, p.activity as item, count(*) as n,
            sum(case when c.outcome in ('fail', 'abandoned') then 1 else 0 end) as y
        from c join p on c.activity = p.activity and c.stage = p.logged_stage
            and c.touchpoint = p.touchpoint and c.channel = p.channel
        join (
            select person_id, min(persona) as persona, min(started_us) as since,
                max(ended_us) as until from j group by person_id
        ) as j on c.person_id = j.person_id and c.at_us >= j.since and c.at_us <= j.until
        where c.outcome is not null and p.stage_no >= 0 and c.at_us < $until
        group by j.persona, c.person_id, p.stage_no, p.activity
        """,
        c=contact_view(log, start=begun.since, cutoff=journeys.cutoff, key=key, more=("outcome",)),
        p=places[["stage_no", "logged_stage", "activity", "touchpoint", "channel"]],
        j=begun.journeys,
        until=begun.until_us,
    )
    found = query(_SUMS, p=told)
    # What is logged only when it fails says nothing about how often it does.
    return _rows(
        found[found["y"].between(1, found["n"] - 1)], "map.trouble_share", "activity", begun, stages
    )


def _rows(
    sums: pd.DataFrame, metric: str, column: str | None, begun: Begun, stages: Stages
) -> list[dict[str, Any]]:
    """Make one row per persona, stage and item; of the personas that are mapped."""
    rows = []
    for s in sums[sums["persona"].isin(begun.personas)].to_dict("records"):
        dims = {"persona": s["persona"], "stage": stages.names[s["stage_no"]]}
        dims |= {column: s["item"]} if column else {}
        clusters = ClusterSums(
            customers=float(s["people_all"]), n=float(s["n"]), total=float(s["y"]),
            n_n=float(s["n_n"]), n_total=float(s["n_y"]), total_total=float(s["y_y"]),
        )  # fmt: skip
        if clusters.n < FEWEST or clusters.customers < 2:
            rows.append(too_few(metric, clusters.n, s["people"], dims))
            continue
        size = effective_n(clusters, clusters.mean * (1 - clusters.mean))
        found = wilson(clusters.total, clusters.n, n_eff=size if clusters.repeated else None)
        rows.append(interval_row(metric, found, unit="share", count=s["people"], **dims))
    return rows


def too_few(metric: str, n: float, people: float, dims: dict[str, Any]) -> dict[str, Any]:
    """Make the row of a share of so few that nothing is said."""
    nothing = float("nan")
    row = estimate_row(
        metric, nothing, nothing, nothing, n=n, count=people, unit="share",
        method=f"withheld: fewer than {FEWEST}", **dims,
    )  # fmt: skip
    return {**row, "suppressed": True}
