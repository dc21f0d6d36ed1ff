"""What was known of those who left before they did, and of those who stayed?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlab.churn.landmarks import Landmarks, landmarks
from cxlab.churn.lengths import WEEK
from cxlab.churn.model import (
    FEWEST_LEAVERS,
    Design,
    causes_of,
    counts_of,
    design_of,
    fitted,
    leavers,
    left_of,
)
from cxlab.churn.ratios_by_age import RatiosByAge, by_age
from cxlab.churn.spells import SAID
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.cox import CoxFit, ProportionalHazards, proportional_hazards
from cxlab.stats.multiplicity import holm

__all__ = ["ChurnDrivers", "churn_drivers"]

_RATIO, _TEST, _PH = "churn.hazard_ratio", "churn.p_driver", "churn.p_proportional"
_EACH = 5  # leavers for each covariate


@dataclass(frozen=True, kw_only=True, eq=False)
class ChurnDrivers(Result):
    """By what the rate of leaving is multiplied, for each sign and attribute.

    Attributes
    ----------
    window_days : int
        How far back signs were counted.
    split_weeks : int
        Age at which a ratio that does not stay the same is split.
    by_age : RatiosByAge
        The ratios of the first cause in bands of age.
    """

    window_days: int
    split_weeks: int
    by_age: RatiosByAge = field(repr=False)
    # A ratio for one cause tells nothing of how many left of another.
    apart = ("cause",)

    def table(self) -> pd.DataFrame:
        """One row per cause and covariate: ratio, interval, p-value."""
        rows = self._rows(_RATIO)
        keys = ["cause", "covariate", "period"]
        tests = self._rows(_TEST).set_index(keys)["estimate"]
        rows = rows.assign(p_holm=[tests.get(key, np.nan) for key in rows.set_index(keys).index])
        fails = self._rows(_PH).set_index(["cause", "covariate"])["estimate"]
        same = rows.set_index(["cause", "covariate"]).index
        rows = rows.assign(p_proportional=[fails.get(key, np.nan) for key in same])
        return rows.drop(columns=["count", "method", "metric", "unit"]).reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the ratios of the first cause with their intervals."""
        rows = self._rows(_RATIO)
        rows = rows[rows["cause"] == rows["cause"].iloc[0]]
        named = rows["covariate"].where(
            rows["period"].isna(), rows["covariate"] + ", " + rows["period"].fillna("")
        )
        rows = rows.assign(covariate=named).sort_values("estimate", ascending=False, kind="stable")
        return charts.dots(
            rows, label="covariate", unit="mean", reference=1.0, reference_name="no difference",
            axis=f"Times the rate of leaving{SAID[rows['cause'].iloc[0]]}", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """What goes with leaving most clearly, and whether its ratio stays the same."""
        rows = self.table()
        shown = rows[~rows["suppressed"].astype(bool) & rows["p_holm"].notna()]
        if shown.empty:
            return "Too few left after each sign to tell what goes with leaving."
        cause = SAID[str(rows["cause"].iloc[0])]
        first = shown[shown["cause"] == rows["cause"].iloc[0]]
        clear = first[first["p_holm"] <= 1 - self.level]
        many = int(first["covariate"].nunique())
        if clear.empty:
            whole = words.plural(many, "sign or attribute", "signs and attributes")
            known = f"known when a cycle began (signs of the {self.window_days} days before)"
            if many == 1:
                return f"The one {whole[2:]} {known} does not clearly go with leaving{cause} in it."
            return (
                f"Of {whole} {known}, none clearly goes with leaving{cause} within it, all else "
                f"alike.{_by_chance(first, len(rows[rows['cause'] == rows['cause'].iloc[0]]))}"
            )
        # A ratio that changes with age leads, for its mean would say what is never true.
        moving = clear[clear["period"].notna()]
        pick = moving if len(moving) else clear
        row = pick.iloc[pick["estimate"].astype(float).map(math.log).abs().argmax()]
        when = "" if pd.isna(row["period"]) else f" {row['period']}"
        others = sorted(set(clear["covariate"]) - {row["covariate"]})
        if len(others) > 2:
            others = [f"{len(others)} more of {words.number(many)}"]
        also = f" Clear as well: {words.listing(others)}." if others else ""
        named = str(row["covariate"])
        seen = "" if ": " in named else f", in the {self.window_days} days before a cycle,"
        return (
            f"{named[:1].upper()}{named[1:]}{seen} goes with "
            f"{words.value(row['estimate'], 'mean')} times the rate of leaving{cause}{when} "
            f"({words.interval(row['conf_low'], row['conf_high'], 'mean')}), all else alike."
            f"{also} Association, not cause."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def _by_chance(rows: pd.DataFrame, many: int) -> str:
    """Say of an interval that is clear of 1 why it is not called clear."""
    apart = rows[(rows["conf_low"] > 1) | (rows["conf_high"] < 1)]
    if apart.empty:
        return ""
    # Holm's values are often alike: the clearest is the one furthest from 1 for its width.
    mid, low, high = (
        apart[c].astype(float).map(math.log) for c in ("estimate", "conf_low", "conf_high")
    )
    row = apart.iloc[int((mid.abs() / (high - low)).to_numpy().argmax())]
    when = "" if pd.isna(row["period"]) else f" {row['period']}"
    ratio = words.value(row["estimate"], "mean")
    ends = words.interval(row["conf_low"], row["conf_high"], "mean")
    return (
        f" Were it the only question, {row['covariate']} would{when}: {ratio} times ({ends}); of "
        f"{many} questions, chance makes some look so."
    )


def churn_drivers(
    subscriptions: TableLike,
    signals: TableLike | None = None,
    *,
    cycle: Cycle,
    drivers: Sequence[str] = (),
    window_days: int = 91,
    cycles: int = 8,
    complete_from: date | None = None,
    split_weeks: int = 26,
) -> ChurnDrivers:
    """Relate leaving within a cycle to what was known when the cycle began.

    Parameters
    ----------
    subscriptions : table
        With `subscription_id`, `customer_id`, `started_at`, `ended_at`, where known `end_kind`,
        and the drivers.
    signals : table, optional
        customer_id, signal, occurred_at, as `signals` gathers them.
    cycle : Cycle
        The last of the cycles whose beginnings are landmarks.
    drivers : sequence of str
        Columns of `subscriptions` that were known when it began.
    window_days : int
        Signs count for so many days before a landmark.
    cycles : int
        How many landmarks.
    complete_from : datetime.date, optional
        First day of the records.
    split_weeks : int
        Week of a subscription's life at which ratios that change are split; name it beforehand.

    Returns
    -------
    ChurnDrivers
        `churn.hazard_ratio` by cause and covariate (and `period` where the ratio changes with
        age), `churn.p_driver` (Holm's) and `churn.p_proportional` (Holm's); in `by_age`,
        `churn.ratio_by_age`.

    Raises
    ------
    Withheld
        If fewer than twenty left, or no sign or attribute was met by enough of them.

    Notes
    -----
    A row per subscription and landmark, under observation from its age at the landmark until it
    ends or the cycle does: no row knows anything of the time it is about. Age is the time scale,
    so ratios compare subscriptions of one age. Cox's regression, Efron's ties; for each cause
    the other one ends observation. Errors take rows of a customer together (Lin & Wei).
    Where the scaled Schoenfeld test finds that a ratio does not stay the same, it is given for
    two ages instead. The split is what `split_weeks` says, not where the data would have it.

    References
    ----------
    van Houwelingen (2007), Scandinavian Journal of Statistics 34, 70-85, on landmarks; Lin & Wei
    (1989), Journal of the American Statistical Association 84, 1074-1078; Grambsch & Therneau
    (1994), Biometrika 81, 515-526.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> held = pd.DataFrame({
    ...     "subscription_id": range(200), "customer_id": [f"c{i}" for i in range(200)],
    ...     "started_at": pd.Timestamp("2017-06-01"), "plan": ["a", "b"] * 100,
    ...     "ended_at": [pd.Timestamp("2018-02-01"), pd.NaT] * 20
    ...     + [pd.NaT, pd.NaT, pd.Timestamp("2018-03-01"), pd.Timestamp("2018-03-08")] * 10
    ...     + [pd.NaT] * 120})
    >>> found = churn_drivers(held, cycle=parse_cycle("2018Q1"), drivers=["plan"], cycles=1)
    >>> round(float(found.table()["estimate"].iloc[0]), 2)
    0.27
    """
    marks = landmarks(
        subscriptions, signals, cycle=cycle, drivers=drivers, window_days=window_days,
        cycles=cycles, complete_from=complete_from,
    )  # fmt: skip
    counts = counts_of(marks)
    n = counts["n"].to_numpy(float)
    total = float(n[left_of(counts, "any")].sum())
    if total < FEWEST_LEAVERS:
        raise Withheld(
            f"What goes with leaving needs {FEWEST_LEAVERS} subscriptions that ended within "
            f"{words.plural(cycles, 'cycle')} of a landmark, but {words.number(total)} did."
        )
    rows: list[dict[str, Any]] = []
    told: list[str] = []
    aged: list[RatiosByAge] = []
    for cause in causes_of(counts):
        had = left_of(counts, cause)
        design = design_of(counts, marks, had)
        many = float(n[had].sum())
        if not design.names or many < _EACH * len(design.names):
            continue
        fit = fitted(counts, design, had, marks=marks)
        checks = proportional_hazards(fit)
        p_values = _adjusted(checks)
        rows += _cause_rows(counts, design, had, marks, cause, split_weeks, fit, p_values)
        aged.append(by_age(counts, design, had, cause, fit, checks.residuals, p_values))
        told.append(f"{words.number(many)} ended{SAID[cause]}")
        against, follows = design.against, design.follows
    if not rows:
        raise Withheld(
            "No sign and no attribute was met by enough of those who left to tell its ratio."
        )
    held = words.listing([f"{a.replace('_', ' ')}: {level}" for a, level in against.items()])
    return ChurnDrivers(
        estimates=pd.DataFrame(rows),
        subtitle="Times the rate of leaving, per sign seen (at most two count) in the "
        f"{window_days} days before a cycle began, and by attribute; 95% intervals",
        note=f"Base: {words.number(n.sum())} times that a subscription ran when a cycle began; "
        f"{words.listing(told)} before the next one. Only what was known when the cycle began. "
        + (f"Attributes are held against {held}. " if held else "")
        + (
            f"Left out, since it follows from the others: {words.listing([*follows])}. "
            * bool(follows)
        )
        + "Intervals take the rows of a customer together; p-values are Holm's.",
        window_days=window_days,
        split_weeks=split_weeks,
        by_age=aged[0],
    )


def _cause_rows(
    counts: pd.DataFrame,
    design: Design,
    had: Any,
    marks: Landmarks,
    cause: str,
    split: int,
    fit: CoxFit,
    checks: dict[str, float],
) -> list[dict[str, Any]]:
    """Rows of one cause: ratios, their tests, and whether each stays the same."""
    failing = [name for name, p in checks.items() if p < 1 - fit.level]
    failing = [name for name in failing if _both_sides(counts, design, had, name, split)]
    if failing:
        fit = fitted(counts, design, had, marks=marks, split=split, changing=failing)
    people = leavers(counts, design, had)
    p_values = fit.table()["p_value"].to_numpy(float)
    adjusted = holm(p_values.tolist()) if np.isfinite(p_values).all() else p_values
    rows = []
    for name, p_value in zip(fit.names, adjusted, strict=True):
        covariate, period = name, None
        if name.removesuffix(" until") in failing and name.endswith(" until"):
            covariate, period = name.removesuffix(" until"), f"until day {WEEK * split}"
        elif name.removesuffix(" after") in failing and name.endswith(" after"):
            covariate, period = name.removesuffix(" after"), f"after day {WEEK * split}"
        dims = {"cause": cause, "covariate": covariate, "period": period}
        found, size = fit.hazard_ratio(name), people[covariate]
        row = interval_row(_RATIO, found, unit="mean", count=size, **dims)
        test = estimate_row(
            _TEST, float(p_value), math.nan, math.nan, n=fit.n, count=size, unit="p",
            method=f"Wald test, Holm over {len(fit.names)}", **dims,
        )  # fmt: skip
        hidden = {"suppressed": not math.isfinite(found.low)}
        rows += [row | hidden, test | hidden]
    for name, p_value in checks.items():
        rows.append(
            estimate_row(
                _PH, p_value, math.nan, math.nan, n=fit.n, count=people[name], unit="p",
                method=f"scaled Schoenfeld test, Holm over {len(checks)}",
                cause=cause, covariate=name, period=None,
            )
        )  # fmt: skip
    return rows


def _adjusted(checks: ProportionalHazards) -> dict[str, float]:
    """Whether each ratio stays the same, adjusted for their number."""
    single = checks.tests[checks.tests["term"] != "GLOBAL"]
    return dict(zip(single["term"], holm(single["p_value"].tolist()).tolist(), strict=True))


def _both_sides(counts: pd.DataFrame, design: Design, had: Any, name: str, split: float) -> bool:
    """Whether enough left on both sides of the split, with the covariate and without."""
    with_it = design.matrix(counts)[name].to_numpy() > 0
    late = counts["stop"].to_numpy() > split
    n = counts["n"].to_numpy(float) * had
    return all(n[(late == side) & (with_it == has)].sum() >= _EACH
               for side in (True, False) for has in (True, False))  # fmt: skip
