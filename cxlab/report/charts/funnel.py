"""A funnel as bars: how many got to each step, and how many of those before it."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlab.report import theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import need
from cxlab.report.charts.row_axes import Rows

__all__ = ["steps"]


def steps(
    frame: pd.DataFrame,
    *,
    label: str,
    reached: str = "reached",
    of_before: str = "of_before",
    estimate: str = "estimate",
    low: str = "conf_low",
    high: str = "conf_high",
    axis: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one bar per step, its loss against the step before in pale behind it.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per step, in their order; `suppressed` is heeded.
    label : str
        Column: the words of a step.
    reached : str
        Column: how many got there, written beside the bar.
    of_before : str
        Column: their share of the step before, written in brackets; missing for the first.
    estimate, low, high : str
        Columns: their share of all who entered, and the ends of its interval.
    axis : str, optional
        Name of the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure as tall as its rows.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, label, reached, of_before, estimate, low, high)
    frame = frame.reset_index(drop=True)
    hidden = canvas.withheld(frame, estimate)
    texts = [
        "" if gone else _said(float(n), float(share))
        for n, share, gone in zip(frame[reached], frame[of_before], hidden, strict=True)
    ]
    rows = Rows(frame[label].astype(str).tolist(), texts, ax=ax, top=4)
    name = axis or "Share of all; in brackets, of the step before"
    rows.scale([0.0, 1.0], unit="share", zero=True, name=name)

    def mark(y: float, row: pd.Series) -> None:
        if row[of_before] > 0:  # the step before, whichever a step is measured against
            rows.bar(y, row[estimate] / row[of_before], theme.RULE)
        rows.bar(y, row[estimate], theme.ACCENT)
        if np.isfinite(row[low]) and np.isfinite(row[high]) and row[low] < row[high]:
            rows.whisker(y, row[low], row[high])

    drawn = rows.draw(frame, mark, hidden=hidden)
    rows.zero()
    return drawn


def _said(n: float, share: float) -> str:
    if not math.isfinite(share):
        return words.number(n)
    return f"{words.number(n)} ({words.value(share, 'share')})"
