"""Do customers live through the journey that was planned for them?

The planned map is replayed against the log: how many journeys follow it, how many contacts
do, where the others part from it, and what those buy who part from it.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from cxlab.columns import NOT_KNOWN
from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike
from cxlab.errors import Withheld
from cxlab.journeys.cases import Journeys
from cxlab.journeys.decided import still_open
from cxlab.journeys.maps.deviations import (
    BACK,
    CHANNEL,
    LONG,
    OUTSIDE,
    SKIPPED,
    TOUCHPOINT,
    Replay,
    amounts,
)
from cxlab.journeys.maps.fitting import (
    SHARE,
    deviation_rows,
    money_rows,
    most_frequent,
    overall_rows,
)
from cxlab.journeys.maps.phases import (
    APART_BY_STAGE,
    EVERYBODY,
    Chosen,
    Stages,
    decided_in,
    stages_of,
)
from cxlab.journeys.maps.watched import FEWEST
from cxlab.report import charts, words
from cxlab.report.finding import Result

__all__ = ["Fitness", "fitness"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitness(Result):
    """How well the log fits the planned map, and the ways in which it does not.

    Attributes
    ----------
    unseen : list of str
        Stages that stand in the plan and have no contact in the log.
    unplanned : list of str
        Touchpoints of the log that no stage plans.
    """

    cycle: str
    personas: list[str]
    unseen: list[str]
    unplanned: list[str]
    apart = APART_BY_STAGE

    def table(self) -> pd.DataFrame:
        """One row per number; what is the same in all rows left out."""
        frame = super().table()
        empty = [c for c in ("persona", "stage", "detail", "deviation") if frame[c].isna().all()]
        one = ["persona"] if frame["persona"].nunique() == 1 else []
        return frame.drop(columns=list({*empty, *one}))

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of journeys with each deviation."""
        rows = self._of(SHARE).head(12)
        if rows["estimate"].notna().sum() == 0:
            return None
        rows = rows.assign(what=[deviation_said(row) for row in rows.to_dict("records")])
        return charts.bars(
            rows, label="what", unit="share", low="conf_low", high="conf_high",
            axis="Share of journeys, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many follow the plan, and what most others do."""
        fits = self._of("plan.journeys_share").iloc[0]
        if fits["suppressed"]:
            said = "Too few journeys follow the plan, or part from it, to say how many do"
        else:
            ends = words.interval(fits["conf_low"], fits["conf_high"], "share")
            said = (
                f"{words.value(fits['estimate'], 'share')} of {words.plural(fits['n'], 'journey')} "
                f"follow the plan from end to end ({ends})"
            )
        rows = self._of(SHARE).dropna(subset="estimate")
        if len(rows):
            top = rows.sort_values("estimate", ascending=False, kind="stable").iloc[0]
            said += (
                f"; most often they part from it like this: {deviation_said(top)} "
                f"({words.value(top['estimate'], 'share')})"
            )
        if self.unseen:
            said += f". On paper only, without a contact in the log: {words.listing(self.unseen)}"
        return f"{said}."

    def _of(self, metric: str) -> pd.DataFrame:
        rows = self.estimates[self.estimates["metric"] == metric]
        return rows[rows["persona"] == self.personas[0]].reset_index(drop=True)


def fitness(
    journeys: Journeys,
    *,
    cycle: Cycle,
    persona: TableLike | None = None,
    interactions: TableLike | None = None,
    currency: str = "",
    most: int = 12,
) -> Fitness:
    """Replay the planned map against the journeys that were decided in a cycle.

    Parameters
    ----------
    journeys : Journeys
        From `split_journeys`, with the study's `journey.stages`.
    cycle : Cycle
        In which they were decided, whenever they began.
    persona : table, optional
        `customer_id` and one more column: each persona apart.
    interactions : table, optional
        With `value_amount` at the outcome, for the money behind each deviation.
    currency : str
        Of these amounts, ISO 4217.
    most : int
        Deviations that are listed, the most frequent first; the others are counted.

    Returns
    -------
    Fitness
        `plan.journeys_share`: journeys without any deviation. `plan.contacts_share`: contacts
        in a planned stage, touchpoint and channel and not back, of all contacts and all
        stages skipped. `plan.deviation_share`, `plan.deviation_journeys` and
        `plan.deviation_amount` by deviation.

    Raises
    ------
    Withheld
        If the study plans no map, or fewer than ten journeys are decided.

    Notes
    -----
    A journey is decided with its outcome, when it is lost, or when its silence has become longer
    than the gap: of those that began in a cycle only the quick ones are by its end. Deviations
    are: a stage that is not optional skipped on the way to a later one; a contact in an earlier
    stage than was reached before; a stage that took longer, from its first contact to its last,
    than `within`; a contact at a touchpoint or channel that its stage does not plan; a contact in
    a stage that is not planned. What the log does not say deviates from nothing, a stage that it
    does not know is skipped by nobody, and what loses a journey may come at any stage.
    Intervals: Wilson's on the effective number of journeys, persons as clusters.

    References
    ----------
    The share of moves that log and model make together is the fitness of conformance
    checking: van der Aalst (2016), Process Mining, 2nd ed., chapter 8; here by direct rules.
    """
    if not journeys.settings.stages:
        raise Withheld(
            "There is no planned map to hold the log against: declare journey.stages in study.yaml."
        )
    stages = stages_of(journeys)
    chosen = decided_in(journeys, stages, cycle=cycle, persona=persona)
    going = still_open(journeys, cycle)
    replay = Replay(journeys, chosen, stages)
    rows, people = overall_rows(replay, chosen)
    if all(row["suppressed"] for row in rows if row["metric"] == "plan.journeys_share"):
        raise Withheld(
            f"Fewer than {FEWEST} journeys were decided in {cycle.name}, too few to say whether "
            "they follow the plan."
        )
    found, left = most_frequent(replay, chosen, most)
    for row in found.to_dict("records"):
        rows += deviation_rows(row, people.loc[row["persona"]])
    has_money = interactions is not None and "value_amount" in _columns(interactions)
    if has_money and interactions is not None and journeys.settings.outcome:
        rows += money_rows(found, amounts(replay, interactions, journeys, cycle=cycle), currency)
    unplanned = _unplanned(journeys, stages)
    return Fitness(
        estimates=pd.DataFrame(rows),
        subtitle="Share of journeys that follow the planned map, and of those with each "
        f"deviation, journeys decided in {cycle.name}; 95% interval",
        noted=lambda least: " ".join(
            [
                _base_said(
                    chosen, people, going, least, has_silence=journeys.settings.gap is not None
                ),
                *["Money is what these journeys bought at their outcome; it is not lost."]
                * has_money,
                *[f"{words.plural(left, 'rarer deviation')} not listed."] * bool(left),
                *_unnamed_said(chosen, least),
                *_unplanned_said(unplanned),
            ]
        ),
        cycle=cycle.name,
        personas=chosen.personas,
        unseen=_unseen(stages, chosen),
        unplanned=unplanned,
    )


def deviation_said(row: Any) -> str:
    """Write a deviation in words: 'consider skipped', 'buy took longer than planned'."""
    stage, detail = (None if pd.isna(row[c]) else row[c] for c in ("stage", "detail"))
    return {
        SKIPPED: f"{stage} skipped",
        BACK: f"back to {stage}",
        LONG: f"{stage} longer than planned",
        TOUCHPOINT: f"{stage} at {detail}, not planned there",
        CHANNEL: f"{stage} by {detail}, not planned there",
        OUTSIDE: f"{detail}, in no planned stage",
    }[row["deviation"]]


def _unseen(stages: Stages, chosen: Chosen) -> list[str]:
    """List the planned stages in which the journeys of the cycle have no contact."""
    return [name for i, name in enumerate(stages.names) if i not in chosen.met]


def _unplanned(journeys: Journeys, stages: Stages) -> list[str]:
    """List the touchpoints of the log that no stage plans."""
    if not any(stage.touchpoints for stage in stages.plan.values()):
        return []
    planned = {t for stage in stages.plan.values() for t in stage.touchpoints}
    return sorted({*journeys.places["touchpoint"]} - planned - {NOT_KNOWN})


def _unplanned_said(unplanned: list[str]) -> list[str]:
    return [f"Touchpoints that no stage plans: {words.listing(unplanned)}."] * bool(unplanned)


def _columns(table: TableLike) -> list[str]:
    return list(table.column_names if isinstance(table, pa.Table) else table.columns)


def _base_said(
    chosen: Chosen, people: pd.DataFrame, going: int, least: int, *, has_silence: bool
) -> str:
    """Say which journeys were held against the plan, and which wait."""
    base = int(people.loc[people.index.isin(chosen.personas), "n"].sum())
    said = (
        f"Base: {words.plural(base, 'journey')} that came to the outcome, were lost or fell silent "
        "in the cycle, whenever they began; each counts once in each way in which it deviates. "
        "Wilson interval, persons as clusters."
    )
    if not has_silence:
        said += (
            " Nothing tells when other journeys are over (journey.gap is null), so that they are "
            "never held against the plan."
        )
    if going:
        said += (
            f" Still open, and left to a later cycle: {words.plural_from(least, going, 'journey')}."
        )
    return said


def _unnamed_said(chosen: Chosen, least: int) -> list[str]:
    if chosen.personas == [EVERYBODY] or not chosen.unnamed:
        return []
    nobody = words.plural_from(least, chosen.unnamed, "journey")
    return [f"Left out, since nobody knows their persona: {nobody}."]
