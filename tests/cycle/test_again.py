"""A cycle made anew gives the numbers that were published, or says which differ."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cxlab.columns import FINDING
from cxlab.cycle.again import differences, findings_again
from cxlab.cycle.findings import read_findings
from cxlab.cycle.plan import make_plan
from cxlab.cycle.progress import reporter
from cxlab.cycle.run import Options, run_cycle
from cxlab.data.settings import read_settings
from tests.studies import CUSTOMERS_CSV, HEAD, shop


def finding(metric: str, estimate: float, dims: str = "{}") -> dict[str, object]:
    row = dict.fromkeys(FINDING, None)
    about = {"chapter": "10_customers", "metric": metric, "dims": dims}
    numbers = {"estimate": estimate, "conf_low": 0.0, "conf_high": 1.0, "n": 10.0, "level": 0.95}
    return row | about | numbers | {"unit": "share", "method": "Wilson", "suppressed": False}


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(FINDING))


def test_equal_findings_in_another_order_are_equal():
    one, two = finding("a", 0.5), finding("b", 0.25, '{"region": "North"}')
    assert differences(frame(one, two), frame(two, one)) == []


def test_a_number_that_differs_is_named_with_both_values():
    said = differences(frame(finding("a", 0.5)), frame(finding("a", 0.75)))
    assert said == ["10_customers a: estimate: 0.5 was published, 0.75 came out"]


def test_a_declared_tolerance_lets_small_differences_pass_and_no_larger_ones():
    before, after = frame(finding("a", 0.5)), frame(finding("a", 0.5001))
    assert differences(before, after, tolerance=1e-3) == []
    assert len(differences(before, after, tolerance=1e-5)) == 1


def test_a_number_that_is_withheld_in_one_run_only_differs():
    assert len(differences(frame(finding("a", 0.5)), frame(finding("a", float("nan"))))) == 1
    nothing = frame(finding("a", float("nan")))
    assert differences(nothing, nothing) == []


def test_a_finding_in_one_run_only_is_named():
    said = differences(frame(finding("a", 1)), frame(finding("b", 1)))
    assert said == [
        "10_customers a: only in the published report",
        "10_customers b: only in the new run",
    ]


def test_many_differences_are_counted_rather_than_listed():
    before = frame(*(finding(f"m{i:02d}", 0.5) for i in range(30)))
    after = frame(*(finding(f"m{i:02d}", 0.6) for i in range(30)))
    assert differences(before, after)[-1] == "... and 10 more numbers differ."


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    place = tmp_path_factory.mktemp("published")
    orders = HEAD + "".join(f"{i},ada,2018-01-{1 + i % 28:02d} 10:00,5.50\n" for i in range(40))
    folder = shop(place, customers=CUSTOMERS_CSV, orders=orders)
    settings = read_settings(folder)
    cycle = settings.parse_cycle("2018Q1")
    with Path(os.devnull).open("w") as nowhere:
        plan = make_plan(folder, settings, cycle)
        report = run_cycle(plan, Options(reports=place / "reports"), reporter(nowhere))
        yield folder, settings, cycle, report, reporter(nowhere)


def test_a_published_cycle_made_anew_gives_the_same_numbers_and_leaves_nothing(published):
    folder, settings, cycle, report, quiet = published
    kept = sorted(path.name for path in (folder / ".cxlab").rglob("*"))
    found = findings_again(folder, settings, cycle, quiet, jobs=1)
    before = read_findings(report.target)
    assert len(before) > 5
    assert differences(before, found) == []
    assert sorted(path.name for path in (folder / ".cxlab").rglob("*")) == kept
    assert "CXLAB_STATE" not in os.environ


def test_sources_that_changed_since_are_seen_in_the_numbers(published, tmp_path):
    folder, settings, cycle, report, quiet = published
    shutil.copytree(folder.parent / "raw", tmp_path / "raw")
    changed = shutil.copytree(folder, tmp_path / "study")
    with (tmp_path / "raw" / "orders.csv").open("a") as orders:
        orders.write("99,bob,2018-02-03 10:00,7\n")
    found = findings_again(changed, settings, cycle, quiet)
    said = differences(read_findings(report.target), found)
    assert (
        '90_trust trust.rows_used {"table": "orders"}: estimate: 40.0 was published, 41.0 came out'
        in said
    )
