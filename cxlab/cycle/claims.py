"""Does the report claim more than its numbers carry? Read as a reader reads it, page by page.

A sentence may name a cause only if its result has a causal design; it may say "significant"
only beside an interval and a base; and across a break in a series no change may be stated.
Prose and captions are held to the first rule where they carry a number.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from cxlab.cycle.findings import Shown
from cxlab.errors import RunError

__all__ = ["Claim", "check_claims", "claims"]

_CAUSE = re.compile(
    r"\b(?:caus(?:ed|es|ing)|because of|due to(?! (?:be|arrive|come|end|expire|start)\b)|owing to"
    r"|le(?:d|ads?|ading) to|thanks to|drives|drove|driven by|result(?:s|ed) in|as a result of"
    r"|karena|menyebabkan|disebabkan|akibat(?:nya)?|mengakibatkan|diakibatkan|berkat|gara-gara)\b",
    re.IGNORECASE,
)
_SIGNIFICANT = re.compile(r"\b(?:in)?significan(?:t|tly|ce)\b|\bsignifikan\b", re.IGNORECASE)
_CHANGE = re.compile(
    r"\b(?:rose|fell|grew|shrank|dropped|declined|gained|lost|increased?|decreased?|improved"
    r"|worsened|(?:higher|lower|more|less|fewer|better|worse) than (?:in|before)|up (?:from|by)"
    r"|down (?:from|by)|change(?:d)? (?:from|by|since)|compared (?:with|to)|since"
    r"|naik|turun|meningkat|menurun|membaik|memburuk|dibanding(?:kan)?|sejak)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|%|\b(?:half|twice|doubled?|halved|tripled?|percent|persen|separuh|dua kali)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?;])\s+(?=[\"'(]?[^\W\da-z_])|\n+")
# A quotation says what its speaker claims, a table what the cells are.
_NO_WORDS = re.compile(
    r"<(svg|script|style|pre|code|table|math|nav|header|footer|blockquote|q)\b.*?</\1>", re.DOTALL
)
_STRICT = {
    "cx-headline": "headline", "cx-sub": "caption", "cx-note": "caption", "cx-lead": "answer",
    "cx-answer": "answer", "cx-tile": "tile", "cx-failed": "error",
}  # fmt: skip
_BLOCKS = {"p", "li", "dd", "dt", "h1", "h2", "h3", "h4", "td", "figcaption", "summary", "div"}
_CAUSE_RULE = (
    "names a cause, but its result has no causal design. Say what goes with what, or give the "
    "result its design"
)
_SIGNIFICANT_RULE = (
    "says 'significant', but its result does not show both an interval and a base n. Give the "
    "estimate with its interval instead"
)
_BREAK_RULE = (
    "states a change across a break in the series. Leave the change out, and say why the cycles "
    "cannot be compared"
)


class Claim(NamedTuple):
    """One sentence that claims too much."""

    page: str
    sentence: str
    rule: str  # what is wrong with it, and what to do


class _Said(NamedTuple):
    kind: str  # headline, caption, answer, tile or prose
    text: str
    anchor: str  # of the figure it stands in or links to


def check_claims(folder: Path, shown: Sequence[Shown], *, errors: Collection[str] = ()) -> None:
    """Refuse a report that claims more than its numbers carry.

    Parameters
    ----------
    folder : pathlib.Path
        The pages, ready to be published.
    shown : sequence of Shown
        The results they show.
    errors : collection of str
        What failed chapters say; they claim nothing.

    Raises
    ------
    RunError
        With page, sentence and rule of every claim.
    """
    found = claims(folder, shown, errors=errors)
    if found:
        listed = "\n  ".join(f"{c.page}: {c.sentence[:200]!r} {c.rule}." for c in found)
        raise RunError(
            "A report must not claim more than its numbers carry, but this one does. The last "
            f"good report stays.\n  {listed}"
        )


def claims(folder: Path, shown: Sequence[Shown], *, errors: Collection[str] = ()) -> list[Claim]:
    """List the sentences of all pages that claim too much.

    Returns
    -------
    list of Claim
        In the order of pages and sentences; empty if all is well.
    """
    results = {(s.chapter, s.anchor): s for s in shown if s.anchor}
    found = []
    for page in sorted(folder.glob("*.html")):
        for said in _said(page.read_text(encoding="utf-8")):
            if said.kind == "error" or any(e in said.text for e in errors if e):
                continue
            result = _result(said.anchor, page.stem, results)
            for sentence in _SENTENCES.split(said.text):
                found += [Claim(page.name, sentence, r) for r in _wrong(sentence, said, result)]
    for result in shown:
        if result.breaks and any(_is_change(row) for row in result.rows):
            found.append(Claim(f"{result.chapter}.html", result.sentence, _BREAK_RULE))
    return found


def _wrong(sentence: str, said: _Said, result: Shown | None) -> Iterator[str]:
    has_number = _NUMBER.search(sentence) is not None
    says_a_result = has_number or said.kind in ("headline", "answer", "tile")
    if says_a_result and _CAUSE.search(sentence) and not (result and result.design):
        yield _CAUSE_RULE
    if said.kind == "prose":
        return
    if _SIGNIFICANT.search(sentence) and not (result and _is_shown_whole(result)):
        yield _SIGNIFICANT_RULE
    if not (result and result.breaks and has_number):
        return
    # The reason why there is no change may name the cycle before.
    if result.breaks not in sentence and _CHANGE.search(sentence):
        yield _BREAK_RULE


def _result(anchor: str, chapter: str, results: Mapping[tuple[str, str], Shown]) -> Shown | None:
    """Find the result that a sentence belongs to: on its own page, or where it links to."""
    page, _, name = anchor.rpartition("#")
    return results.get((page.removesuffix(".html") or chapter, name))


def _is_shown_whole(result: Shown) -> bool:
    """Whether every number stands with its interval and its base."""
    rows = [row for row in result.rows if not row["suppressed"] and row["estimate"] is not None]
    # A p-value has no interval of its own.
    whole = [r for r in rows if r["unit"] != "p" and ".detectable" not in r["metric"]]
    return bool(whole) and all(
        r[c] is not None for r in whole for c in ("conf_low", "conf_high", "n")
    )


def _is_change(row: Mapping[str, object]) -> bool:
    return str(row["metric"]).endswith("change") and row["estimate"] is not None


def _said(page: str) -> list[_Said]:
    """Read the words of a page outside of tables, charts and code."""
    reader = _Reader()
    reader.feed(_NO_WORDS.sub(" ", page))
    reader.close()
    return reader.said


class _Reader(HTMLParser):
    """Takes blocks of words apart, and notes what they are and whose."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[_Said] = []
        self._kinds: list[tuple[str, str, str]] = []  # tag, kind, anchor of what is open
        self._text: list[str] = []
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a block."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._link = given.get("href", "")
        if tag not in _BLOCKS | {"figure", "section", "article", "aside", "ul", "ol", "details"}:
            return
        self._end()
        _, kind, anchor = self._kinds[-1] if self._kinds else ("", "prose", "")
        for name in given.get("class", "").split():
            kind = _STRICT.get(name, kind)
        if tag == "figure":
            anchor = "#" + given.get("id", "")
        self._kinds.append((tag, kind, anchor))

    def handle_endtag(self, tag: str) -> None:
        """Close a block, and those left open inside."""
        if tag in [open_tag for open_tag, _, _ in self._kinds]:
            self._end()
            while self._kinds.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Collect words."""
        self._text.append(data)

    def close(self) -> None:
        """End the last block."""
        super().close()
        self._end()

    def _end(self) -> None:
        text = " ".join("".join(self._text).split())
        if text:
            _, kind, anchor = self._kinds[-1] if self._kinds else ("", "prose", "")
            linked = self._link if kind == "answer" else ""
            self.said.append(_Said(kind, text, anchor or linked))
        self._text, self._link = [], ""
