"""Where does one journey of a case end, and the next one begin?

Sorting is what takes time, so contacts are whole numbers here, and sorted twice at most.
"""

import pandas as pd

from cxlab.data.engine import Table, view
from cxlab.data.journey_settings import JourneySettings
from cxlab.data.span import span_us

__all__ = ["MOST", "RANKS", "cut", "kinds"]

MOST = 10_000_000  # contacts of one case: case and first contact make one whole number
RANKS = 64  # a moment and the rank of a stage make one whole number
_PAST = "rows between unbounded preceding and 1 preceding"
_SO_FAR = "rows between unbounded preceding and current row"


def kinds(places: pd.DataFrame, settings: JourneySettings) -> pd.DataFrame:
    """Say what each place does to a journey: whether it ends it, or comes after its end."""
    planned = places["stage_no"] < len(settings.stages)
    rank = (places["stage_no"] + 1).where(planned, 0).clip(upper=RANKS - 1)
    ends = places["is_outcome"].astype(int) + 2 * places["is_lost"].astype(int)
    later = places["is_after"].astype(int)
    return places[["place"]].assign(end_kind=ends, is_later=later, stage_rank=rank)


def cut(coded: Table, places: pd.DataFrame, settings: JourneySettings) -> Table:
    """Number the journeys of each case, and the contacts of each journey."""
    marked = kinds(places, settings)
    by_key = settings.key is not None
    rows = _of_keys(coded, marked) if by_key else _of_persons(coded, marked, settings)
    return view(
        f"""
        select cast(case_no as bigint) * {MOST} + first_n as journey,
            cast(n - first_n + 1 as int) as position, at_us, place, is_after
        from r
        """,
        r=rows,
    )


def _of_keys(coded: Table, marked: pd.DataFrame) -> Table:
    """Where a key says which journey a contact belongs to, all follows its outcome, or its loss.

    What was lost and won in the end is on its way until it is won.
    """
    by_time = "partition by c.case_no order by c.at_us, c.place"
    return view(
        f"""
        select o.case_no, o.at_us, o.place, o.n, 1 as first_n,
            case when k.is_later = 1 or o.won_before = 1
                or (o.lost_before = 1 and o.is_won is null) then 1 else 0 end as is_after
        from (
            select c.case_no, c.at_us, c.place, row_number() over ({by_time}) as n,
                max(case when k.end_kind = 1 then 1 end) over ({by_time} {_PAST}) as won_before,
                max(case when k.end_kind = 2 then 1 end) over ({by_time} {_PAST}) as lost_before,
                max(case when k.end_kind = 1 then 1 end) over (partition by c.case_no) as is_won
            from c join k on c.place = k.place
        ) as o join k on o.place = k.place
        """,
        c=coded,
        k=marked[["place", "end_kind", "is_later"]],
    )


def _of_persons(coded: Table, marked: pd.DataFrame, settings: JourneySettings) -> Table:
    """Say of each contact with which one its journey began, and whether it follows an end.

    Sorting is what takes time, so it is done twice and no more. Of the contacts between two ends
    that could begin a journey the first one does. How many ends came before it and its own
    number, counted down, make one whole number: the largest so far is that of the latest.
    """
    by_time, by_number = (f"partition by case_no order by {o}" for o in ("at_us, place", "n"))
    # Moment and rank of the last end in one number: at_us can be compared with it as it is.
    since_end = f"o.at_us * {RANKS} - (o.last_end - o.last_end % {RANKS})"
    settling = span_us(settings.settling) if settings.settling else 0
    silent = "false"
    if settings.gap is not None:
        silent = f"coalesce(o.at_us - o.at_before > {span_us(settings.gap)}, false)"
    return view(
        f"""
        with ordered as (
            select case_no, at_us, place, row_number() over ({by_time}) as n,
                lag(at_us) over ({by_time}) as at_before,
                max(end_us) over ({by_time} {_PAST}) as last_end,
                count(end_us) over ({by_time} {_PAST}) as ends
            from c
        ),
        judged as (
            select o.case_no, o.at_us, o.place, o.n, o.ends * {MOST} as since, k.is_later,
                o.n = 1 or {silent} as begins,
                coalesce(k.is_later = 0 and k.end_kind <> 2 and {since_end} > 0 and (
                    k.end_kind = 1 or {since_end} > {settling * RANKS}
                    or (k.stage_rank > 0 and k.stage_rank < o.last_end % {RANKS})
                ), false) as is_new
            from ordered as o join k on o.place = k.place
        ),
        dated as (
            select case_no, at_us, place, n, follows,
                max(begins_n) over ({by_number} {_SO_FAR}) as begun_n,
                max(new_n) over ({by_number} {_SO_FAR}) as new_n
            from (
                select case_no, at_us, place, n, case when begins then n end as begins_n,
                    case when is_new or (begins and is_later = 0) then since + {MOST} - n end
                        as new_n,
                    -- It follows an end where nothing new has come since.
                    case when is_later = 1 then {MOST * MOST}
                        when since > 0 and not is_new and not begins then since end as follows
                from judged
            ) as marked
        )
        select case_no, at_us, place, n,
            greatest(begun_n, coalesce({MOST} - new_n % {MOST}, 0)) as first_n,
            case when coalesce(new_n, -1) < follows then 1 else 0 end as is_after
        from dated
        """,
        c=coded,
        k=marked,
    )
