"""A new study can be read before anybody has changed it, and shows everything that can be changed.

What its report says is held by tests/test_published.py.
"""

import csv
import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pydantic import BaseModel

from cxlab.cycle.new_study import new_study
from cxlab.data.settings import Kpi, Settings, read_settings
from cxlab.data.taking import take_snapshot
from cxlab.errors import RunError
from tests.studies import aside, rows

TABLES = [
    "customers", "interactions", "orders", "answers", "subscriptions", "promises", "shipments",
]  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "mine"
    new_study(folder)
    return folder


def test_the_files_are_named_in_the_order_in_which_to_read_them(tmp_path):
    files = [f.relative_to(tmp_path).as_posix() for f in new_study(tmp_path)]
    assert files[:2] == ["study.yaml", "tables/answers.sql"]
    assert files[-1] == "raw/subscriptions.csv"
    assert len(files) == len([f for f in tmp_path.rglob("*") if f.is_file()])


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="new or an empty folder"):
        new_study(tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(RunError, match="new or an empty folder"):
        new_study(tmp_path / "mine")


def test_the_made_up_files_are_the_same_every_time(study, tmp_path):
    new_study(tmp_path / "again")
    for file in sorted((study / "raw").iterdir()):
        assert file.read_bytes() == (tmp_path / "again" / "raw" / file.name).read_bytes()


def test_every_table_is_read_and_no_row_is_set_aside(study):
    settings = read_settings(study)
    snapshot = take_snapshot(study, settings, settings.parse_cycle("2026Q2"))
    rows = snapshot.tables.set_index("table")
    assert list(rows.index) == TABLES
    assert rows["rows_set_aside"].sum() == 0
    assert (rows["rows_in"] == rows["rows_used"] + rows["rows_excluded"]).all()
    assert set(snapshot.reasons["reason"]) == {"test order of the staff"}
    assert snapshot.notes == []


def test_a_value_that_does_not_read_sets_its_row_aside_and_no_other(tmp_path):
    new_study(tmp_path)
    spoil(tmp_path / "raw" / "orders.csv", 10, 2, "2025-13-45")
    spoil(tmp_path / "raw" / "orders.csv", 20, 3, "4O.50")
    settings = read_settings(tmp_path)
    taken = take_snapshot(tmp_path, settings, settings.parse_cycle("2026Q2"))
    found = aside(taken, "orders").set_index("row")
    assert found["reason"].to_dict() == {
        10: "placed_at must read as a moment",
        20: "net_amount must read as an amount of money",
    }
    assert json.loads(found.loc[10, "record"])["placed_at"] == "2025-13-45"
    assert rows(taken, "orders")["set_aside"] == 2
    # What hangs on the two orders goes with them; nothing else does.
    spoiled = {json.loads(record)["order_id"] for record in found["record"]}
    for table in ("shipments", "answers"):
        assert {json.loads(r)["order_id"] for r in aside(taken, table)["record"]} <= spoiled
    assert rows(taken, "customers")["set_aside"] == 0


@pytest.mark.parametrize(
    ("file", "column", "table", "reason"),
    [
        ("customers.csv", 1, "customers", "first_seen_at must read as a moment"),
        ("orders.csv", 4, "orders", "shipping_amount must read as an amount of money"),
        ("deliveries.csv", 2, "shipments", "promised_on must read as a day"),
        ("deliveries.csv", 2, "promises", "due_at must read as a moment"),
        ("deliveries.csv", 3, "shipments", "shipped_at must read as a moment"),
        ("deliveries.csv", 4, "shipments", "delivered_at must read as a moment"),
        ("deliveries.csv", 4, "promises", "resolved_at must read as a moment"),
        ("survey.csv", 2, "answers", "answered_at must read as a moment"),
        ("survey.csv", 4, "answers", "value must read as a number"),
        ("visits.csv", 2, "interactions", "occurred_at must read as a moment"),
    ],
)
def test_no_value_of_a_raw_file_can_stop_the_run(tmp_path, file, column, table, reason):
    new_study(tmp_path)
    spoil(tmp_path / "raw" / file, 5, column, "2025-13-45")
    settings = read_settings(tmp_path)
    taken = take_snapshot(tmp_path, settings, settings.parse_cycle("2026Q2"))
    assert set(aside(taken, table)["reason"]) == {reason}
    # An order does not suffer from what the carrier or the customer wrote.
    if file in ("deliveries.csv", "survey.csv", "visits.csv"):
        assert rows(taken, "orders")["set_aside"] == 0


def spoil(file: Path, row: int, column: int, value: str) -> None:
    """Put a value into one row of a file, counted from 1 after its head."""
    with file.open(newline="", encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    lines[row][column] = value
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)


def test_the_days_that_the_settings_cover_are_those_of_the_files(study):
    covers = read_settings(study).covers
    placed = pd.read_csv(study / "raw" / "orders.csv")["Ordered"]
    days = pd.to_datetime(placed, format="%d.%m.%Y %H:%M").dt.date
    assert covers.first_day <= days.min()
    assert days.max() <= covers.last_day
    # A shop with hundreds of customers sells something in any week.
    assert (days.min() - covers.first_day).days < 7
    assert (covers.last_day - days.max()).days < 7


def test_each_default_that_is_commented_out_is_the_default(study):
    text = (study / "study.yaml").read_text()
    uncommented = re.sub(r"^( *)#(?=[a-z])", r"\1", text, flags=re.MULTILINE)
    assert uncommented != text
    assert Settings.model_validate(yaml.safe_load(uncommented)) == read_settings(study)


def test_every_setting_stands_in_the_file(study):
    text = (study / "study.yaml").read_text()

    def names(model: type[BaseModel]) -> set[str]:
        found = set(model.model_fields)
        for field in model.model_fields.values():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                found |= names(field.annotation)
        return found

    missing = [n for n in names(Settings) | names(Kpi) if not re.search(rf"\b{n}\b", text)]
    assert missing == []
