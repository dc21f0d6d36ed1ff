"""The matrix of checks: the worst table first, a word in each cell, and what rests on a failure."""

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest

from cxlab import trust
from cxlab.columns import GLOSSARY
from cxlab.data.settings import Settings
from cxlab.errors import Withheld

KPIS = {"revenue": {"name": "Revenue", "metric": "orders.net_amount", "owner": "Finance"}}
SETTINGS = Settings.model_validate({"title": "A", "raw": "raw", "kpis": KPIS})


def _check(table, check, state, says="something", column=None):
    return {
        "table": table, "check": check, "column": column, "value": None, "limit": None,
        "state": state, "says": says,
    }  # fmt: skip


def _with(snapshot, *checks):
    tables: dict[str, list[str]] = {row["table"]: [] for row in checks}
    return replace(snapshot, columns=tables, records={**snapshot.records, "checks": list(checks)})


LATE = _check("orders", "freshness", "fail", "its last row is 47 days old")
CHECKS = (
    _check("customers", "freshness", "pass"),
    _check("customers", "completeness", "pass"),
    _check("customers", "completeness", "warn", "region is empty throughout", "region"),
    LATE,
    _check("orders", "completeness", "pass"),
)


def test_the_worst_table_comes_first_and_each_cell_shows_its_worst_outcome(snapshot):
    shown = trust.quality(_with(snapshot, *CHECKS)).table()
    assert shown["table"].tolist() == ["orders", "customers"]
    assert shown["freshness"].tolist() == ["fail", "pass"]
    assert shown["completeness"].tolist() == ["pass", "warn"]


def test_the_sentence_counts_failed_tables_and_what_is_withheld_with_them(snapshot):
    found = trust.quality(_with(snapshot, *CHECKS), settings=SETTINGS)
    assert found.sentence() == "1 of 2 tables failed a check; 1 key measure is withheld with it."
    assert found.details.table()["says"].tolist() == [
        "its last row is 47 days old",
        "region is empty throughout",
    ]
    assert found.details.sentence() == "1 failure and 1 warning in all."


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        (CHECKS[:3], "No table failed a check; 1 of 1 warns."),
        (CHECKS[:2], "No check of the 1 table failed or warns."),
    ],
)
def test_without_a_failure_it_says_so(snapshot, checks, said):
    assert trust.quality(_with(snapshot, *checks)).sentence() == said


def test_what_is_counted_is_on_record_and_never_withheld(snapshot):
    found = trust.quality(_with(snapshot, *CHECKS)).protect(10).findings()
    numbers = {(f["metric"], *f["dims"].values()): f["estimate"] for f in found}
    assert numbers["trust.tables_failed",] == 1
    assert numbers["trust.tables_withheld",] == 1
    assert numbers["trust.checks", "customers", "pass"] == 2


def test_tables_withheld_with_another_one_are_named(snapshot):
    lines = _check("order_lines", "freshness", "pass")
    found = trust.quality(_with(snapshot, *CHECKS, lines))
    assert found.note.endswith("Withheld as well: order_lines, which rests on a table that failed.")


def test_a_snapshot_without_checks_gives_a_reason(snapshot):
    with pytest.raises(Withheld, match="taken without checks"):
        trust.quality(snapshot)


def test_each_column_is_in_the_glossary_and_the_picture_is_of_the_table(snapshot):
    found = trust.quality(_with(snapshot, *CHECKS), settings=SETTINGS)
    assert set(found.table().columns) | set(found.details.table().columns) <= set(GLOSSARY)
    drawn = {text.get_text() for text in found.plot().texts}
    assert {"orders", "customers", "Freshness", "× fail", "▲ warn", "✓ pass"} <= drawn
    plt.close("all")
