"""What was personal in free text, and how often: masked before anybody read it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.errors import Withheld
from cxlab.report import words
from cxlab.trust.listing import Counted, complete

if TYPE_CHECKING:
    from cxlab.data.snapshot import Snapshot

__all__ = ["Masked", "masked"]

_SAID = {
    "email": "e-mail address",
    "phone": "phone number",
    "card": "payment card",
    "iban": "bank account",
    "id": "national or tax id",
    "link": "link with a key in it",
    "address": "street address",
    "name": "person's name",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Masked(Counted):
    """Rows with text in which something personal was masked, by kind."""

    def table(self) -> pd.DataFrame:
        """One row per kind, the most frequent first."""
        frame = self.estimates[["kind", "estimate"]].rename(columns={"estimate": "rows"})
        return frame.astype({"rows": int}).reset_index(drop=True)

    def sentence(self) -> str:
        """What was masked most often."""
        top = self.estimates.iloc[0]
        if not top["estimate"]:
            return "No text held anything personal that could be told."
        count = words.plural(top["estimate"], "text")
        return f"Masked before anybody read them, most often: {top['kind']}, in {count}."


def masked(snapshot: "Snapshot") -> Masked:
    """Tell in how many texts each kind of personal data was masked.

    Parameters
    ----------
    snapshot : Snapshot
        Its record has `masked`: kind and rows.

    Returns
    -------
    Masked
        `trust.comments_masked` by kind. A text that held several kinds is in several rows.

    Raises
    ------
    Withheld
        If the study has no free text.
    """
    found: list[dict[str, Any]] = list(snapshot.records.get("masked", []))
    if not found:
        raise Withheld(
            "The study has no comments or other free text, so there was nothing to mask."
        )
    rows = [
        complete("trust.comments_masked", row["rows"], kind=_SAID[row["kind"]]) for row in found
    ]
    frame = pd.DataFrame(rows).sort_values(["estimate", "kind"], ascending=[False, True])
    return Masked(
        estimates=frame.reset_index(drop=True),
        subtitle="Comments and other free text in which something personal was masked, by kind",
        note="Numbers are told by check digits, form and the words around them; names by a list, "
        "where the study gives one. What neither tells stays.",
    )
