"""Is there anything personal in the folder that is about to be published?

The last gate: every file is searched with the patterns that mask comments, whatever way
a text took to get there. A hit stops the run, so the last good report stays; the message
names file, kind and number, never what was found.
"""

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from cxlab.cycle.quotes import known_customers
from cxlab.data.allowed import Allowed
from cxlab.data.personal import KINDS, find, readable
from cxlab.errors import RunError

__all__ = ["Found", "check_folder", "named_customers", "scan"]

_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".woff", ".woff2"}
# Streets and links are no identifiers: a report may name a shop, and link to a source.
_SOUGHT = frozenset(KINDS) - {"address", "link"}
_DRAWN = re.compile(
    r"<style\b.*?</style>|\s(?:d|points|transform|viewBox|integrity)\s*=\s*\"[^\"@]*\""
    r"|\b(?:sha(?:256|384|512))-[A-Za-z0-9+/=]+",
    re.DOTALL,
)
_INLINE = re.compile(r"</?(?:span|a|b|i|em|strong|mark|code|tspan|small)\b[^<>]*>")
_BLOCK = str.maketrans("<>", "\n\n")
_EMBEDDED = re.compile(r"data:(?:text|image)/[^\"']*")
_READABLE = re.compile(r"data:(?P<kind>text/|image/svg)[^,]*?(?P<coded>;base64)?,")
_WORDS = re.compile(r"[^\s\"'<>,;|(){}\[\]]+")
_ID = re.compile(r"[\w:-]{5,}")  # inside a word: behind a slash, before a full stop
_EDGES = re.compile(r"[\s,;:<>|()\[\]{}\"'&]")


_KNOWN = " Known means the id of a customer."


class Found(NamedTuple):
    """How often something of one kind stands in one file."""

    file: str
    kind: str
    times: int


def scan(
    folder: Path, *, known: Collection[str] = (), allow: Sequence[Allowed] = ()
) -> list[Found]:
    """Search every file of a folder for what is personal.

    Parameters
    ----------
    folder : pathlib.Path
        What is to be published.
    known : collection of str
        Identifiers that must not appear, such as raw ids of customers; found as whole words.
    allow : sequence of Allowed
        Exceptions, each with its reason.

    Returns
    -------
    list of Found
        One for each file and kind, in order; empty if all is well. The kind of what is
        known is "known".
    """
    wanted = frozenset(known)
    found = []
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        times = Counter(
            kind
            for text in _texts(file)
            for kind, value in _hits(text, wanted)
            if not any(a.covers(kind, value) for a in allow)
        )
        name = file.relative_to(folder).as_posix()
        found += [Found(name, kind, n) for kind, n in sorted(times.items())]
    return found


def check_folder(
    folder: Path, *, known: Collection[str] = (), allow: Sequence[Allowed] = ()
) -> None:
    """Refuse a folder in which something personal stands.

    Raises
    ------
    RunError
        With file, kind and number of every hit.
    """
    found = scan(folder, known=known, allow=allow)
    if found:
        listed = "; ".join(f"{f.file}: {f.kind}, {f.times} times" for f in found)
        raise RunError(
            f"A report must hold nothing personal, but this one does: {listed}."
            f"{_KNOWN if any(f.kind == 'known' for f in found) else ''} The last good "
            "report stays. Leave it out of the notebook or the settings that show it; what may "
            "stand there, such as the address of a help desk, goes with its reason under "
            "privacy.allow in study.yaml."
        )


def named_customers(folder: Path, snapshot: Path) -> frozenset[str]:
    """Find the customers whose id stands in a folder.

    Only ids of five characters or more that hold a letter: numbers and short words stand
    in every report.

    Parameters
    ----------
    folder : pathlib.Path
        What is to be published.
    snapshot : pathlib.Path
        Folder of the snapshot it was made from.
    """
    asked = {
        part
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for text in map(readable, _texts(file))
        for word in set(_WORDS.findall(text))
        for part in _parts(word)
        if any(c.isalpha() for c in part)
    }
    return frozenset(known_customers(asked, snapshot))


def _parts(word: str) -> Iterator[str]:
    """Yield a word, and what in it could be an id: `crm:77` of `who:crm:77.`, for one."""
    yield word
    yield word.strip(".:!?/-")
    if not word.isalnum():
        for part in _ID.findall(word):
            yield part.strip(":-")
            yield part.strip(":-").partition(":")[2]


def _texts(file: Path) -> Iterator[str]:
    """Yield the texts of a file as a reader gets them, its name first."""
    yield file.name
    if file.suffix == ".parquet":
        yield from _cells(file)
    elif file.suffix not in _PICTURES:
        text = file.read_text(encoding="utf-8", errors="replace")
        if file.suffix in (".html", ".htm", ".svg"):
            yield from _seen(text)
        else:
            yield re.sub(r"\\[nrt]", "\n", text)


def _seen(page: str) -> Iterator[str]:
    """Yield the words of a page, its attributes, and the files that travel inside."""
    for embedded in _EMBEDDED.findall(page):
        if head := _READABLE.match(embedded):
            text = unquote(embedded[head.end() :])
            text = _decoded(text) if head["coded"] else text
            yield from _seen(text) if head["kind"] == "image/svg" else (text,)
    page = _EMBEDDED.sub("", _DRAWN.sub("", page))
    yield unescape("\n".join(_INLINE.findall(page)))
    # A word can be coloured in parts; elsewhere a tag ends it.
    yield unescape(_INLINE.sub("", page).translate(_BLOCK))


def _decoded(text: str) -> str:
    """Read base64; what is none stays as it is."""
    try:
        return b64decode(text + "==").decode("utf-8", errors="replace")
    except ValueError:
        return text


def _cells(file: Path) -> Iterator[str]:
    """Yield the names of a Parquet file's columns, and its different texts, column by column."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(file))
        for name, kind in zip(rows.columns, rows.types, strict=True):
            yield name
            if not re.search(r"VARCHAR|JSON|BLOB|\[", str(kind)):
                continue
            column = '"' + name.replace('"', '""') + '"'
            for (value,) in rows.project(f"{column}::varchar").distinct().fetchall():
                if value:
                    yield str(value)


def _hits(text: str, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    text = readable(text)
    for hit in find(text):
        value = text[hit.start : hit.end]
        if hit.kind in _SOUGHT and not _is_number(text, hit.start, hit.end):
            yield hit.kind, value
    if known:
        for word, times in Counter(_WORDS.findall(text)).items():
            part = next((p for p in _parts(word) if p in known), None)
            yield from [("known", part)] * times if part is not None else ()
        odd = (k for k in known if not _WORDS.fullmatch(k))
        yield from (("known", k) for k in odd if k in text)


def _is_number(text: str, start: int, end: int) -> bool:
    """Whether a cell of a table holds this and nothing else, written as numbers are.

    Numbers of people have no leading zero, plus or separator only where they were stored
    as numbers; a large amount of money looks the same and is far more likely.
    """
    alone = _EDGES.match(text[start - 1 : start] or ",") and _EDGES.match(
        text[end : end + 1] or ","
    )
    plain = text[start:end].isdigit() and text[start] != "0" and end - start < 16
    before = text[max(0, start - 3) : start].rstrip(" ")[-1:]
    return bool(alone and plain and before in ("", ",", ":", "\n", "[", ">"))
