"""Every planted row of the sample company, also of the hostile one, meets the fate it was given."""

import re

import numpy as np
import pytest

from cxlab.data.people import ERASED
from cxlab.data.sample.dirt import ASIDE, DIRT, EXCLUDED, KEPT
from cxlab.data.sample.hostile import INJECTIONS, hostile_dirt
from cxlab.data.sample.simulate import simulate_part
from cxlab.data.sample.write import Options
from tests.studies import used

OPTIONS = Options(customers=2000, seed=8, variant="hostile")  # two to five rows of each kind


def test_every_kind_of_dirt_is_planted_and_most_more_than_once(planted):
    kinds = {kind.name for kind in (*DIRT, *hostile_dirt())} | {"several accounts of one person"}
    assert set(planted.index) == kinds
    assert planted["rows"].min() >= 1
    assert planted["rows"].median() >= 2


@pytest.mark.parametrize(("fate", "reasons"), [(ASIDE, 14), (EXCLUDED, 2)])
def test_each_reason_has_exactly_the_rows_that_were_planted(taken, planted, fate, reasons):
    rows = planted[planted["fate"] == fate].groupby(["table", "reason"])["rows"].sum().to_dict()
    assert len(rows) == reasons
    found = taken.reasons[(taken.reasons["fate"] == fate) & (taken.reasons["reason"] != ERASED)]
    assert found.groupby(["table", "reason"])["rows"].sum().to_dict() == rows


def test_what_is_odd_but_true_is_kept_row_by_row(taken, planted):
    comments, orders = used(taken, "comments"), used(taken, "orders")
    regions = used(taken, "customers")["region"].value_counts()
    found = {}
    for kind in (k for k in (*DIRT, *hostile_dirt()) if k.fate == KEPT):
        if kind.export == "reviews_posts":
            begins = re.match(r"'(\w+)' \|\|", kind.replace)[1] + "PO"
            found[kind.name] = comments["comment_id"].str.startswith(begins).sum()
        elif kind.export == "tills_receipts":
            ends = re.search(r"'(-x\d)'", kind.replace)[1]
            ids = orders.loc[orders["channel"] == "store", "order_id"]
            found[kind.name] = ids.str.endswith(ends).sum()
        else:
            words = INJECTIONS[kind.name.removeprefix("injected ").removesuffix(" as region")]
            found[kind.name] = regions.get(words, 0)
    assert found == planted.loc[planted["fate"] == KEPT, "rows"].to_dict()


def test_all_that_erased_persons_did_leaves_and_nothing_else(taken):
    tables = simulate_part(OPTIONS.world, 0, OPTIONS.customers)
    gone, end = set(tables["erasures"]["person"]), OPTIONS.world.end
    orders = tables["orders"][tables["orders"]["placed_at"] < end]
    lines = tables["order_lines"][tables["order_lines"]["order"].isin(orders["order"])]
    accounts = tables["accounts"][tables["accounts"]["person"].isin(gone)]
    opened = {"crm": "seen_at", "crm_2": "crm_2_at", "login": "login_at", "buyer": "seen_at"}
    known = [(accounts[a] >= 0) & (accounts[at] < end) for a, at in opened.items()]
    left = taken.reasons[taken.reasons["reason"] == ERASED].groupby("table")["rows"].sum()
    assert len(gone) >= 3
    assert left[["customers", "orders", "order_lines", "consents"]].to_dict() == {
        "customers": int(np.sum(known)),
        "orders": orders["person"].isin(gone).sum(),
        "order_lines": lines["order"].isin(orders.loc[orders["person"].isin(gone), "order"]).sum(),
        "consents": count(tables["consents"], gone, "valid_from", end),
    }


def count(frame, gone, moment, end):
    return int((frame["person"].isin(gone) & (frame[moment] < end)).sum())
