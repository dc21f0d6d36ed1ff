"""Which funnel is meant: one that the study declares, or the stages of its planned map."""

import pandas as pd

from cxlab.data.engine import TableLike, in_one_engine, query
from cxlab.data.funnel_settings import Funnel, Step
from cxlab.data.journey_settings import JourneySettings
from cxlab.data.settings import Settings
from cxlab.errors import ParameterError, Withheld, did_you_mean

__all__ = ["chosen_funnel"]

_PATIENT = "90 days"  # where no silence ends a journey


def chosen_funnel(
    settings: Settings, name: str = "", *, interactions: TableLike | None = None
) -> Funnel:
    """Find a funnel by name; without a name the first one, or else the way of the stages.

    Parameters
    ----------
    settings : Settings
        Of the study, with its `funnels` and `journey`.
    name : str
        Of a declared funnel; empty for the first.
    interactions : table, optional
        In whose stages the outcome is found, where the stages make the funnel.

    Returns
    -------
    Funnel
        The declared one. Where none is declared: one step per stage until the outcome. A stage
        that holds the outcome itself is a step that may be passed by, of its other contacts:
        who buys at once has not skipped the stage of buying.

    Raises
    ------
    ParameterError
        If no funnel has the name.
    Withheld
        If neither funnels nor stages with an outcome are declared.
    """
    declared = settings.funnels
    if name and name not in declared:
        raise ParameterError(
            f"A funnel must be one of the settings' {list(declared)}, but is {name!r}."
            f"{did_you_mean(name, declared)}"
        )
    if declared:
        return declared[name or next(iter(declared))]
    way = _way_of_stages(settings.journey, _holding(settings.journey, interactions))
    if way is None:
        raise Withheld(
            "The study declares no funnel, and no stages with an outcome to make one from: add "
            "`funnels`, or `journey` with stages and an outcome, to study.yaml."
        )
    return way


def _holding(journey: JourneySettings, interactions: TableLike | None) -> set[str]:
    """Name the stages in which outcomes stand, by the settings and by the log."""
    found = {s.name for s in journey.stages if {*s.activities} & {*journey.outcome}}
    if interactions is None or not journey.outcome:
        return found
    (log,) = in_one_engine(interactions)
    if "stage" not in log.columns:
        return found
    stages = query(
        "select distinct l.stage from l join o on l.activity = o.activity order by l.stage",
        l=log,
        o=pd.DataFrame({"activity": journey.outcome}),
    )
    return found | {str(stage) for stage in stages["stage"].dropna()}


def _way_of_stages(journey: JourneySettings, holding: set[str]) -> Funnel | None:
    """Make a step of each stage that must be passed before the outcome, and one of it."""
    steps = []
    for stage in journey.stages:
        if stage.after or stage.optional:
            continue
        activities = [a for a in stage.activities if a not in journey.outcome]
        if stage.activities and not activities:  # nothing but the outcome
            continue
        optional = stage.name in holding
        if activities:
            steps.append(Step(name=stage.name, activity=activities, optional=optional))
        else:
            outcomes = ", ".join(_text(activity) for activity in journey.outcome)
            where = f"stage = {_text(stage.name)} and activity not in ({outcomes})"
            steps.append(Step(name=stage.name, where=where, optional=optional))
    while steps and steps[0].optional:  # a way begins with a step that all take
        steps = steps[1:]
    if not steps or not journey.outcome:
        return None
    name = journey.outcome[0]
    if name in {step.name for step in steps}:
        name = f"{name} (outcome)"
    outcome = Step(name=name, activity=journey.outcome)
    return Funnel(steps=[*steps, outcome], window=journey.gap or _PATIENT)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
