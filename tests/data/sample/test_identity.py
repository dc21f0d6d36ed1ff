"""Accounts of the sample company become the persons that they truly are, then and now."""

import duckdb
import pandas as pd
import pytest

from cxlab import trust
from cxlab.data.identity import IdentitySettings, resolve
from cxlab.data.sample.write import Options
from tests.studies import opened, snapshot, used

OPTIONS = Options(customers=1000, seed=9)
EARLIER, NOW = "2025Q1", "2026Q3"


@pytest.fixture(scope="module")
def taken(study):
    return {cycle: snapshot(study, cycle) for cycle in (EARLIER, NOW)}


@pytest.fixture(scope="module")
def edges(study):
    """What the customer data platform noted: which ids it met together, and when."""
    file = study / "raw" / "cdp" / "identity_edges.csv"
    edges = pd.read_csv(file, dtype=str)
    at = pd.to_datetime(edges["seen_ms"].astype("int64"), unit="ms")
    return pd.DataFrame(
        {
            "left_id": edges["a_type"] + ":" + edges["a_id"],
            "right_id": edges["b_type"] + ":" + edges["b_id"],
            "left_type": edges["a_type"],
            "right_type": edges["b_type"],
            "linked_at": at,
            "reason": edges["evidence"],
        }
    )


@pytest.fixture(scope="module")
def erased(study):
    """Every account of whom asked to be forgotten: no longer a row of anything."""
    asked = pd.read_csv(study / "raw" / "crm" / "DeletionRequests.csv", dtype=str)
    true = accounts(study)
    persons = true.loc[true["account"].isin("crm:" + asked["AccountNo"]), "person"]
    return set(true.loc[true["person"].isin(persons), "account"])


def accounts(study):
    true = pd.read_parquet(study / "truth" / "true_accounts.parquet")
    return pd.DataFrame(
        {"account": true["type"].astype(str) + ":" + true["value"], "person": true["person"]}
    )


def known_by(edges, moment):
    then = edges[edges["linked_at"] < moment]
    return set(then["left_id"]) | set(then["right_id"])


@pytest.mark.parametrize("cycle", [EARLIER, NOW])
def test_joined_accounts_are_one_person_and_those_of_a_person_are_joined(
    study, taken, edges, erased, cycle
):
    _, chosen = opened(study, cycle)
    there = known_by(edges, chosen.cutoff) - erased
    true = accounts(study)
    true = true[true["account"].isin(there)]
    result = trust.identity_truth(used(taken[cycle], "identities"), true)
    share = result.estimates.set_index("metric")
    print(f"{cycle}: {len(true):,} accounts known by then. {result.sentence()}")
    assert share["n"].min() > 500  # pairs
    assert share.loc["trust.identity_precision", "estimate"] >= 0.99
    assert share.loc["trust.identity_recall", "estimate"] >= 0.95


def test_an_earlier_cycle_made_again_knows_the_links_of_its_day_and_no_later_one(
    study, taken, edges, erased
):
    _, chosen = opened(study, EARLIER)
    then = edges[edges["linked_at"] < chosen.cutoff].reset_index(drop=True)
    with duckdb.connect() as connection:
        connection.register("k", then.assign(row=range(len(then))))
        resolve(connection.execute, "k", IdentitySettings())
        members = connection.execute("select id, person from cx_member").fetchall()
    expected = {id_: person for id_, person in members if id_ not in erased}
    found = used(taken[EARLIER], "identities")
    found = dict(zip(found["id_type"] + ":" + found["id_value"], found["customer_id"], strict=True))
    assert len(expected) > 1000
    assert found == expected
    later = used(taken[NOW], "identities")
    assert len(later) - len(found) > 1000  # what was not known yet


def test_the_tablet_of_the_shops_joins_nobody(taken):
    links = used(taken[NOW], "links")
    tablet = links[links["left_value"] == "9000000000000"]
    assert len(tablet) >= 10
    assert tablet["guard"].str.startswith("shared device: linked to").all()
