"""Which study, and which of its cycles, a command means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxlab.data.calendar import Cycle
    from cxlab.data.settings import Settings

__all__ = ["chosen_cycles", "one_cycle", "open_study"]


def open_study(study: Path) -> tuple[Path, Settings]:
    """Find a study's folder and read its settings."""
    from cxlab.data.settings import find_study, read_settings

    folder = find_study(study)
    return folder, read_settings(folder)


def one_cycle(folder: Path, settings: Settings, name: str | None) -> Cycle:
    """Return the named cycle, the default one, or the last that is complete."""
    from cxlab.cycle.schedule import complete_cycles
    from cxlab.errors import DataError

    if name or settings.default_cycle:
        return settings.parse_cycle(name or str(settings.default_cycle))
    complete = complete_cycles(folder, settings)
    if not complete:
        raise DataError("No cycle is complete in the data yet. Name one with --cycle.")
    return complete[-1]


def chosen_cycles(
    folder: Path, settings: Settings, *, cycle: str | None, cycles: str | None, due: bool
) -> list[Cycle]:
    """Return the cycles that the options of a run name."""
    from cxlab.cycle.schedule import complete_cycles, cycles_between

    if cycles:
        return cycles_between(settings, cycles)
    if due:
        return complete_cycles(folder, settings)
    return [one_cycle(folder, settings, cycle)]
