"""Sums of lengths of time that come out the same whatever order the rows are in.

Adding fractions gives another last digit in another order; adding whole seconds does not.
"""

__all__ = ["DAY_SECONDS", "seconds", "sum_of_products"]

DAY_SECONDS = 86_400


def seconds(microseconds: str) -> str:
    """Write the SQL that turns a sum of microseconds into whole seconds."""
    return f"cast(floor({microseconds} / cast(1000000 as double)) as bigint)"


def sum_of_products(x: str, y: str) -> str:
    """Write the SQL that adds up products of two whole numbers, past the room of 64 bits.

    One product has to fit: 95 years in seconds, squared, does.
    """
    return f"sum(cast({x} * {y} as decimal(20, 0)))"
