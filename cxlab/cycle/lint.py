"""What `cxlab check` says beyond the rows: checks of tables, key measures, and the journey."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cxlab.data.engine import DuckEngine, Table, query
from cxlab.data.journey_settings import never_seen
from cxlab.data.kpis import kpi_problems, silent_families
from cxlab.data.quality import REMEDY
from cxlab.metrics import FAMILIES

if TYPE_CHECKING:
    from cxlab.data.settings import Settings
    from cxlab.data.snapshot import Snapshot

__all__ = ["journey_lines", "kpi_lines", "log_of", "quality_lines"]

_LISTED = 30  # activities of the log that are named


def quality_lines(snapshot: "Snapshot") -> Iterator[str]:
    """Tell which checks failed or warn, and which tables are withheld."""
    for row in snapshot.records.get("checks", []):
        if row["state"] in ("fail", "warn"):
            yield f"  {row['state']}: {row['table']}, {row['check']}: {row['says']}"
    for reason in snapshot.withheld.values():
        yield f"  {reason} {REMEDY}"


def log_of(snapshot: "Snapshot") -> Table | None:
    """Read the interactions of a snapshot, those of everybody; None where there are none."""
    file = snapshot.folder / "interactions.parquet"
    if "interactions" not in snapshot.columns or not file.is_file():
        return None
    return DuckEngine().read_parquet([file], snapshot.columns["interactions"])


def journey_lines(snapshot: "Snapshot", settings: "Settings") -> tuple[list[str], list[str]]:
    """Return what is wrong with how journeys end, and what else no contact is of."""
    named = {"outcome": settings.journey.outcome, "lost": settings.journey.lost}
    log = log_of(snapshot)
    if log is None or not any(named.values()):
        return [], []
    found = query("select distinct activity from l order by activity", l=log, limit=10**6)
    seen = found["activity"].tolist()
    wrong, missing = [], []
    for key, activities in named.items():
        said = never_seen(f"journey.{key}", activities, seen, most=_LISTED)
        if said and key == "outcome" and not {*activities} & {*seen}:
            wrong.append(f"{said} Without an outcome nothing converts: change it in study.yaml.")
        elif said:
            missing.append(f"warning: {said}")
    return wrong, missing


def kpi_lines(settings: "Settings") -> tuple[list[str], list[str]]:
    """Return what is wrong with the key measures, and what the study is silent about."""
    silent = [
        f"warning: nothing is declared about {FAMILIES[family]}. Name a metric under kpis, or "
        f"say why none applies: {family}: {{name: ..., family: {family}, not_applicable: ...}}"
        for family in silent_families(settings)
    ]
    return kpi_problems(settings), silent
