"""The SQL of a pseudonym gives what Python's own HMAC gives."""

import hmac

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.data.pseudonyms import fingerprint, hand_over, pseudonym_sql

KEYS = [b"sixteen letters.", b"x" * 64, b"y" * 65, "kunci rahasia \N{SNOWMAN}".encode()]


def hashed(key: bytes, text: str | None) -> str | None:
    connection = duckdb.connect()
    hand_over(connection.execute, key)
    ((found,),) = connection.execute(f"select {pseudonym_sql('$1')}", [text]).fetchall()
    return found


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("text", ["crm:1", "", "Zoë \N{SNOWMAN}", "x" * 200])
def test_a_pseudonym_is_the_hmac_of_the_id(key: bytes, text: str) -> None:
    assert hashed(key, text) == hmac.new(key, text.encode(), "sha256").hexdigest()[:32]


def test_what_names_nobody_stays_so() -> None:
    assert hashed(KEYS[0], None) is None


@given(st.lists(st.text(min_size=1), min_size=2, max_size=20, unique=True))
@settings(max_examples=20, deadline=None)
def test_two_ids_keep_two_pseudonyms(ids: list[str]) -> None:
    ids = [text.encode("utf-8", "ignore").decode() for text in ids]
    assert len({hashed(KEYS[0], text) for text in ids}) == len(set(ids))


def test_a_fingerprint_tells_keys_apart_and_holds_neither() -> None:
    prints = {fingerprint(key) for key in KEYS}
    assert len(prints) == len(KEYS)
    assert not any(key.hex() in one for key in KEYS for one in prints)
