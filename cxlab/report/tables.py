"""The standard table of a report, and the same rows as a CSV file.

Whatever came from customers is text: escaped, its hidden direction marks taken out,
and in the CSV never a formula.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from cxlab.columns import GLOSSARY
from cxlab.metrics import metrics
from cxlab.report import words

__all__ = ["csv", "download", "plain", "render", "text", "unmarked"]

# Overrides and isolates of the writing direction can make text read as what it is not.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")

_CAPITALS = {"rfm": "RFM", "nps": "NPS", "csat": "CSAT", "ces": "CES", "kpi": "KPI", "id": "ID"}
_NAMES = {
    "n": "Base", "estimate": "Estimate", "metric": "Measure", "measure": "Which", "unit": "Unit",
    "p_value": "p", "p_holm": "p, adjusted (Holm)", "p_bh": "p, adjusted (Benjamini-Hochberg)",
    "p_proportional": "p, ratio stays the same", "covariate": "Sign or attribute",
    "after_days": "After, days", "within_days": "Within, days", "at_risk": "Still watched",
    "box": "Attitude and behaviour", "after_category": "Began with", "times_back": "Came back",
    "voice": "Spoke before leaving",
}  # fmt: skip
_INTERVAL = ("conf_low", "conf_high")
_MOVES = ("change", "difference")  # metrics whose sign is the message
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LONG = 40  # letters of a cell that needs room to be read


def text(value: object) -> str:
    """Write anything as harmless HTML: escaped, without marks that turn the text."""
    return escape(unmarked(str(value)), quote=True)


def unmarked(value: str) -> str:
    """Take out marks that turn the writing direction, and control characters."""
    return _CONTROL.sub("", _DIRECTION.sub("", value))


def plain(name: str) -> str:
    """Turn a name of the code into words; a metric is called as the catalogue does.

    >>> plain("days_late"), plain("churn.rate"), plain("own.rfm_share")
    ('Days late', 'Churn of subscriptions', 'RFM share')
    """
    if name in _NAMES:
        return _NAMES[name]
    if name in metrics():
        return metrics()[name].name
    parts = [_CAPITALS.get(w, w) for w in str(name).rsplit(".", 1)[-1].split("_") if w]
    said = " ".join(parts)
    return said[:1].upper() + said[1:]


def render(
    frame: pd.DataFrame,
    *,
    caption: str,
    unit: str | None = None,
    units: Mapping[str, str] | None = None,
    level: float = 0.95,
    uid: str = "t",
    quiet: bool = False,
    metric: str = "",
) -> str:
    """Render a tidy frame as an accessible HTML table.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per group. `conf_low` and `conf_high` become one column; where
        `suppressed` is true the numbers read "withheld".
    caption : str
        What the table shows.
    unit : str, optional
        Unit of estimates where the frame has no column `unit`.
    units : mapping, optional
        Units of other columns by name.
    level : float, default 0.95
        Confidence level, for the head of the interval's column.
    uid : str
        Prefix of the ids.
    quiet : bool, default False
        Whether the caption is for screen readers only.
    metric : str, optional
        What is estimated where the frame has no column `metric`: a change or a
        difference is written with its sign, of shares in points.

    Returns
    -------
    str
        A `div` that scrolls sideways by itself where the table is wider than the page.
    """
    # A number says its unit itself.
    columns = [c for c in frame.columns if c not in ("suppressed", "conf_high", "unit")]
    units = dict(units or {})
    if unit is not None:
        units |= {c: unit for c in ("estimate", "conf_low", *units) if c not in units}
    hidden = ' class="cx-heard"' if quiet else ""
    heads = "".join(_head(c, frame, level) for c in columns)
    given = {"metric": metric}
    numbers = [c for c in (*columns, "conf_high") if c in frame and _is_number(frame[c])]
    digits = {c: _digits(c, frame[c]) for c in numbers}
    rows = "".join(_row(given | row, columns, digits, units) for row in frame.to_dict("records"))
    return (
        f'<div class="cx-scroll" role="group" aria-labelledby="{uid}-c" tabindex="0">'
        f'<table class="cx-table"><caption id="{uid}-c"{hidden}>{text(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


_KEYS = ("step", "within_days", *(f"after_{unit}" for unit in words.TIMES))


def csv(frame: pd.DataFrame) -> str:
    """Write a frame as CSV whose text no spreadsheet takes for a formula.

    >>> print(csv(pd.DataFrame({"said": ["=1+1"], "change": [-2]})), end="")
    said,change
    '=1+1,-2
    """
    safe = frame.rename(columns=lambda c: _harmless(str(c)))
    for i in range(safe.shape[1]):
        column = safe.iloc[:, i]
        if not pd.api.types.is_numeric_dtype(column):
            safe.isetitem(i, [_harmless(x) for x in column])
    return str(safe.to_csv(index=False, lineterminator="\n"))


def download(frame: pd.DataFrame, *, name: str, label: str = "Download CSV") -> str:
    """Link to the rows as a CSV file that travels inside the page."""
    data = "data:text/csv;charset=utf-8," + quote(csv(frame), safe="~()*!.,:@/")
    file = f"{text(name)}.csv"
    return f'<a class="cx-download" download="{file}" href="{data}">{text(label)}</a>'


def _harmless(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # A mark that nobody sees must not hide the sign, and East Asian spreadsheets take wide ones.
    value = unmarked(value)
    return f"'{value}" if value.startswith(_FORMULA) else value


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _head(column: str, frame: pd.DataFrame, level: float) -> str:
    number = ' class="cx-num"' if _is_number(frame[column]) else ""
    if column == "conf_low" and "conf_high" in frame:
        return f'<th scope="col" class="cx-num">{100 * level:g}% interval</th>'
    hint = f' title="{text(GLOSSARY[column])}"' if column in GLOSSARY else ""
    return f'<th scope="col"{number}{hint}>{text(plain(column))}</th>'


def _digits(column: str, values: "pd.Series[Any]") -> int:
    """Decimals that say enough of numbers without a unit."""
    known = values.dropna().astype(float)
    if np.isclose(known, known.round()).all():
        return 0
    return 1 if known.abs().max() >= 100 or "days" in column.split("_") else 2


def _row(
    row: dict[Any, Any], columns: list[str], digits: dict[str, int], units: dict[str, str]
) -> str:
    hidden = bool(row.get("suppressed", False) is True or row.get("suppressed") == True)  # noqa: E712
    own = str(row["unit"]) if "unit" in row else None
    moves = str(row["metric"]).endswith(_MOVES)
    fine = max((digits[c] for c in ("estimate", *_INTERVAL) if c in digits), default=0)
    cells, headed = [], False
    for column in columns:
        value = row[column]
        if column not in digits:
            shown = plain(value) if column in ("metric", "unit") else _word(value)
            if shown == "–" and "estimate" in columns:
                shown = "All"  # a group that is not named is everybody
            tag = "td" if headed else 'th scope="row"'
            roomy = ' class="cx-words"' if len(shown) > _LONG else ""
            cells.append(f"<{tag}{roomy}><bdi>{text(shown)}</bdi></{tag[:2]}>")
            headed = True
        elif column == "conf_low" and "conf_high" in row:
            unit = own or units.get(column, "")
            ends = _interval(value, row["conf_high"], unit, moves=moves, digits=fine)
            cells.append(_cell(ends, hidden, muted=True))
        else:
            unit = units.get(column, own or "" if column == "estimate" else "")
            signed = moves and column == "estimate" and bool(unit) and np.isfinite(value)
            shown = (
                _moved(value, unit, str(row["metric"]))
                if signed
                else _number(value, column, unit, digits[column])
            )
            # What a row is about stays, also where its numbers are withheld.
            cells.append(_cell(shown, hidden and not (column in _KEYS and np.isfinite(value))))
    return f"<tr>{''.join(cells)}</tr>"


def _cell(shown: str, hidden: bool, *, muted: bool = False) -> str:
    if hidden:
        return '<td class="cx-num cx-muted">withheld</td>'
    return f'<td class="cx-num{" cx-muted" if muted else ""}">{text(shown)}</td>'


def _interval(low: float, high: float, unit: str, *, moves: bool, digits: int) -> str:
    """Write an interval; without a unit with as many decimals as its estimate has."""
    if not (np.isfinite(low) and np.isfinite(high)) or low == high:  # a complete count has none
        return "–"
    if not unit and not moves:
        return f"{words.number(low, digits)} to {words.number(high, digits)}"
    if not moves:
        return words.interval(low, high, unit)
    ends = [words.signed(end, unit).removesuffix(" points") for end in (low, high)]
    return f"{ends[0]} to {ends[1].removeprefix(unit + ' ')}"


def _moved(value: float, unit: str, metric: str) -> str:
    if metric.endswith("relative_change"):  # a share of what was, so percent it is
        return words.signed(100 * value, "nps") + "%"
    return words.signed(value, unit)


def _number(value: float, column: str, unit: str, digits: int) -> str:
    if value is None or pd.isna(value) or not np.isfinite(value):
        return "–"
    if unit:
        return words.value(float(value), unit)
    if column == "share" or column.endswith(("_rate", "_share")):
        return words.value(float(value), "share")
    if column.startswith("p_"):
        return words.number(value, 3) if value >= 0.001 else "<0.001"
    return words.number(float(value), digits)


def _word(value: object) -> str:
    if (
        value is None
        or (isinstance(value, float) and np.isnan(value))
        or value is pd.NaT
        or value is pd.NA
    ):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    return str(value)
