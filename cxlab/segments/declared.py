"""Do the segments that a company declares hold every customer exactly once?

A set of segments is a table of names and conditions over the columns of the
customers' table. It must be exhaustive and exclusive, or nothing is counted.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.data.engine import Table, TableLike, in_one_engine, query, view
from cxlab.data.row_condition import row_condition
from cxlab.errors import DataError, ParameterError, Withheld
from cxlab.report import words
from cxlab.report.finding import Result, interval_row
from cxlab.segments.rules import rules_hash

__all__ = ["DeclaredSegments", "DeclaredSets", "declared", "declared_sets"]


@dataclass(frozen=True, kw_only=True, eq=False)
class DeclaredSegments(Result):
    """Share of customers in each segment of one declared set.

    Attributes
    ----------
    name : str
        Of the set, and of the column of segments.
    members : Table
        customer_id and the segment, in a column called `name`: fit for `by=`.
    rules_hash : str
        Which rules made them.
    """

    name: str
    members: Table = field(repr=False)
    rules_hash: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw each segment's share."""
        from cxlab.report import charts

        return charts.dots(self.estimates, label=self.name, unit="share", ax=ax)

    def sentence(self) -> str:
        """Name the largest segment."""
        share = self.estimates.dropna(subset="estimate")
        if share.empty:
            return f"Every segment of {self.name!r} is too small to be shown."
        top = share.sort_values("estimate", kind="stable").iloc[-1]
        return (
            f"By {self.name.replace('_', ' ')}, the largest of {len(self.estimates)} segments is "
            f"{top[self.name]}: {words.value(top['estimate'], 'share')} of "
            f"{words.plural(top['n'], 'customer')}."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class DeclaredSets(Result):
    """All declared sets of a study, one after the other."""

    sets: tuple[DeclaredSegments, ...] = field(repr=False)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw each segment's share, set by set."""
        from cxlab.report import charts

        names = [s.name for s in self.sets]
        # Each row belongs to one set; the other sets' columns are empty there.
        label = self.estimates[names].apply(
            lambda row: ": ".join(row.dropna().index[:1].tolist() + row.dropna().tolist()[:1]),
            axis=1,
        )
        return charts.dots(
            self.estimates.assign(_label=label.str.replace("_", " ")),
            label="_label", unit="share", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say how many sets hold, and the reading of the first."""
        held = words.plural(len(self.sets), "declared set of segments holds",
                            "declared sets of segments hold")  # fmt: skip
        first = self.sets[0]
        rows = self.estimates[self.estimates[first.name].notna()]
        read = DeclaredSegments(
            estimates=rows, name=first.name, members=first.members, rules_hash=first.rules_hash
        )
        return f"{held} every customer exactly once. {read.sentence()}"


def declared(
    customers: TableLike, *, name: str, rules: Mapping[str, str], version: str | None = None
) -> DeclaredSegments:
    """Sort all customers into declared segments, and refuse a set that does not hold.

    Parameters
    ----------
    customers : table
        `customer_id` and the columns that the conditions name.
    name : str
        Of the set; it becomes the column of segments and the name of the dimension.
    rules : mapping of str to str
        Segment to its condition: SQL over the columns of one row, no subqueries. A
        condition that comes out NULL does not hold.
    version : str, optional
        Printed beside the hash of the rules.

    Returns
    -------
    DeclaredSegments
        Shares with Wilson intervals.

    Raises
    ------
    ParameterError
        If a condition cannot be read or names something unknown.
    DataError
        If customers fall into no segment or into several, with how many.
    Withheld
        If there are no customers.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a", "b", "c"], "age": [20, 40, 60]})
    >>> declared(people, name="age_group",
    ...          rules={"young": "age < 30", "older": "age >= 30"}).sentence()
    'By age group, the largest of 2 segments is older: 66.7% of 3 customers.'
    """
    (table,) = in_one_engine(customers)
    table.need("customer_id")
    _check_name(name)
    if len(rules) < 2:
        raise ParameterError(f"A set of segments needs two or more, but {name!r} has {len(rules)}.")
    flags = [
        row_condition(text, where=f"{name}.{label}", columns=table.columns, of="customers")
        for label, text in rules.items()
    ]
    flagged = view(
        "select t.customer_id, "
        + ", ".join(f"case when {flag} then 1 else 0 end as in_{i}" for i, flag in enumerate(flags))
        + " from t",
        t=table,
    )
    sizes = _held(flagged, name, list(rules))
    stamp = rules_hash({"name": name, "rules": dict(rules)})
    said = f"Declared segments {name!r}{f', version {version}' if version else ''}, rules {stamp}."
    return DeclaredSegments(
        estimates=_estimates(sizes, name),
        subtitle=f"Customers by {name.replace('_', ' ')}, share of all customers known.",
        note=f"{said} Each customer is in exactly one, checked.",
        name=name,
        members=_members(flagged, name, list(rules)),
        rules_hash=stamp,
    )


def declared_sets(
    customers: TableLike, *, segments: Mapping[str, Mapping[str, str]]
) -> DeclaredSets:
    """Sort all customers into each of a study's declared sets of segments.

    Parameters
    ----------
    customers : table
        See `declared`.
    segments : mapping
        Name of a set to its rules.

    Returns
    -------
    DeclaredSets
        The rows of all sets; `sets` has each on its own.

    Raises
    ------
    Withheld
        If the study declares none.
    """
    if not segments:
        raise Withheld("The study's settings declare no segments. Add them under `segments`.")
    (table,) = in_one_engine(customers)
    sets = tuple(declared(table, name=name, rules=rules) for name, rules in segments.items())
    return DeclaredSets(
        estimates=pd.concat([s.estimates for s in sets], ignore_index=True),
        subtitle="Customers by each declared set of segments, share of all customers known.",
        note=" ".join(s.note for s in sets),
        sets=sets,
    )


def _check_name(name: str) -> None:
    if not name.isidentifier() or name in (*ESTIMATE, "customer_id"):
        raise ParameterError(
            f"The name of a set of segments must be one plain word that is no column of an "
            f"estimate, but is {name!r}. Rename it, for example to {'by_' + name!r}."
        )


def _held(flagged: Table, name: str, labels: Sequence[str]) -> dict[str, int]:
    """Count the members of each segment, if every customer is in exactly one."""
    hits = " + ".join(f"in_{i}" for i in range(len(labels)))
    pairs = list(itertools.combinations(range(len(labels)), 2))
    both = "".join(f", sum(in_{i} * in_{j}) as both_{i}_{j}" for i, j in pairs)
    sums = "".join(f", sum(in_{i}) as in_{i}" for i in range(len(labels)))
    found = query(
        f"""
        select count(*) as customers, count(distinct customer_id) as people,
            count(*) filter (where {hits} = 0) as nowhere,
            count(*) filter (where {hits} > 1) as several{sums}{both}
        from flagged
        """,
        flagged=flagged,
    ).iloc[0]
    if not found["customers"]:
        raise Withheld("Segments need customers, but there are none.")
    if found["customers"] != found["people"]:
        raise DataError(
            f"Each customer_id must stand in one row, but {found['customers']:,} rows hold "
            f"{found['people']:,}. Look at the mapping of customers."
        )
    if found["nowhere"] or found["several"]:
        overlaps = [
            f"{labels[i]} and {labels[j]} ({found[f'both_{i}_{j}']:,})"
            for i, j in pairs
            if found[f"both_{i}_{j}"]
        ]
        shared = f": {words.listing(overlaps)}" if overlaps else ""
        raise DataError(
            f"Segments {name!r} must hold each customer exactly once, but of "
            f"{found['customers']:,} customers {found['nowhere']:,} are in none and "
            f"{found['several']:,} in several{shared}. Mend the conditions."
        )
    return {label: int(found[f"in_{i}"]) for i, label in enumerate(labels)}


def _members(flagged: Table, name: str, labels: Sequence[str]) -> Table:
    cases = " ".join(f"when in_{i} = 1 then $label_{i}" for i in range(len(labels)))
    values = {f"label_{i}": label for i, label in enumerate(labels)}
    sql = f'select customer_id, case {cases} end as "{name}" from flagged'
    return view(sql, flagged=flagged, **values)


def _estimates(sizes: Mapping[str, int], name: str) -> pd.DataFrame:
    from cxlab.stats.intervals import wilson

    everybody = sum(sizes.values())
    return pd.DataFrame(
        [
            interval_row(
                "customers.segment_share", wilson(size, everybody),
                unit="share", count=size, **{name: label},
            )
            for label, size in sizes.items()
        ]
    )  # fmt: skip
