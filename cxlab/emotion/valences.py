"""What each customer said they felt, answer by answer, for what comes after it."""

from cxlab.data.engine import Table, TableLike, query, view
from cxlab.emotion.asked import OUTSIDE, SATISFACTION, VALENCE, asked, off_scale
from cxlab.errors import Withheld

__all__ = ["valences"]


def valences(answers: TableLike) -> Table:
    """Stretch each answer about a feeling to -1 (bad) to +1 (good).

    Parameters
    ----------
    answers : table
        The table `answers`: rows with construct emotion whose dimension is `valence`, or
        missing. Where there are none, those with construct csat stand in.

    Returns
    -------
    Table
        customer_id, answered_at, valence; one row per answer.

    Raises
    ------
    Withheld
        If nobody was asked.
    DataError
        If a value lies outside its scale.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxlab.data.engine import frame
    >>> answers = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "answered_at": pd.Timestamp("2026-08-01"),
    ...     "construct": "emotion", "value": [3, 0], "scale_min": -3, "scale_max": 3})
    >>> frame(valences(answers), limit=10)["valence"].tolist()
    [1.0, 0.0]
    """
    given = asked(answers)
    found = query(
        f"""
        select felt, sum(case when {OUTSIDE} then 1 else 0 end) as outside from a
        where customer_id is not null and value is not null and felt in ('valence', $other)
        group by felt order by felt
        """,
        a=given,
        other=SATISFACTION,
    ).set_index("felt")["outside"]
    if found.empty:
        raise Withheld(
            "Nobody was asked what they feel: map answers with construct `emotion`, from a "
            "question such as: how did you feel?"
        )
    kind = "valence" if "valence" in found.index else SATISFACTION
    if bad := int(found[kind]):
        raise off_scale(bad)
    return view(
        f"""
        select customer_id, answered_at, {VALENCE} as valence
        from a where felt = $kind and customer_id is not null and value is not null
        """,
        a=given,
        kind=kind,
    )
