"""A declared set holds every customer exactly once, or is refused with counts."""

import pandas as pd
import pytest

from cxlab.data.engine import DuckEngine, Engine, frame
from cxlab.errors import DataError, ParameterError, Withheld
from cxlab.segments import declared, declared_sets

PEOPLE = pd.DataFrame(
    {
        "customer_id": [f"c{i}" for i in range(8)],
        "region": ["SP", "SP", "SP", "RJ", "RJ", "MG", None, "SP"],
        "age": [20, 35, 50, 20, 70, 40, 30, None],
    }
)
BY_REGION = {
    "home": "region = 'SP'",
    "elsewhere": "region <> 'SP' or region is null",
}


def test_every_customer_is_in_one_segment_and_shares_add_up(engine: Engine):
    found = declared(engine.table(PEOPLE), name="market", rules=BY_REGION, version="3")
    share = found.estimates.set_index("market")
    assert share["count"].to_dict() == {"home": 4, "elsewhere": 4}
    assert share["estimate"].sum() == pytest.approx(1, abs=1e-12)
    members = frame(found.members, limit=10)
    assert list(members) == ["customer_id", "market"]
    assert sorted(members["customer_id"]) == sorted(PEOPLE["customer_id"])
    assert "version 3" in found.note
    assert found.rules_hash in found.note


def test_gaps_and_overlaps_are_refused_with_their_counts(engine: Engine):
    rules = {
        "young": "age < 40",
        "middle": "age between 35 and 60",
        "old": "age > 60",
    }
    # c1 (35) is young and middle; c7 has no age
    message = r"of 8 customers 1 are in none and 1 in several: young and middle \(1\)\."
    with pytest.raises(DataError, match=message):
        declared(engine.table(PEOPLE), name="age_group", rules=rules)


def test_the_message_names_no_customer():
    with pytest.raises(DataError) as refused:
        declared(PEOPLE, name="age_group", rules={"a": "age < 40", "b": "age < 60"})
    assert not any(c in str(refused.value) for c in PEOPLE["customer_id"])


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("ages < 40", "Did you mean 'age'"),
        ("age < (select max(age) from customers)", "one row's columns only"),
        ("count(*) > 1", "one row's columns only"),
        ("age > $limit", "one row's columns only"),
        ("age > 1) union select (1", "must be SQL|cannot be read"),
        ("age > 1; drop table customers", "must be SQL|cannot be read"),
        ("other.age > 1", "names 'other.age'"),
        ("age >", "cannot be read"),
        ("", "must be SQL"),
    ],
)
def test_a_condition_that_is_more_than_an_expression_is_refused(condition, message):
    with pytest.raises(ParameterError, match=message):
        declared(PEOPLE, name="group", rules={"a": condition, "b": "age >= 40"})


def test_a_quote_in_a_name_or_a_condition_stays_data(engine: Engine):
    rules = {"o'neill": "region = 'it''s'", "all": "coalesce(region, '') <> 'it''s'"}
    found = declared(engine.table(PEOPLE), name="quoted", rules=rules)
    assert found.estimates["count"].tolist() == [0, 8]


@pytest.mark.parametrize("name", ["estimate", "two words", "customer_id", 'a"b'])
def test_a_set_needs_a_name_that_can_be_a_column(name):
    with pytest.raises(ParameterError, match="one plain word"):
        declared(PEOPLE, name=name, rules=BY_REGION)


def test_repeated_customers_are_refused():
    twice = pd.concat([PEOPLE, PEOPLE.head(1)])
    with pytest.raises(DataError, match="9 rows hold 8"):
        declared(twice, name="market", rules=BY_REGION)


def test_without_customers_or_sets_there_is_a_reason(engine: Engine):
    with pytest.raises(Withheld, match="there are none"):
        declared(engine.table(PEOPLE.head(0)), name="market", rules=BY_REGION)
    with pytest.raises(Withheld, match="declare no segments"):
        declared_sets(engine.table(PEOPLE), segments={})


def test_all_sets_stand_in_one_result_and_keep_their_dimensions():
    people = pd.concat([PEOPLE.assign(customer_id=PEOPLE["customer_id"] + f"_{i}") for i in "abcd"])
    age = {"known": "age is not null", "not known": "age is null"}
    found = declared_sets(people, segments={"market": BY_REGION, "age_known": age})
    dims = [row["dims"] for row in found.findings()]
    assert dims[0] == {"market": "home"}
    assert dims[-1] == {"age_known": "not known"}
    labels = [t.get_text() for t in found.plot().texts]
    assert "age known: not known" in labels
    assert found.sentence().startswith("2 declared sets of segments hold every customer")
    safe = found.protect(10)  # 4 of unknown age, so both ages are withheld
    assert safe.estimates["suppressed"].tolist() == [False, False, True, True]
    assert "withheld" in [t.get_text() for t in safe.plot().texts]


def test_only_counts_leave_the_engine():
    engine = DuckEngine()
    declared(engine.table(PEOPLE), name="market", rules=BY_REGION)
    assert engine.longest_answer == 1
