"""Do the same people stand behind the funnels of two cycles?

Whoever converts readily in one cycle tends to in the next; whoever has just bought may not
need to again. Either way two cycles are not two samples of strangers.
"""

import math
from dataclasses import dataclass

from cxlab.data.engine import Table, query, view
from cxlab.journeys.funnels.rates import StepCounts
from cxlab.journeys.funnels.units import Entered
from cxlab.stats.clusters import covariance

__all__ = ["BothCycles", "both_cycles"]


@dataclass(frozen=True, kw_only=True, eq=False)
class BothCycles:
    """People with mature entries in two cycles, and sums over them of products.

    Attributes
    ----------
    people : float
        How many entered in both.
    products : dict of (int, int) to float
        Sum over people of arrivals at a step now times arrivals at a step before; steps count
        from 1.
    """

    people: float
    products: dict[tuple[int, int], float]

    def correlation(
        self, now: StepCounts, before: StepCounts, step: int, *, of_entrants: bool = False
    ) -> float:
        """Correlation of one step's rate between the cycles; `step` counts from 0."""
        sums, sums_before = (c.sums(step, of_entrants=of_entrants) for c in (now, before))
        spread = sums.variance * sums_before.variance
        if self.people == 0 or not spread > 0:
            return 0.0
        base, at = 1 if of_entrants else int(now.steps["before"].iloc[step]) + 1, step + 1
        shared = covariance(
            sums, sums_before, customers=sums.customers + sums_before.customers - self.people,
            n_n=self.products[base, base], n_total=self.products[base, at],
            total_n=self.products[at, base], total_total=self.products[at, at],
        )  # fmt: skip
        return max(-1.0, min(1.0, shared / math.sqrt(spread)))


def both_cycles(now: Entered, before: Entered) -> BothCycles:
    """Multiply how far each person got in a cycle with how far they got in the one before.

    Parameters
    ----------
    now, before : Entered
        Of one funnel; their units are asked for once.

    Returns
    -------
    BothCycles
        Sums over the people who entered in both.
    """
    spec = now.funnel
    steps = range(1, len(spec.steps) + 1)
    required = [n for n, step in enumerate(spec.steps, 1) if not step.optional]
    # A rate is made of a step and the required one before it, or the first.
    bases = {n: {n, 1, max((r for r in required if r < n), default=1)} for n in steps}
    pairs = sorted({(i, j) for n in steps for i in bases[n] for j in bases[n]})
    sums = ", ".join(f"coalesce(sum(a.y_{i} * b.y_{j}), 0) as p_{i}_{j}" for i, j in pairs)
    found = query(
        f"select count(*) as people, {sums} from a join b on a.person = b.person",
        a=_arrivals(now),
        b=_arrivals(before),
    ).iloc[0]
    return BothCycles(
        people=float(found["people"]),
        products={(i, j): float(found[f"p_{i}_{j}"]) for i, j in pairs},
    )


def _arrivals(found: Entered) -> Table:
    """How often each person got to each step, of entries whose window is over."""
    steps = range(1, len(found.funnel.steps) + 1)
    counts = ", ".join(
        f"sum(case when at_{n} is null then 0 else weight end) as y_{n}" for n in steps
    )
    return view(
        f"""
        select person, {counts} from u where entry + {found.asked.window} < $seen_until
        group by person having sum(weight) > 0
        """,
        u=found.units,
        seen_until=found.seen_until,
    )
