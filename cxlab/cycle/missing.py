"""Why a key measure has no number in this cycle: the nearest cause that is known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cxlab.data.kpis import Kpi, catalogue
from cxlab.errors import did_you_mean
from cxlab.report import words

if TYPE_CHECKING:
    from cxlab.data.settings import Settings
    from cxlab.data.snapshot import Snapshot

__all__ = ["closed_gate", "why_missing"]


def closed_gate(kpi: Kpi, settings: "Settings", snapshot: "Snapshot") -> str:
    """Return why no number may rest on the tables of a key measure; empty when one may."""
    metric = catalogue(settings.metrics).get(kpi.metric or "")
    tables = metric.tables if metric else ()
    return next((snapshot.withheld[t] for t in tables if t in snapshot.withheld), "")


def why_missing(
    kpi: Kpi,
    settings: "Settings",
    snapshot: "Snapshot",
    *,
    findings: pd.DataFrame,
    failed: Sequence[str] = (),
) -> str:
    """Say why a key measure is not among the findings.

    Parameters
    ----------
    kpi : Kpi
        The key measure.
    settings : Settings
        For the metrics of the study's own.
    snapshot : Snapshot
        Which tables there are.
    findings : pandas.DataFrame
        All numbers of the cycle.
    failed : sequence of str
        Titles of chapters that failed.

    Returns
    -------
    str
        One sentence that starts with 'Not available'.
    """
    known = catalogue(settings.metrics)
    name = kpi.metric or ""
    if name not in known:
        return f"Not available: no metric is called {name}.{did_you_mean(name, known)}"
    metric = known[name]
    if (findings["metric"] == name).any():
        whole = (findings["metric"] == name) & (findings["dims"] == "{}")
        if whole.any():
            return "Not available: too few people stand behind this number."
        return "Not available: this number is shown by group only, not for everybody."
    absent = [t for t in metric.tables if not snapshot.rows_used.get(t)]
    if absent:
        return f"Not available: this study has no data in {words.listing(absent)}."
    if failed:
        return f"Not available: {words.listing(list(failed))} failed in this run."
    return "Not available: this cycle's data cannot carry this number; its chapter says why."
