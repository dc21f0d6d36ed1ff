"""The loan applications, counted again from the published file by other means."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import cxlab as cx
from cxlab.data.engine import query

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def events(shared_data: Path) -> pd.DataFrame:
    file = shared_data / "bpi2012_loan_applications" / "bpi2012_events.parquet"
    read = pd.read_parquet(file)
    at = pd.to_datetime(read["time:timestamp"], utc=True, format="ISO8601")
    # The end of February in the bank's own time zone.
    return read.assign(at=at)[at < datetime(2012, 2, 29, 23, tzinfo=UTC)]


def test_applications_end_as_the_published_file_says(
    events: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXLAB_STATE", str(tmp_path))
    lab = cx.open("params/loans", cycle="2012M02")
    found = cx.journeys.journeys_of(lab)
    counts = query("select state, count(*) as n from j group by state order by state",
                   j=found.journeys).set_index("state")["n"]  # fmt: skip
    by_case = events.groupby("case:concept:name")["concept:name"].agg(set)
    activated = by_case.map(lambda names: "A_ACTIVATED" in names)
    refused = by_case.map(lambda names: bool({"A_DECLINED", "A_CANCELLED"} & names))
    assert counts["converted"] == activated.sum()
    assert counts["lost"] == (refused & ~activated).sum()
    assert counts["open"] == (~refused & ~activated).sum()
    assert counts.sum() == len(by_case)
    touches = query("select count(*) as n from t", t=found.touches)["n"][0]
    assert touches == len(events)
    assert found.left_out == {}
