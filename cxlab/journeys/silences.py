"""Do journeys go on after the silence that counts as their end?

Without a key they cannot, for what follows a silence is another journey then. With one, a case
may rest for longer than the study's gap, be counted as ended, and go on.
"""

from datetime import datetime

import pandas as pd

from cxlab.data.engine import Table, TableLike, in_one_engine, query
from cxlab.data.journey_settings import JourneySettings
from cxlab.data.span import moment_us, span_us
from cxlab.journeys.contacts import contact_view
from cxlab.report import words

__all__ = ["early_ends"]

_FEW = 10  # silences, below which nothing is said of them
_OFTEN = 0.1  # of the silences go on: too many to call each an end
_RARELY = 0.05
_GAP, _LONGEST = 10, 100_000  # tenths of the gap
_DAY_US = 86_400_000_000


def early_ends(interactions: TableLike, settings: JourneySettings, *, cutoff: datetime) -> str:
    """Say how many of the silences that count as an end were followed by another contact.

    Parameters
    ----------
    interactions : table
        As for `split_journeys`.
    settings : JourneySettings
        Of which `key` and `gap` say what an end is.
    cutoff : datetime
        Contacts from this moment on are not known yet (UTC).

    Returns
    -------
    str
        Empty where fewer than ten or than a tenth of them were, or where no silence is an end.
    """
    (log,) = in_one_engine(interactions)
    key, gap = settings.key, settings.gap
    if key is None or gap is None or key not in log.columns:
        return ""
    if not {"customer_id", "anonymous_id"} & {*log.columns}:  # whose they are, nobody can tell
        return ""
    tenth = span_us(gap) // _GAP
    pauses = _pauses(contact_view(log, key=key, cutoff=cutoff), settings, tenth, cutoff)
    by_length = pauses.pivot_table(index="tenths", columns="goes_on", values="n", aggfunc="sum")
    by_length = by_length.reindex(columns=[0, 1]).fillna(0.0)[::-1].cumsum()[::-1]  # as long
    by_length = by_length[by_length.index >= _GAP]
    if by_length.empty or by_length[1].iloc[0] < _FEW:
        return ""
    share, whole = by_length[1] / by_length.sum(axis=1), by_length.iloc[0].sum()
    if share.iloc[0] < _OFTEN:
        return ""
    advice = "Set it to null"
    if share.iloc[-1] < _RARELY:
        often = int(share.index[share >= _RARELY][-1])
        longer = words.duration((often + 1) * tenth / _DAY_US)
        advice = f"After {longer} fewer than 5% go on: set it to as much, or to null"
    return (
        f"journey.gap is {gap}, but {words.value(share.iloc[0], 'share')} of the "
        f"{words.number(whole)} longer silences were followed by another contact of the same {key} "
        f"(journey.key), and counted as an end all the same. {advice}."
    )


def _pauses(
    contacts: Table, settings: JourneySettings, tenth: int, cutoff: datetime
) -> pd.DataFrame:
    """Count the silences before an end by length, and whether a contact followed them.

    What was lost and won in the end is on its way until it is won, as for journeys.
    """
    kinds = dict.fromkeys(settings.lost, 1) | dict.fromkeys(settings.outcome, 2)
    kinds |= {"": 0}  # never without a row
    return query(
        f"""
        with known as (
            select c.case_id, c.at_us, coalesce(k.kind, 0) as kind,
                max(coalesce(k.kind, 0)) over (partition by c.case_id) as best
            from c left join k on c.activity = k.activity
        ),
        ordered as (
            select at_us, lead(at_us) over (partition by case_id order by at_us, kind) as next_us,
                max(case when kind = best then kind else 0 end) over (
                    partition by case_id order by at_us, kind
                    rows between unbounded preceding and current row) as is_over
            from known
        ),
        timed as (
            select case when next_us is null then 0 else 1 end as goes_on,
                least((coalesce(next_us, $until) - at_us - 1) // {tenth}, {_LONGEST}) as tenths
            from ordered where is_over = 0
        )
        select goes_on, tenths, count(*) as n from timed
        group by goes_on, tenths order by tenths, goes_on
        """,
        c=contacts,
        k=pd.DataFrame({"activity": list(kinds), "kind": list(kinds.values())}),
        until=moment_us(cutoff),
        limit=10**6,
    )
