"""Counts and sums of customers who consent and of the others: all that bias is told from."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from cxlab.report.disclosure import Money
from cxlab.report.disclosure.policy import is_money
from cxlab.stats.comparison import SUMS

__all__ = ["ConsentSums"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConsentSums:
    """Sums by side: 1 for customers who consent, 0 for the others.

    Attributes
    ----------
    frame : pandas.DataFrame
        The answer of the engine: one row per side and group.
    variables : tuple of str
        Those of `VARIABLES` that the study knows.
    weigh_by : tuple of str
        Those that make the finest groups.
    outcomes : dict of str to str
        What is compared, and its unit.
    """

    frame: pd.DataFrame
    variables: tuple[str, ...]
    weigh_by: tuple[str, ...]
    outcomes: dict[str, str]

    def outcome(self, name: str) -> pd.DataFrame:
        """Return the sums of one outcome, a row per side."""
        return self._sides(self._at(()), name)

    def money(self, name: str) -> Money | None:
        """Tell how evenly an amount comes from either side; None where it is no money."""
        if not is_money(self.outcomes[name]):
            return None
        total = f"total_{list(self.outcomes).index(name)}"
        columns = [total, "gross", "largest", "two_largest"]
        sides = self._at(())[columns].to_numpy(dtype="float64").tolist()
        return Money.either(*(Money.of(*side) for side in sides))

    def groups(self) -> Iterator[tuple[str, str, pd.DataFrame]]:
        """Yield variable, group, and how many of each side are in it."""
        sizes = self._at(()).groupby("consents")["people"].sum().reindex([1, 0], fill_value=0)
        for variable in self.variables:
            rows = self._at((variable,)).set_index(["consents", variable])["people"]
            for group in sorted(set(rows.index.get_level_values(1))):
                inside = [float(rows.get((side, group), 0)) for side in (1, 0)]
                sides = pd.DataFrame(
                    {c: sizes.to_numpy(dtype=float) for c in ("customers", "n", "n_n")}
                    | dict.fromkeys(("total", "n_total", "total_total", "squares"), inside),
                    index=[1, 0],
                )
                # The smaller of those in the group and those outside it tells as much.
                yield variable, group, sides.assign(numerator=inside)

    def cells(self, name: str) -> pd.DataFrame:
        """Return sums of one outcome by the finest groups: consenters', and the base's size."""
        names = list(self.weigh_by)
        rows = self._at(self.weigh_by)
        base = rows.groupby(names)["people"].sum().rename("base")
        # A cell without a member stands with base only, until it is joined with others.
        mine = rows[rows["consents"] == 1].set_index(names)
        place = list(self.outcomes).index(name)
        sums = {c: mine[f"{c}_{place}"] for c in SUMS if c not in ("customers", "squares")}
        members = {"members": mine["people"]}
        frame = pd.DataFrame({"base": base, **members, **sums}).fillna(0.0)
        return frame.reset_index()

    def _at(self, names: tuple[str, ...]) -> pd.DataFrame:
        level = ",".join(names)
        return self.frame[self.frame["level"] == level]

    def _sides(self, rows: pd.DataFrame, name: str) -> pd.DataFrame:
        place = list(self.outcomes).index(name)
        out = pd.DataFrame({c: rows[f"{c}_{place}"].to_numpy() for c in SUMS if c != "squares"})
        out.index = pd.Index(rows["consents"].to_numpy())
        # Where customers count once, these are squares of single outcomes; a share's
        # numerator is its own square.
        squares = out["total"] if self.outcomes[name] == "share" else out["total_total"]
        return out.assign(squares=squares).reindex([1, 0], fill_value=0.0)
