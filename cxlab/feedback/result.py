"""A rating as readers meet it: one sentence, one picture, one frame of estimates."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cxlab.feedback.wording import NAMES, lead, spread
from cxlab.report import words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result
from cxlab.stats.power import detectable_change

__all__ = ["Rating"]

_CHANGES = {
    "csat.top_box_share": "csat.change",
    "nps.score": "nps.change",
    "ces.mean": "ces.change",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Rating(Result):
    """A rating of one cycle: its estimate, its change, and the scores behind it.

    Attributes
    ----------
    construct : str
        csat, nps or ces; the metrics begin with it.
    cycle, previous : str
        Names of the cycle and of the one it is compared with.
    scale : tuple of float
        Least and greatest score that could be given.
    by : str or None
        Name of the grouping.
    incomparable : str
        Why there is no change to report; empty where there is.
    """

    construct: str
    cycle: str
    previous: str
    scale: tuple[float, float]
    by: str | None = None
    incomparable: str = ""

    @property
    def headline(self) -> pd.DataFrame:
        """The rows of the metric that the sentence and the scorecard are about."""
        metric = self.estimates["metric"]
        rows: pd.DataFrame = self.estimates[metric == metric.iloc[0]]
        return rows

    @property
    def _scores(self) -> "pd.Series[bool]":
        """Which rows tell how often a score was given."""
        return self.estimates["metric"] == f"{self.construct}.share"

    def table(self) -> pd.DataFrame:
        """All estimates; where every score is withheld the note says so once, not each row."""
        hidden = self._scores & self.estimates["suppressed"]
        if not hidden.any():
            return super().table()
        kept = self.estimates[~hidden].drop(columns="score")
        table = Result(estimates=kept).table()
        # The scores had a unit of their own; what is left is told by the rows, not by all.
        return table.assign(unit=kept["unit"].to_numpy())

    def plot(self, *, ax: Any = None) -> Any:
        """Draw how often each score was given; by group, each estimate with its interval."""
        from cxlab.report import charts

        if self.by is not None:
            rows = self.headline.sort_values(["estimate", self.by], ascending=[False, True])
            return charts.dots(rows, label=self.by, unit=rows["unit"].iloc[0], ax=ax)
        rows = self.estimates[self._scores]
        if rows["suppressed"].all():
            return None
        return charts.columns(
            rows, x="score", unit="share", low="conf_low", high="conf_high", ax=ax
        )

    def sentence(self) -> str:
        """One line for the report, its numbers included."""
        if self.by is not None:
            return spread(self.headline, self.by, self.construct)
        row = self.headline.iloc[0]
        if row["suppressed"]:
            return f"{NAMES[self.construct]} is withheld: too few people stand behind it."
        return f"{lead(self.construct, self.scale, row, self.level)}{self._change_clause()}."

    def protect(self, rules: Policy | int) -> "Rating":
        """Withhold small groups, and all scores where one is small.

        Mean and top-box share are published too; with them the count of a single hidden
        score could be worked out, so the scores go together or not at all.
        """
        safe = super().protect(rules)
        estimates, scores = safe.estimates, safe._scores
        if not estimates.loc[scores, "suppressed"].any():
            return safe
        numbers = ["estimate", "conf_low", "conf_high", "n", "count"]
        estimates.loc[scores, numbers] = np.nan
        estimates.loc[scores, "suppressed"] = True
        about = "How often each score was given is withheld: too few people gave one of them."
        return replace(safe, note=f"{safe.note} {about}".strip())

    def _change_clause(self) -> str:
        if self.incomparable:
            return f"; {self.incomparable}"
        name = self.headline["metric"].iloc[0]
        changes = self.estimates[self.estimates["metric"] == _CHANGES[name]]
        row = changes.iloc[0]
        if row["suppressed"]:
            return ""
        said = words.change(row["estimate"], row["conf_low"], row["conf_high"], row["unit"])
        if row["conf_low"] > 0 or row["conf_high"] < 0:
            word = "higher" if row["conf_low"] > 0 else "lower"
            return f", {word} than in {self.previous}: {said}"
        seen = detectable_change(row["conf_low"], row["conf_high"], level=self.level)
        reach = words.signed(seen, row["unit"]).removeprefix("+")
        return f", no detectable change from {self.previous}: {said}; we could have seen ±{reach}"
