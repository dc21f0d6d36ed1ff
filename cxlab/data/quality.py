"""Which checks a table must pass before a number may rest on it.

Every check can warn; it closes the gate only where the study says so: by a limit of
its own, or by naming the check under `fail`. A table whose gate is closed is withheld,
and with it the tables whose rows cannot be without those that are missing.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from cxlab.data.model import contracts
from cxlab.data.strict import Days, Share, Strict
from cxlab.errors import did_you_mean

__all__ = ["CHECKS", "REMEDY", "STATES", "Quality", "withheld_tables"]

# What each check looks at; the order is that of the columns of the matrix.
CHECKS = {
    "freshness": "days from the last row to the end of the cycle",
    "volume": "whether the cycle has rows at all",
    "completeness": "share of missing values, column by column",
    "duplicates": "share of rows whose key stands there already",
    "references": "share of rows that name a row of another table which is not there",
    "range": "share of rows with a value that is unreadable, implausible or out of range",
    "drift": "rows and missing or unknown values of the cycle against earlier cycles",
}
STATES = ("fail", "warn", "not checked", "pass")  # worst first
REMEDY = "Mend the source, or change quality in study.yaml."

# These say that rows are missing or wrong, which a table that names them inherits. A
# missing value of one column is a matter of its own table.
_ABOUT_ROWS = frozenset({"freshness", "volume", "duplicates", "references", "range"})


class Quality(Strict):
    """When a table is good enough: limits that stop the run, close a gate, or only warn.

    `set_aside_max` and `tables` stop the run. `freshness_days` and `missing_max` close
    the gate of a table, as do the checks that `fail` names; everything else warns.
    """

    set_aside_max: Share = 0.05
    tables: dict[str, Share] = Field(default_factory=dict)
    freshness_days: dict[str, Days] = Field(default_factory=dict)
    missing_max: dict[str, Share] = Field(default_factory=dict)
    set_aside_warn: Share = 0.01
    drift_max: Annotated[float, Field(gt=0)] = 0.5
    share_drift_max: Annotated[float, Field(gt=0, le=1)] = 0.1
    fail: list[str] = Field(default_factory=list)

    @field_validator("freshness_days")
    @classmethod
    def _tables_with_a_moment(cls, limits: dict[str, int]) -> dict[str, int]:
        dated = [c.table for c in contracts().values() if c.known]
        for table in limits:
            _known(table, dated, "a table whose rows have a moment")
        return limits

    @field_validator("missing_max")
    @classmethod
    def _columns_that_may_be_empty(cls, limits: dict[str, float]) -> dict[str, float]:
        columns = [
            f"{c.table}.{x.name}" for c in contracts().values() for x in c.columns if not x.required
        ]
        for column in limits:
            _known(column, columns, "table.column, and the column one that may be empty")
        return limits

    @field_validator("fail")
    @classmethod
    def _checks_of_tables(cls, named: list[str]) -> list[str]:
        for one in named:
            _known(one, [f"{t}.{c}" for t in contracts() for c in CHECKS], "table.check")
        return named


def withheld_tables(
    checks: Iterable[Mapping[str, Any]], tables: Iterable[str] = ()
) -> dict[str, str]:
    """Name the tables whose gate is closed, and why.

    Parameters
    ----------
    checks : iterable of mapping
        Rows of the snapshot's record: table, check, state and says.
    tables : iterable of str
        Tables of the study, so that those resting on a failed one are found.

    Returns
    -------
    dict of str to str
        Table to its reason, in a sentence. A table that must name a row of a withheld
        one is withheld with it where rows fail: what happened since is in neither.
        What to do about it, `REMEDY`, is for who runs the study, not for its readers.
    """
    failed = [row for row in checks if row["state"] == "fail"]
    reasons: dict[str, str] = {}
    closed: dict[str, str] = {}  # table to the one whose rows fail
    says: dict[str, str] = {}
    for row in failed:
        said = says.get(row["table"])
        says[row["table"]] = f"{said}; {row['says']}" if said else row["says"]
        if row["check"] in _ABOUT_ROWS:
            closed[row["table"]] = row["table"]
    for table, said in says.items():
        reasons[table] = f"{table} is withheld: {said}."
    present = set(tables)
    for contract in contracts().values():  # parents come before children
        needed = [c.references for c in contract.columns if c.required and c.references in closed]
        if contract.table in present and contract.table not in closed and needed:
            first = closed[str(needed[0])]
            closed[contract.table] = first
            reasons.setdefault(
                contract.table,
                f"{contract.table} is withheld with {first}, whose rows it needs: {says[first]}.",
            )
    return reasons


def _known(name: str, known: list[str], what: str) -> None:
    if name not in known:
        raise ValueError(f"{name!r} must be {what}.{did_you_mean(name, known)}")
