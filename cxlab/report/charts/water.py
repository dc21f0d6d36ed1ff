"""What can be seen stands above a water line, what cannot lies below it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlab.report import theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import SMALL, need, word
from cxlab.report.charts.row_axes import Rows

__all__ = ["waterline"]

_TALL = 230.0  # of a column: all of it, above and below
_HATCH = "////"  # told from above without colour
_SEEN, _UNSEEN = "seen", "not seen"


def waterline(
    frame: pd.DataFrame,
    *,
    label: str,
    value: str = "estimate",
    part: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each share as a column that floats: so much above the water, the rest below.

    Where the columns would be too slim for their words, the rows lie on their sides, and the
    water line stands upright.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per column, in order; `suppressed` is heeded.
    label, value : str
        Columns: the words of a column, and its share above the water, 0 to 1.
    part : str, optional
        Column that says what neighbouring columns have in common; written above them.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, label, value, part)
    width = theme.current().width if ax is None else theme.room(ax)
    slot = (width - 70) / max(len(frame), 1)
    pieces = [p for text in frame[label].astype(str) for p in text.split()]
    widest = max((theme.text_width(t, SMALL) for t in [*pieces, "withheld"]), default=0.0)
    heads = [] if part is None else _runs(frame[part].astype(str).tolist())
    narrow = any(len(canvas.wrapped(t, slot * n - 8, size=SMALL)) > 3 for t, _, n in heads)
    if widest > slot - 6 or narrow:
        return _lying(frame, label, value, part, ax)
    return _floating(frame, label, value, heads, slot, ax)


def _floating(
    frame: pd.DataFrame,
    label: str,
    value: str,
    heads: list[tuple[str, int, int]],
    slot: float,
    ax: Axes | None,
) -> Axes:
    lines = [canvas.wrapped(t, slot - 6, size=SMALL) for t in frame[label].astype(str)]
    foot = 34 + 17 * max((len(t) for t in lines), default=1)
    titles = [canvas.wrapped(t, slot * n - 8, size=SMALL) for t, _, n in heads]
    top = 26.0 + 17 * max((len(t) for t in titles), default=0)
    own = ax is None
    ax, size = theme.axes(ax, height=top + _TALL * 1.5 + foot)
    canvas.margins(ax, size, own=own, left=70, right=0.5, top=top, bottom=foot)
    canvas.bare(ax)
    hidden = canvas.withheld(frame, value)
    shares = np.where(hidden, np.nan, frame[value].astype(float))
    above = float(np.nanmax([0.2, *shares])) + 0.08
    below = float(np.nanmax([0.2, *(1 - shares)])) + 0.08
    ax.set(xlim=(-0.5, max(len(frame), 1) - 0.5), ylim=(-below, above), xticks=[], yticks=[])
    ax.axhspan(-below, 0, color=theme.STEPS[0], zorder=0)
    for i, share in enumerate(shares):
        if hidden[i]:
            word(ax, i, 0, canvas.WITHHELD, shift=(0, 12), ha="center", fontsize=SMALL,
                 color=theme.MUTED, style="italic")  # fmt: skip
        else:
            _pieces(ax, i, float(share), wide=min(0.66, 84 / slot))
        for k, text in enumerate(lines[i]):
            word(ax, i, 0, text, where=ax.get_xaxis_transform(), shift=(0, -16 - 17 * k),
                 ha="center", fontsize=SMALL)  # fmt: skip
    ax.axhline(0, color=theme.INK, linewidth=1.8, zorder=5)
    for text, side in ((_SEEN, 12), (_UNSEEN, -12)):
        word(ax, 0, 0, text, where=ax.get_yaxis_transform(), shift=(-70, side), fontsize=SMALL,
             color=theme.MUTED)  # fmt: skip
    for (_, first, _), said in zip(heads, titles, strict=True):
        for k, piece in enumerate(said):
            word(ax, first - 0.5, 1, piece, where=ax.get_xaxis_transform(),
                 shift=(4, top - 12 - 17 * k), fontsize=SMALL, color=theme.MUTED)  # fmt: skip
        if first:
            ax.axvline(first - 0.5, color=theme.RULE, linewidth=1.2, zorder=1)
    return ax


def _pieces(ax: Axes, i: float, share: float, *, wide: float) -> None:
    ax.bar([i], [share], width=wide, color=theme.STEPS[4], zorder=3)
    ax.bar([i], [share - 1], width=wide, facecolor=theme.STEPS[6], edgecolor=theme.STEPS[3],
           hatch=_HATCH, linewidth=0, zorder=3)  # fmt: skip
    how = {"ha": "center", "weight": "bold", "zorder": 6, "fontsize": SMALL}
    word(ax, i, share, words.value(share, "share"), shift=(0, 10), **how)
    word(ax, i, share - 1, words.value(1 - share, "share"), shift=(0, -11), **how)


def _lying(frame: pd.DataFrame, label: str, value: str, part: str | None, ax: Axes | None) -> Axes:
    names = frame[label].astype(str)
    if part is not None:
        names = frame[part].astype(str) + ": " + names
    hidden = canvas.withheld(frame, value)
    texts = [
        "" if gone else f"{words.value(float(x), 'share')} {_SEEN}"
        for x, gone in zip(frame[value], hidden, strict=True)
    ]
    rows = Rows(names.tolist(), texts, ax=ax, top=26)
    shares = frame[value].astype(float).to_numpy()[~hidden]
    spread = [*shares, *(shares - 1)] if len(shares) else []
    rows.scale(
        spread, unit="share", zero=True, name="Left of the line: not seen, %; right: seen, %"
    )
    # The tick at an end needs room for its word on a phone, where the marks reach the edge.
    rows.ax.set_xticks([-1, -0.5, 0, 0.5, 1], ["100%", "50%", "0%", "50%", "100%"])
    rows.ax.set_xlim(min([-0.5, *spread]) - 0.12, max([0.5, *spread]) + 0.12)

    def mark(y: float, row: pd.Series) -> None:
        share = float(row[value])
        rows.bar(y, share, theme.STEPS[4])
        thick = 12.0 if rows.narrow else 20.0
        rows.ax.barh([y], [share - 1], height=thick, facecolor=theme.STEPS[6],
                     edgecolor=theme.STEPS[3], hatch=_HATCH, linewidth=0, zorder=2)  # fmt: skip

    drawn = rows.draw(frame, mark, hidden=hidden)
    rows.zero()
    return drawn


def _runs(names: list[str]) -> list[tuple[str, int, int]]:
    """Name each run of equal neighbours, where it begins and how long it is."""
    runs: list[tuple[str, int, int]] = []
    for i, name in enumerate(names):
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((name, i, 1))
    return runs
