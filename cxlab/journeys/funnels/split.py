"""Did the conversion change within the groups, or did other groups come?

A shop whose app and whose pages both convert better can still convert worse, if more people
come by the one that converts less. The change of the whole is split into what the groups'
own rates did and what their sizes did; the two add up to it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from cxlab.columns import ALL_OTHERS
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.data.funnel_settings import Funnel
from cxlab.journeys.funnels.both_cycles import both_cycles
from cxlab.journeys.funnels.changes import difference, two_cycles
from cxlab.journeys.funnels.counts import counted
from cxlab.journeys.funnels.funnel import enough
from cxlab.journeys.funnels.rates import StepCounts, mature_steps, titled, together
from cxlab.journeys.funnels.wording import described, ruled
from cxlab.report import charts, words
from cxlab.report.finding import Result, interval_row
from cxlab.stats.intervals import Interval
from cxlab.stats.rate_and_mix import RateAndMix, rate_and_mix

__all__ = ["FunnelSplit", "funnel_split"]

_MOST = 12  # groups with rows of their own
_PARTS = {"funnel.rate_change": "own rate", "funnel.mix_change": "mix"}


@dataclass(frozen=True, kw_only=True, eq=False)
class FunnelSplit(Result):
    """What the groups' own rates and their mix did to the conversion.

    Attributes
    ----------
    spec : Funnel
        The funnel that was counted.
    cycle, before : str
        Names of the two cycles.
    by : str
        What the groups are.
    """

    spec: Funnel
    cycle: str
    before: str
    by: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw both parts of the change, of all groups together and of each."""
        rows = self.estimates[self.estimates["metric"].isin(list(_PARTS))]
        names = rows[self.by].fillna("All") + ": " + rows["metric"].map(_PARTS)
        return charts.diverging(
            rows.assign(**{self.by: names}), label=self.by, unit="share",
            axis="Part of the change of the conversion, percentage points", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say of what the change of the conversion is made."""
        rows = self.estimates[self.estimates[self.by].isna()]
        if rows["suppressed"].any():
            return f"Too few converted to split the change from {self.before}."
        moved = {
            row["metric"]: words.change(row["estimate"], row["conf_low"], row["conf_high"], "share")
            for row in rows.to_dict("records")
        }
        whole, rate, mix = (moved[m] for m in ("funnel.conversion_change", *_PARTS))
        all_of_it = rows[rows["metric"] == "funnel.conversion_change"].iloc[0]
        clear = all_of_it["conf_low"] > 0 or all_of_it["conf_high"] < 0
        group = self.by.replace("_", " ")
        return (
            f"{'Clear' if clear else 'No clear'} change of the conversion from {self.before} to "
            f"{self.cycle}: {whole}. Of it {rate} is the part of each {group}'s own rate, and "
            f"{mix} that of another mix of them."
        )


def funnel_split(
    interactions: TableLike,
    spec: Funnel,
    *,
    cycle: Cycle,
    by: str | TableLike,
    complete_from: date | None = None,
    name: str = "",
) -> FunnelSplit:
    """Split the change of the conversion into the groups' own rates and their mix.

    Parameters
    ----------
    interactions : table
        `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and what the funnel
        names.
    spec : Funnel
        The steps and what counts; see `Funnel`.
    cycle : Cycle
        This cycle; it is compared with the one before.
    by : str or table
        A column of `interactions`, or a table of `customer_id` and one more column. Which row
        of an entrant gives the column is `spec.attribution`.
    complete_from : datetime.date, optional
        First day for which the data are complete; no earlier cycle is compared.
    name : str
        Name of the funnel where a report shows several: its rows carry it. Without one they
        are what a key measure such as `funnel.conversion_rate` shows.

    Returns
    -------
    FunnelSplit
        `funnel.rate_change` and `funnel.mix_change`, by group and in all. They add up to
        `funnel.conversion_change`.

    Raises
    ------
    Withheld
        If fewer than ten entrants of a cycle are mature, or its data are not complete.

    Notes
    -----
    Intervals by the delta method, without chance of their own; where people have several
    sessions or attempts, the variance carries the design effect of the conversion. People who
    entered in both cycles widen the interval where they make the two rates go apart, and
    narrow it nowhere. Beyond the twelve largest, groups are taken together.

    References
    ----------
    Kitagawa (1955), Journal of the American Statistical Association 50, 1168-1194.
    """
    sides = two_cycles(interactions, spec, cycle, complete_from, by=by)
    parts = [counted(side) for side in sides]
    wholes = parts
    if spec.count_by != "person":  # one person's sessions may be in several groups
        wholes = [counted(side.ungrouped()) for side in sides]
    now = enough(together(wholes[0]), spec, cycle)
    before = enough(together(wholes[1]), spec, cycle.previous)
    group = str(parts[0].by)
    cells = _cells(*(mature_steps(counts) for counts in parts))
    tie = both_cycles(*sides)
    likeness = tie.correlation(now, before, now.last, of_entrants=True)
    split = rate_and_mix(
        cells, design_effect=now.design_effect, design_effect_before=before.design_effect,
        correlation=min(0.0, likeness),
    )  # fmt: skip
    last = now.last
    gap = difference(now.of_entrants(last), before.of_entrants(last), likeness)
    people = min(now.persons(last), before.persons(last))
    whole = interval_row(
        "funnel.conversion_change", gap, unit="share", count=people, **{group: None}
    )
    return FunnelSplit(
        estimates=titled(pd.DataFrame([whole, *_parts(split, cells, people, group)]), name),
        subtitle=described(spec, cycle, by=group).replace("Share of", "Change of the share of", 1),
        note=f"{_note(split, spec, cycle, likeness=likeness)} {ruled(spec)}",
        spec=spec,
        cycle=cycle.name,
        before=cycle.previous.name,
        by=group,
    )


def _cells(now: dict[str, StepCounts], before: dict[str, StepCounts]) -> pd.DataFrame:
    """Entrants and converted of each group in both cycles, the largest groups first."""
    rows = []
    for group in {**now, **before}:
        sides = [each.get(group) for each in (now, before)]
        n, n_before = (s.entrants if s else 0.0 for s in sides)
        total, total_before = (s.converted if s else 0.0 for s in sides)
        people, people_before = (s.persons(s.last) if s else 0.0 for s in sides)
        rows.append((group, n, total, people, n_before, total_before, people_before))
    columns = ["group", "n", "total", "people", "n_before", "total_before", "people_before"]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(size=frame["n"] + frame["n_before"])
    frame = frame.sort_values(["size", "group"], ascending=[False, True], ignore_index=True)
    if len(frame) > _MOST:
        frame.loc[_MOST - 1 :, "group"] = ALL_OTHERS
        frame = frame.groupby("group", sort=False, as_index=False).sum()
    return frame.drop(columns="size")


def _parts(
    split: RateAndMix, cells: pd.DataFrame, people: float, name: str
) -> list[dict[str, Any]]:
    """Rows of the two parts in all, and of each group's two."""
    rows = [
        interval_row(metric, found, unit="share", count=people, **{name: None})
        for metric, found in zip(_PARTS, (split.rate, split.mix), strict=True)
    ]
    sides = cells.set_index("group")[["people", "people_before"]]
    for group in split.groups.to_dict("records"):
        both, behind = group["presence"] == "both", sides.loc[group["group"]]
        # Of a group that is new or gone, the people of the one cycle that it has.
        few = float(behind.min() if both else behind.max())
        for metric, part in zip(_PARTS, ("rate", "mix"), strict=True):
            if part == "rate" and not both:
                continue  # it has no change of its own
            effect = Interval(
                estimate=group[part], low=group[f"{part}_low"], high=group[f"{part}_high"],
                n=group["n"] + group["n_before"], method=split.rate.method,
            )  # fmt: skip
            rows.append(
                interval_row(metric, effect, unit="share", count=few, **{name: group["group"]})
            )
    return rows


def _note(split: RateAndMix, spec: Funnel, cycle: Cycle, *, likeness: float) -> str:
    said = [
        "The parts of all groups add up to the change. A group's mix counts how much its size "
        "changed, times how far its rate lies from that of all. Each cycle without its last "
        f"{spec.window}, so that all had as long to convert."
    ]
    if likeness > 0:
        said.append(
            "People who entered in both are taken as strangers in the parts, which makes their "
            "intervals rather too wide."
        )
    for presence, words_ in (("new", "New in"), ("gone", "No longer in")):
        names = split.groups["group"][split.groups["presence"] == presence]
        if len(names):
            said.append(
                f"{words_} {cycle.name}: {words.first_few(list(names))}; what is new or gone is "
                "mix alone."
            )
    return " ".join(said)
