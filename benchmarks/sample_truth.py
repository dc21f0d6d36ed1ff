"""What the estimates of a cycle should find in the made-up company, by a large simulation.

Customers whom no replicate has are made by the hundred thousand, and each number is worked
out plainly, in pandas and numpy, from its definition: nothing of the rooms is used. Every
estimate is a share, a mean or a total per customer, so sums over parts are all it takes;
value segments also need the quantiles of everybody.
"""

from collections import defaultdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sample_replicates import CYCLE, MEAN_SIZE, Tables, parts

from cxlab.data.sample.world import World

__all__ = ["COOLING", "CUTS", "LAPSE", "Truth", "lifecycle", "truth"]

COOLING, LAPSE = 45, 90  # days, as the study of the company has them
CUTS = {
    "recency": [14, 30, 60, 120],
    "frequency": [1, 3, 6, 12],
    "monetary": [40_000, 70_000, 110_000, 200_000],
}
# By default rules, first that fits: name and least score of recency, frequency, monetary ...
_RULES = (
    ("champions", (4, 4, 4), (5, 5, 5)), ("loyal", (3, 4, 1), (5, 5, 5)),
    ("at risk", (1, 4, 1), (2, 5, 5)), ("promising", (4, 1, 4), (5, 5, 5)),
    ("recent", (4, 1, 1), (5, 5, 5)), ("needs attention", (3, 1, 1), (3, 5, 5)),
    ("big spenders gone quiet", (1, 1, 4), (2, 5, 5)), ("dormant", (1, 1, 1), (5, 5, 5)),
)  # fmt: skip  # ... and the greatest

_STATES = ("new", "active", "cooling", "lapsed", "returned", "no purchase yet")

Truth = dict[str, float]
Numbers = NDArray[np.float64]
_NOW, _BEFORE = CYCLE, CYCLE.previous


def truth(world: World, customers: int, *, first: int) -> Truth:
    """Work out the expectation of each estimate from persons `first` to `first + customers`.

    Returns
    -------
    dict of str to float
        By name of the estimate; totals are of `MEAN_SIZE` customers.
    """
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    bought = {moment: [] for moment in (_BEFORE, _NOW)}
    for raw, tables in parts(world, customers, first=first):
        _answers(sums, raw, tables["answers"])
        _promises(sums, tables)
        _sales(sums, tables["orders"])
        _lifecycle(sums, tables)
        for cycle, found in bought.items():
            found.append(_bought(tables, cycle.cutoff))
    found = {name: top / below for name, (top, below) in sums.items() if below}
    for name in ("orders.count", "orders.net_amount"):
        for suffix in ("", " before"):
            found[name + suffix] = MEAN_SIZE / customers * sums[name + suffix][0]
    before, now = (pd.concat(bought[c], ignore_index=True) for c in (_BEFORE, _NOW))
    for kind, cuts in (("declared cuts", CUTS), ("quantiles", None)):
        found |= _value_segments(before, now, cuts, kind)
    for change, level in _CHANGES.items():
        if f"{level} before" in found:
            found[change] = found[level] - found[f"{level} before"]
    net = "orders.net_amount"
    found[f"{net}_relative_change"] = found[net] / found[f"{net} before"] - 1
    return found


_CHANGES = {
    "csat.change": "csat.top_box_share", "csat.mean_change": "csat.mean", "ces.change": "ces.mean",
    "nps.change": "nps.score", "delivery.kept_change": "delivery.kept_share",
    "promise.kept_change|availability": "promise.kept_share|availability",
    "promise.kept_change|sla": "promise.kept_share|sla",
    "delivery.on_time_in_full_change": "delivery.on_time_in_full_share",
    "orders.count_change": "orders.count", "orders.net_amount_change": "orders.net_amount",
    "orders.mean_amount_change": "orders.mean_amount",
}  # fmt: skip

Sums = dict[str, list[float]]


def _add(
    sums: Sums, name: str, values: Numbers | pd.Series, weights: Numbers | float = 1.0
) -> None:
    weight = np.broadcast_to(np.asarray(weights, dtype=float), np.shape(values))
    sums[name][0] += float(np.dot(np.asarray(values, dtype=float), weight))
    sums[name][1] += float(weight.sum())


def _within(moments: pd.Series, start: object, end: object) -> NDArray[np.bool_]:
    return ((moments >= pd.Timestamp(start)) & (moments < pd.Timestamp(end))).to_numpy()


def _answers(sums: Sums, raw: Tables, answers: pd.DataFrame) -> None:
    """Means of all answers; those of `|all` weigh each answer by how rarely it is given."""
    asked = raw["invitations"].set_index("invitation")
    asked = asked.reindex(answers["response_id"].astype("int64"))
    rarely = 1 / (asked["selection_prob"] * asked["true_response"]).to_numpy()
    after = asked["survey"].to_numpy()
    for suffix, cycle in (("", _NOW), (" before", _BEFORE)):
        inside = _within(answers["answered_at"], cycle.start, cycle.cutoff)
        for kind in ("csat", "ces", "nps"):
            chosen = inside & (answers["construct"] == kind).to_numpy()
            value, weight = answers["value"].to_numpy()[chosen], rarely[chosen]
            if kind == "nps":
                value = 100.0 * (value >= 9) - 100.0 * (value <= 6)
                _add(sums, "nps.score" + suffix, value)
                _add(sums, "nps.score|all" + suffix, value, weight)
                continue
            _add(sums, f"{kind}.mean{suffix}", value)
            for survey in ("order", "service"):
                of, weights = value[after[chosen] == survey], weight[after[chosen] == survey]
                mark = of >= 4 if kind == "csat" else of
                _add(sums, f"{kind}|all|{survey}{suffix}", mark, weights)
            if kind == "csat":
                _add(sums, "csat.top_box_share" + suffix, value >= 4)


def _promises(sums: Sums, tables: Tables) -> None:
    promises, sent = tables["promises"], tables["shipments"]
    promised = pd.to_datetime(sent["promised_on"])
    good = (sent["delivered_at"].notna() & sent["in_full"]).to_numpy()
    good &= (pd.to_datetime(sent["delivered_on"]) <= promised).to_numpy()
    for suffix, cycle in (("", _NOW), (" before", _BEFORE)):
        due = _within(promises["due_at"], cycle.start, cycle.cutoff)
        due &= promises["kept"].notna().to_numpy()
        for kind, name in (
            ("delivery_date", "delivery.kept_share"), ("sla", "promise.kept_share|sla"),
            ("availability", "promise.kept_share|availability"),
        ):  # fmt: skip
            chosen = due & (promises["kind"] == kind).to_numpy()
            _add(sums, name + suffix, promises["kept"][chosen].astype(bool))
        inside = _within(promised, cycle.first_day, cycle.next.first_day)
        _add(sums, "delivery.on_time_in_full_share" + suffix, good[inside])


def _sales(sums: Sums, orders: pd.DataFrame) -> None:
    stands = (orders["status"] != "cancelled").to_numpy()
    for suffix, cycle in (("", _NOW), (" before", _BEFORE)):
        inside = stands & _within(orders["placed_at"], cycle.start, cycle.cutoff)
        net = orders["net_amount"].to_numpy()[inside]
        _add(sums, "orders.mean_amount" + suffix, net)
        _add(sums, "orders.net_amount" + suffix, net)  # of these two, only the sum is used
        _add(sums, "orders.count" + suffix, np.ones(len(net)))


def _days(tables: Tables, cutoff: object) -> pd.DataFrame:
    """Net amount of each customer's days on which something was ordered."""
    orders = tables["orders"]
    orders = orders[
        (orders["status"] != "cancelled") & (orders["placed_at"] < pd.Timestamp(cutoff))
    ]
    day = pd.to_datetime(orders["placed_on"]).to_numpy().astype("datetime64[D]").astype(int)
    return orders.assign(day=day).groupby(["person", "day"])["net_amount"].sum().reset_index()


def _bought(tables: Tables, cutoff: object) -> pd.DataFrame:
    """Recency, frequency and monetary value of everybody known; missing without purchase."""
    days = _days(tables, cutoff)
    good = days[days["net_amount"] > 0].groupby("person")["day"].agg(["max", "count"])
    people = tables["customers"]
    known = people["person"][people["first_seen_at"] < pd.Timestamp(cutoff)]
    today = np.datetime64(pd.Timestamp(cutoff) + pd.Timedelta(hours=7), "D").astype(int)
    net = days.groupby("person")["net_amount"].sum()
    table = pd.DataFrame({"recency": today - good["max"], "frequency": good["count"]})
    table["monetary"] = net.reindex(table.index) / table["frequency"]
    return table.reindex(known).reset_index()


def _value_segments(
    before: pd.DataFrame, now: pd.DataFrame, cuts: dict[str, list[int]] | None, kind: str
) -> Truth:
    names = [_named(table, cuts) for table in (before, now)]
    shares = names[1].value_counts(normalize=True)
    found = {f"customers.rfm_share|{kind}|{name}": share for name, share in shares.items()}
    moved = pd.DataFrame({"a": names[0], "b": names[1].reindex(names[0].index)})
    pairs = pd.crosstab(moved["a"], moved["b"], normalize="index")
    for b in pairs.columns:
        for a, share in pairs[b].items():
            found[f"customers.migration_share|{kind}|{a}|{b}"] = float(share)
    came = names[1][~names[1].index.isin(names[0].index)].value_counts(normalize=True)
    for b, share in came.items():
        found[f"customers.migration_share|{kind}|not yet a customer|{b}"] = float(share)
    stayed = float((moved["a"] == moved["b"]).mean())
    return found | {f"customers.stayed_share|{kind}": stayed}


def _named(table: pd.DataFrame, cuts: dict[str, list[int]] | None) -> pd.Series:
    """Name everybody by the default rules, from scores by cuts or by quantiles of all."""
    buyers = table["frequency"].notna().to_numpy()
    scores = []
    for measure in ("recency", "frequency", "monetary"):
        values = table[measure].to_numpy(dtype=float)[buyers]
        points = np.quantile(values, [0.2, 0.4, 0.6, 0.8]) if cuts is None else cuts[measure]
        above = sum((values > point).astype(int) for point in points)
        scores.append(5 - above if measure == "recency" else 1 + above)
    fits = [
        np.logical_and.reduce(
            [(s >= a) & (s <= b) for s, a, b in zip(scores, low, high, strict=True)]
        )
        for _, low, high in _RULES
    ]
    names = pd.Series("no purchase", index=table["person"], dtype=object)
    names[buyers] = np.select(fits, [name for name, _, _ in _RULES], default="")
    return names


def lifecycle(tables: Tables, cycle: object) -> pd.Series:
    """Put everybody known at the cutoff into a state, by person."""
    day = np.datetime64(cycle.next.first_day, "D").astype(int)
    first = np.datetime64(cycle.first_day, "D").astype(int)
    days = _days(tables, cycle.cutoff)
    days = days[days["net_amount"] > 0].sort_values(["person", "day"])
    gap = days.groupby("person")["day"].diff()
    ends = (gap > LAPSE) & (days["day"] >= first)
    of = (
        days.assign(ends=ends)
        .groupby("person")
        .agg(first=("day", "min"), last=("day", "max"), back=("ends", "any"))
    )
    state = np.select(
        [day - of["last"] > LAPSE, of["first"] >= first, of["back"], day - of["last"] <= COOLING],
        ["lapsed", "new", "returned", "active"], "cooling",
    )  # fmt: skip
    people = tables["customers"]
    known = people["person"][people["first_seen_at"] < pd.Timestamp(cycle.cutoff)]
    return pd.Series(state, index=of.index).reindex(known).fillna("no purchase yet")


def _lifecycle(sums: Sums, tables: Tables) -> None:
    before, now = lifecycle(tables, _BEFORE), lifecycle(tables, _NOW)
    after = now.reindex(before.index)
    for a in _STATES:
        for b in _STATES:
            _add(sums, f"customers.migration_share|lifecycle|{a}|{b}", (after == b)[before == a])
    came = now[~now.index.isin(before.index)]
    for b in _STATES:
        _add(sums, f"customers.migration_share|lifecycle|not yet a customer|{b}", came == b)
    _add(sums, "customers.stayed_share|lifecycle", after == before)
