"""Keyed hashes in place of the ids of persons, so that a snapshot names nobody.

The pseudonym of an id is its HMAC-SHA-256 (RFC 2104), cut to 16 bytes and written in
hex: the same in every table and cycle, another one under another key, and beyond
guessing without the key. The key stands in an environment variable that the settings
name; it is handed to the connection as two variables that no mapping can read.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Callable
from typing import Any

from cxlab.errors import SettingsError

__all__ = ["KEY_NAME", "fingerprint", "hidden_key", "load_key", "person_columns", "pseudonym_sql"]

KEY_NAME = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_LEAST_CHARACTERS = 16
_BLOCK_BYTES = 64  # of SHA-256
# Columns that name a person, in whatever table they stand.
_ANYWHERE = ("customer_id", "referrer_id", "referred_id", "referred_by")
# Columns that lead to a person in one table only.
_IN_TABLE = {"exposures": ("unit_id",)}
# Ids of a device, an account or a household: no person's, but they lead to one.
_BESIDE = ("anonymous_id", "account_id", "household_id", "id_value", "left_value", "right_value")


def person_columns(table: str) -> tuple[str, ...]:
    """Return the columns of a table that hold the id of a person, where it has them."""
    return _ANYWHERE + _IN_TABLE.get(table, ())


def beside_columns() -> tuple[str, ...]:
    """Return the columns that hold no person's id, but one that leads to a person."""
    return _BESIDE


def load_key(named: str | None) -> bytes:
    """Read the key from the environment variable that the settings name.

    Parameters
    ----------
    named : str or None
        Such as `env:CXLAB_KEY`.

    Returns
    -------
    bytes
        The key.

    Raises
    ------
    SettingsError
        If none is named, or the variable is not set or too short. The message never
        holds the key.
    """
    match = KEY_NAME.fullmatch(named or "")
    if match is None:
        raise SettingsError(
            "Pseudonyms need a key, but privacy.key names none. Write `key: env:CXLAB_KEY` "
            "below privacy in study.yaml, and set that variable where cxlab runs."
        )
    key = os.environ.get(match[1], "")
    if len(key) < _LEAST_CHARACTERS:
        found = f"it has {len(key)}" if key else "it is not set"
        raise SettingsError(
            f"The environment variable {match[1]} must hold the key of the pseudonyms, at least "
            f"{_LEAST_CHARACTERS} characters, but {found}. A good one: openssl rand -hex 32"
        )
    return key.encode()


def fingerprint(key: bytes) -> str:
    """Return what tells two keys apart and gives neither away."""
    return hmac.digest(key, b"the key of a study", "sha256").hex()


def hidden_key(named: str | None) -> dict[str, str]:
    """Return what empties the key's variable in the environment of a notebook.

    >>> hidden_key("env:CXLAB_KEY"), hidden_key(None)
    ({'CXLAB_KEY': ''}, {})
    """
    match = KEY_NAME.fullmatch(named or "")
    return {match[1]: ""} if match else {}


def hand_over(do: Callable[[str], Any], key: bytes) -> None:
    """Give a connection the two padded keys of HMAC."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(
        _BLOCK_BYTES, b"\0"
    )
    for name, pad in (("cx_outer", 0x5C), ("cx_inner", 0x36)):
        padded = bytes(byte ^ pad for byte in block).hex()
        try:
            do(f"set variable {name} = unhex('{padded}')")
        except Exception:  # its text would hold the key
            raise SettingsError("The key of the pseudonyms could not be used.") from None


def pseudonym_sql(value: str) -> str:
    """Write the pseudonym of a text as SQL; NULL stays NULL."""
    inner = f"unhex(sha256(getvariable('cx_inner') || encode({value})))"
    return f"left(sha256(getvariable('cx_outer') || {inner}), 32)"
