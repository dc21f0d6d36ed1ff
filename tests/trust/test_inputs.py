"""Fresh or stale, and from which files."""

from dataclasses import replace

import pytest

from cxlab import trust
from cxlab.errors import ParameterError


def test_days_since_the_last_row_are_counted_to_the_cutoff(snapshot):
    result = trust.freshness(snapshot, stale_days=61)
    assert result.findings()[0]["estimate"] == 60.5
    assert result.sentence() == "Every table has rows from the last 61 days of the cycle."
    assert result.note == "Without a moment of their own: customers."


def test_a_stale_table_is_named(snapshot):
    result = trust.freshness(snapshot, stale_days=60)
    assert result.sentence() == "orders has no row from the last 60 days of the cycle."
    assert result.table()["state"].tolist() == ["stale"]


def test_a_snapshot_without_any_moment_has_no_finding(snapshot):
    first = {**snapshot.records, "tables": snapshot.records["tables"][:1]}
    undated = replace(snapshot, records=first)
    result = trust.freshness(undated).protect(10)
    assert (result.findings(), len(result.table())) == ([], 0)


def test_a_limit_below_a_day_is_refused(snapshot):
    with pytest.raises(ParameterError, match="stale_days must be 1 or more, not 0"):
        trust.freshness(snapshot, stale_days=0)


def test_sources_show_their_size_and_how_their_fingerprint_begins(snapshot):
    result = trust.sources(snapshot)
    assert result.sentence() == "2 raw files of 2.5 MB in all."
    assert result.table()["fingerprint"].tolist() == ["c" * 16, "d" * 16]
    assert [f["estimate"] for f in result.findings()] == [2_400_000, 100_000]
