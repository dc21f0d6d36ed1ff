"""From which place do journeys go to which, and how long does it take?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, query, view
from cxlab.journeys.cases import Journeys
from cxlab.journeys.exact import DAY_SECONDS, seconds, sum_of_products
from cxlab.journeys.paths.shares import coverage, share_row, summed
from cxlab.journeys.paths.ways import BEGIN, ENDS, OTHER, START, Ways, many, size_of, stays, ways
from cxlab.report import charts, disclosure, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result, interval_row
from cxlab.stats.clusters import ClusterSums, cluster_mean

__all__ = ["Transitions", "transitions"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Transitions(Result):
    """A matrix of places: from (rows, with the start) and to (columns, with the ends)."""

    of: str
    moves: int  # distinct pairs that journeys took, before any were gathered
    base: Callable[[int], str] = field(repr=False)  # the note before its last sentence

    def table(self) -> pd.DataFrame:
        """Probability of each pair that enough people took, and how often it was.

        A pair that is withheld, and one that nobody took, has no row: withheld are some of
        these as well, so that a reader cannot tell the one from the other.
        """
        share = self._rows("paths.move_share")
        taken = share[(share["estimate"] > 0) & ~share["suppressed"].astype(bool)]
        frame = taken.drop(columns=["metric", "method", "unit", "count"])
        moves = (taken["estimate"] * taken["n"]).round()
        return frame.assign(moves=moves).reset_index(drop=True)

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small cells, and say how much is left to see."""
        safe = disclosure.protect(self.estimates, rules, sparse=True)
        note = f"{self.base(Policy.of(rules).min_cell)} {self._coverage(safe)}"
        return replace(self, estimates=safe, note=note)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each row that goes to each column."""
        cells = self._rows("paths.move_share")
        return charts.heatmap(cells, row="from_place", column="to_place", unit="share", ax=ax)

    def sentence(self) -> str:
        """Say which move between two places is the most frequent."""
        rows = self._rows("paths.move_share").dropna(subset="estimate")
        between = rows[
            (rows["from_place"] != BEGIN) & ~rows["to_place"].isin(ENDS)
            & (rows["from_place"] != OTHER) & (rows["to_place"] != OTHER)
            & (rows["from_place"] != rows["to_place"]) & (rows["estimate"] > 0)
        ]  # fmt: skip
        if between.empty:
            return f"No move between two {many(self.of)} was taken by enough people to be shown."
        ranked = between.assign(moves=between["estimate"] * between["n"])
        top = ranked.sort_values("moves", kind="stable").iloc[-1]
        return (
            f"The most frequent move is from {top['from_place']} to {top['to_place']}: "
            f"{words.value(top['estimate'], 'share')} of what follows {top['from_place']} "
            f"({words.interval(top['conf_low'], top['conf_high'], 'share')})."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)

    def _coverage(self, safe: pd.DataFrame) -> str:
        """Tell how many of all moves can be read by themselves."""
        before = self._rows("paths.move_share")
        weight = before["estimate"] * before["n"]
        shown = ~safe.loc[safe["metric"] == "paths.move_share", "suppressed"].to_numpy(bool)
        shown &= (weight > 0).to_numpy()
        for side in ("from_place", "to_place"):
            shown &= (before[side] != OTHER).to_numpy()
        said = coverage(weight, pd.Series(shown, weight.index), of=self.moves, what="transitions")
        return f"{said} Those that are withheld, or that nobody took, are not listed."


def transitions(
    journeys: Journeys,
    *,
    cycle: Cycle,
    of: str | None = None,
    most: int = 12,
    repeats: bool = False,
) -> Transitions:
    """Where the journeys decided in a cycle went from each place.

    Parameters
    ----------
    journeys : Journeys
        See `split_journeys`.
    cycle : Cycle
        In which journeys were decided (see `ways`).
    of : str, optional
        What a place is: touchpoint, channel, stage or activity. Default: the touchpoint, or
        the activity where the log names no touchpoint.
    most : int
        Places with a name of their own; the others are gathered, and counted.
    repeats : bool
        Whether contacts at one place, one after another, are moves from it to itself.

    Returns
    -------
    Transitions
        `paths.move_share` by `from_place` (with the start) and `to_place` (with the ends
        converted, lost and ended): of all moves from a place, those to another, every row
        adding up to one. `paths.move_days`: mean days between the two, for moves between
        places. The outcome's own place is the last place of a journey.

    Raises
    ------
    Withheld
        If fewer than ten journeys were decided in the cycle, or the log never names its places.

    Notes
    -----
    Persons are the units: the share of each cell has Wilson's interval on the number of
    independent moves that theirs are worth. Each cell is an interval of its own; a row of
    them is not a joint region.
    """
    found = ways(journeys, of=of, cycle=cycle, most=most, repeats=repeats)
    steps = stays(found)
    moves = _moves(steps)
    cells = query(
        "select * from t order by from_code, to_code",
        t=summed(moves, row="from_code", cell="to_code"),
    )
    rows = _shares(cells, found) + _days(found, steps)
    size = size_of(steps)
    made = Transitions(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of the moves from each {found.of} (rows) that go on to each (columns), "
        f"journeys decided in {cycle.name}; 95% interval in the table",
        of=found.of,
        moves=_distinct(journeys, found, cycle, repeats=repeats) if found.gathered else len(cells),
        base=lambda least: found.note(size, least),
    )
    return replace(made, note=f"{made.base(0)} {made._coverage(made.estimates)}")


def _moves(steps: Table) -> Table:
    """Count the moves of each person between each two places, start and ends included."""
    return view(
        """
        select person, from_code, to_code, count(*) as x
        from (
            select person, code as from_code, next as to_code from s
            union all
            select person, -1 as from_code, code as to_code from s where step = 1
        ) as m
        group by person, from_code, to_code
        """,
        s=steps,
    )


def _shares(cells: pd.DataFrame, found: Ways) -> list[dict[str, Any]]:
    """Fill in the pairs that nobody took: rows then add up, and read as a matrix."""
    taken = {(c["from_code"], c["to_code"]): c for c in cells.to_dict("records")}
    bases = {start: cell for (start, _), cell in taken.items()}
    nobody = {"people": 0, "total": 0, "total_total": 0, "n_total": 0}
    rows = []
    for start in sorted(bases):
        for to in sorted({to for _, to in taken}):
            if (start == START and to >= len(found.names)) or (start == to and not found.repeats):
                continue  # cannot happen, so it is no empty cell either
            cell = taken.get((start, to), bases[start] | nobody)
            pair = {"from_place": found.name(start), "to_place": found.name(to)}
            rows.append(share_row("paths.move_share", cell, **pair))
    return rows


def _days(found: Ways, steps: Table) -> list[dict[str, Any]]:
    """Mean time of each move between two places, persons as clusters."""
    cells = query(
        f"""
        select from_code, to_code, count(*) as customers, sum(n) as n, sum(time) as total,
            sum(n * n) as n_n, {sum_of_products("n", "time")} as n_total,
            {sum_of_products("time", "time")} as total_total
        from (
            select person, code as from_code, next as to_code, count(*) as n,
                {seconds("sum(next_us - at_us)")} as time
            from s where next_us is not null group by person, code, next
        ) as p
        group by from_code, to_code order by from_code, to_code
        """,
        s=steps,
    )
    rows = []
    for cell in cells.to_dict("records"):
        pair = {name: found.name(int(cell.pop(f"{name}_code"))) for name in ("from", "to")}
        sums = ClusterSums(
            customers=float(cell["customers"]),
            n=float(cell["n"]),
            total=float(cell["total"]) / DAY_SECONDS,
            n_n=float(cell["n_n"]),
            n_total=float(cell["n_total"]) / DAY_SECONDS,
            total_total=float(cell["total_total"]) / DAY_SECONDS**2,
        )
        if sums.customers < 2:
            continue
        dims = {f"{name}_place": place for name, place in pair.items()}
        mean = cluster_mean(sums).clip(0.0, float("inf"))
        rows.append(
            interval_row(
                "paths.move_days", mean, unit="days", count=sums.customers, **dims
            )
        )  # fmt: skip
    return rows


def _distinct(journeys: Journeys, found: Ways, cycle: Cycle, *, repeats: bool) -> int:
    """Count the pairs that journeys took before rare places were gathered."""
    every = ways(journeys, of=found.of, cycle=cycle, most=len(journeys.places), repeats=repeats)
    return int(
        query(
            "select count(*) as n from (select from_code, to_code from m "
            "group by from_code, to_code) as d",
            m=_moves(stays(every)),
        )["n"][0]
    )
