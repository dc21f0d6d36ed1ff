"""Every row has one fate and one reason."""

from dataclasses import replace

import pytest

from cxlab import trust
from cxlab.errors import DataError


def _with(snapshot, **records):
    return replace(snapshot, records={**snapshot.records, **records})


def test_rows_in_are_used_set_aside_or_excluded(snapshot):
    result = trust.rows(snapshot)
    assert result.table().to_dict("records")[1] == {
        "table": "orders",
        "rows_in": 1250,
        "rows_used": 1207,
        "rows_set_aside": 3,
        "rows_excluded": 40,
    }
    assert result.sentence() == (
        "Of 1,350 rows read, 1,307 are used, 3 set aside because they break a rule of their "
        "table, 40 excluded by the study's rules."
    )
    assert "One column of orders.csv is not used." in result.note


def test_row_counts_are_no_people_and_are_never_withheld(snapshot):
    for result in (trust.rows(snapshot), trust.reasons(snapshot)):
        assert not result.protect(10).estimates["suppressed"].any()


def test_each_row_count_is_a_finding(snapshot):
    found = {
        (f["metric"], f["dims"]["table"]): f["estimate"] for f in trust.rows(snapshot).findings()
    }
    assert found["trust.rows_in", "orders"] == 1250
    assert found["trust.rows_set_aside", "customers"] == 0
    assert len(found) == 8


def test_rows_that_do_not_add_up_are_refused(snapshot):
    first, orders = snapshot.records["tables"]
    lost = _with(snapshot, tables=[first, {**orders, "rows_used": 1206}])
    with pytest.raises(DataError, match="orders has 1250 in and 1249 accounted for"):
        trust.rows(lost)


def test_the_commonest_reason_stands_first_and_is_named(snapshot):
    result = trust.reasons(snapshot)
    assert result.table()["rows"].tolist() == [40, 3]
    assert "rule" in result.table()
    assert result.sentence() == "Most often, 40 rows of orders, excluded by rule: test orders."


def test_reasons_that_do_not_cover_all_rows_are_refused(snapshot):
    silent = _with(snapshot, reasons=snapshot.records["reasons"][1:])
    with pytest.raises(DataError, match="orders has 3 rows set aside and reasons for 0"):
        trust.reasons(silent)


def test_without_a_row_left_out_it_says_so(snapshot):
    whole = _with(snapshot, tables=snapshot.records["tables"][:1], reasons=[])
    result = trust.reasons(whole).protect(10)
    assert result.sentence() == "Every row that was read is used."
    assert (len(result.table()), result.findings()) == (0, [])
