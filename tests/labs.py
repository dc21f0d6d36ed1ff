"""A lab over tables in sight: what `cx.open` gives, without files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.consent import Purpose
from cxlab.data.engine import Engine, Table, TableLike, in_one_engine, query, view
from cxlab.data.lab import Lab
from cxlab.data.model import contracts
from cxlab.data.settings import Settings
from cxlab.data.snapshot import Snapshot


class TableLab(Lab):
    """A lab whose tables are those given."""

    def __init__(
        self, tables: Mapping[str, TableLike], cycle: Cycle, *, purpose: Purpose, **settings: Any
    ) -> None:
        placed = {
            name: _known(name, table, cycle)
            for name, table in zip(tables, in_one_engine(*tables.values()), strict=True)
        }
        engine: Engine = next(iter(placed.values())).engine
        rows = {k: query("select count(*) as n from t", t=t)["n"][0] for k, t in placed.items()}
        taken = Snapshot(
            folder=Path("nowhere"),
            hash="0" * 64,
            cycle_name=cycle.name,
            start=cycle.start,
            cutoff=cycle.cutoff,
            columns={name: list(table.columns) for name, table in placed.items()},
            records={
                "tables": [
                    {"table": name, "rows_in": n, "rows_used": n, "rows_set_aside": 0,
                     "rows_excluded": 0} for name, n in rows.items()
                ],
                "reasons": [], "sources": [], "checks": [],
            },
            notes=[],
            seals={},
        )  # fmt: skip
        given = Settings(title="Tables in sight", raw=".", **settings)
        super().__init__(given, cycle, taken, engine, purpose=purpose)
        self._placed = placed

    def _everybody(self, name: str) -> Table:
        return self._placed[name]


def _known(name: str, table: Table, cycle: Cycle) -> Table:
    """Keep the rows known by the end of the cycle, as a snapshot does."""
    moment = contracts()[name].known
    if moment not in table.columns:
        return table
    return view(
        f"select * from t where {moment} is null or cast({moment} as timestamp) < $cutoff",
        t=table,
        cutoff=cycle.cutoff,
    )


def lab_of(
    tables: Mapping[str, TableLike],
    cycle: Cycle,
    *,
    purpose: Purpose = "analytics",
    **settings: Any,
) -> TableLab:
    """Open a lab over tables."""
    return TableLab(tables, cycle, purpose=purpose, **settings)


def answered(customers: pd.DataFrame) -> pd.DataFrame:
    """Let customers say to analytics by their number: many yes, some no, some nothing."""
    number = customers["customer_id"].str.extract(r"(\d+)$")[0].astype(int)
    began = pd.to_datetime(customers["first_seen_at"]).fillna(pd.Timestamp("2020-01-01"))
    said = pd.DataFrame(
        {
            "customer_id": customers["customer_id"],
            "purpose": "analytics",
            "valid_from": began + pd.Timedelta(hours=1),
            "status": ["denied" if n % 5 == 0 else "granted" for n in number],
        }
    )[number % 7 != 0]
    # Some of them change their mind one after another.
    taken = said[number[said.index] % 3 == 0].assign(status="withdrawn")
    taken["valid_from"] += pd.to_timedelta(number[taken.index] * 2, unit="D")
    return pd.concat([said, taken], ignore_index=True)
