"""Who signs a comment gives a name, also one that no list knows."""

import pytest

from cxlab.data.masking import Masker
from cxlab.data.signatures import signature


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Enak sekali. Salam, Lomar Vindo", "Lomar Vindo"),
        ("Barang rusak.\nWassalam,\nLomar", "Lomar"),
        ("Too late again. Kind regards,\nLomar V.", "Lomar V."),
        ("MANTAP. SALAM, LOMAR VINDO \U0001f60d", "LOMAR VINDO"),
        ("Salam, semoga sukses selalu", None),
        ("Salam. Kopinya enak", None),
        ("I send my regards to Lomar Vindo, who was kind to all of us here", None),
        ("Best coffee in town, cheers", None),
        ("", None),
    ],
)
def test_the_name_under_a_comment_is_found_and_nothing_else(text, name):
    hit = signature(text)
    assert (hit and text[hit.start : hit.end]) == name


def test_a_signature_is_masked_without_any_list_of_names():
    assert Masker(lambda _: None).mask("Terima kasih. Salam, Lomar Vindo!")[0] == (
        "Terima kasih. Salam, [name]!"
    )


def test_a_long_comment_costs_no_more_than_its_end():
    assert signature("Salam, Ada " * 100_000 + "dan lagi") is None
