"""What the words of this report mean: in this study, and as columns."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from cxlab.columns import GLOSSARY
from cxlab.trust.listing import Listing

if TYPE_CHECKING:
    from cxlab.data.settings import Settings

__all__ = ["definitions", "glossary"]

_MEANING = {
    "cooling_days": "A customer cools after this many days without a purchase.",
    "lapse_days": "A customer has lapsed after this many days without a purchase.",
    "stale_days": "A table without a row for longer than this is called stale.",
    "repurchase_days": "Days after a delivery in which a new order counts as coming back.",
    "slow_days": "A ticket that is not solved within so many days is solved slowly.",
    "scores": "Recency, frequency and value are scored from one to this.",
    "cuts": "Cut points between the scores; without any, quantiles are used.",
    "rules": "Scores that make a named segment; without any, the standard rules are used.",
}


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


def glossary() -> Listing:
    """List what each column of a table in this report means."""
    rows = [(name.replace("_", " "), GLOSSARY[name]) for name in sorted(GLOSSARY)]
    return Listing(
        frame=pd.DataFrame(rows, columns=["term", "meaning"]),
        headline="What each column means, in every table of this report.",
        subtitle="Columns and their meaning",
    )


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
