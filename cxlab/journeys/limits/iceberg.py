"""What is under the water: purchases, contacts and time that the log cannot show.

A map is drawn from what is seen. This says how much is not: purchases without any contact
before them, contacts that come out of nowhere, and days far from any contact.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, query, view
from cxlab.data.span import moment_at, span_us
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.limits.dark_time import (
    AFTER,
    BEFORE,
    dark_share,
    dark_sums,
    is_silent_after,
    pauses,
    window_frame,
)
from cxlab.journeys.limits.unseen import antecedent_sums, antecedents, purchase_sums, purchases
from cxlab.report import charts, words
from cxlab.report.finding import Result, interval_row
from cxlab.stats.clusters import clustered_share
from cxlab.stats.intervals import wilson

__all__ = ["Iceberg", "iceberg"]

HISTORY = 8  # cycles of the trend
_FEWEST = 10
_MOST = 8  # channels, and touchpoints, that the table lists of each number
_SILENT = (
    " Nothing is said of the time after the outcome: the log holds no contact there, so that all "
    "of it would be dark by the rule."
)
_DIMS = ("cycle", "side", "stage", "channel", "touchpoint")


@dataclass(frozen=True, kw_only=True, eq=False)
class Iceberg(Result):
    """What can be seen of purchases and journeys, and what cannot."""

    cycle: str
    window: str
    near: str
    later: frozenset[str]
    # Purchases, contacts and time are groups of their own.
    apart = ("metric",)

    def table(self) -> pd.DataFrame:
        """Estimates; of channels and touchpoints the largest, the others are in `estimates`."""
        return super().table()[_listed(self.estimates).to_numpy()].reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw what is seen above the water and what is not below it, from first to last."""
        rows = self.estimates[self.estimates["cycle"].isna() & self.estimates["channel"].isna()]
        seen = rows[rows["metric"] == "iceberg.purchases_seen_share"].assign(
            label="all", part="Purchases"
        )
        dark = rows[(rows["metric"] == "iceberg.dark_share") & rows["stage"].notna()]
        # A few journeys are interrupted by the service for an earlier purchase: in the table.
        dark = dark[(dark["side"] == AFTER) | ~dark["stage"].isin(self.later)]
        dark = dark.assign(
            label=dark["stage"], part="Time " + dark["side"], estimate=1 - dark["estimate"]
        )
        if seen.empty and dark.empty:  # neither orders nor stages
            return None
        drawn = pd.concat([f for f in (seen, dark) if len(f)], ignore_index=True)
        return charts.waterline(drawn, label="label", value="estimate", part="part", ax=ax)

    def sentence(self) -> str:
        """Say how many of ten purchases come unseen, and how dark the time is around them."""
        now = self.estimates[
            self.estimates[["cycle", "stage", "channel", "touchpoint"]].isna().all(axis=1)
            & ~self.estimates["suppressed"].astype(bool)
        ]
        parts = [
            f"{words.value(row['estimate'], 'share')} of the time {row['side']}"
            for row in now[now["metric"] == "iceberg.dark_share"].to_dict("records")
        ]
        lie = "lies" if len(parts) == 1 else "lie"
        dark = f"{words.listing(parts)} {lie} more than {self.near} from any contact"
        said = [self._unseen(now), *([dark] if parts else [])]
        told = "; ".join(part for part in said if part) or f"{self.cycle} tells too little"
        return f"{words.begun(told)}."

    def _unseen(self, now: pd.DataFrame) -> str:
        """Say how many purchases come unseen; nothing where the study has no orders."""
        if not (self.estimates["metric"] == "iceberg.purchases_seen_share").any():
            return ""
        seen = now[now["metric"] == "iceberg.purchases_seen_share"]
        if seen.empty:
            return f"too few purchases of {self.cycle} to say how many come unseen"
        row = seen.iloc[0]
        low, high = 1 - row["conf_high"], 1 - row["conf_low"]
        unseen = 1 - row["estimate"]
        tenths = round(10 * unseen)
        many = f"about {tenths} of 10" if 0 < tenths < 10 else f"{words.value(unseen, 'share')} of"
        return (
            f"{many} purchases of {self.cycle} come without any contact that we can see in the "
            f"{self.window} before "
            f"({words.interval(low, high, 'share')})"
        )


def iceberg(
    journeys: Journeys,
    orders: TableLike | None = None,
    *,
    cycle: Cycle,
    window: str = "30 days",
    near: str = "12 hours",
    complete_from: date | None = None,
) -> Iceberg:
    """Say how much of purchases, contacts and time the log cannot show.

    Parameters
    ----------
    journeys : Journeys
        As `split_journeys` gives them, cut at the end of the cycle.
    orders : table, optional
        `customer_id`, `placed_at` (UTC), and `status`, `channel` where known. Without it
        nothing is said of purchases, since a log holds only those that it saw.
    cycle : Cycle
        Purchases, outcomes and contacts within its window.
    window : str
        How far before a purchase or a contact one looks for what led to it, and how long the
        time after an outcome is followed.
    near : str
        Time further than this from any contact is dark.
    complete_from : datetime.date, optional
        First day for which the data are complete: only what lies a window later is counted,
        and no earlier cycle is in the trend.

    Returns
    -------
    Iceberg
        `iceberg.purchases_seen_share` (by cycle, and by channel of the order),
        `iceberg.purchasers_seen_share`, `iceberg.unexplained_share` (of contacts of later
        stages, by cycle and touchpoint) and `iceberg.dark_share` (of time, by cycle, stage and
        channel of the contact that a pause follows, before and after the outcome).

    Raises
    ------
    Withheld
        If the log knows no customer, begins too late, or nothing of the cycle can be counted.

    Notes
    -----
    A purchase is seen if its customer had a contact in the window before it and after the
    purchase before; the outcome itself and contacts of later stages do not count. Earlier
    cycles are counted in the same way, as known now.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> from cxlab.data.journey_settings import JourneySettings
    >>> from cxlab.journeys.cases import split_journeys
    >>> people = [f"c{i}" for i in range(40)]
    >>> log = pd.DataFrame({"customer_id": people[:20] * 2, "activity": "seen",
    ...                     "occurred_at": pd.to_datetime(["2017-12-01", "2018-02-01"]).repeat(20)})
    >>> orders = pd.DataFrame({"customer_id": people, "placed_at": pd.Timestamp("2018-02-03")})
    >>> now = parse_cycle("2018Q1")
    >>> journeys = split_journeys(log, JourneySettings(), cutoff=now.cutoff)
    >>> iceberg(journeys, orders, cycle=now).sentence()[:75]
    'About 5 of 10 purchases of 2018Q1 come without any contact that we can see '
    """
    since = _since(journeys, cycle, window, complete_from)
    windows = window_frame(_cycles(cycle, since), since)
    rows = [] if orders is None else _of_purchases(journeys, orders, windows, cycle, window)
    rows += _of_contacts(journeys, orders, windows, cycle, window)
    of_time, is_silent = _of_time(journeys, windows, cycle, window, near)
    rows += of_time
    if not rows:
        raise Withheld(
            f"Nothing of {cycle.name} can be set against the log: no order, no outcome, and no "
            "contact after one. Name the outcome and the stages after it under `journey`. "
            f"{journeys.unseen}".rstrip()
        )
    left = [f"{words.number(n)} contacts {reason}" for reason, n in journeys.left_out.items()]
    frame = pd.DataFrame(rows)
    unlisted = int((~_listed(frame)).sum())
    return Iceberg(
        estimates=frame,
        subtitle=f"Share of what the log of {cycle.name} can show (above) and cannot (below), %",
        note=f"A purchase is seen with a contact of its customer within {window} before it and "
        f"after the purchase before. Time is dark further than {near} from any contact: before "
        f"the outcome since the first contact, after it until the next journey, for {window} at "
        "most, where these are over."
        + _late(since, cycle, window)
        + _SILENT * is_silent
        + (" Without orders nothing is said of purchases." if orders is None else "")
        + (f" Left out: {words.listing(left)}." if left else "")
        + (
            f" Listed are the {_MOST} largest channels and touchpoints each; "
            f"{words.plural(unlisted, 'number')} of rarer ones are kept in findings.csv."
            if unlisted
            else ""
        ),
        cycle=cycle.name,
        window=window,
        near=near,
        later=frozenset(journeys.places.loc[journeys.places["is_after"], "stage"]),
    )


def _listed(estimates: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows the table lists: of channels and touchpoints those with most behind them."""
    kinds = estimates["channel"].notna() | estimates["touchpoint"].notna()
    groups = [estimates[c].fillna("") for c in ("metric", "side")]
    groups += [estimates[c].notna() for c in ("channel", "touchpoint")]
    rank = estimates["n"].groupby(groups).rank(method="first", ascending=False, na_option="bottom")
    return ~kinds | (rank.where(kinds) <= _MOST)


def _late(since: datetime, cycle: Cycle, window: str) -> str:
    if since <= cycle.start:
        return ""
    first = since.replace(tzinfo=UTC).astimezone(ZoneInfo(cycle.time_zone)).date()
    return (
        f" The log begins so late that it reaches {window} back from {first} on: nothing of "
        f"{cycle.name} before that is counted."
    )


def _since(journeys: Journeys, cycle: Cycle, window: str, complete_from: date | None) -> datetime:
    """From when on the log reaches a whole window back: before, nothing could be seen."""
    first = query("select min(started_us) as first from j", j=journeys.journeys)["first"][0]
    begins = moment_at(int(first))
    if complete_from is not None:
        begins = max(begins, replace(cycle, first_day=complete_from).start)
    since = begins + timedelta(microseconds=span_us(window))
    if since >= cycle.cutoff:
        raise Withheld(
            f"What led to a purchase is looked for in the {window} before it, but the log begins "
            f"so late that it reaches back so far for nothing in {cycle.name}."
        )
    return since


def _cycles(cycle: Cycle, since: datetime) -> list[Cycle]:
    """List the cycle, and those before it that the log can show whole."""
    cycles = [cycle]
    while len(cycles) < HISTORY and cycles[0].previous.start >= since:
        cycles.insert(0, cycles[0].previous)
    return cycles


def _of_purchases(
    journeys: Journeys, orders: TableLike, windows: pd.DataFrame, cycle: Cycle, window: str
) -> list[dict[str, Any]]:
    known = query("select count(customer_id) as n from j", j=journeys.journeys)["n"][0]
    if not known:
        raise Withheld(
            "Purchases are of customers, but the log knows anonymous visitors only, so that no "
            "contact can be set against a purchase. Map customer_id of interactions."
        )
    bought = purchases(journeys, orders, windows, window=window)
    by_cycle = purchase_sums(bought, by="cycle").to_dict("records")
    now = [r for r in by_cycle if r["name"] == cycle.name]
    rows = [_seen(r) for r in now]
    rows += [
        interval_row(
            "iceberg.purchasers_seen_share", wilson(r["met"], r["persons"]), unit="share",
            count=float(r["met"]), **_dims(),
        )
        for r in now
    ]  # fmt: skip
    rows += [_seen(r, cycle=r["name"]) for r in by_cycle]
    by_channel = purchase_sums(bought, by="channel", cycle=cycle.name)
    if set(by_channel["name"]) - {NOT_KNOWN}:
        rows += [_seen(r, channel=r["name"]) for r in by_channel.to_dict("records")]
    return rows


def _seen(sums: dict[Any, Any], **dims: object) -> dict[str, Any]:
    found = clustered_share(_clusters(sums))
    count = float(sums["met"])
    return interval_row(
        "iceberg.purchases_seen_share", found, unit="share", count=count, **_dims(**dims)
    )


def _of_contacts(
    journeys: Journeys, orders: TableLike | None, windows: pd.DataFrame, cycle: Cycle, window: str
) -> list[dict[str, Any]]:
    if not journeys.places["is_after"].any():
        return []
    found = antecedents(journeys, orders, windows, window=window)
    by_cycle = antecedent_sums(found).to_dict("records")
    rows = [_unexplained(r) for r in by_cycle if r["name"] == cycle.name]
    rows += [_unexplained(r, cycle=r["name"]) for r in by_cycle]
    word = "touchpoint" if journeys.places["touchpoint"].nunique() > 1 else None
    if word:
        names = journeys.places[["place", word]].set_axis(["place", "name"], axis=1)
        by_place = antecedent_sums(found, by=names, cycle=cycle.name).to_dict("records")
        rows += [_unexplained(r, touchpoint=r["name"]) for r in by_place]
    return rows


def _unexplained(sums: dict[Any, Any], **dims: object) -> dict[str, Any]:
    found = clustered_share(_clusters(sums))
    count = float(sums["met"])
    return interval_row(
        "iceberg.unexplained_share", found, unit="share", count=count, **_dims(**dims)
    )


def _of_time(
    journeys: Journeys, windows: pd.DataFrame, cycle: Cycle, window: str, near: str
) -> tuple[list[dict[str, Any]], bool]:
    """Make the rows of dark time, and tell whether nothing is logged after the outcome."""
    if not journeys.places["is_outcome"].any():
        return [], False
    cut = pauses(journeys, windows, window=window, near=near)
    if is_silent := is_silent_after(cut):
        cut = view("select d.* from d where side = 0", d=cut)
    by_cycle = dark_sums(cut)
    rows = _dark(by_cycle[by_cycle["name"] == cycle.name], None)
    rows += _dark(by_cycle, "cycle")
    for word in ("stage", "channel"):
        if journeys.places[word].nunique() == 1:
            continue
        names = journeys.places[["place", word]].set_axis(["place", "name"], axis=1)
        found = dark_sums(cut, by=names, cycle=cycle.name)
        place = journeys.places.drop_duplicates(word).set_index(word)["place"]
        ordered = found.assign(at=found["name"].map(place)).sort_values(["side", "at"])
        rows += _dark(ordered if word == "stage" else found, word)
    return rows, is_silent


def _dark(sums: pd.DataFrame, word: str | None) -> list[dict[str, Any]]:
    rows = []
    # Where all pauses together are less than a second there is no time to have a share of.
    for r in sums[(sums["people"] >= _FEWEST) & (sums["n"] > 0)].to_dict("records"):
        dims = {"side": AFTER if r["side"] else BEFORE} | ({word: r["name"]} if word else {})
        rows.append(
            interval_row(
                "iceberg.dark_share", dark_share(r), unit="share", count=float(r["people"]),
                **_dims(**dims),
            )
        )  # fmt: skip
    return rows


def _clusters(sums: dict[Any, Any]) -> dict[str, float]:
    return {k: float(sums[k]) for k in ("persons", "n", "total", "n_n", "n_total", "total_total")}


def _dims(**given: object) -> dict[str, object]:
    return {name: given.get(name) for name in _DIMS}
