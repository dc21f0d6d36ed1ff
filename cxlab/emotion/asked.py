"""What customers were asked about a feeling, and what they said: one row per answer."""

from cxlab.data.engine import Table, TableLike, in_one_engine, view
from cxlab.errors import DataError

__all__ = ["OUTSIDE", "SATISFACTION", "VALENCE", "asked", "off_scale"]

SATISFACTION = "satisfaction"  # stands in where no feeling was asked
# A valence runs from -1 to +1 whatever the scale: it is stretched evenly, its middle to 0.
VALENCE = "sign * (2 * value - low - high) / nullif(high - low, 0)"
OUTSIDE = "value is not null and coalesce(value < low or value > high or not low < high, true)"


def asked(answers: TableLike) -> Table:
    """Pick the answers about a feeling, and those about satisfaction.

    Parameters
    ----------
    answers : table
        The table `answers`.

    Returns
    -------
    Table
        customer_id, answered_at, touchpoint where the table has it, felt ('valence', the name
        of an emotion, or 'satisfaction'), value, low and high (ends of the scale), sign (-1
        where the question was turned round).

    Raises
    ------
    MissingColumnError
        If a column is not there.
    """
    (rows,) = in_one_engine(answers)
    rows.need("customer_id", "answered_at", "construct", "value", "scale_min", "scale_max")
    dimension = "a.dimension" if "dimension" in rows.columns else "null"
    flag = "coalesce(a.reversed, false)" if "reversed" in rows.columns else "false"
    place = "a.touchpoint, " if "touchpoint" in rows.columns else ""
    return view(
        f"""
        select a.customer_id, a.answered_at, {place}
            case when a.construct = 'emotion' then coalesce(cast({dimension} as varchar), 'valence')
                else '{SATISFACTION}' end as felt,
            cast(a.value as double) as value, cast(a.scale_min as double) as low,
            cast(a.scale_max as double) as high, case when {flag} then -1 else 1 end as sign
        from a where a.construct in ('emotion', 'csat')
        """,
        a=rows,
    )


def off_scale(many: int, where: str = "") -> DataError:
    """Say that answers lie outside their scale."""
    return DataError(
        f"An answer about a feeling must lie on its scale, but {many:,}{where} do not, or have "
        "none. Correct scale_min and scale_max, or leave the value empty."
    )
