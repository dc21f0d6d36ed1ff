"""Who is in a chapter: whose consent its purpose has, and whose rows were taken out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.data.engine import query
from cxlab.data.whose import PERHAPS, people_of
from cxlab.errors import Withheld
from cxlab.report import words
from cxlab.report.finding import Result
from cxlab.trust.listing import complete

if TYPE_CHECKING:
    from cxlab.data.lab import Lab

__all__ = ["Seen", "seen"]

_STATUSES = ("granted", "no record", "denied", "withdrawn", "unclear")


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(Result):
    """Customers whose rows a chapter reads, and those whose rows it does not.

    Attributes
    ----------
    purpose : str
        What the chapter is for.
    open_because : str
        Why everybody is seen; empty where consent decides.
    """

    purpose: str
    open_because: str = ""

    def table(self) -> pd.DataFrame:
        """Customers by what they said, then the rows left out of each other table."""
        shown = ["consent.seen"] if self.open_because else ["consent.customers", "consent.rows"]
        rows = self.estimates[self.estimates["metric"].isin(shown)]
        return pd.DataFrame(
            {
                "table": rows["table"].fillna("customers"),
                "status": rows["status"].fillna("seen" if self.open_because else "left out"),
                "rows": rows["estimate"],
                "suppressed": rows["suppressed"].astype(bool),
            }
        ).reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw customers by what they said; the rows of other tables are in `table`."""
        from cxlab.report import charts

        if self.open_because:
            return None
        rows = self.table()
        rows = rows[rows["table"] == "customers"].reset_index(drop=True)
        return charts.bars(
            rows, label="status", value="rows", unit="count", axis="Customers", ax=ax
        )

    def sentence(self) -> str:
        """How many are seen, and how many are not."""
        rows = self.estimates[self.estimates["metric"] == "consent.seen"]
        found = rows.set_index(rows["status"].fillna("all"))["estimate"]
        if pd.isna(found["all"]):
            return "There are too few customers to say how many are in this chapter."
        people = words.plural(found["all"], "customer")
        if self.open_because:
            return f"{self.open_because}: the rows of all {people} may be read."
        if pd.isna(found["seen"]):
            return (
                f"How many of {people} allow {self.purpose} is withheld, since those who do or "
                "those who do not are too few."
            )
        share = words.value(found["seen"] / found["all"], "share")
        left = words.number(found["left out"])
        return (
            f"{words.number(found['seen'])} of {people} ({share}) allow {self.purpose}; the rows "
            f"of the other {left} were taken out before this chapter read any."
        )


def seen(lab: "Lab") -> Seen:
    """Count the customers that a chapter sees, and the rows that were taken out.

    Parameters
    ----------
    lab : Lab
        The study, opened for a purpose.

    Returns
    -------
    Seen
        `consent.seen` (all, seen, left out), `consent.seen_share`, `consent.customers`
        by status, and `consent.rows` left out by table. Complete counts.

    Raises
    ------
    Withheld
        If no customer is known.
    """
    gate, cycle = lab.gate, lab.cycle
    about = f"Customers known at the end of {cycle.name}, by whether they allow {gate.purpose}"
    if gate.is_open:
        everybody = int(query("select count(*) as n from c", c=lab.customers)["n"][0])
        because = (
            f"{gate.purpose.capitalize()} needs no consent in this study; it stands on: "
            f"{gate.ground}"
            if gate.ground
            else "No record of consents is mapped in this study"
        )
        total = complete("consent.seen", everybody, status=None, table=None)
        return Seen(
            estimates=pd.DataFrame([total]),
            subtitle=about,
            note=f"Purpose of this chapter: {gate.purpose}.",
            purpose=gate.purpose,
            open_because=because,
        )
    counts = gate.customers
    if not counts:
        raise Withheld(f"No customer is known at the end of {cycle.name}.")
    return Seen(
        estimates=pd.DataFrame(_rows(lab, counts)),
        subtitle=about,
        note=_note(lab),
        purpose=gate.purpose,
    )


def _rows(lab: "Lab", counts: dict[str, int]) -> list[dict[str, Any]]:
    allowed = lab.gate.allowed
    everybody = sum(counts.values())
    inside = sum(counts.get(status, 0) for status in allowed)
    people: dict[str, Any] = {"table": None}
    rows = [
        complete("consent.seen", everybody, status=None, **people),
        complete("consent.seen", inside, status="seen", **people),
        complete("consent.seen", everybody - inside, status="left out", **people),
        complete("consent.seen_share", inside / everybody, unit="share", status="seen", **people)
        | {"n": float(everybody), "count": float(inside)},
    ]
    shown = [s for s in _STATUSES if counts.get(s) or s != "unclear"]
    rows += [complete("consent.customers", counts.get(s, 0), status=s, **people) for s in shown]
    for name in lab.tables:
        if name != "customers" and _has_people(lab, name):
            left = lab.gate.left_out(name) if inside else lab.snapshot.rows_used[name]
            made = complete("consent.rows", left, status=None, table=name)
            # Many rows may be those of few people.
            rows.append(made | {"count": float(min(left, everybody - inside))})
    return rows


def _has_people(lab: "Lab", name: str) -> bool:
    """Tell whether a table's rows are known to be somebody's; one that stays shut is not read."""
    try:
        people, rows_of = people_of(name, lab.snapshot.columns)
    except Withheld:
        return False
    return bool(people or rows_of or any(table == name for table, _ in PERHAPS))


def _note(lab: "Lab") -> str:
    rules, purpose = lab.settings.consent, lab.gate.purpose
    silent = "allows" if rules.without_record == "granted" else "does not allow"
    nobody = "are read" if getattr(rules.anonymous, purpose) == "keep" else "are taken out too"
    parts = [
        f"Purpose of this chapter: {purpose}. What counts is a customer's last word known at the "
        f"end of {lab.cycle.name}; who has no record {silent} it. Rows that name nobody {nobody}."
    ]
    aside = {row["table"]: row["rows_set_aside"] for row in lab.snapshot.records["tables"]}
    if aside.get("consents"):
        parts.append(
            f"{words.plural(aside['consents'], 'row')} of the record could not be read and were "
            "set aside: a withdrawal among them is missed."
        )
    return " ".join(parts)
