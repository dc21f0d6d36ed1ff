"""What the log holds, counted by hand and again in pandas."""

from datetime import datetime

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.engine import Engine
from cxlab.errors import Withheld
from cxlab.journeys import contacts
from tests.journeys.made import made

CYCLE = parse_cycle("2018Q1")


def log_of(*rows: tuple[str | None, str | None, str | None]) -> pd.DataFrame:
    """Build a log of (customer, visitor, channel) in one moment of the cycle."""
    return pd.DataFrame(rows, columns=["customer_id", "anonymous_id", "channel"]).assign(
        occurred_at=datetime(2018, 2, 1), activity="seen"
    )


def test_offline_channels_are_named_and_unknown_ones_counted(engine: Engine) -> None:
    rows = [(f"c{i}", None, "tv") for i in range(12)]
    rows += [(f"c{i}", None, "web") for i in range(20)]
    rows += [(None, f"v{i}", None) for i in range(8)]
    found = contacts(engine.table(log_of(*rows)), cycle=CYCLE, by="channel")
    share = found.estimates[found.estimates["metric"] == "contacts.share"]
    assert list(share[["channel", "medium", "estimate", "count"]].itertuples(index=False)) == [
        ("web", "online", 0.5, 20), ("tv", "offline", 0.3, 12), ("not known", "not known", 0.2, 8),
    ]  # fmt: skip
    assert share["estimate"].sum() == pytest.approx(1)
    all_ = found.estimates[found.estimates["channel"].isna()].set_index("metric")["estimate"]
    assert all_.to_dict() == {
        "contacts.count": 40,
        "contacts.known_share": 0.8,
        "contacts.offline_share": 0.3,
        "contacts.untold_share": 0.2,
    }
    assert found.sentence() == (
        "The log of 2018Q1 holds 40 contacts; 30.0% come from offline channels, 20.0% do not "
        "tell whether they do, 20.0% name no channel and 80.0% are of known customers."
    )


def test_a_channel_of_an_unknown_name_is_neither_and_the_study_can_tell() -> None:
    names = ["Call centre"] * 10 + ["till no 7"] * 10 + ["web"] * 20
    log = log_of(*[(f"c{i}", None, name) for i, name in enumerate(names)])
    found = contacts(log, cycle=CYCLE, by="channel")
    shares = found.estimates[found.estimates["channel"].isna()].set_index("metric")["estimate"]
    assert (shares["contacts.offline_share"], shares["contacts.untold_share"]) == (0.25, 0.25)
    assert "till no 7 does not tell: declare it in `journey.media`" in found.note
    told = contacts(log, cycle=CYCLE, by="channel", media={"till no 7": "offline"})
    shares = told.estimates[told.estimates["channel"].isna()].set_index("metric")["estimate"]
    assert (shares["contacts.offline_share"], shares["contacts.untold_share"]) == (0.5, 0)
    assert "do not tell" not in told.sentence()


def test_robots_and_contacts_of_nobody_are_left_out_and_counted() -> None:
    log = log_of(*[(f"c{i}", None, "web") for i in range(12)], (None, None, "web"))
    log = pd.concat([log, log.head(3).assign(is_bot=True)])
    found = contacts(log, cycle=CYCLE, by="channel")
    assert found.estimates["estimate"].iloc[0] == 12
    assert "Left out: 3 by bots and 1 of nobody known." in found.note


def test_contacts_of_one_person_are_not_taken_for_many() -> None:
    alone = log_of(*[(f"c{i}", None, "web" if i % 2 else "tv") for i in range(40)])
    often = pd.concat([alone] * 10)
    few, many = (
        contacts(rows, cycle=CYCLE, by="channel").estimates.set_index(["metric", "channel"])
        for rows in (alone, often)
    )
    key = ("contacts.share", "tv")
    # Ten contacts of a person that are all alike say no more than one.
    assert many.loc[key, "n"] == 400
    wide = few.loc[key, "conf_high"] - few.loc[key, "conf_low"]
    assert many.loc[key, "conf_high"] - many.loc[key, "conf_low"] >= wide - 1e-9


def test_a_log_without_channels_is_read_by_activity_and_says_so() -> None:
    log = log_of(*[(f"c{i}", None, None) for i in range(12)]).drop(columns="channel")
    found = contacts(log, cycle=CYCLE, by="activity")
    assert "No contact names its channel" in found.note
    assert "contacts.offline_share" not in set(found.estimates["metric"])
    with pytest.raises(Withheld, match="at least 10 people"):
        contacts(log.head(5), cycle=CYCLE)


@pytest.mark.parametrize("by", ["channel", "touchpoint", "stage", "activity"])
def test_the_made_up_company_is_counted_as_pandas_counts_it(by: str) -> None:
    log, _ = made()
    cycle = parse_cycle("2026Q2")
    found = contacts(log.drop(columns="true_journey"), cycle=cycle, by=by)
    person = log["customer_id"].fillna("visitor " + log["anonymous_id"])
    rows = log.assign(person=person)[
        log["occurred_at"].between(cycle.start, cycle.cutoff, inclusive="left")
        & ~log["is_bot"] & person.notna()
    ]  # fmt: skip
    ours = found.estimates.set_index(["metric", by])["estimate"]
    shares = rows[by].value_counts(normalize=True)
    # Activities beyond the twenty most frequent are one.
    for name, share in shares.head(18).items():
        assert ours["contacts.share", name] == pytest.approx(share)
        reached = rows.loc[rows[by] == name, "person"].nunique() / rows["person"].nunique()
        assert ours["contacts.reach", name] == pytest.approx(reached)
    assert ours["contacts.share"].sum() == pytest.approx(1)
