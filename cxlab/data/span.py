"""Lengths of time as people write them in settings: 30 minutes, 7 days."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator

from cxlab.errors import ParameterError

__all__ = ["Span", "moment_at", "moment_us", "span_us"]

_EPOCH = datetime(1970, 1, 1)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_FORM = re.compile(r"(\d+(?:\.\d+)?) ?(second|minute|hour|day|week)s?")


def span_us(span: str) -> int:
    """Read a length of time, in microseconds.

    Parameters
    ----------
    span : str
        A number and seconds, minutes, hours, days or weeks.

    Returns
    -------
    int
        Microseconds; a day has 24 hours.

    Raises
    ------
    ParameterError
        If it cannot be read, is not positive, or is longer than a century.

    Examples
    --------
    >>> span_us("30 minutes"), span_us("7 days") // span_us("1 day")
    (1800000000, 7)
    """
    match = _FORM.fullmatch(str(span).strip().lower())
    if match is None:
        raise ParameterError(
            f"A length of time must read like '30 minutes' or '7 days', but reads {span!r}. "
            f"Known units: {', '.join(f'{unit}s' for unit in _SECONDS)}."
        )
    length = round(float(match[1]) * _SECONDS[match[2]] * 1_000_000)
    if not 0 < length <= timedelta(days=36_500) // timedelta(microseconds=1):
        raise ParameterError(
            f"A length of time must be above zero and at most 36,500 days, but is {span!r}."
        )
    return length


def _readable(span: str) -> str:
    span_us(span)
    return span


Span = Annotated[str, AfterValidator(_readable)]


def moment_us(moment: datetime) -> int:
    """Count the microseconds from 1970 to a moment (UTC).

    Examples
    --------
    >>> moment_us(datetime(1970, 1, 2))
    86400000000
    """
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_at(microseconds: int) -> datetime:
    """Return the moment (UTC) so many microseconds after 1970 began.

    Examples
    --------
    >>> moment_at(86_400_000_000)
    datetime.datetime(1970, 1, 2, 0, 0)
    """
    return _EPOCH + timedelta(microseconds=microseconds)
