"""Accounts and persons: counted, kept apart with a reason, and held against the truth."""

from dataclasses import replace
from math import comb

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab import trust
from cxlab.columns import GLOSSARY
from cxlab.errors import DataError, Withheld

COUNTS = [
    ("accounts", "", 120), ("persons", "", 100), ("joined", "email_hash", 12), ("joined", "crm", 8),
    ("shared_ids", "device", 2), ("largest", "", 4), ("in_households", "", 6), ("too_large", "", 0),
]  # fmt: skip


@pytest.fixture
def told(snapshot):
    rows = [{"measure": m, "id_type": t, "count": n} for m, t, n in COUNTS]
    return trust.identities(replace(snapshot, records={**snapshot.records, "identity": rows}))


def test_accounts_and_persons_are_told_with_what_joined_them(told):
    assert told.sentence() == (
        "120 accounts belong to 100 persons; what joined most was: e-mail address (hashed). "
        "2 ids of many people joined nobody."
    )
    joined = told.table().query("measure == 'accounts joined to another'")
    assert dict(zip(joined["reason"], joined["estimate"], strict=True)) == {
        "": 20, "e-mail address (hashed)": 12, "CRM account": 8,
    }  # fmt: skip
    assert set(told.table().columns) <= set(GLOSSARY)
    told.plot()


def test_few_joined_accounts_are_withheld_and_shared_ids_are_not(told):
    safe = told.protect(10)
    hidden = safe.table().query("suppressed")
    # 8 joined by a CRM account, and 12 by e-mail, from which the 8 would follow.
    assert sorted(hidden["measure"]) == [
        "accounts joined to another", "accounts joined to another",
        "persons in a household of several",
    ]  # fmt: skip
    assert safe.sentence().startswith("120 accounts belong to 100 persons. 2 ids")
    safe.plot()


def test_too_few_accounts_are_not_counted_aloud(told):
    assert told.protect(1000).sentence().startswith("Too few accounts")


def test_a_study_without_links_says_so(snapshot):
    with pytest.raises(Withheld, match="each account is taken as a person of its own"):
        trust.identities(snapshot)


def table_of(found):
    return pd.DataFrame(
        {"id_type": "crm", "id_value": [str(a) for a in found], "customer_id": list(found.values())}
    )


def truth_of(true):
    return pd.DataFrame({"account": [f"crm:{a}" for a in true], "person": list(true.values())})


def shares(result):
    return result.estimates.set_index("metric")["estimate"].to_dict()


def test_precision_and_recall_of_pairs_worked_by_hand():
    # Found {1 2 3} {4} {5 6}: 4 pairs. True {1 2} {3 4} {5 6}: 3 pairs. Both: 2.
    found = table_of({1: "a", 2: "a", 3: "a", 4: "d", 5: "e", 6: "e"})
    true = truth_of({1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3})
    result = trust.identity_truth(found, true)
    assert shares(result) == {
        "trust.identity_precision": pytest.approx(2 / 4),
        "trust.identity_recall": pytest.approx(2 / 3),
    }
    assert result.estimates["n"].tolist() == [4, 3]
    assert set(result.table().columns) <= set(GLOSSARY)
    assert result.sentence().startswith("50.0% of joined pairs")
    result.plot()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12))
@settings(max_examples=25, deadline=None)
def test_pairs_counted_from_sizes_are_pairs_counted_one_by_one(groups):
    found = {i: str(f) for i, (f, _) in enumerate(groups)}
    true = {i: t for i, (_, t) in enumerate(groups)}
    pairs = [(i, j) for i in found for j in found if i < j]
    assert len(pairs) == comb(len(groups), 2)
    joined = {p for p in pairs if found[p[0]] == found[p[1]]}
    same = {p for p in pairs if true[p[0]] == true[p[1]]}
    expected = {}
    if joined:
        expected["trust.identity_precision"] = pytest.approx(len(joined & same) / len(joined))
    if same:
        expected["trust.identity_recall"] = pytest.approx(len(joined & same) / len(same))
    if not expected:
        with pytest.raises(Withheld):
            trust.identity_truth(table_of(found), truth_of(true))
        return
    assert shares(trust.identity_truth(table_of(found), truth_of(true))) == expected


def test_a_person_of_many_accounts_counts_once_in_the_interval():
    """45 pairs of one person must not look like 45 independent ones."""
    found = table_of(dict.fromkeys(range(10), "a"))
    (row,) = (
        trust.identity_truth(found, truth_of(dict.fromkeys(range(10), 1)))
        .estimates.query("metric == 'trust.identity_recall'")
        .to_dict("records")
    )
    assert row["estimate"] == 1
    assert row["conf_low"] < 0.5


def test_an_account_that_stands_twice_is_refused():
    found = table_of({1: "a", 2: "a"})
    with pytest.raises(DataError, match="Each account must stand once"):
        trust.identity_truth(pd.concat([found, found]), truth_of({1: 1, 2: 1}))


def test_both_engines_count_the_same_pairs(engine):
    found, true = table_of({1: "a", 2: "a", 3: "c"}), truth_of({1: 1, 2: 1, 3: 1})
    result = trust.identity_truth(engine.table(found), engine.table(true))
    assert list(shares(result).values()) == [1, pytest.approx(1 / 3)]
