"""Sums over customers: the same from counts as from a row per customer."""

import numpy as np
import pandas as pd
import pytest

from cxlab.churn.lengths import counted, gathered_cells, lengths
from cxlab.data.engine import Engine

from .test_retention import CUTOFF, CYCLE, subscriptions


@pytest.mark.parametrize("customers", [90, 300, 10_000])
def test_sums_over_customers_are_those_of_a_row_per_customer(
    engine: Engine, customers: int
) -> None:
    rng, since = np.random.default_rng(customers), pd.Timestamp("2017-01-01")
    table = subscriptions(rng, 300)
    # Several have up to a dozen, some of them in both groups, or nobody has more than one.
    names = rng.permutation(customers)[:300] if customers > 300 else rng.integers(0, customers, 300)
    table["customer_id"] = [f"c{i}" for i in names]
    held = lengths(engine.table(table), CYCLE, since.date())
    cells, shown = gathered_cells(held, "plan")
    weeks, people = counted(cells)

    rows = table[(table["started_at"] < CUTOFF) & ~(table["ended_at"] < since)]
    rows = rows.assign(y=(rows["ended_at"] < CUTOFF).astype(int),
                       late=((since - rows["started_at"]).dt.days >= 7).astype(int))  # fmt: skip
    each = rows.groupby(["plan", "customer_id"]).agg(
        n=("y", "size"), y=("y", "sum"), late=("late", "sum")
    )
    expected = pd.DataFrame(
        {"people": 1, "n": each["n"], "n_n": each["n"] ** 2, "total": each["y"],
         "n_total": each["n"] * each["y"], "total_total": each["y"] ** 2, "late": each["late"],
         "leavers": (each["y"] > 0).astype(int)}
    ).groupby("plan").sum()  # fmt: skip
    found = people.set_index("grp")
    assert set(shown) == set(found.index) == {"large", "small"}
    pd.testing.assert_frame_equal(found, expected, check_names=False, check_dtype=False)
    sums = weeks.groupby("grp")[["began", "ended", "open"]].sum()
    assert (sums["began"] == expected["n"]).all() and (sums["ended"] == expected["total"]).all()
