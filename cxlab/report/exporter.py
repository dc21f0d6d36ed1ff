"""From the cells of an executed notebook to the body of a page.

Stakeholders see words and results; code, logs and tracebacks are in the page for
researchers, folded away by the style sheet. Nothing of a notebook's outputs is lost.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets import default

from cxlab.report import foreign, tables
from cxlab.report.finding import MIMETYPE

__all__ = ["Body", "Exporter", "body"]

TEMPLATES = Path(__file__).parent / "templates"
_COMPONENTS = re.compile(r'<div data-cxlab="components"><style>.*?</style></div>', re.DOTALL)
_LETTER = re.compile(r"<mi>(&#x[0-9A-Fa-f]+;)</mi>")
_KINDS = (
    "text/html", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "text/markdown",
    "text/latex", "text/plain",
)  # fmt: skip


@dataclass
class Body:
    """A chapter's inside, and what its page needs to know about it."""

    html: str = ""
    title: str = ""
    contents: list[tuple[int, str, str]] = field(default_factory=list)  # level, id, words
    styles: foreign.Styles = field(default_factory=foreign.Styles)
    ids: set[str] = field(default_factory=lambda: {"main", "contents", "about", "top"})
    failed: bool = False
    outputs: int = 0
    level: int = 1


def body(nb: Any) -> Body:
    """Render the cells of a notebook (nbformat 4)."""
    exporter = Exporter()  # type: ignore[no-untyped-call]
    exporter.made = Body()
    exporter.made.html, _ = exporter.from_notebook_node(nb)
    return exporter.made


class Exporter(HTMLExporter):
    """nbconvert's exporter with our template; every cell goes through a filter below."""

    made = Body()

    @default("template_name")
    def _template_name_default(self) -> str:
        return "cxlab"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(TEMPLATES)]

    def default_filters(self) -> Any:
        """Name our filters for the template."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        ours: list[Callable[..., str]] = [
            self.cx_markdown, self.cx_source, self.cx_display, self.cx_log, self.cx_error,
        ]  # fmt: skip
        yield from ((f.__name__, f) for f in ours)

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> Any:
        """Fill the template; the parent would parse the whole page once more."""
        return TemplateExporter.from_notebook_node(self, nb, resources, **kw)

    def cx_markdown(self, cell: Any) -> str:
        """A markdown cell."""
        if "papermill-error-cell-tag" in _tags(cell) or "papermill-error-cell" in str(cell.source):
            return ""
        html = self._markdown(cell.source, cell.get("attachments", {}))
        return f'<div class="cx-prose">{html}</div>\n' if html.strip() else ""

    def cx_source(self, cell: Any) -> str:
        """The code of a cell, for researchers."""
        tags = _tags(cell)
        if not cell.source.strip() or "hide-input" in tags:
            return ""
        name = "Code"
        if "parameters" in tags:
            name = "Default parameters"
        if "injected-parameters" in tags:
            name = "Parameters of this run"
        paint = Highlight2HTML(pygments_lexer="python")  # type: ignore[no-untyped-call]
        code = paint(foreign.scrub(cell.source))
        code = re.sub(r"<pre>(?:<span></span>)?", '<pre tabindex="0">', code, count=1)
        return _folded(name, code)

    def cx_display(self, output: Any) -> str:
        """A result or a display: ours as it is, all else made safe."""
        data = output.data
        self.made.outputs += 1
        if output.get("metadata", {}).get("cxlab", {}).get("role") == "components":
            return '<div class="cx-out"></div>\n'
        kind = next((k for k in _KINDS if k in data), None)
        if kind is None:
            return '<div class="cx-out"></div>\n'
        text = "".join(data[kind])
        if kind == "text/html":
            html = self._html(text, ours=MIMETYPE in data or "cxlab" in output.get("metadata", {}))
        elif kind.startswith("image/"):
            html = foreign.picture(text, kind, _alt(output, kind))
        elif kind == "text/markdown":
            html = f'<div class="cx-prose">{self._markdown(text, {})}</div>'
        elif kind == "text/latex":
            html = _math(text.strip().strip("$"), "block")
        else:
            html = f'<pre class="cx-plain" tabindex="0">{_plain(text)}</pre>'
        return f'<div class="cx-out">{foreign.apart(html, self.made.ids)}</div>\n'

    def cx_log(self, output: Any) -> str:
        """What a cell printed: a diagnostic, for researchers."""
        self.made.outputs += 1
        name = "Log" if output.name == "stdout" else "Warnings"
        return _folded(name, f'<pre tabindex="0">{_plain(output.text)}</pre>', out=True)

    def cx_error(self, output: Any) -> str:
        """A cell that failed: one line for everybody, the traceback for researchers."""
        self.made.outputs += 1
        self.made.failed = True
        lines = [t for t in str(output.get("evalue", "")).splitlines() if t.strip()]
        last = f"{output.get('ename', 'Error')}: {lines[-1].strip()}" if lines else output.ename
        trace = _plain("\n".join(output.get("traceback", [])))
        folded = _folded("Traceback", f'<pre tabindex="0">{trace}</pre>')
        return (
            '<div class="cx-out"><div class="cx cx-failed">'
            f"<p><strong>This section failed.</strong> {_plain(last)}</p></div>{folded}</div>\n"
        )

    def _html(self, text: str, *, ours: bool) -> str:
        text = _COMPONENTS.sub("", text)
        if ours and foreign.is_clean(text):
            return text
        return foreign.clean(text, self.made.styles)

    def _markdown(self, source: str, attachments: Any) -> str:
        renderer = _Renderer(self.made, attachments=attachments)
        html = MarkdownWithMath(renderer=renderer).render(source)
        if not foreign.is_clean(html):
            html = foreign.clean(html, self.made.styles)
        scroll = '<div class="cx-scroll" role="group" aria-label="Table" tabindex="0">'
        html = html.replace("<table>", f'{scroll}<table class="cx-table">')
        return html.replace("</table>", "</table></div>") if scroll in html else html


class _Renderer(IPythonRenderer):
    """Markdown with MathML, and headings that make an outline."""

    def __init__(self, made: Body, *, attachments: Any) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, attachments=attachments)
        self.made = made

    def heading(self, text: str, level: int, **_: Any) -> str:
        """The first h1 is the page's title; no later heading skips a level."""
        words = re.sub(r"<[^>]+>", "", text).strip()
        if level == 1 and not self.made.title:
            self.made.title = words
            return ""
        level = min(max(level, 2), self.made.level + 1)
        self.made.level = level
        name = _slug(unescape(words), self.made.ids)
        self.made.contents.append((level, name, words))
        link = f'<a class="cx-anchor" href="#{name}" aria-label="Link to: {words}">#</a>'
        return f'<h{level} id="{name}">{text} {link}</h{level}>\n'

    def block_math(self, body: str) -> str:
        """A formula on a line of its own."""
        return _math(body, "block")

    def inline_math(self, body: str) -> str:
        """A formula among words."""
        return _math(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        """A formula in an environment."""
        return _math(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


def _math(source: str, display: str) -> str:
    try:
        formula = convert(source.strip(), display=display)
    except Exception:  # the library raises many kinds; the reader gets the source
        return f"<code>{escape(source)}</code>"
    formula = _LETTER.sub(_operator, formula)
    scroll = '<div class="cx-math" tabindex="0" role="group" aria-label="Formula">'
    return f"{scroll}{formula}</div>" if display == "block" else str(formula)


def _operator(match: re.Match[str]) -> str:
    """The library takes signs like plus-minus for letters, which have no space around."""
    sign = unescape(match[1])
    return f"<mo>{sign}</mo>" if unicodedata.category(sign) == "Sm" and sign != "∞" else match[0]


def _slug(words: str, ids: set[str]) -> str:
    base = re.sub(r"[\W_]+", "-", words.lower()).strip("-") or "section"
    name, k = base, 2
    while name in ids:
        name, k = f"{base}-{k}", k + 1
    ids.add(name)
    return name


def _folded(name: str, html: str, *, out: bool = False) -> str:
    kind = "cx-dev cx-out" if out else "cx-dev"
    return f'<details class="{kind}"><summary>{name}</summary>{html}</details>\n'


def _plain(text: Any) -> str:
    bare = strip_ansi("".join(text))  # type: ignore[no-untyped-call]
    return tables.text(foreign.scrub(bare))


def _tags(cell: Any) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def _alt(output: Any, kind: str) -> str:
    meta = output.get("metadata", {})
    return str(meta.get(kind, {}).get("alt") or meta.get("alt") or "Picture without a description")
