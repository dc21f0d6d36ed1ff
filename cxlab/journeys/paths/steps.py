"""Where are customers at their first, second, third contact, and when have they left?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, query, view
from cxlab.journeys.cases import Journeys
from cxlab.journeys.paths.shares import coverage, share_row, summed
from cxlab.journeys.paths.ways import ENDS, OTHER, Ways, size_of, stays, ways
from cxlab.report import charts, disclosure, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result

__all__ = ["Flow", "StepMatrix", "flow", "step_matrix"]


@dataclass(frozen=True, kw_only=True, eq=False)
class StepMatrix(Result):
    """Share of journeys at each place, step by step; each step adds up to all."""

    cycle: str

    def table(self) -> pd.DataFrame:
        """Share of each cell with enough people; the picture has the empty ones too."""
        frame = super().table()
        listed = (self.estimates["estimate"] > 0) & ~self.estimates["suppressed"].astype(bool)
        return frame[listed.to_numpy()].reset_index(drop=True)

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small cells; most are empty by nature."""
        safe = disclosure.protect(self.estimates, rules, sparse=True)
        note = f"{self.note_for(rules)} Cells of too few people, or of none, are not listed."
        return replace(self, estimates=safe, note=note)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw places by step."""
        return charts.heatmap(self.estimates, row="place", column="step", unit="share", ax=ax)

    def sentence(self) -> str:
        """Say where most journeys begin, and how many are over by the last step."""
        rows = self.estimates.dropna(subset="estimate")
        first = rows[(rows["step"] == 1) & ~rows["place"].isin([*ENDS, OTHER])]
        if first.empty:
            return (
                "Where journeys begin is withheld: too few people began anywhere but at one place."
            )
        top = first.sort_values("estimate", kind="stable").iloc[-1]
        said = (
            f"{words.value(top['estimate'], 'share')} of journeys begin at {top['place']} "
            f"({words.interval(top['conf_low'], top['conf_high'], 'share')})"
        )
        last = int(self.estimates["step"].max())
        over = rows[(rows["step"] == last) & rows["place"].isin(ENDS)]
        whole = self.estimates[(self.estimates["step"] == last)]
        if over.empty or whole.loc[whole["place"].isin(ENDS), "estimate"].isna().any():
            return f"{said}."
        share = words.value(float(over["estimate"].sum()), "share")
        return f"{said}; {share} are over after {words.plural(last - 1, 'stay')} or fewer."


@dataclass(frozen=True, kw_only=True, eq=False)
class Flow(Result):
    """The moves of journeys at each step, as shares of all journeys."""

    of: str
    base: Callable[[int], str] = field(repr=False)  # the note before its last sentence

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small moves; most pairs are empty by nature."""
        safe = disclosure.protect(self.estimates, rules, sparse=True)
        note = f"{self.base(Policy.of(rules).min_cell)} {self._coverage(safe)}"
        return replace(self, estimates=safe, note=note)

    def _coverage(self, safe: pd.DataFrame) -> str:
        shown = ~safe["suppressed"].astype(bool)
        return coverage(self.estimates["estimate"], shown, of=len(safe), what="bands")

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the moves as bands from step to step."""
        return charts.flow(
            self.estimates, step="step", source="from_place", target="to_place", ends=ENDS, ax=ax
        )

    def sentence(self) -> str:
        """Say which first move is the most frequent."""
        rows = self.estimates.dropna(subset="estimate")
        named = rows[~rows["from_place"].isin([OTHER]) & (rows["step"] == 1)]
        if named.empty:
            return "No first move was made by enough people to be shown."
        top = named.sort_values("estimate", kind="stable").iloc[-1]
        how = {
            "converted": "reach the outcome there",
            "lost": "are lost there",
            "ended": "go nowhere else",
        }.get(top["to_place"], f"go on to {top['to_place']}")
        return (
            f"{words.value(top['estimate'], 'share')} of journeys "
            f"({words.interval(top['conf_low'], top['conf_high'], 'share')}) begin at "
            f"{top['from_place']} and {how}: the most frequent beginning."
        )


def step_matrix(
    journeys: Journeys,
    *,
    cycle: Cycle,
    of: str | None = None,
    steps: int = 6,
    most: int = 10,
    repeats: bool = False,
) -> StepMatrix:
    """Share of the journeys decided in a cycle that are at each place, step by step.

    Parameters
    ----------
    journeys : Journeys
        See `split_journeys`.
    cycle, of
        As in `transitions`.
    steps : int
        How many steps from the start.
    most : int
        Places with a name of their own, the most frequent of the first contacts.
    repeats
        As in `transitions`.

    Returns
    -------
    StepMatrix
        `paths.step_share` by `step` (from 1) and `place`. What is over stays in its end
        (converted, lost, ended) from then on, so that each step adds up to all journeys.

    Raises
    ------
    Withheld
        As in `transitions`.
    """
    found = ways(journeys, of=of, cycle=cycle, most=most, repeats=repeats, first=steps)
    rows_of = stays(found)
    cells = query(
        "select * from t order by step, code",
        t=summed(_places_by_step(found, rows_of, steps), row="step", cell="code"),
    )
    by_cell = cells.set_index(["step", "code"])
    base = cells[["customers", "n", "n_n"]].iloc[0].to_dict()  # the same at every step
    rows = []
    for code in sorted(set(cells["code"])):
        for step in range(1, steps + 1):
            nobody = {"people": 0, "total": 0, "total_total": 0, "n_total": 0} | base
            cell = by_cell.loc[(step, code)] if (step, code) in by_cell.index else nobody
            name = found.name(code)
            rows.append(share_row("paths.step_share", cell, place=name, step=step))
    size = size_of(rows_of)
    return StepMatrix(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of journeys at each {found.of} by step, decided in {cycle.name}; "
        "95% interval in the table",
        noted=lambda least: (
            f"{found.note(size, least)} What is over stays in its end. The "
            "outcome's own place is the last stay of a journey."
        ),
        cycle=cycle.name,
    )


def flow(
    journeys: Journeys,
    *,
    cycle: Cycle,
    of: str | None = None,
    steps: int = 3,
    most: int = 6,
    repeats: bool = False,
) -> Flow:
    """The moves of the journeys decided in a cycle, step by step, as a flow diagram.

    Parameters
    ----------
    journeys : Journeys
        See `split_journeys`.
    cycle, of
        As in `transitions`.
    steps : int
        How many steps from the start are drawn.
    most, repeats
        As in `step_matrix`.

    Returns
    -------
    Flow
        `paths.flow_share` by `step`, `from_place` and `to_place`: share of all journeys
        that go from one to the other after that step.

    Raises
    ------
    Withheld
        As in `transitions`.
    """
    found = ways(journeys, of=of, cycle=cycle, most=most, repeats=repeats, first=steps)
    rows_of = stays(found)
    links = view(
        """
        select person, 1 as whole, step, code, next, count(*) as x from s
        where step <= $steps group by person, step, code, next
        """,
        s=rows_of,
        steps=steps,
    )
    base = _base(found)
    cells = query(
        """
        select l.step, l.code, l.next, count(*) as people, sum(l.x) as total,
            sum(l.x * l.x) as total_total, sum(l.x * p.n) as n_total
        from l join p on l.person = p.person group by l.step, l.code, l.next
        order by step, code, next
        """,
        l=links,
        p=_persons(found),
    )
    rows = [
        share_row(
            "paths.flow_share", cell | base, step=int(cell["step"]),
            from_place=found.name(cell["code"]), to_place=found.name(cell["next"]),
        )
        for cell in cells.to_dict("records")
    ]  # fmt: skip
    size = size_of(rows_of)
    shown = float(cells["total"].sum()) / size.stays
    made = Flow(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of journeys that go from one {found.of} to the next, by step; decided "
        f"in {cycle.name}, 95% interval in the table",
        of=found.of,
        base=lambda least: (
            f"{found.note(size, least)} The first {steps} steps are "
            f"{words.value(shown, 'share')} of all moves. On a narrow screen the picture shows "
            "fewer steps, the table all."
        ),
    )
    return replace(made, note=f"{made.base(0)} {made._coverage(made.estimates)}")


def _places_by_step(found: Ways, rows_of: Table, steps: int) -> Table:
    """Count the journeys of each person at each place by step; what is over stays so."""
    ends = pd.DataFrame({"state": ENDS, "code": [len(found.names) + i for i in range(len(ENDS))]})
    return view(
        """
        select person, step, code, count(*) as x
        from (
            select person, step, code from s where step <= $steps
            union all
            select l.person, k.step, e.code
            from (select journey, person, state, max(step) as stays from s
                group by journey, person, state) as l
            join k on k.step > l.stays join e on l.state = e.state
        ) as a
        group by person, step, code
        """,
        s=rows_of,
        k=pd.DataFrame({"step": range(1, steps + 1)}),
        e=ends,
        steps=steps,
    )


def _persons(found: Ways) -> Table:
    """Count the journeys of each person."""
    return view("select person, count(*) as n from d group by person", d=found.decided)


def _base(found: Ways) -> dict[str, float]:
    """Sum up all persons: how many, their journeys, and the sum of their squares."""
    row = query(
        "select count(*) as customers, sum(n) as n, sum(n * n) as n_n from p", p=_persons(found)
    ).iloc[0]
    return {name: float(row[name]) for name in ("customers", "n", "n_n")}
