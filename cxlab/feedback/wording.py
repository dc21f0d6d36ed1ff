"""The words around a rating: what it says, what it rests on, why it may not be compared."""

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.feedback.answers import FEWEST, Answers
from cxlab.feedback.marks import Marks
from cxlab.feedback.scoring import Measure
from cxlab.report import words

__all__ = ["NAMES", "broken", "incomparable", "lead", "note", "spread", "subtitle"]

NAMES = {
    "csat": "Customer satisfaction",
    "nps": "The Net Promoter Score",
    "ces": "Ease",
}


def lead(construct: str, scale: tuple[float, float], row: pd.Series, level: float) -> str:
    """Say the estimate and its interval."""
    said = words.value(row["estimate"], row["unit"])
    ends = words.interval(row["conf_low"], row["conf_high"], row["unit"])
    between = f"({level:.0%} interval {ends})"
    answers = words.plural(row["n"], "answer")
    low, high = scale
    if construct == "csat":
        return f"{said} of {answers} gave {high - 1:g} or {high:g} of {high:g} {between}"
    if construct == "nps":
        return f"The Net Promoter Score of {answers} is {said} {between}"
    return f"Ease is {said} on a scale of {low:g} to {high:g} in {answers} {between}"


def spread(rows: pd.DataFrame, by: str, construct: str) -> str:
    """Say where the groups begin and end, and how many are withheld."""
    name, shown = NAMES[construct], rows[~rows["suppressed"]].sort_values(["estimate", by])
    group = by.replace("_", " ")
    if shown.empty:
        return f"{name} by {group} is withheld: too few people stand behind each group."

    def said(row: pd.Series) -> str:
        ends = words.interval(row["conf_low"], row["conf_high"], row["unit"])
        return f"{words.value(row['estimate'], row['unit'])} for {row[by]} ({ends})"

    hidden = len(rows) - len(shown)
    tail = f"; {words.plural(hidden, 'group is', 'groups are')} withheld" if hidden else ""
    if len(shown) == 1:
        return f"{name} by {group} is {said(shown.iloc[0])}{tail}."
    lowest, highest = shown.iloc[0], shown.iloc[-1]
    if lowest["conf_high"] >= highest["conf_low"]:
        tail = f"; their intervals overlap, so the order may be chance{tail}"
    return f"{name} by {group} runs from {said(lowest)} to {said(highest)}{tail}."


def incomparable(found: Answers, marks: Marks, cycle: Cycle) -> str:
    """Say why no change is reported; nothing where one is."""
    before = cycle.previous.name
    if found.scale_before is None:
        return f"there is nothing to compare with, since {before} has no answers"
    if because := broken(found, cycle):
        return f"{because}, so there is nothing to compare with"
    if found.by is None and marks.before("").n < FEWEST:
        return f"there is nothing to compare with, since {before} has fewer than {FEWEST} answers"
    return ""


def broken(found: Answers, cycle: Cycle) -> str:
    """Say what breaks the series between the two cycles; nothing where it goes on."""
    if found.scale_before is None or found.scale_before == found.scale:
        return ""
    low, high = found.scale_before
    return f"the scale was {low:g} to {high:g} in {cycle.previous.name}"


def subtitle(measure: Measure, found: Answers, cycle: Cycle) -> str:
    """Say statistic, unit, period and population in one line."""
    split = "" if found.by is None else f" by {found.by.replace('_', ' ')}"
    about = measure.about[:1].upper() + measure.about[1:]
    what = {"share": "share of answers", "mean": "points", "nps": "points per 100 answers"}
    return f"{about}, {what[measure.kind]}{split}, {cycle.name}, all who answered; 95% intervals"


def note(found: Answers, marks: Marks) -> str:
    """Say what the numbers rest on, and who is not in them."""
    sums = marks.sums[["n_now", "customers_now"]].sum()
    parts = [f"Base: {words.plural(sums['n_now'], 'answer')}."]
    if found.by is None:
        customers = words.plural(sums["customers_now"], "customer")
        parts = [f"Base: {words.plural(sums['n_now'], 'answer')} of {customers}."]
    if found.missing:
        missing = words.plural(found.missing, "answer")
        parts.append(f"Left out of every share: {missing} without a valid value.")
    if sums["n_now"] > sums["customers_now"]:
        parts.append("Some customers answered more than once; the intervals allow for it.")
    parts.append("Unweighted: those who did not answer may think otherwise.")
    return " ".join(parts)
