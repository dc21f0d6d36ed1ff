"""Tiny studies from text, so that a test's data stand in sight."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.settings import Settings, read_settings
from cxlab.data.snapshot import Snapshot
from cxlab.data.taking import take_snapshot

CUSTOMERS = "select * from read_csv('{raw}/customers.csv', header = true, all_varchar = true)"
ORDERS = "select * from read_csv('{raw}/orders.csv', header = true, all_varchar = true)"
YAML = """
title: A tiny study
raw: ../raw
"""
LENIENT = YAML + "quality: {set_aside_max: 1}\n"
CUSTOMERS_CSV = """
    customer_id,first_seen_at,birth_year
    ada,2018-01-01,1990
    bob,2018-01-02,1980
"""
HEAD = "order_id,customer_id,placed_at,net_amount\n"
ORDERS_CSV = HEAD + "1,ada,2018-01-05 10:00,5.50\n2,bob,2018-03-30 10:00,7\n"


def write_study(
    base: Path,
    *,
    yaml: str = YAML,
    tables: Mapping[str, str] | None = None,
    raw: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write study.yaml, tables/*.sql and raw files below a folder; return the study's folder.

    Texts are taken without their common indent. `raw` names files as they are read.
    """
    study = base / "study"
    (study / "tables").mkdir(parents=True, exist_ok=True)
    (base / "raw").mkdir(exist_ok=True)
    (study / "study.yaml").write_text(textwrap.dedent(yaml), encoding="utf-8")
    for name, sql in (tables or {}).items():
        (study / "tables" / f"{name}.sql").write_text(textwrap.dedent(sql), encoding="utf-8")
    for name, content in (raw or {}).items():
        write_raw(base, name, content)
    return study


def write_raw(base: Path, name: str, content: str | bytes) -> Path:
    """Write or replace one raw file."""
    file = base / "raw" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = textwrap.dedent(content).lstrip("\n").encode()
    file.write_bytes(content)
    return file


def shop(base: Path, *, customers: str, orders: str, yaml: str = YAML, **tables: str) -> Path:
    """Write a study of customers and orders from two CSV texts; all columns are text."""
    sql = {"customers": CUSTOMERS, "orders": ORDERS, **tables}
    raw = {"customers.csv": customers, "orders.csv": orders}
    return write_study(base, yaml=yaml, tables=sql, raw=raw)


def snapshot(study: Path, cycle: str = "2018Q1") -> Snapshot:
    """Take the snapshot of one cycle, as a run would."""
    settings, chosen = opened(study, cycle)
    return take_snapshot(study, settings, chosen)


def opened(study: Path, cycle: str = "2018Q1") -> tuple[Settings, Cycle]:
    """Read a study's settings and one of its cycles."""
    settings = read_settings(study)
    return settings, settings.parse_cycle(cycle)


def rows(taken: Snapshot, table: str) -> dict[str, int]:
    """Return how many rows of a table came in, are used, set aside, excluded."""
    row = taken.tables.set_index("table").loc[table]
    return {c: int(row[f"rows_{c}"]) for c in ("in", "used", "set_aside", "excluded")}


def used(taken: Snapshot, table: str) -> pd.DataFrame:
    """Return the rows of a table that are used."""
    return pd.read_parquet(taken.folder / f"{table}.parquet", columns=taken.columns[table])


def aside(taken: Snapshot, table: str) -> pd.DataFrame:
    """Return the rows of a table that were set aside."""
    found = pd.read_parquet(taken.folder / "set_aside.parquet")
    return found[found["table"] == table]


def state(study: Path) -> list[str]:
    """List the folders of snapshots, drafts included."""
    return sorted(p.name for p in (study / ".cxlab" / "snapshots").glob("*"))
