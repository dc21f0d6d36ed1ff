"""Drift between two cycles: counted by hand, silent where nothing moved, loud where it did."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.data.journey_settings import JourneySettings
from cxlab.errors import Withheld
from cxlab.journeys import drift, split_journeys
from tests.journeys.made import RULES, made

NOW = parse_cycle("2018Q2")
THEN = NOW.previous
FREE = JourneySettings(gap="10 days")


def log_of(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    """Build a log of (customer prefix, MM-DD of 2018, channel, how many customers)."""
    return pd.DataFrame(
        [
            {"customer_id": f"{who}{i}", "occurred_at": pd.Timestamp(f"2018-{day}"),
             "channel": channel, "activity": "seen"}
            for who, day, channel, many in rows for i in range(many)
        ]
    )  # fmt: skip


def drift_of(log: pd.DataFrame, engine: Engine | None = None, **how: object):
    rows = log if engine is None else engine.table(log)
    found = split_journeys(rows, FREE, cutoff=NOW.cutoff)
    return drift(found, cycle=NOW, since=THEN, **{"draws": 999, **how})  # type: ignore[arg-type]


MOVED = log_of(
    ("a", "02-01", "web", 60), ("b", "02-01", "fax", 40), ("a", "05-01", "web", 50),
    ("c", "05-01", "app", 50),
)  # fmt: skip


def test_the_distance_is_that_of_the_shares_and_what_is_new_or_gone_is_named(
    engine: Engine,
) -> None:
    found = drift_of(MOVED, engine)
    rows = found.estimates.set_index("metric")
    expected = jensenshannon([0.6, 0.4, 0], [0.5, 0, 0.5], base=2)
    assert rows.loc["drift.distance", "estimate"] == pytest.approx(expected, abs=1e-12)
    change = found.estimates[found.estimates["metric"] == "drift.share_change"]
    assert dict(zip(change["channel"], change["presence"], strict=True)) == {
        "app": "new", "fax": "gone", "web": "in both",
    }  # fmt: skip
    assert dict(zip(change["channel"], change["estimate"].round(9), strict=True)) == {
        "app": 0.5, "fax": -0.4, "web": -0.1,
    }  # fmt: skip
    assert found.is_due
    assert found.sentence().startswith(
        "The map is due for review: channels have moved since 2018Q1"
    )
    assert "new: app; no longer met: fax" in found.protect(10).sentence()


def test_many_contacts_of_few_people_are_no_drift() -> None:
    """Two people who call a hundred times a quarter move the shares, and say nothing."""
    log = log_of(("a", "02-01", "web", 60), ("b", "05-01", "web", 60))
    calls = log_of(*[("x", f"05-{d:02d}", "phone", 2) for d in range(1, 31)])
    found = drift_of(pd.concat([log, calls]))
    row = found.estimates.set_index("metric").loc["drift.p_value"]
    assert row["estimate"] > 0.05
    assert not found.is_due


def test_steps_and_paths_are_those_of_journeys_within_each_cycle(engine: Engine) -> None:
    log = log_of(
        ("a", "02-01", "web", 40), ("a", "02-02", "web", 40), ("a", "02-03", "shop", 40),
        ("b", "05-01", "shop", 30), ("b", "05-02", "web", 30), ("c", "05-01", "web", 20),
        # Begun before the cycle and going on in it: no path of either, and no step.
        ("d", "03-31", "web", 15), ("d", "04-01", "shop", 15),
    )  # fmt: skip
    paths = drift_of(log, engine, of="path").estimates
    shares = paths[paths["metric"] == "drift.share"].set_index("path")["estimate"]
    assert shares.to_dict() == {"shop > web": 0.6, "web": 0.4}
    steps = drift_of(log, engine, of="transition").estimates
    moved = steps[steps["metric"] == "drift.share_change"].set_index("transition")["estimate"]
    assert moved.to_dict() == {"shop > web": 1, "web > shop": -0.5, "web > web": -0.5}


def test_without_a_cycle_of_approval_or_people_it_is_withheld() -> None:
    found = split_journeys(MOVED, FREE, cutoff=NOW.cutoff)
    with pytest.raises(Withheld, match=r"set journey\.approved"):
        drift(found, cycle=NOW, since=None)
    with pytest.raises(Withheld, match="not before 2018Q2"):
        drift(found, cycle=NOW, since=NOW)
    with pytest.raises(Withheld, match="at least 30 people"):
        drift_of(MOVED[MOVED["occurred_at"] > datetime(2018, 4, 1)])
    with pytest.raises(Withheld, match="names its stage"):
        drift_of(MOVED, of="stage")


def test_a_small_but_sure_move_is_told_and_asks_for_no_review() -> None:
    log = log_of(
        ("a", "02-01", "web", 1_500), ("b", "02-01", "app", 1_500), ("c", "05-01", "web", 1_350),
        ("d", "05-01", "app", 1_650),
    )  # fmt: skip
    found = drift_of(log)
    assert not found.is_due
    assert found.sentence().startswith(
        "Channels have moved a little since 2018Q1, less than the 0.10"
    )


def test_one_seed_gives_one_answer_whatever_the_order_of_rows() -> None:
    one, other = drift_of(MOVED), drift_of(MOVED.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(one.estimates, other.estimates)


@pytest.mark.parametrize("of", ["channel", "path"])
def test_the_company_that_drifts_is_noticed_and_the_one_that_does_not_is_not(of: str) -> None:
    now, then = parse_cycle("2026Q2"), parse_cycle("2024Q1")
    due = {}
    for variant in ("base", "drift"):
        log, _ = made(variant)
        found = split_journeys(log.drop(columns="true_journey"), RULES, cutoff=now.cutoff)
        due[variant] = drift(found, cycle=now, since=then, of=of, draws=999)  # type: ignore[arg-type]
    assert due["drift"].is_due
    assert not due["base"].is_due
    if of == "channel":
        # What was promised to grow does: the app at the cost of the web.
        moved = due["drift"].estimates.set_index(["metric", "channel"])["conf_low"]
        assert moved["drift.share_change", "app"] > 0


def test_shares_now_add_up_and_changes_to_nothing() -> None:
    log, _ = made()
    found = split_journeys(log, RULES, cutoff=parse_cycle("2026Q2").cutoff)
    rows = drift(
        found, cycle=parse_cycle("2026Q2"), since=parse_cycle("2026Q1"), of="activity", draws=99
    ).estimates
    assert rows.loc[rows["metric"] == "drift.share", "estimate"].sum() == pytest.approx(1)
    changes = rows.loc[rows["metric"] == "drift.share_change", "estimate"]
    assert changes.sum() == pytest.approx(0, abs=1e-12)
    assert np.isfinite(changes).all()
