"""What all charts share: margins, axes, words, and how a unit looks on an axis."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cxlab.errors import ParameterError
from cxlab.report import tables, theme, words

__all__ = [
    "SMALL",
    "WITHHELD",
    "axis_name",
    "bare",
    "corner",
    "known",
    "margins",
    "need",
    "numeric_axis",
    "tick_text",
    "withheld",
    "word",
    "wrapped",
]

WITHHELD = "withheld"
SMALL = 13.0  # ticks and side remarks

_AXIS = {
    "share": "Share, percent",
    "points": "Points",
    "nps": "Net Promoter Score",
    "count": "Count",
    "days": "Days",
    "hours": "Hours",
    "minutes": "Minutes",
    "seconds": "Seconds",
}


def need(frame: pd.DataFrame, *columns: str | None) -> None:
    """Refuse a frame that lacks a column the chart is to draw."""
    missing = [c for c in columns if c is not None and c not in frame.columns]
    if missing:
        msg = (
            f"A chart needs columns that its frame has, but {missing} are not among "
            f"{list(frame.columns)}. Name the columns to draw."
        )
        raise ParameterError(msg)


def withheld(frame: pd.DataFrame, value: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say for each row whether its number is missing or suppressed."""
    hidden = ~np.isfinite(frame[value].astype(float).to_numpy())
    if "suppressed" in frame:
        hidden |= frame["suppressed"].fillna(False).astype(bool).to_numpy()
    return hidden


def known(frame: pd.DataFrame, *columns: str | None) -> list[float]:
    """Collect every finite number of the given columns, for the range of an axis."""
    names = [c for c in columns if c is not None and c in frame]
    values = frame[names].astype(float).to_numpy().ravel() if names else np.empty(0)
    return [float(x) for x in values[np.isfinite(values)]]


def axis_name(unit: str, values: Sequence[float] = ()) -> str:
    """Name an axis by its unit; money by its currency, and by the word that large ticks leave out.

    >>> axis_name("IDR", [1.9e9, 2.4e9])
    'IDR billion'
    """
    return _AXIS.get(unit, unit + _scale_of(unit, values)[1])


def _scale_of(unit: str, values: Sequence[float]) -> tuple[float, str]:
    """Return what ticks of large amounts are divided by, and the word for it."""
    return words.scale(max(map(abs, values), default=0.0)) if words.is_money(unit) else (1.0, "")


def tick_text(x: float, unit: str, step: float, *, signed: bool = False) -> str:
    """Write one tick: as few digits as tell it from its neighbour.

    >>> tick_text(0.25, "share", 0.05), tick_text(0.05, "share", 0.05, signed=True)
    ('25%', '+5')
    """
    scale = 100 if unit == "share" else 1
    small = abs(step) * scale
    digits = 0 if small >= 1 else min(6, math.ceil(-math.log10(small) - 1e-9)) if small else 0
    if digits == 0 and small and abs(small - round(small)) > 1e-9 and small < 10:
        digits = 1
    text = words.number(x * scale, digits)
    if signed:  # a difference of shares counts in points, where "%" would mislead
        return f"+{text}" if text.strip("0.") and x > 0 else text
    return text + ("%" if unit == "share" else "")


def numeric_axis(
    ax: Axes,
    which: str,
    values: Sequence[float],
    *,
    unit: str,
    ticks: int,
    zero: bool,
    signed: bool = False,
) -> None:
    """Give one axis round limits around the values, few ticks, and pale grid lines."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        pad = abs(low) * 0.1 or 1.0
        low, high = (low - pad if not zero or low < 0 else 0.0), high + pad
    locator = MaxNLocator(nbins=ticks, steps=[1, 2, 5, 10], min_n_ticks=2)
    if unit == "count":
        locator.set_params(integer=True)
    at = locator.tick_values(low, high)
    step = float(at[1] - at[0]) if len(at) > 1 else 1.0
    # A span that ends at a tick would cut a mark in half; a little air on both sides.
    first, last = float(at[0]), float(at[-1])
    if not zero and low - first > 0.6 * step:
        first = low - 0.15 * step
    if last - high > 0.6 * step:
        last = high + 0.15 * step
    limits = ax.set_xlim if which == "x" else ax.set_ylim
    limits(first, last)
    axis.set_ticks([t for t in at if first - 1e-9 <= t <= last + 1e-9])
    size, _ = _scale_of(unit, values)
    axis.set_major_formatter(
        FuncFormatter(lambda x, _: tick_text(x / size, unit, step / size, signed=signed))
    )
    if not values:
        axis.set_ticks([])
    bare(ax)
    ax.tick_params(axis=which, length=0, pad=6, labelsize=SMALL, labelcolor=theme.MUTED)  # type: ignore[arg-type]
    ax.grid(visible=True, axis=which, color=theme.RULE, linewidth=1, clip_on=False)  # type: ignore[arg-type]


def bare(ax: Axes) -> None:
    """Take the box away; grid lines lie below the marks."""
    ax.set_axisbelow(True)
    for spine in ax.spines.values():
        spine.set_visible(False)


def corner(ax: Axes, text: str, *, up: float, left: float = 0.0) -> None:
    """Name an axis above the chart's upper left corner, where reading starts."""
    how = {"color": theme.MUTED, "fontsize": SMALL}
    word(ax, 0, 1, text, where=ax.transAxes, shift=(-left, up), **how)


def margins(ax: Axes, size: theme.Canvas, *, own: bool, **pixels: float) -> None:
    """Place new axes so that left, right, top and bottom have so many pixels."""
    if not own:
        return
    height = ax.get_figure(root=True).get_size_inches()[1] * 72  # type: ignore[union-attr]
    width = size.width
    left, right = pixels["left"] / width, 1 - pixels["right"] / width
    bottom, top = pixels["bottom"] / height, 1 - pixels["top"] / height
    ax.set_position((left, bottom, max(right - left, 0.1), max(top - bottom, 0.1)))


def word(ax: Axes, x: float, y: float, text: str, **how: Any) -> None:
    """Write a word; by default at data coordinates, moved by `shift` pixels."""
    shift = how.pop("shift", (0.0, 0.0))
    where = how.pop("where", ax.transData)
    size = float(how.get("fontsize", theme.TEXT))
    if "va" not in how and "rotation" not in how:
        # Middle of the capitals, whatever letters hang below: words of a row share a line.
        how, shift = how | {"va": "baseline"}, (shift[0], shift[1] - 0.36 * size)
    style: dict[str, Any] = {
        "fontsize": theme.TEXT,
        "color": theme.INK,
        "va": "center",
        "ha": "left",
    } | how
    ax.annotate(
        tables.unmarked(text),
        xy=(x, y),
        xycoords=where,
        xytext=shift,
        textcoords="offset points",
        annotation_clip=False,
        parse_math=False,
        **style,
    )


def wrapped(text: str, room: float, *, size: float = theme.TEXT, lines: int = 3) -> list[str]:
    """Break a label into lines that fit the room; the last one ends in an ellipsis."""
    text = " ".join(tables.unmarked(str(text)).split())
    if theme.text_width(text, size) <= room:
        return [text]
    letters = max(4, int(room / (theme.text_width(text, size) / len(text))))
    out = textwrap.wrap(text, letters) or [text]
    if len(out) > lines:
        out = [
            *out[: lines - 1],
            textwrap.shorten(" ".join(out[lines - 1 :]), letters, placeholder=" …"),
        ]
        out[-1] = out[-1] if out[-1] != "…" else text[: letters - 1] + "…"
    return out
