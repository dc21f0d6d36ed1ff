"""Which journeys a cycle counts: those that were decided in it.

A journey is decided by its outcome, by its loss, or when the silence after its last contact has
become longer than the study's gap. So each is counted in one cycle, and those without an outcome
are waited for as long as in every cycle: of journeys that began in a cycle only those that were
quick are decided by its end. Where a key says what belongs together, what had fallen silent and
comes to its outcome after all counts again, in the cycle of the outcome.
"""

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, query, view
from cxlab.data.span import moment_us, span_us
from cxlab.errors import ParameterError
from cxlab.journeys.cases import Journeys

__all__ = ["ENDS", "decided", "known_to", "still_open"]

ENDS = ("converted", "lost", "ended")  # how a decided journey ends


def decided(journeys: Journeys, cycle: Cycle) -> Table:
    """Pick the journeys that were decided in the cycle: whose, how, and when.

    Returns
    -------
    Table
        `journey`, `person` (a number), `state`, `decided_us`, `touches` (until and at what decided
        it), `anonymous` (1 or 0).
    """
    journeys = known_to(journeys, cycle)
    return view(
        """
        select journey, person, state, decided_us, touches,
            case when customer_id is null then 1 else 0 end as anonymous
        from d where decided_us >= $start_us and decided_us < $cutoff_us
        """,
        d=_moments(journeys),
        start_us=moment_us(cycle.start),
        cutoff_us=moment_us(cycle.cutoff),
    )


def still_open(journeys: Journeys, cycle: Cycle) -> int:
    """Count the journeys that had begun by the end of a cycle and were decided later, or never."""
    journeys = known_to(journeys, cycle)
    found = query(
        """
        select count(*) as n from d
        where started_us < $cutoff_us and (decided_us is null or decided_us >= $cutoff_us)
        """,
        d=_moments(journeys),
        cutoff_us=moment_us(cycle.cutoff),
    )
    return int(found["n"][0])


def known_to(journeys: Journeys, cycle: Cycle) -> Journeys:
    """Take the journeys as known at the cycle's end, where what came later could change them."""
    if journeys.cutoff < cycle.cutoff:
        raise ParameterError(
            f"Journeys must be known to the end of {cycle.name}, but are known to "
            f"{journeys.cutoff:%Y-%m-%d}. Split them again."
        )
    # Without a key, what decides a journey also parts it from what comes later.
    return journeys if journeys.settings.key is None else journeys.as_of(cycle.cutoff)


def _moments(journeys: Journeys) -> Table:
    """Say when each journey was decided; what is open never was."""
    gap = journeys.settings.gap
    silent = "null" if gap is None else f"ended_us + {span_us(gap)}"
    return view(
        f"""
        select journey, person, customer_id, state, started_us, touches,
            case when state = 'converted' then outcome_us when state = 'lost' then lost_us
                when state = 'ended' then {silent} end as decided_us
        from j where state <> 'after only'
        """,
        j=journeys.journeys,
    )
