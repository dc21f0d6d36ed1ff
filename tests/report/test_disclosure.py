"""No withheld number can be worked out from the published ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cxlab.report.disclosure import protect, suppressed_cells
from cxlab.report.finding import estimate_row

MIN_CELL = 10


def cells(counts: dict, *dims: str, metric: str = "orders.count") -> pd.DataFrame:
    """Rows of one metric; a key has one word per dimension, None for everybody."""
    rows = [
        estimate_row(metric, c, c, c, n=c, unit="count", method="count")
        | dict(zip(dims, key, strict=True))
        for key, c in counts.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def hidden(frame: pd.DataFrame, *dims: str) -> set:
    out = protect(frame, MIN_CELL)
    rows = out[out["suppressed"]]
    assert rows[["estimate", "conf_low", "conf_high", "n", "count"]].isna().all(axis=None)
    return set(rows[list(dims)].itertuples(index=False, name=None))


def two_way(table: np.ndarray, *, totals: bool) -> dict:
    counts = {(f"r{i}", f"c{j}"): int(n) for (i, j), n in np.ndenumerate(table)}
    if totals:
        counts |= {(f"r{i}", None): int(n) for i, n in enumerate(table.sum(axis=1))}
        counts |= {(None, f"c{j}"): int(n) for j, n in enumerate(table.sum(axis=0))}
        counts |= {(None, None): int(table.sum())}
    return counts


def reachable(table: np.ndarray, known: dict, cell: tuple[int, int]) -> tuple[float, float]:
    """Least and most that a cell can be, for who adds and subtracts what is published."""
    rows, columns = table.shape
    equations, sums = [], []
    for (row, column), total in known.items():
        mask = np.zeros(table.shape)
        mask[
            slice(None) if row is None else int(row[1:]),
            slice(None) if column is None else int(column[1:]),
        ] = 1
        equations.append(mask.ravel())
        sums.append(total)
    goal = np.zeros(rows * columns)
    goal[cell[0] * columns + cell[1]] = 1
    ends = []
    for sign in (1, -1):
        found = linprog(sign * goal, A_eq=np.array(equations), b_eq=sums, bounds=(None, None))
        ends.append(-sign * np.inf if found.status == 3 else sign * found.fun)  # 3: no bound
    return ends[0], ends[1]


TABLES = st.tuples(st.integers(2, 4), st.integers(2, 4)).flatmap(
    lambda shape: st.lists(
        st.sampled_from([0, 1, 3, 9, 10, 12, 25, 40, 300]),
        min_size=shape[0] * shape[1],
        max_size=shape[0] * shape[1],
    ).map(lambda values: np.array(values).reshape(shape))
)


@settings(max_examples=60, deadline=None)
@given(table=TABLES)
def test_no_withheld_cell_follows_from_the_published_cells_and_totals(table):
    counts = two_way(table, totals=True)
    withheld = hidden(cells(counts, "row", "column"), "row", "column")
    known = {key: n for key, n in counts.items() if key not in withheld}
    for row, column in withheld:
        if row is not None and column is not None and known:
            least, most = reachable(table, known, (int(row[1:]), int(column[1:])))
            assert most - least > 1e-6, f"{row} {column} can be told"


@settings(max_examples=60, deadline=None)
@given(table=TABLES)
def test_a_cell_is_withheld_with_its_company_also_where_totals_stand_elsewhere(table):
    counts = two_way(table, totals=False)
    withheld = hidden(cells(counts, "row", "column"), "row", "column")
    open_cells = {k: n for k, n in counts.items() if k not in withheld}
    # All totals are known from another page, unless nothing of the table is published.
    totals = {k: n for k, n in two_way(table, totals=True).items() if None in k}
    for row, column in withheld if open_cells else ():
        least, most = reachable(table, open_cells | totals, (int(row[1:]), int(column[1:])))
        assert most - least > 1e-6


@given(table=TABLES, seed=st.integers(0, 99))
def test_neither_order_of_rows_nor_of_columns_changes_what_is_withheld(table, seed):
    frame = cells(two_way(table, totals=True), "row", "column")
    mixed = frame.sample(frac=1, random_state=seed, ignore_index=True)
    swapped = mixed[["column", "row", *frame.columns.drop(["row", "column"])]]
    first = hidden(frame, "row", "column")
    assert hidden(mixed, "row", "column") == first
    assert hidden(swapped, "row", "column") == first


@given(table=TABLES)
def test_every_small_cell_is_withheld_and_large_tables_stay(table):
    frame = cells(two_way(table, totals=True), "row", "column")
    out = protect(frame, MIN_CELL)
    assert out["suppressed"][frame["count"] < MIN_CELL].all()
    if (table >= MIN_CELL).all():
        pd.testing.assert_frame_equal(out, frame)


def one_way(**counts: int) -> set:
    return {key for (key,) in hidden(cells({(k,): n for k, n in counts.items()}, "s"), "s")}


@pytest.mark.parametrize(
    ("counts", "withheld"),
    [
        ({"a": 50, "b": 60}, set()),
        ({"a": 10, "b": 60}, set()),  # the least that may be shown
        ({"a": 9, "b": 60, "c": 70}, {"a", "b"}),  # the next smallest goes along
        ({"a": 0, "b": 60, "c": 70}, {"a", "b"}),  # nobody is somebody's secret as well
        ({"a": 3, "b": 8, "c": 70}, {"a", "b"}),  # two share what is missing: no third
        ({"a": 0, "b": 0, "c": 70, "d": 80}, {"a", "b", "c"}),  # two zeros share nothing
        ({"a": 3, "b": 40, "c": 40}, {"a", "b"}),  # ties go by name
        ({"a": 3}, {"a"}),
    ],
)
def test_no_more_is_withheld_than_it_takes(counts, withheld):
    assert one_way(**counts) == withheld


def test_a_hidden_group_cannot_be_put_together_from_its_parts():
    """B is hidden to protect A; its parts by region would give B away, and with it A."""
    table = np.array([[2, 3], [25, 25], [100, 100]])
    withheld = hidden(cells(two_way(table, totals=True), "row", "column"), "row", "column")
    assert ("r1", None) in withheld
    assert {("r1", "c0"), ("r1", "c1")} & withheld


def test_a_hidden_cell_that_two_lines_together_give_away_is_noticed():
    """Two squares of hidden cells, joined by one more: every line has two, that one is told."""
    table = np.full((5, 5), 100)
    for at in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3), (1, 2)]:
        table[at] = 5
    withheld = hidden(cells(two_way(table, totals=False), "row", "column"), "row", "column")
    assert len(withheld) > 9


def test_a_group_hidden_in_one_metric_is_hidden_in_its_neighbours():
    small = cells({("a",): 3, ("b",): 40, ("c",): 50}, "s")
    large = cells({("a",): 300, ("b",): 400, ("c",): 500}, "s", metric="orders.net_amount")
    out = protect(pd.concat([small, large], ignore_index=True), MIN_CELL)
    assert out.groupby("metric")["suppressed"].sum().tolist() == [2, 2]
    assert suppressed_cells(out) == 2


def test_periods_are_no_parts_of_one_total():
    frame = cells({("2018Q1",): 3, ("2018Q2",): 40}, "period")
    assert hidden(frame, "period") == {("2018Q1",)}


def test_a_group_inside_another_has_no_total_of_its_own():
    frame = cells(
        {("late", "1 day"): 3, ("late", "2 days"): 4, ("late", "3 days"): 30, ("on time", "0"): 90},
        "arrival", "days",
    )  # fmt: skip
    assert hidden(frame, "arrival", "days") == {("late", "1 day"), ("late", "2 days")}


def test_what_is_withheld_already_stays_so_and_the_input_is_as_it_was():
    frame = cells({("a",): 100, ("b",): 200, ("c",): 300}, "s")
    frame.loc[2, "suppressed"] = True
    before = frame.copy()
    assert hidden(frame, "s") == {("c",), ("a",)}
    pd.testing.assert_frame_equal(frame, before)


def test_a_total_alone_is_withheld_when_it_is_small():
    frame = cells({(): 4})
    assert protect(frame, MIN_CELL)["suppressed"].tolist() == [True]
    assert suppressed_cells(protect(frame, MIN_CELL)) == 1


def test_an_empty_table_stays_empty():
    assert protect(cells({("a",): 50}, "s").iloc[:0], MIN_CELL).empty


def test_rows_without_a_count_are_not_small():
    frame = cells({("a",): 100, ("b",): 200}, "s")
    frame.loc[0, "count"] = np.nan
    assert hidden(frame, "s") == set()
