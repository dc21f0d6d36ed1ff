"""A public file of contracts through the chapter's analyses: counts reconcile with the raw file."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

import cxlab as cx
from cxlab.data.lab import open_lab
from cxlab.errors import Withheld

STUDY = Path(__file__).parents[2] / "params" / "telco"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(shared_data, tmp_path_factory):
    """Open a copy, so that nothing is kept in the project's folder."""
    copy = tmp_path_factory.mktemp("params") / "telco"
    shutil.copytree(STUDY, copy, ignore=shutil.ignore_patterns(".cxlab"))
    yaml = copy / "study.yaml"
    raw = shared_data / "telco_churn"
    yaml.write_text(yaml.read_text().replace("../../../shared/data/telco_churn", str(raw)))
    return open_lab(copy)


@pytest.fixture(scope="module")
def raw(shared_data) -> pd.DataFrame:
    return pd.read_csv(next((shared_data / "telco_churn").glob("*.csv")), dtype=str)


def test_churn_by_contract_is_that_of_the_raw_file(lab, raw):
    found = cx.churn.churn_rate(lab.subscriptions, cycle=lab.cycle, by="contract")
    rows = found.estimates[found.estimates["metric"] == "churn.rate"].dropna(subset="contract")
    ran = raw[raw["tenure"] != "0"]  # began within the month
    expected = (ran["Churn"] == "Yes").groupby(ran["Contract"]).agg(["mean", "size", "sum"])
    mine = rows.set_index("contract")[["estimate", "n", "count"]].loc[expected.index]
    assert mine.to_numpy(float) == pytest.approx(expected.to_numpy(float))


def test_contracts_differ_and_no_person_is_looked_at(lab):
    since = {"complete_from": lab.settings.covers.first_day}
    found = cx.churn.retention_difference(
        lab.subscriptions, cycle=lab.cycle, by="contract", **since
    )
    tests = found.estimates[found.estimates["metric"] == "churn.p_holm"]
    assert (tests["estimate"] < 0.001).all()
    assert not {"gender", "seniorcitizen", "partner", "dependents"} & {
        column.lower() for table in lab.tables for column in getattr(lab, table).columns
    }


def test_what_goes_with_leaving_is_told_and_what_the_file_lacks_is_a_reason(lab):
    how = {
        "cycle": lab.cycle, "complete_from": lab.settings.covers.first_day,
        "drivers": lab.settings.chapters["50_churn"]["drivers"],
    }  # fmt: skip
    found = cx.churn.churn_drivers(lab.subscriptions, cx.churn.signals(lab), **how)
    rows = found.table().set_index("covariate")
    assert (rows.loc["contract: Two year", "conf_high"] < 1).all()
    assert (rows["n"] == 7032).all()  # ran when the month began
    with pytest.raises(Withheld, match="Nobody records of whose will"):
        cx.churn.leaving_causes(lab.subscriptions, cycle=lab.cycle)
    with pytest.raises(Withheld, match="A forecast needs 20 subscriptions that ended"):
        cx.churn.churn_validation(lab.subscriptions, **how)
