"""A log with more places than anybody could look at keeps the most frequent and says so."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from cxlab.data.engine import DuckEngine, Engine, query
from cxlab.data.journey_settings import JourneySettings
from cxlab.errors import Withheld
from cxlab.journeys import few_places as module
from cxlab.journeys.cases import split_journeys
from cxlab.journeys.few_places import few_places

CUTOFF = datetime(2011, 4, 1)


def log(activities: int, channels: int) -> pd.DataFrame:
    """Make a contact of each activity by each channel, and a hundred by the first one."""
    rows = [(f"a{i}", f"c{j:03d}") for i in range(activities) for j in range(channels)]
    rows += [("a0", "c000")] * 100
    frame = pd.DataFrame(rows, columns=["activity", "channel"])
    first = datetime(2011, 1, 5)
    return frame.assign(
        customer_id=[f"p{k % 50}" for k in range(len(frame))],
        occurred_at=[first + timedelta(minutes=k) for k in range(len(frame))],
    )


def test_rare_channels_are_taken_together_and_no_contact_is_lost(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PLACES", 200)
    given = engine.table(log(activities=5, channels=60))
    made = split_journeys(given, JourneySettings(outcome=["a1"]), cutoff=CUTOFF)
    channels = made.places["channel"].value_counts()
    assert set(channels.index) == {f"c{j:03d}" for j in range(30)} | {"other channels"}
    assert channels.max() == 5  # one place each activity
    assert query("select count(*) as n from t", t=made.touches)["n"][0] == 5 * 60 + 100


def test_a_log_with_few_places_is_left_as_it_is() -> None:
    made = split_journeys(log(4, 50), JourneySettings(outcome=["a1"]), cutoff=CUTOFF)
    assert "other channels" not in set(made.places["channel"])


def test_too_many_activities_are_a_reason_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PLACES", 20)
    rows = DuckEngine().table(log(30, 2).assign(stage="s", touchpoint="t"))
    with pytest.raises(Withheld, match=r"has 30 activities\. Give those that are alike one name"):
        few_places(rows)
