"""Lines over time or along a scale, their names at their ends."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from cxlab.report import tables, theme, words
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import SMALL, known, need, word

__all__ = ["curve"]

_DOTTED = 30  # a line of no more points shows them
_SOLID = 4  # so many colours differ for every eye
_LINE = 18.0  # height of one label


def curve(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str = "estimate",
    unit: str,
    low: str | None = None,
    high: str | None = None,
    group: str | None = None,
    step: bool = False,
    zero: bool = False,
    axis: str | None = None,
    name: str | None = None,
    beneath: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line per group with its band, and its name where it ends.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per group and place; drawn in the order of `x`. A withheld row
        leaves a gap and says so.
    x : str
        Column of numbers or moments.
    y, low, high : str
        Columns: the number and the ends of its band.
    unit : str
        Unit of `y`, as in `cxlab.report.words.value`.
    group : str, optional
        Column that tells the lines apart.
    step : bool, default False
        Whether the number holds until the next place, as in a survival curve.
    zero : bool, default False
        Whether the axis starts at zero.
    axis, name : str, optional
        Names of the axes of `y` and `x`. Default: the unit's, and `x` in plain words.
    beneath : str, optional
        Column of counts that are written under the axis, a row per line, such as how many
        were still under observation; its name in plain words stands above them.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    need(frame, x, y, low, high, group, beneath)
    band = bool(low and high)
    hidden = canvas.withheld(frame, y)
    rows = pd.DataFrame({"x": frame[x], "y": frame[y].astype(float).mask(hidden)})
    rows["low"] = frame[low].astype(float) if low else rows["y"]
    rows["high"] = frame[high].astype(float) if high else rows["y"]
    rows["group"] = frame[group].astype(str) if group else ""
    lots = [(str(name), lot) for name, lot in rows.groupby("group", sort=False)]
    own, narrow = ax is None, theme.is_narrow(ax)
    below = 0.0 if beneath is None else _LINE * (len(lots) + 1) + 8
    ax, size = theme.axes(ax, height=(290 if narrow else 340) + below)
    spread = known(rows[rows["y"].notna()], "y", "low", "high")
    canvas.numeric_axis(ax, "y", spread, unit=unit, ticks=5, zero=zero)
    ticks = [t.get_text() for t in ax.get_yticklabels()]
    ends = _ends(lots, unit, room=(0.3 if narrow else 0.26) * size.width)
    right = max((theme.text_width(t) for e in ends for t in e["lines"]), default=0) + 16
    left = max((theme.text_width(t, SMALL) for t in ticks), default=0) + 10
    canvas.margins(ax, size, own=own, left=left, right=right, top=34, bottom=52 + below)
    _places(ax, rows["x"], name or tables.plain(x), narrow=narrow)
    for i, (_, lot) in enumerate(lots):
        ordered = lot.sort_values("x", kind="stable")
        _line(ax, ordered, _colour(i), band=band, step=step, dashed=i >= _SOLID)
    canvas.corner(ax, axis or canvas.axis_name(unit, spread), up=20, left=left if own else 0)
    _gaps(ax, rows)
    _write(ax, ends)
    if beneath is not None:
        counted = [lot.assign(count=frame.loc[lot.index, beneath]) for _, lot in lots]
        heads = [canvas.wrapped(name, right - 16, size=SMALL)[0] for name, _ in lots]
        _counts(ax, counted, tables.plain(beneath), heads, left=left if own else 0)
    return ax


def _counts(
    ax: Axes, lots: list[pd.DataFrame], name: str, labels: list[str], *, left: float
) -> None:
    """Write the counts of each line under the places that the axis names, in its colour."""
    down = -64.0
    how: dict[str, Any] = {"where": ax.get_xaxis_transform(), "fontsize": SMALL}
    how_name = {"color": theme.MUTED, "fontsize": SMALL}
    word(ax, 0, 0, name, where=ax.transAxes, shift=(-left, down), **how_name)
    for i, lot in enumerate(lots):
        seen = lot[lot["count"].notna() & lot["y"].notna()]
        line = down - _LINE * (i + 1)
        for row in _near(seen, list(ax.get_xticks())).to_dict("records"):
            text, colour = words.number(float(row["count"])), _colour(i)
            word(ax, row["x"], 0, text, shift=(0, line), ha="center", color=colour, **how)
        if len(lots) > 1:
            word(ax, 1, 0, labels[i], where=ax.transAxes, shift=(26, line), fontsize=SMALL,
                 color=_colour(i))  # fmt: skip


def _near(rows: pd.DataFrame, ticks: list[float]) -> pd.DataFrame:
    """Choose the row nearest to each tick, if it is nearer than half the way to the next."""
    if rows.empty or len(ticks) < 2:
        return rows.head(1)
    half = (ticks[1] - ticks[0]) / 2
    far = [(rows["x"].astype(float) - tick).abs() for tick in ticks]
    chosen = {each.idxmin() for each in far if each.min() < half}
    return rows[rows.index.isin(chosen)]


def _colour(i: int) -> str:
    return theme.SERIES[i % len(theme.SERIES)]


def _line(
    ax: Axes, rows: pd.DataFrame, colour: str, *, band: bool, step: bool, dashed: bool
) -> None:
    if band:
        ax.fill_between(
            rows["x"], rows["low"], rows["high"], where=rows["y"].notna().to_numpy(),
            color=colour, alpha=0.16, linewidth=0, step="post" if step else None, zorder=2,
        )  # fmt: skip
    style = "steps-post" if step else "default"
    (line,) = ax.plot(rows["x"], rows["y"], color=colour, linewidth=2.4, drawstyle=style, zorder=4)
    if dashed:
        line.set_dashes((4, 1.5))
    if len(rows) <= _DOTTED and not step:
        ax.plot(
            rows["x"], rows["y"], "o", markersize=7, color=colour, clip_on=False, zorder=5,
            markeredgecolor=theme.PAPER, markeredgewidth=1.4,
        )  # fmt: skip


def _places(ax: Axes, values: pd.Series, name: str, *, narrow: bool) -> None:
    """Set the axis along which the lines run."""
    if pd.api.types.is_datetime64_any_dtype(values):
        locator = AutoDateLocator(minticks=2, maxticks=4 if narrow else 7)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        dates = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_formatter(dates)
    elif len(values) and pd.api.types.is_numeric_dtype(values):
        low, high = float(values.min()), float(values.max())
        canvas.numeric_axis(ax, "x", [low, high], unit="", ticks=4 if narrow else 8, zero=False)
        ax.set_xlim(low, high if high > low else low + 1)
        shown = [t for t in ax.get_xticks() if low - 1e-9 <= t <= high + 1e-9]
        ax.set_xticks(shown)
    ax.grid(visible=False, axis="x")
    ax.tick_params(axis="x", length=0, pad=8, labelsize=SMALL, labelcolor=theme.MUTED)
    ax.spines["bottom"].set(visible=True, color=theme.SUBTLE, linewidth=1)
    ax.set_xlabel(name, color=theme.MUTED, fontsize=SMALL, labelpad=6)


def _ends(lots: list[tuple[str, pd.DataFrame]], unit: str, *, room: float) -> list[dict[str, Any]]:
    """Find where each line ends, and the words that stand there."""
    out = []
    for i, (group, rows) in enumerate(lots):
        seen = rows[rows["y"].notna()].sort_values("x", kind="stable")["y"]
        number = words.value(float(seen.iloc[-1]), unit) if len(seen) else canvas.WITHHELD
        lines = canvas.wrapped(f"{group} {number}".strip(), room)
        height = float(seen.iloc[-1]) if len(seen) else None
        colour = _colour(i) if len(seen) else theme.MUTED
        out.append({"y": height, "lines": lines, "colour": colour})
    return out


def _write(ax: Axes, ends: list[dict[str, Any]]) -> None:
    """Write the names, pushed apart where lines end close together."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    tall = float(ax.get_position().height * figure.get_size_inches()[1] * 72)
    low, high = ax.get_ylim()

    def pixel(y: float | None) -> float:
        return 0.0 if y is None else (y - low) / (high - low) * tall

    placed = sorted(ends, key=lambda e: pixel(e["y"]))
    at: list[float] = []
    floor = -8.0
    for end in placed:
        half = _LINE * len(end["lines"]) / 2
        at.append(max(pixel(end["y"]), floor + half))
        floor = at[-1] + half
    over = max(0.0, floor - tall - 10)  # the topmost labels may not leave the chart
    ceiling = floor - over
    for k in range(len(placed) - 1, -1, -1):
        half = _LINE * len(placed[k]["lines"]) / 2
        at[k] = min(at[k], ceiling - half)
        ceiling = at[k] - half
    for end, middle in zip(placed, at, strict=True):
        for k, text in enumerate(end["lines"]):
            down = middle + _LINE * ((len(end["lines"]) - 1) / 2 - k)
            how = {"color": end["colour"], "weight": "bold"}
            word(ax, 1, 0, text, where=ax.transAxes, shift=(12, down), **how)


def _gaps(ax: Axes, rows: pd.DataFrame) -> None:
    """Say "withheld" where a place has no number at all."""
    how: dict[str, Any] = {"ha": "center", "color": theme.MUTED, "style": "italic"}
    shown = set(rows.loc[rows["y"].notna(), "x"])
    if not shown:
        word(ax, 0.5, 0.5, canvas.WITHHELD, where=ax.transAxes, **how)
        return
    how |= {"fontsize": 11.0, "rotation": 90, "va": "bottom", "shift": (0, 6)}
    for place in rows["x"].drop_duplicates():
        if place not in shown:
            at = float(ax.convert_xunits(place))  # type: ignore[no-untyped-call]
            word(ax, at, 0, canvas.WITHHELD, where=ax.get_xaxis_transform(), **how)
