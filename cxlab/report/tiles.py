"""Key measures at a glance: the value, how sure we are, and whether it changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cxlab.report import words
from cxlab.report.tables import text

__all__ = ["Tile", "tiles"]

_LINE = 22  # letters of a remark that still fit a tile on one line
_LONG = 7  # letters of a value that still fit a tile at full size
_LONGER = 13  # ... and at the size for long ones
_HISTORY = 3  # cycles that a line of them needs


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One key measure: its value, how sure we are, and whether it changed.

    Attributes
    ----------
    name : str
        What is measured, in words.
    estimate, conf_low, conf_high : float
        The value and its 95 % interval; NaN where there is none.
    unit : str
        As in `cxlab.report.words.value`.
    n : float
        Base; `base` names what is counted.
    change, change_low, change_high : float
        Difference to the cycle named by `since`, and its interval.
    better : str
        "up", "down" or "neither": the direction that is good.
    target : float, optional
        The value aimed at: met or not met where the interval lies on one side of it.
    is_clear : bool
        False where the change is not clear once all measures are looked at together.
    history : sequence of float
        Values up to this cycle, oldest first, for the small line.
    withheld : str
        Why there is no number; shown in its place.
    state : str
        What stands where the number would, such as "Withheld".
    remark : str
        What stands where the change would.
    href : str
        Where the measure is explained.
    """

    name: str
    unit: str
    estimate: float = float("nan")
    conf_low: float = float("nan")
    conf_high: float = float("nan")
    n: float = float("nan")
    base: str = "customers"
    change: float = float("nan")
    change_low: float = float("nan")
    change_high: float = float("nan")
    since: str = ""
    better: str = "up"
    target: float | None = None
    history: Sequence[float] = ()
    is_clear: bool = True
    withheld: str = ""
    state: str = "–"
    remark: str = ""
    href: str = ""


def tiles(items: Iterable[Tile]) -> str:
    """A grid of key measures."""
    return f'<ul class="cx cx-tiles">{"".join(_tile(t) for t in items)}</ul>'


def _tile(tile: Tile) -> str:
    name = f'<a href="{text(tile.href)}">{text(tile.name)}</a>' if tile.href else text(tile.name)
    head = f'<p class="cx-tile-name">{name}</p>'
    if not np.isfinite(tile.estimate):
        reason = tile.withheld or "Too few people to show a number."
        long = " cx-long" if len(tile.state) > _LONG else ""
        value = f'<p class="cx-value{long}">{text(tile.state)}</p>'
        said = f'{value}<p class="cx-muted">{text(reason)}</p>'
        return f'<li class="cx-tile cx-none">{head}{said}</li>'
    said = words.value(tile.estimate, tile.unit)
    size = " cx-long cx-longer" if len(said) > _LONGER else " cx-long" if len(said) > _LONG else ""
    lines = [f'<p class="cx-value{size}">{text(said)}</p>', _spark(tile.history)]
    if np.isfinite(tile.conf_low) and np.isfinite(tile.conf_high):
        said = words.interval(tile.conf_low, tile.conf_high, tile.unit)
        lines.append(f'<p class="cx-ci">95% interval {text(said)}</p>')
    lines.append(f'<p class="cx-base">{text(tile.remark)}</p>' if tile.remark else _change(tile))
    if tile.target is not None:
        lines.append(_target(tile, tile.target))
    if np.isfinite(tile.n):
        lines.append(f'<p class="cx-base">Base {text(words.number(tile.n))} {text(tile.base)}</p>')
    return f'<li class="cx-tile">{head}{"".join(lines)}</li>'


def _spark(history: Sequence[float]) -> str:
    """Draw the way here, without axes: its shape is the message, the change is in words."""
    known = [float(v) for v in history if np.isfinite(v)]
    if len(known) < _HISTORY:
        return ""
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    step = 96 / (len(known) - 1)
    points = [(2 + i * step, 22 - 20 * (v - low) / span) for i, v in enumerate(known)]
    line = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (
        '<svg class="cx-spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="M{line}"/><path class="cx-now" d="M{x:.1f},{y:.1f}h0"/></svg>'
    )


def _change(tile: Tile) -> str:
    if not np.isfinite(tile.change):
        return ""
    ends_of = (tile.change_low, tile.change_high) if tile.is_clear else (-1.0, 1.0)
    word, symbol = words.verdict(*ends_of, better=tile.better)
    kind = {"Improved": " cx-good", "Worsened": " cx-bad"}.get(word, "")
    both = words.change(tile.change, tile.change_low, tile.change_high, tile.unit)
    said, _, ends = both.partition(" (")
    since = f" {_whole(f'since {tile.since}')}" if tile.since else ""
    return (
        f'<p class="cx-change{kind}"><span aria-hidden="true">{symbol}</span> '
        f'<strong>{word}</strong> {_whole(said)}<span class="cx-ci">{_whole(f"({ends}")}{since}'
        f"</span></p>{_alone(tile)}"
    )


def _alone(tile: Tile) -> str:
    """Say why an interval that leaves out zero is not called a change."""
    if tile.is_clear or tile.change_low <= 0 <= tile.change_high:
        return ""
    return '<p class="cx-base">Clear on its own, but not with all measures looked at together.</p>'


def _whole(said: str) -> str:
    """Keep a few words on one line, unless they are wider than a tile."""
    return f'<span class="cx-whole">{text(said)}</span>' if len(said) <= _LINE else text(said)


def _target(tile: Tile, target: float) -> str:
    low, high = tile.conf_low, tile.conf_high
    if not (np.isfinite(low) and np.isfinite(high)):
        low = high = tile.estimate
    is_above, is_below = low >= target, high < target
    if tile.better == "down":
        is_above, is_below = high <= target, low > target
    state = "met" if is_above else "not met" if is_below else "not clear"
    said = f"Target {words.value(target, tile.unit)}: {state}"
    return f'<p class="cx-base">{text(said)}</p>'
