"""Where did the rows go? Rows in = used + set aside + excluded by a rule, table by table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.errors import DataError
from cxlab.report import words
from cxlab.trust.listing import Counted, complete

if TYPE_CHECKING:
    from cxlab.data.snapshot import Snapshot

__all__ = ["Reasons", "Rows", "reasons", "rows"]

_FATES = {"rows_set_aside": "set aside", "rows_excluded": "excluded by rule"}
_COUNTS = ("rows_in", "rows_used", *_FATES)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows(Counted):
    """Rows of each table: read, used, set aside, excluded."""

    def table(self) -> pd.DataFrame:
        """One row per table, one column per fate."""
        wide = self.estimates.pivot_table(
            index="table", columns="metric", values="estimate", sort=False
        )
        wide.columns = [name.removeprefix("trust.") for name in wide.columns]
        return wide[list(_COUNTS)].astype(int).reset_index()

    def sentence(self) -> str:
        """How much of what came in is used."""
        total = self.table()[list(_COUNTS)].sum()
        return (
            f"Of {words.plural(total['rows_in'], 'row')} read, "
            f"{words.number(total['rows_used'])} are used, "
            f"{words.number(total['rows_set_aside'])} set aside because they break a rule of "
            f"their table, {words.number(total['rows_excluded'])} excluded by the study's rules."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Reasons(Counted):
    """Why rows were set aside or excluded."""

    def table(self) -> pd.DataFrame:
        """One row per reason, most rows first."""
        told = self.estimates["rule"].fillna("").ne("").any()  # the study's own rules have no name
        columns = ["table", "fate", "reason", *(["rule"] if told else []), "estimate"]
        frame = self.estimates[columns].rename(columns={"estimate": "rows"})
        return frame.astype({"rows": int}).reset_index(drop=True)

    def sentence(self) -> str:
        """The reason that most rows share."""
        if self.estimates.empty:
            return "Every row that was read is used."
        top = self.estimates.iloc[0]
        count = words.plural(top["estimate"], "row")
        return f"Most often, {count} of {top['table']}, {top['fate']}: {top['reason']}."


def rows(snapshot: "Snapshot") -> Rows:
    """Account for every row of the snapshot.

    Parameters
    ----------
    snapshot : Snapshot
        Its `tables` has table, rows_in, rows_used, rows_set_aside and rows_excluded.

    Returns
    -------
    Rows
        `trust.rows_in`, `.rows_used`, `.rows_set_aside`, `.rows_excluded` by table.

    Raises
    ------
    DataError
        If the rows of a table do not add up.
    """
    tables = snapshot.tables
    for row in tables.to_dict("records"):
        told = row["rows_used"] + row["rows_set_aside"] + row["rows_excluded"]
        if row["rows_in"] != told:
            raise DataError(
                f"Rows in must equal used + set aside + excluded, but {row['table']} has "
                f"{row['rows_in']} in and {told} accounted for. Take the snapshot again."
            )
    estimates = [
        complete(f"trust.{name}", row[name], table=row["table"])
        for row in tables.to_dict("records")
        for name in _COUNTS
    ]
    care = f" {' '.join(snapshot.notes)}" if snapshot.notes else ""
    return Rows(
        estimates=pd.DataFrame(estimates),
        subtitle="Rows read, used, set aside and excluded, by table",
        note=f"Snapshot {snapshot.hash[:12]}, as known at the end of {snapshot.cycle_name}. "
        f"A row that became known later is not counted.{care}",
    )


def reasons(snapshot: "Snapshot") -> Reasons:
    """List the reasons for which rows are not used.

    Parameters
    ----------
    snapshot : Snapshot
        Its `reasons` has table, fate, rule, reason and rows.

    Returns
    -------
    Reasons
        `trust.rows_by_reason` by table, fate, rule and reason.

    Raises
    ------
    DataError
        If the reasons of a table do not add up to its rows set aside or excluded.
    """
    found = snapshot.reasons
    for row in snapshot.tables.to_dict("records"):
        own = found[found["table"] == row["table"]]
        for name, fate in _FATES.items():
            told = own.loc[own["fate"] == fate, "rows"].sum()
            if told != row[name]:
                raise DataError(
                    f"Each row must have one reason, but {row['table']} has {row[name]} rows "
                    f"{fate} and reasons for {told}. Take the snapshot again."
                )
    found = found.sort_values(["rows", "table", "rule"], ascending=[False, True, True])
    columns = ["table", "fate", "rule", "reason"]
    estimates = [
        complete("trust.rows_by_reason", row["rows"], **{c: row[c] for c in columns})
        for row in found.to_dict("records")
    ]
    nothing: dict[str, Any] = dict.fromkeys(columns)
    empty = complete("trust.rows_by_reason", 0, **nothing)
    return Reasons(
        estimates=pd.DataFrame(estimates or [empty]).iloc[: len(estimates)],
        subtitle="Rows that are not used, by reason",
        note="Set aside: the row breaks a rule that its table must keep. Excluded by rule: the "
        "study's own mapping leaves it out, for the reason given.",
    )
