"""No withheld number can be worked out from the published ones: an attacker tries.

The attacker sees what is published, knows every total (another page may show it), and
that no count is negative; linear programming gives the range that is left for a cell.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from cxlab.report.disclosure import Money, Policy, protect, suppressed_cells, tally
from cxlab.report.finding import Result, estimate_row

MIN_CELL = 10
TOP1 = Policy().top1
DIMS = ("row", "column", "layer")
Key = tuple[str | None, ...]


def cells(
    counts: Mapping[Key, float], *dims: str, metric: str = "orders.count", **more: object
) -> pd.DataFrame:
    """Rows of one metric; a key has one word per dimension, None for everybody."""
    rows = [
        estimate_row(metric, c, c, c, n=c, unit="count", method="count")
        | dict(zip(dims, key, strict=True))
        | more
        for key, c in counts.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def hidden(frame: pd.DataFrame, *dims: str) -> set:
    out = protect(frame, MIN_CELL)
    rows = out[out["suppressed"]]
    assert rows[["estimate", "conf_low", "conf_high", "n", "count"]].isna().all(axis=None)
    return set(rows[list(dims)].itertuples(index=False, name=None))


def with_totals(table: np.ndarray, margins: tuple[tuple[int, ...], ...] | None = None) -> dict:
    """Give every cell and the totals over some sets of dimensions; by default over all sets."""
    axes = range(table.ndim)
    if margins is None:
        margins = tuple(
            m for size in range(1, table.ndim + 1) for m in itertools.combinations(axes, size)
        )
    counts: dict[Key, float] = {}
    for over in ((), *margins):
        summed = table.sum(axis=over, keepdims=True)
        for at, n in np.ndenumerate(summed):
            key = tuple(None if a in over else f"{DIMS[a][0]}{i}" for a, i in enumerate(at))
            counts[key] = n.item()
    return counts


@dataclass
class Attacker:
    """Solves for a table of which some cells and totals are known."""

    shape: tuple[int, ...]
    known: Mapping[Key, float]

    def __post_init__(self) -> None:
        self.equations = np.array([self.mask(key) for key in self.known])
        self.sums = np.array(list(self.known.values()), dtype=float)

    def mask(self, key: Key) -> np.ndarray:
        mask = np.zeros(self.shape)
        mask[tuple(slice(None) if name is None else int(name[1:]) for name in key)] = 1
        return mask.ravel()

    def range(self, key: Key) -> tuple[float, float]:
        """Least and most that a cell can be, if nothing is negative."""
        ends: list[float] = []
        if not self.known:
            return 0.0, np.inf
        for sign in (1, -1):
            goal = sign * self.mask(key)
            found = linprog(goal, A_eq=self.equations, b_eq=self.sums, bounds=(0, None))
            ends.append(-sign * np.inf if found.status == 3 else sign * found.fun)  # 3: no bound
        return ends[0], ends[1]

    def whole_range(self, key: Key) -> tuple[float, float]:
        """Likewise, if all are whole numbers; known totals give it an end."""
        ends = []
        rule = LinearConstraint(self.equations, self.sums, self.sums)
        for sign in (1, -1):
            found = milp(
                sign * self.mask(key), constraints=rule, bounds=Bounds(0, np.inf),
                integrality=np.ones(self.mask(key).size),
            )  # fmt: skip
            ends.append(sign * found.fun)
        return ends[0], ends[1]


def attacked(
    counts: Mapping[Key, float], withheld: set, shape: tuple[int, ...]
) -> tuple[Attacker, Iterator[Key]]:
    """Set an attacker on what is published, after the totals that other pages show."""
    everything = with_totals(leaves(counts, shape))
    elsewhere = {key: n for key, n in everything.items() if key not in counts}
    shown = {key: n for key, n in counts.items() if key not in withheld}
    primary = (key for key, n in counts.items() if n < MIN_CELL)
    return Attacker(shape, elsewhere | shown), primary


def leaves(counts: Mapping[Key, float], shape: tuple[int, ...]) -> np.ndarray:
    table = np.zeros(shape)
    for at in np.ndindex(shape):
        table[at] = counts[tuple(f"{DIMS[a][0]}{i}" for a, i in enumerate(at))]
    return table


def in_its_lines(key: Key, shape: tuple[int, ...]) -> Iterator[Key]:
    for axis, size in enumerate(shape):
        for i in range(size):
            yield (*key[:axis], f"{DIMS[axis][0]}{i}", *key[axis + 1 :])


SIZES = st.sampled_from([0, 0, 1, 3, 7, 9, 10, 12, 25, 40, 300])


@st.composite
def tables(draw, dimensions=(1, 2, 3)):
    """Draw a table of one to three dimensions, and the totals that are listed with it."""
    dims = draw(st.sampled_from(dimensions))
    most = {1: 6, 2: 5, 3: 3}[dims]
    shape = tuple(draw(st.integers(2, most)) for _ in range(dims))
    values = draw(st.lists(SIZES, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    every = [
        m for size in range(1, dims + 1) for m in itertools.combinations(range(dims), size)
    ]  # fmt: skip
    margins = draw(st.sampled_from([tuple(every), (), (every[0],), tuple(every[:-1])]))
    return np.array(values).reshape(shape), margins


@settings(max_examples=60, deadline=None)
@given(drawn=tables())
def test_the_range_left_for_a_small_cell_reaches_what_could_be_published(drawn):
    """The promise: up to `min_cell` and as wide, unless nothing more can be withheld."""
    table, margins = drawn
    counts = with_totals(table, margins)
    dims = DIMS[: table.ndim]
    withheld = hidden(cells(counts, *dims), *dims)
    attacker, primary = attacked(counts, withheld, table.shape)
    for key in primary:
        assert key in withheld
        least, most = attacker.range(key)
        enough = most >= MIN_CELL - 1e-6 and most - least >= MIN_CELL - 1e-6
        nothing_left = {k for k in in_its_lines(key, table.shape) if k in counts} <= withheld
        assert enough or nothing_left, f"{key} lies in {least:g} to {most:g}"
        if len(margins) == 2**table.ndim - 1:  # all totals could be withheld
            assert enough, f"{key} lies in {least:g} to {most:g}"


@settings(max_examples=20, deadline=None)
@given(drawn=tables(dimensions=(2, 3)))
def test_nor_does_it_help_the_attacker_that_people_are_whole(drawn):
    table, _ = drawn
    counts = with_totals(table, ())  # all totals are known from elsewhere
    dims = DIMS[: table.ndim]
    withheld = hidden(cells(counts, *dims), *dims)
    attacker, primary = attacked(counts, withheld, table.shape)
    for key in primary:
        least, most = attacker.range(key)
        if most - least >= MIN_CELL - 1e-6:
            low, high = attacker.whole_range(key)
            assert high > low


@settings(max_examples=25, deadline=None)
@given(drawn=tables(dimensions=(2,)))
def test_a_share_times_its_base_tells_no_more_than_the_count(drawn):
    """The attacker has no counts, only each row's shares and their base."""
    table, _ = drawn
    sizes = table.sum(axis=1)
    rows = []
    for (i, j), n in np.ndenumerate(table):
        share = n / max(sizes[i], 1)
        made = estimate_row(
            "x.share", share, share, share, n=sizes[i], count=n, unit="share", method="share",
            row=f"r{i}", column=f"c{j}",
        )  # fmt: skip
        rows.append(made)
    out = protect(pd.DataFrame(rows), MIN_CELL)
    known: dict[Key, float] = {}
    for row in out[~out["suppressed"]].to_dict("records"):
        known[row["row"], row["column"]] = round(row["estimate"] * row["n"], 6)
        known[row["row"], None] = row["n"]
    known |= {key: n for key, n in with_totals(table).items() if None in key}
    attacker = Attacker(table.shape, known)
    for (i, j), n in np.ndenumerate(table):
        key = (f"r{i}", f"c{j}")
        if n < MIN_CELL and key not in known:
            least, most = attacker.range(key)
            lines = set(in_its_lines(key, table.shape))
            assert most - least >= MIN_CELL - 1e-6 or not lines & set(known)


def money(amounts: np.ndarray, people: np.ndarray, largest: np.ndarray) -> pd.DataFrame:
    """Rows of amounts by two dimensions, with the totals of both."""
    sums, sizes = with_totals(amounts), with_totals(people)
    tops = {(f"r{i}", f"c{j}"): t for (i, j), t in np.ndenumerate(largest)}
    rows = []
    for key, amount in sums.items():
        top = tops.get(key, 0.2)
        row = estimate_row(
            "x.amount", amount, amount, amount, n=sizes[key], unit="EUR", method="sum",
            row=key[0], column=key[1],
        )  # fmt: skip
        rows.append(row | Money(total=amount, top1=top, top2=min(1.0, top + 0.1)).columns())
    return pd.DataFrame(rows)


@st.composite
def amounts_of_people(draw):
    """Draw amounts by two dimensions, the people behind them, and the largest one's share."""
    shape = draw(st.tuples(st.integers(2, 4), st.integers(2, 4)))

    def filled(values: list[float]) -> np.ndarray:
        size = int(np.prod(shape))
        every = draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))
        return np.array(every).reshape(shape)

    return filled([0.0, 5.0, 80.0, 450.0, 9000.0]), filled([3, 20, 50]), filled([0.1, 0.3, 0.75, 1])


@settings(max_examples=60, deadline=None)
@given(drawn=amounts_of_people())
def test_the_range_left_for_an_uneven_amount_reaches_one_that_nobody_dominates(drawn):
    amounts, people, tops = drawn
    out = protect(money(amounts, people, tops), MIN_CELL)
    assert not any(c.startswith("_") for c in out.columns)
    shown = out[~out["suppressed"]].set_index(["row", "column"])["estimate"].to_dict()
    known = {tuple(None if pd.isna(k) else k for k in key): a for key, a in shown.items()}
    attacker = Attacker(amounts.shape, known)
    for (i, j), amount in np.ndenumerate(amounts):
        if people[i, j] >= MIN_CELL and tops[i, j] <= TOP1:
            continue
        assert (f"r{i}", f"c{j}") not in known
        least, most = attacker.range((f"r{i}", f"c{j}"))
        # With so much more from others, its largest customer would hold no more than may be.
        assert most >= amount * max(1.1, tops[i, j] / TOP1) - 1e-6 * amounts.sum()
        assert most - least > 1e-6 * amounts.sum() or not amounts.any()


@settings(max_examples=50, deadline=None)
@given(drawn=tables(dimensions=(2,)), seed=st.integers(0, 99))
def test_neither_order_of_rows_nor_of_columns_changes_what_is_withheld(drawn, seed):
    frame = cells(with_totals(drawn[0]), "row", "column")
    mixed = frame.sample(frac=1, random_state=seed, ignore_index=True)
    swapped = mixed[["column", "row", *frame.columns.drop(["row", "column"])]]
    first = hidden(frame, "row", "column")
    assert hidden(mixed, "row", "column") == first
    assert hidden(swapped, "row", "column") == first


@settings(max_examples=50, deadline=None)
@given(drawn=tables(dimensions=(2,)))
def test_every_small_cell_is_withheld_and_large_tables_stay(drawn):
    table = drawn[0]
    frame = cells(with_totals(table), "row", "column")
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
        ({"a": 3, "b": 4, "c": 70, "d": 80}, {"a", "b", "c"}),  # seven in all: both are few
        ({"a": 0, "b": 0, "c": 70, "d": 80}, {"a", "b", "c"}),  # two zeros share nothing
        ({"a": 3, "b": 40, "c": 40}, {"a", "b"}),  # ties go by name
        ({"a": 3}, {"a"}),
    ],
)
def test_no_more_is_withheld_than_it_takes(counts, withheld):
    assert one_way(**counts) == withheld


def test_a_hidden_total_cannot_be_put_together_from_its_parts():
    """r0 is small in all; its company r1 must not be the sum of cells that are shown."""
    table = np.array([[2, 3], [25, 25], [100, 100]])
    withheld = hidden(cells(with_totals(table), "row", "column"), "row", "column")
    assert ("r0", None) in withheld
    attacker, _ = attacked(with_totals(table), withheld, table.shape)
    assert attacker.range(("r0", None))[1] >= MIN_CELL


def test_a_hidden_cell_that_two_lines_together_give_away_is_noticed():
    """Two squares of hidden cells, joined by one more: every line has two, that one is told."""
    table = np.full((5, 5), 100)
    for at in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3), (1, 2)]:
        table[at] = 5
    withheld = hidden(cells(with_totals(table, ()), "row", "column"), "row", "column")
    assert len(withheld) > 9


def test_a_group_hidden_in_one_metric_is_hidden_in_its_neighbours():
    small = cells({("a",): 3, ("b",): 40, ("c",): 50}, "s")
    large = cells({("a",): 300, ("b",): 400, ("c",): 500}, "s", metric="orders.net_amount")
    out = protect(pd.concat([small, large], ignore_index=True), MIN_CELL)
    assert out.groupby("metric")["suppressed"].sum().tolist() == [2, 2]
    assert suppressed_cells(out) == 2


def test_a_change_hidden_for_the_cycle_before_leaves_this_cycle_alone():
    now = cells({("a",): 30, ("b",): 40}, "s")
    change = cells({("a",): 3, ("b",): 40}, "s", metric="orders.count_change")
    out = protect(pd.concat([now, change], ignore_index=True), MIN_CELL)
    assert out["suppressed"].tolist() == [False, False, True, True]
    gone = protect(pd.concat([cells({("a",): 3}, "s"), change.tail(1).assign(s="a")]), MIN_CELL)
    assert gone["suppressed"].all()  # and a hidden level takes its change along


def test_periods_are_no_parts_of_one_total():
    frame = cells({("2018Q1",): 3, ("2018Q2",): 40}, "period")
    assert hidden(frame, "period") == {("2018Q1",)}


def test_a_group_inside_another_has_no_total_of_its_own():
    frame = cells(
        {("late", "1 day"): 3, ("late", "2 days"): 8, ("late", "3 days"): 30, ("on time", "0"): 90},
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


@pytest.mark.parametrize(
    ("top1", "top2", "withheld"),
    [
        (0.70, 0.85, False),  # the most that may be
        (0.71, 0.80, True),  # one customer
        (0.50, 0.86, True),  # two customers, who know each other
        (0.10, 0.15, False),
    ],
)
def test_an_amount_is_withheld_where_one_customer_or_two_make_it_up(top1, top2, withheld):
    row = cells({(): 500}).assign(**Money(total=9000.0, top1=top1, top2=top2).columns())
    assert protect(row, Policy())["suppressed"].tolist() == [withheld]


def test_refunds_are_taken_without_their_sign():
    """1,000 sold and 990 taken back by others: the largest brought half of what moved."""
    money = Money.of(total=10.0, gross=1990.0, largest=1000.0, two_largest=1100.0)
    assert (round(money.top1, 2), round(money.top2, 2)) == (0.5, 0.55)
    assert Money.of(total=0, gross=0, largest=0, two_largest=0).top1 == 0


def test_a_difference_is_as_uneven_as_its_more_uneven_side():
    even, uneven = (Money(total=1.0, top1=t, top2=t) for t in (0.1, 0.9))
    both = Money.either(even, uneven)
    assert (both.top1, both.top2) == (0.9, 0.9)
    assert np.isnan(both.total)  # sides of a difference do not add up


def test_company_without_money_is_no_company_for_an_amount():
    """Who bought nothing brings nothing: the next group must go as well."""
    amounts = {"few": 600.0, "no purchase": 0.0, "many": 900.0, "most": 5000.0}
    people = {"few": 4, "no purchase": 30, "many": 200, "most": 900}
    rows = [
        estimate_row("x.amount", a, a, a, n=people[s], unit="EUR", method="sum", segment=s)
        | Money(total=a, top1=0.1, top2=0.2).columns()
        for s, a in amounts.items()
    ]
    out = protect(pd.DataFrame(rows), MIN_CELL).set_index("segment")["suppressed"]
    assert out[out].index.tolist() == ["few", "no purchase", "many"]


def test_a_share_with_few_people_on_its_other_side_is_withheld_where_a_study_asks_for_it():
    row = cells({("a",): 95, ("b",): 80}, "s").assign(unit="share", metric="x.share")
    row = row.assign(estimate=[0.95, 0.8], n=[100, 100])
    assert not protect(row, Policy())["suppressed"].any()
    assert protect(row, Policy(both_sides=True))["suppressed"].tolist() == [True, True]


def test_a_metric_on_the_list_of_exceptions_is_shown_and_the_others_are_not():
    rows = pd.concat([cells({(): 4}), cells({(): 4}, metric="orders.cancelled")])
    out = protect(rows, Policy(exceptions=frozenset({"orders.cancelled"})))
    assert out.set_index("metric")["suppressed"].to_dict() == {
        "orders.count": True, "orders.cancelled": False,
    }  # fmt: skip


def test_each_group_is_counted_once_by_the_rule_that_withholds_it():
    frame = cells({("a",): 3, ("b",): 40, ("c",): 50, ("d",): 60, ("e",): 70}, "s")
    tops = {"a": 0.1, "b": 0.1, "c": 0.1, "d": 0.1, "e": 0.9}
    frame = frame.assign(_amount=np.nan, _top1=frame["s"].map(tops), _top2=frame["s"].map(tops))
    out = protect(frame, Policy())
    found = tally(frame, out, Policy())
    assert found == {"small": 1, "dominance": 1, "complementary": 0}
    assert sum(found.values()) == suppressed_cells(out)


def test_empty_cells_of_a_matrix_of_moves_are_withheld_and_need_no_company():
    table = np.array([[300, 0, 0], [40, 500, 0], [60, 70, 80]])
    frame = cells(with_totals(table, ()), "row", "column")
    out = protect(frame, MIN_CELL, sparse=True)
    assert out["suppressed"].tolist() == (frame["count"] == 0).tolist()
    assert protect(frame, MIN_CELL)["suppressed"].sum() > 3


@settings(max_examples=30, deadline=None)
@given(drawn=tables(dimensions=(2,)))
def test_of_a_matrix_of_moves_no_exact_number_can_be_told(drawn):
    """A weaker promise, for what is mostly empty: of nobody's move there is a single answer."""
    table, _ = drawn
    counts = with_totals(table, ())
    out = protect(cells(counts, "row", "column"), MIN_CELL, sparse=True)
    rows = out[out["suppressed"]][["row", "column"]]
    withheld = set(rows.itertuples(index=False, name=None))
    attacker, primary = attacked(counts, withheld, table.shape)
    for key in primary:
        assert key in withheld
        least, most = attacker.range(key)
        nothing_left = set(in_its_lines(key, table.shape)) <= withheld
        assert most - least >= 1 - 1e-6 or counts[key] == 0 or nothing_left


def test_a_table_of_thirty_by_thirty_takes_a_fifth_of_a_second():
    draw = np.random.default_rng(1)
    table = np.where(draw.random((30, 30)) < 0.05, 3, draw.integers(20, 500, (30, 30)))
    frame = cells(with_totals(table), "row", "column")
    protect(frame.head(40), MIN_CELL)  # imports
    times = []
    for _ in range(3):
        start = time.process_time()
        protect(frame, MIN_CELL)
        times.append(time.process_time() - start)
    assert min(times) < 0.5  # of a processor; measured: 0.1 to 0.2 s


def test_steps_of_a_funnel_are_no_parts_of_a_total():
    """A hidden step needs no company: the ones before and after it do not add up to anything."""
    steps = [
        estimate_row("funnel.reached", n, n, n, n=n, unit="count", method="m", step=f"step {n}")
        for n in (900, 400, 100, 4)
    ]
    safe = protect(pd.DataFrame(steps), 10)
    assert safe["suppressed"].tolist() == [False, False, False, True]


@pytest.mark.parametrize("seed", range(20))
def test_what_stands_apart_is_withheld_as_if_it_stood_alone(seed):
    """Metrics and stages apart: the same as each of their tables by itself."""
    rng = np.random.default_rng(seed)
    frame = pd.concat(
        [
            cells({(f"s{s}", f"r{r}"): rng.integers(1, 40) for s in range(3) for r in range(4)},
                  "stage", "row", metric=metric)
            for metric in ("orders.count", "orders.other")
        ],
        ignore_index=True,
    )  # fmt: skip
    whole = protect(frame, MIN_CELL, apart=("stage", "metric"))
    parts = [protect(part, MIN_CELL) for _, part in frame.groupby(["stage", "metric"])]
    pd.testing.assert_frame_equal(whole, pd.concat(parts).sort_index())


def test_a_result_says_what_stands_apart():
    class Apart(Result):
        apart = ("metric",)

    rows = [cells({("a",): n, ("b",): 50, ("c",): 60}, "row", metric=m)
            for m, n in (("orders.count", 5), ("orders.other", 70))]  # fmt: skip
    frame = pd.concat(rows, ignore_index=True)
    hidden_in = [
        set(kind(estimates=frame).protect(MIN_CELL).estimates.query("suppressed")["metric"])
        for kind in (Result, Apart)
    ]
    assert hidden_in == [{"orders.count", "orders.other"}, {"orders.count"}]
