"""What each customer said they felt, answer by answer, for what comes after it."""

from cxlab.data.engine import Table, TableLike, in_one_engine, query, view
from cxlab.errors import DataError, Withheld

__all__ = ["valences"]

_ASKED = """
select a.customer_id, a.answered_at, a.construct,
    cast(a.value as double) as value, cast(a.scale_min as double) as low,
    cast(a.scale_max as double) as high,
    case when {reversed} then -1 else 1 end as sign
from a where a.customer_id is not null and a.value is not null
    and ((a.construct = 'emotion' and coalesce(cast({dimension} as varchar), 'valence') = 'valence')
        or a.construct = 'csat')
"""


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
    (rows,) = in_one_engine(answers)
    rows.need("customer_id", "answered_at", "construct", "value", "scale_min", "scale_max")
    dimension = "a.dimension" if "dimension" in rows.columns else "null"
    flag = "coalesce(a.reversed, false)" if "reversed" in rows.columns else "false"
    asked = view(_ASKED.format(dimension=dimension, reversed=flag), a=rows)
    found = query(
        """
        select construct, count(*) as n, sum(case when coalesce(
            value < low or value > high or not low < high, true) then 1 else 0 end) as outside
        from a group by construct order by construct
        """,
        a=asked,
    ).set_index("construct")
    if found.empty:
        raise Withheld(
            "Nobody was asked what they feel: map answers with construct `emotion`, from a "
            "question such as: how did you feel?"
        )
    kind = "emotion" if "emotion" in found.index else "csat"
    bad = int(found["outside"][kind])
    if bad:
        raise DataError(
            f"An answer about a feeling must lie on its scale, but {bad:,} do not. Correct "
            "scale_min and scale_max, or leave the value empty."
        )
    return view(
        """
        select customer_id, answered_at,
            sign * (2 * value - low - high) / nullif(high - low, 0) as valence
        from a where construct = $kind
        """,
        a=asked,
        kind=kind,
    )
