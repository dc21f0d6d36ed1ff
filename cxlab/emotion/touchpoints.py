"""What do customers feel, and at which touchpoint do they feel it?

Only questions about a feeling count. What people write is another source, and the two
are never averaged: each row says which it comes from. Where a study asks for no feeling,
its satisfaction stands in as a source of its own, and is called what it is.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, in_one_engine, query, view
from cxlab.emotion.asked import OUTSIDE, VALENCE, asked, off_scale
from cxlab.errors import DataError, Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, cluster_mean, effective_n
from cxlab.stats.intervals import Interval, constant_mean, wilson

__all__ = ["FELT", "SATISFIED", "Felt", "felt"]

FELT, SATISFIED = "survey, feeling", "survey, satisfaction"  # text will be a source of its own
FEWEST = 10  # answers below which no interval is trusted

_METRIC = {FELT: "emotion.valence", SATISFIED: "emotion.satisfaction"}
_WORDS = {FELT: "Feeling", SATISFIED: "Satisfaction"}

_ANSWERS = """
select a.customer_id, cast(g.{by} as varchar) as felt_at, {persona} as persona, a.felt,
    a.value, a.low, a.high, a.sign
from answers as a join g on a.touchpoint = g.touchpoint
where a.answered_at >= $start and a.answered_at < $cutoff
"""

# A named emotion is felt above the middle of its scale.
_SUMS = f"""
select felt_at, persona, felt, min(low) as low, max(high) as high,
    sum(case when n > 0 then 1 else 0 end) as customers, sum(unanswered) as unanswered,
    sum(outside) as outside, sum(n) as n, sum(n * n) as n_n,
    sum(valence) as valence, sum(n * valence) as n_valence, sum(valence * valence) as valence_2,
    sum(marked) as marked, sum(n * marked) as n_marked, sum(marked * marked) as marked_2
from (
    select customer_id, felt_at, persona, felt, min(low) as low, max(high) as high,
        count(value) as n, count(*) - count(value) as unanswered,
        sum(case when {OUTSIDE} then 1 else 0 end) as outside,
        cast(coalesce(sum(cast({VALENCE} as decimal(18, 12))), 0) as decimal(18, 12)) as valence,
        coalesce(sum(case when sign * (2 * value - low - high) > 0 then 1 else 0 end), 0) as marked
    from a group by customer_id, felt_at, persona, felt
) as c
group by felt_at, persona, felt
order by felt_at, persona, felt
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Felt(Result):
    """Valence from -1 to +1 per touchpoint or stage, and the emotions that were named."""

    cycle: str
    by: str
    source: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw one dot per group, from the best feeling to the worst."""
        rows = self._valence().sort_values("estimate", ascending=False, kind="stable")
        if rows.empty:
            return None
        label = rows[self.by]
        if "persona" in rows:
            label = label + rows["persona"].map(lambda p: "" if pd.isna(p) else f", {p}")
        return charts.dots(
            rows.assign(group=label), label="group", unit="points", reference=0.0,
            reference_name="neutral", axis=f"{_WORDS[self.source]}, −1 to +1", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Where customers feel best and where worst."""
        rows = self._valence()
        if "persona" in rows:
            rows = rows[rows["persona"].isna()]
        rows = rows.dropna(subset="estimate").sort_values("estimate", kind="stable")
        noun = "feel" if self.source == FELT else "are satisfied"
        if rows.empty:
            return f"Too few customers said in {self.cycle} what they {noun} to show any of it."
        worst, best = rows.iloc[0], rows.iloc[-1]
        if len(rows) == 1:
            what = _WORDS[self.source].lower()
            return f"At {best[self.by]} customers' {what} is {_said(best)} on −1 to +1."
        verb = "feel best" if self.source == FELT else "are most satisfied"
        low = "worst" if self.source == FELT else "least"
        return (
            f"Customers {verb} at {best[self.by]}: {_said(best)} on −1 to +1, and {low} at "
            f"{worst[self.by]}: {_said(worst)}."
        )

    def _valence(self) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == _METRIC[self.source]]


def felt(
    answers: TableLike,
    *,
    cycle: Cycle,
    by: str | pd.DataFrame = "touchpoint",
    persona: TableLike | None = None,
) -> Felt:
    """Valence per touchpoint, and the share of customers who name each emotion.

    Parameters
    ----------
    answers : table
        The table `answers`; its rows with construct emotion that name a touchpoint. Their
        dimension is `valence`, or an emotion such as `joy`. Where there are none, those with
        construct csat.
    cycle : Cycle
        Answers given in it.
    by : str or pandas.DataFrame
        `touchpoint`, or a frame with `touchpoint` and one more column, such as `stage`. A
        touchpoint may belong to several stages; its answers then count in each.
    persona : table, optional
        `customer_id` and one more column: each persona apart, besides all customers.

    Returns
    -------
    Felt
        `emotion.valence` (-1 to +1) and `emotion.share` of each named emotion, by touchpoint
        and `source`; or `emotion.satisfaction` on the same scale where no feeling was asked.

    Raises
    ------
    Withheld
        If nobody was asked about a touchpoint in this cycle.
    DataError
        If a value lies outside its scale.

    Notes
    -----
    A scale is stretched evenly, its middle to 0. A named emotion counts where the answer is
    above the middle of its scale. Customers who answer several times are clusters.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> answers = pd.DataFrame({
    ...     "customer_id": [str(i) for i in range(20)], "answered_at": pd.Timestamp("2026-08-01"),
    ...     "construct": "emotion", "dimension": "valence", "touchpoint": "delivery",
    ...     "value": [3] * 10 + [0] * 10, "scale_min": -3, "scale_max": 3})
    >>> felt(answers, cycle=parse_cycle("2026Q3")).sentence()
    "At delivery customers' feeling is +0.50 (+0.26 to +0.74) on −1 to +1."
    """
    sums, name = _summed(answers, cycle, by, persona)
    bad = int(sums.loc[sums["persona"].isna(), "outside"].sum())
    if bad:
        raise off_scale(bad, f" in {cycle.name}")
    told = sums[sums["n"] > 0]
    source = FELT if (told["felt"] != "satisfaction").any() else SATISFIED
    if source == FELT:
        told = told[told["felt"] != "satisfaction"]
    if told.empty:
        raise Withheld(
            f"Nobody was asked in {cycle.name} what they felt at a touchpoint: map answers with "
            "construct `emotion` and a `touchpoint`, from a question such as: how did you feel?"
        )
    rows = [_row(g, name, source, dims=persona is not None) for g in told.to_dict("records")]
    everybody = told if persona is None else told[told["persona"].isna()]
    return Felt(
        estimates=pd.DataFrame(rows),
        subtitle=f"{_WORDS[source]} by {name}, mean from −1 (bad) to +1 (good), answers of "
        f"{cycle.first_day} to {cycle.last_day}; 95% interval",
        note=_note(everybody, sums, source, by, cycle),
        cycle=cycle.name,
        by=name,
        source=source,
    )


def _summed(
    answers: TableLike, cycle: Cycle, by: str | pd.DataFrame, persona: TableLike | None
) -> tuple[pd.DataFrame, str]:
    """Sum the answers over customers, one row per group, persona and feeling."""
    (given,) = in_one_engine(answers) if persona is None else in_one_engine(answers, persona)[:1]
    rows = asked(given)
    if "touchpoint" not in rows.columns:
        raise Withheld("No answer names its touchpoint: map the column `touchpoint` of answers.")
    groups, name = _groups(rows, by)
    parts = [(rows, "cast(null as varchar)")]
    if persona is not None:
        named, column = grouped(rows, persona)
        parts.append((named, f'a."{column}"'))
    sums = []
    for answered, who in parts:
        sql = _ANSWERS.format(by=f'"{name}"', persona=who)
        of_cycle = view(sql, answers=answered, g=groups, start=cycle.start, cutoff=cycle.cutoff)
        sums.append(query(_SUMS, a=of_cycle))
    return pd.concat([s for s in sums if len(s)] or sums[:1], ignore_index=True), name


def _groups(rows: Table, by: str | pd.DataFrame) -> tuple[Table, str]:
    """Say into which groups the answers about a touchpoint go."""
    if isinstance(by, pd.DataFrame):
        names = [c for c in by.columns if c != "touchpoint"]
        if len(names) != 1 or len(names) == len(by.columns):
            raise DataError(
                f"`by` must have 'touchpoint' and one more column, but has {list(by.columns)}."
            )
        return rows.engine.table(by[["touchpoint", *names]].drop_duplicates()), names[0]
    if by != "touchpoint":
        raise DataError(f"`by` must be 'touchpoint' or a frame of touchpoints, but is {by!r}.")
    return view("select distinct touchpoint from a where touchpoint is not null", a=rows), by


def _row(group: dict[Any, Any], by: str, source: str, *, dims: bool) -> dict[str, Any]:
    """Make the row of one group: a mean, or the share who named one emotion."""
    said = {"source": source, by: group["felt_at"], "emotion": None}
    said |= {"persona": group["persona"]} if dims else {}
    metric, unit = _METRIC[source], "points"
    if group["felt"] not in ("valence", "satisfaction"):
        metric, unit, said["emotion"] = "emotion.share", "share", group["felt"]
    if group["n"] < FEWEST or group["customers"] < 2:
        method = f"withheld: fewer than {FEWEST} answers, or of one customer only"
        row = estimate_row(
            metric, float("nan"), float("nan"), float("nan"), n=float("nan"),
            count=group["customers"], unit=unit, method=method, **said,
        )  # fmt: skip
        return {**row, "suppressed": True}
    found = _share(group) if unit == "share" else _valence(group)
    return interval_row(metric, found, unit=unit, count=group["customers"], **said)


def _valence(group: dict[Any, Any]) -> Interval:
    sums = _cluster(group, "valence")
    if sums.variance > 0:
        return cluster_mean(sums).clip(-1, 1)
    found = constant_mean(sums.customers, sums.mean, scale_min=-1, scale_max=1)
    return Interval(
        estimate=found.estimate, low=found.low, high=found.high, n=sums.n, method=found.method
    )


def _share(group: dict[Any, Any]) -> Interval:
    sums = _cluster(group, "marked")
    size = effective_n(sums, sums.mean * (1 - sums.mean)) if sums.repeated else None
    return wilson(sums.total, sums.n, n_eff=size)


def _cluster(group: dict[Any, Any], what: str) -> ClusterSums:
    return ClusterSums(
        customers=float(group["customers"]), n=float(group["n"]), total=float(group[what]),
        n_n=float(group["n_n"]), n_total=float(group[f"n_{what}"]),
        total_total=float(group[f"{what}_2"]),
    )  # fmt: skip


def _note(
    asked: pd.DataFrame, sums: pd.DataFrame, source: str, by: str | pd.DataFrame, cycle: Cycle
) -> str:
    scales = asked[["low", "high"]].drop_duplicates().sort_values(["low", "high"])
    listed = words.listing(
        [
            f"{words.number(low)} to {words.number(high)}"
            for low, high in scales.to_numpy(dtype=float)
        ]
    )
    kept = sums if sums["persona"].isna().all() else sums[sums["persona"].isna()]
    silent = int(kept.loc[kept["felt"].isin(asked["felt"]), "unanswered"].sum())
    said = f"Source: {source}, asked on {listed} and stretched to −1 to +1. "
    if source == SATISFIED:
        said += "No feeling was asked: satisfaction is a judgement, and stands in for it. "
    if isinstance(by, pd.DataFrame) and by["touchpoint"].duplicated().any():
        said += f"What was felt at a touchpoint counts in each {by.columns[-1]} that has it. "
    said += f"Answers of {cycle.name}, unweighted; customers are clusters."
    return said + (f" {words.plural(silent, 'answer')} left empty." if silent else "")


def _said(row: Any) -> str:
    ends = (
        f"{words.signed(row['conf_low'], 'points')} to {words.signed(row['conf_high'], 'points')}"
    )
    return f"{words.signed(row['estimate'], 'points')} ({ends})"
