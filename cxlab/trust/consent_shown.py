"""Who is missing and how far that bends the numbers, as readers meet it."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cxlab.report import words
from cxlab.report.finding import Result

__all__ = ["ConsentBias", "ConsentGroups"]

_SHOWN = 12  # groups in the picture


@dataclass(frozen=True, kw_only=True, eq=False)
class ConsentGroups(Result):
    """Which groups of customers those who consent hold too many or too few of.

    Attributes
    ----------
    purpose : str
        What the consent is for.
    """

    purpose: str

    def table(self) -> pd.DataFrame:
        """One row per group: its share of those who consent, minus that of all customers."""
        rows = _with_p(self.estimates, "consent.group_difference", ["variable", "group"])
        shares = self.estimates[self.estimates["metric"] == "consent.group_share"]
        key = [tuple(k) for k in rows[["variable", "group"]].to_numpy()]
        share = shares.set_index(["variable", "group"])["estimate"].reindex(key).to_numpy()
        names = ["variable", "group", "estimate", "conf_low", "conf_high", "n"]
        out = rows[names].assign(group_share=share, p_holm=rows["p_holm"])
        return out.assign(suppressed=rows["suppressed"])

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the largest differences."""
        from cxlab.report import charts

        rows = self.table()
        rows = rows.assign(name=rows["variable"].str.replace("_", " ") + ": " + rows["group"])
        size = rows["estimate"].abs().sort_values(ascending=False, kind="stable")
        rows = rows.loc[size.dropna().index[:_SHOWN]]
        rows = rows.sort_values(["estimate", "name"], ascending=[False, True])
        axis = "Difference to all customers, percentage points"
        return charts.diverging(
            rows.reset_index(drop=True), label="name", unit="share", axis=axis, ax=ax
        )

    def sentence(self) -> str:
        """Name the group that is missing most, or the one there is too much of."""
        rows = self.table()
        rows = rows[~rows["suppressed"].astype(bool) & rows["estimate"].notna()]
        clear = rows[rows["p_holm"] <= 1 - self.level]
        if clear.empty:
            return (
                f"Those who allow {self.purpose} do not differ clearly from all customers in any "
                f"of {words.plural(len(rows), 'group')}."
            )
        order = clear["estimate"].abs().sort_values(ascending=False, kind="stable").index
        top = clear.loc[order[0]]
        said = words.change(top["estimate"], top["conf_low"], top["conf_high"], "share")
        return (
            f"Those who allow {self.purpose} differ clearly from all customers in {len(clear)} of "
            f"{words.plural(len(rows), 'group')}, most of all in "
            f"{top['variable'].replace('_', ' ')} {top['group']}: {said}."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ConsentBias(Result):
    """How far numbers of those who consent are from those of all customers.

    Attributes
    ----------
    groups : ConsentGroups
        Who is missing.
    purpose : str
        What the consent is for.
    weighted_by : tuple of str
        What the re-weighted numbers are weighted by.
    """

    groups: ConsentGroups = field(repr=False)
    purpose: str
    weighted_by: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Four rows per outcome: consenters, all customers, the difference, re-weighted."""
        rows = self.estimates[~self.estimates["metric"].isin(["consent.p_holm", "consent.p_bh"])]
        p = _with_p(self.estimates, "consent.difference", ["measure"]).set_index("measure")
        found = rows["measure"].map(p["p_holm"]).where(rows["metric"] == "consent.difference")
        names = ["measure", "metric", "estimate", "conf_low", "conf_high", "n"]
        out = rows[names].assign(p_holm=found, unit=rows["unit"], suppressed=rows["suppressed"])
        return out.reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw each difference in percent of the number for all customers."""
        from cxlab.report import charts

        frame = self._relative()
        if frame.empty:
            return None
        axis = "Difference to all customers, percent of their number"
        return charts.diverging(
            frame, label="name", value="percent", low="low", high="high", unit="nps", axis=axis,
            ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say in which direction and how far the numbers are bent, and what weighting leaves."""
        table = self.table()
        rows = table[table["metric"] == "consent.difference"].set_index("measure")
        rows = rows[~rows["suppressed"].astype(bool) & rows["estimate"].notna()]
        if rows.empty:
            return "How far consent bends the numbers is withheld: too few people stand behind it."
        clear = rows[rows["p_holm"] <= 1 - self.level].index
        if clear.empty:
            return (
                f"No number of those who allow {self.purpose} differs clearly from that of all "
                f"customers: {words.listing(list(rows.index))}."
            )
        size = self._relative().set_index("name")["percent"]
        said = []
        for measure in clear:
            left = size.get(f"{measure}, re-weighted", float("nan"))
            rest = "" if pd.isna(left) else f" ({_percent(left)} re-weighted)"
            way = "too high" if size[measure] > 0 else "too low"
            said.append(f"{way} for {measure}, {_percent(size[measure])}{rest}")
        return (
            f"Numbers of those who allow {self.purpose}, set against all customers, are "
            f"{words.listing(said)}."
        )

    def _relative(self) -> pd.DataFrame:
        """Differences to the base as percent of it, as they are and re-weighted."""
        wide = self.estimates.set_index(["measure", "metric"])
        out = []
        for measure in dict.fromkeys(self.estimates["measure"]):
            whole = wide["estimate"].get((measure, "consent.of_all"), float("nan"))
            gap = wide.loc[(measure, "consent.difference")]
            out.append(_scaled(measure, gap, 0.0, whole))
            if (measure, "consent.reweighted") in wide.index:
                again = wide.loc[(measure, "consent.reweighted")]
                out.append(_scaled(f"{measure}, re-weighted", again, whole, whole))
        return pd.DataFrame(out)


def _with_p(estimates: pd.DataFrame, metric: str, dims: list[str]) -> pd.DataFrame:
    """Return the rows of a difference with their adjusted p-values beside them."""
    rows = estimates[estimates["metric"] == metric]
    p = estimates[estimates["metric"] == "consent.p_holm"][[*dims, "estimate"]]
    p = p.rename(columns={"estimate": "p_holm"})
    return rows.merge(p, on=dims, how="left", validate="one_to_one")


def _scaled(name: str, row: pd.Series, minus: float, whole: float) -> dict[str, Any]:
    scale = 100 / whole if whole else float("nan")
    ends = ((float(row[c]) - minus) * scale for c in ("estimate", "conf_low", "conf_high"))
    gone = bool(row["suppressed"])
    return {"name": name, "suppressed": gone} | dict(
        zip(("percent", "low", "high"), ends, strict=True)
    )


def _percent(x: float) -> str:
    return words.signed(x, "nps") + "%"
