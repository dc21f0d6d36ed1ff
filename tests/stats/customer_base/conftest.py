"""CDNOW as the papers use it: the 1/10 sample, 39 weeks to fit and 39 weeks to hold out."""

import importlib
import sys
from pathlib import Path

import pandas as pd
import pytest

from cxlab.stats.customer_base import histories

CUTOFF, END = pd.Timestamp("1997-09-30"), pd.Timestamp("1998-06-30")


def by_customer(days):
    """Turn purchase days (customer, day, spend) into one row per customer, in weeks."""
    before = days[days["day"] <= CUTOFF]
    first = before.groupby("customer")["day"].min()
    found = pd.DataFrame(
        {
            "first": first,
            "x": before.groupby("customer").size() - 1,
            "t_x": (before.groupby("customer")["day"].max() - first).dt.days / 7,
            "watched": (CUTOFF - first).dt.days / 7,
        }
    )
    repeats = before[before["day"] > before["customer"].map(first)]
    later = days[days["day"] > CUTOFF].groupby("customer").size()
    found["spend"] = repeats.groupby("customer")["spend"].mean()
    found["later"] = later.reindex(found.index, fill_value=0)
    return found


def purchase_days(path, names, **how):
    rows = pd.read_csv(path, sep=r"\s+", names=names, **how)
    rows["day"] = pd.to_datetime(rows["day"], format="%Y%m%d")
    # Several purchases of one day are one visit.
    return rows.groupby(["customer", "day"], as_index=False)["spend"].sum()


@pytest.fixture(scope="session")
def cdnow_days(shared_data):
    names = ["id", "customer", "day", "discs", "spend"]
    return purchase_days(shared_data / "cdnow" / "CDNOW_sample.txt", names, header=None)


@pytest.fixture(scope="session")
def cdnow(cdnow_days):
    return by_customer(cdnow_days)


@pytest.fixture(scope="session")
def cdnow_base(cdnow):
    return histories(cdnow["x"], cdnow["t_x"], cdnow["watched"])


@pytest.fixture(scope="session")
def calibration():
    """Return benchmarks/calibrate_customer_base.py, which makes customers as the models say."""
    folder = str(Path(__file__).resolve().parents[3] / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module("calibrate_customer_base")
    sys.path.remove(folder)
