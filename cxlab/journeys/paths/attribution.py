"""Which places get the credit for the outcome? Seven ways to share it out, side by side.

None of them says what a place brought about: they share out the outcomes of journeys that
were seen, by rules. Where the rules disagree, the number is a convention.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.errors import ParameterError, Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.paths.credit import MODELS, Credits, credits_of, resampled
from cxlab.journeys.paths.ways import FEWEST, NOTHING, OTHER, Size, Ways, ways
from cxlab.report import charts, disclosure, words
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Result, estimate_row

__all__ = ["Attribution", "attribution"]

NOT_CAUSAL = (
    "No model is causal: each shares out outcomes of journeys that were seen, by a rule. What "
    "would be missing without a channel, only an experiment can tell."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution(Result):
    """Conversions credited to each channel by each model, on the same journeys."""

    of: str
    conversions: int

    def protect(self, rules: Policy | int) -> Self:
        """Withhold credits of few people; a channel that is never last is empty by nature."""
        safe = disclosure.protect(self.estimates, rules, sparse=True)
        return replace(self, estimates=safe, note=self.note_for(rules))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of each channel (rows) by each model (columns)."""
        return charts.heatmap(
            self._rows("attribution.credit_share"),
            row="channel",
            column="model",
            unit="share",
            ax=ax,
        )

    def sentence(self) -> str:
        """Say how far the models differ about the channel with the largest credit."""
        rows = self._rows("attribution.credit_share").dropna(subset="estimate")
        rows = rows[~rows["channel"].isin([OTHER, NOTHING])]
        if rows.empty:
            return "No channel has enough people behind its conversions to be shown."
        top = rows.groupby("channel", sort=False)["estimate"].mean().idxmax()
        own = rows[rows["channel"] == top]
        ranked = own.sort_values("estimate", kind="stable")
        least, most = ranked.iloc[0], ranked.iloc[-1]
        if len(own) == 1 or least["estimate"] == most["estimate"]:
            said = f"{top} gets {words.value(most['estimate'], 'share')}"
        else:
            said = (
                f"{top} gets {words.value(least['estimate'], 'share')} "
                f"({least['model']}) to {words.value(most['estimate'], 'share')} "
                f"({most['model']})"
            )
        return (
            f"Depending on the model, {said} of the credit for "
            f"{words.plural(self.conversions, 'conversion')}; none of the models is causal."
        )

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)


def attribution(
    journeys: Journeys,
    *,
    cycle: Cycle,
    of: str | None = None,
    models: Sequence[str] = MODELS,
    half_life_days: float = 7.0,
    most: int = 20,
    repeats: bool = False,
    draws: int = 500,
    seed: int = 0,
) -> Attribution:
    """Share out the conversions of a cycle over channels, by several models at once.

    Parameters
    ----------
    journeys : Journeys
        See `split_journeys`. Contacts offline (a brochure, a spot) count like all others.
    cycle : Cycle
        In which journeys were decided (see `ways`).
    of : str, optional
        channel, touchpoint, stage or activity. Default: the channel, or the touchpoint or the
        activity where the log names no channel.
    models : sequence of str
        first, last, linear (every stay alike), position (40 % the first, 40 % the last, the
        others share the rest), time decay, Markov (removal effects, divided by their sum),
        Shapley.
    half_life_days : float
        Days before the outcome after which a stay weighs half, for time decay.
    most : int
        Channels with a name of their own; the others are gathered.
    repeats : bool
        Whether contacts at one channel, one after another, are stays of their own. First,
        last, Markov and Shapley are the same either way.
    draws : int
        Bootstrap samples.
    seed : int
        Feeds `numpy.random.default_rng`.

    Returns
    -------
    Attribution
        By `channel` and `model`: `attribution.credit_share`, and `attribution.credit`, the same
        share of the conversions that were seen; they add up to them for each model. And
        `attribution.removal_effect` by `channel`: the share of conversions that a first-order
        chain would lose if every journey that reaches the channel came to nothing there.

    Raises
    ------
    ParameterError
        If a model is not known, or the half-life or the draws are not positive.
    Withheld
        If fewer than ten journeys reached the outcome, or the log never names its channels.

    Notes
    -----
    Where an outcome happens is no contact that led to it, and neither is where a journey is lost:
    their own contacts get no credit. Journeys of nothing else go to 'no contact before', so that
    credits add up to all conversions. Intervals come from
    persons drawn again: they are dealt into 100 parts by chance, and parts are drawn with
    replacement, so that a person keeps all journeys and a journey all its moves. Their standard
    error makes Student's interval on the logit scale.

    References
    ----------
    Anderl, Becker, von Wangenheim & Schumann (2016), International Journal of Research in
    Marketing 33(3), 457-474; Shapley (1953), "A value for n-person games"; Wolter (2007),
    Introduction to Variance Estimation, chapter 2 (random groups).
    """
    if unknown := [m for m in models if m not in MODELS]:
        raise ParameterError(f"models must be among {list(MODELS)}, but there is {unknown}.")
    if not half_life_days > 0 or draws < 2:
        raise ParameterError(
            f"half_life_days must be above 0 and draws at least 2, but they are "
            f"{half_life_days:g} and {draws}."
        )
    found = ways(
        journeys,
        of=_column(journeys, of),
        cycle=cycle,
        most=most,
        repeats=repeats,
        with_end=False,
    )
    if (bought := found.counts["converted"]) < FEWEST:
        raise Withheld(
            f"Attribution needs at least {FEWEST} journeys that reached the outcome, but "
            f"{bought} of those decided in {cycle.name} did."
            + (f" {found.unseen}" if found.unseen else "")
        )
    known = credits_of(found, half_life_days=half_life_days, seed=seed)
    if known.parts < 2:
        raise Withheld(
            f"Attribution needs journeys of several persons, but those decided in {cycle.name} "
            "are of one."
        )
    rows = _rows(found, known, models, draws=draws, seed=seed)
    return Attribution(
        estimates=pd.DataFrame(rows),
        subtitle=f"Share of the conversions of {cycle.name} credited to each {found.of} (rows) by "
        "each model (columns); 95% interval in the table",
        noted=lambda least: _note(found, known, least),
        of=found.of,
        conversions=bought,
    )


def _rows(
    found: Ways, known: Credits, models: Sequence[str], *, draws: int, seed: int
) -> list[dict[str, Any]]:
    credit, effect = resampled(known, draws=draws, seed=seed)
    method = (
        f"Student's interval on the logit scale, {draws:,} bootstrap draws of persons in "
        f"{known.parts} parts"
    )
    bought = found.counts["converted"]
    order = np.argsort(-credit.estimate.mean(axis=0), kind="stable")
    rows = []
    for model in models:
        m = MODELS.index(model)
        for k in order:
            three = (credit.estimate[m, k], credit.low[m, k], credit.high[m, k])
            dims = {"channel": found.name(int(k)), "model": model}
            about: dict[str, Any] = {
                "n": bought, "count": known.people[m, k], "method": method, **dims
            }  # fmt: skip
            rows.append(estimate_row("attribution.credit_share", *three, unit="share", **about))
            scaled = (x * bought for x in three)
            rows.append(estimate_row("attribution.credit", *scaled, unit="count", **about))
    for k in order:
        rows.append(
            estimate_row(
                "attribution.removal_effect", effect.estimate[k], effect.low[k], effect.high[k],
                unit="share", n=found.journeys, count=known.people[MODELS.index("Markov"), k],
                method=method, channel=found.name(int(k)), model=None,
            )
        )  # fmt: skip
    return rows


def _note(found: Ways, known: Credits, least: int) -> str:
    """Say what the credits cannot carry: single stays, and visitors whom nobody knows."""
    alone = words.plural_from(least, known.alone, "conversion")
    bare = found.counts["bare"]
    parts = [
        f"{alone} had a single stay, which every model gives all of it. The contact that is the "
        "outcome itself gets no credit"
        + (f"; where nothing came before it, that goes to '{NOTHING}'." if bare else "."),
        found.note(Size(known.stays, 0), least),
    ]
    if nameless := found.counts["anonymous"]:
        parts.append(
            f"{words.plural_from(least, nameless, 'journey')} are of visitors whom no customer "
            "could be matched to: contacts before somebody was known cannot be joined to a later "
            "conversion, so early places get too little."
        )
    return " ".join([*parts, NOT_CAUSAL])


def _column(journeys: Journeys, of: str | None) -> str:
    """Take the channel, or the next best that the log names."""
    if of is not None:
        return of
    named = (c for c in ("channel", "touchpoint") if not (journeys.places[c] == NOT_KNOWN).all())
    return next(named, "activity")
