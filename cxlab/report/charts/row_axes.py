"""Axes whose rows are as tall as their words: what charts of rows draw on."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cxlab.report import theme
from cxlab.report.charts import canvas
from cxlab.report.charts.canvas import word

__all__ = ["Rows"]

_GAP = 16.0  # between labels, marks and numbers
_THICK, _SLIM = 20.0, 12.0  # bars on a screen and on a phone
_BOTTOM = 50.0  # ticks and the name of the axis


class Rows:
    """Axes with one row per label: words left, marks in the middle, numbers right."""

    def __init__(self, labels: Sequence[str], texts: Sequence[str], *, ax: Axes | None, top: float):
        size = theme.current()
        self.narrow = theme.is_narrow(ax)
        width = size.width if ax is None else theme.room(ax)
        said = [t or canvas.WITHHELD for t in texts]
        numbers = max((theme.text_width(t, weight="bold") for t in said), default=0.0)
        share = 1.0 if self.narrow else 0.4
        room = width - numbers - _GAP if self.narrow else width * share
        self.labels = [canvas.wrapped(t, room, lines=2 if self.narrow else 3) for t in labels]
        # One unit of the upright axis is one pixel; a row is as tall as its own words.
        tall = [(30 + 17 * len(t)) if self.narrow else (14 + 18 * len(t)) for t in self.labels]
        ends = np.cumsum(tall or [32])
        self.tall, self.middle = tall, [float(e - h / 2) for e, h in zip(ends, tall, strict=False)]
        self.own, self.texts = ax is None, texts
        self.ax, self.size = theme.axes(ax, height=top + float(ends[-1]) + _BOTTOM)
        widest = max((theme.text_width(t) for each in self.labels for t in each), default=0.0)
        self.left = 7.0 if self.narrow else min(widest, room) + _GAP
        self.right = 7.0 if self.narrow else numbers + _GAP
        canvas.margins(
            self.ax,
            self.size,
            own=self.own,
            left=self.left,
            right=self.right,
            top=top,
            bottom=_BOTTOM,
        )
        self.ax.set_ylim(float(ends[-1]), 0)
        self.ax.set_yticks([])

    def scale(
        self, values: list[float], *, unit: str, zero: bool, name: str | None, signed: bool = False
    ) -> None:
        """Set the axis of the numbers."""
        ticks = 4 if self.narrow else 6
        canvas.numeric_axis(self.ax, "x", values, unit=unit, ticks=ticks, zero=zero, signed=signed)
        self._keep_ticks_inside()
        self.ax.set_xlabel(
            name or canvas.axis_name(unit, values),
            color=theme.MUTED,
            fontsize=canvas.SMALL,
            labelpad=6,
        )

    def _keep_ticks_inside(self) -> None:
        """Write the outermost ticks beside their line where the picture would cut them.

        Where that has no room either, the tick goes without words.
        """
        labels = self.ax.get_xticklabels()
        if not self.own or len(labels) < 2:
            return
        low, high = self.ax.get_xlim()
        room = self.size.width - self.left - self.right
        middle = (np.asarray(self.ax.get_xticks(), dtype=float) - low) / (high - low) * room
        half = np.array([theme.text_width(x.get_text(), canvas.SMALL) / 2 for x in labels])
        if middle[0] - half[0] < -self.left:
            labels[0].set_horizontalalignment("left")
            labels[0].set_visible(bool(middle[0] + 2 * half[0] + 6 < middle[1] - half[1]))
        if middle[-1] + half[-1] > room + self.right:
            labels[-1].set_horizontalalignment("right")
            labels[-1].set_visible(bool(middle[-1] - 2 * half[-1] - 6 > middle[-2] + half[-2]))

    def draw(
        self,
        frame: pd.DataFrame,
        mark: Callable[[float, pd.Series], None],
        *,
        hidden: "np.ndarray[Any, np.dtype[np.bool_]]",
    ) -> Axes:
        """Write each row's words and call `mark` where its number may be shown."""
        for i, (_, row) in enumerate(frame.iterrows()):
            self._label(i)
            if hidden[i]:
                self._side(i, canvas.WITHHELD, colour=theme.MUTED, style="italic")
                continue
            mark(self._mark_at(i), row)
            self._side(i, self.texts[i], weight="bold")
        return self.ax

    def dot(self, y: float, x: float, colour: str, *, hollow: bool = False) -> None:
        """One dot, with a rim of paper so that it stands off its line."""
        face = theme.PAPER if hollow else colour
        rim = colour if hollow else theme.PAPER
        self.ax.plot(
            [x], [y], "o", markersize=10, markerfacecolor=face, markeredgecolor=rim,
            markeredgewidth=1.8, clip_on=False, zorder=5,
        )  # fmt: skip

    def line(self, y: float, low: float, high: float, colour: str) -> None:
        """One interval."""
        self.ax.plot(
            [low, high],
            [y, y],
            color=colour,
            linewidth=2.6,
            solid_capstyle="round",
            zorder=4,
            clip_on=False,
        )

    def bar(self, y: float, x: float, colour: str) -> None:
        """One bar from zero."""
        thick = _SLIM if self.narrow else _THICK
        self.ax.barh([y], [x], height=thick, color=colour, zorder=2)

    def whisker(self, y: float, low: float, high: float) -> None:
        """One interval on a bar: paper below ink, to be seen on both."""
        for colour, width in ((theme.PAPER, 4.6), (theme.INK, 1.8)):
            self.ax.plot(
                [low, high], [y, y], color=colour, linewidth=width, zorder=4, solid_capstyle="butt"
            )

    def zero(self) -> None:
        """The line that bars start from; on a phone beside the bars only, clear of the words."""
        if not self.narrow:
            self.ax.axvline(0, color=theme.INK, linewidth=1.2, zorder=3)
            return
        for i in range(len(self.labels)):
            ends = [self._mark_at(i) - _SLIM / 2 - 2, self._mark_at(i) + _SLIM / 2 + 2]
            self.ax.plot([0, 0], ends, color=theme.INK, linewidth=1.2, zorder=3)

    def reference(self, x: float, text: str) -> None:
        """A line across all rows, named above."""
        self.ax.axvline(x, color=theme.SUBTLE, linewidth=1.4, dashes=(3, 3), zorder=1)
        low, high = self.ax.get_xlim()
        side = (
            "left"
            if x < low + 0.2 * (high - low)
            else "right"
            if x > high - 0.2 * (high - low)
            else "center"
        )
        self._above(x, text, theme.MUTED, side)

    def pair_names(
        self, row: pd.Series, _at: Any, before: str, now: str, old: str, new: str
    ) -> None:
        """Name the two dots above the first row."""
        flip = row[now] < row[before]
        self._above(row[before], old, theme.MUTED, "left" if flip else "right")
        self._above(row[now], new, theme.ACCENT, "right" if flip else "left")

    def _above(self, x: float, text: str, colour: str, side: str) -> None:
        word(
            self.ax, x, 1, text, where=self.ax.get_xaxis_transform(), shift=(0, 10),
            color=colour, ha=side, fontsize=canvas.SMALL,
        )  # fmt: skip

    def _mark_at(self, i: int) -> float:
        return self.middle[i] + (self.tall[i] / 2 - 14 if self.narrow else 0.0)

    def _label(self, i: int) -> None:
        lines = self.labels[i]
        for k, text in enumerate(lines):
            above, beside = self.tall[i] / 2 - 12 - 17 * k, 18 * ((len(lines) - 1) / 2 - k)
            shift = (-self.left, above if self.narrow else beside)
            where = self.ax.get_yaxis_transform()
            word(self.ax, 0, self.middle[i], text, where=where, shift=shift)

    def _side(self, i: int, text: str, *, colour: str = theme.INK, **how: Any) -> None:
        shift = (self.right, self.tall[i] / 2 - 12 if self.narrow else 0.0)
        word(
            self.ax, 1, self.middle[i], text, where=self.ax.get_yaxis_transform(), shift=shift,
            ha="right", color=colour, **how,
        )  # fmt: skip
