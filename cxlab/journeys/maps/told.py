"""What a journey map says in words: its sentence, and the facts over the map of a persona."""

import pandas as pd

from cxlab.journeys.maps.phases import EVERYBODY, Stages
from cxlab.journeys.maps.reading import FELT, between, by_stage, rows_of, signed
from cxlab.report import words

__all__ = ["facts", "told"]

_WORTH = 0.05  # share of journeys below which an end is no headline
_SIZE = "map.journeys"


def told(estimates: pd.DataFrame, persona: str, stages: Stages, *, cycle: str, outcome: str) -> str:
    """Say in one sentence where customers feel worst, and where most journeys end."""
    rows = rows_of(estimates, persona=persona)
    felt = by_stage(rows_of(rows, metric=list(FELT))).dropna(subset="estimate")
    who = "" if persona == EVERYBODY else f" ({persona})"
    said = []
    if len(felt) > 1:
        order = felt.sort_values("estimate", kind="stable")
        worst, best = order.iloc[0], order.iloc[-1]
        verb = "feel" if worst["metric"] == "emotion.valence" else "are"
        high, low = ("best", "worst") if verb == "feel" else ("most satisfied", "least")
        said.append(
            f"Customers{who} {verb} {high} in stage '{best['stage']}' ({signed(best)}) and {low} "
            f"in '{worst['stage']}' ({signed(worst)})"
        )
    ends = rows_of(rows, metric="map.ending_share").dropna(subset="estimate")
    ends = ends[ends["estimate"] >= _WORTH]
    if len(ends):
        top = ends.sort_values("estimate", kind="stable").iloc[-1]
        share = words.value(top["estimate"], "share")
        whose = "" if said else who
        said.append(
            f"{share} of the journeys{whose} that come to '{top['stage']}' end there, without "
            f"'{outcome}'"
        )
    if not said:
        return f"The journey of {cycle}{who}, in {words.plural(len(stages.names), 'stage')}."
    first = said[0] if len(felt) > 1 else said[0][:1].upper() + said[0][1:]
    return "; ".join([first, *said[1:]]) + "."


def facts(rows: pd.DataFrame, outcome: str) -> list[str]:
    """List what is known of all journeys of a persona."""
    said = []
    size = rows_of(rows, metric=_SIZE)
    if len(size):
        row = size.iloc[0]
        said.append(
            "Size withheld: too few people"
            if pd.isna(row["estimate"])
            else f"{words.plural(row['estimate'], 'journey')} of "
            f"{words.plural(row['count'], 'person', 'people')}"
        )
    share = rows_of(rows, metric="journey.outcome_share").dropna(subset="estimate")
    if len(share):
        row = share.iloc[0]
        ends = words.interval(row["conf_low"], row["conf_high"], "share")
        said.append(f"{words.value(row['estimate'], 'share')} come to '{outcome}' ({ends})")
    for metric, half_said in (
        ("journey.days_to_outcome", "half of these within {}"),
        ("journey.days_in_all", "half are over after {}"),
    ):
        half = rows_of(rows, metric=metric, measure="median").dropna(subset="estimate")
        if len(half):
            row = half.iloc[0]
            said.append(f"{half_said.format(words.duration(row['estimate']))} ({between(row)})")
            break
    fits = rows_of(rows, metric="plan.journeys_share").dropna(subset="estimate")
    if len(fits):
        row = fits.iloc[0]
        ends = words.interval(row["conf_low"], row["conf_high"], "share")
        said.append(f"{words.value(row['estimate'], 'share')} follow the plan throughout ({ends})")
    return said
