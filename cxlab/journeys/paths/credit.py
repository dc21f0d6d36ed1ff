"""What attribution rests on: credits by place and moves between places, part by part.

Persons are dealt into a hundred parts by chance. All models but one are sums over
journeys, and the one left needs sums of moves: so a part is a short table, whatever its
length was, and parts drawn again with replacement are persons drawn again, each with all
their journeys and each journey with all its moves.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from cxlab.data.engine import Table, keep, query, view
from cxlab.journeys.paths.ways import START, Ways
from cxlab.stats.chains import removal_effects
from cxlab.stats.intervals import t_quantile

__all__ = ["MODELS", "PARTS", "Credits", "Resampled", "credits_of", "resampled"]

MODELS = ("first", "last", "linear", "position", "time decay", "Markov", "Shapley")
PARTS = 100
_SUMS = tuple(name for name in MODELS if name != "Markov")
_PRIME = 2_147_483_629  # the products of two numbers below it fit into a BIGINT
_DAY = 86_400_000_000  # microseconds

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Credits:
    """Sums of a cycle's journeys by part.

    Attributes
    ----------
    sums : numpy.ndarray, shape (models without Markov, places, parts)
        Conversions credited to each place.
    moves : numpy.ndarray, shape (places + 1, places + 2, parts)
        Moves from the start (first row) and each place, to each place, to the outcome and to
        any other end.
    people : numpy.ndarray, shape (models, places)
        Persons whose conversions a credit is made of.
    stays, alone : int
        Stays of all journeys, and conversions with a single one.
    """

    sums: Floats
    moves: Floats
    people: Floats
    stays: int
    alone: int

    @property
    def filled(self) -> Floats:
        """Which parts have journeys: 1 or 0 each."""
        return np.asarray(self.moves.sum(axis=(0, 1)) > 0, dtype=np.float64)

    @property
    def parts(self) -> int:
        """How many parts have journeys."""
        return int(self.filled.sum())


def credits_of(found: Ways, *, half_life_days: float, seed: int, parts: int = PARTS) -> Credits:
    """Sum up credits and moves of each part.

    Parameters
    ----------
    found : Ways
        The stays of a cycle's journeys.
    half_life_days : float
        Days before the outcome after which a stay weighs half, in the model of time decay.
    seed : int
        How persons are dealt into parts.
    parts : int
        How many; 1 where no interval is wanted.

    Returns
    -------
    Credits
        Sums whose totals over parts do not depend on the seed.

    Notes
    -----
    Shapley's value of the game whose worth is the conversions of journeys that met only
    places of a coalition: the conversions of a set of places are that set's dividend
    (Harsanyi 1963), so each is split evenly over the distinct places of its journey, and
    nothing has to be worked out for coalitions (Zhao, Mahboobi & Bagheri 2018,
    arXiv:1804.05327).
    """
    places = len(found.names)
    linked = keep(_linked(found, _dealt(found, seed=seed, parts=parts)))
    mine = keep(_by_journey(linked, found, half_life_days))
    table = _by_part(linked, mine, places, parts)
    counts = np.zeros((places + 1, places + 2, parts))
    credit = np.zeros((len(_SUMS), places, parts))
    is_move = table["model"] < 0
    for rows, into in ((table[is_move], counts), (table[~is_move], credit)):
        into[rows["line"], rows["cell"]] = rows.iloc[:, 3:].to_numpy(float)
    alone = query("select count(*) as n from m where n = 1", m=mine)["n"][0]
    return Credits(
        sums=credit, moves=counts, people=_people(mine, places),
        stays=int(counts[:, :places].sum()), alone=int(alone),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Resampled:
    """Estimates and the ends of their intervals, arrays of one shape."""

    estimate: Floats
    low: Floats
    high: Floats


def resampled(
    known: Credits, *, draws: int, seed: int, level: float = 0.95
) -> tuple[Resampled, Resampled]:
    """Work out all models, and how sure they are, by drawing parts again.

    Parameters
    ----------
    known : Credits
        Sums by part.
    draws : int
        Bootstrap samples.
    seed : int
        Feeds `numpy.random.default_rng`.
    level : float
        Confidence level.

    Returns
    -------
    credit : Resampled, shape (models, places)
        Share of all conversions.
    effect : Resampled, shape (places,)
        Removal effects.

    Notes
    -----
    Student's interval on the logit scale, with the standard error of the draws: like Wilson's
    it stays within 0 and 1, and reaches farther to the side where there is more room.

    References
    ----------
    Wolter (2007), Introduction to Variance Estimation, chapter 2 (random groups).
    """
    few = max(known.parts, 2)
    drawn = np.random.default_rng(seed).multinomial(
        known.parts, known.filled / known.parts, size=draws
    )
    once = np.ones((1, len(known.filled)))
    quantile = t_quantile(level, few - 1)
    found = []
    for (exact,), again in zip(
        _shares(known, once), _shares(known, drawn.astype(np.float64)), strict=True
    ):
        se = np.nanstd(again, axis=0) * math.sqrt(few / (few - 1))
        inside = np.clip(exact, 1e-12, 1 - 1e-12)
        half = quantile * se / (inside * (1 - inside))
        low, high = (expit(logit(inside) + side * half) for side in (-1, 1))
        # What no draw changed has no width: nobody took part, or everybody.
        found.append(Resampled(exact, np.minimum(low, exact), np.maximum(high, exact)))
    return found[0], found[1]


def _shares(known: Credits, weights: Floats) -> tuple[Floats, Floats]:
    """Credit of all models and removal effects, for each row of weights of the parts."""
    sums = np.tensordot(weights, known.sums, axes=(1, 2))
    effects = removal_effects(np.tensordot(weights, known.moves, axes=(1, 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        each = sums / sums.sum(axis=-1, keepdims=True)
        markov = effects / effects.sum(axis=-1, keepdims=True)
    return np.insert(each, MODELS.index("Markov"), markov, axis=1), effects


def _linked(found: Ways, dealt: Table | None) -> Table:
    """Put each contact beside the place before it: one look at the log gives all moves.

    A contact that begins a stay is a move into it; the last contact of a journey ends it.
    """
    begins = "true" if found.repeats else "before is null or before <> code"
    part, join = ("0", "") if dealt is None else ("p.part", "join p on c.person = p.person")
    return view(
        f"""
        select journey, code, before_us, part, converted, coalesce(before, {START}) as before,
            case when {begins} then 1 else 0 end as begins,
            case when follows is null then 1 else 0 end as ends
        from (
            select journey, code, before_us, part, converted,
                lag(code) over (partition by journey order by position) as before,
                lead(code) over (partition by journey order by position) as follows
            from (
                -- Short numbers: what is sorted has to be carried along.
                select c.journey, cast(c.position as int) as position,
                    cast(c.code as smallint) as code, c.decided_us - c.at_us as before_us,
                    cast({part} as smallint) as part, c.converted
                from c {join}
            ) as n
        ) as m
        where follows is null or {begins}
        """,
        c=found.contacts,
        **({} if dealt is None else {"p": dealt}),
    )


def _dealt(found: Ways, *, seed: int, parts: int) -> Table | None:
    """Deal persons into parts by chance: `person`, `part`; None where there is one part.

    They are numbered by what they did and when, so that a name decides nothing but between
    two who cannot be told apart. A cubic with chance coefficients over a prime field deals any
    four of them independently (Wegman & Carter 1981), and is the same arithmetic everywhere.
    """
    if parts == 1:
        return None
    a, b, c, d = (int(x) for x in np.random.default_rng(seed).integers(1, _PRIME, size=4))
    cubic = f"(({a} * n + {b}) % {_PRIME} * n + {c}) % {_PRIME} * n + {d}"
    return view(
        f"""
        select person, ({cubic}) % {_PRIME} % {parts} as part
        from (
            select person, cast(row_number() over (order by first_us, last_us, bought, journeys,
                person) as bigint) as n
            from (
                select person, min(decided_us) as first_us, max(decided_us) as last_us,
                    sum(case when state = 'converted' then 1 else 0 end) as bought,
                    count(*) as journeys
                from d group by person
            ) as p
        ) as q
        """,
        d=found.decided,
    )


def _by_journey(linked: Table, found: Ways, half_life_days: float) -> Table:
    """Say of each place of a journey with an outcome what its credit hangs on.

    `person`, `part`, `code` of the place; its `stays`, whether it `is_first` and `is_last`, its
    share of the journey's weights by `decay`; of the journey `n` stays at so many `kinds`.

    Age counts from the journey's latest stay, whose weight is 1: shares are the same, and no
    journey is so old that all its weights are lost in rounding.
    """
    half_life = f"{half_life_days * _DAY:.1f}"
    return view(
        f"""
        with aged as (
            select *, before_us - min(case when begins = 1 then before_us end)
                over (partition by journey) as older_us
            from l where converted = 1
        ),
        placed as (
            select journey, part, code, cast(sum(begins) as int) as stays,
                coalesce(sum(case when begins = 1 then
                    {_exact(f"power(0.5, older_us / {half_life})")} end), 0) as weight,
                max(case when before = {START} then 1 else 0 end) as is_first,
                max(ends) as is_last
            from aged group by journey, part, code
        ),
        whole as (
            select *, sum(stays) over (partition by journey) as n,
                count(*) over (partition by journey) as kinds,
                sum(weight) over (partition by journey) as weights
            from placed
        )
        select d.person, part, code, stays, is_first, is_last, cast(n as int) as n,
            cast(kinds as int) as kinds, {_exact("weight / nullif(weights, 0)")} as decay
        from whole as w join d on w.journey = d.journey
        """,
        l=linked,
        d=found.decided,
    )


def _exact(share: str) -> str:
    """Write a share of one conversion so that the order of rows does not change a sum of them."""
    return f"cast({share} as decimal(18, 15))"


# Two ends share 80 %, what lies between them the rest.
_POSITION = """
    case when n <= 2 then (is_first + is_last) / 2.0
        else 0.4 * is_first + 0.4 * is_last
            + 0.2 * (stays - is_first - is_last) / nullif(n - 2, 0) end
"""
# Credits of so many conversions that are alike in what a model looks at, all with as many
# decimals as a share has: a CASE takes the type of its widest branch, and so cuts the others.
_CREDIT = {
    "first": f"{_exact('is_first')} * alike",
    "last": f"{_exact('is_last')} * alike",
    "linear": f"{_exact('stays / nullif(n, 0)')} * alike",
    "position": f"{_exact(_POSITION)} * alike",
    "time decay": "decay",
    "Shapley": f"{_exact('1.0 / nullif(kinds, 0)')} * alike",
}


def _by_part(linked: Table, mine: Table, places: int, parts: int) -> pd.DataFrame:
    """Add up moves (model -1) and the credits of each model, a column a part.

    A part as a column: as many rows as places and moves, not a hundred times as many.
    """
    chosen = " ".join(f"when m.model = {i} then {_CREDIT[m]}" for i, m in enumerate(_SUMS))
    columns = ", ".join(f"sum(x) filter (where part = {i}) as p{i}" for i in range(parts))
    return query(
        f"""
        select model, line, cell, {columns} from (
            select -1 as model, before + 1 as line, code as cell, part,
                cast(count(*) as double) as x
            from l where begins = 1 group by before, code, part
            union all
            select -1 as model, code + 1 as line, {places + 1} - converted as cell, part,
                cast(count(*) as double) as x
            from l where ends = 1 group by code, converted, part
            union all
            -- Decimals are added up before they are doubles: the order of rows must not matter.
            select m.model, m.model as line, p.code as cell, p.part,
                cast(sum(case {chosen} end) as double) as x
            from (
                select code, part, stays, is_first, is_last, n, kinds,
                    cast(count(*) as decimal(19, 0)) as alike, sum(decay) as decay
                from mine group by code, part, stays, is_first, is_last, n, kinds
            ) as p cross join m
            group by m.model, p.code, p.part
        ) as c
        group by model, line, cell order by model, line, cell
        """,
        l=linked,
        mine=mine,
        m=pd.DataFrame({"model": range(len(_SUMS))}),
    ).fillna(0)


def _people(mine: Table, places: int) -> Floats:
    """Count the persons behind each credit: those whose first or last place it was, or who came."""
    found = query(
        """
        select code, count(distinct person) as came,
            count(distinct case when is_first = 1 then person end) as began,
            count(distinct case when is_last = 1 then person end) as closed
        from mine group by code order by code
        """,
        mine=mine,
    )
    people = np.zeros((len(MODELS), places))
    people[:, found["code"]] = found["came"]
    for model, column in (("first", "began"), ("last", "closed")):
        people[MODELS.index(model), found["code"]] = found[column]
    return people
