"""Which contacts make one journey, and how did it end?

A log knows contacts; paths, timelines and maps need journeys. A journey ends with the
outcome that the study declares (what follows in the stages after it belongs to it), with
an activity that loses it, or with a silence. From here on a contact is four whole numbers:
which journey, which place in it, when, and where; the words are in one small frame.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from weakref import WeakKeyDictionary

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.data.journey_settings import JourneySettings, never_seen
from cxlab.data.lab import Lab
from cxlab.data.span import moment_us, span_us
from cxlab.errors import MissingColumnError, Withheld, did_you_mean
from cxlab.journeys.contacts import PLACE, contact_view, contacts_left_out
from cxlab.journeys.cutting import MOST, RANKS, cut, kinds
from cxlab.journeys.few_places import PLACES, few_places

__all__ = ["STATES", "Journeys", "case_of", "journeys_of", "split_journeys"]

STATES = ("converted", "lost", "ended", "open", "after only")


@dataclass(frozen=True, kw_only=True, eq=False)
class Journeys:
    """The contacts of all persons, cut into journeys.

    Attributes
    ----------
    touches : Table
        One row per contact, whole numbers only: `journey`, `position` (from 1, by time),
        `at_us` (microseconds since 1970), `place`, `is_after` (1 after the outcome or loss).
    journeys : Table
        One row per journey: `journey`, `person` (a number, by the order of `person_id`),
        `person_id`, `customer_id` (missing where anonymous), `started_us`, `ended_us`,
        `outcome_us` and `lost_us` (missing without one), `touches` (until and at the outcome),
        `touches_after`, `state`: converted, lost, ended (in silence), open (may go on), or after
        only (contacts of later stages, with no journey before them).
    places : pandas.DataFrame
        What each `place` is: `activity`, `stage`, `touchpoint`, `channel` ('not known' where
        the log is silent), `is_outcome`, `is_lost`, `is_after`, `stage_no`.
    cases : Table
        `case_id` (of the log: the value of the key, or the person) and `case_no`, from which a
        journey is numbered: `case_of`.
    left_out : dict of str to int
        Contacts that are in no journey, by reason.
    unseen : str
        Why no journey can have the outcome that the settings name; empty where one can. All
        of what needs no outcome is told as for a study that declares none.
    """

    touches: Table = field(repr=False)
    journeys: Table = field(repr=False)
    places: pd.DataFrame = field(repr=False)
    cases: Table = field(repr=False)
    left_out: dict[str, int]
    settings: JourneySettings = field(repr=False)
    cutoff: datetime
    unseen: str = ""

    def codes(self, of: str) -> tuple[pd.DataFrame, list[str]]:
        """Number the values of one column of `places`.

        Returns
        -------
        pandas.DataFrame
            `place`, `code` (from 0, in the order of the list).
        list of str
            The values; in the order of the stages for stages, else by name.

        Raises
        ------
        Withheld
            If the log never says it.
        """
        known = self.places[of]
        if (known == NOT_KNOWN).all():
            raise Withheld(f"No contact in the log names its {of}: map the column `{of}`.")
        order = self.places.sort_values(["stage_no", of]) if of == "stage" else self.places
        names = list(dict.fromkeys(order[of])) if of == "stage" else sorted(set(known))
        code = known.map({name: i for i, name in enumerate(names)})
        return pd.DataFrame({"place": self.places["place"], "code": code}), names

    def as_of(self, cutoff: datetime) -> Self:
        """Return the same journeys as they were known at an earlier moment."""
        if cutoff >= self.cutoff:
            return self
        touches = keep(
            view("select t.* from t where at_us < $until", t=self.touches, until=moment_us(cutoff))
        )
        found = _journeys(touches, self.places, self.journeys, self.settings, cutoff, of="journey")
        return replace(self, touches=touches, journeys=keep(found), cutoff=cutoff)


def case_of(journey: str) -> str:
    """Write the number of the case that a journey is of, for a query."""
    return f"{journey} // {MOST}"


_cut: WeakKeyDictionary[Lab, Journeys] = WeakKeyDictionary()


def journeys_of(lab: Lab) -> Journeys:
    """Return the journeys of an open study, cut once and kept for all who ask.

    Parameters
    ----------
    lab : Lab
        An open study with `interactions`; its `journey` settings say what a journey is.

    Returns
    -------
    Journeys
        As `split_journeys` makes them, as known at the end of the lab's cycle.

    Raises
    ------
    Withheld
        If the study has no interactions, or nobody's.
    """
    if lab not in _cut:
        rules = lab.settings.journey
        _cut[lab] = split_journeys(lab.interactions, rules, cutoff=lab.cycle.cutoff)
    return _cut[lab]


def split_journeys(
    interactions: TableLike, settings: JourneySettings, *, cutoff: datetime
) -> Journeys:
    """Cut the contacts known before a moment into journeys.

    Parameters
    ----------
    interactions : table
        With `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and where the
        log has them `stage`, `touchpoint`, `channel`, `is_bot`.
    settings : JourneySettings
        What ends a journey, the planned stages, the longest silence.
    cutoff : datetime
        Contacts from this moment on are not known yet (UTC).

    Returns
    -------
    Journeys
        Contacts and journeys, kept in the engine.

    Raises
    ------
    Withheld
        If no contact can be given to a person.
    MissingColumnError
        If a column that the settings name is not there.

    Notes
    -----
    Contacts at the same moment are read in the order of the planned stages, then by name.
    A silence is longer than `gap`; one that is not over at the cutoff leaves the journey open.

    After an outcome or a loss the next outcome, and a contact in an earlier stage of the plan,
    begin another journey. In the same stage, or in none of the plan, a contact still belongs to
    what has ended for as long as `settling`, such as a payment a minute after the order. At
    the moment of an end nothing begins, and what loses a journey never begins one after an end.

    Examples
    --------
    >>> log = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"], "activity": ["look", "buy", "look"],
    ...     "occurred_at": pd.to_datetime(["2018-01-01", "2018-01-02", "2018-01-02"]),
    ... })
    >>> rules = JourneySettings(outcome=["buy"])
    >>> found = split_journeys(log, rules, cutoff=datetime(2018, 4, 1))
    >>> query("select state, touches from j order by state", j=found.journeys)
           state  touches
    0  converted        2
    1      ended        1
    """
    (log,) = in_one_engine(interactions)
    if settings.key is not None and settings.key not in log.columns:
        raise MissingColumnError(
            f"journey.key must be a column of interactions, but {settings.key!r} is not among "
            f"{list(log.columns)}.{did_you_mean(settings.key, log.columns)}"
        )
    contacts = few_places(contact_view(log, key=settings.key, cutoff=cutoff))
    places = _places(contacts, settings)
    unseen = never_seen("journey.outcome", settings.outcome, places["activity"])
    if not places["is_outcome"].any():
        settings = settings.model_copy(update={"outcome": []})
    else:
        unseen = ""  # of several outcomes one is enough
    number = "row_number() over (order by case_id)"
    whose, person = "case_id", number  # without a key a case is a person
    if settings.key is not None:
        whose, person = "min(person_id)", "dense_rank() over (order by person_id)"
    persons = keep(
        view(
            f"""
            select case_id, person_id, customer_id, cast({number} as int) as case_no,
                cast({person} as bigint) as person
            from (
                select case_id, {whose} as person_id, min(customer_id) as customer_id
                from c group by case_id
            ) as d
            """,
            c=contacts,
        )
    )
    touches = keep(cut(_coded(contacts, persons, places, settings), places, settings))
    return Journeys(
        touches=touches,
        journeys=keep(_journeys(touches, places, persons, settings, cutoff, of="case_no")),
        places=places,
        cases=persons,
        left_out=contacts_left_out(log, cutoff=cutoff, key=settings.key),
        settings=settings,
        cutoff=cutoff,
        unseen=unseen,
    )


def _places(contacts: Table, settings: JourneySettings) -> pd.DataFrame:
    """List the kinds of contact in the order of the plan, each with its number."""
    found = query(
        "select activity, stage, touchpoint, channel, count(*) as n from c "
        "group by activity, stage, touchpoint, channel "
        "order by activity, stage, touchpoint, channel",
        c=contacts,
        limit=PLACES,
    )
    if found.empty:
        raise Withheld("No contact in the log can be given to a person before the cycle's end.")
    found["logged_stage"] = found["stage"]
    planned = {stage.name: i for i, stage in enumerate(settings.stages)}
    by_activity = {a: stage.name for stage in settings.stages for a in stage.activities}
    silent = found["stage"] == NOT_KNOWN
    found.loc[silent, "stage"] = found["activity"].map(by_activity).fillna(NOT_KNOWN)[silent]
    after = {stage.name for stage in settings.stages if stage.after}
    found["is_outcome"] = found["activity"].isin(settings.outcome)
    found["is_lost"] = found["activity"].isin(settings.lost)
    # An outcome is never after itself, whatever stage the log puts it in.
    ends = found["is_outcome"] | found["is_lost"]
    found["is_after"] = found["stage"].isin(after) & ~ends
    found["stage_no"] = found["stage"].map(planned).fillna(len(planned)).astype(int)
    ordered = found.sort_values(["stage_no", "is_outcome", *PLACE], kind="stable")
    return ordered.reset_index(drop=True).assign(place=lambda f: range(len(f)))


def _coded(
    contacts: Table, persons: Table, places: pd.DataFrame, settings: JourneySettings
) -> Table:
    """Put numbers in the place of words, short ones: what is sorted has to be carried along."""
    # The stage that settings give to an activity stands in `places` only.
    words = places[["place", "logged_stage", *PLACE]].drop(columns="stage")
    coded = kinds(places, settings).merge(words, on="place", validate="one_to_one")
    alike = " and ".join(f"c.{column} = p.{column}" for column in PLACE if column != "stage")
    return view(
        f"""
        select s.case_no, c.at_us, cast(p.place as smallint) as place,
            case when p.end_kind > 0 then c.at_us * {RANKS} + p.stage_rank end as end_us
        from c join s on c.case_id = s.case_id
        join p on {alike} and c.stage = p.logged_stage
        """,
        c=contacts,
        s=persons,
        p=coded.drop(columns="is_later"),
    )


def _journeys(
    touches: Table,
    places: pd.DataFrame,
    persons: Table,
    settings: JourneySettings,
    cutoff: datetime,
    *,
    of: str,
) -> Table:
    """Sum up each journey: whose it is, when it ran, how it ended."""
    silent = "false"
    if settings.gap is not None:
        silent = f"j.ended_us < {moment_us(cutoff) - span_us(settings.gap)}"
    number = "j.journey" if of == "journey" else case_of("j.journey")
    return view(
        f"""
        select j.journey, s.person, s.person_id, s.customer_id, j.started_us, j.ended_us,
            j.outcome_us, j.lost_us, j.touches, j.touches_after,
            case when j.touches = 0 then 'after only' when j.outcome_us is not null
                then 'converted' when j.lost_us is not null then 'lost'
                when {silent} then 'ended' else 'open' end as state
        from (
            select t.journey, min(t.at_us) as started_us, max(t.at_us) as ended_us,
                min(case when k.end_kind = 1 then t.at_us end) as outcome_us,
                min(case when k.end_kind = 2 then t.at_us end) as lost_us,
                count(*) - sum(t.is_after) as touches, sum(t.is_after) as touches_after
            from t join k on t.place = k.place group by t.journey
        ) as j
        join s on {number} = s.{of}
        """,
        t=touches,
        s=persons,
        k=kinds(places, settings)[["place", "end_kind"]],
    )
