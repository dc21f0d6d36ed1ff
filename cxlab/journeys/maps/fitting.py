"""How many journeys and contacts follow the plan, and how many part from it in each way?"""

from typing import Any

import pandas as pd

from cxlab.data.engine import query
from cxlab.journeys.maps.deviations import Replay, replayed
from cxlab.journeys.maps.phases import Chosen
from cxlab.journeys.maps.watched import FEWEST
from cxlab.report.disclosure import Money
from cxlab.report.finding import estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, effective_n
from cxlab.stats.intervals import wilson

__all__ = ["SHARE", "deviation_rows", "money_rows", "most_frequent", "overall_rows"]

SHARE, _COUNT = "plan.deviation_share", "plan.deviation_journeys"
_AMOUNT = "plan.deviation_amount"


def overall_rows(replay: Replay, chosen: Chosen) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Make the two shares that say how well log and plan fit, by persona."""
    sums = query(
        """
        select persona, count(*) as people, sum(n) as n, sum(n * n) as n_n, sum(y) as y,
            sum(n * y) as n_y, sum(y * y) as y_y, sum(case when y > 0 then 1 else 0 end) as fit,
            sum(m) as m, sum(m * m) as m_m, sum(f) as f, sum(m * f) as m_f, sum(f * f) as f_f,
            sum(case when f > 0 then 1 else 0 end) as some
        from (
            select c.persona, c.person_id, count(*) as n,
                sum(case when d.journey is null then 1 else 0 end) as y,
                sum(c.contacts + c.skipped) as m, sum(c.fitting) as f
            from c left join (select distinct journey from d) as d on c.journey = d.journey
            group by c.persona, c.person_id
        ) as p group by persona order by persona
        """,
        c=replay.contacts,
        d=replay.deviations,
    ).set_index("persona")
    rows = []
    for persona in [p for p in chosen.personas if p in sums.index]:
        s = sums.loc[persona]
        journeys = _clusters(s, "n", "y")
        moves = _clusters(s, "m", "f")
        for metric, clusters, people in (
            ("plan.journeys_share", journeys, "fit"),
            ("plan.contacts_share", moves, "some"),
        ):
            rows.append(_share(metric, clusters, float(sums[people][persona]), persona=persona))
    return rows, sums


def _clusters(s: Any, n: str, y: str) -> ClusterSums:
    return ClusterSums(
        customers=float(s["people"]), n=float(s[n]), total=float(s[y]),
        n_n=float(s[f"{n}_{n}"]), n_total=float(s[f"{n}_{y}"]), total_total=float(s[f"{y}_{y}"]),
    )  # fmt: skip


def _share(metric: str, sums: ClusterSums, people: float, **dims: object) -> dict[str, Any]:
    said: dict[str, Any] = {"persona": None, "deviation": None, "stage": None, "detail": None}
    if sums.n < FEWEST or sums.customers < 2:
        nothing = float("nan")
        row = estimate_row(
            metric, nothing, nothing, nothing, n=sums.n, count=people, unit="share",
            method=f"withheld: fewer than {FEWEST} journeys", **(said | dims),
        )  # fmt: skip
        return {**row, "suppressed": True}
    size = effective_n(sums, sums.mean * (1 - sums.mean)) if sums.repeated else None
    found = wilson(sums.total, sums.n, n_eff=size)
    return interval_row(metric, found, unit="share", count=people, **(said | dims))


def most_frequent(replay: Replay, chosen: Chosen, most: int) -> tuple[pd.DataFrame, int]:
    """Take the most frequent deviations of all personas together."""
    counts = replayed(replay)
    counts = counts[counts["persona"].isin(chosen.personas)]
    key = ["kind", "stage_no", "place"]
    size = (
        counts.groupby(key, sort=True)["journeys"].sum().sort_values(ascending=False, kind="stable")
    )
    kept = size.head(most).index
    order = {name: i for i, name in enumerate(kept)}
    listed = [tuple(k) in order for k in counts[key].itertuples(index=False)]
    found = counts[pd.Series(listed, index=counts.index, dtype=bool)]
    rank = [order[tuple(k)] for k in found[key].itertuples(index=False)]
    who = found["persona"].map({p: i for i, p in enumerate(chosen.personas)})
    found = found.assign(rank=rank, who=who).sort_values(["who", "rank"], kind="stable")
    return replay.names(found), max(0, len(size) - most)


def deviation_rows(row: dict[Any, Any], base: Any) -> list[dict[str, Any]]:
    """Make the rows of one deviation: how many journeys have it, and which share they are."""
    sums = ClusterSums(
        customers=float(base["people"]), n=float(base["n"]), total=float(row["journeys"]),
        n_n=float(base["n_n"]), n_total=float(row["n_y"]), total_total=float(row["y_y"]),
    )  # fmt: skip
    dims = {k: row[k] for k in ("persona", "deviation", "stage", "detail")}
    many = float(row["journeys"])
    count = estimate_row(
        _COUNT, many, many, many, n=float(base["n"]), count=row["people"], unit="count",
        method="complete count", **dims,
    )  # fmt: skip
    return [_share(SHARE, sums, row["people"], **dims), count]


def money_rows(found: pd.DataFrame, sums: pd.DataFrame, currency: str) -> list[dict[str, Any]]:
    """Make the rows of money: what journeys with a deviation bought at their outcome."""
    key = ["persona", "kind", "stage_no", "place"]
    rows = []
    for row in found.merge(sums, on=key, validate="one_to_one").to_dict("records"):
        dims = {k: row[k] for k in ("persona", "deviation", "stage", "detail")}
        money = Money.of(row["total"], row["gross"], row["largest"], row["two_largest"])
        total = float(row["total"])
        rows.append(
            estimate_row(
                _AMOUNT, total, total, total, n=row["journeys"], count=row["people"],
                unit=currency or "amount", method="complete sum", money=money, **dims,
            )
        )  # fmt: skip
    return rows
