"""Who hears what customers say in public, and does bad word travel further than good?"""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, query, view
from cxlab.errors import Withheld
from cxlab.report import charts, words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import ClusterSums, cluster_mean
from cxlab.stats.differences import welch
from cxlab.stats.intervals import sample_variance, t_mean

__all__ = ["WordOfMouth", "word_of_mouth"]

BAD, BETWEEN, GOOD = "bad", "in between", "good"
FEWEST = 10  # posts of a tone, below which there is no mean
_THIRD = 3  # a scale in three parts of one width, named before any data are seen
_YEAR = 364
_Sums = dict[str, float]  # n, views, squares, people


@dataclass(frozen=True, kw_only=True, eq=False)
class WordOfMouth(Result):
    """Posts and those who saw them, by tone.

    Attributes
    ----------
    cycle : str
        In which they were written.
    """

    cycle: str

    def plot(self, *, ax: Any = None) -> Any:
        """Draw how many see a post of each tone."""
        rows = self._rows("mouth.post_views")
        if rows.empty:
            return None
        return charts.dots(rows, label="tone", unit="mean", axis="People who see a post", ax=ax)

    def sentence(self) -> str:
        """How much of what is heard is bad, and whether bad word travels further."""
        share = self._rows("mouth.bad_views_share")
        if share.empty or share["suppressed"].iloc[0]:
            return f"Too few wrote in public in {self.cycle} to say how far bad word travels."
        row = share.iloc[0]
        said = (
            "Of all views of what customers wrote in public, "
            f"{words.value(row['estimate'], 'share')} were of bad words "
            f"({words.interval(row['conf_low'], row['conf_high'], 'share')})"
        )
        gap = self._rows("mouth.post_views_difference")
        if gap.empty or gap["suppressed"].iloc[0]:
            return f"{said}."
        row = gap.iloc[0]
        low, high = float(row["conf_low"]), float(row["conf_high"])
        moved = words.change(row["estimate"], low, high, "count")
        if low <= 0 <= high:
            return (
                f"{said}; how many people see a bad post and a good one does not clearly differ: "
                f"{moved}."
            )
        way = "more" if low > 0 else "fewer"
        return f"{said}; a bad post is seen by {way} people than a good one: {moved}."

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric]


def word_of_mouth(
    comments: TableLike,
    campaigns: TableLike | None = None,
    *,
    cycle: Cycle,
    currency: str = "amount",
) -> WordOfMouth:
    """Count what customers wrote in public, and how many saw it.

    Parameters
    ----------
    comments : table
        `comment_id`, `customer_id`, `written_at`, `rating`, `scale_min`, `scale_max`, `reach`:
        those with a reach and a rating are public.
    campaigns : table, optional
        `ends_on`, `impressions`, `cost_amount`: what as many views cost where they are bought,
        by the campaigns that ended in the year before the cycle's end.
    cycle : Cycle
        In which it was written.
    currency : str
        Of the campaigns' cost, ISO 4217.

    Returns
    -------
    WordOfMouth
        By `tone` `mouth.posts`, `mouth.views` and `mouth.post_views` (a mean);
        `mouth.bad_views_share` of all views; `mouth.post_views_difference` of a bad post less a
        good one; and `mouth.same_views_amount`, the price of as many views as bad posts had.

    Raises
    ------
    Withheld
        If no comment tells how many saw it, or fewer than ten do.

    Notes
    -----
    Tones are thirds of the rating's scale. The share of views is a ratio whose error takes the
    posts of one author together; means are compared by Welch's test. The price of as many views
    is what a bought view cost so far, not a loss: nobody knows what the words did.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> posts = pd.DataFrame({
    ...     "comment_id": range(40), "customer_id": [f"c{i}" for i in range(40)],
    ...     "written_at": pd.Timestamp("2018-02-01"), "rating": [1] * 20 + [5] * 20,
    ...     "scale_min": 1, "scale_max": 5, "reach": [300 + i for i in range(20)] + [100] * 20})
    >>> word_of_mouth(posts, cycle=parse_cycle("2018Q1")).sentence()[:70]
    'Of all views of what customers wrote in public, 75.6% were of bad word'
    """
    posts = _posts(comments, cycle)
    found = query(
        """
        select tone, count(*) as n, sum(reach) as views, sum(reach * reach) as squares,
            count(distinct author) as people
        from p group by tone order by tone
        """,
        p=posts,
    )
    sums: dict[str, _Sums] = {
        str(row.pop("tone")): {str(k): float(v) for k, v in row.items()}
        for row in found.to_dict("records")
    }
    many = sum(each["n"] for each in sums.values())
    if many < FEWEST:
        raise Withheld(
            f"Word of mouth needs {FEWEST} rated posts of which it is known how many saw them, but "
            f"{words.number(many)} were written in {cycle.name}."
        )
    rows = [row for tone in (BAD, BETWEEN, GOOD) if tone in sums
            for row in _tone_rows(tone, sums[tone])]  # fmt: skip
    rows += _bad_rows(posts, sums)
    if campaigns is not None and BAD in sums:
        rows += _price_rows(campaigns, sums[BAD], cycle, currency)
    frame = pd.DataFrame(rows)
    frame["tone"] = frame["tone"].where(frame["tone"].notna(), None)
    return WordOfMouth(
        estimates=frame,
        subtitle=f"People who see what a customer wrote in public in {cycle.name}, by tone; "
        "95% intervals",
        note=f"Base: {words.plural(many, 'post')} with a rating and a known "
        "number of views. Bad and good are the lower and the upper third of the rating. Who reads "
        "two posts is counted twice. "
        + "The price of as many views is that of bought ones, not a loss. "
        * (campaigns is not None)
        + "What the words did to those who read them is not known.",
        cycle=cycle.name,
    )


def _posts(comments: TableLike, cycle: Cycle) -> Table:
    """Name each public post of the cycle: author, tone, and how many saw it."""
    (given,) = in_one_engine(comments)
    given.need("comment_id", "customer_id", "written_at")
    missing = {"rating", "scale_min", "scale_max", "reach"} - set(given.columns)
    if missing:
        raise Withheld(
            "No comment tells how many saw it, or how good it was: "
            f"map {words.listing(sorted(missing))}."
        )
    return view(
        f"""
        select coalesce(customer_id, cast(comment_id as varchar)) as author,
            case when {_THIRD} * (2 * value - low - high) > high - low then '{GOOD}'
                when {_THIRD} * (2 * value - low - high) < low - high then '{BAD}'
                else '{BETWEEN}' end as tone, reach
        from (
            select customer_id, comment_id, cast(rating as double) as value,
                cast(scale_min as double) as low, cast(scale_max as double) as high,
                cast(reach as bigint) as reach
            from c where written_at >= $start and written_at < $cutoff
        ) as s where reach is not null and value >= low and value <= high and low < high
        """,
        c=given,
        start=cycle.start,
        cutoff=cycle.cutoff,
    )


def _tone_rows(tone: str, sums: _Sums) -> list[dict[str, Any]]:
    n, views, squares, people = (sums[c] for c in ("n", "views", "squares", "people"))
    how: dict[str, Any] = {
        "unit": "count",
        "method": "complete count",
        "count": people,
        "tone": tone,
    }
    rows = [
        estimate_row("mouth.posts", n, n, n, n=n, **how),
        estimate_row("mouth.views", views, views, views, n=n, **how),
    ]
    if n >= FEWEST and sample_variance(n, views, squares) > 0:
        mean = t_mean(n, views, squares)
        rows.append(interval_row("mouth.post_views", mean, unit="mean", count=people, tone=tone))
    return rows


def _bad_rows(posts: Table, sums: dict[str, _Sums]) -> list[dict[str, Any]]:
    """Share of views that bad posts had, and whether one has more than a good one."""
    if BAD not in sums:
        return []
    found = query(
        f"""
        select count(*) as people, sum(n) as n, sum(n * n) as n_n, sum(y) as total,
            sum(n * y) as n_total, sum(y * y) as total_total, sum(has_bad) as bad,
            sum(has_other) as other
        from (
            select author, sum(reach) as n,
                sum(case when tone = '{BAD}' then reach else 0 end) as y,
                max(case when tone = '{BAD}' then 1 else 0 end) as has_bad,
                max(case when tone = '{BAD}' then 0 else 1 end) as has_other
            from p group by author
        ) as a
        """,
        p=posts,
    ).iloc[0]
    clusters = ClusterSums(
        customers=float(found["people"]),
        **{k: float(found[k]) for k in ("n", "n_n", "total", "n_total", "total_total")},
    )
    bad, few = sums[BAD], float(min(found["bad"], found["other"]))
    rows = []
    if clusters.n > 0 and clusters.variance > 0:
        posts_in_all = sum(each["n"] for each in sums.values())
        share = replace(cluster_mean(clusters).clip(0, 1), n=posts_in_all)
        rows.append(interval_row("mouth.bad_views_share", share, unit="share", count=few,
                                 tone=None))  # fmt: skip
    good = sums.get(GOOD)
    if good is not None and min(bad["n"], good["n"]) >= FEWEST:
        gap = welch(*((s["n"], s["views"], s["squares"]) for s in (bad, good)))
        least = min(bad["people"], good["people"])
        rows.append(interval_row("mouth.post_views_difference", gap, unit="mean", count=least,
                                 tone=None))  # fmt: skip
    return rows


def _price_rows(
    campaigns: TableLike, bad: _Sums, cycle: Cycle, currency: str
) -> list[dict[str, Any]]:
    """What as many views as bad posts had cost where they are bought."""
    (given,) = in_one_engine(campaigns)
    if not {"ends_on", "impressions", "cost_amount"} <= set(given.columns):
        return []
    found = query(
        """
        select count(*) as n, sum(cast(cost_amount as decimal(18, 2))) as cost,
            sum(cast(impressions as bigint)) as views
        from c where cast(ends_on as date) <= $last
            and date_diff('day', cast(ends_on as date), $last) < $days
            and cost_amount is not null and impressions > 0
        """,
        c=given,
        last=cycle.last_day,
        days=_YEAR,
    ).iloc[0]
    if not found["n"] or not float(found["views"]) > 0:
        return []
    price = float(found["cost"]) / float(found["views"])
    amount = price * bad["views"]
    return [
        estimate_row(
            "mouth.same_views_amount", amount, amount, amount, n=bad["n"], unit=currency,
            count=bad["people"], method="views times the mean price of a bought view",
            money=Money(total=float("nan"), top1=0.0, top2=0.0), tone=BAD,
        )
    ]  # fmt: skip
