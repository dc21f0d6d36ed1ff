"""The real studies: their rows and money reconcile with the raw files, read another way."""

import math
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.data.settings import read_settings
from cxlab.data.taking import take_snapshot
from tests.studies import rows, used

PARAMS = Path(__file__).resolve().parents[2] / "params"
pytestmark = pytest.mark.slow


def taken(name: str, cycle: str, base: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXLAB_STATE", str(base))
    settings = read_settings(PARAMS / name)
    # Also a cycle that the settings leave out of the reports, since its data are thin.
    chosen = parse_cycle(cycle, time_zone=settings.time_zone)
    return take_snapshot(PARAMS / name, settings, chosen)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def olist(shared_data, state, monkeypatch):
    return taken("olist", "2018Q4", state, monkeypatch)  # after the last row: all is known


def raw(shared_data: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(
        shared_data / "olist" / f"olist_{name}_dataset.csv.gz", dtype=str, keep_default_na=False
    )


def test_every_raw_row_of_olist_is_accounted_for(olist, shared_data):
    orders, items = raw(shared_data, "orders"), raw(shared_data, "order_items")
    reviews, customers = raw(shared_data, "order_reviews"), raw(shared_data, "customers")
    said = reviews[["review_comment_title", "review_comment_message"]]
    commented = said.apply(lambda column: column.str.strip(" ") != "").any(axis=1)
    expected = {
        "orders": len(orders),
        "order_lines": len(items),
        "answers": len(reviews),
        "customers": customers["customer_unique_id"].nunique(),
        "comments": int(commented.sum()),
        "shipments": len(orders),
        "promises": len(orders),
        "opportunities": len(raw(shared_data, "marketing_qualified_leads")),
    }
    for table, count in expected.items():
        counted = rows(olist, table)
        assert counted["in"] == count, table
        assert counted["in"] == counted["used"] + counted["set_aside"] + counted["excluded"]


def test_undelivered_orders_are_kept_at_the_rate_of_the_delivered_ones(olist, shared_data):
    raw_orders = raw(shared_data, "orders").set_index("order_id")["order_status"]
    undelivered = raw_orders[raw_orders != "delivered"]
    kept = set(used(olist, "orders")["order_id"])
    assert set(raw_orders[raw_orders == "delivered"].index) <= kept
    rate = 5172 / 96478
    share = len(kept & set(undelivered.index)) / len(undelivered)
    # four standard errors of a share among 2,963
    assert abs(share - rate) < 4 * math.sqrt(rate * (1 - rate) / len(undelivered))


def test_the_money_of_a_cycle_reconciles_to_the_cent(shared_data, state, monkeypatch):
    cycle = taken("olist", "2018Q1", state, monkeypatch)
    orders = raw(shared_data, "orders")
    zone = ZoneInfo("America/Sao_Paulo")
    orders["at"] = pd.to_datetime(orders["order_purchase_timestamp"]).dt.tz_localize(
        zone, ambiguous=True, nonexistent="shift_forward"
    )
    start, end = pd.Timestamp("2018-01-01", tz=zone), pd.Timestamp("2018-04-01", tz=zone)
    rate = 2**32 * 5172 / 96478
    sampled = orders["order_id"].str[:8].map(lambda x: int(x, 16)) < rate
    stays = (orders["order_status"] == "delivered") | sampled
    sold = ~orders["order_status"].isin(["canceled", "unavailable"])
    within = orders[(orders["at"] >= start) & (orders["at"] < end) & stays & sold]
    items = raw(shared_data, "order_items")
    prices = items.loc[items["order_id"].isin(within["order_id"]), "price"]
    expected = sum(map(Decimal, prices), Decimal(0))
    found = used(cycle, "orders")
    found = found[found["placed_at"] >= cycle.start]
    assert sum(found["net_amount"], Decimal(0)) == expected
    assert expected > 0


def test_cdnow_has_the_published_customers_orders_and_dollars(shared_data, state, monkeypatch):
    found = taken("cdnow", "1998Q2", state, monkeypatch)
    orders = used(found, "orders")
    assert rows(found, "orders") == {"in": 69_659, "used": 69_659, "set_aside": 0, "excluded": 0}
    assert rows(found, "customers")["used"] == orders["customer_id"].nunique() == 23_570
    assert sum(orders["net_amount"], Decimal(0)) == Decimal("2500315.63")
