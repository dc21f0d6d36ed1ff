"""Outputs that are not ours: made safe, accessible and free of inline styles.

A notebook may show a pandas table, a styled table or any library's HTML. It arrives
in the page as plain structure: no script, no frame, no event handler, nothing that
is fetched; each inline style becomes a class of a sheet the page allows by its hash.
"""

import base64
import getpass
import re
from dataclasses import dataclass, field
from html import escape
from typing import Any

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString

from cxlab.report.tables import unmarked

__all__ = ["Styles", "apart", "clean", "is_clean", "scrub"]

# What our own HTML never contains; where it is found nevertheless, we parse.
_SUSPECT = re.compile(
    r"<(?:script|style|iframe|object|embed|link|meta|base|form|foreignObject)\b"
    r"|\s(?:on\w+|style|srcdoc|srcset)\s*=|javascript:|vbscript:|(?:src|href)\s*=\s*[\"']?\s*//",
    re.IGNORECASE,
)
_GONE = (
    "script", "iframe", "object", "embed", "link", "meta", "base", "form", "input", "button",
    "select", "textarea", "noscript", "template", "foreignobject", "audio", "video", "source",
    "track", "frame", "frameset", "applet", "portal", "animate", "set", "title",
)  # fmt: skip
_ATTRIBUTES_GONE = {
    "srcdoc", "srcset", "formaction", "action", "poster", "background", "ping", "data",
    "contenteditable", "autofocus", "accesskey", "border", "target", "xmlns:xlink",
}  # fmt: skip
_SHELL = ("html", "head", "body", "main", "header", "footer", "nav")
_FETCHES = re.compile(
    r"url\s*\(|@import|expression\s*\(|behavior\s*:|-moz-binding|\\", re.IGNORECASE
)
_LINK = re.compile(r"(?:https?:|mailto:|#|[^:/?#]*(?:[/?#]|$)|data:text/csv[;,])", re.IGNORECASE)
_ID = re.compile(r'\b(id|for|headers|aria-labelledby|aria-describedby|aria-controls)="([^"]*)"')
_REFERENCE = re.compile(r'(href="#|url\(#)([^")]+)')

# html.parser writes every name in lower case; SVG minds.
_CASE = ("viewBox", "preserveAspectRatio", "clipPath", "linearGradient", "radialGradient",
         "gradientUnits", "gradientTransform", "clipPathUnits", "pathLength", "textLength",
         "textPath", "patternUnits", "markerWidth", "markerHeight", "refX", "refY")  # fmt: skip
_CASED = {name.lower(): name for name in _CASE}
_LOWERED = re.compile(rf"(?<=[<\s/])({'|'.join(_CASED)})(?=[\s=>])")

_PATH = re.compile(
    r"(?<![\w:/.<])(?:~|[A-Za-z]:(?=[\\/])|)(?:[\\/][^\s\\/:'\"<>()|,;]+)+[\\/](?=[^\s\\/])"
)


@dataclass
class Styles:
    """Styles lifted out of outputs, each once."""

    classes: dict[str, str] = field(default_factory=dict)
    sheets: list[str] = field(default_factory=list)

    def lift(self, style: str) -> str:
        """Return the class that stands for an inline style."""
        return self.classes.setdefault(" ".join(style.split()), f"cx-s{len(self.classes)}")

    def text(self) -> str:
        """Write the sheet; the doubled class outranks the page's own rules."""
        rules = [f".{name}.{name}{{{style}}}" for style, name in self.classes.items()]
        return "\n".join([*self.sheets, *rules])


def is_clean(html: str) -> bool:
    """Say whether HTML is free of what a page must not contain."""
    return _SUSPECT.search(html) is None


def clean(html: str, styles: Styles) -> str:
    """Return foreign HTML that cannot act, fetch or break out of its place.

    Parameters
    ----------
    html : str
        What a library or a person wrote.
    styles : Styles
        Collects the styles; the page prints them in one sheet.

    Returns
    -------
    str
    """
    soup = BeautifulSoup(html, "html.parser")
    for comment in soup.find_all(string=lambda s: isinstance(s, Comment)):
        comment.extract()
    for sheet in soup.find_all("style"):
        if not _FETCHES.search(sheet.get_text()):
            styles.sheets.append(sheet.get_text().strip().replace("</", "<\\/"))
        sheet.decompose()
    for tag in soup.find_all(True):
        if tag.decomposed:
            continue
        if tag.name in _GONE and not (tag.name == "title" and tag.find_parent("svg")):
            tag.decompose()
        elif tag.name in _SHELL:
            tag.unwrap()
        else:
            _attributes(tag, styles)
            _accessible(tag, soup)
    for words in soup.find_all(string=True):
        words.replace_with(NavigableString(unmarked(scrub(str(words)))))
    return _LOWERED.sub(lambda m: _CASED[m[1]], str(soup))


def scrub(text: str) -> str:
    """Take out of a text where on whose machine it was written.

    >>> scrub('File "/home/user/study/cxlab/churn/risk.py", line 3')
    'File "…/risk.py", line 3'
    """
    text = _PATH.sub("…/", text)
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        return text
    # "root" and two-letter names are words as well; in paths they are gone already.
    return (
        re.sub(rf"\b{re.escape(user)}\b", "…", text) if len(user) > 2 and user != "root" else text
    )


def apart(html: str, seen: set[str]) -> str:
    """Rename the ids of a piece of HTML that the page has already; remember the rest."""
    ids = re.findall(r'\bid="([^"]*)"', html)
    names: dict[str, str] = {}
    for old in dict.fromkeys(ids):
        new, k = old, 2
        while new in seen:
            new, k = f"{old}-{k}", k + 1
        seen.add(new)
        names |= {old: new} if new != old else {}
    if not names:
        return html

    def listed(match: re.Match[str]) -> str:
        return f'{match[1]}="{" ".join(names.get(n, n) for n in match[2].split())}"'

    html = _ID.sub(listed, html)
    return _REFERENCE.sub(lambda m: m[1] + names.get(m[2], m[2]), html)


def picture(data: str | list[str], kind: str, alt: str) -> str:
    """Embed a picture; as an image even an SVG cannot act."""
    text = "".join(data)
    if kind == "image/svg+xml":
        text = base64.b64encode(text.encode()).decode()
    text = re.sub(r"\s", "", text)
    return (
        f'<img alt="{escape(alt, quote=True)}" src="data:{kind};base64,{escape(text, quote=True)}">'
    )


def _attributes(tag: Tag, styles: Styles) -> None:
    for key in list(tag.attrs):
        value: Any = tag[key]
        said = re.sub(
            r"[\x00-\x20]+", "", " ".join(value) if isinstance(value, list) else str(value)
        )
        name = key.lower()
        if name == "style":
            del tag[key]
            if not _FETCHES.search(str(value)) and "position" not in str(value).lower():
                _wear(tag, styles.lift(str(value)))
        elif name.endswith("href"):
            if not _LINK.match(said):
                del tag[key]
        elif name == "src":
            if not said.lower().startswith("data:image/"):
                del tag[key]
        elif name.startswith("on") or name in _ATTRIBUTES_GONE:
            del tag[key]


def _accessible(tag: Tag, soup: BeautifulSoup) -> None:
    """Give tables scopes and a place to scroll, and pictures a description."""
    if tag.name == "table":
        _wear(tag, "cx-table")
        label = {"class": "cx-scroll", "role": "group", "aria-label": "Table", "tabindex": "0"}
        tag.wrap(soup.new_tag("div", attrs=label))
    elif tag.name == "th":
        if not tag.get_text(strip=True):
            tag.name = "td"
        elif not tag.get("scope"):
            tag["scope"] = "col" if tag.find_parent("thead") else "row"
    elif tag.name == "img" and not tag.get("alt"):
        tag["alt"] = "Picture without a description"
    elif re.fullmatch("h[1-6]", tag.name):
        # The outline belongs to the chapter; a library's heading is a line of bold text.
        tag.name = "p"
        _wear(tag, "cx-strong")


def _wear(tag: Tag, name: str) -> None:
    worn = [str(c) for c in tag.get_attribute_list("class") if c]
    tag.attrs["class"] = " ".join([*worn, name])
