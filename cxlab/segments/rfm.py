"""Who bought lately, often, for much: recency, frequency, monetary value.

Each customer gets three scores and, from a rule table, one name. Whatever was
bought is counted in days, so that two orders of one evening are one purchase.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query
from cxlab.errors import ParameterError, Withheld, did_you_mean
from cxlab.report import words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, interval_row
from cxlab.segments.measures import COLUMNS, cells, largest, measures, scored
from cxlab.segments.purchases import NO_PURCHASE
from cxlab.segments.rules import DEFAULT_RULES, MEASURES, read_rules, rules_hash
from cxlab.segments.scores import Breaks, declared_breaks, quantile_breaks

__all__ = ["Rfm", "rfm"]

_LARGEST = ("gross", "largest", "two_largest")


@dataclass(frozen=True, kw_only=True, eq=False)
class Rfm(Result):
    """Named value segments.

    Attributes
    ----------
    members : Table
        customer_id, segment: fit for `by=` in any room.
    scored : Table
        One row per customer: recency_days, frequency, net_amount, monetary, the three
        scores and the segment.
    names : tuple of str
        The segments, in the order of the rules.
    rules_hash : str
        Which rules made them.
    """

    members: Table = field(repr=False)
    scored: Table = field(repr=False)
    names: tuple[str, ...]
    rules_hash: str

    def table(self) -> pd.DataFrame:
        """Share, net revenue and mean measures, one row per segment."""
        frame = self._rows("share").drop(columns=["metric", "method"])
        frame.insert(1, "customers", frame.pop("count"))
        for column, name in {
            "net_amount": "net_amount",
            "recency_days": "recency_mean",
            "frequency": "frequency_mean",
            "monetary": "monetary_mean",
        }.items():
            found = self._rows(name).set_index("segment")["estimate"]
            frame[column] = found.reindex(frame["segment"]).to_numpy()
        return frame

    def plot(self, *, ax: Any = None) -> Any:
        """Draw each segment's share of customers."""
        from cxlab.report import charts

        return charts.dots(self._rows("share"), label="segment", unit="share", ax=ax)

    def sentence(self) -> str:
        """Name the largest segment and the one that brings most revenue."""
        share = self._rows("share").dropna(subset="estimate")
        if share.empty:
            return "Every value segment is too small to be shown."
        largest = share.sort_values("estimate", kind="stable").iloc[-1]
        said = (
            f"The largest value segment is {largest['segment']}, with "
            f"{words.value(largest['estimate'], 'share')} of "
            f"{words.plural(largest['n'], 'customer')}"
        )
        money = self._rows("net_amount").dropna(subset="estimate")
        if money.empty or not (money["estimate"] > 0).any():
            return f"{said}."
        most = money.sort_values("estimate", kind="stable").iloc[-1]
        amount = words.value(most["estimate"], most["unit"])
        if most["segment"] == largest["segment"]:
            return f"{said}; it also brought most net revenue so far, {amount}."
        return f"{said}; most net revenue so far came from {most['segment']}, {amount}."

    def _rows(self, name: str) -> pd.DataFrame:
        inner = [c for c in self.estimates.columns if c.startswith("_")]
        rows = self.estimates[self.estimates["metric"] == f"customers.rfm_{name}"]
        return rows.drop(columns=inner).reset_index(drop=True)


def rfm(
    orders: TableLike,
    customers: TableLike,
    *,
    at: datetime,
    scores: int = 5,
    cuts: Mapping[str, Sequence[float]] | None = None,
    rules: Sequence[Mapping[str, Any]] | None = None,
    currency: str = "amount",
    time_zone: str = "UTC",
) -> Rfm:
    """Score every customer known before a moment, and name them by a rule table.

    Recency is the days from the last purchase day to the day of `at`; frequency the
    number of purchase days, on which orders less returns came to more than nothing;
    monetary all net value, returns of other days deducted, per purchase day. Who has no
    purchase day is in the segment 'no purchase'.

    Parameters
    ----------
    orders : table
        `customer_id`, `placed_at`, `net_amount`, and where known `placed_on`, `status`.
    customers : table
        `customer_id`, and where known `first_seen_at`.
    at : datetime
        UTC; orders and customers of this moment or later are not looked at.
    scores : int
        Quantile scores from 1 to this, 2 to 10.
    cuts : mapping, optional
        Declared break points instead, by measure: `{"recency": [30, 90, 180, 365]}`.
    rules : sequence of mappings, optional
        See `cxlab.segments.rules.read_rules`. Default: eight names for five scores.
    currency : str
        Unit of money, as in ISO 4217.
    time_zone : str
        Zone of `placed_on`, in which `at` falls on a day.

    Returns
    -------
    Rfm
        Share, net revenue and mean measures by segment; every customer is in one.

    Raises
    ------
    ParameterError
        If cuts do not rise, or rules cannot be read or leave a combination open.
    Withheld
        If nobody was known, or nobody had bought, before `at`.

    References
    ----------
    Hughes (1994), Strategic Database Marketing; quantiles of type 7: Hyndman & Fan
    (1996), The American Statistician 50, 361-365.

    Examples
    --------
    >>> from cxlab.data.engine import frame
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "net_amount": [20.0, 30.0],
    ...     "placed_at": pd.to_datetime(["2018-01-05", "2018-03-01"])})
    >>> found = rfm(orders, pd.DataFrame({"customer_id": ["a", "b", "c"]}),
    ...             at=datetime(2018, 4, 1), scores=2,
    ...             rules=[{"name": "recent", "recency": [2, 2]}, {"name": "earlier"}])
    >>> frame(found.members, limit=10)["segment"].tolist()
    ['earlier', 'recent', 'no purchase']
    """
    _check_options(scores, cuts)
    levels = [len((cuts or {}).get(m, ())) + 1 if m in (cuts or {}) else scores for m in MEASURES]
    read = read_rules(rules, levels)
    orders_, customers_ = in_one_engine(orders, customers)
    day = at.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()
    measured_ = keep(measures(orders_, customers_, at=at, day=day))
    breaks = _breaks(measured_, scores, cuts or {}, day=day)
    members = keep(scored(measured_, breaks, read))
    sums = cells(members)
    stamp = rules_hash({"scores": scores, "cuts": cuts, "rules": rules or DEFAULT_RULES})
    names = [*dict.fromkeys(rule.name for rule in read), NO_PURCHASE]
    return Rfm(
        estimates=_estimates(sums, largest(members), names, currency),
        subtitle=f"Customers by value segment, as of {day}; share of all customers known by then.",
        note=_note(sums, breaks, stamp),
        members=members[["customer_id", "segment"]],
        scored=members,
        names=tuple(names),
        rules_hash=stamp,
    )


def _check_options(scores: int, cuts: Mapping[str, Sequence[float]] | None) -> None:
    if not 2 <= scores <= 10:
        raise ParameterError(f"scores must be 2 to 10, but is {scores}.")
    for measure in cuts or {}:
        if measure not in MEASURES:
            raise ParameterError(
                f"cuts may name {list(MEASURES)}, but name {measure!r}."
                f"{did_you_mean(measure, MEASURES)}"
            )


def _breaks(
    measured_: Table, scores: int, cuts: Mapping[str, Sequence[float]], *, day: date
) -> dict[str, Breaks]:
    columns = list(COLUMNS.values())
    found = dict(zip(MEASURES, quantile_breaks(measured_, columns, scores=scores), strict=True))
    if not found["recency"].points:
        known = query("select count(*) as n from m", m=measured_)["n"][0]
        raise Withheld(
            f"Value segments need customers who have bought, but of {known:,} customers "
            f"known before {day} none has."
        )
    declared = {m: declared_breaks(COLUMNS[m], given, name=m) for m, given in cuts.items()}
    return found | declared


def _estimates(
    cells: pd.DataFrame, tops: pd.DataFrame, names: list[str], currency: str
) -> pd.DataFrame:
    from cxlab.stats.counts import poisson_total
    from cxlab.stats.intervals import t_mean, wilson

    sums = cells.groupby("segment").sum(numeric_only=True).reindex(names).fillna(0.0)
    tops = tops.reindex(names).fillna(0.0).astype(float)
    everybody = float(sums["customers"].sum())
    by_name, largest_of = (frame.to_dict("index") for frame in (sums, tops))
    rows: list[tuple[str, Any, str, float, str, Money | None]] = []
    for name in names:
        s, top = by_name[name], largest_of[name]
        size = float(s["customers"])
        rows.append(("share", wilson(size, everybody), "share", size, name, None))
        total = poisson_total(s["net_amount"], s["net_amount_squares"], n=size)
        money = {
            c: Money.of(s[c], *(float(top[f"{c}_{of}"]) for of in _LARGEST))
            for c in ("net_amount", "monetary")
        }
        rows.append(("net_amount", total, currency, size, name, money["net_amount"]))
        if name == NO_PURCHASE or size < 2:
            continue
        for measure, unit in (("recency", "days"), ("frequency", "mean"), ("monetary", currency)):
            column = COLUMNS[measure]
            mean = t_mean(size, s[column], s[f"{column}_squares"])
            rows.append((f"{measure}_mean", mean, unit, size, name, money.get(column)))
    order = ("share", "net_amount", "recency_mean", "frequency_mean", "monetary_mean")
    rows.sort(key=lambda row: order.index(row[0]))  # stable: segments keep their order
    return pd.DataFrame(
        [
            interval_row(
                f"customers.rfm_{what}", found, unit=unit, count=size, money=own, segment=name
            )
            for what, found, unit, size, name, own in rows
        ]
    )


def _note(cells: pd.DataFrame, breaks: Mapping[str, Breaks], stamp: str) -> str:
    points = "; ".join(f"{m} {b.words()}" for m, b in breaks.items())
    skipped = []
    for m, b in breaks.items():
        held = set(cells[f"{m}_score"].dropna().astype(int))
        if missing := [str(x) for x in range(1, b.levels + 1) if x not in held]:
            skipped.append(f"{m} {words.listing(missing)}")
    ties = f" Scores nobody has, since values are tied: {'; '.join(skipped)}." if skipped else ""
    return (
        f"Break points: {points}. Equal values have equal scores.{ties} Net revenue is of all "
        f"time up to the day given, returns deducted. Rules {stamp}."
    )
