"""Which journeys a cycle counts, and the way each took, as whole numbers.

Contacts at one place, one after another, are one stay. What is open at the cutoff is counted,
and left for a later cycle.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, keep, query, view
from cxlab.errors import ParameterError, Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.decided import ENDS, decided, known_to, still_open
from cxlab.report import words

__all__ = [
    "BEGIN",
    "ENDS",
    "FEWEST",
    "NOTHING",
    "OTHER",
    "START",
    "Size",
    "Ways",
    "many",
    "one",
    "size_of",
    "stays",
    "ways",
]

_ENDED = dict(zip(ENDS, ("reached the outcome", "were lost", "ended in silence"), strict=True))
START = -1  # where every journey comes from
BEGIN, OTHER = "start", "other places"
NOTHING = "no contact before"  # all that is known of the journey is its end
_IS_END = "(d.state = 'converted' and c.is_outcome = 1) or (d.state = 'lost' and c.is_lost = 1)"
FEWEST = 10  # journeys, below which no way is a usual one


class Size(NamedTuple):
    """How many stays journeys have, and how many of them begin at the moment of the one before."""

    stays: int
    tied: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Ways:
    """The decided journeys of a cycle, and the places they came to.

    Attributes
    ----------
    contacts : Table
        One row per contact until the outcome: `journey`, `position`, `at_us`, `code` (its
        place); of its journey: `person`, `decided_us`, `converted` (1 or 0).
    decided : Table
        One row per journey: `journey`, `person` (a number), `state`, `decided_us`.
    names : list of str
        The places by code; 'other places' where some were gathered.
    of : str
        What a place is: touchpoint, channel, stage or activity.
    counts : dict of str to int
        Journeys decided in the cycle by state, those still `open`, those of `anonymous`
        visitors, those that are `bare` (nothing but their end), and all `contacts`.
    repeats : bool
        Whether contacts at one place, one after another, are stays of their own.
    cycle : str
        In which they were decided.
    can : tuple of str
        The ends that a journey of this study can have.
    is_silent : bool
        Whether activities stand in for touchpoints that the log does not name.
    unseen : str
        Why no journey can have reached the outcome that the settings name; empty where one can.
    """

    contacts: Table = field(repr=False)
    decided: Table = field(repr=False)
    names: list[str]
    of: str
    counts: dict[str, int]
    repeats: bool
    cycle: str
    can: tuple[str, ...]
    is_silent: bool
    unseen: str

    @property
    def journeys(self) -> int:
        """How many were decided in the cycle."""
        return sum(self.counts[state] for state in ENDS)

    @property
    def gathered(self) -> bool:
        """Whether the last place stands for several."""
        return OTHER in self.names

    def name(self, code: int) -> str:
        """Say what a code stands for: a place, the start, or an end."""
        if code == START:
            return BEGIN
        return self.names[code] if code < len(self.names) else ENDS[code - len(self.names)]

    def note(self, size: Size, least: int = 0) -> str:
        """Say which journeys these are, how many contacts were one stay, and what is not in order.

        Where an end has fewer than `least` journeys, none is told apart: whoever knows the
        others and their sum would know it.
        """
        ends = [f"{words.number(self.counts[state])} {_ENDED[state]}" for state in self.can]
        if min(self.counts[state] for state in self.can) < least:
            ends = []
        said = (
            f"Base: {words.plural(self.journeys, 'journey')} decided in {self.cycle}"
            f"{': ' if ends else ''}{words.listing(ends)}."
        )
        if going := self.counts["open"]:
            others = words.plural_from(least, going, "other")
            verb = "was" if going == 1 >= least else "were"
            said += f" {words.begun(others)} {verb} still open and left to a later cycle."
        if self.is_silent:
            said += " The log names no touchpoint, so a place is an activity."
        said += f" No journey can reach the outcome: {self.unseen}" if self.unseen else ""
        if size.tied:
            said += (
                f" {words.plural_from(least, size.tied, 'move')} in no time: contacts of one "
                "moment stand in the order of the planned stages, then of their names."
            )
        again = self.counts["contacts"] - size.stays
        if self.repeats or not again:
            return said
        verb = "is" if again == 1 else "are"
        alike = f", all of '{OTHER}' taken for one," if self.gathered else ""
        return (
            f"{said} {words.plural(again, 'contact')} at the same {self.of} as the one before"
            f"{alike} {verb} part of one stay."
        )


def ways(
    journeys: Journeys,
    *,
    of: str | None,
    cycle: Cycle,
    most: int,
    repeats: bool = False,
    with_end: bool = True,
    first: int | None = None,
) -> Ways:
    """Find the decided journeys of a cycle, and number the places they came to.

    Parameters
    ----------
    journeys : Journeys
        Known up to the end of the cycle, or longer.
    of : str, optional
        touchpoint, channel, stage or activity. Default: the touchpoint, or the activity where
        the log names no touchpoint.
    cycle : Cycle
        In which journeys were decided.
    most : int
        Places with a name of their own, the most frequent ones.
    repeats : bool
        Whether contacts at one place, one after another, are stays of their own.
    with_end : bool
        Whether the contact that is the outcome, or the loss, is a stay. Without, a journey of
        nothing else comes to one place, 'no contact before'.
    first : int, optional
        The most frequent places among so many first contacts of a journey have a name, so that
        where journeys begin is not among the others. Default: among all.

    Returns
    -------
    Ways
        What `stays` and others start from.

    Raises
    ------
    ParameterError
        If the journeys are known less long than to the end of the cycle, or `of` is no column.
    Withheld
        If fewer than ten journeys were decided in the cycle, or the log never names its places.
    """
    journeys = known_to(journeys, cycle)
    column = _column(journeys, of)
    codes, names = journeys.codes(column)
    chosen = keep(decided(journeys, cycle))
    counts = _counts(journeys, chosen, cycle)
    if (total := sum(counts[state] for state in ENDS)) < FEWEST:
        raise Withheld(
            f"Ways need at least {FEWEST} journeys that were decided in {cycle.name}, but there "
            f"are {total}."
        )
    ends = "false" if with_end else _IS_END
    on_the_way = f"t.is_after = 0 and not ({ends})"
    marked = codes.merge(journeys.places[["place", "is_outcome", "is_lost"]], on="place")
    sizes = query(
        f"""
        select c.code, count(*) as n, sum(case when t.position <= $first then 1 else 0 end) as early
        from t join d on t.journey = d.journey
        join c on t.place = c.place where {on_the_way} group by c.code order by c.code
        """,
        t=journeys.touches,
        d=chosen,
        c=_whole_numbers(marked),
        first=first or 0,
    )
    code, names = _most_frequent(sizes, codes, names, most, in_order=column == "stage")
    if not with_end and counts["bare"]:
        names = [*names, NOTHING]
    contacts = view(
        f"""
        select t.journey, t.position, t.at_us, d.person, d.decided_us,
            case when {ends} then {len(names) - 1} else c.code end as code,
            case when d.state = 'converted' then 1 else 0 end as converted
        from t join d on t.journey = d.journey join c on t.place = c.place
        where {on_the_way} or (t.is_after = 0 and d.touches = 1)
        """,
        t=journeys.touches,
        d=chosen,
        c=_whole_numbers(marked.assign(code=code)),
    )
    return Ways(
        contacts=contacts,
        decided=chosen,
        names=names,
        of=column,
        counts=counts | {"contacts": int(sizes["n"].sum()) + (0 if with_end else counts["bare"])},
        repeats=repeats,
        cycle=cycle.name,
        can=_possible(journeys),
        is_silent=of is None and column == "activity",
        unseen=journeys.unseen,
    )


def stays(found: Ways) -> Table:
    """Write each journey as a row of stays, numbered from its start.

    Returns
    -------
    Table
        Kept in the engine, one row per stay: `journey`, `person`, `state`, `step` (from 1),
        `code` (its place), `next` (the next place; after the last one the number of `ENDS`,
        counted on from the places), `at_us`, `next_us` (missing after the last one).
    """
    places = len(found.names)
    ends = pd.DataFrame({"state": ENDS, "ending": range(places, places + len(ENDS))})
    begins = "true" if found.repeats else "before is null or before <> code"
    return keep(
        view(
            f"""
            with seen as (
                select journey, position, at_us, code,
                    lag(code) over (partition by journey order by position) as before
                from c
            ),
            numbered as (
                select journey, code, at_us,
                    row_number() over (partition by journey order by position) as step,
                    lead(code) over (partition by journey order by position) as follows,
                    lead(at_us) over (partition by journey order by position) as next_us
                from seen where {begins}
            )
            select n.journey, d.person, d.state, n.step, n.code,
                coalesce(n.follows, e.ending) as next, n.at_us, n.next_us
            from numbered as n join d on n.journey = d.journey join e on d.state = e.state
            """,
            c=found.contacts,
            d=found.decided,
            e=ends,
        )
    )


def size_of(steps: Table) -> Size:
    """Count the stays, and the moves whose order the log does not tell."""
    found = query(
        "select count(*) as n, sum(case when next_us = at_us then 1 else 0 end) as tied from s",
        s=steps,
    ).iloc[0]
    return Size(stays=int(found["n"]), tied=int(found["tied"]))


def _counts(journeys: Journeys, chosen: Table, cycle: Cycle) -> dict[str, int]:
    found = query(
        """
        select state, count(*) as n, sum(anonymous) as anonymous,
            sum(case when touches = 1 and state <> 'ended' then 1 else 0 end) as bare
        from d group by state order by state
        """,
        d=chosen,
    )
    open_ = still_open(journeys, cycle)
    states = dict(zip(found["state"], found["n"], strict=True))
    counts = {state: int(states.get(state, 0)) for state in ENDS}
    more = {name: int(found[name].sum()) for name in ("anonymous", "bare")}
    return counts | more | {"open": open_}


def _column(journeys: Journeys, of: str | None) -> str:
    choices = ("touchpoint", "channel", "stage", "activity")
    if of is not None:
        if of not in choices:
            raise ParameterError(f"of must be one of {list(choices)}, but is {of!r}.")
        return of
    silent = (journeys.places["touchpoint"] == NOT_KNOWN).all()
    return "activity" if silent else "touchpoint"


def _most_frequent(
    sizes: pd.DataFrame, codes: pd.DataFrame, names: list[str], most: int, *, in_order: bool
) -> tuple[pd.Series, list[str]]:
    """Number the places anew: the most frequent first, those beyond `most` as one."""
    ranked = sizes.sort_values(["early", "n", "code"], ascending=[False, False, True])[
        "code"
    ].tolist()
    own = ranked[:most] if len(ranked) > most + 1 else ranked  # one alone keeps its name
    if in_order:  # stages keep their order
        own = sorted(own)
    place = {old: new for new, old in enumerate(own)}
    labels = [names[old] for old in own]
    if len(own) < len(ranked):
        labels.append(OTHER)
    return codes["code"].map(place).fillna(len(own)).astype(int), labels


def _whole_numbers(marked: pd.DataFrame) -> pd.DataFrame:
    """Write what is true or false as 1 or 0, which both engines read alike."""
    return marked.astype({"is_outcome": int, "is_lost": int})


def _possible(journeys: Journeys) -> tuple[str, ...]:
    """List the ends that a journey of this study can have."""
    rules = journeys.settings
    can = {"converted": rules.outcome, "lost": rules.lost, "ended": rules.gap}
    return tuple(state for state in ENDS if can[state])


def one(of: str) -> str:
    """Name a place of a kind: 'a channel', 'an activity'."""
    return f"{'an' if of[:1] in 'aeiou' else 'a'} {of}"


def many(of: str) -> str:
    """Name places of a kind: 'channels', 'activities'."""
    return {"activity": "activities"}.get(of, f"{of}s")
