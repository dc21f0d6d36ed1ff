"""How satisfied are customers, would they recommend us, how easy was it.

CSAT, NPS and CES of one cycle with their intervals, and what changed since the cycle
before. Only answers count: what those who did not answer think is not known.
"""

from typing import Any

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import DataError, Withheld
from cxlab.feedback.answers import FEWEST, Answers, read_answers
from cxlab.feedback.marks import Marks
from cxlab.feedback.result import Rating
from cxlab.feedback.scoring import (
    Measure,
    change_of,
    interval_of,
    mean_score,
    promoter_score,
    top_box,
)
from cxlab.feedback.wording import broken, incomparable, note, subtitle
from cxlab.report.finding import estimate_row
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.intervals import wilson

__all__ = ["Rating", "ces", "csat", "nps"]


def csat(
    answers: TableLike, *, cycle: Cycle, by: str | TableLike | None = None, seed: int = 1
) -> Rating:
    """Customer satisfaction: share of top-two answers, mean, and their changes.

    Parameters
    ----------
    answers : table
        The table `answers`; its rows with construct csat are used. Answers without a
        value are in no denominator, and their number is in the note.
    cycle : Cycle
        Which cycle; the change is to the one before.
    by : str or table, optional
        A column of `answers`, or a table with `customer_id` and one group column.
    seed : int
        Feeds the bootstrap that the change needs where customers answered in both cycles.

    Returns
    -------
    Rating
        Metrics `csat.top_box_share`, `csat.change` (share, 0 to 1), `csat.mean`,
        `csat.mean_change` (points of the scale) and, without `by`, `csat.share` of each
        score. A group with fewer than 10 answers is withheld.

    Raises
    ------
    Withheld
        If there are fewer than 10 answers, or all are from one customer.
    DataError
        If scales are mixed, or a value lies outside its scale.

    References
    ----------
    Intervals: Wilson (1927) for a share, Newcombe (1998) for a difference of two; the
    cluster bootstrap of Field & Welsh (2007) where customers answered in both cycles.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> answers = pd.DataFrame({
    ...     "customer_id": [str(i) for i in range(40)], "answered_at": pd.Timestamp("2026-08-01"),
    ...     "construct": "csat", "value": [5] * 20 + [4] * 10 + [2] * 10,
    ...     "scale_min": 1, "scale_max": 5})
    >>> csat(answers, cycle=parse_cycle("2026Q3")).sentence()  # doctest: +ELLIPSIS
    '75.0% of 40 answers gave 4 or 5 of 5 (95% interval 59.8 to 85.8%); there is nothing to ...'
    """
    found = read_answers(answers, "csat", cycle=cycle, by=by)
    low, high = found.scale
    if high - low < 2:
        raise DataError(
            f"csat needs a scale of three points or more, since its top two count, but has "
            f"{low:g} to {high:g}. Report a share of its own instead."
        )
    measures = [
        top_box("csat.top_box_share", "csat.change", found.scale),
        mean_score("csat.mean", "csat.mean_change", found.scale),
    ]
    return _rating(found, "csat", measures, cycle, seed)


def nps(
    answers: TableLike, *, cycle: Cycle, by: str | TableLike | None = None, seed: int = 1
) -> Rating:
    """Net Promoter Score: share of 9 and 10 minus share of 0 to 6, and its change.

    Parameters
    ----------
    answers : table
        The table `answers`; its rows with construct nps are used.
    cycle : Cycle
        Which cycle; the change is to the one before.
    by : str or table, optional
        A column of `answers`, or a table with `customer_id` and one group column.
    seed : int
        Feeds the bootstrap of the change.

    Returns
    -------
    Rating
        Metrics `nps.score` and `nps.change` in points (-100 to 100) and, without `by`,
        `nps.share` of each score.

    Raises
    ------
    Withheld
        If there are fewer than 10 answers, or all are from one customer.
    DataError
        If the scale is not 0 to 10.

    References
    ----------
    Rocks (2016), The American Statistician 70(4), 365-372 (adjusted Wald).
    """
    found = read_answers(answers, "nps", cycle=cycle, by=by)
    if found.scale != (0, 10):
        raise DataError(
            f"nps must be asked on 0 to 10, but in {cycle.name} has "
            f"{found.scale[0]:g} to {found.scale[1]:g}. Map it to csat or a construct of its own."
        )
    return _rating(found, "nps", [promoter_score("nps.score", "nps.change")], cycle, seed)


def ces(
    answers: TableLike, *, cycle: Cycle, by: str | TableLike | None = None, seed: int = 1
) -> Rating:
    """Customer effort: mean of how easy it was, and its change.

    Parameters
    ----------
    answers : table
        The table `answers`; its rows with construct ces are used. Where a high value
        means much effort, `reversed` turns it, so that more is always easier.
    cycle : Cycle
        Which cycle; the change is to the one before.
    by : str or table, optional
        A column of `answers`, or a table with `customer_id` and one group column.
    seed : int
        Feeds the bootstrap of the change.

    Returns
    -------
    Rating
        Metrics `ces.mean` and `ces.change` in points of the scale and, without `by`,
        `ces.share` of each score.

    Raises
    ------
    Withheld
        If there are fewer than 10 answers, or all are from one customer.
    DataError
        If scales are mixed, or a value lies outside its scale.
    """
    found = read_answers(answers, "ces", cycle=cycle, by=by)
    measures = [mean_score("ces.mean", "ces.change", found.scale)]
    return _rating(found, "ces", measures, cycle, seed)


def _rating(
    found: Answers, construct: str, measures: list[Measure], cycle: Cycle, seed: int
) -> Rating:
    """Estimate each measure in each group, and put the words around it."""
    rows: list[dict[str, Any]] = []
    groups = found.groups()
    marks = {m.metric: found.marked(m.mark) for m in measures}
    for measure in measures:
        rows += [_estimate(found, measure, marks[measure.metric], g) for g in groups]
        if found.scale == found.scale_before:
            for group in groups:
                rows += _change(found, measure, marks[measure.metric], group, seed)
    if found.by is None:
        rows += _shares(found, construct, measures[0], marks[measures[0].metric].now(""))
    estimates = pd.DataFrame(rows)
    if estimates.loc[estimates["metric"] == measures[0].metric, "suppressed"].all():
        who = "one customer only" if found.by is None else f"fewer than {FEWEST} in every group"
        raise Withheld(f"The answers to {construct} in {cycle.name} come from {who}.")
    return Rating(
        estimates=estimates,
        subtitle=subtitle(measures[0], found, cycle),
        note=note(found, marks[measures[0].metric]),
        construct=construct,
        cycle=cycle.name,
        previous=cycle.previous.name,
        scale=found.scale,
        by=found.by,
        incomparable=incomparable(found, marks[measures[0].metric], cycle),
        breaks=broken(found, cycle),
    )


def _estimate(found: Answers, measure: Measure, marks: Marks, group: str) -> dict[str, Any]:
    sums, dims = marks.now(group), _dims(found, group)
    if sums.n < FEWEST or sums.customers < 2:
        row = estimate_row(
            measure.metric, np.nan, np.nan, np.nan, n=np.nan, count=sums.customers,
            unit=measure.unit, **dims,
            method=f"withheld: fewer than {FEWEST} answers, or of one customer only",
        )  # fmt: skip
        return {**row, "suppressed": True}
    made = interval_of(measure, sums, found.scores(group))
    return estimate_row(
        measure.metric, made.estimate, made.low, made.high, n=made.n, count=sums.customers,
        unit=measure.unit, method=f"{measure.about}; {made.method}", **dims,
    )  # fmt: skip


def _change(
    found: Answers, measure: Measure, marks: Marks, group: str, seed: int
) -> list[dict[str, Any]]:
    """Make the row of a change; none where one of the cycles has too few answers."""
    sums, sums_before = marks.now(group), marks.before(group)
    if min(sums.n, sums_before.n) < FEWEST or min(sums.customers, sums_before.customers) < 2:
        return []
    now = interval_of(measure, sums, found.scores(group))
    before = interval_of(measure, sums_before, found.scores_before(group))
    made = change_of(measure, marks, group, now, before, seed=seed)
    row = estimate_row(
        measure.change, made.estimate, made.low, made.high, n=made.n,
        count=min(sums.customers, sums_before.customers), unit=measure.unit,
        method=f"{measure.about}, difference to the cycle before; {made.method}",
        **_dims(found, group),
    )  # fmt: skip
    return [row]


def _shares(
    found: Answers, construct: str, measure: Measure, sums: ClusterSums
) -> list[dict[str, Any]]:
    """Share of each score; on a scale of whole points also of those nobody gave."""
    counts = found.scores("")
    size = effective_n(sums, _variance(measure, counts))  # the headline's, for every score
    low, high = found.scale
    if (counts.index == counts.index.astype(int)).all() and high - low <= 10:
        counts = counts.reindex(np.arange(low, high + 1), fill_value=0)
    givers = found.givers().reindex(counts.index, fill_value=0)
    rows = []
    for (score, count), people in zip(counts.items(), givers, strict=True):
        made = wilson(count, sums.n, n_eff=size if sums.repeated else None)
        rows.append(
            estimate_row(
                f"{construct}.share",
                made.estimate,
                made.low,
                made.high,
                n=made.n,
                count=people,
                unit="share",
                method=made.method,
                score=f"{score:g}",
            )
        )
    return rows


def _variance(measure: Measure, counts: pd.Series) -> float:
    """Variance of what one answer counts."""
    scores = counts.index.to_series(index=counts.index)
    marks, share = measure.mark(scores), counts / counts.sum()
    return float((share * marks**2).sum() - (share * marks).sum() ** 2)


def _dims(found: Answers, group: str) -> dict[str, Any]:
    return {} if found.by is None else {found.by: group}
