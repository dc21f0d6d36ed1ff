"""Rows that a purpose may see are laid down once, whole, and for that purpose alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from cxlab.data import allowed_rows
from cxlab.data.engine import DuckEngine
from cxlab.data.lab import Lab, open_lab

from ..studies import YAML, write_study

RAW = {
    "customers": "customer_id,first_seen_at\nada,2018-01-01\nbob,2018-01-02\n",
    "consents": "customer_id,purpose,valid_from,status\n"
    "ada,analytics,2018-01-01,granted\nbob,research,2018-01-01,granted\n",
    "orders": "order_id,customer_id,placed_at,net_amount\n1,ada,2018-02-01,5\n2,bob,2018-02-01,7\n",
}
Opened = Callable[..., Lab]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    monkeypatch.setattr(allowed_rows, "MANY", 2)
    read = "select * from read_csv('{raw}/%s.csv', header = true, all_varchar = true)"
    tables = {name: read % name for name in RAW}
    raw = {f"{name}.csv": text for name, text in RAW.items()}

    def make(yaml: str = "", purpose: str | None = None) -> Lab:
        shutil.rmtree(tmp_path / "sql", ignore_errors=True)
        study = write_study(tmp_path, yaml=YAML + yaml, tables=tables, raw=raw)
        return open_lab(study, cycle="2018Q1", purpose=purpose)

    return make


def orders(lab: Lab) -> list[str]:
    return lab.frame(lab.orders)["order_id"].tolist()


def copies(folder: Path) -> list[Path]:
    return sorted(folder.rglob("allowed/*/*.parquet"))


def no_copy(*_: object) -> bool:
    raise AssertionError("nothing is to be copied")


def test_a_copy_is_made_once_and_read_by_whoever_comes_next(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert orders(opened()) == ["1"]
    (copy,) = [file for file in copies(tmp_path) if file.name.startswith("orders")]
    assert duckdb.sql(f"select order_id from '{copy}'").fetchall() == [("1",)]
    monkeypatch.setattr(DuckEngine, "write_parquet", no_copy)
    assert orders(opened()) == ["1"]


def test_each_purpose_and_each_rule_has_copies_of_its_own(opened: Opened) -> None:
    assert orders(opened()) == ["1"]
    assert orders(opened(purpose="research")) == ["2"]
    assert orders(opened("consent: {without_record: granted}\n")) == ["1", "2"]
    assert orders(opened()) == ["1"]


def test_a_short_table_and_a_count_make_no_copy(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened().gate.left_out("orders") == 1
    monkeypatch.setattr(allowed_rows, "MANY", 3)
    assert orders(opened()) == ["1"]
    assert copies(tmp_path) == []


def test_a_damaged_copy_is_made_anew(opened: Opened, tmp_path: Path) -> None:
    assert orders(opened()) == ["1"]
    (copy,) = [file for file in copies(tmp_path) if file.name.startswith("orders")]
    copy.write_bytes(copy.read_bytes()[:-1] + b"0")
    assert orders(opened()) == ["1"]
    assert copy.read_bytes().endswith(b"PAR1")


@pytest.mark.parametrize("fault", [duckdb.IOException("no space"), PermissionError("read only")])
def test_where_nothing_can_be_written_rows_are_sought_each_time(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fails(_: object, table: object, file: Path) -> bool:
        file.write_bytes(b"half of it")
        raise fault

    monkeypatch.setattr(DuckEngine, "write_parquet", fails)
    assert orders(opened()) == ["1"]
    assert copies(tmp_path) == []
    assert not list(tmp_path.rglob("half*")) + list(tmp_path.rglob(".orders-*"))
