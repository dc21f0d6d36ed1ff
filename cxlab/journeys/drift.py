"""Does the map still hold: have channels and paths moved since it was approved?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, keep, query, view
from cxlab.errors import ParameterError, Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.coverage import clustered_share
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.divergence import Shift, shift_of_shares
from cxlab.stats.intervals import z_quantile

__all__ = ["Drift", "drift"]

Of = Literal["channel", "touchpoint", "stage", "activity", "transition", "path"]

_OTHERS = "all others"
_MOST = 20  # kinds told apart; the rest is one
_FEWEST = 10  # people without whom a kind is not told apart
_PEOPLE = 30  # in each cycle, for the normal limit of the permutation
_STEPS, _CODES = 8, 32  # of a path: how many, and of how many places; 32^8 fits 63 bits
_NOUN = {"activity": "activities", "path": "paths", "transition": "steps"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Drift(Result):
    """Jensen-Shannon distance between two cycles, and which shares moved."""

    of: str
    cycle: str
    since: str
    review_distance: float

    @property
    def is_due(self) -> bool:
        """Whether the map is due for review: far enough, and not by chance."""
        distance = self._one("drift.distance")["estimate"]
        return bool(
            distance > self.review_distance and self._one("drift.p_value")["estimate"] < 0.05
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the change of each share."""
        rows = self.estimates[self.estimates["metric"] == "drift.share_change"]
        named = rows[self.of].where(
            rows["presence"] == "in both", rows[self.of] + " (" + rows["presence"] + ")"
        )
        return charts.diverging(
            rows.assign(**{self.of: named}).reset_index(drop=True), label=self.of, unit="share", ax=ax
        )  # fmt: skip

    def sentence(self) -> str:
        """Say whether the map is due for review, how far things moved, and what chance would do."""
        row, chance = self._one("drift.distance"), self._one("drift.expected_distance")
        noun = _NOUN.get(self.of, f"{self.of}s")
        if row["suppressed"]:
            return f"Too few people were met to say whether {noun} moved since {self.since}."
        p = self._one("drift.p_value")["estimate"]
        told = (
            f"distance {words.value(row['estimate'], 'points')} "
            f"({words.interval(row['conf_low'], row['conf_high'], 'points')}), where chance alone "
            f"gives {words.value(chance['estimate'], 'points')}"
        )
        if self.is_due:
            said = f"The map is due for review: {noun} have moved since {self.since}, {told}"
        elif p < 0.05:
            said = (
                f"{noun.capitalize()} have moved a little since {self.since}, less than the "
                f"{words.value(self.review_distance, 'points')} from which the map is due for "
                f"review: {told}"
            )
        else:
            said = f"No clear move of {noun} since {self.since}: {told}"
        rows = self.estimates[~self.estimates["suppressed"].astype(bool)]
        for presence, what in (("new", "new"), ("gone", "no longer met")):
            names = rows.loc[rows["presence"] == presence, self.of].dropna().unique().tolist()
            said += f"; {what}: {words.listing([str(n) for n in names])}" if names else ""
        return f"{said}."

    def _one(self, metric: str) -> Any:
        return self.estimates[self.estimates["metric"] == metric].iloc[0]


def drift(
    journeys: Journeys,
    *,
    cycle: Cycle,
    since: Cycle | None,
    of: Of = "channel",
    seed: int = 1,
    draws: int = 9_999,
) -> Drift:
    """Compare what people do in a cycle with that in which the map was approved.

    Parameters
    ----------
    journeys : Journeys
        As `split_journeys` gives them; their settings say from which distance on the map is
        due for review.
    cycle : Cycle
        Contacts within its window.
    since : Cycle or None
        The cycle of approval, `journey.approved` of the settings.
    of : {"channel", "touchpoint", "stage", "activity", "transition", "path"}
        What is compared: contacts by one of their words; steps from one touchpoint to the next
        within a journey; or the touchpoints of journeys that began in the cycle, in their
        order, repeats taken together, the first eight. Without touchpoints, channels or
        activities stand in.
    seed : int
        Feeds `numpy.random.default_rng`.
    draws : int
        Permutations.

    Returns
    -------
    Drift
        `drift.distance` (Jensen-Shannon distance with base 2, the square root of the
        divergence), `drift.expected_distance` (what chance alone gives), `drift.p_value`, and
        by kind the share now and its change; `presence` says what is new or gone.

    Raises
    ------
    Withheld
        If no cycle of approval is named or it has fewer than thirty people, or the log does
        not name what is compared.
    ParameterError
        If the cycle of approval is not earlier.

    Notes
    -----
    People are permuted, not contacts: see `cxlab.stats.divergence.shift_of_shares`. Kinds met
    by fewer than ten people, and those beyond the twenty most frequent, are one; which these
    are does not depend on the cycle. Both cycles are cut at their ends, so that journeys still
    going on look alike in both.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> from cxlab.data.journey_settings import JourneySettings
    >>> from cxlab.journeys.cases import split_journeys
    >>> log = pd.DataFrame({
    ...     "customer_id": [f"c{i}" for i in range(80)], "activity": "seen",
    ...     "channel": ["web"] * 40 + ["app"] * 40,
    ...     "occurred_at": pd.to_datetime(["2018-02-01"] * 40 + ["2018-05-01"] * 40)})
    >>> now = parse_cycle("2018Q2")
    >>> found = drift(split_journeys(log, JourneySettings(), cutoff=now.cutoff), cycle=now,
    ...               since=now.previous)
    >>> found.sentence()[:63]
    'The map is due for review: channels have moved since 2018Q1, di'
    """
    if since is None:
        raise Withheld(
            "Drift is counted from the cycle in which the map was last approved, but none is named: "
            "set journey.approved in study.yaml."
        )
    if since >= cycle:
        raise ParameterError(
            f"The map must have been approved before {cycle.name}, but journey.approved is "
            f"{since.name}."
        )
    rows, names = _rows(journeys, of, cycle, since)
    kinds = _kinds(rows)
    then, now = (_people(rows, period) for period in ("before", "now"))
    for period, found in ((since, then), (cycle, now)):
        if found < _PEOPLE:
            raise Withheld(
                f"Drift needs at least {_PEOPLE} people in each cycle, but {words.number(found)} were "
                f"met in {period.name}."
            )
    kinds["name"] = kinds["code"].map(names)
    table = _told_apart(kinds)
    products = _products(rows, table)
    shift = _shift(table, products, people=_people(rows, None), seed=seed, draws=draws)
    return Drift(
        estimates=pd.DataFrame(
            [*_overall(shift, min(then, now), of), *_by_kind(table, products, shift, now, of)]
        ),
        subtitle=f"Change of the share of {_NOUN.get(of, f'{of}s')}, percentage points, from "
        f"{since.name} to {cycle.name}; 95% interval, people as clusters",
        note=f"Base: {words.number(then)} people in {since.name} and {words.number(now)} in "
        f"{cycle.name}. Jensen-Shannon distance, base 2, from 0 (the same) to 1 (nothing in "
        "common); chance alone never gives 0, which the interval takes into account. Due for "
        f"review above {words.value(journeys.settings.review_distance, 'points')} with p below "
        f"0.05. Kinds met by fewer than {_FEWEST} people are among all others.",
        of=of,
        cycle=cycle.name,
        since=since.name,
        review_distance=journeys.settings.review_distance,
    )


def _rows(journeys: Journeys, of: Of, cycle: Cycle, since: Cycle) -> tuple[Table, Any]:
    """Count, for each person and kind, rows before and now: person_id, code, before, now."""
    column = of if of not in ("transition", "path") else _where(journeys)
    codes, names = journeys.codes(column)
    tables = {"t": journeys.touches, "j": journeys.journeys, "p": codes}
    edge = {
        f"{name}_{end}": (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
        for name, window in (("then", since), ("now", cycle))
        for end, moment in (("start", window.start), ("cutoff", window.cutoff))
    }
    period = (
        "case when {0} >= $now_start and {0} < $now_cutoff then 1 "
        "when {0} >= $then_start and {0} < $then_cutoff then 0 end"
    )
    if of == "transition":
        sql, names = _STEP, _pairs(names)
    elif of == "path":
        codes["code"] = codes["code"].clip(upper=_CODES - 2)
        sql, names = _PATH, _paths(names)
    else:
        sql, names = _CONTACT, dict(enumerate(names)).get
    inner = sql.format(at=period.format("t.at_us"), begun=period.format("j.started_us"))
    return (
        _kept(
            f"""
            select person_id, code, sum(case when period = 0 then 1 else 0 end) as before,
                sum(case when period = 1 then 1 else 0 end) as now
            from ({inner}) as d where period is not null group by person_id, code
            """,
            **tables,
            **edge,
        ),
        names,
    )


def _kept(sql: str, **names: Any) -> Table:
    return keep(view(sql, **names))  # four questions are asked of it


_CONTACT = """
    select j.person_id, p.code, {at} as period
    from t join j on t.journey = j.journey join p on t.place = p.place
"""
# Both ends of a step lie in one cycle.
_STEP = """
    select person_id, code_before * 1000 + code as code,
        case when period = period_before then period end as period
    from (
        select j.person_id, p.code, {at} as period,
            lag(p.code) over (partition by t.journey order by t.position) as code_before,
            lag({at}) over (partition by t.journey order by t.position) as period_before
        from t join j on t.journey = j.journey join p on t.place = p.place
    ) as s
    where code_before is not null
"""
_PATH = f"""
    select person_id, period, sum((code + 1) * power_of) as code
    from (
        select journey, person_id, period, code,
            case row_number() over (partition by journey order by position)
                {" ".join(f"when {i + 1} then {_CODES**i}" for i in range(_STEPS))} else 0
            end as power_of
        from (
            select t.journey, j.person_id, t.position, p.code, {{begun}} as period, {{at}} as at,
                lag(p.code) over (partition by t.journey order by t.position) as code_before
            from t join j on t.journey = j.journey join p on t.place = p.place
        ) as s
        where at = period and (code_before is null or code_before <> code)
    ) as n
    group by journey, person_id, period
"""


def _where(journeys: Journeys) -> str:
    """Choose what steps run between: touchpoints where the log has them."""
    for column in ("touchpoint", "channel"):
        if journeys.places[column].nunique() > 1:
            return column
    return "activity"


def _pairs(names: list[str]) -> Any:
    return lambda code: f"{names[int(code) // 1000]} > {names[int(code) % 1000]}"


def _paths(names: list[str]) -> Any:
    def read(code: int) -> str:
        steps = []
        while code:
            code, digit = divmod(int(code), _CODES)
            known = digit - 1 < _CODES - 2 or len(names) == _CODES - 1
            steps.append(names[digit - 1] if known else "another")
        return " > ".join(steps) + (" > ..." if len(steps) == _STEPS else "")

    return read


def _kinds(rows: Table) -> pd.DataFrame:
    """List the most frequent kinds of both cycles together."""
    return query(
        """
        select code, sum(before) as before, sum(now) as now, count(*) as people,
            count(*) filter (where before > 0) as people_before,
            count(*) filter (where now > 0) as people_now
        from r group by code order by sum(before) + sum(now) desc, code limit 200
        """,
        r=rows,
    )


def _people(rows: Table, period: str | None) -> int:
    where = "before + now > 0" if period is None else f"{period} > 0"
    return int(query(f"select count(distinct person_id) as n from r where {where}", r=rows)["n"][0])


def _told_apart(kinds: pd.DataFrame) -> pd.DataFrame:
    """Keep the kinds that enough people meet, each with its place in the test."""
    own = kinds[kinds["people"] >= _FEWEST].head(_MOST).sort_values("name", kind="stable")
    both = (own["before"] > 0) & (own["now"] > 0)
    presence = np.where(both, "in both", np.where(own["now"] > 0, "new", "gone"))
    table = own.assign(presence=presence, rank=range(len(own))).reset_index(drop=True)
    if table.empty:
        raise Withheld(f"No kind of contact was met by {_FEWEST} people or more in these cycles.")
    return table


def _products(rows: Table, table: pd.DataFrame) -> pd.DataFrame:
    """Sums over people of products of their counts, by pair of kinds; whole numbers."""
    return query(
        """
        with told as (
            select r.person_id, coalesce(k.rank, $others) as rank, sum(r.before) as before,
                sum(r.now) as now
            from r left join k on r.code = k.code
            group by r.person_id, coalesce(k.rank, $others)
        )
        select a.rank as a, b.rank as b, sum(a.now * b.now) as nn, sum(a.now * b.before) as nb,
            sum(a.before * b.now) as bn, sum(a.before * b.before) as bb,
            sum(case when a.rank = b.rank then a.now else 0 end) as now,
            sum(case when a.rank = b.rank then a.before else 0 end) as before,
            sum(case when a.now + b.now > 0 then 1 else 0 end) as people_now,
            sum(case when a.before + b.before > 0 then 1 else 0 end) as people_before
        from told as a join told as b on a.person_id = b.person_id and a.rank <= b.rank
        group by a.rank, b.rank order by a.rank, b.rank
        """,
        r=rows,
        k=table[["code", "rank"]],
        others=len(table),
    )


def _matrix(products: pd.DataFrame, name: str, mirrored: str) -> np.ndarray[Any, Any]:
    size = int(products["b"].max()) + 1
    found = np.zeros((size, size))
    a, b = products["a"].to_numpy(), products["b"].to_numpy()
    found[b, a] = products[mirrored]
    found[a, b] = products[name]
    return found


def _shift(
    table: pd.DataFrame, products: pd.DataFrame, *, people: int, seed: int, draws: int
) -> Shift:
    same = products[products["a"] == products["b"]].set_index("a")
    size = int(products["b"].max()) + 1
    before, now = (same[c].reindex(range(size), fill_value=0).to_numpy(float) for c in ("before", "now"))
    n, m = now.sum(), before.sum()
    crossed = _matrix(products, "nb", "bn") / (n * m)
    each = _matrix(products, "nn", "nn") / n**2 + _matrix(products, "bb", "bb") / m**2
    return shift_of_shares(
        before, now, each - crossed - crossed.T, people=people, seed=seed, draws=draws
    )


def _overall(shift: Shift, people: int, of: str) -> list[dict[str, Any]]:
    how: dict[str, Any] = {"n": people, "count": people, of: None, "presence": None}
    test = "distances under which the one found is not unusual"
    return [
        estimate_row(
            "drift.distance", shift.distance, shift.low, shift.high, unit="points",
            method=f"{test}; {shift.method}", **how,
        ),
        estimate_row(
            "drift.expected_distance", shift.expected, shift.expected_low, shift.expected_high,
            unit="points", method=f"{shift.method}; 95 % range", **how,
        ),
        estimate_row(
            "drift.p_value", shift.p, np.nan, np.nan, unit="p", method=shift.method, **how
        ),
    ]  # fmt: skip


def _by_kind(
    table: pd.DataFrame, products: pd.DataFrame, shift: Shift, people: int, of: str
) -> list[dict[str, Any]]:
    """Share of each kind now, and its change."""
    nn = _matrix(products, "nn", "nn")
    same = products[products["a"] == products["b"]].set_index("a")
    z = z_quantile(0.95)
    shares, changes = [], []
    for rank, counts in same.iterrows():
        kind = table.iloc[int(rank)] if rank < len(table) else None
        dims = {
            of: _OTHERS if kind is None else kind["name"],
            "presence": "in both" if kind is None else kind["presence"],
        }
        found = clustered_share(
            {
                "persons": people, "n": same["now"].sum(), "n_n": nn.sum(),
                "total": counts["now"], "n_total": nn[int(rank)].sum(),
                "total_total": nn[int(rank), int(rank)],
            }
        )  # fmt: skip
        met = (float(counts["people_before"]), float(counts["people_now"]))
        shares.append(interval_row("drift.share", found, unit="share", count=met[1], **dims))
        # Of what is new or gone, nobody stands behind the other side.
        count = min(met) if dims["presence"] == "in both" else max(met)
        change, half = float(shift.change[int(rank)]), z * float(shift.change_se[int(rank)])
        changes.append(
            estimate_row(
                "drift.share_change", change, max(-1.0, change - half), min(1.0, change + half),
                n=float(counts["now"] + counts["before"]), count=count, unit="share",
                method="normal interval, people as clusters", **dims,
            )
        )  # fmt: skip
    return shares + changes
