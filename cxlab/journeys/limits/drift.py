"""Does the map still hold: have channels and paths moved since it was approved?"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.columns import ALL_OTHERS
from cxlab.data.calendar import Cycle
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.limits.drift_counts import (
    FEWEST,
    Of,
    count_people,
    kinds_told_apart,
    person_counts,
    products,
)
from cxlab.report import charts, words
from cxlab.report.finding import Result, estimate_row, interval_row
from cxlab.stats.clusters import clustered_share
from cxlab.stats.divergence import Shift, shift_of_shares
from cxlab.stats.intervals import z_quantile

__all__ = ["Drift", "drift", "drifts"]

_PEOPLE = 30  # in each cycle, for the normal limit of the permutation
_NOUN = {"activity": "activities", "path": "paths", "transition": "steps"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Drift(Result):
    """Jensen-Shannon distance between two cycles, and which shares moved."""

    of: str
    cycle: str
    since: str
    review_distance: float

    @property
    def is_due(self) -> bool:
        """Whether the map is due for review: far enough, and not by chance."""
        distance = self._one("drift.distance")["estimate"]
        return bool(
            distance > self.review_distance and self._one("drift.p_value")["estimate"] < 0.05
        )

    @property
    def reason(self) -> str:
        """Say in a few words why the map is due."""
        return f"{_NOUN.get(self.of, f'{self.of}s')} have moved since {self.since}"

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the change of each share."""
        rows = self.estimates[self.estimates["metric"] == "drift.share_change"]
        named = rows[self.of].where(
            rows["presence"] == "in both", rows[self.of] + " (" + rows["presence"] + ")"
        )
        return charts.diverging(
            rows.assign(**{self.of: named}).reset_index(drop=True), label=self.of, unit="share",
            ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """Say whether the map is due for review, how far things moved, and what chance would do."""
        row, chance = self._one("drift.distance"), self._one("drift.expected_distance")
        noun = _NOUN.get(self.of, f"{self.of}s")
        if row["suppressed"]:
            return f"Too few people were met to say whether {noun} moved since {self.since}."
        p = self._one("drift.p_value")["estimate"]
        told = (
            f"distance {words.value(row['estimate'], 'points')} on a scale of 0 to 1 "
            f"({words.interval(row['conf_low'], row['conf_high'], 'points')}), where chance alone "
            f"gives {words.value(chance['estimate'], 'points')}"
        )
        if self.is_due:
            said = f"The map is due for review: {noun} have moved since {self.since}, {told}"
        elif p < 0.05:
            said = (
                f"{noun.capitalize()} have moved a little since {self.since}, less than the "
                f"{words.value(self.review_distance, 'points')} from which the map is due for "
                f"review: {told}"
            )
        else:
            said = f"No clear move of {noun} since {self.since}: {told}"
        rows = self.estimates[~self.estimates["suppressed"].astype(bool)]
        for presence, what in (("new", "new"), ("gone", "no longer met")):
            names = rows.loc[rows["presence"] == presence, self.of].dropna().unique().tolist()
            said += f"; {what}: {words.first_few([str(n) for n in names])}" if names else ""
        return f"{said}."

    def _one(self, metric: str) -> Any:
        return self.estimates[self.estimates["metric"] == metric].iloc[0]


_found: WeakKeyDictionary[Journeys, dict[tuple[object, ...], "Drift"]] = WeakKeyDictionary()


def drifts(journeys: Journeys, *, cycle: Cycle, since: Cycle | None) -> list[Drift]:
    """Tell how far channels and ways have moved, as far as that can be told.

    Parameters
    ----------
    journeys, cycle, since
        As in `drift`.

    Returns
    -------
    list of Drift
        Of channels and of paths; without those that are withheld.
    """
    found = []
    for of in ("channel", "path"):
        with suppress(Withheld):
            found.append(drift(journeys, cycle=cycle, since=since, of=of))
    return found


def drift(
    journeys: Journeys,
    *,
    cycle: Cycle,
    since: Cycle | None,
    of: Of = "channel",
    seed: int = 1,
    draws: int = 9_999,
) -> Drift:
    """Compare what people do in a cycle with that in which the map was approved.

    Parameters
    ----------
    journeys : Journeys
        As `split_journeys` gives them; their settings say from which distance on the map is
        due for review.
    cycle : Cycle
        Contacts within its window.
    since : Cycle or None
        The cycle of approval, `journey.approved` of the settings.
    of : {"channel", "touchpoint", "stage", "activity", "transition", "path"}
        What is compared: contacts by one of their words; steps from one touchpoint to the next
        within a journey; or the touchpoints of journeys that began in the cycle, in their
        order, repeats taken together, the first eight. Without touchpoints, channels or
        activities stand in.
    seed : int
        Feeds `numpy.random.default_rng`.
    draws : int
        Permutations.

    Returns
    -------
    Drift
        `drift.distance` (Jensen-Shannon distance with base 2, the square root of the
        divergence), `drift.expected_distance` (what chance alone gives), `drift.p_value`, and
        by kind the share now and its change; `presence` says what is new or gone.

    Raises
    ------
    Withheld
        If no cycle of approval is named, it is not earlier or has fewer than thirty people, or
        the log does not name what is compared.

    Notes
    -----
    People are permuted, not contacts: see `cxlab.stats.divergence.shift_of_shares`. Kinds met
    by fewer than ten people, and those beyond the twenty most frequent, are one; which these
    are does not depend on the cycle. Both cycles are cut at their ends, so that journeys still
    going on look alike in both.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> from cxlab.data.journey_settings import JourneySettings
    >>> from cxlab.journeys.cases import split_journeys
    >>> log = pd.DataFrame({
    ...     "customer_id": [f"c{i}" for i in range(80)], "activity": "seen",
    ...     "channel": ["web"] * 40 + ["app"] * 40,
    ...     "occurred_at": pd.to_datetime(["2018-02-01"] * 40 + ["2018-05-01"] * 40)})
    >>> now = parse_cycle("2018Q2")
    >>> found = drift(split_journeys(log, JourneySettings(), cutoff=now.cutoff), cycle=now,
    ...               since=now.previous)
    >>> found.sentence()[:63]
    'The map is due for review: channels have moved since 2018Q1, di'
    """
    key = (cycle, since, of, seed, draws)
    known = _found.setdefault(journeys, {})
    if key not in known:
        known[key] = _drift(journeys, cycle=cycle, since=since, of=of, seed=seed, draws=draws)
    return known[key]


def _drift(
    journeys: Journeys, *, cycle: Cycle, since: Cycle | None, of: Of, seed: int, draws: int
) -> Drift:
    if since is None:
        raise Withheld(
            "Drift is counted from the cycle in which the map was last approved, but none is "
            "named: set journey.approved in study.yaml."
        )
    if since >= cycle:
        raise Withheld(
            f"The map was approved in {since.name}, not before {cycle.name}: it has had no time to "
            "drift."
        )
    rows, names = person_counts(journeys, of, cycle=cycle, since=since)
    then, now = count_people(rows, "before"), count_people(rows, "now")
    for period, found in ((since, then), (cycle, now)):
        if found < _PEOPLE:
            raise Withheld(
                f"Drift needs at least {_PEOPLE} people in each cycle, but {words.number(found)} "
                f"were met in {period.name}."
            )
    kinds = kinds_told_apart(rows, names)
    crossed = products(rows, kinds)
    shift = _shift(crossed, people=count_people(rows), seed=seed, draws=draws)
    return Drift(
        estimates=pd.DataFrame(
            [*_overall(shift, min(then, now), of), *_by_kind(kinds, crossed, shift, now, of)]
        ),
        subtitle=f"Change of the share of {_NOUN.get(of, f'{of}s')}, percentage points, from "
        f"{since.name} to {cycle.name}; 95% interval, people as clusters",
        note=f"Base: {words.number(then)} people in {since.name} and {words.number(now)} in "
        f"{cycle.name}. Jensen-Shannon distance, base 2, from 0 (the same) to 1 (nothing in "
        "common); chance alone never gives 0, which the interval takes into account. Due for "
        f"review above {words.value(journeys.settings.review_distance, 'points')} with p below "
        f"0.05. Kinds met by fewer than {FEWEST} people are among all others.",
        of=of,
        cycle=cycle.name,
        since=since.name,
        review_distance=journeys.settings.review_distance,
    )


def _matrix(crossed: pd.DataFrame, name: str, mirrored: str) -> NDArray[np.float64]:
    size = int(crossed["b"].max()) + 1
    found = np.zeros((size, size))
    a, b = crossed["a"].to_numpy(), crossed["b"].to_numpy()
    found[b, a] = crossed[mirrored]
    found[a, b] = crossed[name]
    return found


def _on_the_diagonal(crossed: pd.DataFrame) -> pd.DataFrame:
    """Return what is told of each kind itself, one row per rank."""
    own = crossed[crossed["a"] == crossed["b"]].set_index("a")
    return own.reindex(range(int(crossed["b"].max()) + 1), fill_value=0)


def _shift(crossed: pd.DataFrame, *, people: int, seed: int, draws: int) -> Shift:
    own = _on_the_diagonal(crossed)
    before, now = own["before"].to_numpy(float), own["now"].to_numpy(float)
    n, m = now.sum(), before.sum()
    mixed = _matrix(crossed, "nb", "bn") / (n * m)
    each = _matrix(crossed, "nn", "nn") / n**2 + _matrix(crossed, "bb", "bb") / m**2
    return shift_of_shares(
        before, now, each - mixed - mixed.T, people=people, seed=seed, draws=draws
    )


def _overall(shift: Shift, people: int, of: str) -> list[dict[str, Any]]:
    how: dict[str, Any] = {"n": people, "count": people, of: None, "presence": None}
    test = "distances under which the one found is not unusual"
    return [
        estimate_row(
            "drift.distance", shift.distance, shift.low, shift.high, unit="points",
            method=f"{test}; {shift.method}", **how,
        ),
        estimate_row(
            "drift.expected_distance", shift.expected, shift.expected_low, shift.expected_high,
            unit="points", method=f"{shift.method}; 95 % range", **how,
        ),
        estimate_row(
            "drift.p_value", shift.p, np.nan, np.nan, unit="p", method=shift.method, **how
        ),
    ]  # fmt: skip


def _by_kind(
    kinds: pd.DataFrame, crossed: pd.DataFrame, shift: Shift, people: int, of: str
) -> list[dict[str, Any]]:
    """Share of each kind now, and its change."""
    own, nn = _on_the_diagonal(crossed), _matrix(crossed, "nn", "nn")
    told = [(k["name"], k["presence"]) for k in kinds.to_dict("records")]
    half = z_quantile(0.95) * shift.change_se
    shares, changes = [], []
    for i, counts in enumerate(own.to_dict("records")):
        name, presence = told[i] if i < len(told) else (ALL_OTHERS, "in both")
        dims = {of: name, "presence": presence}
        sums = {
            "persons": float(people), "n": float(own["now"].sum()), "n_n": float(nn.sum()),
            "total": float(counts["now"]), "n_total": float(nn[i].sum()),
            "total_total": float(nn[i, i]),
        }  # fmt: skip
        met = float(counts["people_before"]), float(counts["people_now"])
        if presence != "gone":
            found = clustered_share(sums)
            shares.append(interval_row("drift.share", found, unit="share", count=met[1], **dims))
        change = float(shift.change[i])
        changes.append(
            estimate_row(
                "drift.share_change", change, max(-1.0, change - half[i]),
                min(1.0, change + half[i]), n=float(counts["now"] + counts["before"]),
                # Of what is new or gone, nobody stands behind the other side.
                count=min(met) if presence == "in both" else max(met), unit="share",
                method="normal interval, people as clusters", **dims,
            )
        )  # fmt: skip
    return shares + changes
