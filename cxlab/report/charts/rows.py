"""Charts that read like a table: a label, its mark, its number, row by row."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlab.report import theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import known, need
from cxlab.report.charts.row_axes import Rows

__all__ = ["bars", "diverging", "dots", "paired"]

_RUN = 4  # so many withheld neighbours share a row


def dots(
    frame: pd.DataFrame,
    *,
    label: str,
    unit: str,
    estimate: str = "estimate",
    low: str | None = "conf_low",
    high: str | None = "conf_high",
    reference: float | None = None,
    reference_name: str = "all",
    axis: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one dot per row with its interval; the number stands beside it.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per group, drawn from top to bottom; `suppressed` is heeded.
    label, estimate, low, high : str
        Columns: the words of a row, its number, and the ends of its interval.
    unit : str
        As in `cxlab.report.words.value`.
    reference : float, optional
        A number of the same unit, drawn as a line across all rows.
    reference_name : str, default "all"
        What the reference is, in a word.
    axis : str, optional
        Name of the axis. Default: the unit's.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure as tall as its rows.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, label, estimate)
    frame = _gathered(frame, label, estimate)
    low, high = _both(frame, low, high)
    texts = _texts(frame, estimate, unit)
    spread = known(frame, estimate, low, high) + ([] if reference is None else [reference])
    rows = Rows(
        frame[label].astype(str).tolist(), texts, ax=ax, top=26 if reference is not None else 4
    )
    rows.scale(spread, unit=unit, zero=False, name=axis)
    if reference is not None:
        rows.reference(reference, f"{reference_name} {words.value(reference, unit)}")

    def mark(y: float, row: pd.Series) -> None:
        if low and high and np.isfinite(row[low]) and np.isfinite(row[high]):
            rows.line(y, row[low], row[high], theme.ACCENT)
        rows.dot(y, row[estimate], theme.ACCENT)

    return rows.draw(frame, mark, hidden=canvas.withheld(frame, estimate))


def bars(
    frame: pd.DataFrame,
    *,
    label: str,
    unit: str,
    value: str = "estimate",
    low: str | None = None,
    high: str | None = None,
    axis: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one horizontal bar per row, from zero; parameters as in `dots`."""
    need(frame, label, value, low, high)
    return _bars(frame, label, value, low, high, unit=unit, axis=axis, ax=ax, signed=False)


def diverging(
    frame: pd.DataFrame,
    *,
    label: str,
    unit: str,
    value: str = "estimate",
    low: str | None = "conf_low",
    high: str | None = "conf_high",
    axis: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw differences as bars to both sides of zero, each number with its sign."""
    need(frame, label, value)
    low, high = _both(frame, low, high)
    spread = known(frame, value, low, high)
    units = "percentage points" if unit == "share" else canvas.axis_name(unit, spread)
    name = axis or f"Change, {units}"
    return _bars(frame, label, value, low, high, unit=unit, axis=name, ax=ax, signed=True)


def paired(
    frame: pd.DataFrame,
    *,
    label: str,
    before: str,
    now: str,
    unit: str,
    names: tuple[str, str] | None = None,
    axis: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw two numbers per row and the way between them.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per group.
    label, before, now : str
        Columns: the words of a row, its earlier and its later number.
    unit : str
        As in `cxlab.report.words.value`.
    names : tuple of str, optional
        What the two numbers are called. Default: the names of the columns.
    axis, ax
        As in `dots`.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, label, before, now)
    frame = _gathered(frame, label, now)
    texts = _texts(frame, now, unit)
    rows = Rows(frame[label].astype(str).tolist(), texts, ax=ax, top=28)
    rows.scale(known(frame, before, now), unit=unit, zero=False, name=axis)
    hidden = canvas.withheld(frame, now)
    old, new = names or (before.replace("_", " "), now.replace("_", " "))

    def mark(y: float, row: pd.Series) -> None:
        if np.isfinite(row[before]):
            rows.line(y, row[before], row[now], theme.SUBTLE)
            rows.dot(y, row[before], theme.SUBTLE, hollow=True)
        rows.dot(y, row[now], theme.ACCENT)

    drawn = rows.draw(frame, mark, hidden=hidden)
    shown = frame[~hidden & np.isfinite(frame[before].astype(float).to_numpy())]
    if len(shown):
        rows.pair_names(shown.iloc[0], frame.index.get_loc(shown.index[0]), before, now, old, new)
    return drawn


def _bars(
    frame: pd.DataFrame,
    label: str,
    value: str,
    low: str | None,
    high: str | None,
    *,
    unit: str,
    axis: str | None,
    ax: Axes | None,
    signed: bool,
) -> Axes:
    frame = _gathered(frame, label, value)
    texts = _texts(frame, value, unit, signed=signed)
    rows = Rows(frame[label].astype(str).tolist(), texts, ax=ax, top=4)
    spread = known(frame, value, low, high)
    rows.scale(spread, unit=unit, zero=True, name=axis, signed=signed)

    def mark(y: float, row: pd.Series) -> None:
        colour = theme.SERIES[1] if signed and row[value] < 0 else theme.ACCENT
        rows.bar(y, row[value], colour)
        if low and high and np.isfinite(row[low]) and np.isfinite(row[high]):
            rows.whisker(y, row[low], row[high])

    drawn = rows.draw(frame, mark, hidden=canvas.withheld(frame, value))
    rows.zero()
    return drawn


def _gathered(frame: pd.DataFrame, label: str, value: str) -> pd.DataFrame:
    """Write a long run of withheld rows as one row that names them; the table has them all."""
    frame = frame.assign(**{label: frame[label].astype(str)})
    hidden = canvas.withheld(frame, value)
    run = np.cumsum(np.r_[True, hidden[1:] != hidden[:-1]]) if len(frame) else np.empty(0)
    parts = []
    for number in dict.fromkeys(run):
        rows = frame[run == number]
        if hidden[run == number].all() and len(rows) >= _RUN:
            names = f"{len(rows)} groups: {', '.join(rows[label])}"
            rows = rows.head(1).assign(**{label: names})
        parts.append(rows)
    return pd.concat(parts) if parts else frame


def _both(frame: pd.DataFrame, low: str | None, high: str | None) -> tuple[str | None, str | None]:
    """Keep the interval's columns only where the frame has both."""
    return (low, high) if low in frame and high in frame else (None, None)


def _texts(frame: pd.DataFrame, value: str, unit: str, *, signed: bool = False) -> list[str]:
    write: Callable[[float, str], str] = words.signed if signed else words.value
    hidden = canvas.withheld(frame, value)
    texts = [
        "" if gone else write(float(x), unit) for x, gone in zip(frame[value], hidden, strict=True)
    ]
    return [t.removesuffix(" points").removesuffix(" days") for t in texts]
