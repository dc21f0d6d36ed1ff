"""What `cxlab check` says beyond the rows: checks of the tables, and the key measures."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cxlab.data.kpis import kpi_problems, silent_families
from cxlab.data.quality import REMEDY
from cxlab.metrics import FAMILIES

if TYPE_CHECKING:
    from cxlab.data.settings import Settings
    from cxlab.data.snapshot import Snapshot

__all__ = ["kpi_lines", "quality_lines"]


def quality_lines(snapshot: "Snapshot") -> Iterator[str]:
    """Tell which checks failed or warn, and which tables are withheld."""
    for row in snapshot.records.get("checks", []):
        if row["state"] in ("fail", "warn"):
            yield f"  {row['state']}: {row['table']}, {row['check']}: {row['says']}"
    for reason in snapshot.withheld.values():
        yield f"  {reason} {REMEDY}"


def kpi_lines(settings: "Settings") -> tuple[list[str], list[str]]:
    """Return what is wrong with the key measures, and what the study is silent about."""
    silent = [
        f"warning: nothing is declared about {FAMILIES[family]}. Name a metric under kpis, or "
        f"say why none applies: {family}: {{name: ..., family: {family}, not_applicable: ...}}"
        for family in silent_families(settings)
    ]
    return kpi_problems(settings), silent
