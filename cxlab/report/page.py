"""A page of the report: one file that asks nobody for anything.

Chapters and the index share one shell: header with the cycle, contents, main part,
"About this report". The page allows exactly the styles and the script it brings, by
their hashes, and nothing else.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from cxlab.report import html
from cxlab.report.tables import text

__all__ = ["Chapter", "CycleLink", "Page", "render_chapter", "render_index"]

_FOLDER = Path(__file__).parent / "templates" / "cxlab"


class Chapter(NamedTuple):
    """One chapter in the contents; `state` is "finished", "failed" or "withheld"."""

    name: str
    title: str
    href: str
    state: str = "finished"
    about: str = ""


class CycleLink(NamedTuple):
    """One cycle in the selector."""

    name: str
    href: str
    current: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything around the content of one page.

    Attributes
    ----------
    title : str
        Heading of the page; a chapter's own first heading comes before it.
    study : str
        Title of the study.
    cycle, period, data_as_of : str
        Name of the cycle, its days in words, and the moment the data end.
    name : str
        Which of `chapters` this page is; empty for the index.
    language : str
        Of the text, as in HTML's `lang`.
    index : str
        Address of the cycle's first page.
    chapters : sequence of Chapter or of tuples like it
        In order.
    listed : str
        What the index calls its chapters.
    cycles : sequence of CycleLink or of tuples like it
        For the selector; `all_cycles` is the address of the list of all.
    about : sequence of (term, text)
        Lines of "About this report".
    downloads : sequence of (label, address)
        Files beside the page.
    manifest : str
        JSON text to carry inside the page.
    banner : str
        A warning above the content.
    opening : str
        HTML of the index's first screen, made by `cxlab.report.html`.
    sections, closing : sequence of (title, HTML)
        The index's further sections, before and after the list of chapters.
    """

    title: str
    study: str
    cycle: str
    period: str = ""
    data_as_of: str = ""
    name: str = ""
    language: str = "en"
    index: str = "index.html"
    chapters: Sequence[Chapter | tuple[str, ...]] = ()
    cycles: Sequence[CycleLink | tuple[str, str, bool]] = ()
    all_cycles: str = ""
    about: Sequence[tuple[str, str]] = ()
    downloads: Sequence[tuple[str, str]] = ()
    manifest: str = ""
    banner: str = ""
    opening: str = ""
    sections: Sequence[tuple[str, str]] = ()
    closing: Sequence[tuple[str, str]] = ()
    listed: str = "Chapters"


def render_chapter(nb: Any, *, context: Page) -> str:
    """Turn an executed notebook into a page.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        Executed, version 4; a cell that failed is shown as such.
    context : Page
        What stands around it.

    Returns
    -------
    str
        A whole HTML document.
    """
    from cxlab.report import exporter

    made = exporter.body(nb)
    sections = [(name, words) for level, name, words in made.contents if level == 2]
    failed = "This chapter did not finish. What it could show is below." if made.failed else ""
    return _shell(
        context,
        title=_unescaped(made.title) or context.title,
        body=made.html,
        sections=[(name, _unescaped(words)) for name, words in sections],
        banner=context.banner or failed,
        extra=made.styles.text(),
    )


def render_index(context: Page) -> str:
    """Make the first page of a cycle: the answer, the sections, the chapters.

    Parameters
    ----------
    context : Page
        With `opening` and `sections` as its content.

    Returns
    -------
    str
        A whole HTML document.
    """
    chapters = [Chapter(*c) for c in context.chapters]
    listed = [(context.listed, _chapter_list(chapters))] if chapters else []
    parts, sections = [context.opening], []
    for title, content in (*context.sections, *listed, *context.closing):
        name = re.sub(r"[\W_]+", "-", title.lower()).strip("-") or "section"
        sections.append((name, title))
        parts.append(f'<section><h2 id="{text(name)}">{text(title)}</h2>{content}</section>')
    body = "\n".join(parts)
    return _shell(
        context, title=context.title, body=body, sections=sections, banner=context.banner, extra=""
    )


def _shell(
    context: Page,
    *,
    title: str,
    body: str,
    sections: list[tuple[str, str]],
    banner: str,
    extra: str,
) -> str:
    chapters = [Chapter(*c) for c in context.chapters]
    here = [i for i, c in enumerate(chapters) if c.name == context.name]
    sheets = [s for s in (_sheet(), extra) if s]
    view = {**vars(context), "chapters": chapters if context.name else []}
    view["cycles"] = [CycleLink(*c) for c in context.cycles]
    return _template().render(
        page=view,
        title=title,
        body=body,
        sections=sections,
        banner=banner,
        sheets=sheets,
        script=_script(),
        has_code='<details class="cx-dev' in body,
        before=chapters[here[0] - 1] if here and here[0] > 0 else None,
        after=chapters[here[0] + 1] if here and here[0] + 1 < len(chapters) else None,
        manifest=context.manifest.replace("<", "\\u003c"),
        csp=_policy(sheets, _script()),
    )


def _policy(sheets: list[str], script: str) -> str:
    """Allow what the page brings, by hash, and no request to anywhere."""
    styles = " ".join(_hash(s) for s in sheets)
    return (
        f"default-src 'none'; img-src data:; style-src {styles}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _chapter_list(chapters: list[Chapter]) -> str:
    items = []
    for c in chapters:
        state = '<span class="cx-tag">failed</span>' if c.state == "failed" else ""
        about = f"<p>{text(c.about)}</p>" if c.about else ""
        link = f'<a href="{text(c.href)}">{text(c.title)}</a>'
        items.append(f"<li><h3>{link} {state}</h3>{about}</li>")
    return f'<ol class="cx-list">{"".join(items)}</ol>'


def _unescaped(words: str) -> str:
    from html import unescape

    return unescape(words)


@cache
def _sheet() -> str:
    return html.sheet() + (_FOLDER / "page.css").read_text("utf-8")


@cache
def _script() -> str:
    return (_FOLDER / "page.js").read_text("utf-8")


@cache
def _template() -> Template:
    loader = FileSystemLoader(_FOLDER)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.j2")
