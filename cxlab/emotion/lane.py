"""What is felt, for a picture that stands also where nobody was asked."""

from contextlib import suppress

import pandas as pd

from cxlab.data.engine import TableLike
from cxlab.data.lab import Lab
from cxlab.emotion.touchpoints import Felt, felt
from cxlab.errors import Withheld

__all__ = ["feelings"]


def feelings(lab: Lab, *, by: pd.DataFrame, persona: TableLike | None = None) -> list[Felt]:
    """Return what customers feel by stage and by touchpoint, as the journey map takes it.

    Parameters
    ----------
    lab : Lab
        An open study; its answers of the cycle are used.
    by : pandas.DataFrame
        `touchpoint` and one more column, such as `stage`.
    persona : table, optional
        `customer_id` and one more column: each persona apart, besides all customers.

    Returns
    -------
    list of Felt
        By the column of `by`, and by touchpoint; without what the study's answers do not tell.
    """
    found = []
    for group in (by, "touchpoint"):
        with suppress(Withheld):
            found.append(felt(lab.answers, cycle=lab.cycle, by=group, persona=persona))
    return found
