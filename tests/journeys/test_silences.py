"""Silences that count as an end and are none, in logs in sight."""

import pandas as pd
import pytest

from cxlab.data.engine import DuckEngine, Engine
from cxlab.data.journey_settings import JourneySettings
from cxlab.journeys.silences import early_ends

START, CUTOFF = pd.Timestamp("2017-01-01"), pd.Timestamp("2018-01-01")


def cases(days: list[float], n: int = 12, name: str = "a", **more: object) -> pd.DataFrame:
    """Cases of a contact each so many days after the beginning."""
    rows = [
        (f"{name}{i}", START + pd.Timedelta(days=d), f"{name}{i}") for i in range(n) for d in days
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "case"])
    return frame.assign(**{"activity": "asked", **more})


def told(engine: Engine, *logs: pd.DataFrame, **how: object) -> str:
    rules = JourneySettings(**{"key": "case", "outcome": ["bought"], "gap": "30 days", **how})
    return early_ends(engine.table(pd.concat(logs)), rules, cutoff=CUTOFF.to_pydatetime())


def test_the_advice_rests_on_long_silences_and_not_on_all_pauses(engine: Engine) -> None:
    often = [0.0, *[k / 8 for k in range(1, 20)], 50.0]  # pauses of three hours, then a long one
    said = told(engine, cases(often), cases(often[:-1], 3, "b"))
    # Of 15 silences after the short pauses 12 go on; after the last contact all 15 are silent.
    assert (
        "44.4% of the 27 longer silences were followed by another contact of the same case" in said
    )
    assert "After 48 days fewer than 5% go on: set it to as much, or to null." in said


def test_what_always_goes_on_is_best_never_taken_for_an_end(engine: Engine) -> None:
    bought = cases([80.0], activity="bought")
    said = told(engine, cases([0.0, 40.0]), bought)
    assert "100.0% of the 24 longer silences" in said
    assert said.endswith("Set it to null.")


def test_a_silence_must_be_longer_than_the_gap(engine: Engine) -> None:
    assert told(engine, cases([0.0, 30.0, 60.0, 360.0])) != ""
    bought = cases([60.0], activity="bought")
    assert told(engine, cases([0.0, 30.0]), bought) == ""


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({}, False),  # refused for good, it is over
        ({"lost": []}, True),
        ({"lost": [], "gap": None}, False),
        ({"lost": [], "key": None}, False),
    ],
)
def test_after_an_end_nothing_is_a_silence(how: dict[str, object], says: bool) -> None:
    refused = cases([0.0], activity="refused")
    said = told(DuckEngine(), refused, cases([40.0]), **{"lost": ["refused"], **how})
    assert bool(said) == says


def test_what_is_lost_and_won_in_the_end_is_on_its_way() -> None:
    logs = [cases([0.0], activity="refused"), cases([40.0], activity="bought")]
    assert "100.0% of the 12 longer" in told(DuckEngine(), *logs, lost=["refused"])


def test_bots_and_nobody_do_not_count() -> None:
    log = cases([0.0, 40.0])
    assert told(DuckEngine(), log) != ""
    assert told(DuckEngine(), log.assign(is_bot=True)) == ""
    assert told(DuckEngine(), log.assign(customer_id=pd.NA).astype({"customer_id": "string"})) == ""
    assert told(DuckEngine(), log.drop(columns="customer_id")) == ""
