"""Groups set against each other, as readers meet them: a sentence, a picture, a table."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxlab.report import words
from cxlab.report.finding import Result

__all__ = ["Comparison", "groups"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison(Result):
    """Each group against all the others, honest about how many were looked at.

    Attributes
    ----------
    by : str
        Name of the grouping.
    unit : str
        Unit of the differences.
    family : int
        Tests that were made; p-values are adjusted for so many.
    """

    by: str
    unit: str
    family: int

    def table(self) -> pd.DataFrame:
        """One row per group: difference to all others, interval, p-values."""
        keep = [self.by, "estimate", "conf_low", "conf_high", "n"]
        rows = self._rows("compare.difference")
        names = ["p_value", "p_holm", "p_bh"]
        for name in names:
            side = self._rows(f"compare.{name}").set_index(self.by)["estimate"]
            rows[name] = rows[self.by].map(side)
        return rows[[*keep, *names, "unit", "suppressed"]]

    def plot(self, *, ax: Any = None) -> Any:
        """Draw each group's difference to all others with its interval."""
        from cxlab.report import charts

        rows = self._rows("compare.difference")
        rows = rows.sort_values(["estimate", self.by], ascending=[False, True])
        unit = "percentage points" if self.unit == "share" else self.unit
        axis = f"Difference to all others, {unit}"
        return charts.diverging(rows, label=self.by, unit=self.unit, axis=axis, ax=ax)

    def sentence(self) -> str:
        """One line for the report, its numbers included."""
        rows = self.table().set_index(self.by)
        shown = rows[~rows["suppressed"] & rows["estimate"].notna()]
        group = self.by.replace("_", " ")
        if shown.empty:
            return f"Differences by {group} are withheld: too few people stand behind each group."
        clear = shown[shown["p_holm"] <= 1 - self.level]
        if clear.empty:
            seen = self._rows("compare.detectable").set_index(self.by)["estimate"]
            reach = words.signed(float(seen[shown.index].max()), self.unit).replace("+", "")
            return (
                f"No detectable difference between {groups(len(rows), self.by)}; "
                f"we could have seen {reach}."
            )
        # Ties go by name, so that the order of rows does not matter.
        clear = clear.assign(size=clear["estimate"].abs()).sort_index()
        row = clear.sort_values("size", ascending=False, kind="stable").iloc[0]
        said = words.change(row["estimate"], row["conf_low"], row["conf_high"], self.unit)
        return (
            f"{len(clear)} of {groups(len(rows), self.by)} "
            f"{'differs' if len(clear) == 1 else 'differ'} clearly from the others, "
            f"{'which is' if len(clear) == 1 else 'most of all'} {row.name}: {said}, "
            f"{_p(row['p_holm'])} after correction for {self.family}."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        rows: pd.DataFrame = self.estimates[self.estimates["metric"] == metric]
        return rows.reset_index(drop=True)


def groups(n: int, by: str) -> str:
    """Count the groups of a column by its name: '3 regions', but '2 groups of is repeat'."""
    name = by.replace("_", " ")
    if by.startswith(("is_", "has_")):
        return f"{words.plural(n, 'group')} of {name}"
    return words.plural(n, name)


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
