"""What in a text is somebody's own: addresses, numbers, ids. One set of patterns for all.

Comments are masked by it before a notebook sees them (`masking`), messages of failed
cells before they are kept, and the published folder is searched with it. It knows no
names; these are told by a list (`names`). Nothing but Python's own library is needed.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from cxlab.data.numbers import Hit, ibans, is_called_a_thing, numbers

__all__ = ["KINDS", "Hit", "find", "mask", "put_words", "readable"]

KINDS = ("email", "phone", "card", "iban", "id", "link", "address")

_TLD = (
    r"(?:com|net|org|edu|gov|info|biz|io|co|me|dev|app|xyz|online|site|shop|store|test|example"
    r"|(?:(?:co|or|ac|go|web|my|sch|com|net|org) ?\. ?)?(?:id|uk|br|au|sg|my|de|nl|fr|es|it|jp|us))"
)
_MAILERS = "gmail|googlemail|yahoo|ymail|hotmail|outlook|icloud|live|protonmail"
_EMAIL = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]{0,200}\w[+-]?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}"
    rf"|[\w.+%-]{{1,64}}@(?:{_MAILERS})\b"
    rf"|[\w.+%-]{{1,64}} ?@ ?[\w-]{{2,40}} ?\. ?{_TLD}\b",
    re.IGNORECASE,
)
# someone (at) mail (dot) test, someone [at] mail.test, someone at mail dot test
_SPELLED_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64} ?(?:[\[({<] ?(?:at|et) ?[\])}>] ?[\w-]{2,40}"
    r"(?:(?: ?[\[({<] ?(?:dot|titik) ?[\])}>] ?| (?:dot|titik) |\.)[\w-]{2,24}){1,3}"
    r"|\b(?:at|et) [\w-]{2,40}(?: (?:dot|titik) [\w-]{2,24}){1,3})",
    re.IGNORECASE,
)
_BRACKETED_AT = re.compile(r"[\[({<] ?(?:at|et) ?[\])}>]", re.IGNORECASE)
_ENDS_LIKE_A_HOST = re.compile(rf"[\s.\])}}>]{_TLD}[\])}}>]?$|\b(?:{_MAILERS})\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'|]+", re.IGNORECASE)
# What makes a link somebody's own: an account, a query, or a path part like a key.
_TOKEN = re.compile(r"//[^/\s]*@|[?#&;][\w.-]+=[^&#\s]{4,}|[/=](?=[\w-]*\d)[\w-]{20,}")
_PASSPORT = re.compile(
    r"(?i:\bpas(?:por|sport)\b(?:\W{0,3}(?:no|nomor|number|saya|my|is)\b){0,3}\W{0,3})"
    r"(?P<named>[A-Za-z]{1,2}\d{6,7})\b|(?<![\w#/.+=-])(?P<bare>[ABCEX]\d{7})(?![\w/+=-])"
)
_DIGIT_WORDS = (
    "nol|kosong|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|"
    "zero|oh|one|two|three|four|five|six|seven|eight|nine"
)
_SPELLED_PHONE = re.compile(
    rf"\b(?:plus )?(?:(?:{_DIGIT_WORDS})\b[ ,.-]{{0,2}}){{7,}}(?:{_DIGIT_WORDS})\b", re.IGNORECASE
)
_RT_RW = r"RT\.? ?\d{1,3} ?(?:[/,] ?(?:RW\.? ?)?|RW\.? ?)\d{1,3}"
_ADDRESS = re.compile(
    r"\b(?:Jl|Jln|Jalan|Gg|Gang|Komplek|Kompleks|Perum|Perumahan)\b\.? ?(?:[\w'’.]+ ){0,5}?[\w'’.]+"
    r",? (?:No|Nomor|Blok|Kav)\b[.:]? ?[A-Za-z]{0,2}[ /-]?\d{1,4}[A-Za-z]?"
    rf"(?:/\d{{1,3}})?(?:,? {_RT_RW})?|\b{_RT_RW}\b"
    r"|(?<![\w.,-])\d{1,5}[A-Z]?(?: [A-Z][\w'’]+){1,3} "
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Boulevard|Blvd)\b",
)
# Joiners, turning marks and the frames of keys have their use in emoji and in scripts of the
# East; behind a plain letter or digit they only split what belongs together.
_ZERO_WIDTH = re.compile(
    "[\u200b\u2060\ufeff\u00ad]"
    "|(?<=[!-~])[\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\u20e3]+"
)


def mask(text: str) -> str:
    """Write the kind in brackets in place of everything personal.

    >>> mask("Please call 0812-3456-7890 about order 1000234567, Rp 125.000")
    'Please call [phone] about order 1000234567, Rp 125.000'
    """
    text = readable(text)
    return put_words(text, find(text))


def put_words(text: str, hits: list[Hit]) -> str:
    """Put each hit's kind in its place."""
    out, at = [], 0
    for hit in hits:
        out += [text[at : hit.start], f"[{hit.kind}]"]
        at = hit.end
    return "".join([*out, text[at:]])


def readable(text: str) -> str:
    """Take out what no reader sees: marks without width, with which digits can be split."""
    return text if text.isascii() else _ZERO_WIDTH.sub("", text)


def find(text: str) -> list[Hit]:
    """Find everything personal but names, in order and without overlaps.

    Parameters
    ----------
    text : str
        As `readable` leaves it.
    """
    plain = text if text.isascii() else text.translate(_alike())
    hits: list[Hit] = []
    for hit in _candidates(plain):
        if all(hit.end <= h.start or hit.start >= h.end for h in hits):
            hits.append(hit)
    return sorted(hits)


def _candidates(text: str) -> Iterator[Hit]:
    """Yield what each pattern finds, the surest pattern first."""
    lower = text.lower()
    if "://" in text or "www." in lower:
        yield from (Hit(*m.span(), "link") for m in _URL.finditer(text) if _TOKEN.search(m[0]))
    yield from _emails(text, lower)
    if _DIGIT.search(text):
        yield from ibans(text)
        yield from numbers(text)
        yield from _passports(text)
        yield from (Hit(*m.span(), "address") for m in _ADDRESS.finditer(text))
    if any(word in lower for word in ("nol", "zero", "kosong", "plus")):
        yield from (Hit(*m.span(), "phone") for m in _SPELLED_PHONE.finditer(text))


def _emails(text: str, lower: str) -> Iterator[Hit]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            # Quotes and full stops before an address are no part of it.
            lead = len(match[0]) - len(match[0].lstrip(".'-%"))
            yield Hit(match.start() + lead, match.end(), "email")
    if "dot" in lower or "titik" in lower or _BRACKETED_AT.search(text):
        for match in _SPELLED_EMAIL.finditer(text):
            if _ENDS_LIKE_A_HOST.search(match[0]):
                yield Hit(*match.span(), "email")


def _passports(text: str) -> Iterator[Hit]:
    for match in _PASSPORT.finditer(text):
        group = "named" if match["named"] else "bare"
        left = text[max(0, match.start() - 40) : match.start()]
        if group == "named" or not is_called_a_thing(left):
            yield Hit(*match.span(group), "id")


@cache
def _alike() -> dict[int, str]:
    """Map digits of all scripts, spaces, dashes and wide letters to plain ones, one to one."""
    table: dict[int, str] = {}
    for code in range(0x80, 0x1FBFA):
        sign = chr(code)
        kind = unicodedata.category(sign)
        if kind == "Nd":
            table[code] = str(unicodedata.decimal(sign))
        elif kind == "Zs":
            table[code] = " "
        elif kind == "Pd" or code == 0x2212:
            table[code] = "-"
        elif 0xFF01 <= code <= 0xFF5E:
            table[code] = chr(code - 0xFEE0)
    return table
