"""From a matplotlib drawing to an SVG that a strict page can hold.

The same drawing gives the same bytes: no date, no random ids, numbers rounded to
a hundredth of a pixel. Styles become attributes, because a page that allows style
sheets by hash ignores `style=`; colours stay attributes, because the style sheet of
the page swaps them on dark screens.
"""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cxlab.errors import RunError
from cxlab.report import tables, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BUDGET", "LIMIT", "MARKS", "clean", "twins"]

MARKS = 2_000  # more marks than this are sent as one picture
BUDGET = 150_000  # bytes of one figure that a page should stay below
LIMIT = 500_000  # bytes of one figure that no page takes

_TAG = re.compile(r"<(/?)([\w:]+)((?:\s+[\w:-]+=\"[^\"]*\")*)\s*(/?)>")
_ATTRIBUTE = re.compile(r"([\w:-]+)=\"([^\"]*)\"")
_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_DROPPED = {"font-family", "version", "xmlns:xlink", "style", "width", "height"}


def twins(
    plot: Callable[[], "Axes | None"], *, uid: str, title: str, description: str
) -> str | None:
    """Draw a chart for wide and for narrow places; the style sheet shows one of them.

    Parameters
    ----------
    plot : callable
        Draws on new axes of the current size and returns them; None if there is
        nothing to draw.
    uid : str
        Prefix of every id in the drawing.
    title, description : str
        What a reader who does not see the chart is told.

    Returns
    -------
    str or None
        Two `svg` elements.

    Raises
    ------
    RunError
        If the drawing is heavier than a page can take.
    """
    parts = []
    for size, name in ((theme.WIDE, "wide"), (theme.NARROW, "narrow")):
        with theme.canvas(size):
            ax = plot()
            if ax is None:
                return None
            raw = _save(ax.get_figure(root=True))
        prefix = f"{uid}{name[0]}"
        parts.append(clean(raw, prefix=prefix, name=name, title=title, description=description))
    weight = sum(len(p.encode()) for p in parts)
    if weight > LIMIT:
        msg = (
            f"A figure may weigh {LIMIT // 1000} kB, but {title!r} weighs {weight // 1000} kB. "
            "Draw fewer rows, or a summary of them."
        )
        raise RunError(msg)
    return "".join(parts)


def clean(raw: str, *, prefix: str, name: str, title: str, description: str) -> str:
    """Strip matplotlib's SVG to what is seen, and say in words what it shows."""
    body = raw[raw.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", body, flags=re.S)
    used = re.findall(r"(?:url\(|href=\")#([^)\"]+)", body)
    names = {old: f"{prefix}-{i}" for i, old in enumerate(dict.fromkeys(used))}
    out: list[str] = []
    groups: list[str] = []
    at = depth = 0
    for tag in _TAG.finditer(body):
        out.append(_text(body[at : tag.start()]))
        at = tag.end()
        closing, element, attributes, empty = tag.groups()
        if element == "svg":
            out.append("</svg>" if closing else _root(attributes, prefix, name, title, description))
        elif element == "g" and closing:
            out.append(groups.pop())
        else:
            kept = "" if closing else _attributes(attributes, element, names)
            # A symbol is painted where it is used; colours inside it no sheet can reach.
            depth += {"defs": -1 if closing else 1}.get(element, 0)
            if depth and element == "path":
                kept = re.sub(r' (?!id=|d=)[\w-]+="[^"]*"', "", kept)
            if element == "g" and not empty:
                # A group without attributes says nothing.
                groups.append("</g>" if kept else "")
                out.append(f"<g{kept}>" if kept else "")
            else:
                out.append(f"<{closing}{element}{kept}{empty}>")
    return re.sub(r"<defs></defs>", "", "".join(out))


def _save(figure: "Figure | None") -> str:
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        msg = "plot must return axes that belong to a figure. Return the axes that charts give."
        raise RunError(msg)
    _rasterize(figure)
    buffer = io.StringIO()
    with theme.quiet_glyphs():
        metadata = {"Date": None, "Creator": None, "Type": None, "Format": None}
        figure.savefig(buffer, format="svg", dpi=96, metadata=metadata)
    return buffer.getvalue()


def _rasterize(figure: "Figure") -> None:
    """Turn crowds of marks into one picture; words and axes stay sharp."""
    for ax in figure.axes:
        for lot in ax.collections:
            if max(len(np.asarray(lot.get_offsets())), len(lot.get_paths())) > MARKS:
                lot.set_rasterized(True)
        for line in ax.lines:
            marked = line.get_marker() not in (None, "None", "", " ")
            if marked and len(np.asarray(line.get_xydata())) > MARKS:
                line.set_rasterized(True)


def _root(attributes: str, prefix: str, name: str, title: str, description: str) -> str:
    box = dict(_ATTRIBUTE.findall(attributes))["viewBox"]
    return (
        f'<svg class="cx-svg cx-{name}" viewBox="{_short(box)}" role="img" '
        f'aria-labelledby="{prefix}-t {prefix}-d" xmlns="http://www.w3.org/2000/svg" '
        f'stroke-linejoin="round"><title id="{prefix}-t">{tables.text(title)}</title>'
        f'<desc id="{prefix}-d">{tables.text(description)}</desc>'
    )


def _attributes(text: str, element: str, names: dict[str, str]) -> str:
    out: dict[str, str] = {}
    for key, value in _ATTRIBUTE.findall(text):
        if key == "style":
            pairs = (p.split(":", 1) for p in value.split(";") if ":" in p)
            out |= {k.strip(): v.strip() for k, v in pairs}
        elif key == "id":
            out |= {"id": names[value]} if value in names else {}
        elif key in ("xlink:href", "href", "clip-path"):
            out["href" if key.endswith("href") else key] = _renamed(value, names)
        elif not (key == "transform" and value.startswith("rotate(-0 ")):
            out[key] = value
    keep_size = element in ("rect", "image")
    shown = {
        k: v
        for k, v in out.items()
        if k not in _DROPPED or (keep_size and k in ("width", "height"))
    }
    return "".join(f' {k}="{v if k == "href" else _short(v)}"' for k, v in shown.items())


def _renamed(value: str, names: dict[str, str]) -> str:
    return re.sub(r"(?<=#)[^)]+", lambda m: names.get(m[0], m[0]), value)


def _text(between: str) -> str:
    return between if between.strip() else ""


def _short(value: str) -> str:
    """Round numbers to a hundredth and take out what a path does not need."""

    def number(match: re.Match[str]) -> str:
        text = f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text

    value = _NUMBER.sub(number, value)
    return re.sub(r"\s*\n\s*", "", value) if "\n" in value else value
