"""Colours, type and sizes: one look for charts, tables and pages.

A chart is drawn in the light colours. Each has a partner for dark screens, and the
style sheet swaps them, so that one drawing serves both. Lengths are CSS pixels:
figures are made at 72 dots per inch, where one point is one pixel.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "ACCENT",
    "DARK",
    "INK",
    "MUTED",
    "NARROW",
    "ON_DEEP",
    "ON_PALE",
    "PAPER",
    "RULE",
    "SERIES",
    "STEPS",
    "SUBTLE",
    "TEXT",
    "WIDE",
    "Canvas",
    "axes",
    "canvas",
    "current",
    "is_narrow",
    "quiet_glyphs",
    "room",
    "style",
    "text_width",
]

PAPER = "#ffffff"
INK = "#1b1f24"
MUTED = "#57616c"
SUBTLE = "#838d98"  # axes and marks of the past: 3:1 on paper
RULE = "#dfe3e8"
ACCENT = "#15588f"

# After Okabe & Ito's set for every kind of colour vision, darkened to 4.5:1 on paper
# so that a label may wear the colour of its line.
# The first four differ for every eye; lines from the fifth on are dashed as well.
SERIES = (ACCENT, "#b5440c", "#00806e", "#571d5e", "#86660a", MUTED)

# Seven steps of one hue for heat maps, pale to deep; on dark screens they run from
# dark to light, so the words on them need colours of their own.
STEPS = ("#eef3f8", "#d6e4f0", "#b7d0e6", "#8fb6d6", "#5f95c2", "#33709f", "#164a75")
ON_PALE, ON_DEEP = "#1b1f25", "#fffffe"

DARK = {
    PAPER: "#14181d",
    INK: "#e8ecf1",
    MUTED: "#a9b4c0",
    SUBTLE: "#7d8894",
    RULE: "#353d47",
    ACCENT: "#82b9ee",
    "#b5440c": "#ee8f55",
    "#00806e": "#4fd0ba",
    "#571d5e": "#f3d3f5",
    "#86660a": "#dfc04a",
    **dict(
        zip(
            STEPS,
            ("#1c242d", "#203449", "#234663", "#27587f", "#2f6b9a", "#86b5de", "#bddaf3"),
            strict=True,
        )
    ),
    ON_PALE: "#eef2f6",
    ON_DEEP: "#10151a",
}

TEXT = 14.0  # size of words in a chart, the same on paper and on a phone


@dataclass(frozen=True)
class Canvas:
    """How much room a drawing has: its width in pixels, and whether that is little."""

    width: float
    narrow: bool = False


WIDE = Canvas(720)
NARROW = Canvas(350, narrow=True)

_current: ContextVar[Canvas | None] = ContextVar("canvas", default=None)


@contextmanager
def canvas(size: Canvas) -> Iterator[Canvas]:
    """Draw everything inside at this size, away from the notebook's own figures."""
    token = _current.set(size)
    try:
        with style():
            yield size
    finally:
        _current.reset(token)


@contextmanager
def style() -> Iterator[None]:
    """Settings that keep a drawing the same on every machine."""
    import matplotlib as mpl

    settings: Any = {
        "font.family": ["DejaVu Sans"],  # travels with matplotlib; the page swaps it
        "font.size": TEXT,
        "text.color": INK,
        "text.parse_math": False,  # "$5 and $6" is money
        "axes.unicode_minus": True,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "cxlab",
        "svg.image_inline": True,
        "path.simplify": True,
    }
    with mpl.rc_context(settings), quiet_glyphs():
        yield


@contextmanager
def quiet_glyphs() -> Iterator[None]:
    """Measure words whose letters our yardstick font lacks: the reader's font has them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def current() -> Canvas:
    """Return the size that a new drawing gets."""
    return _current.get() or WIDE


def room(ax: "Axes") -> float:
    """Width of existing axes in pixels."""
    box = ax.get_position().width
    return float(box * ax.get_figure(root=True).get_size_inches()[0] * 72)  # type: ignore[union-attr]


def is_narrow(ax: "Axes | None") -> bool:
    """Say whether labels must stand above their marks."""
    return current().narrow if ax is None else room(ax) < NARROW.width


def axes(ax: "Axes | None", *, height: float) -> "tuple[Axes, Canvas]":
    """Return axes to draw on: those given, or new ones of the current size.

    Outside of a page the figure belongs to pyplot, so that a notebook shows it.
    """
    if ax is not None:
        return ax, Canvas(room(ax), narrow=is_narrow(ax))
    size = _current.get()
    if size is None:
        import matplotlib.pyplot as plt

        with style():
            figure = plt.figure(figsize=(WIDE.width / 72, height / 72))
            return figure.add_axes((0, 0, 1, 1)), WIDE
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size.width / 72, height / 72), dpi=72)
    return figure.add_axes((0, 0, 1, 1)), size


@cache
def text_width(text: str, size: float = TEXT, weight: str = "normal") -> float:
    """Width of one line of text in pixels, by a font wider than most readers have."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=["DejaVu Sans"], size=size, weight=weight)
    with quiet_glyphs():
        width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)
