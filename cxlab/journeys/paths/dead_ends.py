"""Where do journeys end without the outcome, and where do they go in circles?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, query
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.paths.shares import coverage, share_row
from cxlab.journeys.paths.ways import NOTHING, OTHER, Ways, one, size_of, stays, ways
from cxlab.report import charts, disclosure, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result

__all__ = ["DeadEnds", "Loops", "dead_ends", "loops"]

# Of persons' cases n and those that count x: what an interval by person needs.
_SUMS = """count(*) as customers, sum(n) as n, sum(n * n) as n_n, sum(x) as total,
    sum(x * x) as total_total, sum(n * x) as n_total, sum(case when x > 0 then 1 else 0 end)
    as people"""


@dataclass(frozen=True, kw_only=True, eq=False)
class DeadEnds(Result):
    """Share of the journeys at each place that end there without the outcome."""

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each place beside the average."""
        rows = self._rows("paths.dead_end_share")
        places, whole = rows[rows["place"].notna()], rows[rows["place"].isna()]
        return charts.dots(
            places, label="place", unit="share", reference=_number(whole),
            axis="Share of journeys that go no further, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say where journeys end most often, against the average."""
        rows = self._rows("paths.dead_end_share").dropna(subset="estimate")
        places, whole = rows[rows["place"].notna()], rows[rows["place"].isna()]
        places = places[places["place"] != OTHER]
        if places.empty:
            return "No place has enough people whose journeys end there to be shown."
        top = places.sort_values("estimate", kind="stable").iloc[-1]
        said = (
            f"{words.value(top['estimate'], 'share')} of the journeys that come to {top['place']} "
            f"end there without the outcome "
            f"({words.interval(top['conf_low'], top['conf_high'], 'share')})"
        )
        average = _number(whole)
        if average is None:
            return f"{said}."
        return f"{said}, against {words.value(average, 'share')} at a place on average."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Loops(Result):
    """Places that follow themselves, and ways that go straight back."""

    returns: int  # kinds of them
    all_returns: float  # how often any was taken
    base: Callable[[int], str] = field(repr=False)

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small cells, and say how much is left to see."""
        safe = disclosure.protect(self.estimates, rules)
        note = f"{self.base(Policy.of(rules).min_cell)} {self._coverage(safe)}"
        return replace(self, estimates=safe, note=note)

    def _coverage(self, safe: pd.DataFrame) -> str:
        rows = self.estimates[self.estimates["metric"] == "paths.return_share"]
        taken = rows["estimate"] * rows["n"]
        rest = pd.Series([self.all_returns - float(taken.sum())], index=[-1])
        shown = ~safe.loc[rows.index, "suppressed"].astype(bool)
        return coverage(
            pd.concat([taken, rest]), pd.concat([shown, pd.Series([False], index=[-1])]),
            of=self.returns, what="returns",
        )  # fmt: skip

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each loop."""
        return charts.dots(
            self.estimates, label="sequence", unit="share",
            axis="Share of the moves before that go round, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say which return is the most frequent of those shown."""
        rows = self.estimates.dropna(subset="estimate")
        back = rows[rows["metric"] == "paths.return_share"]
        if back.empty:
            return "No way straight back was taken by enough people to be shown."
        top = back.iloc[0]  # the most frequent one comes first
        way = str(top["sequence"]).split(" > ")
        return (
            f"Of the moves from {way[0]} to {way[1]}, {words.value(top['estimate'], 'share')} go "
            f"straight back ({words.interval(top['conf_low'], top['conf_high'], 'share')}); no "
            "other return is as frequent."
        )


def dead_ends(
    journeys: Journeys, *, cycle: Cycle, of: str | None = None, most: int = 15
) -> DeadEnds:
    """Where the journeys decided in a cycle ended without the outcome.

    Parameters
    ----------
    journeys : Journeys
        See `split_journeys`.
    cycle, of, most
        As in `transitions`.

    Returns
    -------
    DeadEnds
        `paths.dead_end_share` by `place`: of the journeys that came to it, those of which
        it was the last place and that ended without the outcome; without a place the average
        over all places, each counted as often as journeys came to it.
        `paths.last_place_share`: of all journeys without the outcome, those that ended there.
        What a journey is lost by, such as a refusal, is no place: it would be a dead end for all.

    Raises
    ------
    Withheld
        As in `transitions`, or if every journey reached the outcome.
    """
    found = ways(journeys, of=of, cycle=cycle, most=most, with_end=False)
    if found.counts["lost"] + found.counts["ended"] == 0:
        raise Withheld(
            f"Dead ends need journeys that ended without the outcome, but all of {cycle.name} "
            "that were decided reached it."
        )
    steps = stays(found)
    rows = []
    for cell in _endings(found, steps, by_place=True):
        rows.append(share_row("paths.dead_end_share", cell, place=found.name(int(cell["code"]))))
    rows += [
        share_row("paths.dead_end_share", cell, place=None)
        for cell in _endings(found, steps, by_place=False)
    ]
    rows.sort(key=lambda row: -row["estimate"] if row["place"] else 0.0)
    rows += [
        share_row("paths.last_place_share", cell, place=found.name(int(cell["code"])))
        for cell in _last_places(found, steps)
    ]
    size = size_of(steps)
    return DeadEnds(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of the journeys that come to {one(found.of)} and end there without the "
        f"outcome, decided in {cycle.name}; 95% interval",
        noted=lambda least: (
            f"{found.note(size, least)} A place late on the way is a dead end "
            "more often, since less can follow it."
        ),
    )


def loops(journeys: Journeys, *, cycle: Cycle, of: str | None = None, most: int = 8) -> Loops:
    """Where the journeys decided in a cycle repeated themselves or went straight back.

    Parameters
    ----------
    journeys : Journeys
        See `split_journeys`.
    cycle, of
        As in `transitions`.
    most : int
        Loops of each kind that are shown, the most frequent ones.

    Returns
    -------
    Loops
        By `sequence`: `paths.repeat_share` (A > A): of the contacts at a place, those
        followed at once by another at the same place. `paths.return_share` (A > B > A): of
        the moves from A to B, those that went straight back to A. The contact that is the
        outcome, or the loss, repeats no other.

    Raises
    ------
    Withheld
        As in `transitions`, or if no journey repeated a place.
    """
    found = ways(journeys, of=of, cycle=cycle, most=20, with_end=False)
    raw = ways(journeys, of=of, cycle=cycle, most=20, repeats=True, with_end=False)
    once = stays(found)
    again = query(
        f"""
        select code, {_SUMS} from (
            select person, code, count(*) as n,
                sum(case when next = code then 1 else 0 end) as x
            from s group by person, code
        ) as p group by code order by total desc, code
        """,
        s=stays(raw),
    )
    back = query(
        f"""
        select code, via, {_SUMS} from (
            select a.person, a.code, b.code as via, count(*) as n,
                sum(case when b.next = a.code then 1 else 0 end) as x
            from s as a join s as b on a.journey = b.journey and b.step = a.step + 1
            group by a.person, a.code, b.code
        ) as p group by code, via order by total desc, code, via
        """,
        s=once,
    )
    again, back = again[again["total"] > 0], back[back["total"] > 0]
    if again.empty and back.empty:
        raise Withheld(f"No journey decided in {cycle.name} came to a place twice in a row.")
    rows = []
    for cell in again.head(most).to_dict("records"):
        name = raw.name(cell["code"])
        rows.append(share_row("paths.repeat_share", cell, sequence=f"{name} > {name}"))
    for cell in back.head(most).to_dict("records"):
        a, b = found.name(cell["code"]), found.name(cell["via"])
        rows.append(share_row("paths.return_share", cell, sequence=f"{a} > {b} > {a}"))
    size = size_of(once)
    made = Loops(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of contacts at {one(found.of)} followed by another there (A > A), and of "
        f"moves that go straight back (A > B > A), decided in {cycle.name}; 95% interval",
        returns=len(back),
        all_returns=float(back["total"].sum()),
        base=lambda least: found.note(size, least),
    )
    return replace(made, note=f"{made.base(0)} {made._coverage(made.estimates)}")


def _endings(found: Ways, steps: Table, *, by_place: bool) -> list[dict[str, Any]]:
    """Sum up who came to a place, and whose journey ended there without the outcome."""
    code = "code, " if by_place else ""
    return query(
        f"""
        select {code}{_SUMS} from (
            select person, {code}count(*) as n, sum(x) as x
            from (
                select journey, person, code,
                    max(case when next > $converted then 1 else 0 end) as x
                from s where code <> $nowhere group by journey, person, code
            ) as j group by person{", code" if by_place else ""}
        ) as p {"group by code" if by_place else ""} order by {"code" if by_place else "n"}
        """,
        s=steps,
        converted=len(found.names),
        nowhere=found.names.index(NOTHING) if NOTHING in found.names else -1,
    ).to_dict("records")  # type: ignore[return-value]


def _last_places(found: Ways, steps: Table) -> list[dict[str, Any]]:
    """Sum up the journeys without the outcome by their last place."""
    cells = query(
        """
        with e as (select person, code, count(*) as x from s where next > $converted
            group by person, code),
        p as (select person, sum(x) as n from e group by person),
        b as (select count(*) as customers, sum(n) as n, sum(n * n) as n_n from p)
        select e.code, count(*) as people, sum(e.x) as total, sum(e.x * e.x) as total_total,
            sum(e.x * p.n) as n_total, max(b.customers) as customers, max(b.n) as n,
            max(b.n_n) as n_n
        from e join p on e.person = p.person cross join b
        group by e.code order by total desc, code
        """,
        s=steps,
        converted=len(found.names),
    )
    return cells.to_dict("records")  # type: ignore[return-value]


def _number(rows: pd.DataFrame) -> float | None:
    """Return the one number of a row, where it may be shown."""
    return (
        None if rows.empty or rows["estimate"].isna().iloc[0] else float(rows["estimate"].iloc[0])
    )
