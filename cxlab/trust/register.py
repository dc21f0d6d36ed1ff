"""The register of key measures: which number, by which definition, whose, and where to."""

from typing import TYPE_CHECKING

import pandas as pd

from cxlab.data.kpis import Kpi, catalogue, silent_families
from cxlab.metrics import FAMILIES, Metric
from cxlab.report import words
from cxlab.trust.listing import Listing

if TYPE_CHECKING:
    from cxlab.data.settings import Settings
    from cxlab.data.snapshot import Snapshot

__all__ = ["kpis", "withheld_kpis"]

_BETTER = {"up": "higher", "down": "lower", "neither": "neither"}
_COLUMNS = ["measure", "metric_id", "definition", "owner", "target", "better", "state"]


def kpis(settings: "Settings", *, snapshot: "Snapshot | None" = None) -> Listing:
    """List the key measures: what each is, who owns it, where it should go, how it stands.

    Parameters
    ----------
    settings : Settings
        The study's settings.
    snapshot : Snapshot, optional
        Tells which measures cannot be computed from this cycle's tables.

    Returns
    -------
    Listing
        Columns measure, metric_id (with @version), definition, owner, target, better and
        state. A measure that does not apply has its reason as definition; a family of
        measures about which the study is silent has a row that says so.
    """
    known = catalogue(settings.metrics)
    rows = [_kpi(kpi, known, snapshot) for kpi in settings.kpis.values()]
    silent = [FAMILIES[family] for family in silent_families(settings)]
    rows += [
        (name, "", "Nothing declared: name a metric, or say why none applies.", "", "", "", "")
        for name in silent
    ]
    without = sum(kpi.not_applicable is not None for kpi in settings.kpis.values())
    said = f"{words.plural(len(settings.kpis) - without, 'key measure')} with an owner"
    if without:
        verb = "does" if without == 1 else "do"
        said += f"; {words.number(without)} {verb} not apply here, for the reason given"
    if silent:
        said += f"; nothing is declared about {words.listing([_inside(name) for name in silent])}"
    return Listing(
        frame=pd.DataFrame(rows, columns=_COLUMNS),
        headline=f"{said}.",
        subtitle="Key measures from the study's settings, their metrics from the catalogue",
    )


def withheld_kpis(settings: "Settings", snapshot: "Snapshot") -> list[str]:
    """Name the key measures that rest on a table whose gate is closed."""
    known = catalogue(settings.metrics)
    return [
        kpi.name
        for kpi in settings.kpis.values()
        if kpi.metric in known and set(known[str(kpi.metric)].tables) & set(snapshot.withheld)
    ]


def _kpi(
    kpi: Kpi, known: dict[str, Metric], snapshot: "Snapshot | None"
) -> tuple[str, str, str, str, str, str, str]:
    if kpi.not_applicable is not None:
        return kpi.name, "", f"Not applicable: {kpi.not_applicable}", "", "", "", ""
    metric = known.get(kpi.metric or "")
    target = ""
    if kpi.target is not None:
        unit = metric.unit if metric and metric.unit not in ("any", "money") else ""
        target = words.value(kpi.target, unit) if unit else f"{kpi.target:g}"
    better = _BETTER[kpi.direction] + (f", because {kpi.because}" if kpi.because else "")
    return (
        kpi.name,
        metric.at if metric else str(kpi.metric),
        kpi.definition or (metric.definition if metric else ""),
        kpi.owner or "",
        target,
        better,
        _state(metric, snapshot),
    )


def _state(metric: Metric | None, snapshot: "Snapshot | None") -> str:
    if metric is None:
        return "not in the catalogue"
    if snapshot is None:
        return ""
    if closed := [t for t in metric.tables if t in snapshot.withheld]:
        return f"withheld with {words.listing(closed)}"
    if absent := [t for t in metric.tables if not snapshot.rows_used.get(t)]:
        return f"no data in {words.listing(absent)}"
    return "can be computed"


def _inside(name: str) -> str:
    """Write a family's name inside a sentence, its proper names with their capitals."""
    return name[0].lower() + name[1:]
