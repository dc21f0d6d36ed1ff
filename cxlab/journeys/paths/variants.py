"""Which ways do journeys take most often, and how many of each reach the outcome?

A way is packed into whole numbers, a few bits a place, so that the engine groups equal
ways without lists, whose order engines do not keep (docs/decisions/0016).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, keep, query, view
from cxlab.journeys.cases import Journeys
from cxlab.journeys.paths.shares import share_row
from cxlab.journeys.paths.ways import NOTHING, Ways, many, size_of, stays, ways
from cxlab.report import charts, disclosure, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result

__all__ = ["Variants", "pack", "unpack", "variants"]

_BITS = 62  # of a BIGINT that are used: the sign stays out of it
_WORDS = 3
_THEN = " > "


@dataclass(frozen=True, kw_only=True, eq=False)
class Variants(Result):
    """The most frequent ways, and the share of each that reached the outcome."""

    of: str
    distinct: int  # ways that journeys took
    base: Callable[[int], str] = field(repr=False)  # the note before its last sentence

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small cells, and say how much is left to see."""
        safe = disclosure.protect(self.estimates, rules)
        note = f"{self.base(Policy.of(rules).min_cell)} {self._coverage(safe)}"
        return replace(self, estimates=safe, note=note)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of journeys that took each way."""
        return charts.bars(
            self._rows("paths.variant_share"), label="sequence", unit="share",
            low="conf_low", high="conf_high", axis="Share of journeys, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say which way is the most frequent, and which of those shown ends well most often."""
        shares = self._rows("paths.variant_share").dropna(subset="estimate")
        if shares.empty:
            return "No way was taken by enough people to be shown."
        top = shares.iloc[0]
        said = (
            f"The most frequent way is {self._way(top)}: "
            f"{words.value(top['estimate'], 'share')} of journeys "
            f"({words.interval(top['conf_low'], top['conf_high'], 'share')})"
        )
        rates = self._rows("paths.variant_conversion").dropna(subset="estimate")
        if rates.empty:
            return f"{said}."
        best = rates.sort_values("estimate", kind="stable").iloc[-1]
        return (
            f"{said}; of those shown, {self._way(best)} reached the outcome most often, "
            f"{words.value(best['estimate'], 'share')} of the time "
            f"({words.interval(best['conf_low'], best['conf_high'], 'share')})."
        )

    def _way(self, row: Any) -> str:
        """Write a way, and that a single place is all of it."""
        return f"{row['sequence']}{'' if ' > ' in row['sequence'] else ' alone'}"

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)

    def _coverage(self, safe: pd.DataFrame) -> str:
        before = self._rows("paths.variant_share")
        hidden = safe.loc[safe["metric"] == "paths.variant_share", "suppressed"].to_numpy(bool)
        share = float(before.loc[~hidden, "estimate"].sum())
        return (
            f"{words.number(int((~hidden).sum()))} of {words.number(self.distinct)} variants "
            f"shown ({words.value(share, 'share')} of journeys)."
        )


def variants(
    journeys: Journeys,
    *,
    cycle: Cycle,
    of: str | None = None,
    most: int = 15,
    repeats: bool = False,
    with_end: bool = False,
) -> Variants:
    """The most frequent ways of the journeys decided in a cycle.

    Parameters
    ----------
    journeys : Journeys
        See `split_journeys`.
    cycle, of
        As in `transitions`.
    most : int
        Ways that are shown.
    repeats
        As in `transitions`.
    with_end : bool
        Whether the contact that is the outcome, or the loss, belongs to a way, as process mining
        has it.

    Returns
    -------
    Variants
        `paths.variant_share` by `sequence`: of all journeys those that took it;
        `paths.variant_conversion`: of those the ones that reached the outcome, unless ways tell
        it themselves.

    Raises
    ------
    Withheld
        As in `transitions`.

    Notes
    -----
    Ways are told apart by their first 36 stays (of up to 31 places; 30 of up to 63) and by
    their length. Persons are the units of all intervals.
    """
    found = ways(journeys, of=of, cycle=cycle, most=62, repeats=repeats, with_end=with_end)
    steps = stays(found)
    packed, size = keep(pack(found, steps)), size_of(steps)
    names = ", ".join(_columns())
    whole = query(
        f"select count(*) as n from (select stays, {names} from p group by stays, {names}) as d",
        p=packed,
    )["n"][0]
    rows = []
    cells = _cells(packed, most).assign(**_everybody(found))
    for cell in cells.to_dict("records"):
        way = _THEN.join(unpack([int(cell[c]) for c in _columns()], cell["stays"], found.names))
        journeys_of = {"sequence": way, "measure": "share of journeys"}
        rows.append(share_row("paths.variant_share", cell, **journeys_of))
        if found.counts["converted"] and not with_end and way != NOTHING:
            converted = {
                "people": cell["buyers"], "total": cell["converted"],
                "total_total": cell["converted_converted"], "n_total": cell["x_converted"],
                "customers": cell["people"], "n": cell["total"], "n_n": cell["total_total"],
            }  # fmt: skip
            rate = {"sequence": way, "measure": "conversion rate"}
            rows.append(share_row("paths.variant_conversion", converted, **rate))
    made = Variants(
        estimates=pd.DataFrame(rows),
        subtitle=f"The {len(cells)} most frequent ways through {many(found.of)}, share of journeys "
        f"decided in {cycle.name}; 95% interval",
        of=found.of,
        distinct=int(whole),
        base=lambda least: found.note(size, least),
    )
    return replace(made, note=f"{made.base(0)} {made._coverage(made.estimates)}")


def pack(found: Ways, steps: Table) -> Table:
    """Write each journey's way as whole numbers.

    Parameters
    ----------
    found : Ways
        The journeys of a cycle.
    steps : Table
        Their stays.

    Returns
    -------
    Table
        `journey`, `person`, `converted` (1 or 0), `stays`, and words `w0`, `w1`, `w2`: place
        k of a word is worth its code + 1 times the k-th power of 2 to the bits of a place, and
        0 where the way is over. Powers of two are whole numbers in both engines.
    """
    bits, per_word = _layout(len(found.names))
    room = range(per_word * _WORDS)
    weights = pd.DataFrame(
        {
            "step": [k + 1 for k in room],
            "word": [k // per_word for k in room],
            "weight": [1 << (bits * (k % per_word)) for k in room],
        }
    )
    sums = ", ".join(
        f"cast(sum(case when k.word = {i} then (s.code + 1) * k.weight else 0 end) as bigint) "
        f"as {name}"
        for i, name in enumerate(_columns())
    )
    return view(
        f"""
        select s.journey, s.person, max(s.step) as stays,
            max(case when s.state = 'converted' then 1 else 0 end) as converted, {sums}
        from s left join k on s.step = k.step
        group by s.journey, s.person
        """,
        s=steps,
        k=weights,
    )


def unpack(packed: list[int], stays: int, names: list[str]) -> list[str]:
    """Read a way back from its words; what is longer than they hold ends in an ellipsis.

    Parameters
    ----------
    packed : list of int
        The words of `pack`.
    stays : int
        Length of the way.
    names : list of str
        The places by code.

    Returns
    -------
    list of str
        The places in order.

    Examples
    --------
    >>> unpack([1 + 2 * 4 + 1 * 16, 0, 0], 3, ["search", "shop"])
    ['search', 'shop', 'search']
    """
    bits, per_word = _layout(len(names))
    way = []
    for word in packed:
        codes = ((word >> (bits * k)) & ((1 << bits) - 1) for k in range(per_word))
        way += [names[code - 1] for code in codes if code]
    return way if len(way) == stays else [*way, "\N{HORIZONTAL ELLIPSIS}"]


def _layout(places: int) -> tuple[int, int]:
    """Bits that tell the places and the end of a way apart, and places in a word."""
    bits = places.bit_length()
    return bits, _BITS // bits


def _columns() -> list[str]:
    return [f"w{i}" for i in range(_WORDS)]


def _cells(packed: Table, most: int) -> pd.DataFrame:
    """Sum up the most frequent ways over persons."""
    names = ", ".join(_columns())
    return query(
        f"""
        with mine as (
            select person, stays, {names}, count(*) as x, sum(converted) as y
            from p group by person, stays, {names}
        ),
        every as (select person, count(*) as n from p group by person)
        select m.stays, {names}, count(*) as people, sum(m.x) as total, sum(m.x * m.x) as
            total_total, sum(m.x * e.n) as n_total, sum(m.y) as converted,
            sum(m.y * m.y) as converted_converted, sum(m.x * m.y) as x_converted,
            sum(case when m.y > 0 then 1 else 0 end) as buyers
        from mine as m join every as e on m.person = e.person
        group by m.stays, {names} order by total desc, stays, {names} limit {most}
        """,
        p=packed,
    )


def _everybody(found: Ways) -> dict[str, float]:
    row = query(
        "select count(*) as customers, sum(n) as n, sum(n * n) as n_n from "
        "(select person, count(*) as n from d group by person) as p",
        d=found.decided,
    ).iloc[0]
    return {name: float(row[name]) for name in ("customers", "n", "n_n")}
