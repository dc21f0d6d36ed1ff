"""What goes with each sign of friction: one regression on all of them, from counts."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.engine import Table, query
from cxlab.journeys.log.signals import SIGNALS
from cxlab.report import words
from cxlab.report.finding import interval_row
from cxlab.stats.grouped_regression import GroupedFit, fit_shares, with_errors

__all__ = ["weigh"]

_FEWEST = 10  # people without whom a signal has no weight
_BASE = 30  # sessions with the chance of a signal but without it, to be compared with
_CHANCES = ("clicks", "pages", "searches", "forms")
_PARTS = 1_000_000  # into so many parts a fitted share is rounded for exact sums


def weigh(
    each: Table, names: list[str], people: dict[str, float], *, with_outcome: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """Estimate what each signal weighs, and say what has no weight and why.

    Parameters
    ----------
    each : Table
        Sessions as `flagged_sessions` gives them.
    names : list of str
        Signals that are measured.
    people : dict of str to float
        `persons`, `n` (sessions), and per signal `_total` sessions and `_persons`.
    with_outcome : bool
        Whether sessions are meant to lead to something.

    Returns
    -------
    list of dict
        Rows of estimates.
    list of str
        Sentences for the note.
    """
    if not with_outcome:
        return [], ["No outcome is declared, so that signals have no weights."]
    columns = ", ".join(f'"{c}"' for c in [*names, *_CHANCES])
    patterns = query(
        f"select {columns}, count(*) as cases, sum(converted) as converted from e "
        f"group by {columns} order by {columns}",
        e=each,
    )
    if not 0 < patterns["converted"].sum() < patterns["cases"].sum():
        return [], ["All sessions, or none, reached the outcome, so that signals have no weights."]
    few = [name for name in names if people[f"{name}_persons"] < _FEWEST]
    used = [*(n for n in names if n not in few), *_controls(patterns, names)]
    used = _independent(patterns, used)
    said = [f"Too rare for a weight: {words.listing([SIGNALS[n].name for n in few])}."] * bool(few)
    if not set(used) & set(names):
        return [], said
    x = np.column_stack([np.ones(len(patterns)), patterns[used].to_numpy(float)])
    cases = patterns["cases"].to_numpy(float)
    fit = fit_shares(x, cases, cases - patterns["converted"].to_numpy(float))
    scores = _scores(each, patterns, fit, used, [*names, *_CHANCES])
    kept = [name for name in names if name in used]
    rows = []
    for name in kept:
        one = np.eye(len(used) + 1)[1 + used.index(name)]
        found = with_errors(
            fit, scores, people=people["persons"], weights=one, n=people[f"{name}_total"]
        )
        rows.append(
            interval_row(
                "friction.non_conversion_difference", found.clip(-1, 1), unit="share",
                count=people[f"{name}_persons"], signal=SIGNALS[name].name,
            )
        )  # fmt: skip
    met = np.zeros(len(used) + 1)
    for name in kept:
        met[1 + used.index(name)] = people[f"{name}_total"] / people["n"]
    score = with_errors(fit, scores, people=people["persons"], weights=met, n=people["n"])
    rows.append(
        interval_row(
            "friction.score", score, unit="share", count=people["anything_persons"], signal=None
        )
    )
    return rows, said


def _controls(patterns: pd.DataFrame, names: list[str]) -> list[str]:
    """Pick the chances that enough sessions had without any of their signals."""
    picked = []
    for chance in _CHANCES:
        own = [name for name in names if SIGNALS[name].chance == chance]
        had = patterns[patterns[chance] == 1]
        spared = had[(had[own] == 0).all(axis=1)]["cases"].sum() if own else 0
        if spared >= _BASE and had["cases"].sum() < patterns["cases"].sum():
            picked.append(chance)
    return picked


def _independent(patterns: pd.DataFrame, columns: list[str]) -> list[str]:
    """Leave out a column that is a sum of those before it."""
    kept: list[str] = []
    for column in columns:
        tried = np.column_stack([np.ones(len(patterns)), patterns[[*kept, column]].to_numpy(float)])
        if np.linalg.matrix_rank(tried) == len(kept) + 2:
            kept.append(column)
    return kept


def _scores(
    each: Table, patterns: pd.DataFrame, fit: GroupedFit, used: list[str], told: list[str]
) -> NDArray[np.float64]:
    """Sum over people the products of their sums of x (y - fitted).

    What is fitted is rounded to whole parts, so that the order of rows changes no sum.
    """
    same = " and ".join(f'e."{c}" = f."{c}"' for c in told)
    rest = f"((1 - e.converted) * {_PARTS} - f.fitted)"
    columns = ["1", *(f'e."{c}"' for c in used)]
    own = ", ".join(
        f"cast(sum({rest} * {sql}) as bigint) as s_{i}" for i, sql in enumerate(columns)
    )
    size = len(used) + 1
    pairs = [(i, j) for i in range(size) for j in range(i, size)]
    wide = [f"cast(s_{i} as decimal(18, 0))" for i in range(size)]
    sums = ", ".join(f"sum({wide[i]} * {wide[j]}) as p_{i}_{j}" for i, j in pairs)
    found = query(
        f"""
        with person as (
            select e.person_id, {own} from e join f on {same} group by e.person_id
        )
        select {sums} from person
        """,
        e=each,
        f=patterns[told].assign(fitted=np.rint(fit.fitted * _PARTS).astype("int64")),
    ).iloc[0]
    scores = np.zeros((size, size))
    for i, j in pairs:
        scores[i, j] = scores[j, i] = float(found[f"p_{i}_{j}"]) / _PARTS**2
    return scores
