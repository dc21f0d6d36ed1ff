"""Which tables are fit for use: fresh, complete, unique, in range, and like they always were."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.data.quality import CHECKS, STATES
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.trust.listing import Counted, Listing, complete
from cxlab.trust.register import withheld_kpis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.data.settings import Settings
    from cxlab.data.snapshot import Snapshot

__all__ = ["QualityMatrix", "quality"]


@dataclass(frozen=True, kw_only=True, eq=False)
class QualityMatrix(Counted):
    """The worst outcome of each check of each table.

    Attributes
    ----------
    cells : pandas.DataFrame
        One row per table and check, with its state; the worst table first.
    details : Listing
        What failed or warns, one row each, in words.
    withheld : list of str
        Key measures on a withheld table.
    """

    cells: pd.DataFrame = field(repr=False)
    details: Listing = field(repr=False)
    withheld: list[str]

    def table(self) -> pd.DataFrame:
        """One row per table, one column per check."""
        wide = self.cells.pivot_table(
            index="table", columns="check", values="state", aggfunc="first", sort=False
        )
        return wide.reindex(columns=list(CHECKS)).rename_axis(columns=None).reset_index()

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Draw the rows of `table`, each state with its symbol."""
        return charts.matrix(self.cells, row="table", column="check", ax=ax)

    def sentence(self) -> str:
        """How many tables failed, and which key measures are withheld with them."""
        worst = self.cells.groupby("table", sort=False)["state"].agg(_worst)
        failed, total = int((worst == "fail").sum()), len(worst)
        warns = int((worst == "warn").sum())
        if failed:
            said = f"{words.number(failed)} of {words.plural(total, 'table')} failed a check"
            if self.withheld:
                verb = "is" if len(self.withheld) == 1 else "are"
                count = words.plural(len(self.withheld), "key measure")
                said += f"; {count} {verb} withheld with {'it' if failed == 1 else 'them'}"
            return f"{said}."
        if warns:
            verb = "warns" if warns == 1 else "warn"
            return (
                f"No table failed a check; {words.number(warns)} of {words.number(total)} {verb}."
            )
        return f"No check of the {words.plural(total, 'table')} failed or warns."


def quality(snapshot: "Snapshot", *, settings: "Settings | None" = None) -> QualityMatrix:
    """Show how each table stood every check when it was read.

    Parameters
    ----------
    snapshot : Snapshot
        Its `checks` has table, check, column, state and says.
    settings : Settings, optional
        Tells which key measures rest on a table that failed.

    Returns
    -------
    QualityMatrix
        `trust.tables_checked`, `trust.tables_failed`, `trust.tables_withheld`, and
        `trust.checks` by table and state. `details` lists what failed or warns.

    Raises
    ------
    Withheld
        If the snapshot was taken without checks.
    """
    found = snapshot.checks
    if found.empty:
        raise Withheld("The snapshot was taken without checks. The next run takes it anew.")
    cells = found.groupby(["table", "check"], sort=False)["state"].agg(_worst).reset_index()
    cells["check"] = pd.Categorical(cells["check"], categories=list(CHECKS), ordered=True)
    cells["rank"] = cells["table"].map(_rank(cells))
    cells = cells.sort_values(["rank", "table", "check"], kind="stable")
    cells = cells.astype({"check": str}).drop(columns="rank").reset_index(drop=True)
    failed = sorted(set(found.loc[found["state"] == "fail", "table"]))
    everywhere: dict[str, Any] = {"table": None, "state": None}
    rows = [
        complete("trust.tables_checked", found["table"].nunique(), **everywhere),
        complete("trust.tables_failed", len(failed), **everywhere),
        complete("trust.tables_withheld", len(snapshot.withheld), **everywhere),
    ]
    counts = found.groupby(["table", "state"]).size().reset_index(name="n")
    rows += [
        complete("trust.checks", row["n"], table=row["table"], state=row["state"])
        for row in counts.to_dict("records")
    ]
    return QualityMatrix(
        estimates=pd.DataFrame(rows),
        subtitle="The worst outcome of each check, by table, when the snapshot was taken",
        note=_note(snapshot),
        cells=cells,
        details=_details(found),
        withheld=[] if settings is None else withheld_kpis(settings, snapshot),
    )


def _details(found: pd.DataFrame) -> Listing:
    told = found[found["state"].isin(("fail", "warn"))].copy()
    told["rank"] = told["state"].map(STATES.index)
    told = told.sort_values(["rank", "table"], kind="stable")
    frame = told[["table", "check", "state", "says"]]
    said = [f"{words.plural(int((told['state'] == s).sum()), w)}" for s, w in _KINDS.items()]
    return Listing(
        frame=frame,
        headline=f"{said[0]} and {said[1]} in all." if len(told) else "No check failed or warns.",
        subtitle="What failed or warns, in words",
        note="A failure withholds the table; a warning is for whoever feeds it.",
    )


_KINDS = {"fail": "failure", "warn": "warning"}


def _note(snapshot: "Snapshot") -> str:
    said = (
        "A check fails only by a limit that the study has set; by the house's own limits it warns."
    )
    passed_on = [t for t, why in snapshot.withheld.items() if "is withheld with" in why]
    if passed_on:
        verb = "rests" if len(passed_on) == 1 else "rest"
        said += (
            f" Withheld as well: {words.listing(passed_on)}, which {verb} on a table that failed."
        )
    return said


def _worst(states: "pd.Series[str]") -> str:
    return min(states, key=STATES.index)


def _rank(cells: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Order tables by failures, then by warnings, the most first."""
    return {
        str(table): (-int((states == "fail").sum()), -int((states == "warn").sum()))
        for table, states in cells.groupby("table")["state"]
    }
