"""Which numbers of a text are somebody's: found by their groups, told by what stands around.

A price, a date, an order or a part of a code is none: a currency or a word such as
"invoice" before it says so, or a letter that it is glued to. A word such as "telp" or
"NIK" before it says the opposite.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from cxlab.data.identifiers import Digits, is_card, is_iban, national_id, phone_like

__all__ = ["Hit", "ibans", "is_called_a_thing", "numbers"]

_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_LOWER_IBAN = re.compile(r"[a-z]{2}\d{2}[a-z]{0,5}\d+")
# Groups of digits with at most a sign between them.
_RUN = re.compile(r"\d+(?:(?:\)[ .-]?|[ .-]?\(|[ ]?[.-][ ]?|[ ]{1,2})\d+)*")
_GROUP = re.compile(r"\d+")
_LABELS = (
    r"telp|tlp|telepon|telpon|telephone|phone|tel|ph|hp|handphone|mobile|cell|wa|whatsapp|whats app"
    r"|sms|hubungi|kontak|contact|call|dial|fax"
)
_LINK_WORDS = (
    r"(?:\W{0,3}\b(?:no|nomor|nomer|number|num|saya|aku|ku|my|is|was|adalah|ini|di|ke|at|on|me|us|"
    r"kami|nya|id|dgn|dengan)\b){0,3}\W{0,3}\Z"
)
_NAMED_PHONE = re.compile(rf"(?:\b|_)(?:{_LABELS}){_LINK_WORDS}", re.IGNORECASE)
_NAMED_ID = re.compile(
    rf"\b(?:(?P<nik>nik|ktp|e-ktp|kk)|(?P<npwp>npwp)|(?P<ssn>ssn|social security)|(?P<cpf>cpf))"
    rf"{_LINK_WORDS}",
    re.IGNORECASE,
)
# A number that is called an order or a parcel is one, whatever it looks like.
_THING = re.compile(
    r"(?:\b(?:order|orderan|pesanan|invoice|inv|faktur|resi|tracking|awb|transaksi|trx|booking|sku"
    r"|kode|code|ref|reference|tiket|ticket|batch|voucher|barcode|imei|seri|serial|model|tipe)"
    rf"{_LINK_WORDS})|#\s?\Z",
    re.IGNORECASE,
)
_MONEY = re.compile(r"(?:\b(?:rp|idr|usd|eur|gbp|brl|sgd|r)|[$€£])\s?\.?\s?\Z", re.IGNORECASE)
_GLUED = re.compile(r"[A-Za-z0-9][-/.#+=]\Z|\w\Z|\d,\Z")
_LABEL_GLUED = re.compile(rf"(?:\b|_)(?:{_LABELS}|no)[-/.:]?\Z", re.IGNORECASE)


_GOES_ON = re.compile(r"[^\W]|[-/][A-Za-z0-9]|,\d")
_FRACTION = re.compile(r"\.\d")
_MOST_GROUPS = 7
_FEWEST, _MOST = 8, 19  # digits of a number that is somebody's


class _Around(NamedTuple):
    """What the words before a number call it."""

    phone: bool
    id: str
    thing: bool


class Hit(NamedTuple):
    """Where something personal stands, and of what kind it is."""

    start: int
    end: int
    kind: str


def ibans(text: str) -> Iterator[Hit]:
    """Yield account numbers; a word that follows one after a space is no part of it."""
    for match in _IBAN.finditer(text):
        found = ""
        for at in range(match.start(), match.end()):
            found += text[at] if text[at].isalnum() else ""
            is_over = not text[at + 1 : at + 2].isalnum()
            if len(found) > 14 and text[at].isalnum() and is_over and is_iban(found):
                if found.isupper() or _LOWER_IBAN.fullmatch(found):
                    yield Hit(match.start(), at + 1, "iban")
                break


def is_called_a_thing(left: str) -> bool:
    """Tell whether the words before a number say that it is an order, a parcel, a code."""
    return _THING.search(left) is not None


def numbers(text: str) -> Iterator[Hit]:
    """Look at every run of digits, and at each part of it that could be a number of its own."""
    for match in _RUN.finditer(text):
        if len(match[0]) < _FEWEST:
            continue
        at = match.start()
        spans = [(at + g.start(), at + g.end()) for g in _GROUP.finditer(match[0])]
        first = 0
        while first < len(spans) and sum(b - a for a, b in spans[first:]) >= _FEWEST:
            last, hit = _longest(text, spans, first)
            if hit is not None:
                yield hit
            first = last + 1


def _longest(text: str, spans: list[tuple[int, int]], first: int) -> tuple[int, Hit | None]:
    """Find the longest number that starts with one group of digits, and its last group."""
    plus, bracket = _before(text, spans[first][0])
    begin = spans[first][0] - plus - bracket
    left = text[max(0, begin - 40) : begin]
    glued = _GLUED.search(left) and not _LABEL_GLUED.search(left)
    if glued or (_MONEY.search(left) and not plus):
        return first, None
    called = _NAMED_ID.search(left)
    around = _Around(
        phone=_NAMED_PHONE.search(left) is not None,
        id=str(called.lastgroup) if called else "",
        thing=is_called_a_thing(left),
    )
    for last in range(min(len(spans), first + _MOST_GROUPS) - 1, first - 1, -1):
        number = _digits(text, spans[first : last + 1], plus, bracket)
        kind = _kind(number, around)
        right = text[spans[last][1] : spans[last][1] + 2]
        # Of a sloppy writer's phone number, the next word may follow at once.
        is_cut = _GOES_ON.match(right) and not (kind == "phone" and right[:1].isalpha())
        # An amount with decimals can have the digits of an id, unless it is called one.
        is_amount = kind in ("id", "card") and not around.id and _FRACTION.match(right)
        # "0812 3456 789 2 days": what is whole without a last short group ends before it.
        is_over = kind == "phone" and number.between[-1:] == (" ",) and number.shape[-1] <= 2
        if (
            kind
            and not (is_cut or is_amount)
            and not (is_over and len(number.all) - number.shape[-1] > 10)
        ):
            return last, Hit(begin, spans[last][1], kind)
    return first, None


def _kind(number: Digits, around: "_Around") -> str:
    """Say what a number is; empty if it is nobody's."""
    if not _FEWEST <= len(number.all) <= _MOST:
        return ""
    is_phone = phone_like(number, named=around.phone)
    is_mobile = number.plus or number.all.startswith(("08", "628"))
    if around.thing and not (around.phone or around.id):
        return "phone" if is_phone and is_mobile else ""
    if around.id and national_id(number, named=around.id):
        return "id"
    is_id = not number.plus and national_id(number)
    if is_card(number) and not (is_id and len(number.all) == 16):
        return "card"
    if is_phone:
        return "phone"
    return "id" if is_id else ""


def _digits(text: str, spans: list[tuple[int, int]], plus: bool, bracket: bool) -> Digits:
    groups = tuple(text[a:b] for a, b in spans)
    between = tuple(text[a[1] : b[0]].strip() or " " for a, b in pairwise(spans))
    return Digits(groups, between, plus, bracket)


def _before(text: str, start: int) -> tuple[bool, bool]:
    bracket = text[start - 1 : start] == "("
    plus = text[start - 1 - bracket : start - bracket] == "+"
    return plus, bracket
