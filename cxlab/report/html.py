"""The pieces a page is made of: figures, cards, tiles, the answer box.

Plain strings of HTML, styled by one sheet that the page carries once and the lab
gets once a session. Everything that could be a customer's word is escaped here.
"""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Protocol

import numpy as np
import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.report import svg, tables, theme, words
from cxlab.report.tables import text
from cxlab.report.tiles import Tile, tiles

__all__ = ["Tile", "answer", "card", "components", "definitions", "figure", "sheet", "tiles"]

LAB_DARK = ('[data-jp-theme-light="false"]', "body.vscode-dark")
_READ_ALOUD = 8  # rows of a chart that its alternative text spells out
_LONG = 16  # rows beyond which a table without a chart is folded away


class Drawable(Protocol):
    """What a figure needs of a result."""

    @property
    def estimates(self) -> pd.DataFrame:
        """Rows with their intervals."""

    @property
    def subtitle(self) -> str:
        """Statistic, unit, period and population."""

    @property
    def note(self) -> str:
        """Base, weighting, source."""

    @property
    def level(self) -> float:
        """Confidence level."""

    def table(self) -> pd.DataFrame:
        """Rows that the chart shows."""

    def plot(self) -> object:
        """Draw them."""

    def picture(self, *, uid: str) -> str | None:
        """Draw them as HTML, or leave it to `plot`."""


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
    picture = result.picture(uid=uid)
    drawing = picture or svg.twins(
        lambda: _plotted(result),  # type: ignore[arg-type,return-value]
        uid=uid, title=headline, description=alt,
    )  # fmt: skip
    said = result.subtitle or headline  # stands above already; for those who hear the table
    table = tables.render(
        frame, caption=said, unit=unit, units=_money(result.estimates, frame), level=result.level,
        uid=uid, quiet=True, metric=_metric(result.estimates),
    )  # fmt: skip
    if drawing or len(frame) > _LONG:
        rows = "Table" if drawing else f"All {len(frame)} rows"
        table = f'<details class="cx-data"><summary>{rows}</summary>{table}</details>'
    link = tables.download(frame, name=_file_name(headline))
    subtitle = f'<p class="cx-sub">{text(result.subtitle)}</p>' if result.subtitle else ""
    note = f'<p class="cx-note">{text(words.begun(result.note))}</p>' if result.note else ""
    chart = f'<div class="cx-chart">{drawing}</div>' if drawing else ""
    broad = " cx-broad" if picture else ""
    return (
        f'<figure class="cx cx-fig{broad}" id="{uid}" aria-labelledby="{uid}-h"><figcaption>'
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


def _metric(estimates: pd.DataFrame) -> str:
    return str(estimates["metric"].iloc[0]) if len(estimates) else ""


def _money(estimates: pd.DataFrame, frame: pd.DataFrame) -> dict[str, str]:
    """Name the currency of a table's further columns of money."""
    units = list(estimates["unit"].dropna().unique()) if "unit" in estimates else []
    currencies = [str(u) for u in units if len(str(u)) == 3 and str(u).isupper()]
    if len(currencies) != 1:
        return {}
    return {c: currencies[0] for c in frame.columns if str(c).endswith(("amount", "monetary"))}


def _reading(estimates: pd.DataFrame, unit: str | None) -> list[str]:
    """Spell out the first rows: 'Loyal: 78.4%.'."""
    dims = [c for c in estimates.columns if c not in ESTIMATE]
    several = estimates["metric"].nunique() > 1
    out = []
    for row in estimates.head(_READ_ALOUD).to_dict("records"):
        name = [tables.plain(row["metric"])] if several or not dims else []
        name += [_called(d, row[d]) for d in dims if not pd.isna(row[d])]
        known = np.isfinite(row["estimate"]) and not row["suppressed"]
        number = (
            words.value(row["estimate"], str(row["unit"] or unit or "")) if known else "withheld"
        )
        out.append(f"{', '.join(name) or 'All'}: {number}.")
    if len(estimates) > _READ_ALOUD:
        out.append(f"{len(estimates) - _READ_ALOUD} more rows in the table below.")
    return out


def _called(dim: str, value: object) -> str:
    """Say a dimension's value as it is read aloud: 84 days, not 84.0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    number = f"{value:.0f}" if float(value).is_integer() else f"{value:g}"
    said = number.replace("-", words.MINUS)
    return f"{said} {'day' if value == 1 else 'days'}" if dim.endswith("_days") else said


def _file_name(headline: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in headline.lower())
    return "-".join(w for w in kept.split("-") if w)[:60].strip("-") or "table"


def _linked(item: str | tuple[str, str]) -> str:
    if isinstance(item, str):
        return text(item)
    said, href = item
    return f'<a href="{text(href)}">{text(said)}</a>'
