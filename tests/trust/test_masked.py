"""How often free text held something personal."""

from dataclasses import replace

import pytest

from cxlab import trust
from cxlab.errors import Withheld


def with_masked(snapshot, **rows):
    record = [{"kind": kind, "rows": n} for kind, n in rows.items()]
    return replace(snapshot, records={**snapshot.records, "masked": record})


def test_each_kind_stands_with_its_texts_the_most_frequent_first(snapshot):
    result = trust.masked(with_masked(snapshot, email=3, iban=0, phone=1204)).protect(10)
    assert result.sentence() == (
        "Masked before anybody read them, most often: phone number, in 1,204 texts."
    )
    assert result.table()["kind"].tolist() == ["phone number", "e-mail address", "bank account"]
    assert result.table()["rows"].tolist() == [1204, 3, 0]


def test_texts_without_anything_personal_say_so(snapshot):
    result = trust.masked(with_masked(snapshot, email=0, name=0))
    assert result.sentence() == "No text held anything personal that could be told."


def test_a_study_without_free_text_says_so(snapshot):
    with pytest.raises(Withheld, match="nothing to mask"):
        trust.masked(snapshot)
