"""What else do existing customers buy, who could buy it, and what goes with what?"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import Withheld
from cxlab.loyalty.cross_sell_counts import Lines, held_and_next, lines_of, sold, two_cycles
from cxlab.report import charts, disclosure, words
from cxlab.report.disclosure import Money, Policy
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.differences import mover_difference
from cxlab.stats.intervals import wilson
from cxlab.stats.multiplicity import benjamini_hochberg
from cxlab.stats.odds import odds_ratio
from cxlab.stats.power import detectable_change

__all__ = ["CrossSell", "cross_sell"]

FEWEST = 10
_SALES = {"cross_sell": "cross-sell", "upsell": "upsell"}
_CLEAR = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossSell(Result):
    """Cross-sell and upsell of a cycle, and which next purchase goes with which earlier one.

    Attributes
    ----------
    cycle, before : str
        The cycle, and the one before.
    """

    cycle: str
    before: str

    def protect(self, rules: Policy | int) -> Self:
        """Withhold small groups; buyers, lines and pairs are no parts of one another."""
        parts = [disclosure.protect(rows, rules) for _, rows in self.estimates.groupby("metric")]
        return replace(self, estimates=pd.concat(parts).sort_index())

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the pairs that go together most clearly, by their odds ratio."""
        rows = self._pairs().head(12)
        if rows.empty:
            return None
        names = "after " + rows["against"].astype(str) + ": " + rows["item"].astype(str)
        return charts.dots(
            rows.assign(pair=names), label="pair", unit="mean", reference=1.0,
            reference_name="no association", axis="Odds ratio of buying it next", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many of those who could bought more, whether it changed, and what goes together."""
        rows = self.estimates[self.estimates["metric"] == "cross_sell.buyers_rate"]
        said = []
        for row in rows[~rows["suppressed"].astype(bool)].to_dict("records"):
            share = words.value(row["estimate"], "share")
            ends = words.interval(row["conf_low"], row["conf_high"], "share")
            what = "bought something new to them" if row["sale"] == "cross-sell" else "traded up"
            said.append(f"{share} {what} ({ends})")
        if not said:
            return f"Too few existing customers bought more in {self.cycle} to show how many did."
        told = f"Of existing customers in {self.cycle}, {words.listing(said)}{self._changed()}"
        pairs = self._pairs()
        if pairs.empty:
            return f"{told}."
        top = pairs.iloc[0]
        return (
            f"{told}. Who had bought {top['against']} buys {top['item']} next more often than "
            f"others: odds {words.number(top['estimate'], 1)} times as high "
            f"({words.number(top['conf_low'], 1)} to {words.number(top['conf_high'], 1)})."
        )

    def _changed(self) -> str:
        rows = self.estimates[self.estimates["metric"] == "cross_sell.change"]
        rows = rows[(rows["sale"] == "cross-sell") & ~rows["suppressed"].astype(bool)]
        if rows.empty:
            return ""
        low, high = float(rows["conf_low"].iloc[0]), float(rows["conf_high"].iloc[0])
        if low <= 0 <= high:
            seen = words.number(100 * detectable_change(low, high), 1)
            return f"; no clear change of the first from {self.before} (±{seen} points were seen)"
        moved = words.change(float(rows["estimate"].iloc[0]), low, high, "share")
        return f"; {'more' if low > 0 else 'fewer'} than in {self.before}: {moved}"

    def _pairs(self) -> pd.DataFrame:
        """Pairs that are clear among all, the strongest first."""
        keys = ["item", "against"]
        rows = self.estimates[self.estimates["metric"] == "cross_sell.odds_ratio"]
        p = self.estimates[self.estimates["metric"] == "cross_sell.p_bh"]
        joined = rows.merge(p[[*keys, "estimate"]], on=keys, suffixes=("", "_p"))
        clear = joined[(joined["estimate_p"] < _CLEAR) & (joined["conf_low"] > 1)]
        return clear.sort_values(["estimate", *keys], ascending=[False, True, True], kind="stable")


def cross_sell(
    orders: TableLike,
    order_lines: TableLike,
    *,
    cycle: Cycle,
    item: str = "category",
    currency: str = "amount",
) -> CrossSell:
    """Count what existing customers bought besides, and what goes with what.

    Parameters
    ----------
    orders : table
        `order_id`, `customer_id`, `placed_at`, and `status` where known.
    order_lines : table
        `order_id`, `net_amount`, the column of `item`; and where known `sale_type` and
        `cancelled_at`.
    cycle : Cycle
        Purchases in it, of customers who had bought before it.
    item : str
        What is told apart: `category` or `product_id`; the twelve with the most customers.
    currency : str
        Unit of money.

    Returns
    -------
    CrossSell
        By `sale` (cross-sell, upsell): `cross_sell.buyers_rate` of existing customers, its
        `cross_sell.change`, and by `item` `cross_sell.lines` and `cross_sell.net_amount`. By
        `item` and `against`: `cross_sell.next_rate` of those who had bought the other before,
        `cross_sell.odds_ratio` against those who had not, and `cross_sell.p_bh`.

    Raises
    ------
    Withheld
        If fewer than ten customers had bought before the cycle, or the lines name no item.

    Notes
    -----
    A next purchase is the first of an item, by a customer who had bought others before the
    cycle. Bundles are no choice of one item: what first came in one counts as bought, and is no
    next purchase. A dearer line after a rise of prices is no upsell; only what the source calls
    one is counted. Where lines have no `sale_type`, nothing is said of upsell, and cross-sell
    is a next purchase. Odds ratios have Fisher's interval, p-values are adjusted by Benjamini
    and Hochberg over all pairs. That two things go together does not say that one leads to the
    other.

    References
    ----------
    Agresti (2013), Categorical Data Analysis, 3rd ed., 3.5 and 16.6; Benjamini & Hochberg
    (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    lines = lines_of(orders, order_lines, item=item, cycle=cycle)
    if not lines.items:
        raise Withheld(f"No line of an order that stands names its {item}, so nothing can be told.")
    existing, each, pairs = held_and_next(lines, cycle)
    if existing < FEWEST:
        raise Withheld(
            f"Cross-sell needs at least {FEWEST} customers who had bought before {cycle.name}, but "
            f"{existing} had."
        )
    rows = _kinds(lines, cycle, currency) if lines.is_told else []
    if not any(row["metric"] == "cross_sell.buyers_rate" for row in rows):
        rows += _derived(each, existing)
    rows += _pairs(existing, each, pairs)
    frame = pd.DataFrame(rows)
    for name in ("sale", "item", "against"):
        frame[name] = frame[name].astype(object) if name in frame else None
    return CrossSell(
        estimates=frame,
        subtitle=f"Odds of buying an item for the first time in {cycle.name}, of customers who had "
        f"bought another {item} before against those who had not; 95% interval",
        note=f"Base: {words.plural(existing, 'customer')} who had bought before {cycle.name}. The "
        f"{len(lines.items)} most bought are told apart. Bundles are no next purchase. Fisher's "
        "intervals; shown are pairs that are clear among all (Benjamini and Hochberg). Who buys "
        "much has bought more and buys more next: that two things go together does not say that "
        "one leads to the other."
        + ("" if lines.is_told else " The lines do not say what kind of sale they are."),
        cycle=cycle.name,
        before=cycle.previous.name,
    )


def _kinds(lines: Lines, cycle: Cycle, currency: str) -> list[dict[str, Any]]:
    """Make the rows of each kind of sale that the lines tell of."""
    rows = []
    for sale, name in _SALES.items():
        found = sold(lines, cycle, sale)
        if found.empty:
            continue
        rows += _rates(two_cycles(lines, cycle, sale), name)
        for row in found.to_dict("records"):
            dims = {"sale": name, "item": None if pd.isna(row["item"]) else row["item"]}
            people, n = float(row["people"]), float(row["lines"])
            total = float(row["total"])
            money = Money.of(total, row["gross"], row["largest"], row["two_largest"])
            rows.append(
                estimate_row("cross_sell.lines", n, n, n, n=n, count=people, unit="count",
                             method="complete count", **dims)
            )  # fmt: skip
            rows.append(
                estimate_row("cross_sell.net_amount", total, total, total, n=n, count=people,
                             unit=currency, method="complete sum", money=money, **dims)
            )  # fmt: skip
    return rows


def _rates(counts: pd.Series, sale: str) -> list[dict[str, Any]]:
    """Share of existing customers who bought in the cycle, and its change."""
    now = wilson(float(counts["bought_now"]), float(counts["now"]))
    rows = [
        interval_row("cross_sell.buyers_rate", now, unit="share",
                     count=float(counts["bought_now"]), sale=sale)
    ]  # fmt: skip
    if counts["before"] < FEWEST:
        return rows
    before = wilson(float(counts["bought_before"]), float(counts["before"]))
    gap = mover_difference(
        now, before, correlation=_correlation(counts),
        method="Newcombe hybrid score interval, customers of both cycles together",
    )  # fmt: skip
    people = float(min(counts["bought_now"], counts["bought_before"]))
    rows.append(interval_row("cross_sell.change", gap, unit="share", count=people, sale=sale))
    return rows


def _correlation(counts: pd.Series) -> float:
    """Correlation of the two shares, since who could buy before can buy now as well."""
    n, m = float(counts["now"]), float(counts["before"])
    p, q = float(counts["bought_now"]) / n, float(counts["bought_before"]) / m
    shared = float(counts["both"]) - q * float(counts["of_before"])
    shared += -p * float(counts["bought_before"]) + p * q * m
    spread = np.sqrt(n * p * (1 - p) * m * q * (1 - q))
    return float(np.clip(shared / spread, -1, 1)) if spread > 0 else 0.0


def _derived(each: pd.DataFrame, existing: int) -> list[dict[str, Any]]:
    """Rate of next purchases by item, where no line says what kind of sale it is."""
    rows = []
    for row in each.to_dict("records"):
        able = existing - float(row["holders"])
        if able >= FEWEST:
            found = wilson(float(row["bought"]), able)
            rows.append(
                interval_row("cross_sell.next_rate", found, unit="share",
                             count=float(row["bought"]), item=row["item"])
            )  # fmt: skip
    return rows


def _pairs(existing: int, each: pd.DataFrame, pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """Set those who had bought one item against all others, for each next item."""
    of = each.set_index("item").astype(float)
    rows: list[dict[str, Any]] = []
    tested: list[tuple[dict[str, Any], float, float, float]] = []
    for row in pairs.to_dict("records"):
        had, item = row["had"], row["item"]
        able = float(of["holders"][had]) - float(row["both"])
        others = existing - float(of["holders"][item]) - able
        a = float(row["bought"])
        c = float(of["bought"][item]) - a
        if min(able, others) < FEWEST or a + c == 0 or a + c == able + others:
            continue
        dims = {"item": item, "against": had}
        rows.append(
            interval_row("cross_sell.next_rate", wilson(a, able), unit="share", count=a, **dims)
        )
        ratio, p = odds_ratio(a, able - a, c, others - c)
        if np.isfinite([ratio.estimate, ratio.low, ratio.high]).all():
            rows.append(
                interval_row("cross_sell.odds_ratio", ratio, unit="mean", count=min(a, c), **dims)
            )
            tested.append((dims, p, ratio.n, min(a, c)))
    if not tested:
        return rows
    adjusted = benjamini_hochberg([p for _, p, _, _ in tested])
    for (dims, _, n, count), p in zip(tested, adjusted, strict=True):
        rows.append(
            estimate_row("cross_sell.p_bh", float(p), float(p), float(p), n=n, count=count,
                         unit="p", method="Benjamini-Hochberg over all pairs", **dims)
        )  # fmt: skip
    return rows
