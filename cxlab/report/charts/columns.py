"""Upright columns for categories that have an order: scores, days, steps."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlab.report import tables, theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import SMALL, known, need, word
from cxlab.report.charts.rows import bars

__all__ = ["columns"]

_PLOT = 190.0  # height of the tallest column with its number


def columns(
    frame: pd.DataFrame,
    *,
    x: str,
    value: str = "estimate",
    unit: str,
    low: str | None = None,
    high: str | None = None,
    axis: str | None = None,
    name: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one column per row, from left to right, its number on top.

    Where the columns would be too slim for their words, the rows are drawn as bars.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per category, in order; `suppressed` is heeded.
    x, value, low, high : str
        Columns: the category, its number, and the ends of its interval.
    unit : str
        As in `cxlab.report.words.value`.
    axis : str, optional
        Name of the numbers' axis. Default: the unit's.
    name : str, optional
        Name of the categories. Default: the column `x` in plain words.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, x, value, low, high)
    hidden = canvas.withheld(frame, value)
    labels = [str(v) for v in frame[x]]
    texts = [
        canvas.WITHHELD if gone else words.value(float(v), unit).removesuffix(" days")
        for v, gone in zip(frame[value], hidden, strict=True)
    ]
    width = theme.current().width if ax is None else theme.room(ax)
    slot = width / max(len(labels), 1)
    parts = [part for label in labels for part in label.split()]
    widest = max((theme.text_width(t, SMALL) for t in [*texts, *parts]), default=0.0)
    if widest > slot - 6:
        return bars(frame, label=x, value=value, unit=unit, low=low, high=high, axis=axis, ax=ax)
    lines = [canvas.wrapped(t, slot - 6, size=SMALL) for t in labels]
    foot = 36 + 17 * max((len(t) for t in lines), default=1)
    own = ax is None
    ax, size = theme.axes(ax, height=34 + _PLOT + foot)
    canvas.margins(ax, size, own=own, left=0.5, right=0.5, top=34, bottom=foot)
    canvas.numeric_axis(ax, "y", known(frame, value, low, high), unit=unit, ticks=4, zero=True)
    ax.set_yticks([])
    ax.set_xlim(-0.5, max(len(labels), 1) - 0.5)
    ax.set_xticks([])
    ax.axhline(0, color=theme.INK, linewidth=1.2, zorder=3)
    canvas.corner(ax, axis or canvas.axis_name(unit), up=22)
    for i, (text, gone) in enumerate(zip(texts, hidden, strict=True)):
        for k, part in enumerate(lines[i]):
            down = (0, -14 - 17 * k)
            where = ax.get_xaxis_transform()
            word(ax, i, 0, part, where=where, shift=down, ha="center", fontsize=SMALL)
        if gone:
            how = {"color": theme.MUTED, "style": "italic", "fontsize": SMALL}
            word(ax, i, 0, text, shift=(0, 11), ha="center", **how)
            continue
        row = frame.iloc[i]
        tall = float(row[value])
        ax.bar([i], [tall], width=min(0.72, 84 / slot), color=theme.ACCENT, zorder=2)
        if low and high and np.isfinite(row[low]) and np.isfinite(row[high]):
            for colour, thick in ((theme.PAPER, 4.6), (theme.INK, 1.8)):
                ends = [row[low], row[high]]
                ax.plot(
                    [i, i], ends, color=colour, linewidth=thick, solid_capstyle="butt", zorder=4
                )
            tall = max(tall, float(row[high]))
        word(ax, i, max(tall, 0.0), text, shift=(0, 12), ha="center", weight="bold", zorder=6)
    ax.set_xlabel(name or tables.plain(x), color=theme.MUTED, fontsize=SMALL, labelpad=foot - 24)
    return ax
