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
    # Work is one row, when it begins; what it waited and took stands beside it.
    is_work = events["concept:name"].str.startswith("W_")
    assert touches == (~is_work | (events["lifecycle:transition"] == "START")).sum()
    assert found.left_out == {}


def test_work_waits_and_takes_as_long_as_the_published_file_says(
    events: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXLAB_STATE", str(tmp_path))
    lab = cx.open("params/loans", cycle="2012M02")
    found = cx.journeys.handling(lab.interactions, cycle=lab.cycle).estimates
    medians = found[found["measure"] == "median"].set_index(["metric", "touchpoint"])["estimate"]
    mine = events[events["concept:name"] == "W_Valideren aanvraag"].sort_values("at", kind="stable")
    february = datetime(2012, 1, 31, 23, tzinfo=UTC)
    waits, takes = [], []
    for _, rows in mine.groupby("case:concept:name"):
        steps = list(zip(rows["lifecycle:transition"], rows["at"], strict=True))
        for i, (kind, at) in enumerate(steps):
            if kind != "START" or at < february:
                continue
            before = [s for s in steps[:i] if s[0] != "COMPLETE"][-1:]
            after = [s for s in steps[i + 1 :] if s[0] != "SCHEDULE"][:1]
            waits += [(at - t).total_seconds() for k, t in before if k == "SCHEDULE"]
            takes += [(t - at).total_seconds() for k, t in after if k == "COMPLETE"]
    # Times are rounded down to ten minutes at most here, and to five seconds.
    assert medians["work.wait_hours", "assessment"] * 3600 == pytest.approx(
        pd.Series(waits).median(), abs=600
    )
    assert medians["work.minutes", "assessment"] * 60 == pytest.approx(
        pd.Series(takes).median(), abs=60
    )
