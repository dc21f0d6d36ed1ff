"""What was made before a request to be erased is found, and cleared away or named."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cxlab.cli import app
from cxlab.cycle.erased import clear_erased
from cxlab.errors import DataError
from tests.studies import CUSTOMERS_CSV, ORDERS_CSV, opened, shop, snapshot, state, write_raw

REQUESTS = "select * from read_csv('{raw}/erasures.csv', header = true, all_varchar = true)"
HEAD = "customer_id,requested_at\n"
YAML = "title: T\nraw: ../raw\nquality: {set_aside_max: 1}\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a study of which 2018Q1 was published when nobody had asked."""
    (tmp_path / "raw").mkdir()
    write_raw(tmp_path, "erasures.csv", HEAD + "eve,2018-02-01\n")
    made = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV, yaml=YAML, erasures=REQUESTS)
    publish(tmp_path, made)
    return made


def publish(base: Path, study: Path, cycle: str = "2018Q1") -> None:
    tables = snapshot(study, cycle).records["tables"]
    folder = base / "reports" / "study" / cycle
    folder.mkdir(parents=True, exist_ok=True)
    told = {"cycle": cycle, "start": "2018-01-01", "files": {}, "snapshot": {"tables": tables}}
    (folder / "manifest.json").write_text(json.dumps(told))


def clear(base: Path, study: Path) -> tuple[list[str], list[str]]:
    settings, _ = opened(study)
    found = clear_erased(study, settings, base / "reports" / "study")
    return found.removed, found.standing


def test_without_a_new_request_nothing_is_removed_and_nothing_stands(
    tmp_path: Path, study: Path
) -> None:
    kept = state(study)
    assert clear(tmp_path, study) == ([], [])
    assert set(kept) <= set(state(study))


def test_a_report_with_rows_of_an_erased_person_stands_until_it_is_made_again(
    tmp_path: Path, study: Path
) -> None:
    (before,) = state(study)
    write_raw(tmp_path, "erasures.csv", HEAD + "eve,2018-02-01\nada,2018-09-01\n")
    assert clear(tmp_path, study) == ([before], ["2018Q1"])
    assert before not in state(study)
    publish(tmp_path, study)
    assert clear(tmp_path, study) == ([], [])


def test_a_report_without_rows_of_the_person_does_not_stand_in_the_way(
    tmp_path: Path, study: Path
) -> None:
    write_raw(tmp_path, "erasures.csv", HEAD + "eve,2018-02-01\nzoe,2018-09-01\n")
    _, standing = clear(tmp_path, study)
    assert standing == []


def test_the_command_fails_while_a_report_stands(tmp_path: Path, study: Path) -> None:
    words = ["erased", str(study), "--reports", str(tmp_path / "reports")]
    write_raw(tmp_path, "erasures.csv", HEAD + "eve,2018-02-01\nada,2018-09-01\n")
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "2 asked to be erased" in result.output
    assert "2018Q1 was published with their rows" in result.output


def test_a_study_without_requests_is_told_how_to_write_them(tmp_path: Path) -> None:
    made = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    with pytest.raises(DataError, match=r"no tables/erasures\.sql"):
        clear(tmp_path, made)
