"""The pieces a page is made of: figures, cards, tiles, the answer box.

Plain strings of HTML, styled by one sheet that the page carries once and the lab
gets once a session. Everything that could be a customer's word is escaped here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

import numpy as np
import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.report import svg, tables, theme, words
from cxlab.report.tables import text

__all__ = ["Tile", "answer", "card", "components", "definitions", "figure", "sheet", "tiles"]

LAB_DARK = ('[data-jp-theme-light="false"]', "body.vscode-dark")
_READ_ALOUD = 8  # rows of a chart that its alternative text spells out
_LINE = 22  # letters of a remark that still fit a tile on one line
_LONG = 7  # letters of a value that still fit a tile at full size
_HISTORY = 3  # cycles that a line of them needs


class Drawable(Protocol):
    """What a figure needs of a result."""

    estimates: pd.DataFrame
    subtitle: str
    note: str
    level: float

    def table(self) -> pd.DataFrame:
        """Rows that the chart shows."""

    def plot(self) -> object:
        """Draw them."""


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
        The value aimed at.
    history : sequence of float
        Values of earlier cycles, oldest first, for the small line.
    withheld : str
        Why there is no number; shown in its place.
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
    withheld: str = ""
    href: str = ""


def figure(result: Drawable, *, headline: str, uid: str) -> str:
    """Headline, chart, table, download and note of one result.

    Parameters
    ----------
    result : Result
        Small groups are withheld already.
    headline : str
        The finding, in one sentence.
    uid : str
        Prefix of all ids; unique within a page.

    Returns
    -------
    str
        A `figure` element.

    Raises
    ------
    RunError
        If the drawing is heavier than a page can take.
    """
    frame = result.table()
    unit = _unit(result.estimates)
    alt = " ".join([result.subtitle, *_reading(result.estimates, unit)]).strip()
    drawing = svg.twins(lambda: _plotted(result), uid=uid, title=headline, description=alt)  # type: ignore[arg-type,return-value]
    said = result.subtitle or headline  # stands above already; for those who hear the table
    table = tables.render(frame, caption=said, unit=unit, level=result.level, uid=uid, quiet=True)
    if drawing:
        table = f'<details class="cx-data"><summary>Table</summary>{table}</details>'
    link = tables.download(frame, name=_file_name(headline))
    subtitle = f'<p class="cx-sub">{text(result.subtitle)}</p>' if result.subtitle else ""
    note = f'<p class="cx-note">{text(result.note)}</p>' if result.note else ""
    chart = f'<div class="cx-chart">{drawing}</div>' if drawing else ""
    return (
        f'<figure class="cx cx-fig" id="{uid}" aria-labelledby="{uid}-h"><figcaption>'
        f'<p class="cx-headline" id="{uid}-h">{text(headline)}</p>{subtitle}</figcaption>{chart}'
        f'<div class="cx-under{"" if drawing else " cx-only"}">{table}{link}</div>{note}</figure>'
    )


def card(title: str, reason: str) -> str:
    """In place of a number: what is missing and why."""
    return (
        f'<aside class="cx cx-card" aria-label="{text(title)}"><p class="cx-card-title">'
        f'{text(title)} <span class="cx-tag">Not shown</span></p><p>{text(reason)}</p></aside>'
    )


def answer(sentence: str, findings: Iterable[str | tuple[str, str]] = ()) -> str:
    """The first screen: the answer in one sentence, and the findings behind it.

    A finding is a text, or a text and the address where it is shown.
    """
    items = "".join(f"<li>{_linked(item)}</li>" for item in findings)
    numbered = f"<ol>{items}</ol>" if items else ""
    return (
        '<section class="cx cx-answer" aria-label="The answer">'
        f'<p class="cx-lead">{text(sentence)}</p>{numbered}</section>'
    )


def tiles(items: Iterable[Tile]) -> str:
    """A grid of key measures."""
    return f'<ul class="cx cx-tiles">{"".join(_tile(t) for t in items)}</ul>'


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of terms and what they mean."""
    rows = "".join(f"<div><dt>{text(t)}</dt><dd>{text(d)}</dd></div>" for t, d in pairs)
    return f'<dl class="cx cx-terms">{rows}</dl>'


def components() -> str:
    """The style sheet for the lab, in a wrapper that the exporter drops again."""
    return f'<div data-cxlab="components"><style>{sheet(lab=True)}</style></div>'


@cache
def sheet(*, lab: bool = False) -> str:
    """The style sheet of the pieces; dark by the lab's theme or by the reader's screen."""
    base = (resources.files("cxlab.report") / "templates" / "cxlab" / "components.css").read_text(
        "utf-8"
    )
    variables = "".join(f"{k}:{v};" for k, v in _variables(dark=True).items())
    swaps = "".join(
        f'SEL .cx-svg [{p}="{light}"]{{{p}:{dark}}}'
        for light, dark in (theme.DARK | {theme.PAPER: "var(--cx-paper)"}).items()
        for p in ("fill", "stroke")
    )
    light = ".cx{" + "".join(f"{k}:{v};" for k, v in _variables(dark=False).items()) + "}"
    if lab:
        dark_rules = "".join(f"{s} .cx{{{variables}}}{swaps.replace('SEL', s)}" for s in LAB_DARK)
        return light + base + dark_rules
    dark_rules = f".cx{{{variables}}}{swaps.replace('SEL ', '')}"
    return f"{light}{base}@media screen and (prefers-color-scheme:dark){{{dark_rules}}}"


def _variables(*, dark: bool) -> dict[str, str]:
    def pick(colour: str) -> str:
        return theme.DARK[colour] if dark else colour

    return {
        "--cx-paper": pick(theme.PAPER),
        "--cx-ink": pick(theme.INK),
        "--cx-muted": pick(theme.MUTED),
        "--cx-subtle": pick(theme.SUBTLE),
        "--cx-rule": pick(theme.RULE),
        "--cx-accent": pick(theme.ACCENT),
        "--cx-tint": "#1b222a" if dark else "#f4f7fa",
        "--cx-good": "#7fd0a0" if dark else "#17693f",
        "--cx-bad": "#f5a08a" if dark else "#a5321b",
    }


def _plotted(result: Drawable) -> object:
    return result.plot()


def _unit(estimates: pd.DataFrame) -> str | None:
    units = list(estimates["unit"].dropna().unique()) if "unit" in estimates else []
    return str(units[0]) if len(units) == 1 else None


def _reading(estimates: pd.DataFrame, unit: str | None) -> list[str]:
    """Spell out the first rows: 'Loyal: 78.4%.'."""
    dims = [c for c in estimates.columns if c not in ESTIMATE]
    several = estimates["metric"].nunique() > 1
    out = []
    for row in estimates.head(_READ_ALOUD).to_dict("records"):
        name = [tables.plain(row["metric"])] if several or not dims else []
        name += [str(row[d]) for d in dims if not pd.isna(row[d])]
        known = np.isfinite(row["estimate"]) and not row["suppressed"]
        number = (
            words.value(row["estimate"], str(row["unit"] or unit or "")) if known else "withheld"
        )
        out.append(f"{', '.join(name) or 'All'}: {number}.")
    if len(estimates) > _READ_ALOUD:
        out.append(f"{len(estimates) - _READ_ALOUD} more rows in the table below.")
    return out


def _file_name(headline: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in headline.lower())
    return "-".join(w for w in kept.split("-") if w)[:60].strip("-") or "table"


def _linked(item: str | tuple[str, str]) -> str:
    if isinstance(item, str):
        return text(item)
    said, href = item
    return f'<a href="{text(href)}">{text(said)}</a>'


def _tile(tile: Tile) -> str:
    name = f'<a href="{text(tile.href)}">{text(tile.name)}</a>' if tile.href else text(tile.name)
    head = f'<p class="cx-tile-name">{name}</p>'
    if not np.isfinite(tile.estimate):
        reason = tile.withheld or "Too few people to show a number."
        said = f'<p class="cx-value">–</p><p class="cx-muted">{text(reason)}</p>'
        return f'<li class="cx-tile cx-none">{head}{said}</li>'
    said = words.value(tile.estimate, tile.unit)
    size = " cx-long" if len(said) > _LONG else ""
    lines = [f'<p class="cx-value{size}">{text(said)}</p>', _spark(tile.history)]
    if np.isfinite(tile.conf_low) and np.isfinite(tile.conf_high):
        said = words.interval(tile.conf_low, tile.conf_high, tile.unit)
        lines.append(f'<p class="cx-ci">95% interval {text(said)}</p>')
    lines.append(_change(tile))
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
    word, symbol = words.verdict(tile.change_low, tile.change_high, better=tile.better)
    kind = {"Improved": " cx-good", "Worsened": " cx-bad"}.get(word, "")
    said = words.signed(tile.change, tile.unit)
    ends = words.change(tile.change, tile.change_low, tile.change_high, tile.unit).removeprefix(
        said
    )
    since = f" {_whole(f'since {tile.since}')}" if tile.since else ""
    return (
        f'<p class="cx-change{kind}"><span aria-hidden="true">{symbol}</span> '
        f'<strong>{word}</strong> {_whole(said)}<span class="cx-ci">{_whole(ends.strip())}{since}'
        "</span></p>"
    )


def _whole(said: str) -> str:
    """Keep a few words on one line, unless they are wider than a tile."""
    return f'<span class="cx-whole">{text(said)}</span>' if len(said) <= _LINE else text(said)


def _target(tile: Tile, target: float) -> str:
    gap = tile.estimate - target
    met = gap >= 0 if tile.better != "down" else gap <= 0
    said = f"Target {words.value(target, tile.unit)}: {'met' if met else 'not met'}"
    return f'<p class="cx-base">{text(said)}</p>'
