"""What executed notebooks have shown, read back: the one source of every published number."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cxlab.columns import FINDING
from cxlab.report import tables
from cxlab.report.disclosure import RULES
from cxlab.report.finding import MIMETYPE

__all__ = [
    "Shown",
    "lookup",
    "read_findings",
    "read_shown",
    "suppressed",
    "to_frame",
    "write_findings",
]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One result or card as a chapter displayed it."""

    chapter: str
    kind: str  # "result" or "card"
    sentence: str
    rows: list[dict[str, Any]]
    anchor: str  # id of its figure on the page
    suppressed_cells: int
    suppressed_by: dict[str, int] = field(default_factory=dict)  # rule to cells
    design: str = ""  # what makes it causal; empty where it only describes
    breaks: str = ""  # why it cannot be compared with earlier cycles; empty where it can


def read_shown(notebook: Any, chapter: str) -> list[Shown]:
    """Read the results that an executed notebook displayed, in their order."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            payload = output.get("data", {}).get(MIMETYPE)
            if not payload:
                continue
            card = payload["kind"] == "card"
            found.append(
                Shown(
                    chapter=chapter,
                    kind=payload["kind"],
                    sentence=payload["reason"] if card else payload["sentence"],
                    rows=payload["rows"],
                    anchor=payload.get("anchor", ""),
                    suppressed_cells=payload.get("suppressed_cells", 0),
                    suppressed_by=payload.get("suppressed_by", {}),
                    design=payload.get("design", ""),
                    breaks=payload.get("breaks", ""),
                )
            )
    return found


def suppressed(shown: Iterable[Shown]) -> dict[str, dict[str, int]]:
    """Count the withheld cells of each chapter by the rule that withholds them.

    Which cell falls under which rule is told nowhere: it would tell the small ones apart.
    """
    counts: dict[str, dict[str, int]] = {}
    for item in shown:
        own = counts.setdefault(item.chapter, dict.fromkeys(RULES, 0))
        for rule, cells in item.suppressed_by.items():
            own[rule] += cells
    return counts


def to_frame(shown: Iterable[Shown]) -> pd.DataFrame:
    """Put the rows of all results into one table, the columns as `cxlab.columns.FINDING`."""
    rows = [
        {**row, "chapter": item.chapter, "dims": json.dumps(row["dims"], sort_keys=True)}
        for item in shown
        for row in item.rows
    ]
    frame = pd.DataFrame(rows, columns=list(FINDING)).drop_duplicates(ignore_index=True)
    numbers = ["estimate", "conf_low", "conf_high", "level", "n"]
    kinds = {"suppressed": "bool", "version": "Int64"}
    return frame.astype({**dict.fromkeys(numbers, "float64"), **kinds})


def write_findings(frame: pd.DataFrame, folder: Path) -> None:
    """Write `findings.parquet` and `findings.csv`."""
    frame.to_parquet(folder / "findings.parquet", index=False)
    (folder / "findings.csv").write_text(tables.csv(frame), encoding="utf-8", newline="")


def read_findings(folder: Path) -> pd.DataFrame:
    """Read the findings that a published cycle holds.

    Numbers from before there were versions follow the first definition of their metric.
    """
    frame = pd.read_parquet(folder / "findings.parquet")
    return frame if "version" in frame else frame.assign(version=1)


def lookup(frame: pd.DataFrame, metric: str | None) -> dict[str, Any] | None:
    """Return the row of a metric for everybody, or None."""
    if metric is None:
        return None
    rows = frame[(frame["metric"] == metric) & (frame["dims"] == "{}")]
    return {str(k): v for k, v in rows.iloc[0].items()} if len(rows) else None
