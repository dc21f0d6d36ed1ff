"""Numbers as a page prints them, read back: which findings could they be?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

# What looks like a number and is none: cycles, days, times, marks of a rule, names with digits.
_NOT_A_NUMBER = re.compile(
    r"\b\d{4}-\d\d-\d\d\b|\b\d\d:\d\d\b|\b\d{4}(?:Q[1-4]|H[12]|-\d\d)\b|\b95% interval"
    r"|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{8,}\b|\bp < 0\.\d+|<0\.001"
)
_MONEY = r"(?P<currency>\b[A-Z]{3} )?"
_NUMBER = r"(?P<below>< |> )?(?P<sign>[+−±])?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_PRINTED = re.compile(
    _MONEY + r"(?<![\w.,])" + _NUMBER + r"(?P<tail>%| points?\b| days?\b)?"
    r"(?P<scale> (?:million|billion|trillion)\b)?(?!\w)"
)
_SCALES = {" million": 6, " billion": 9, " trillion": 12}
_RANGE = re.compile(r"^\s*to\s*$")


@dataclass(frozen=True)
class Printed:
    """One number of a page.

    Attributes
    ----------
    value : float
        As printed: 71.1 where the page says 71.1%.
    digits : int
        Digits after the point, so the number it was made from is at most half of the last away.
    unit : str
        "%", "points", "days", a currency, or nothing.
    text : str
        What stands on the page.
    """

    value: float
    digits: int
    unit: str
    text: str

    def is_near(self, number: float) -> bool:
        """Tell whether rounding makes the printed one out of this number."""
        # Half of the last digit, and what binary fractions lose; an exact half may go both ways.
        reach = 0.5 * 10.0**-self.digits + 1e-9 * max(1.0, abs(number))
        return abs(number - self.value) <= reach

    def is_among(self, findings: pd.DataFrame, *, turned: bool = False) -> bool:
        """Tell whether it is an estimate, an end of an interval or a base of these findings.

        `turned` also takes the opposite: "1.42 points less" is a difference of −1.42.
        """
        return any(
            self.is_near(x) or (turned and self.is_near(-x))
            for x in _candidates(findings, self.unit)
        )


def numbers(text: str) -> list[Printed]:
    """Read all numbers of a text, with the unit that an interval says only once.

    >>> [(n.value, n.unit) for n in numbers("−16.1 points (−21.2 to −11.1), EUR 1,104 in 2026Q2")]
    [(-16.1, 'points'), (-21.2, ''), (-11.1, ''), (1104.0, 'EUR')]
    >>> [(n.value, n.unit) for n in numbers("69.9 to 78.5%")]
    [(69.9, '%'), (78.5, '%')]
    >>> [(n.value, n.unit) for n in numbers("IDR 0.22 to 2.65 billion")]
    [(220000000.0, 'IDR'), (2650000000.0, 'IDR')]
    >>> [n.is_near(x) for n in numbers("< 0.01 days") for x in (0.0001, 0.009, 0.011, -0.001)]
    [True, True, False, False]
    """
    text = _NOT_A_NUMBER.sub(lambda gone: " " * len(gone[0]), text)
    found: list[Printed] = []
    end = 0
    for match in _PRINTED.finditer(text):
        unit = (match["currency"] or match["tail"] or "").strip().rstrip("s")
        unit = {"point": "points", "day": "days"}.get(unit, unit)
        if found and _RANGE.match(text[end : match.start()]):
            last = found[-1]
            if not unit:
                unit = last.unit
            elif not last.unit:
                found[-1] = Printed(last.value, last.digits, unit, last.text)
        digits = match["digits"].replace(",", "")
        scale = _SCALES.get(match["scale"] or "", 0)
        if scale and found and found[-1].digits >= 0 and _RANGE.match(text[end : match.start()]):
            last = found[-1]
            found[-1] = Printed(last.value * 10**scale, last.digits - scale, unit, last.text)
        value = (-float(digits) if match["sign"] == "−" else float(digits)) * 10**scale
        places = len(digits.partition(".")[2]) - scale
        if match["below"]:  # somewhere between it and zero
            value /= 2
        found.append(Printed(value, places, unit, match[0].strip()))
        end = match.end()
    return found


def _candidates(findings: pd.DataFrame, unit: str) -> Iterable[float]:
    """All numbers that may be printed in a unit: shares as percent, bases without any."""
    estimates = findings[["estimate", "conf_low", "conf_high"]]
    shares = findings["unit"] == "share"
    if unit == "%":
        yield from _known(100 * estimates[shares])
    elif unit == "points":
        yield from _known(100 * estimates[shares])
        yield from _known(estimates[findings["unit"].isin(["points", "nps"])])
    elif unit == "days":
        yield from _known(estimates[findings["unit"] == "days"])
    elif unit:
        yield from _known(estimates[findings["unit"] == unit])
    else:
        # Inside brackets after a difference of shares no unit is said.
        yield from _known(100 * estimates[shares])
        yield from _known(estimates[~shares])
        yield from _known(findings[["n"]])


def _known(frame: pd.DataFrame) -> Iterable[float]:
    values = frame.to_numpy(dtype=float).ravel()
    return (float(x) for x in values[~pd.isna(values)])
