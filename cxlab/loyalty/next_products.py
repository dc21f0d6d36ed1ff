"""After what is what bought next: where does a kind of product lead customers on?"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, keep, query, view
from cxlab.errors import Withheld
from cxlab.loyalty.cross_selling import standing_lines
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.intervals import wilson
from cxlab.stats.multiplicity import benjamini_hochberg
from cxlab.stats.odds import odds_ratio

__all__ = ["NextProducts", "next_products"]

SHOWN = 10  # pairs in the table
LARGEST = 12  # kinds that are looked at
FEWEST = 50
_SURE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class NextProducts(Result):
    """Odds of each next kind of product after a first one, against after any other.

    Attributes
    ----------
    cycle : str
        At whose end this was known.
    tested : int
        Pairs that were tested.
    """

    cycle: str
    tested: int

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the odds of each pair that is shown."""
        rows = self.estimates[self.estimates["metric"] == "selling.next_odds"]
        rows = rows.assign(
            pair=rows["after_category"] + " \N{RIGHTWARDS ARROW} " + rows["category"]
        )
        return charts.dots(
            rows, label="pair", unit="mean", reference=1.0, reference_name="no difference",
            axis="Odds against those who began otherwise", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Which pairs are clear, after all comparisons."""
        rows = self.estimates
        p = rows[rows["metric"] == "selling.next_p_bh"].set_index(["after_category", "category"])
        odds = rows[rows["metric"] == "selling.next_odds"]
        odds = odds.set_index(["after_category", "category"])
        clear = [
            k for k in odds.index
            if p.loc[k, "estimate"] < _SURE and odds.loc[k, "estimate"] > 1
        ]  # fmt: skip
        if not clear:
            return (
                f"Of {words.plural(self.tested, 'pair')} of products none clearly follow each "
                "other more often than chance has it."
            )
        first = clear[0]
        row = odds.loc[first]
        return (
            f"Customers who began with {first[0]} go on to {first[1]} more often: at "
            f"{words.number(float(row['estimate']), 1)} times the odds of others "
            f"({words.interval(float(row['conf_low']), float(row['conf_high']), 'mean')}); "
            f"{words.plural(len(clear), 'pair')} of {words.number(self.tested)} clearly "
            f"{'follows' if len(clear) == 1 else 'follow'} more often than chance has it."
        )


def next_products(orders: TableLike, lines: TableLike, *, cycle: Cycle) -> NextProducts:
    """Test which kind of product follows which, of customers who went on to another kind.

    Parameters
    ----------
    orders, lines : table
        `order_id`, `customer_id`, `placed_at` and `status`; `order_id`, `category`,
        `net_amount`, `sale_type` (bundles are left out) and `cancelled_at` where known.
    cycle : Cycle
        Orders of its cutoff or later are not looked at.

    Returns
    -------
    NextProducts
        For the pairs with the smallest p-values, by `after_category` (of the first order) and
        `category` (new with the next one that had a new kind): `selling.next_rate`,
        `selling.next_odds` against customers who began otherwise, and `selling.next_p_bh`.

    Raises
    ------
    Withheld
        If fewer than fifty customers went on to another kind, or no pair can be tested.

    Notes
    -----
    Only customers who have gone on to another kind are compared, so that it does not matter
    for how long each has been known; and for each next kind only those who did not begin with
    it. Fisher's exact test with the exact conditional interval of the odds ratio, for large tables
    the normal limits; p-values adjusted by Benjamini and Hochberg over all pairs with at least
    five expected.

    References
    ----------
    Fisher (1935), Journal of the Royal Statistical Society 98, 39-82; Benjamini & Hochberg
    (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    n, first, after, pairs = _counts(orders, lines, cycle)
    if n < FEWEST:
        raise Withheld(
            f"What follows what needs at least {FEWEST} customers who went on to another kind of "
            f"product, but {words.number(n)} had by the end of {cycle.name}."
        )
    tests = _tested(n, first, after, pairs)
    if tests.empty:
        raise Withheld("No pair of products is met often enough to be tested.")
    shown = tests.sort_values(["p", "after_category", "category"], kind="stable").head(SHOWN)
    return NextProducts(
        estimates=pd.DataFrame([row for t in shown.to_dict("records") for row in _rows(t)]),
        subtitle="Odds that the next kind of product is the second one, of customers who began "
        "with the first against those who began otherwise; 95% interval",
        note=f"Base: {words.number(n)} customers who went on to another kind of product by the "
        f"end of {cycle.last_day}. {words.plural(len(tests), 'pair')} tested by Fisher's exact "
        "test, p-values adjusted by Benjamini and Hochberg; those with the smallest are shown. "
        "Bundles are left out. What follows is not caused by what came before.",
        cycle=cycle.name,
        tested=len(tests),
    )


def _counts(
    orders: TableLike, lines: TableLike, cycle: Cycle
) -> tuple[float, dict[str, float], dict[str, float], pd.DataFrame]:
    """Count customers by kinds of the first order and of the next with a new kind."""
    turns = keep(
        view(
            """
            select customer_id, category, turn from (
                select customer_id, category,
                    dense_rank() over (partition by customer_id order by first_at) as turn,
                    min(first_at) over (partition by customer_id) as began_at,
                    max(first_at) over (partition by customer_id) as went_on_at
                from (
                    select customer_id, category, min(placed_at) as first_at from b
                    where category is not null and coalesce(sale_type, '') <> 'bundle'
                    group by customer_id, category
                ) as k
            ) as s where turn <= 2 and began_at < went_on_at
            """,
            b=standing_lines(orders, lines, cycle=cycle),
        )
    )
    single = query(
        "select turn, category, count(*) as n from t group by turn, category "
        "order by turn, category",
        t=turns,
    )
    n = float(query("select count(distinct customer_id) as n from t", t=turns)["n"][0])
    pairs = query(
        """
        select a.category as after_category, b.category as category, b.turn as turn, count(*) as n
        from t as a join t as b on a.customer_id = b.customer_id and a.turn = 1
            and a.category <> b.category
        group by a.category, b.category, b.turn order by after_category, category, turn
        """,
        t=turns,
    )
    sides = [
        {str(r["category"]): float(r["n"]) for r in single[single["turn"] == k].to_dict("records")}
        for k in (1, 2)
    ]
    return n, sides[0], sides[1], pairs


def _tested(
    n: float, first: dict[str, float], after: dict[str, float], pairs: pd.DataFrame
) -> pd.DataFrame:
    """Make the table of each pair of the largest kinds, and test it."""
    many = {
        (r["after_category"], r["category"], int(r["turn"])): float(r["n"])
        for r in pairs.to_dict("records")
    }
    sizes = {k: first.get(k, 0.0) + after.get(k, 0.0) for k in {*first, *after}}
    kinds = sorted(sizes, key=lambda k: (-sizes[k], k))[:LARGEST]
    found = []
    for a in kinds:
        for b in kinds:
            free = n - first.get(b, 0.0)  # who did not begin with it
            began = first.get(a, 0.0) - many.get((a, b, 1), 0.0)
            both, went = many.get((a, b, 2), 0.0), after.get(b, 0.0)
            if a == b or not 0 < began < free or began * went / free < 5 or went >= free:
                continue
            cells = (both, began - both, went - both, free - began - went + both)
            ratio, p = odds_ratio(*cells)
            found.append(
                {"after_category": a, "category": b, "both": both, "began": began, "p": p,
                 "ratio": ratio, "least": min(cells)}
            )  # fmt: skip
    frame = pd.DataFrame(found)
    return frame if frame.empty else frame.assign(adjusted=benjamini_hochberg(list(frame["p"])))


def _rows(test: dict[Any, Any]) -> list[dict[str, Any]]:
    dims: dict[str, Any] = {k: test[k] for k in ("after_category", "category")}
    ratio, least = test["ratio"], float(test["least"])
    rate = wilson(test["both"], test["began"])
    return [
        interval_row("selling.next_rate", rate, unit="share", count=test["both"], **dims),
        interval_row("selling.next_odds", ratio, unit="mean", count=least, **dims),
        estimate_row("selling.next_p_bh", test["adjusted"], test["adjusted"], test["adjusted"],
                     n=ratio.n, count=least, unit="p", method="Fisher's exact test, BH", **dims),
    ]  # fmt: skip
