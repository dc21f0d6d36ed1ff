"""How small a p-value must be when it was one of many.

Both functions return adjusted p-values in the order given: reject where they are
at or below the level.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxlab.errors import DataError
from cxlab.stats.intervals import z_quantile

__all__ = ["benjamini_hochberg", "clear_changes", "holm"]


def clear_changes(
    changes: Sequence[tuple[float, float, float]], *, level: float = 0.95
) -> list[bool]:
    """Tell which differences are clear when all of them are looked at together.

    A p-value is worked out from the end of each interval on the side of zero, by the
    normal distribution, and adjusted by Holm.

    Parameters
    ----------
    changes : sequence of (estimate, low, high)
        Differences with their intervals at `level`.
    level : float
        Confidence level of the intervals; 1 - level is the chance of any false claim.

    Returns
    -------
    list of bool
        One for each difference. With one difference it is clear exactly when its
        interval leaves out zero.

    Examples
    --------
    >>> clear_changes([(0.04, 0.01, 0.07), (0.03, 0.001, 0.06), (0.0, -0.1, 0.1)])
    [True, False, False]
    """
    from scipy.special import ndtr

    z = z_quantile(level)
    values = []
    for estimate, low, high in changes:
        se = abs(estimate - (low if estimate > 0 else high)) / z
        values.append(2 * float(ndtr(-abs(estimate) / se)) if se > 0 else float(estimate == 0))
    return [bool(p < 1 - level) for p in holm(values)]


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """Adjust p-values so that any false rejection in the family is rare.

    Parameters
    ----------
    p : sequence of float, shape (tests,)
        One p-value for each test of the family.

    Returns
    -------
    numpy.ndarray, shape (tests,)
        Adjusted p-values, at most 1.

    Raises
    ------
    DataError
        If a value is missing or outside 0 to 1.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    values, order = _ordered(p)
    tests_left = len(values) - np.arange(len(values))
    stepped = np.maximum.accumulate(values[order] * tests_left)
    return _restored(np.minimum(stepped, 1.0), order)


def benjamini_hochberg(p: Sequence[float]) -> NDArray[np.float64]:
    """Adjust p-values so that few of the rejections are false, on average.

    Parameters
    ----------
    p : sequence of float, shape (tests,)
        One p-value for each test of the family.

    Returns
    -------
    numpy.ndarray, shape (tests,)
        Adjusted p-values, at most 1.

    Raises
    ------
    DataError
        If a value is missing or outside 0 to 1.

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    values, order = _ordered(p)
    scaled = values[order] * len(values) / (np.arange(len(values)) + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _restored(np.minimum(stepped, 1.0), order)


def _ordered(p: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    values = np.asarray(p, dtype=np.float64)
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"p-values must lie between 0 and 1, but test {at} has {values[at]}. "
            "Leave out tests that could not be made."
        )
    return values, np.argsort(values, kind="stable")


def _restored(stepped: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    out = np.empty_like(stepped)
    out[order] = stepped
    return out
