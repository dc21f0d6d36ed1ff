"""Is this number a person's? Phones, cards and national ids, told from prices and orders.

Where an identifier has check digits they decide (Luhn for cards, ISO 7064 for IBAN, the
Brazilian CPF). Others are held to their form: the date of birth inside an Indonesian NIK,
the areas that a US social security number can have, the prefixes of a phone number.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Digits", "is_card", "is_iban", "national_id", "phone_like"]

# ISO 13616: how long an IBAN of each country is.
_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24"
        "FI18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32"
        "LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22"
        "SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
}
_PROVINCES = {*range(11, 22), *range(31, 37), 51, 52, 53, *range(61, 66), *range(71, 77), 81, 82}
_PROVINCES |= set(range(91, 98))
_JAKARTA_AND_CITIES = ("021", "022", "024", "031", "061")  # area codes that need no bracket


class Digits(NamedTuple):
    """A number as it was written.

    Attributes
    ----------
    groups : tuple of str
        Its digits, split where something stood between them.
    between : tuple of str
        What stood between them: one less than there are groups.
    plus, bracket : bool
        Whether a plus or an opening bracket stands before it.
    """

    groups: tuple[str, ...]
    between: tuple[str, ...]
    plus: bool = False
    bracket: bool = False

    @property
    def all(self) -> str:
        """The digits alone."""
        return "".join(self.groups)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many digits each group has."""
        return tuple(map(len, self.groups))

    @property
    def is_amount(self) -> bool:
        """Whether it is grouped by thousands with dots, as prices are."""
        return (
            len(self.groups) > 1
            and set(self.between) == {"."}
            and len(self.groups[0]) <= 3
            and all(len(g) == 3 for g in self.groups[1:])
        )

    @property
    def is_dated(self) -> bool:
        """Whether it starts with a date: 08-12-2024, 2024.12.08."""
        if len(self.groups) < 3:
            return False
        a, b, c = self.groups[:3]
        first, last = (a, c) if len(a) == 4 else (c, a)
        year = len(first) in (2, 4) and (len(first) == 2 or first[:2] in ("19", "20"))
        return year and len(b) <= 2 and len(last) <= 2 and int(b) <= 31 and int(last) <= 31


def is_card(number: Digits) -> bool:
    """Tell a payment card: a length and prefix that issuers use, and Luhn's check digit.

    >>> is_card(Digits(("4111", "1111", "1111", "1111"), ("-", "-", "-")))
    True
    """
    digits, shape = number.all, number.shape
    if len(shape) > 1 and (len(set(number.between)) > 1 or not _is_card_shape(shape)):
        return False
    return _is_issued(digits) and _luhn(digits)


def is_iban(text: str) -> bool:
    """Tell an International Bank Account Number by its length and its remainder of 97.

    >>> is_iban("GB82WEST12345698765432"), is_iban("GB83WEST12345698765432")
    (True, False)
    """
    iban = text.upper()
    if _IBAN_LENGTHS.get(iban[:2]) != len(iban):
        return False
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def national_id(number: Digits, *, named: str = "") -> bool:
    """Tell a national or tax id of a person.

    Parameters
    ----------
    number : Digits
        As it was written.
    named : str
        What it was called just before, if that is known: nik, npwp, ssn, cpf. A number
        that was named needs no separators, and a NIK no plausible date.
    """
    digits, shape = number.all, number.shape
    if len(digits) == 16:
        return named in ("nik", "npwp") or (_is_whole(number) and _is_nik(digits))
    if len(digits) == 15:
        return shape == (2, 3, 3, 1, 3, 3) or named == "npwp"
    if len(digits) == 11:
        grouped = shape == (3, 3, 3, 2) and number.between[2] == "-"
        return (grouped or len(shape) == 1 or named == "cpf") and _is_cpf(digits)
    if len(digits) == 9:
        grouped = shape == (3, 2, 4) and set(number.between) <= {"-"}
        return (grouped or named == "ssn") and _is_ssn(digits)
    return False


def phone_like(number: Digits, *, named: bool = False) -> bool:
    """Tell a phone number, in the ways that people write one.

    Parameters
    ----------
    number : Digits
        As it was written.
    named : bool
        Whether a word such as "telp" or "WhatsApp" stands just before.
    """
    if number.is_dated or (number.is_amount and not number.all.startswith(("62", "08"))):
        return False
    return (
        _is_international(number)
        or _is_indonesian(number)
        or _is_elsewhere(number, named=named)
        or (named and 8 <= len(number.all) <= 15 and not number.is_amount)
    )


def _is_international(number: Digits) -> bool:
    digits = number.all
    if number.plus:
        fraction = len(number.groups) == 2 and number.between == (".",)
        return 9 <= len(digits) <= 15 and digits[0] != "0" and not fraction
    if digits.startswith("00") and digits[2:3] not in ("0", ""):
        return 11 <= len(digits) <= 17 and "." not in number.between
    return False


def _is_indonesian(number: Digits) -> bool:
    digits, shape = number.all, number.shape
    if number.is_amount and digits.startswith("62") and not number.plus:
        return False
    if digits.startswith("08") and digits[2:3] != "0":
        return 10 <= len(digits) <= 13 and _has_mobile_groups(number, first=3)
    if digits.startswith("628"):
        return 11 <= len(digits) <= 14 and _has_mobile_groups(number, first=2)
    if digits[:2] in {f"0{d}" for d in range(2, 8)} and 9 <= len(digits) <= 12:
        area = shape[0] in (3, 4) and len(shape) > 1 and min(shape[1:]) >= 3
        return area and (number.bracket or digits.startswith(_JAKARTA_AND_CITIES))
    return False


def _is_elsewhere(number: Digits, *, named: bool) -> bool:
    """The forms of the United States, Brazil and Britain."""
    digits, shape = number.all, number.shape
    marked = named or number.bracket or bool(set(number.between) & {"-", "."})
    local = shape[1:] if shape[:1] == (1,) and len(shape) == 4 else shape
    if local == (3, 3, 4) and marked:
        area, exchange = digits[-10], digits[-7]
        return area in "23456789" and exchange in "23456789"
    if shape in ((2, 5, 4), (2, 4, 4)) and number.between[-1] == "-":
        return number.bracket or (shape == (2, 5, 4) and number.groups[1][0] == "9")
    return digits.startswith("07") and len(digits) == 11 and shape in ((11,), (5, 6), (5, 3, 3))


def _has_mobile_groups(number: Digits, *, first: int) -> bool:
    """Hold the groups of a mobile number to a form; 62.8123456789 is a fraction."""
    shape = number.shape
    if len(shape) == 1:
        return True
    if len(shape) == 2:
        return shape[0] >= 2 and "." not in number.between and shape[1] >= 4
    return shape[0] >= first and min(shape[1:]) >= 2 and max(shape) <= 5


def _is_whole(number: Digits) -> bool:
    """Whether a NIK is written in one piece or in the groups that people give it."""
    return number.shape in ((16,), (6, 6, 4), (4, 4, 4, 4), (2, 2, 2, 6, 4), (6, 2, 2, 2, 4))


def _is_nik(digits: str) -> bool:
    """Province, then the date of birth, on whose day women have 40 added, then a serial."""
    day, month = int(digits[6:8]), int(digits[8:10])
    born = 1 <= (day - 40 if day > 40 else day) <= 31 and 1 <= month <= 12
    place = int(digits[:2]) in _PROVINCES and digits[2:4] != "00" and digits[4:6] != "00"
    return born and place and digits[12:] != "0000"


def _is_ssn(digits: str) -> bool:
    area = digits[:3]
    return area not in ("000", "666") and area[0] != "9" and digits[3:5] != "00" != digits[5:]


def _is_cpf(digits: str) -> bool:
    """Two check digits, each the weighted sum of all before, modulo 11 (Receita Federal)."""
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        total = sum(int(d) * (length + 1 - i) for i, d in enumerate(digits[:length]))
        if int(digits[length]) != total * 10 % 11 % 10:
            return False
    return True


def _is_issued(digits: str) -> bool:
    """Whether issuers give out cards of this prefix and length."""
    n, two, four = len(digits), int(digits[:2] or 0), int(digits[:4] or 0)
    if digits[:1] == "4":
        return n in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720 or 2200 <= four <= 2204:
        return n == 16
    if two in (34, 37):
        return n == 15
    if two in (36, 38, 39) or 3000 <= four <= 3059:
        return n == 14
    return n in (16, 17, 18, 19) and (two in (50, 62, 63, 64, 65, 67) or _is_rare(two, four))


def _is_rare(two: int, four: int) -> bool:
    return 3528 <= four <= 3589 or four == 6011 or 56 <= two <= 58 or two == 60


def _is_card_shape(shape: Sequence[int]) -> bool:
    *head, last = shape
    fours = set(head) == {4} and last <= 4 and len(shape) >= 4
    return fours or tuple(shape) in ((4, 6, 5), (4, 6, 4))


def _luhn(digits: str) -> bool:
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
