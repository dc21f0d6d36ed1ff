"""The list of those at risk as a study's settings want it: one way for chapter and command."""

from collections.abc import Sequence

from cxlab.churn.at_risk import AtRisk, at_risk
from cxlab.churn.signals import signals
from cxlab.data.lab import Lab

__all__ = ["list_of"]


def list_of(lab: Lab, *, drivers: Sequence[str] | None = None) -> AtRisk:
    """Make the list of customers at risk at the end of the lab's cycle.

    Parameters
    ----------
    lab : Lab
        A study, opened for analytics.
    drivers : sequence of str, optional
        As for `churn_drivers`. Default: what the settings say for chapter 50_churn, else `plan`.

    Returns
    -------
    AtRisk
        With horizon, length, purpose and contact cap of the settings.

    Raises
    ------
    Withheld
        As `at_risk`, or if nobody allows the purpose.
    """
    own, rules = lab.settings.chapters.get("50_churn", {}), lab.settings.at_risk
    return at_risk(
        lab.subscriptions,
        signals(lab),
        cycle=lab.cycle,
        may_contact=lab.allowing(rules.purpose),
        messages=lab.maybe("messages"),
        drivers=own.get("drivers", ["plan"]) if drivers is None else drivers,
        horizon_days=rules.horizon_days,
        most=rules.most,
        contact_cap=rules.contact_cap,
        cap_days=rules.cap_days,
        complete_from=lab.settings.covers.first_day,
    )
