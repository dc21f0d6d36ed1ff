"""Results in which nobody can be recognised: rows, bytes and days counted in full, or words."""

from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result, estimate_row

__all__ = ["Counted", "Listing", "complete"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted(Result):
    """Numbers counted in full, behind which no people stand: none is withheld."""

    def protect(self, rules: Policy | int) -> Self:  # noqa: ARG002
        """Return the same, whatever the rules ask.

        Parameters
        ----------
        rules : Policy or int
            Not heeded.

        Returns
        -------
        Counted
            This result.
        """
        return self


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing(Counted):
    """Words in a table: definitions, methods, terms.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows to show.
    headline : str
        What they say, in one sentence.
    """

    frame: pd.DataFrame = field(repr=False)
    headline: str
    estimates: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(ESTIMATE)), repr=False
    )

    def table(self) -> pd.DataFrame:
        """All rows."""
        return self.frame.reset_index(drop=True)

    def sentence(self) -> str:
        """The headline as given."""
        return self.headline


def complete(metric: str, number: float, *, unit: str = "count", **dims: object) -> dict[str, Any]:
    """Build the row of a number that is counted in full: it is its own interval.

    Parameters
    ----------
    metric : str
        Dotted name.
    number : float
        The count.
    unit : str
        As in `cxlab.report.words.value`.
    **dims : str or None
        The group.

    Returns
    -------
    dict
        One row of `Result.estimates`.
    """
    return estimate_row(
        metric,
        number,
        number,
        number,
        n=number,
        count=number,
        unit=unit,
        method="complete count",
        **dims,
    )
