"""What does the log hold: which contacts, by which channel, of how many people, known or not?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from cxlab.columns import ALL_OTHERS, NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query, view
from cxlab.data.journey_settings import MEDIA, Medium
from cxlab.errors import Withheld
from cxlab.journeys.contacts import contact_view, contacts_left_out
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import clustered_share
from cxlab.stats.intervals import wilson

__all__ = ["Contacts", "contacts"]

_MOST = 20  # groups shown one by one
_FEWEST = 10  # people without whom no share is worth its name


@dataclass(frozen=True, kw_only=True, eq=False)
class Contacts(Result):
    """Contacts of a cycle by channel, touchpoint, stage or activity."""

    by: str
    cycle: str
    # All contacts are another group than those of customers.
    apart = ("metric",)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each group, the largest on top; offline ones say so."""
        rows = self._rows("contacts.share")
        named = rows[self.by].where(rows["medium"] != "offline", rows[self.by] + " (offline)")
        return charts.bars(
            rows.assign(**{self.by: named}), label=self.by, unit="share",
            low="conf_low", high="conf_high", axis="Share of contacts, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How much the log holds, how much of it offline, and how much it leaves open."""
        total = self._rows("contacts.count").iloc[0]
        if total["suppressed"]:
            return f"Too few people were met in {self.cycle} to say where."
        said = f"The log of {self.cycle} holds {words.plural(total['estimate'], 'contact')}"
        parts = [
            (self._one("contacts.offline_share"), "come from offline channels"),
            (self._some("contacts.untold_share"), "do not tell whether they do"),
            (self._one("contacts.share", NOT_KNOWN), f"name no {self.by}"),
            (self._one("contacts.known_share"), "are of known customers"),
        ]
        told = [f"{words.value(x, 'share')} {what}" for x, what in parts if x is not None]
        return f"{said}; {words.listing(told)}." if told else f"{said}."

    def _one(self, metric: str, group: str | None = None) -> float | None:
        rows = self._rows(metric)
        rows = rows if group is None else rows[rows[self.by] == group]
        return None if rows.empty or rows["suppressed"].iloc[0] else float(rows["estimate"].iloc[0])

    def _some(self, metric: str) -> float | None:
        """Read a share that is worth a word only where it is not 0."""
        return self._one(metric) or None

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)


def contacts(
    interactions: TableLike,
    *,
    cycle: Cycle,
    by: Literal["channel", "touchpoint", "stage", "activity"] = "touchpoint",
    media: Mapping[str, Medium] | None = None,
) -> Contacts:
    """Count the contacts of a cycle, and the people whom they reached.

    Parameters
    ----------
    interactions : table
        With `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and where the
        log has them `stage`, `touchpoint`, `channel`, `is_bot`.
    cycle : Cycle
        Contacts within its window.
    by : {"channel", "touchpoint", "stage", "activity"}
        What contacts are grouped by. A contact that names none is counted as 'not known'.
    media : mapping of str to {"online", "offline"}, optional
        Whether a screen is part of a channel, besides those whose name tells it, such as the
        study's `journey.media`. A channel of neither is counted as not telling it.

    Returns
    -------
    Contacts
        `contacts.share` of each group with `medium` (offline, online, both, or not known),
        `contacts.reach` (share of all people who were met there), and of all contacts those
        from offline channels, those that do not tell it, and those of known customers.

    Raises
    ------
    Withheld
        If fewer than ten people were met in the cycle.

    Notes
    -----
    Contacts of one person resemble each other: shares of contacts have Wilson's interval
    on the number of independent contacts that these are worth. Contacts of robots are left
    out, and so are those of nobody known; the note counts both.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> log = pd.DataFrame({"customer_id": [f"c{i}" for i in range(12)], "activity": "seen",
    ...                     "occurred_at": pd.Timestamp("2018-02-01"), "channel": "tv"})
    >>> contacts(log, cycle=parse_cycle("2018Q1"), by="channel").sentence()[:70]
    'The log of 2018Q1 holds 12 contacts; 100.0% come from offline channels'
    """
    (log,) = in_one_engine(interactions)
    # Kept, since three questions are asked of it.
    rows = keep(
        view(
            f"select person_id, customer_id, {by}"
            + (", channel" if by != "channel" else "")
            + " from c",
            c=contact_view(log, start=cycle.start, cutoff=cycle.cutoff),
        )
    )
    kinds = _media(rows, media)
    whole = _whole(rows, kinds)
    people = int(whole["persons"])
    if people < _FEWEST:
        raise Withheld(
            f"Shares of contacts need at least {_FEWEST} people, but the log holds contacts of "
            f"{words.number(people)} in {cycle.name}."
        )
    groups = _groups(rows, by, kinds)
    return Contacts(
        estimates=pd.DataFrame([*_overall(whole, by), *_by_group(groups, whole, by)]),
        subtitle=f"Share of the contacts of {cycle.name} by {by}, %; 95% interval, people as "
        "clusters",
        note=_note(log, cycle, whole, by, kinds),
        by=by,
        cycle=cycle.name,
    )


def _media(rows: Table, media: Mapping[str, Medium] | None) -> pd.DataFrame:
    """Say of each channel of the log whether a screen is part of it: 1, 0 or missing."""
    found = query("select distinct channel from c order by channel", c=rows)
    said = {**MEDIA, **(media or {})}
    offline = {"offline": 1, "online": 0}
    known = [said.get(c) or said.get(str(c).lower().replace(" ", "_")) for c in found["channel"]]
    codes = [offline[k] if k else None for k in known]
    return found.assign(offline=pd.array(codes, dtype="Int64"))


def _whole(rows: Table, kinds: pd.DataFrame) -> pd.Series:
    """Sums over people of all contacts, of those offline or untold, and of known customers."""
    counted = {"offline": "is_offline", "known": "is_known", "untold": "is_untold"}
    sums = ", ".join(
        f"sum({name}) as {name}_total, sum({name} * n) as {name}_n_total, "
        f"sum({name} * {name}) as {name}_total_total, "
        f"count(*) filter (where {name} > 0) as {name}_persons"
        for name in counted
    )
    each = ", ".join(f"sum({flag}) as {name}" for name, flag in counted.items())
    found = query(
        f"""
        with flagged as (
            select c.person_id,
                coalesce(o.offline, 0) as is_offline,
                case when o.offline is null then 1 else 0 end as is_untold,
                case when c.customer_id is null then 0 else 1 end as is_known
            from c join o on c.channel = o.channel
        ),
        person as (select person_id, count(*) as n, {each} from flagged group by person_id)
        select count(*) as persons, coalesce(sum(n), 0) as n, sum(n * n) as n_n, {sums}
        from person
        """,
        c=rows,
        o=kinds,
    )
    return found.iloc[0]


def _groups(rows: Table, by: str, kinds: pd.DataFrame) -> pd.DataFrame:
    """Sums over people by group, the largest first; what is beyond the largest as one."""
    order = query(
        f"select {by} as name, count(*) as n from c group by {by} "
        f"order by n desc, name limit {_MOST + 1}",
        c=rows,
    )
    shown = order.head(_MOST) if len(order) > _MOST else order
    found = query(
        f"""
        with named as (
            select c.person_id, coalesce(s.name, $others) as name,
                coalesce(o.offline, 0) as offline,
                case when o.offline is null then 1 else 0 end as silent
            from c left join s on c.{by} = s.name join o on c.channel = o.channel
        ),
        per_group as (
            select person_id, name, count(*) as y, sum(offline) as offline, sum(silent) as silent
            from named group by person_id, name
        ),
        person as (select person_id, sum(y) as n from per_group group by person_id)
        select g.name, count(*) as reached, sum(y) as total, sum(y * n) as n_total,
            sum(y * y) as total_total, sum(g.offline) as offline, sum(g.silent) as silent
        from per_group as g join person as p on g.person_id = p.person_id
        group by g.name order by g.name
        """,
        c=rows,
        s=shown[["name"]],
        o=kinds,
        others=ALL_OTHERS,
    )
    # What is known stands before what is not, and the others last of all.
    last = found["name"].map({NOT_KNOWN: 1, ALL_OTHERS: 2}).fillna(0)
    ranked = found.assign(last=last, size=-found["total"])
    return ranked.sort_values(["last", "size", "name"], kind="stable").reset_index(drop=True)


def _overall(whole: pd.Series, by: str) -> list[dict[str, Any]]:
    silent = {by: None, "medium": None}
    n, people = float(whole["n"]), float(whole["persons"])
    rows = [
        estimate_row(
            "contacts.count", n, n, n, n=n, count=people, unit="count",
            method="complete count", **silent,
        )
    ]  # fmt: skip
    told = whole["untold_total"] < whole["n"]
    shares = {"known": True, "offline": told, "untold": told}
    for name in [k for k, told in shares.items() if told]:
        found = clustered_share(
            {"persons": people, "n": n, "n_n": whole["n_n"]}
            | {k: whole[f"{name}_{k}"] for k in ("total", "n_total", "total_total")}
        )
        count = float(whole[f"{name}_persons"])
        rows.append(
            interval_row(f"contacts.{name}_share", found, unit="share", count=count, **silent)
        )
    return rows


def _by_group(groups: pd.DataFrame, whole: pd.Series, by: str) -> list[dict[str, Any]]:
    people = float(whole["persons"])
    rows = []
    for metric in ("contacts.share", "contacts.reach"):
        for group in groups.to_dict("records"):
            found = wilson(group["reached"], people)
            if metric == "contacts.share":
                found = clustered_share(
                    {"persons": people, "n": whole["n"], "n_n": whole["n_n"]}
                    | {k: group[k] for k in ("total", "n_total", "total_total")}
                )
            rows.append(
                interval_row(
                    metric, found, unit="share", count=float(group["reached"]),
                    **{by: group["name"], "medium": _medium(group)},
                )
            )  # fmt: skip
    return rows


def _medium(group: dict[Any, Any]) -> str:
    if group["silent"] == group["total"]:
        return NOT_KNOWN
    if group["offline"] in (0, group["total"] - group["silent"]):
        return "offline" if group["offline"] else "online"
    return "both"


def _note(log: Table, cycle: Cycle, whole: pd.Series, by: str, kinds: pd.DataFrame) -> str:
    left = contacts_left_out(log, cutoff=cycle.cutoff, start=cycle.start)
    said = (
        f"Base: {words.plural(float(whole['n']), 'contact')} of {words.number(whole['persons'])} "
        f"people (known customers and anonymous visitors) in {cycle.name}."
    )
    if left:
        gone = [f"{words.number(n)} {reason}" for reason, n in left.items()]
        said += f" Left out: {words.listing(gone)}."
    if by not in log.columns:
        said += f" The log has no column {by!r}, so that all contacts are 'not known'."
    untold = kinds.loc[kinds["offline"].isna(), "channel"]
    if set(kinds["channel"]) == {NOT_KNOWN}:
        said += " No contact names its channel, so that offline ones cannot be told."
    elif named := [c for c in untold if c != NOT_KNOWN]:
        said += (
            f" Whether a screen is part of it, {_channels(named)} "
            f"{'does' if len(named) == 1 else 'do'} not tell: declare it in `journey.media`."
        )
    return said


def _channels(named: list[str]) -> str:
    """Name channels; of many how many there are, and the first."""
    few = words.first_few(named)
    return few if few == words.listing(named) else f"{len(named)} channels ({few})"
