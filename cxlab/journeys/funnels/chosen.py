"""Which funnel is meant: one that the study declares, or the stages of its planned map."""

from cxlab.data.funnel_settings import Funnel, Step
from cxlab.data.journey_settings import JourneySettings
from cxlab.data.settings import Settings
from cxlab.errors import ParameterError, Withheld, did_you_mean

__all__ = ["chosen_funnel"]

_PATIENT = "90 days"  # where no silence ends a journey


def chosen_funnel(settings: Settings, name: str = "") -> Funnel:
    """Find a funnel by name; without a name the first one, or else the way of the stages.

    Parameters
    ----------
    settings : Settings
        Of the study, with its `funnels` and `journey`.
    name : str
        Of a declared funnel; empty for the first.

    Returns
    -------
    Funnel
        The declared one. Where none is declared: one step per stage until the outcome.

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
    way = _way_of_stages(settings.journey)
    if way is None:
        raise Withheld(
            "The study declares no funnel, and no stages with an outcome to make one from: add "
            "`funnels`, or `journey` with stages and an outcome, to study.yaml."
        )
    return way


def _way_of_stages(journey: JourneySettings) -> Funnel | None:
    """Make a step of each stage that must be passed before the outcome, and one of it."""
    stages = [s for s in journey.stages if not s.after and not s.optional]
    if not stages or not journey.outcome:
        return None
    steps = [
        Step(name=s.name, activity=s.activities)
        if s.activities
        else Step(name=s.name, where="stage = '" + s.name.replace("'", "''") + "'")
        for s in stages
    ]
    outcome = Step(name=journey.outcome[0], activity=journey.outcome)
    return Funnel(steps=[*steps, outcome], window=journey.gap or _PATIENT)
