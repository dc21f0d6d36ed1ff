"""How often each person did what, in two cycles: all that a drift is told from."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, keep, query, view
from cxlab.data.span import moment_us
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys

__all__ = ["FEWEST", "Of", "count_people", "kinds_told_apart", "person_counts", "products"]

Of = Literal["channel", "touchpoint", "stage", "activity", "transition", "path"]

FEWEST = 10  # people without whom a kind is not told apart
_MOST = 20  # kinds told apart; the rest is one
_STEPS, _CODES = 8, 32  # of a path: how many, and of how many places; 32^8 fits 63 bits

Names = Callable[[int], str]


def person_counts(journeys: Journeys, of: Of, *, cycle: Cycle, since: Cycle) -> tuple[Table, Names]:
    """Count, for each person and kind, what lies in either cycle.

    Parameters
    ----------
    journeys : Journeys
        As `split_journeys` gives them.
    of : str
        What the kinds are, see `cxlab.journeys.limits.drift`.
    cycle, since : Cycle
        Now and before.

    Returns
    -------
    Table
        `person` (a number), `code` (a kind), `before`, `now`; kept in the engine.
    callable
        Gives a code its words.
    """
    column = of if of not in ("transition", "path") else _where(journeys)
    codes, words = journeys.codes(column)
    tables = {"t": journeys.touches, "j": journeys.journeys, "p": codes}
    edge = {
        f"{name}_{end}": moment_us(moment)
        for name, window in (("then", since), ("now", cycle))
        for end, moment in (("start", window.start), ("cutoff", window.cutoff))
    }
    period = (
        "case when {0} >= $now_start and {0} < $now_cutoff then 1 "
        "when {0} >= $then_start and {0} < $then_cutoff then 0 end"
    )
    if of == "transition":
        sql, names = _STEP, _pairs(words)
    elif of == "path":
        codes["code"] = codes["code"].clip(upper=_CODES - 2)
        sql, names = _PATH, _paths(words)
    else:
        sql, names = _CONTACT, words.__getitem__
    within = "(" + period.format("t.at_us") + ") is not null"
    inner = sql.format(
        at=period.format("t.at_us"), begun=period.format("j.started_us"), within=within
    )
    return (
        _kept(
            f"""
            select person, code, sum(case when period = 0 then 1 else 0 end) as before,
                sum(case when period = 1 then 1 else 0 end) as now
            from ({inner}) as d where period is not null group by person, code
            """,
            **tables,
            **edge,
        ),
        names,
    )


def _kept(sql: str, **names: Any) -> Table:
    return keep(view(sql, **names))  # four questions are asked of it


_CONTACT = """
    select j.person, p.code, {at} as period
    from t join j on t.journey = j.journey join p on t.place = p.place where {within}
"""
# Both ends of a step lie in one cycle, and so does all that lies between them.
_STEP = """
    select person, code_before * 1000 + code as code,
        case when period = period_before then period end as period
    from (
        select j.person, p.code, {at} as period,
            lag(p.code) over (partition by t.journey order by t.position) as code_before,
            lag({at}) over (partition by t.journey order by t.position) as period_before
        from t join j on t.journey = j.journey join p on t.place = p.place where {within}
    ) as s
    where code_before is not null
"""
_PATH = f"""
    select person, period, sum((code + 1) * power_of) as code
    from (
        select journey, person, period, code,
            case row_number() over (partition by journey order by position)
                {" ".join(f"when {i + 1} then {_CODES**i}" for i in range(_STEPS))} else 0
            end as power_of
        from (
            select t.journey, j.person, t.position, p.code, {{begun}} as period, {{at}} as at,
                lag(p.code) over (partition by t.journey order by t.position) as code_before
            from t join j on t.journey = j.journey join p on t.place = p.place where {{within}}
        ) as s
        where at = period and (code_before is null or code_before <> code)
    ) as n
    group by journey, person, period
"""


def _where(journeys: Journeys) -> str:
    """Choose what steps run between: touchpoints where the log has them."""
    for column in ("touchpoint", "channel"):
        if journeys.places[column].nunique() > 1:
            return column
    return "activity"


def _pairs(names: list[str]) -> Names:
    return lambda code: f"{names[code // 1000]} > {names[code % 1000]}"


def _paths(names: list[str]) -> Names:
    def read(code: int) -> str:
        steps = []
        while code:
            code, digit = divmod(code, _CODES)
            known = digit - 1 < _CODES - 2 or len(names) == _CODES - 1
            steps.append(names[digit - 1] if known else "another")
        return " > ".join(steps) + (" > ..." if len(steps) == _STEPS else "")

    return read


def count_people(rows: Table, period: Literal["before", "now"] | None = None) -> int:
    """Count the people who are there before, now, or in either period."""
    where = "before + now > 0" if period is None else f"{period} > 0"
    return int(query(f"select count(distinct person) as n from r where {where}", r=rows)["n"][0])


def kinds_told_apart(rows: Table, names: Names) -> pd.DataFrame:
    """Choose the kinds that enough people meet, whichever cycle they meet them in.

    Returns
    -------
    pandas.DataFrame
        `code`, `name`, `before`, `now`, `presence` (in both, new or gone) and `rank`, the place
        in the test.

    Raises
    ------
    Withheld
        If there is none.
    """
    kinds = query(
        f"""
        select code, before, now from (
            select code, sum(before) as before, sum(now) as now from r
            group by code having count(*) >= $fewest
        ) as k
        order by before + now desc, code limit {_MOST}
        """,
        r=rows,
        fewest=FEWEST,
    )
    if kinds.empty:
        raise Withheld(f"No kind of contact was met by {FEWEST} people or more in these cycles.")
    kinds["name"] = [names(int(code)) for code in kinds["code"]]
    both = (kinds["before"] > 0) & (kinds["now"] > 0)
    kinds["presence"] = np.where(both, "in both", np.where(kinds["now"] > 0, "new", "gone"))
    ordered = kinds.sort_values("name", kind="stable").reset_index(drop=True)
    return ordered.assign(rank=range(len(ordered)))


def products(rows: Table, kinds: pd.DataFrame) -> pd.DataFrame:
    """Sum products of people's counts by pair of kinds, in whole numbers.

    Returns
    -------
    pandas.DataFrame
        `a`, `b` (ranks; one beyond the last is all others), the products `nn`, `nb`, `bn`, `bb`
        of counts now and before, and where a is b `now`, `before`, `people_now`,
        `people_before`.
    """
    return query(
        """
        with told as (
            select r.person, coalesce(k.rank, $others) as rank, sum(r.before) as before,
                sum(r.now) as now
            from r left join k on r.code = k.code
            group by r.person, coalesce(k.rank, $others)
        )
        select a.rank as a, b.rank as b, sum(a.now * b.now) as nn, sum(a.now * b.before) as nb,
            sum(a.before * b.now) as bn, sum(a.before * b.before) as bb,
            sum(case when a.rank = b.rank then a.now else 0 end) as now,
            sum(case when a.rank = b.rank then a.before else 0 end) as before,
            sum(case when a.now + b.now > 0 then 1 else 0 end) as people_now,
            sum(case when a.before + b.before > 0 then 1 else 0 end) as people_before
        from told as a join told as b on a.person = b.person and a.rank <= b.rank
        group by a.rank, b.rank order by a.rank, b.rank
        """,
        r=rows,
        k=kinds[["code", "rank"]],
        others=len(kinds),
    )
