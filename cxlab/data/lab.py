"""A study, opened at one cycle: its tables as that cycle knows them.

A table of the study is an attribute: `lab.orders`. A table that the study does not
have is no fault of a notebook: asking for it raises `Withheld`, which
`cx.optional` turns into a card.
"""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cxlab.data.allowed_rows import AllowedRows
from cxlab.data.calendar import Cycle
from cxlab.data.consent import Purpose, purpose_named
from cxlab.data.consented import Gate
from cxlab.data.engine import DuckEngine, Engine, Table, TableLike, frame, view
from cxlab.data.model import contracts
from cxlab.data.settings import Definitions, Settings, find_study, read_settings
from cxlab.data.snapshot import Snapshot, open_snapshot, state_folder
from cxlab.data.taking import take_snapshot
from cxlab.errors import ParameterError, Withheld, did_you_mean

__all__ = ["Lab", "open_lab"]


class Lab:
    """What a notebook works with; made by `cxlab.open`.

    Attributes
    ----------
    settings : Settings
        The study's settings, checked.
    cycle : Cycle
        The cycle in question: `.start`, `.cutoff`, `.previous`.
    snapshot : Snapshot
        What the tables were made from, and how their rows were accounted for.
    engine : Engine
        Where the tables lie.
    gate : Gate
        What the lab is open for, and whose rows its tables therefore hold.
    """

    def __init__(
        self,
        settings: Settings,
        cycle: Cycle,
        snapshot: Snapshot,
        engine: Engine,
        *,
        purpose: Purpose = "analytics",
    ) -> None:
        self.settings = settings
        self.cycle = cycle
        # Its counts are for everyone, its files are not: rows come through the gate.
        self.snapshot = replace(snapshot, folder=Path("closed"))
        self.engine = engine
        self.gate = Gate(
            self._everybody,
            columns=snapshot.columns,
            rules=settings.consent,
            purpose=purpose,
            cycle=cycle,
            copies=AllowedRows(snapshot, settings.consent, purpose),
        )
        self._folder = snapshot.folder
        self._tables: dict[str, Table] = {}  # as the purpose may see them
        self._whole: dict[str, Table] = {}

    def __repr__(self) -> str:
        return f"<{self.title}, {self.cycle.name}: {', '.join(self.tables)}>"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.tables})

    def __getattr__(self, name: str) -> Table:
        if name.startswith("_") or name not in contracts():
            near = did_you_mean(name, [*contracts(), *dir(type(self))])
            raise AttributeError(f"A lab has no {name!r}.{near}")
        if name not in self._tables:
            self._tables[name] = self._open(name)
        return self._tables[name]

    @property
    def title(self) -> str:
        """The study's title."""
        return self.settings.title

    @property
    def currency(self) -> str:
        """The one currency of all amounts, ISO 4217."""
        return self.settings.currency

    @property
    def definitions(self) -> Definitions:
        """What words mean in this study, such as `lapse_days`."""
        return self.settings.definitions

    @property
    def segments(self) -> dict[str, dict[str, str]]:
        """The segment sets that the study declares: name to rules."""
        return self.settings.segments

    @property
    def tables(self) -> list[str]:
        """The tables that have rows at this cycle's cutoff, less those that are withheld."""
        withheld = self.snapshot.withheld
        return [t for t, rows in self.snapshot.rows_used.items() if rows and t not in withheld]

    def maybe(self, name: str) -> Table | None:
        """Return a table, or None where the study does not have it or it is withheld."""
        with suppress(Withheld):
            return getattr(self, name)  # type: ignore[no-any-return]
        return None

    def allowing(self, purpose: str) -> Table:
        """Name the customers seen here who allow another purpose as well: `customer_id`.

        Raises
        ------
        Withheld
            If nobody allows it.
        ParameterError
            If there is no such purpose.
        """
        gate = Gate(
            self._everybody,
            columns=self.snapshot.columns,
            rules=self.settings.consent,
            purpose=purpose_named(purpose),
            cycle=self.cycle,
        )
        return view(
            "select c.customer_id from c join a on c.customer_id = a.customer_id",
            c=self.customers,
            a=gate.rows("customers")[["customer_id"]],
        )

    def frame(self, table: TableLike, *, limit: int = 100_000) -> pd.DataFrame:
        """Bring a table's rows into pandas, at most `limit` of them."""
        return frame(table, limit=limit)

    def _open(self, name: str) -> Table:
        if name in self.snapshot.withheld:
            raise Withheld(self.snapshot.withheld[name])
        if name not in self.snapshot.columns:
            raise Withheld(f"The study has no table {name!r}: no system that feeds it is mapped.")
        if name not in self.tables:
            raise Withheld(
                f"No row of {name!r} was known by {self.cycle.last_day}, the end of the cycle."
            )
        return self.gate.rows(name)

    def _everybody(self, name: str) -> Table:
        """Name a table with all its rows, for counts and for the gate."""
        if name not in self.snapshot.columns:
            raise Withheld(f"The study has no table {name!r}: no system that feeds it is mapped.")
        if name not in self._whole:
            file = self._folder / f"{name}.parquet"
            self._whole[name] = self.engine.read_parquet([file], self.snapshot.columns[name])
        return self._whole[name]


def open_lab(
    study: str | Path,
    *,
    cycle: str | None = None,
    purpose: str | None = None,
    engine: Engine | None = None,
) -> Lab:
    """Open a study at a cycle, reading its sources if that has not been done.

    Parameters
    ----------
    study : str or pathlib.Path
        Folder of the study, such as `params/sample`, seen from here or from a
        folder above.
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

    Raises
    ------
    SettingsError
        If the folder is no study, or its settings cannot be used.
    ParameterError
        If there is no cycle, or no such purpose.
    DataError
        If the data break their contracts.
    """
    folder = find_study(study)
    settings = read_settings(folder)
    wanted = purpose_named(purpose or settings.consent.purpose)
    name = cycle or settings.default_cycle
    if name is None:
        raise ParameterError("Give a cycle, such as cycle='2018Q1', or set default_cycle.")
    chosen = settings.parse_cycle(name)
    # A run pins the snapshot, so that all its chapters see the same rows.
    pinned = os.environ.get("CXLAB_SNAPSHOT")
    snapshot = open_snapshot(Path(pinned)) if pinned else take_snapshot(folder, settings, chosen)
    return Lab(settings, chosen, snapshot, engine or _engine(settings, folder), purpose=wanted)


def _engine(settings: Settings, study: Path) -> Engine:
    if settings.engine.kind == "spark":
        from cxlab.data.spark import SparkEngine

        return SparkEngine(threads=settings.engine.threads)
    return DuckEngine(
        memory=settings.engine.memory,
        threads=settings.engine.threads,
        spill=state_folder(study) / "spill",
    )
