"""Who allowed what when a cycle began, who does at its end, and who changed their mind."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from cxlab.data.consent import PURPOSES
from cxlab.data.consent_record import over_everybody
from cxlab.errors import Withheld
from cxlab.report import disclosure, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result
from cxlab.trust.listing import complete

if TYPE_CHECKING:
    from cxlab.data.lab import Lab

__all__ = ["ConsentFlow", "consent_flow"]

_OUTSIDE = "not yet a customer"
_STATUSES = ("granted", "denied", "withdrawn", "unclear", "no record")

_MOVES = """
select p.purpose,
    case when {first_seen} >= $start then 'not yet a customer'
        else coalesce(t.status, 'no record') end as from_status,
    coalesce(n.status, 'no record') as to_status, count(*) as customers
from customers as c
    cross join ({purposes}) as p
    left join words_then as t on t.customer_id = c.customer_id and t.purpose = p.purpose
    left join words_now as n on n.customer_id = c.customer_id and n.purpose = p.purpose
group by p.purpose, from_status, to_status
order by p.purpose, from_status, to_status
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class ConsentFlow(Result):
    """Customers by purpose and status, when the cycle began and at its end.

    Attributes
    ----------
    cycle_name : str
        The cycle in question.
    """

    cycle_name: str

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small cells, purpose by purpose; empty cells do not ask for company."""
        empty = self.estimates["count"] == 0
        safe = self.estimates.copy()
        safe[["estimate", "conf_low", "conf_high", "n", "count"]] = np.nan
        safe["suppressed"] = True
        rows = disclosure.protect(self.estimates[~empty], rules, apart=("purpose",))
        safe.loc[rows.index] = rows
        return replace(self, estimates=safe)

    def table(self) -> pd.DataFrame:
        """One row per purpose and status: opening and closing count."""
        opening = self._totals("from_status")
        closing = self._totals("to_status")
        both = closing.join(opening, lsuffix="_now", validate="one_to_one")
        return pd.DataFrame(
            {
                "purpose": [purpose for purpose, _ in both.index],
                "status": [status for _, status in both.index],
                "opening": both["estimate"].to_numpy(),
                "closing": both["estimate_now"].to_numpy(),
                "suppressed": both["estimate_now"].isna().to_numpy(),
            }
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw opening against closing count of those who allow each purpose."""
        from cxlab.report import charts

        rows = self.table()
        rows = rows[rows["status"] == "granted"].reset_index(drop=True)
        names = ("start", "end")
        return charts.paired(
            rows, label="purpose", before="opening", now="closing", unit="count", names=names,
            axis="Customers who allow it", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Name the largest move between two answers."""
        cells = self.estimates.dropna(subset=["from_status", "to_status", "estimate"])
        moved = cells[
            (cells["from_status"] != cells["to_status"]) & (cells["from_status"] != _OUTSIDE)
        ]
        if moved.empty or not moved["estimate"].max() > 0:
            return (
                "How many changed their mind about a purpose is withheld: nobody or too few did, "
                "or the number would tell of a few."
            )
        top = moved.sort_values("estimate", kind="stable").iloc[-1]
        people = words.plural(top["estimate"], "customer")
        return (
            f"The largest move of {self.cycle_name} is from {top['from_status']} to "
            f"{top['to_status']} for {top['purpose']}: {people}."
        )

    def _totals(self, side: str) -> pd.DataFrame:
        """Return the totals of one side by purpose and status."""
        other = "to_status" if side == "from_status" else "from_status"
        rows = self.estimates[self.estimates[other].isna() & (self.estimates[side] != _OUTSIDE)]
        return rows.set_index(["purpose", side]).rename_axis(["purpose", "status"])[["estimate"]]


def consent_flow(lab: "Lab") -> ConsentFlow:
    """Count what customers say to each purpose, and what they said when the cycle began.

    Parameters
    ----------
    lab : Lab
        The study, opened for any purpose: all customers are counted.

    Returns
    -------
    ConsentFlow
        `consent.flow` by purpose, from_status and to_status; a total of what customers
        said at the start has no to_status, one of the end no from_status. Complete counts.

    Raises
    ------
    Withheld
        If no consent is on record, or counts over all customers are not allowed.
    """
    if not lab.gate.has_record:
        raise Withheld(
            "No record of consents is mapped in this study, so nobody can tell who allows what."
        )
    needed = [p for p in PURPOSES if getattr(lab.settings.consent.needs, p)]
    known = "first_seen_at" in lab.snapshot.columns["customers"]
    listed = " union all ".join(f"select '{purpose}' as purpose" for purpose in PURPOSES)
    moves = over_everybody(
        lab,
        _MOVES.format(
            first_seen="c.first_seen_at" if known else "cast(null as timestamp)", purposes=listed
        ),
        "customers",
        "words_then",
        "words_now",
        start=lab.cycle.start,
    )
    if moves.empty:
        raise Withheld(f"No customer is known at the end of {lab.cycle.name}.")
    grounds = {p: getattr(lab.settings.consent.grounds, p) for p in PURPOSES if p not in needed}
    stands = "".join(
        f" {p.capitalize()} needs no consent: it stands on {why}." for p, why in grounds.items()
    )
    # A purpose that needs no consent, and that nobody was asked about, is no question.
    spoken = set(moves.loc[moves["to_status"] != "no record", "purpose"])
    rows = [
        row for purpose in PURPOSES if purpose in spoken or purpose in needed
        for row in _rows(purpose, moves[moves["purpose"] == purpose])
    ]  # fmt: skip
    return ConsentFlow(
        estimates=pd.DataFrame(rows),
        subtitle=f"Customers who allow each purpose, at the start and the end of {lab.cycle.name}",
        note="What counts is a customer's last word as known at the moment. Customers first seen "
        f"in the cycle are in the count of its end only.{stands}",
        cycle_name=lab.cycle.name,
    )


def _rows(purpose: str, moves: pd.DataFrame) -> list[dict[str, Any]]:
    """Write one purpose's moves with their totals on both sides."""
    after = [s for s in _STATUSES if s != "unclear" or s in set(moves["to_status"])]
    rows = []
    for old in (_OUTSIDE, *after, None):
        for new in (*after, None):
            if old is None and new is None:
                continue
            here = moves if old is None else moves[moves["from_status"] == old]
            here = here if new is None else here[here["to_status"] == new]
            dims: dict[str, Any] = {"purpose": purpose, "from_status": old, "to_status": new}
            rows.append(complete("consent.flow", float(here["customers"].sum()), **dims))
    return rows
