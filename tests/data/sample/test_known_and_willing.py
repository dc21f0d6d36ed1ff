"""How the made-up customers are known, what they allow, and what offices are quoted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxlab.data.sample.company import PURPOSES, company
from cxlab.data.sample.consents import consent_by_region
from cxlab.data.sample.simulate import simulate
from cxlab.data.sample.world import World

WORLD = World(company(), 3)
TRUTH = WORLD.company


@pytest.fixture(scope="module")
def tables():
    names = ("people", "true_people", "accounts", "links", "true_accounts", "erasures", "consents",
             "quotes", "opportunities", "orders")  # fmt: skip
    parts = list(simulate(WORLD, 10_000))
    return {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in names}


def close(found, expected, n, width=4):
    """Hold a share to its expectation, within so many standard errors."""
    return abs(found - expected) < width * np.sqrt(expected * (1 - expected) / n)


def test_most_are_in_the_crm_and_some_twice(tables):
    accounts = tables["accounts"]
    known = accounts["crm"] >= 0
    assert close(known.mean(), TRUTH.known_to_crm, len(accounts))
    assert close((accounts["crm_2"] >= 0)[known].mean(), TRUTH.known_twice, known.sum())


def test_everybody_has_an_account_and_no_account_two_owners(tables):
    truth = tables["true_accounts"]
    assert set(truth["person"]) == set(tables["people"]["person"])
    assert not truth.duplicated(["type", "value"]).any()


def test_whoever_bought_at_the_marketplace_is_known_there(tables):
    orders = tables["orders"]
    buyers = orders.loc[orders["channel"] == "marketplace", "person"].unique()
    accounts = tables["accounts"].set_index("person")
    assert (accounts.loc[buyers, "buyer"] >= 0).all()


def test_links_tie_each_persons_ids_together_and_never_two_persons(tables):
    links = tables["links"]
    ids = pd.concat(
        [links[["person", f"{side}_type", f"{side}_value"]].set_axis(["person", "type", "value"],
                                                                     axis=1)
         for side in ("left", "right")]
    )  # fmt: skip
    assert (ids.groupby(["type", "value"])["person"].nunique() == 1).all()
    assert set(ids["person"]) == set(tables["people"]["person"])


def test_nobody_asks_to_be_forgotten_before_having_an_account(tables):
    erasures = tables["erasures"].merge(tables["accounts"], on="person", validate="one_to_one")
    assert len(erasures) >= 2
    assert (erasures["crm"] >= 0).all()
    assert (erasures["requested_at"] > erasures["seen_at"]).all()
    assert erasures["requested_at"].between(WORLD.start, WORLD.end).all()


def test_where_the_crm_knows_nobody_nobody_asks_to_be_forgotten(tmp_path):
    unknown = World(replace(TRUTH, known_to_crm=0.0), 3)
    tables = next(simulate(unknown, 30))
    assert (tables["accounts"]["crm"] == -1).all()
    assert tables["erasures"].empty
    assert set(tables["links"]["person"]) == set(range(30))


def test_each_purpose_is_allowed_as_the_company_says(tables):
    people, consents = tables["people"], tables["consents"]
    first = consents[consents["status"] != "withdrawn"]
    asked = first["person"].nunique() / len(people)
    assert close(asked, 1 - TRUTH.consent["never_asked"], len(people))
    log_rate = np.log(tables["true_people"]["true_rate"])
    spread = log_rate - log_rate.groupby(people["segment"].cat.codes).transform("mean")
    part = people["person"] // 5_000  # a standard deviation is that of each part
    scale = spread.groupby(part).transform("std", ddof=0)
    willing = (
        consent_by_region(WORLD)[people["region"].cat.codes]
        + people["segment"].astype(str).map(TRUTH.consent).to_numpy()
        + TRUTH.consent["rate"] * spread / scale
    )
    for purpose in PURPOSES:
        answers = first[first["purpose"] == purpose].set_index("person")["status"]
        odds = TRUTH.consent[purpose] + willing[answers.index]
        chance = 1 / (1 + np.exp(-odds))
        error = np.sqrt((chance * (1 - chance)).sum())
        assert abs((answers == "granted").sum() - chance.sum()) < 4 * error
        # Nor does the willingness of the upper half differ from what it says.
        upper = odds > odds.median()
        granted = (answers == "granted")[upper]
        assert close(granted.mean(), chance[upper].mean(), upper.sum())


def test_only_a_grant_is_withdrawn_and_later(tables):
    consents = tables["consents"].sort_values("valid_from")
    for _, rows in consents[consents.duplicated(["person", "purpose"], keep=False)].groupby(
        ["person", "purpose"], observed=True
    ):
        assert rows["status"].tolist() == ["granted", "withdrawn"]
        assert rows["valid_from"].is_monotonic_increasing


def test_won_quotes_are_the_orders_that_name_them(tables):
    quotes, orders = tables["quotes"], tables["orders"]
    won = quotes[quotes["accepted_at"].notna()]
    named = orders[orders["quote"] >= 0].set_index("quote")
    assert set(won["quote"]) == set(named.index)
    assert (won.set_index("quote")["net_amount"] == named["net_amount"]).all()
    assert close(won["true_kept"].mean(), TRUTH.price_kept, len(won))
    assert (won["invoiced_amount"] > won["net_amount"])[~won["true_kept"]].all()


def test_a_quote_runs_forward_and_is_numbered_once(tables):
    quotes, opportunities = tables["quotes"], tables["opportunities"]
    assert quotes["quote"].is_unique
    assert (quotes["requested_at"] <= quotes["issued_at"]).all()
    assert not (quotes["accepted_at"] <= quotes["issued_at"]).any()
    assert set(quotes["opportunity"]) == set(opportunities["opportunity"])
    lost = opportunities["outcome"] == "lost"
    assert opportunities.loc[lost, "lost_reason"].notna().all()
    assert opportunities.loc[~lost, "lost_reason"].isna().all()
