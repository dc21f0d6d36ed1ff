"""Which cells add up to which totals, and what fits a system of such sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Ints", "Lines", "solve"]

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]


class Lines:
    """The lines of a table: parts, and the total they add up to where it is among the cells.

    Parameters
    ----------
    keys : sequence of tuple of str
        One word per dimension for each cell; "" where it is a total over the dimension.

    Attributes
    ----------
    every : list of (array, int or None)
        Positions of the parts and of the total; None where the total stands elsewhere.
    of : list of list of int
        For each cell the lines that it is in, as part or as total.
    """

    def __init__(self, keys: Sequence[tuple[str, ...]]) -> None:
        place = {key: i for i, key in enumerate(keys)}
        found: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        for i, key in enumerate(keys):
            for axis, name in enumerate(key):
                if name != "":
                    total = (*key[:axis], "", *key[axis + 1 :])
                    found.setdefault((axis, total), []).append(i)
        every = [(np.array(found[at]), place.get(at[1])) for at in sorted(found)]
        # One part without a total tells nothing: a group within another has no sum of its own.
        self.every = [
            (parts, total) for parts, total in every if len(parts) > 1 or total is not None
        ]
        self.of: list[list[int]] = [[] for _ in keys]
        for row, cells in enumerate(self.every):
            for i in self._cells(*cells):
                self.of[i].append(row)

    def around(self, cell: int) -> Ints:
        """List the cells that share a line with a cell."""
        return np.unique([i for row in self.of[cell] for i in self._cells(*self.every[row])])

    def apart(self, cells: Sequence[int]) -> Ints:
        """Pick cells of which no two share a line."""
        taken: set[int] = set()
        picked = []
        for cell in cells:
            if taken.isdisjoint(self.of[cell]):
                picked.append(cell)
                taken.update(self.of[cell])
        return np.array(picked)

    def equations(self, among: Ints) -> Any:
        """Write one row per line: its parts less its total, of the given cells alone."""
        from scipy.sparse import csr_array

        place = {int(cell): column for column, cell in enumerate(among)}
        entries = [
            (row, place[i], -1.0 if i == total else 1.0)
            for row, (parts, total) in enumerate(self.every)
            for i in self._cells(parts, total)
            if i in place
        ]
        rows, columns, signs = (np.array(x) for x in zip(*entries, strict=True))
        full = csr_array((signs, (rows, columns)), shape=(len(self.every), len(among)))
        return full[np.unique(rows)]

    def _cells(self, parts: Ints, total: int | None) -> list[int]:
        return [*parts.tolist(), *([] if total is None else [total])]


def solve(cost: Floats, **problem: Any) -> Floats | None:
    """Solve a linear programme as `scipy.optimize.linprog` does; None where nothing fits."""
    from scipy.optimize import linprog

    found: Floats | None = linprog(cost, **problem).x
    return found
