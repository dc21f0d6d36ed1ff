"""The researcher's door: open a study, show what was found."""

from __future__ import annotations

import os
from pathlib import Path

from cxlab.data.engine import Engine, TableLike, frame, query, view
from cxlab.data.lab import Lab, open_lab
from cxlab.data.settings import Privacy
from cxlab.report import finding
from cxlab.report.disclosure import Policy
from cxlab.report.finding import Card, Result, optional, show

__all__ = [
    "Card",
    "Lab",
    "Result",
    "TableLike",
    "frame",
    "open",
    "optional",
    "query",
    "show",
    "view",
]


def open(  # noqa: A001  (read as cx.open)
    study: str | Path,
    *,
    cycle: str | None = None,
    purpose: str | None = None,
    engine: Engine | None = None,
) -> Lab:
    """Open a study at a cycle, and publish by its rules from here on.

    Parameters
    ----------
    study : str or pathlib.Path
        Folder of the study, such as `params/sample`.
    cycle : str, optional
        Such as `2018Q1`. Default: the study's `default_cycle`.
    purpose : str, optional
        What the rows are wanted for: service, analytics, research or marketing. Customers
        who do not allow it are in no table. Default: the study's `consent.purpose`.
    engine : Engine, optional
        Where to answer questions. Default: what the settings name.

    Returns
    -------
    Lab
        The study's tables, as known at the end of the cycle.
    """
    lab = open_lab(study, cycle=cycle, purpose=purpose, engine=engine)
    # A run's pages bring their own style sheet; a lab needs ours once a session.
    finding.publish_with(
        policy=policy_of(lab.settings.privacy),
        components="CXLAB_SNAPSHOT" not in os.environ,
        versions={name: own.version for name, own in lab.settings.metrics.items()},
    )
    return lab


def policy_of(privacy: Privacy) -> Policy:
    """Take over a study's rules for what is withheld."""
    return Policy(
        min_cell=privacy.min_cell,
        top1=privacy.dominance.top1,
        top2=privacy.dominance.top2,
        both_sides=privacy.both_sides,
        exceptions=frozenset(each.metric for each in privacy.exceptions),
    )
