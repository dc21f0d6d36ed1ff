"""A word for each pair of groups: what passed, what did not, and what nobody looked at."""

from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cxlab.errors import ParameterError
from cxlab.report import tables, theme
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import SMALL, need, word

__all__ = ["MARKS", "matrix"]

MARKS = {"fail": "×", "warn": "▲", "pass": "✓", "not checked": "–"}
_TALL = 28.0  # of a row


def matrix(
    frame: pd.DataFrame, *, row: str, column: str, state: str = "state", ax: Axes | None = None
) -> Axes:
    """Draw a matrix of states, each as a symbol and a word; slim cells hold the symbol.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per cell; rows and columns keep the order in which they appear.
    row, column, state : str
        Columns: the cell's row, its column, its state: fail, warn, pass, not checked.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure as tall as its rows.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ParameterError
        If a column or a state is unknown.
    """
    need(frame, row, column, state)
    if unknown := sorted(set(frame[state]) - set(MARKS)):
        raise ParameterError(f"A state must be one of {list(MARKS)}, but there is {unknown}.")
    rows, heads = list(frame[row].drop_duplicates()), list(frame[column].drop_duplicates())
    own = ax is None
    width = theme.current().width if ax is None else theme.room(ax)
    left = max((theme.text_width(str(r), SMALL) for r in rows), default=0) + 12
    cell = (width - left) / max(len(heads), 1)
    spoken = cell > max(theme.text_width(_said(s), SMALL) for s in ("fail", "warn", "pass")) + 10
    names = [tables.plain(str(h)) for h in heads]
    wide = [theme.text_width(n, SMALL) for n in names]
    upright = any((a + b) / 2 + 8 > cell for a, b in pairwise(wide))
    tall = max(wide, default=0) if upright else 18.0
    top = tall + 38
    ax, size = theme.axes(ax, height=top + _TALL * max(len(rows), 1) + 4)
    canvas.margins(ax, size, own=own, left=left, right=0, top=top, bottom=4)
    canvas.bare(ax)
    ax.set(xlim=(0, max(len(heads), 1)), ylim=(max(len(rows), 1), 0), xticks=[], yticks=[])
    here = set(frame[state])
    key = "   ".join(f"{mark} {name}" for name, mark in MARKS.items() if name in here)
    canvas.corner(ax, key, up=top - 9, left=left if own else 0)
    _heads(ax, names, upright=upright)
    for i, name in enumerate(rows):
        where = ax.get_yaxis_transform()
        word(ax, 0, i + 0.5, str(name), where=where, shift=(-left, 0), fontsize=SMALL)
    for at, head, found in frame[[row, column, state]].itertuples(index=False):
        _cell(ax, rows.index(at), heads.index(head), found, cell=cell, spoken=spoken)
    return ax


def _said(state: str) -> str:
    return MARKS[state] if state == "not checked" else f"{MARKS[state]} {state}"


def _heads(ax: Axes, names: list[str], *, upright: bool) -> None:
    where = ax.get_xaxis_transform()
    for j, name in enumerate(names):
        if upright:
            how = {"rotation": 90, "va": "bottom", "ha": "center", "fontsize": SMALL}
            word(ax, j + 0.5, 1, name, where=where, shift=(0, 6), **how)
        else:
            word(ax, j + 0.5, 1, name, where=where, shift=(0, 12), ha="center", fontsize=SMALL)


def _cell(ax: Axes, i: int, j: int, state: str, *, cell: float, spoken: bool) -> None:
    """Fill a cell that failed, outline one that warns; the symbol tells them apart anyway."""
    alarm = theme.SERIES[1]
    wide, tall = 1 - min(4, cell / 6) / cell, 1 - 4 / _TALL
    if state in ("fail", "warn"):
        inside = alarm if state == "fail" else "none"
        edge = (j + (1 - wide) / 2, i + (1 - tall) / 2)
        ax.add_patch(Rectangle(edge, wide, tall, fc=inside, ec=alarm, lw=1))
    ink = {"fail": theme.ON_DEEP, "warn": alarm}.get(state, theme.MUTED)
    said = _said(state) if spoken else MARKS[state]
    word(ax, j + 0.5, i + 0.5, said, ha="center", color=ink, fontsize=SMALL)
