"""Which name does a customer's scores earn?

A rule table is read from top to bottom and the first rule that fits gives the name.
Together the rules must leave no combination of scores without one.
"""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cxlab.errors import ParameterError, did_you_mean
from cxlab.segments.purchases import NO_PURCHASE

__all__ = ["DEFAULT_RULES", "MEASURES", "ScoreRule", "read_rules", "rules_hash"]

MEASURES = ("recency", "frequency", "monetary")

# For five levels, 5 is best: bought lately, often, for much. Most shops have many who
# bought once, so frequency has few distinct levels and recency leads.
DEFAULT_RULES: tuple[dict[str, Any], ...] = (
    {"name": "champions", "recency": [4, 5], "frequency": [4, 5], "monetary": [4, 5]},
    {"name": "loyal", "recency": [3, 5], "frequency": [4, 5]},
    {"name": "at risk", "recency": [1, 2], "frequency": [4, 5]},
    {"name": "promising", "recency": [4, 5], "monetary": [4, 5]},
    {"name": "recent", "recency": [4, 5]},
    {"name": "needs attention", "recency": [3, 3]},
    {"name": "big spenders gone quiet", "recency": [1, 2], "monetary": [4, 5]},
    {"name": "dormant"},
)


@dataclass(frozen=True)
class ScoreRule:
    """A name, and the lowest and highest score of each measure that earn it."""

    name: str
    bounds: tuple[tuple[int, int], ...]

    def fits(self, scores: Sequence[int]) -> bool:
        """Tell whether a combination of scores falls under this rule."""
        return all(lo <= x <= hi for x, (lo, hi) in zip(scores, self.bounds, strict=True))


def read_rules(
    rules: Sequence[Mapping[str, Any]] | None, levels: Sequence[int]
) -> tuple[ScoreRule, ...]:
    """Check a rule table against the levels of the three scores.

    Parameters
    ----------
    rules : sequence of mappings, or None
        Each with `name` and, for any of recency, frequency and monetary, the lowest and
        the highest score `[lo, hi]`; a measure left out may have any score. None stands
        for `DEFAULT_RULES`, which are made for five levels each.
    levels : sequence of three int
        How many levels the scores have; 1 is the worst.

    Returns
    -------
    tuple of ScoreRule
        In the order given.

    Raises
    ------
    ParameterError
        If a rule cannot be read, or a combination of scores has no rule.
    """
    if rules is None and set(levels) != {5}:
        raise ParameterError(
            f"The default rules are made for five scores of each measure, but there are "
            f"{dict(zip(MEASURES, levels, strict=True))}. Give `rules` of your own."
        )
    read = tuple(_read(rule, levels) for rule in (DEFAULT_RULES if rules is None else rules))
    every = itertools.product(*(range(1, level + 1) for level in levels))
    open_ = [c for c in every if not any(rule.fits(c) for rule in read)]
    if open_:
        shown = ", ".join("-".join(map(str, c)) for c in open_[:5])
        more = f" and {len(open_) - 5} more" if len(open_) > 5 else ""
        raise ParameterError(
            "The rules must name every combination of recency-frequency-monetary scores, but "
            f"none fits {shown}{more}. End with a rule that has a name only: it catches the rest."
        )
    return read


def rules_hash(rules: object) -> str:
    """Return the first 8 hex digits of the sha256 of rules, whatever the order of their keys.

    >>> rules_hash({"a": 1, "b": 2}) == rules_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(rules, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _read(rule: Mapping[str, Any], levels: Sequence[int]) -> ScoreRule:
    name = rule.get("name")
    if not isinstance(name, str) or not name.strip() or name == NO_PURCHASE:
        raise ParameterError(
            f"Each rule needs a name of its own, but one has {name!r}. "
            f"{NO_PURCHASE!r} is kept for customers who have bought nothing."
        )
    for key in rule:
        if key not in ("name", *MEASURES):
            raise ParameterError(
                f"Rule {name!r} may bound {list(MEASURES)}, but bounds {key!r}."
                f"{did_you_mean(str(key), MEASURES)}"
            )
    return ScoreRule(
        name,
        tuple(
            _bounds(name, measure, rule.get(measure), level)
            for measure, level in zip(MEASURES, levels, strict=True)
        ),
    )


def _bounds(name: str, measure: str, given: object, levels: int) -> tuple[int, int]:
    if given is None:
        return 1, levels
    pair = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    whole = len(pair) == 2 and all(type(x) is int for x in pair)
    if not whole or not 1 <= pair[0] <= pair[1] <= levels:
        raise ParameterError(
            f"Rule {name!r} must bound {measure} by [lowest, highest] scores from 1 to "
            f"{levels}, but has {given!r}."
        )
    return pair[0], pair[1]
