"""A number for each pair of groups, as a table whose cells carry colour."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cxlab.report import tables, theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import SMALL, need, word

__all__ = ["heatmap"]

_DEEP = 5  # from this step on, words on a cell are light


def heatmap(
    frame: pd.DataFrame,
    *,
    row: str,
    column: str,
    value: str = "estimate",
    unit: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix with its numbers in the cells: the deeper, the more.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per cell; rows and columns keep the order in which they appear, or that
        of their categories.
    row, column, value : str
        Columns: the cell's row, its column, its number. `suppressed` is heeded.
    unit : str
        As in `cxlab.report.words.value`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure as tall as its rows.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, row, column, value)
    rows, heads = _in_order(frame[row]), _in_order(frame[column])
    own = ax is None
    width = theme.current().width if ax is None else theme.room(ax)
    narrow = theme.is_narrow(ax)
    names = [canvas.wrapped(str(r), width if narrow else 0.3 * width) for r in rows]
    left = 0.0 if narrow else max((theme.text_width(t) for n in names for t in n), default=0) + 14
    cell = (width - left) / max(len(heads), 1)
    tall = 62.0 if narrow else max(44.0, 8 + 19.0 * max((len(n) for n in names), default=1))
    parts = [part for head in heads for part in str(head).split()]
    upright = max((theme.text_width(t, SMALL) for t in parts), default=0) > cell - 4
    top = _heads_height(heads, cell, upright=upright) + 26
    ax, size = theme.axes(ax, height=top + tall * max(len(rows), 1) + 4)
    canvas.margins(ax, size, own=own, left=left, right=0, top=top, bottom=4)
    canvas.bare(ax)
    ax.set(xlim=(0, max(len(heads), 1)), ylim=(max(len(rows), 1), 0), xticks=[], yticks=[])
    said = f"{tables.plain(row)} by row, {tables.plain(column).lower()} by column"
    if canvas.withheld(frame, value).any() and not _fits(cell):
        said = "Cells without a number: withheld"  # the word in every slim cell would be noise
    canvas.corner(ax, said, up=top - 9, left=left if own else 0)
    _heads(ax, heads, cell, upright=upright)
    for i, name in enumerate(names):
        _name(ax, i, name, tall, left, narrow=narrow)
    cells = frame[[row, column, value]].set_axis(["row", "column", "value"], axis=1)
    cells = cells.assign(hidden=canvas.withheld(frame, value))
    _cells(ax, cells, unit=unit, cell=cell, gap=22 / tall if narrow else 0)
    return ax


def _in_order(names: pd.Series) -> list[object]:
    once = names.drop_duplicates()
    return list(once.sort_values() if isinstance(once.dtype, pd.CategoricalDtype) else once)


def _heads_height(heads: list[object], cell: float, *, upright: bool) -> float:
    if upright:
        return max((theme.text_width(str(h), SMALL) for h in heads), default=0) + 10
    return (
        17.0 * max((len(canvas.wrapped(str(h), cell - 4, size=SMALL)) for h in heads), default=1)
        + 8
    )


def _heads(ax: Axes, heads: list[object], cell: float, *, upright: bool) -> None:
    where = ax.get_xaxis_transform()
    for j, head in enumerate(heads):
        if upright:
            how = {"rotation": 90, "va": "bottom", "ha": "center", "fontsize": SMALL}
            word(ax, j + 0.5, 1, str(head), where=where, shift=(0, 6), **how)
            continue
        lines = canvas.wrapped(str(head), cell - 4, size=SMALL)
        for k, text in enumerate(lines):
            up = (0, 12 + 17 * (len(lines) - 1 - k))
            word(ax, j + 0.5, 1, text, where=where, shift=up, ha="center", fontsize=SMALL)


def _name(ax: Axes, i: int, lines: list[str], tall: float, left: float, *, narrow: bool) -> None:
    where = ax.get_yaxis_transform()
    for k, text in enumerate(lines[:1] if narrow else lines):
        down = tall / 2 - 12 if narrow else 18 * ((len(lines) - 1) / 2 - k)
        word(ax, 0, i + 0.5, text, where=where, shift=(-left, down))


def _cells(ax: Axes, cells: pd.DataFrame, *, unit: str, cell: float, gap: float) -> None:
    """Fill the cells; the scale starts at zero, so that nothing looks like nothing."""
    rows, heads = _in_order(cells["row"]), _in_order(cells["column"])
    values = [float(v) for v in cells.loc[~cells["hidden"], "value"]]
    low, high = min([0.0, *values]), max([0.0, *values])
    step = (high - low) / len(theme.STEPS) or 1.0
    short = any(theme.text_width(words.value(v, unit)) > cell - 6 for v in values)
    wide, tall = 1 - 3 / cell, 1 - gap - 0.06
    for name, head, number, gone in cells.itertuples(index=False):
        i, j = rows.index(name), heads.index(head)
        middle = (j + 0.5, i + gap + (1 - gap) / 2)
        if gone:
            ax.add_patch(Rectangle((j, i + gap), wide, tall, fc="none", ec=theme.RULE, lw=1))
            if _fits(cell):
                how: dict[str, Any] = {"ha": "center", "color": theme.MUTED, "style": "italic"}
                word(ax, *middle, canvas.WITHHELD, fontsize=SMALL, **how)
            continue
        depth = min(int((number - low) / step), len(theme.STEPS) - 1)
        ax.add_patch(Rectangle((j, i + gap), wide, tall, fc=theme.STEPS[depth], ec="none"))
        ink = theme.ON_DEEP if depth >= _DEEP else theme.ON_PALE
        said = canvas.tick_text(number, unit, 1.0) if short else words.value(number, unit)
        word(ax, *middle, said, ha="center", color=ink, fontsize=theme.TEXT if cell > 50 else 12.0)


def _fits(cell: float) -> bool:
    return theme.text_width(canvas.WITHHELD, SMALL) < cell - 6
