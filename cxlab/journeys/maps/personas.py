"""Whose journeys are mapped apart?"""

import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, query, view
from cxlab.data.span import moment_us
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys

__all__ = ["OTHERS", "personas"]

OTHERS = "other personas"


def personas(
    journeys: Journeys, persona: TableLike | None, *, cycle: Cycle, smallest: int = 30
) -> Table | None:
    """Take small personas together, so that what is withheld of them blanks no other.

    Parameters
    ----------
    journeys : Journeys
        From `split_journeys`.
    persona : table or None
        `customer_id` and one more column; None where the study declares no persona.
    cycle : Cycle
        People with a journey that began in it are counted.
    smallest : int
        People, below which a persona is not mapped by itself. Those that are smaller, and
        where these are too few together the next one, are `OTHERS`.

    Returns
    -------
    Table or None
        `customer_id`, `persona`; None without any. For all that take one, such as
        `journey_map` and `felt`.

    Raises
    ------
    Withheld
        If fewer than two personas would be left to compare.
    DataError
        If a customer is of two personas.
    """
    if persona is None:
        return None
    begun = view(
        "select distinct customer_id from j where started_us >= $start and started_us < $cutoff "
        "and customer_id is not null and state <> 'after only'",
        j=journeys.journeys,
        start=moment_us(cycle.start),
        cutoff=moment_us(cycle.cutoff),
    )
    named, name = grouped(begun, persona)
    sizes = query(
        f'select "{name}" as persona, count(*) as n from b where "{name}" <> $nobody '
        f'group by "{name}" order by n, persona',
        b=named,
        nobody=NOT_KNOWN,
    )
    small = int((sizes["n"] < smallest).sum())
    if small:
        small = max(small, int((sizes["n"].cumsum() < smallest).sum()) + 1)
    if len(sizes) - max(small - 1, 0) < 2:
        raise Withheld(
            f"Journeys are mapped by persona where two have at least {smallest} people each, but "
            f"fewer have in {cycle.name}: all are mapped together."
        )
    others = pd.DataFrame({"persona": sizes["persona"].head(small), "label": OTHERS})
    return view(
        f"""
        select m.customer_id, coalesce(o.label, m.persona) as persona
        from (select customer_id, cast("{name}" as varchar) as persona from p) as m
        left join o on m.persona = o.persona where m.persona is not null
        """,
        p=journeys.journeys.engine.table(persona),
        o=others.astype(object),
    )
