"""Bands from step to step: where what was at one place goes next."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from cxlab.report import theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import SMALL, need, word

__all__ = ["flow"]

_TALL = 400.0  # all that flows, in pixels
_GAP, _BAR, _TOP = 9.0, 10.0, 30.0  # between nodes; width of a node; room for the heads
_LABEL = 11.0  # a node less tall than that has no label
_NARROW_STEPS = 2
_ORDINAL = {1: "1st", 2: "2nd", 3: "3rd"}

Nodes = dict[tuple[int, str], tuple[float, float]]  # (column, place): top and height in pixels


def flow(
    frame: pd.DataFrame,
    *,
    step: str,
    source: str,
    target: str,
    value: str = "estimate",
    ends: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw bands between places, one column of places per step.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per band; `suppressed` is heeded, and what is withheld is not drawn. Places
        keep the order of their size, from top to bottom.
    step, source, target, value : str
        Columns: the step (1, 2, ...), the place it leaves, the place it leads to, and the
        share of all (0 to 1) that takes it. A place whose bands are all there tells its share.
    ends : sequence of str
        Targets that nothing leaves; the first one is the good end.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure; a narrow one shows two steps.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, step, source, target, value)
    own, narrow = ax is None, theme.is_narrow(ax)
    hidden = canvas.withheld(frame, value)
    every = frame[[step, source, target, value]].set_axis(["k", "a", "b", "v"], axis=1)
    links, gone = every[~hidden], every[hidden]
    # Of a place that a withheld band touches we do not know how much passes through it.
    partly = {*zip(gone["k"], gone["a"], strict=True), *zip(gone["k"] + 1, gone["b"], strict=True)}
    links = links[(links["v"] > 0) & (links["k"] <= (_NARROW_STEPS if narrow else links["k"]))]
    order = _ordered(links, ends)
    nodes, deep = _placed(links, order)
    ax, size = theme.axes(ax, height=_TOP + deep + 6)
    canvas.margins(ax, size, own=own, left=0, right=0, top=_TOP, bottom=6)
    canvas.bare(ax)
    ax.set(xlim=(0, size.width), ylim=(max(deep, 1.0), 0), xticks=[], yticks=[])
    last = max((k for k, _ in nodes), default=1)
    room = max(
        (theme.text_width(p, SMALL) for (k, p) in nodes if k == last), default=0.0
    ) + 10  # fmt: skip
    pitch = (size.width - min(room, size.width / 3) - _BAR) / max(last - 1, 1)
    _bands(ax, links, nodes, order, pitch, ends)
    for (k, place), (top, tall) in nodes.items():
        x, colour = (k - 1) * pitch, _colour(place, ends)
        ax.add_patch(Rectangle((x, top), _BAR, tall, fc=colour, ec="none", zorder=3))
        if tall >= _LABEL:
            share = words.value(tall / _TALL, "share")
            wide = pitch if k < last else room + _BAR
            both = place if (k, place) in partly else f"{place} {share}"
            fits = theme.text_width(both, SMALL) < wide - _BAR - 6
            said = both if fits else canvas.wrapped(place, wide - _BAR - 6, size=SMALL, lines=1)[0]
            word(ax, x + _BAR + 4, top + tall / 2, said, fontsize=SMALL, zorder=5)
    where = ax.get_xaxis_transform()
    for k in range(1, last + 1):
        head = _ORDINAL.get(k, f"{k}th")
        word(ax, (k - 1) * pitch, 1, head, where=where, shift=(0, 14), color=theme.MUTED,
             fontsize=SMALL)  # fmt: skip
    return ax


def _ordered(links: pd.DataFrame, ends: Sequence[str]) -> dict[str, int]:
    """Rank the places by what passes through them; ends come last."""
    size = links.groupby("a")["v"].sum()
    size = size.add(links.groupby("b")["v"].sum(), fill_value=0.0)
    places = sorted((p for p in size.index if p not in ends), key=lambda p: (-size[p], p))
    return {place: rank for rank, place in enumerate([*places, *ends])}


def _placed(links: pd.DataFrame, order: dict[str, int]) -> tuple[Nodes, float]:
    """Stack the places of each step; a node is as tall as what enters or leaves it."""
    out = links.groupby(["k", "a"])["v"].sum()
    came = links.assign(k=links["k"] + 1).groupby(["k", "b"])["v"].sum()
    both = pd.concat([out, came.rename_axis(["k", "a"])], axis=1).max(axis=1)
    nodes: Nodes = {}
    deep = 0.0
    for k in sorted({int(k) for k, _ in both.index}):
        top = 0.0
        for place in sorted(both.loc[k].index, key=order.__getitem__):
            tall = float(both.loc[(k, place)]) * _TALL
            nodes[(k, place)] = (top, tall)
            top += tall + _GAP
        deep = max(deep, top - _GAP)
    return nodes, deep


def _bands(
    ax: Axes, links: pd.DataFrame, nodes: Nodes, order: dict[str, int], pitch: float,
    ends: Sequence[str],
) -> None:  # fmt: skip
    """Draw each band from its place in the one stack to its place in the other."""
    left = {key: top for key, (top, _) in nodes.items()}
    right = dict(left)
    ranked = links.assign(ra=links["a"].map(order), rb=links["b"].map(order))
    for k, a, b, v in (
        ranked.sort_values(["k", "ra", "rb"])[["k", "a", "b", "v"]].itertuples(index=False)
    ):  # fmt: skip
        tall = float(v) * _TALL
        y0, y1 = left[(k, a)], right[(k + 1, b)]
        left[(k, a)] += tall
        right[(k + 1, b)] += tall
        x0, x1 = (k - 1) * pitch + _BAR, k * pitch
        middle = (x0 + x1) / 2
        points = [
            (x0, y0), (middle, y0), (middle, y1), (x1, y1),
            (x1, y1 + tall), (middle, y1 + tall), (middle, y0 + tall), (x0, y0 + tall), (x0, y0),
        ]  # fmt: skip
        c = Path.CURVE4
        codes = [Path.MOVETO, c, c, c, Path.LINETO, c, c, c, Path.CLOSEPOLY]
        good = bool(ends) and b == ends[0]
        fill = theme.STEPS[2] if good else theme.RULE if b in ends else theme.STEPS[1]
        rim = theme.PAPER if tall > 2 else "none"
        ax.add_patch(PathPatch(Path(points, codes), fc=fill, ec=rim, lw=0.6, zorder=2))


def _colour(place: str, ends: Sequence[str]) -> str:
    if place not in ends:
        return theme.ACCENT
    return theme.SERIES[2] if place == ends[0] else theme.SUBTLE
