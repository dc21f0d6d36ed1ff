"""Connected components in SQL: which vertices of a graph hang together.

Each round every vertex points to its smallest neighbour, if that is smaller; chains
of pointers are shortened until all point to a root (pointer jumping); then each tree
becomes one vertex of a smaller graph. No edge leaves the engine, and what does not
fit into memory is spilled.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["components", "keep"]


def keep(do: Callable[[str], Any], name: str, sql: str) -> None:
    """Keep the rows of a SELECT as a temporary table, in place of an earlier one.

    Parameters
    ----------
    do : callable
        Runs one SQL statement on a DuckDB connection.
    name : str
        Of the table.
    sql : str
        One SELECT.
    """
    do(f"create or replace temp table {name} as {sql}")


def components(do: Callable[[str], Any], edges: str, into: str) -> None:
    """Write the component of each vertex into a temporary table.

    Parameters
    ----------
    do : callable
        Runs one SQL statement on a DuckDB connection.
    edges : str
        A table with whole numbers `a` and `b`; loops, copies and both directions are
        welcome.
    into : str
        Name of the table to make: `v` and `root`, the smallest vertex of its component.

    References
    ----------
    Shiloach & Vishkin (1982), "An O(log n) Parallel Connectivity Algorithm", Journal
    of Algorithms 3(1), 57-67.
    """
    vertices = f"(select a as v from {edges} union select b from {edges})"
    keep(do, into, f"select v, v as root from {vertices}")
    smaller = "select distinct least(a, b) as a, greatest(a, b) as b"
    keep(do, "cx_rest", f"{smaller} from {edges} where a <> b")
    while _some(do, "cx_rest"):
        keep(do, "cx_to", "select b as v, min(a) as root from cx_rest group by b")
        # A root points nowhere; whoever points to a vertex that points on, follows it.
        while _some(do, "cx_to as t join cx_to as u on u.v = t.root"):
            keep(
                do,
                "cx_to",
                "select t.v, coalesce(u.root, t.root) as root "
                "from cx_to as t left join cx_to as u on u.v = t.root",
            )
        keep(
            do,
            into,
            "select r.v, coalesce(t.root, r.root) as root "
            f"from {into} as r left join cx_to as t on t.v = r.root",
        )
        keep(
            do,
            "cx_rest",
            f"{smaller} from ("
            "select coalesce(s.root, e.a) as a, coalesce(t.root, e.b) as b from cx_rest as e "
            "left join cx_to as s on s.v = e.a left join cx_to as t on t.v = e.b) where a <> b",
        )
    do("drop table if exists cx_to")
    do("drop table cx_rest")


def _some(do: Callable[[str], Any], rows: str) -> bool:
    """Tell whether there is a row."""
    return do(f"select 1 from {rows} limit 1").fetchone() is not None
