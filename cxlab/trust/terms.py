"""What the words of this report mean: in this study, as targets, and as columns."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from cxlab.columns import GLOSSARY
from cxlab.report import words
from cxlab.trust.listing import Listing

if TYPE_CHECKING:
    from cxlab.data.settings import Kpi, Settings

__all__ = ["definitions", "glossary", "kpis"]

_MEANING = {
    "cooling_days": "A customer cools after this many days without a purchase.",
    "lapse_days": "A customer has lapsed after this many days without a purchase.",
    "stale_days": "A table without a row for longer than this is called stale.",
    "repurchase_days": "Days after a delivery in which a new order counts as coming back.",
    "scores": "Recency, frequency and value are scored from one to this.",
    "cuts": "Cut points between the scores; without any, quantiles are used.",
    "rules": "Scores that make a named segment; without any, the standard rules are used.",
}
_BETTER = {"up": "higher", "down": "lower", "neither": "neither"}


def definitions(settings: "Settings") -> Listing:
    """List what the study's settings define: lengths of time, the cycle, its segments.

    Parameters
    ----------
    settings : Settings
        The study's settings.

    Returns
    -------
    Listing
        Columns term, value and meaning.
    """
    rows = [
        ("cycle", settings.cycle, "How often this report is made."),
        ("time zone", settings.time_zone, "Where the days of this report begin and end."),
        ("currency", settings.currency, "The one currency of all money."),
        (
            "smallest group shown",
            str(settings.privacy.min_cell),
            "People who must stand behind a number; fewer, and it is withheld.",
        ),
        *_terms(settings.definitions.model_dump()),
        *(
            (f"{plan}: {segment}", rule, "Declared segment: who meets this rule.")
            for plan, segments in settings.segments.items()
            for segment, rule in segments.items()
        ),
    ]
    return Listing(
        frame=pd.DataFrame(rows, columns=["term", "value", "meaning"]),
        headline="These definitions are the study's own; another choice gives other numbers.",
        subtitle="Definitions from the study's settings",
    )


def kpis(settings: "Settings") -> Listing:
    """List the key measures: what each is, who owns it, where it should go.

    Parameters
    ----------
    settings : Settings
        The study's settings.

    Returns
    -------
    Listing
        Columns measure, definition, owner, target and better; a measure that does not
        apply has its reason as definition.
    """
    columns = ["measure", "definition", "owner", "target", "better"]
    frame = pd.DataFrame([_kpi(kpi) for kpi in settings.kpis.values()], columns=columns)
    without = sum(kpi.not_applicable is not None for kpi in settings.kpis.values())
    said = f"{words.plural(len(frame) - without, 'key measure')} with an owner"
    return Listing(
        frame=frame,
        headline=_apart(said, without),
        subtitle="Key measures from the study's settings",
    )


def glossary() -> Listing:
    """List what each column of a table in this report means."""
    rows = [(name.replace("_", " "), GLOSSARY[name]) for name in sorted(GLOSSARY)]
    return Listing(
        frame=pd.DataFrame(rows, columns=["term", "meaning"]),
        headline="What each column means, in every table of this report.",
        subtitle="Columns and their meaning",
    )


def _apart(said: str, without: int) -> str:
    if not without:
        return f"{said}."
    verb = "does" if without == 1 else "do"
    return f"{said}; {words.number(without)} {verb} not apply here, for the reason given."


def _terms(values: dict[str, object]) -> Iterator[tuple[str, str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _terms(value)
            continue
        shown = "standard" if value is None else str(value)
        if name.endswith("_days"):
            shown = f"{shown} days"
        term = name.removesuffix("_days").replace("_", " ")
        yield term, shown, _MEANING.get(name, "")


def _kpi(kpi: "Kpi") -> tuple[str, str, str, str, str]:
    if kpi.not_applicable is not None:
        return kpi.name, f"Not applicable: {kpi.not_applicable}", "", "", ""
    target = "" if kpi.target is None else f"{kpi.target:g}"
    if target and (kpi.metric or "").endswith(("_share", "_rate")):
        target = words.value(kpi.target or 0.0, "share")
    return kpi.name, kpi.definition, kpi.owner or "", target, _BETTER[kpi.direction]
