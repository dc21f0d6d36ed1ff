"""A way in steps: from one amount to another, each step where the last one ended."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlab.report import theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import need
from cxlab.report.charts.row_axes import Rows

__all__ = ["waterfall"]


def waterfall(
    frame: pd.DataFrame,
    *,
    label: str,
    value: str = "estimate",
    unit: str,
    ends: tuple[str, str],
    ax: Axes | None = None,
) -> Axes:
    """Draw the two ends as dots, and each step between them as a bar that floats.

    The lengths of the bars can be compared, whether or not the axis begins at zero; the ends
    are dots for that reason.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per end or step, in order; `suppressed` is heeded.
    label, value : str
        Columns: the words of a row, and its amount; that of a step with its sign.
    unit : str
        As in `cxlab.report.words.value`.
    ends : tuple of str
        The labels of the rows that are no steps: where the way begins and where it ends.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure as tall as its rows.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, label, value)
    names = frame[label].astype(str).tolist()
    hidden = canvas.withheld(frame, value)
    amounts = np.where(hidden, 0.0, frame[value].astype(float))
    is_end = np.isin(names, ends)
    write = [
        "" if gone else words.value(x, unit) if end else words.signed(x, unit)
        for x, gone, end in zip(amounts, hidden, is_end, strict=True)
    ]
    texts = [t.removeprefix(f"{unit} ") for t in write]
    starts = np.zeros(len(names))
    at = 0.0
    for i, amount in enumerate(amounts):
        starts[i] = 0.0 if is_end[i] else at
        at = amount if is_end[i] and not hidden[i] else at + (0.0 if is_end[i] else amount)
    reached = starts + amounts
    drawn = [*reached[~hidden], *starts[~hidden & ~is_end]]
    rows = Rows([n.capitalize() for n in names], texts, ax=ax, top=4)
    rows.scale([float(x) for x in drawn], unit=unit, zero=False, name=None)
    thick = 12.0 if rows.narrow else 20.0

    def mark(y: float, row: pd.Series) -> None:
        i = names.index(str(row[label]))
        if is_end[i]:
            rows.dot(y, float(reached[i]), theme.ACCENT)
            return
        colour = theme.SERIES[1] if amounts[i] < 0 else theme.ACCENT
        rows.ax.barh([y], [amounts[i]], left=[starts[i]], height=thick, color=colour, zorder=3)

    return rows.draw(frame, mark, hidden=hidden)
