"""Which more cells must go, so that those withheld cannot be worked out.

Cells add up to totals, so what a reader knows of the withheld ones is a system of
equations, and that no count is negative. The range that this leaves for a cell is found
by linear programming, as an attacker would find it, and company is added until the range
is wide enough (Fischetti & Salazar-Gonzalez 2001; Hundepool et al. 2012, chapter 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cxlab.report.disclosure.lines import Floats, Ints, Lines, solve

__all__ = ["Demands", "close"]

Flags = npt.NDArray[np.bool_]
_EPS = 1e-7  # of the largest value; solvers are not exact


@dataclass(frozen=True)
class Demands:
    """What a reader's range for a withheld cell must reach up to, and how wide it must be."""

    reach: Floats
    width: Floats


def close(
    keys: Sequence[tuple[str, ...]],
    value: Floats,
    *,
    hidden: Flags,
    asks: Flags,
    fixed: Flags,
    demands: Demands,
) -> Flags:
    """Withhold more cells of one table, until none that asks can be worked out.

    A total that is not among the cells is taken as known, since another page may show it.

    Parameters
    ----------
    keys : sequence of tuple of str
        One word per dimension for each cell; "" where it is a total over the dimension.
    value : array, shape (cells,)
        Counts or amounts.
    hidden, asks, fixed : array of bool, shape (cells,)
        Withheld so far; those that need a range; those that stay as they are.
    demands : Demands
        The range that each of those needs.

    Returns
    -------
    array of bool, shape (cells,)
        Those withheld in the end.
    """
    if not (asks & hidden).any():
        return hidden
    numbers = np.stack([value, demands.reach, demands.width]).astype(np.float64)
    flags = np.stack([hidden, asks, fixed]).astype(np.bool_)
    found = _closed(tuple(keys), numbers.tobytes(), flags.tobytes())
    return np.frombuffer(found, dtype=np.bool_)


# Many measures rest on the same people: their tables are the same, and are asked again and again.
@lru_cache(maxsize=1024)
def _closed(keys: tuple[tuple[str, ...], ...], numbers: bytes, flags: bytes) -> bytes:
    value, reach, width = np.frombuffer(numbers).reshape(3, -1)
    hidden, asks, fixed = np.frombuffer(flags, dtype=np.bool_).reshape(3, -1)
    demands = Demands(reach, width)
    cells = _Cells(keys, value, hidden=hidden, asks=asks, fixed=fixed, demands=demands)
    return cells.closed().tobytes()


class _Cells:
    """Cells of one table and its totals, some of them withheld."""

    def __init__(
        self,
        keys: Sequence[tuple[str, ...]],
        value: Floats,
        *,
        hidden: Flags,
        asks: Flags,
        fixed: Flags,
        demands: Demands,
    ) -> None:
        # Sorted by name, so that the choice does not depend on the order of rows.
        self._order = np.array(sorted(range(len(keys)), key=lambda i: keys[i]), dtype=int)
        self._lines = Lines([keys[i] for i in self._order])
        scale = float(np.nanmax(np.abs(value), initial=0.0)) or 1.0
        self._value = np.nan_to_num(value[self._order] / scale)
        self._reach = np.nan_to_num(demands.reach[self._order] / scale)
        self._width = np.nan_to_num(demands.width[self._order] / scale)
        self._low, self._high = self._value.copy(), self._value.copy()  # shown to be possible
        self._hidden = hidden[self._order].copy()
        self._open = ~self._hidden & ~fixed[self._order]
        self._asks = asks[self._order] & self._hidden
        self._asks &= [bool(lines) for lines in self._lines.of]  # nothing tells of the others

    def closed(self) -> Flags:
        """Withhold more cells until all that ask have their range, or none is left to withhold."""
        while self._asks.any():
            self._close_lines()
            given = [self._give_company(cell) for cell in self._exposed()]
            if not any(given):
                break
        hidden: Flags = np.empty_like(self._hidden)
        hidden[self._order] = self._hidden
        return hidden

    def _close_lines(self) -> None:
        """Withhold the smallest part that does, in each line that tells on its own."""
        changed = True
        while changed:
            changed = False
            for parts, total in self._lines.every:
                short = self._short_of(parts, total)
                if short is not None:
                    changed |= self._hide_part(parts, total, short)

    def _short_of(self, parts: Ints, total: int | None) -> float | None:
        """How much a line's withheld parts lack; None where they lack nothing."""
        # An empty cell that does not ask is no company: many a reader knows that it is empty.
        masked = parts[self._hidden[parts] & (self._asks[parts] | (self._value[parts] != 0))]
        asking = masked[self._asks[masked]]
        if not len(asking) or (total is not None and self._hidden[total]):
            return None
        short = 0.0  # what can be less than nothing has no bound: any company will do
        if (self._value[masked] >= 0).all():
            needed = np.maximum(self._reach[asking], self._width[asking]).max()
            short = max(0.0, float(needed - self._value[masked].sum()))
        return short if short > _EPS or len(masked) == 1 else None

    def _hide_part(self, parts: Ints, total: int | None, short: float) -> bool:
        """Withhold the smallest part that is large enough, or the largest, or the total."""
        free = parts[self._open[parts]]
        if not len(free) and total is not None and self._open[total]:
            free = np.array([total])
        if not len(free):
            return False
        size = self._value[free]
        enough = size >= short - _EPS
        # Ties go by name: the cells are sorted, and the first is taken.
        self._hide(free[enough][np.argmin(size[enough])] if enough.any() else free[size.argmax()])
        return True

    def _hide(self, cells: Any) -> None:
        self._hidden[cells], self._open[cells] = True, False

    def _wanting(self) -> Ints:
        """List the cells for which no sufficient range has been shown."""
        reached = self._high >= self._reach - _EPS
        wide = self._high - self._low >= self._width - _EPS
        return np.flatnonzero(self._asks & ~(reached & wide))

    def _exposed(self) -> list[int]:
        """List the cells whose range is too narrow, as an attacker would find it."""
        if not len(self._wanting()):
            return []
        unknown = np.flatnonzero(self._hidden)
        system = self._lines.equations(unknown)
        # One table that fits what is published serves many cells at once, above all those
        # that share no line and so do not take from each other.
        self._try(unknown, system, self._wanting(), low=True)
        tried = np.zeros_like(self._hidden)
        while left := [i for i in self._wanting() if not tried[i]]:
            apart = self._lines.apart(left)
            tried[apart] = True
            self._try(unknown, system, apart)
        for cell in self._wanting():
            for low in (False, True):
                if cell in self._wanting():
                    self._try(unknown, system, np.array([cell]), low=low)
        return [int(cell) for cell in self._wanting()]

    def _try(self, unknown: Ints, system: Any, cells: Ints, *, low: bool = False) -> None:
        """Look for a table that fits, with the cells as high, or as low, as they need."""
        if not len(cells):
            return
        at, value = np.searchsorted(unknown, cells), self._value[unknown]
        cost = np.zeros(len(unknown))
        cost[at] = 1.0 if low else -1.0
        bounds: list[tuple[float | None, float | None]]
        bounds = [(None if v < 0 else 0.0, None) for v in value]
        # No higher than needed, so that none is served twice; and so nothing is endless.
        for i, most in zip(at, np.maximum(self._ceiling(cells), self._value[cells]), strict=True):
            bounds[i] = (-2.0 if value[i] < 0 else 0.0, float(most))  # values are 1 at most
        table = solve(cost, A_eq=system, b_eq=system @ value, bounds=bounds)
        if table is not None:
            self._remember(unknown, table)

    def _ceiling(self, cells: Ints) -> Floats:
        """How high cells must be able to go, seen how low they can."""
        most: Floats = np.maximum(self._reach[cells], self._low[cells] + self._width[cells])
        return most

    def _remember(self, cells: Ints, table: Floats) -> None:
        """Keep what a table that fits shows to be possible."""
        self._low[cells] = np.minimum(self._low[cells], table)
        self._high[cells] = np.maximum(self._high[cells], table)

    def _give_company(self, cell: int) -> bool:
        """Withhold what lets a cell be as high as it must, at the least loss of what is shown."""
        from scipy.sparse import hstack

        movable = np.flatnonzero(self._hidden | self._open)
        system, value = self._lines.equations(movable), self._value[movable]
        cost = np.where(self._hidden[movable], 1e-6, np.abs(value) + 1e-3)
        up: list[tuple[float, float | None]] = [(0.0, None) for _ in value]
        down: list[tuple[float, float | None]] = [(0.0, None if v < 0 else v) for v in value]
        at = int(np.searchsorted(movable, cell))
        more = float(self._ceiling(np.array([cell]))[0] - self._value[cell])
        up[at], down[at] = (more, more), (0.0, 0.0)
        moved = solve(
            np.concatenate([cost, cost]), A_eq=hstack([system, -system]),
            b_eq=np.zeros(system.shape[0]), bounds=[*up, *down],
        )  # fmt: skip
        if moved is None:  # there is not enough to move: nothing of its lines can stay
            taken = self._lines.around(cell)
            taken = taken[self._open[taken]]
            self._hide(taken)
            return len(taken) > 0
        change = moved[: len(value)] - moved[len(value) :]
        self._remember(movable, value + change)
        self._hide(movable[(np.abs(change) > _EPS) & self._open[movable]])
        return True
