"""How many of those who set out get to each step, and where are most of them lost?

The rates are those of entrants whose window is over. Of the others nobody knows yet, and
to count them as lost would make every report look worse than the next one.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.data.funnel_settings import Funnel
from cxlab.errors import Withheld
from cxlab.journeys.funnels.counts import FunnelCounts, shared_counts
from cxlab.journeys.funnels.rates import UNITS, StepCounts, mature_steps, titled, together
from cxlab.journeys.funnels.wording import described, left_out, long_window, ruled
from cxlab.report import charts, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result, estimate_row, interval_row

__all__ = ["FEWEST", "FunnelResult", "funnel", "step_rows"]

FEWEST = 10  # entrants of whom a rate is made
IMMATURE = "not yet mature"
_RATES = {
    "estimate": "step_rate",
    "conf_low": "lowest_step_rate",
    "conf_high": "highest_step_rate",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class FunnelResult(Result):
    """How far the entrants of one cycle got, step by step.

    Attributes
    ----------
    spec : Funnel
        The funnel that was counted.
    cycle : str
        The cycle in which they entered.
    by : str
        What they are compared by; empty where they are not.
    """

    spec: Funnel
    cycle: str
    by: str = ""

    def table(self) -> pd.DataFrame:
        """One row per step: how many reached it, of all entrants, and of the step before."""
        keys = [*([self.by] if self.by else []), "step"]
        frame = self._rows("funnel.reached")[[*keys, "estimate", "suppressed"]]
        frame = frame.rename(columns={"estimate": "reached"})
        shares = self._rows("funnel.reached_share")[[*keys, "estimate", "conf_low", "conf_high"]]
        rates = self._rows("funnel.step_rate")[[*keys, *_RATES]].rename(columns=_RATES)
        for part in (shares, rates):
            frame = frame.merge(part, how="left", on=keys, validate="one_to_one")
        return frame.assign(step=frame["step"].map(self._named), unit="share")

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small groups, also where the note would tell of them."""
        safe = super().protect(rules)
        return replace(safe, note=f"{_waiting(safe.estimates, self.spec)} {self.note}")

    def plot(self, *, ax: Any = None) -> Any:
        """Draw a bar per step, or a dot per group."""
        if self.by:
            rows = self._rows("funnel.conversion_rate")
            whole = rows.loc[rows[self.by].isna(), "estimate"].iloc[0]
            return charts.dots(
                rows[rows[self.by].notna()], label=self.by, unit="share",
                reference=None if pd.isna(whole) else float(whole),
                axis=f"Share that reached {self.spec.steps[-1].name}, %", ax=ax,
            )  # fmt: skip
        frame = self.table()
        if not frame["suppressed"].iloc[0]:
            frame.loc[frame.index[0], "estimate"] = 1.0  # all who entered, drawn as the whole
        return charts.steps(frame, label="step", of_before="step_rate", ax=ax)

    def sentence(self) -> str:
        """The share that converted, and the step at which most were lost."""
        rows = self._rows("funnel.conversion_rate")
        whole = rows[rows[self.by].isna()].iloc[0] if self.by else rows.iloc[0]
        units, last = UNITS[self.spec.count_by], self.spec.steps[-1].name
        if whole["suppressed"]:
            return (
                f"Too few {units} who entered in {self.cycle} reached '{last}' to show their share."
            )
        said = (
            f"{words.value(whole['estimate'], 'share')} of the {words.number(whole['n'])} {units} "
            f"that entered in {self.cycle} reached '{last}' within {self.spec.window} "
            f"({words.interval(whole['conf_low'], whole['conf_high'], 'share')})"
        )
        return f"{said}; {self._between(rows) if self.by else self._worst()}."

    def _worst(self) -> str:
        required = self.spec.required
        rates = self._rows("funnel.step_rate")
        rates = rates[rates["step"].isin(required) & rates["estimate"].notna()]
        if rates.empty:
            return "at which step they were lost is withheld"
        worst = rates.sort_values("estimate", kind="stable").iloc[0]
        before = required[required.index(worst["step"]) - 1]
        lost = words.value(1 - worst["estimate"], "share")
        ends = words.interval(1 - worst["conf_high"], 1 - worst["conf_low"], "share")
        return (
            f"the largest loss is before '{worst['step']}': {lost} of those at '{before}' were "
            f"lost ({ends})"
        )

    def _between(self, rows: pd.DataFrame) -> str:
        known = rows[rows[self.by].notna() & rows["estimate"].notna()]
        known = known.sort_values("estimate", kind="stable")
        if list(known[self.by]) == [NOT_KNOWN]:
            return f"no group can be shown, since the log does not say their {self.by}"
        if len(known) < 2:
            return (
                f"{len(known)} of its groups can be shown"
                if len(known)
                else "no group can be shown"
            )
        low, high = (
            f"{words.value(row['estimate'], 'share')} ({row[self.by]}; "
            f"{words.interval(row['conf_low'], row['conf_high'], 'share')})"
            for _, row in known.iloc[[0, -1]].iterrows()
        )
        return f"its groups lie between {low} and {high}"

    def _named(self, step: str) -> str:
        optional = {s.name for s in self.spec.steps if s.optional}
        return f"{step} (optional)" if step in optional else step

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def funnel(
    interactions: TableLike,
    spec: Funnel,
    *,
    cycle: Cycle,
    by: str | TableLike | None = None,
    name: str = "",
) -> FunnelResult:
    """Count who of the cycle's entrants got how far, of those whose window is over.

    Parameters
    ----------
    interactions : table
        `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and what the funnel
        names.
    spec : Funnel
        The steps and what counts; see `Funnel`.
    cycle : Cycle
        Entrants belong to the cycle in which they entered; later rows are not looked at.
    by : str or table, optional
        A column of `interactions`, or a table of `customer_id` and one more column. Which row
        of an entrant gives the column is `spec.attribution`.
    name : str
        Name of the funnel where a report shows several: its rows carry it. Without one they
        are what a key measure such as `funnel.conversion_rate` shows.

    Returns
    -------
    FunnelResult
        `funnel.conversion_rate` (share of mature entrants that reached the last step), and by
        step `funnel.reached`, `funnel.reached_share` (of all entrants) and `funnel.step_rate`
        (of those at the required step before); with `by` the same for each group.
        `funnel.immature` counts the entrants that are left out since their window is not over.

    Raises
    ------
    Withheld
        If fewer than ten entrants of the cycle are mature.

    Notes
    -----
    Wilson's interval; where persons have several sessions or attempts, on the number of
    independent ones that would be worth as much.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    window = {"start": cycle.start, "cutoff": cycle.cutoff}
    counts = shared_counts(interactions, spec, **window, by=by)
    group, parts = counts.by, mature_steps(counts) if by is not None else {}
    if group is not None:
        # One person's sessions may be in several groups, so that clusters do not add up.
        alone = spec.count_by == "person"
        counts = together(counts) if alone else shared_counts(interactions, spec, **window)
    whole = enough(counts, spec, cycle)
    rows = [*_immature(counts), *step_rows(whole, **({group: None} if group else {}))]
    for one, steps in parts.items():
        rows += step_rows(steps, **{str(group): one})
    return FunnelResult(
        estimates=titled(pd.DataFrame(rows), name),
        subtitle=described(spec, cycle, by=group or ""),
        note=" ".join(filter(None, [long_window(spec, cycle), left_out(counts), ruled(spec)])),
        spec=spec,
        cycle=cycle.name,
        by=group or "",
    )


def enough(counts: FunnelCounts, spec: Funnel, cycle: Cycle) -> StepCounts:
    """Return the steps of mature entrants, or say why there are too few of them."""
    units = UNITS[spec.count_by]
    found = mature_steps(counts).get("")
    if found is not None and found.entrants >= FEWEST and found.persons(0) >= 2:
        return found
    waiting = words.number(_waiting_rows(counts)["n"].sum())
    raise Withheld(
        f"A conversion needs at least {FEWEST} {units} whose {spec.window} since "
        f"{spec.steps[0].name} are over, but {cycle.name} has "
        f"{words.number(found.entrants if found else 0)}; of {waiting} more they are not over yet. "
        f"{long_window(spec, cycle)}".rstrip()
    )


def step_rows(counts: StepCounts, **dims: object) -> list[dict[str, Any]]:
    """Rows of one group: its conversion, and of each step what reached it."""
    last = counts.last
    rows = [
        interval_row(
            "funnel.conversion_rate", counts.of_entrants(last), unit="share",
            count=counts.persons(last), step=None, maturity=None, **dims,
        )
    ]  # fmt: skip
    for i, step in enumerate(counts.steps["step"]):
        at = {"step": step, "maturity": None, **dims}
        n, people = float(counts.steps["n"].iloc[i]), counts.persons(i)
        rows.append(
            estimate_row(
                "funnel.reached", n, n, n,
                n=n, count=people, unit="count", method="complete count", **at,
            )
        )  # fmt: skip
        if i == 0:
            continue
        share = counts.of_entrants(i)
        rows.append(interval_row("funnel.reached_share", share, unit="share", count=people, **at))
        if (rate := counts.of_before(i)) is not None:
            rows.append(interval_row("funnel.step_rate", rate, unit="share", count=people, **at))
    return rows


def _immature(counts: FunnelCounts) -> list[dict[str, Any]]:
    rows = _waiting_rows(counts)
    n, people = float(rows["n"].sum()), float(rows["persons"].sum())
    return [
        estimate_row(
            "funnel.immature", n, n, n, n=n, count=people, unit="count",
            method="complete count", step=None, maturity=IMMATURE,
        )
    ]  # fmt: skip


def _waiting_rows(counts: FunnelCounts) -> pd.DataFrame:
    """Entrants whose window is not over, as rows of the first step."""
    reached = counts.reached
    return reached[(reached["step"] == 1) & ~reached["is_mature"].astype(bool)]


def _waiting(estimates: pd.DataFrame, spec: Funnel) -> str:
    """Say how many entrants are left out because their window is not over."""
    row = estimates[estimates["metric"] == "funnel.immature"].iloc[0]
    units = UNITS[spec.count_by]
    n = "too few to show how many" if row["suppressed"] else words.number(row["estimate"])
    return (
        f"Not counted, whether they converted or not: {units} that entered less than "
        f"{spec.window} before the end ({n})."
    )
