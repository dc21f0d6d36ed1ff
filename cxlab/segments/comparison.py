"""Which segments differ from the others, and would we have noticed.

Each group is set against all the others together. The difference and its interval
come first; the p-value is adjusted for the number of groups looked at, and where no
difference is clear, the one that could have been seen is said.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, query, view
from cxlab.errors import DataError, ParameterError, Withheld
from cxlab.report import words
from cxlab.report.disclosure import Money, is_money
from cxlab.report.finding import estimate_row
from cxlab.segments.contrast import Comparison, groups
from cxlab.stats.comparison import compare_groups

__all__ = ["compare"]

# Columns whose names say little on a page.
_NAMES = {"value": "mean answer", "net_amount": "mean net amount of an order"}

# What one row is, by its key. Answers and tickets may name an order, so orders come last.
_KEYS = {"response_id": "answer", "ticket_id": "ticket", "order_id": "order"}

_ROWS = """
select {group} as compared_group,{person}
  case when isnan(cast({outcome} as double)) then null else {mark} end as mark
from t
{where}
"""

_RANGE = """
select count(*) as total, count(mark) as n, min(mark) as least, max(mark) as most,
  sum(case when mark not in (0, 1) then 1 else 0 end) as other_marks
from t
"""

# Outcomes are summed as decimals, so that sums are exact in any order of rows. DuckDB
# squares two decimals of 18 digits into 18 again; 19 makes room, and fits Spark's 38.
_SUMS_OF_ROWS = """
with ranked as (
  select compared_group, cast(mark as decimal(18, 4)) as mark, row_number() over (
    partition by compared_group order by abs(mark) desc
  ) as place
  from t where mark is not null
)
select compared_group, count(*) as n, sum(mark) as total,
  sum(cast(mark as decimal(19, 4)) * mark) as squares,
  sum(abs(mark)) as gross, max(abs(mark)) as largest,
  sum(case when place <= 2 then abs(mark) else 0 end) as two_largest
from ranked group by compared_group order by compared_group
"""

_SUMS_OF_CUSTOMERS = """
with exact as (
  select compared_group, customer_id, cast(mark as decimal(18, 4)) as mark
  from t where mark is not null
), customers as (
  select compared_group, customer_id, count(*) as n,
    cast(sum(mark) as decimal(18, 4)) as total, sum(cast(mark as decimal(19, 4)) * mark) as squares
  from exact group by compared_group, customer_id
), ranked as (
  select c.*, row_number() over (
    partition by compared_group order by abs(total) desc, customer_id
  ) as place
  from customers as c
)
select compared_group, count(*) as customers, sum(n) as n, sum(total) as total,
  sum(n * n) as n_n, sum(n * total) as n_total,
  sum(cast(total as decimal(19, 4)) * total) as total_total,
  sum(squares) as squares, sum(abs(total)) as gross, max(abs(total)) as largest,
  sum(case when place <= 2 then abs(total) else 0 end) as two_largest
from ranked group by compared_group order by compared_group
"""


def compare(
    table: TableLike,
    *,
    outcome: str,
    by: str | TableLike,
    unit: str = "share",
    at_least: float | None = None,
    only: Mapping[str, str] | None = None,
    cycle: Cycle | None = None,
    moment: str | None = None,
) -> Comparison:
    """Compare each group of customers with all the others.

    Parameters
    ----------
    table : table
        One row per observation. Where it has `customer_id`, rows of one customer are
        taken as a cluster.
    outcome : str
        Column that is compared: true or false, 0 or 1, or a number (four decimals).
    by : str or table
        A column of `table`, or a table with `customer_id` and one group column.
    unit : str
        "share" compares shares; "points", "days" or a currency compares means.
    at_least : float, optional
        Compare the share of rows whose outcome is at least this.
    only : mapping of str to str, optional
        Use the rows whose columns have these values.
    cycle : Cycle, optional
        Use the rows of this cycle. Default: all rows.
    moment : str, optional
        Column that says when. Default: the one column whose name ends in `_at`,
        `loaded_at` apart.

    Returns
    -------
    Comparison
        Metrics `compare.difference` (group minus all others, in `unit`),
        `compare.p_value`, `compare.p_holm`, `compare.p_bh` and `compare.detectable` (the
        difference seen with 80 % power), each with the dimensions `measure` and the
        grouping's name. If a customer has rows in several groups these are taken as
        independent, which makes the intervals a little too wide.

    Raises
    ------
    Withheld
        If fewer than two groups have observations.
    DataError
        If a share's outcome is not 0 or 1, an outcome is infinite, or a column is missing.
    ParameterError
        If `at_least` is given for a mean, or the column that says when is not clear.

    References
    ----------
    Differences: Newcombe (1998) for shares, Welch (1947) for means. Adjustment: Holm
    (1979); Benjamini & Hochberg (1995).

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": [str(i) for i in range(150)],
    ...     "is_late": [True] * 56 + [False] * 14 + [True] * 48 + [False] * 32,
    ...     "region": ["north"] * 70 + ["south"] * 80})
    >>> compare(orders, outcome="is_late", by="region").table()["estimate"].round(3).tolist()
    [0.2, -0.2]
    """
    if at_least is not None and unit != "share":
        raise ParameterError(f"at_least makes a share, but unit is {unit!r}. Leave one out.")
    rows, name = grouped(table, by)
    rows.need(outcome)
    chosen = _chosen(
        rows, name, outcome, at_least=at_least, only=only or {}, cycle=cycle, moment=moment
    )
    extent = query(_RANGE, t=chosen).iloc[0]
    if not extent["n"]:
        raise Withheld(f"There is no {outcome} to compare in these rows.")
    _outcome_stands(outcome, unit, extent)
    known = "customer_id" in rows.columns
    sums = query(_SUMS_OF_CUSTOMERS if known else _SUMS_OF_ROWS, t=chosen)
    sums = sums.rename(columns={"compared_group": "group"})
    if len(sums) < 2:
        found = words.listing(sums["group"].tolist()) or "none"
        raise Withheld(f"A comparison needs {groups(2, name)} with {outcome}, but has {found}.")
    fit = compare_groups(sums, kind="share" if unit == "share" else "mean")
    said = _NAMES.get(outcome, outcome.replace("_", " "))
    measure = outcome if at_least is None else f"{outcome} of {at_least:g} or more"
    tested = int(fit["p"].notna().sum())
    family = 1 if len(fit) == 2 else tested
    return Comparison(
        estimates=_estimates(fit, sums, measure, name, unit, family),
        subtitle=(
            f"{said.capitalize()}{'' if at_least is None else f' of {at_least:g} or more'}: "
            f"difference of each {name.replace('_', ' ')} to all "
            f"others{'' if cycle is None else ', ' + cycle.name}; 95% intervals"
        ),
        note=_note(_noun(rows), int(extent["n"]), int(extent["total"]), family, tested, len(fit)),
        by=name,
        unit=unit,
        family=family,
    )


def _chosen(
    rows: Table,
    name: str,
    outcome: str,
    *,
    at_least: float | None,
    only: Mapping[str, str],
    cycle: Cycle | None,
    moment: str | None,
) -> Table:
    """Keep the rows asked for, with the group and what each row counts."""
    where: list[str] = []
    values: dict[str, Any] = {}
    for i, (column, wanted) in enumerate(only.items()):
        rows.need(column)
        where.append(f"{_quoted(column)} = $only_{i}")
        values[f"only_{i}"] = wanted
    if cycle is not None:
        when = _quoted(_moment(rows, moment))
        where.append(f"{when} >= $start and {when} < $cutoff")
        values |= {"start": cycle.start, "cutoff": cycle.cutoff}
    mark = f"cast({_quoted(outcome)} as double)"
    if at_least is not None:
        mark = f"case when {mark} >= $at_least then 1 when {mark} < $at_least then 0 end"
        values["at_least"] = at_least
    person = " customer_id," if "customer_id" in rows.columns else ""
    sql = _ROWS.format(
        group=_quoted(name), person=person, outcome=_quoted(outcome), mark=mark,
        where="where " + " and ".join(where) if where else "",
    )  # fmt: skip
    return view(sql, t=rows, **values)


def _moment(rows: Table, moment: str | None) -> str:
    if moment is not None:
        rows.need(moment)
        return moment
    # loaded_at says when we knew, not when it happened.
    found = [c for c in rows.columns if c.endswith("_at") and c != "loaded_at"]
    if len(found) != 1:
        raise ParameterError(
            f"moment must name the column that says when, since the table has {found or 'none'}."
        )
    return found[0]


def _outcome_stands(outcome: str, unit: str, extent: pd.Series) -> None:
    least, most = float(extent["least"]), float(extent["most"])
    if not (math.isfinite(least) and math.isfinite(most)):
        raise DataError(f"{outcome} must be finite, but ranges from {least:g} to {most:g}.")
    if unit == "share" and extent["other_marks"]:
        raise DataError(
            f"{outcome} must be true or false, or 0 or 1, to be compared as a share, but "
            f"{words.number(extent['other_marks'])} rows are not; it ranges from {least:g} to "
            f"{most:g}. Give at_least=, or a unit such as 'points'."
        )


def _estimates(
    fit: pd.DataFrame, sums: pd.DataFrame, measure: str, by: str, unit: str, family: int
) -> pd.DataFrame:
    """Write one row per metric and group; groups that were not tested are withheld."""
    rows = []
    # People are counted, not what they ordered or answered: ten orders may be one customer's.
    people = sums["customers"] if "customers" in sums else sums["n"]
    sides = [each if is_money(unit) else None for each in _sides(sums)]
    for metric, column, its_unit, method in (
        ("compare.difference", "estimate", unit, ""),
        ("compare.p_value", "p", "p", "two-sided test against all others"),
        ("compare.p_holm", "p_holm", "p", f"Holm, family of {family}"),
        ("compare.p_bh", "p_bh", "p", f"Benjamini-Hochberg, family of {family}"),
        ("compare.detectable", "detectable", unit, "80 % power, Bonferroni"),
    ):
        for row, count, money in zip(fit.to_dict("records"), people, sides, strict=True):
            ends = (row["conf_low"], row["conf_high"]) if not method else (float("nan"),) * 2
            dims: dict[str, Any] = {"measure": measure, by: row["group"]}
            made = estimate_row(
                metric, row[column], *ends, n=row["n"], unit=its_unit, count=count, money=money,
                method=method or row["method"], **dims,
            )  # fmt: skip
            rows.append(made | {"suppressed": bool(pd.isna(row["p"]))})
    return pd.DataFrame(rows)


def _sides(sums: pd.DataFrame) -> list[Money]:
    """How uneven each difference is: of a group, or of all the others."""
    every = sums[["gross", "largest", "two_largest"]].astype(float)
    found = []
    for i in every.index:
        own, others = every.loc[i], every.drop(i)
        rest = Money.of(
            0.0, others["gross"].sum(), others["largest"].max(),
            max(others["two_largest"].max(), others["largest"].nlargest(2).sum()),
        )  # fmt: skip
        found.append(Money.either(Money.of(0.0, *own), rest))
    return found


def _noun(rows: Table) -> str:
    """Name what one row is: the first of the known keys that it has."""
    return next((noun for key, noun in _KEYS.items() if key in rows.columns), "observation")


def _note(noun: str, n: int, total: int, family: int, tested: int, many: int) -> str:
    parts = [f"Base: {words.plural(n, noun)}."]
    if total > n:
        parts.append(f"{words.number(total - n)} without an outcome are left out.")
    if tested < many:
        few = words.plural(many - tested, "group has", "groups have")
        parts.append(f"{few} too few observations, or nothing that varies, and no test.")
    questions = words.plural(family, "question was", "questions were")
    parts.append(f"{questions} asked at once; p-values are Holm's. A difference is no cause.")
    return " ".join(parts)


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
