"""Numbers as people read them: rounded, with a true minus and their unit.

Everything printed in a sentence, a tile or a table goes through here, so that a
page never shows the same number in two ways.
"""

import math

__all__ = [
    "MINUS",
    "TIMES",
    "begun",
    "change",
    "duration",
    "first_few",
    "interval",
    "is_money",
    "listing",
    "number",
    "plural",
    "plural_from",
    "scale",
    "signed",
    "value",
    "verdict",
]

MINUS = "\N{MINUS SIGN}"

TIMES = ("days", "hours", "minutes", "seconds")
_DIGITS = {
    "share": 1,
    "points": 2,
    "score": 4,
    "mean": 2,
    "nps": 1,
    "p": 3,
    **dict.fromkeys(TIMES, 1),
}
_TAIL = {"share": "%", **{unit: f" {unit}" for unit in TIMES}}


def number(x: float, digits: int = 0) -> str:
    """Write a number with thousands separators and a true minus sign."""
    if not math.isfinite(x):
        return "not known"
    text = f"{x:,.{digits}f}"
    if text.lstrip("-").strip("0.,") == "":  # what rounds to zero has no sign
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def value(x: float, unit: str) -> str:
    """Write one estimate in its unit: a share as percent, money with its currency.

    Units are `share` (0 to 1), `points` (of a scale), `score` (a mean of squares), `mean`
    (of counts), `nps` (-100 to 100), `p` (of a test), `count`, `days`, `hours`, `minutes`,
    `seconds`, or an ISO 4217 currency.

    >>> value(0.7841, "share"), value(-3.25, "points"), value(1234.5, "BRL")
    ('78.4%', '−3.25', 'BRL 1,234')
    >>> value(0.05, "days"), value(1.24, "days"), value(0.001, "days")
    ('0.05 days', '1.2 days', '< 0.01 days')
    >>> value(3.264, "mean"), value(315.264, "mean")
    ('3.26', '315')
    >>> value(2_405_383_265, "IDR")
    'IDR 2.41 billion'
    """
    if unit == "p" and x < 0.0005:
        return "< 0.001"
    if is_money(unit):
        return f"{unit} {_money(x, x)}"
    if unit in TIMES and 0 < abs(x) < 0.005:  # a minute is not 0.00 days
        return ("< " if x > 0 else f"> {MINUS}") + f"0.01{_TAIL[unit]}"
    return _rounded(x, unit)


def _rounded(x: float, unit: str) -> str:
    """Write a number as one of several, such as an end of an interval: with its digits alone."""
    digits = _DIGITS.get(unit, 0)
    if unit in TIMES and 0 < abs(x) < 0.95:  # an hour is not 0.0 days
        digits = 2
    if unit == "mean" and abs(x) >= 100:
        digits = 0
    text = number(100 * x if unit == "share" else x, digits)
    return text + (_TAIL.get(unit, "") if math.isfinite(x) else "")


def interval(low: float, high: float, unit: str) -> str:
    """Write an interval, its unit said once: '76.7 to 80.0%'.

    >>> interval(0.767, 0.8, "share"), interval(0.001, 0.02, "days")
    ('76.7 to 80.0%', '0.00 to 0.02 days')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not known"
    if is_money(unit):
        largest = max(low, high, key=abs)
        left, right = _money(low, largest), _money(high, largest)
        return f"{unit} {left.removesuffix(scale(largest)[1])} to {right}"
    left, right = _rounded(low, unit), _rounded(high, unit)
    for tail in _TAIL.values():
        left = left.removesuffix(tail) if right.endswith(tail) else left
    return f"{left} to {right}"


def signed(x: float, unit: str) -> str:
    """Write a difference with its sign: shares in points, since % would mislead."""
    if unit == "share":
        text = number(100 * x, 1)
        return f"{_plus(x, text)} points"
    if is_money(unit):
        return f"{unit} {_plus(x, _money(x, x))}"
    return _plus(x, _rounded(x, unit))


def change(x: float, low: float, high: float, unit: str) -> str:
    """Write a difference and its interval: '+4.1 points (+1.2 to +7.0)'."""
    if is_money(unit):
        largest = max(x, low, high, key=lambda end: abs(end) if math.isfinite(end) else 0)
        x_, *texts = (_plus(end, _money(end, largest)) for end in (x, low, high))
        ends = [texts[0].removesuffix(scale(largest)[1]), texts[1]]
        return f"{unit} {x_} ({ends[0]} to {ends[1]})"
    ends = [_bare(signed(end, unit), unit) for end in (low, high)]
    return f"{signed(x, unit)} ({ends[0]} to {ends[1]})"


def verdict(low: float, high: float, *, better: str = "up") -> tuple[str, str]:
    """Return the word and the symbol for a change whose interval is given.

    `better` says which direction is good: "up", "down" or "neither".
    """
    if not (math.isfinite(low) and math.isfinite(high)) or low <= 0 <= high:
        return "No clear change", "■"
    symbol = "▲" if low > 0 else "▼"
    if better == "neither":
        return ("Higher" if low > 0 else "Lower"), symbol
    good = (low > 0) == (better == "up")
    return ("Improved" if good else "Worsened"), symbol


def plural(n: float, one: str, many: str = "") -> str:
    """Write a count with its noun: '1 customer', '2,357 customers', '3 cities'."""
    return f"{number(n)} {one if n == 1 else many or _many(one)}"


def plural_from(least: int, count: float, one: str, many: str = "") -> str:
    """Write a count and its noun; below `least` only that there are fewer.

    Examples
    --------
    >>> plural_from(10, 12, "journey"), plural_from(10, 3, "journey")
    ('12 journeys', 'fewer than 10 journeys')
    """
    if count >= least:
        return plural(count, one, many)
    return f"fewer than {plural(least, one, many)}"


def duration(days: float) -> str:
    """Write a length of time in the unit in which people would say it.

    >>> duration(0.0201), duration(0.5), duration(3.3), duration(0)
    ('29 minutes', '12 hours', '3.3 days', 'no time')
    """
    if not math.isfinite(days):
        return "not known"
    minutes = round(days * 1440)
    if minutes < 1:
        return "no time" if days == 0 else "under a minute"
    if minutes < 60:
        return plural(minutes, "minute")
    if minutes < 36 * 60:
        hours = round(days * 24, 1 if minutes < 600 else 0)
        text = number(hours, 0 if hours == round(hours) else 1)
        return f"{text} hour{'' if hours == 1 else 's'}"
    whole = days >= 20 or round(days, 1) == round(days)
    return f"{number(days, 0 if whole else 1)} days"


def listing(items: list[str], last: str = "and") -> str:
    """Join words as prose does: 'a, b and c'."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def first_few(items: list[str], most: int = 5) -> str:
    """Join the first words, and say how many more there are.

    Examples
    --------
    >>> first_few(["web", "app"]), first_few(["web", "app", "shop", "tv"], most=2)
    ('web and app', 'web, app and 2 others')
    """
    left = len(items) - most
    if left < 2:  # naming the last one is as short as counting it
        return listing(items)
    return f"{', '.join(items[:most])} and {number(left)} others"


def begun(sentence: str) -> str:
    """Let a sentence begin with a capital, also where a name of the data comes first.

    Examples
    --------
    >>> begun("fewer than 10 journeys"), begun("8.4% of all"), begun("")
    ('Fewer than 10 journeys', '8.4% of all', '')
    """
    return sentence[:1].upper() + sentence[1:]


def is_money(unit: str) -> bool:
    """Tell whether a unit is a currency."""
    return unit.isupper() and len(unit) == 3


def scale(x: float) -> tuple[float, str]:
    """Return what to divide by, and the word for it: ten digits say less than three."""
    if math.isfinite(x):
        for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
            if abs(x) >= size * (10 if word == " million" else 1):
                return size, word
    return 1.0, ""


def _many(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _money(x: float, largest: float) -> str:
    """Write an amount on the scale of the largest one that stands beside it."""
    size, word = scale(largest)
    if not word:
        return number(x, 0 if abs(x) >= 100 else 2)
    digits = 2 if abs(largest) < 10 * size else 1 if abs(largest) < 100 * size else 0
    return f"{number(x / size, digits)}{word}" if math.isfinite(x) else number(x)


def _bare(text: str, unit: str) -> str:
    """Take off the unit that was said before."""
    return text.removesuffix(" points").removesuffix(f" {unit}").removeprefix(f"{unit} ")


def _plus(x: float, text: str) -> str:
    plain = text.lstrip("0.,") == ""  # rounds to zero
    return text if x < 0 or plain else f"+{text}"
