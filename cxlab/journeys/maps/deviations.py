"""Where does what customers do part from the map that was planned for them?

Each contact is held against the stage it is in, and each journey against the stages that it
should have passed. A journey deviates once in each way, however often it does it.
"""

from typing import Any

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, keep, query, view
from cxlab.data.span import span_us
from cxlab.journeys.cases import Journeys, case_of
from cxlab.journeys.contacts import contact_view
from cxlab.journeys.maps.phases import Chosen, Stages

__all__ = [
    "BACK",
    "CHANNEL",
    "LONG",
    "OUTSIDE",
    "SKIPPED",
    "TOUCHPOINT",
    "Replay",
    "amounts",
    "replayed",
]

SKIPPED, BACK, LONG = "skipped", "went back", "took longer"
TOUCHPOINT, CHANNEL, OUTSIDE = "unplanned touchpoint", "unplanned channel", "no planned stage"
_KINDS = [SKIPPED, BACK, LONG, TOUCHPOINT, CHANNEL, OUTSIDE]


class Replay:
    """The planned map replayed against the journeys that were decided in a cycle.

    Waiting until those with an outcome fall silent as well would leave those that ended early.

    Attributes
    ----------
    decided : Table
        `journey`, `person_id`, `persona`, `outcome_us`.
    deviations : Table
        `journey`, `person_id`, `persona`, `kind`, `stage_no`, `place` (an example of where;
        -1 where the whole stage is meant), each once per journey and way.
    contacts : Table
        `journey`, `person_id`, `persona`, `contacts`, `fitting`, `skipped`.
    """

    def __init__(self, journeys: Journeys, chosen: Chosen, stages: Stages) -> None:
        self._stages = stages
        self._places = self._planned(journeys.places)
        self.decided = keep(
            view("select journey, person_id, persona, outcome_us from j", j=chosen.journeys)
        )
        held = keep(self._held(journeys, chosen.until_us))
        skipped = self._skipped(held, chosen.met)
        self.deviations = keep(self._deviations(held, skipped, chosen))
        self.contacts = view(
            """
            select o.journey, o.person_id, o.persona, h.contacts, h.fitting,
                coalesce(s.skipped, 0) as skipped
            from o join (
                select journey, count(*) as contacts, sum(case when planned = 1
                    and touchpoint_fits = 1 and channel_fits = 1 and is_back = 0 then 1 else 0 end)
                    as fitting
                from h group by journey
            ) as h on o.journey = h.journey
            left join (select journey, count(*) as skipped from k group by journey) as s
                on o.journey = s.journey
            """,
            o=self.decided,
            h=held,
            k=skipped,
        )

    def names(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Put words in the place of the numbers of a kind, a stage and a detail."""
        words = self._places.set_index("place")
        detail = []
        for kind, place in zip(frame["kind"], frame["place"], strict=True):
            column = {TOUCHPOINT: "touchpoint", CHANNEL: "channel", OUTSIDE: "touchpoint"}
            of = column.get(_KINDS[kind])
            detail.append(None if of is None else words.loc[place, of])
        stage = [None if n < 0 else self._stages.names[n] for n in frame["stage_no"]]
        return frame.assign(
            deviation=[_KINDS[k] for k in frame["kind"]],
            stage=pd.Series(stage, index=frame.index, dtype=object),
            detail=pd.Series(detail, index=frame.index, dtype=object),
        )

    def _planned(self, places: pd.DataFrame) -> pd.DataFrame:
        """Say of each place whether its stage plans its touchpoint and its channel."""
        frame = places.merge(self._stages.of_place, on="place", suffixes=("_in_log", ""))
        fits: dict[str, list[int]] = {"touchpoint_fits": [], "channel_fits": []}
        for row in frame.to_dict("records"):
            stage = self._stages.plan.get(row["stage"])
            for column, planned in (
                ("touchpoint", stage.touchpoints if stage else []),
                ("channel", stage.channels if stage else []),
            ):
                # What the log does not say cannot be held against anybody.
                silent = not planned or row[column] == NOT_KNOWN
                fits[f"{column}_fits"].append(int(silent or row[column] in planned))
        # Places that differ in nothing that a deviation names share a number.
        for column in ("touchpoint", "channel"):
            frame[f"{column}_place"] = frame.groupby(column)["place"].transform("min")
        return frame.assign(**fits, is_lost=frame["is_lost"].astype("int64"))

    def _held(self, journeys: Journeys, until_us: int) -> Table:
        columns = [
            "place", "stage_no", "is_lost", "touchpoint_fits", "channel_fits", "touchpoint_place",
            "channel_place",
        ]  # fmt: skip
        return view(
            """
            select t.journey, p.stage_no, p.is_lost, p.touchpoint_fits, p.channel_fits,
                p.touchpoint_place, p.channel_place,
                case when p.stage_no >= 0 then 1 else 0 end as planned,
                case when p.stage_no >= 0 and p.stage_no < max(p.stage_no) over (
                    partition by t.journey order by t.position
                    rows between unbounded preceding and current row) then 1 else 0 end as is_back
            from t join p on t.place = p.place join o on t.journey = o.journey
            where t.at_us < $until
            """,
            t=journeys.touches,
            p=self._places[columns],
            o=self.decided,
            until=until_us,
        )

    def _skipped(self, held: Table, met: frozenset[int]) -> Table:
        """List the stages that a journey came past without a contact in them.

        What loses a journey, such as a refusal, may come at any stage and skips none; nor can
        a stage be skipped that the log of the cycle does not know.
        """
        plan = self._stages.plan
        needed = [
            i
            for i, name in enumerate(self._stages.names)
            if i in met and name in plan and not plan[name].optional
        ]
        seen = [f", max(case when stage_no = {i} then 1 else 0 end) as has_{i}" for i in needed]
        parts = " union all ".join(
            f"select journey, cast({i} as bigint) as stage_no from s "
            f"where has_{i} = 0 and furthest > {i}"
            for i in needed
        )
        if not needed:
            parts = "select journey, furthest as stage_no from s where furthest < -1"
        sums = view(
            "select journey, max(case when is_lost = 0 then stage_no end) as furthest"
            f"{''.join(seen)} from h group by journey",
            h=held,
        )
        return view(parts, s=sums)

    def _deviations(self, held: Table, skipped: Table, chosen: Chosen) -> Table:
        limits = pd.DataFrame(
            [
                {"stage_no": i, "longest_us": span_us(self._stages.plan[name].within or "1 second")}
                for i, name in enumerate(self._stages.names)
                if name in self._stages.plan and self._stages.plan[name].within
            ],
            columns=["stage_no", "longest_us"],
        ).astype("int64")
        return view(
            """
            select distinct d.journey, o.person_id, o.persona, d.kind, d.stage_no, d.place
            from (
                select journey, 0 as kind, stage_no, -1 as place from k
                union all select journey, 1, stage_no, -1 from h where is_back = 1
                union all select p.journey, 2, p.stage_no, -1
                    from p join l on p.stage_no = l.stage_no
                    where p.left_us - p.entered_us > l.longest_us
                union all select journey, 3, stage_no, touchpoint_place from h
                    where touchpoint_fits = 0
                union all select journey, 4, stage_no, channel_place from h where channel_fits = 0
                union all select journey, 5, -1, touchpoint_place from h where planned = 0
            ) as d join o on d.journey = o.journey
            """,
            k=skipped,
            h=held,
            p=chosen.phases,
            l=limits,
            o=self.decided,
        )


def replayed(replay: Replay) -> pd.DataFrame:
    """Count the deviations: journeys, persons, and the sums that an interval over persons needs.

    Returns
    -------
    pandas.DataFrame
        One row per `persona`, `kind`, `stage_no` and `place`: `journeys`, `people`, `n_y` and
        `y_y` over persons.
    """
    return query(
        """
        select d.persona, d.kind, d.stage_no, d.place, sum(d.y) as journeys, count(*) as people,
            sum(n.n * d.y) as n_y, sum(d.y * d.y) as y_y
        from (
            select persona, person_id, kind, stage_no, place, count(*) as y
            from d group by persona, person_id, kind, stage_no, place
        ) as d join (
            select persona, person_id, count(*) as n from o group by persona, person_id
        ) as n on d.persona = n.persona and d.person_id = n.person_id
        group by d.persona, d.kind, d.stage_no, d.place
        order by d.persona, d.kind, d.stage_no, d.place
        """,
        d=replay.deviations,
        o=replay.decided,
    )


def amounts(
    replay: Replay, interactions: TableLike, journeys: Journeys, *, cycle: Cycle
) -> pd.DataFrame:
    """Add up what was bought at the end of journeys that deviate.

    Returns
    -------
    pandas.DataFrame
        One row per `persona`, `kind`, `stage_no` and `place`: `total`, `gross`, `largest` and
        `two_largest` of a person.
    """
    # By case, not by person: two of one person's can end at the very same moment.
    key = journeys.settings.key
    log = journeys.touches.engine.table(interactions).need("value_amount")
    contacts = contact_view(
        log, start=cycle.start, cutoff=cycle.cutoff, key=key, more=("value_amount",)
    )
    valued = keep(
        view(
            """
            select s.case_no, v.at_us, sum(v.amount) as amount from (
                select c.case_id, c.at_us, c.activity,
                    cast(c.value_amount as decimal(18, 2)) as amount
                from c
            ) as v join a on v.activity = a.activity join s on v.case_id = s.case_id
            group by s.case_no, v.at_us
            """,
            c=contacts,
            a=pd.DataFrame({"activity": journeys.settings.outcome}),
            s=journeys.cases,
        )
    )
    worth: dict[str, Any] = {"d": replay.deviations, "o": replay.decided, "v": valued}
    return query(
        f"""
        select persona, kind, stage_no, place, sum(amount) as total, sum(abs(amount)) as gross,
            max(abs(amount)) as largest,
            sum(case when nth <= 2 then abs(amount) else 0 end) as two_largest
        from (
            select persona, kind, stage_no, place, amount, row_number() over (
                partition by persona, kind, stage_no, place order by abs(amount) desc, person_id
            ) as nth
            from (
                select d.persona, d.kind, d.stage_no, d.place, d.person_id, sum(v.amount) as amount
                from d join o on d.journey = o.journey
                join v on {case_of("o.journey")} = v.case_no and o.outcome_us = v.at_us
                group by d.persona, d.kind, d.stage_no, d.place, d.person_id
            ) as each_person
        ) as ranked
        group by persona, kind, stage_no, place order by persona, kind, stage_no, place
        """,
        **worth,
    )
