"""How small a difference we could have seen, given how many answered.

A difference that was not detected says little without this number beside it.
"""

import math

from scipy.optimize import brentq
from scipy.special import nctdtr, ndtr

from cxlab.errors import DataError
from cxlab.stats.intervals import t_quantile, z_quantile

__all__ = [
    "cohen_h",
    "detectable_change",
    "detectable_mean_difference",
    "detectable_nps_difference",
    "detectable_share_difference",
    "power_of_means",
    "power_of_shares",
    "size_for_shares",
]


def cohen_h(share: float, share_before: float) -> float:
    """Distance of two shares on the arcsine scale, where their variance is constant.

    >>> round(cohen_h(0.12, 0.10), 10)
    0.063982103
    """
    return 2 * math.asin(math.sqrt(share)) - 2 * math.asin(math.sqrt(share_before))


def power_of_shares(h: float, n: float, n_before: float, *, level: float = 0.95) -> float:
    """Chance that a two-sided test at `level` sees a distance of `h`.

    A level of 0.90 gives the one-sided test at 5 %.

    >>> round(power_of_shares(0.3, 80, 245, level=0.90), 4)
    0.7533
    """
    z, distance = z_quantile(level), abs(h) / math.sqrt(1 / n + 1 / n_before)
    return float(ndtr(distance - z) + ndtr(-distance - z))


def size_for_shares(
    share: float, share_before: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """Count the answers needed in each of two samples to see the difference of two shares.

    >>> round(size_for_shares(0.12, 0.10), 6)
    3834.59574
    """
    distance = _distance_with(power, level)
    return 2 * (distance / cohen_h(share, share_before)) ** 2


def detectable_share_difference(
    share: float, n: float, n_before: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """Smallest difference of two shares that a test sees with the power given.

    Parameters
    ----------
    share : float
        Where the shares lie, 0 to 1.
    n, n_before : float
        Independent answers in the two samples.
    power, level : float
        Chance to see the difference; confidence level of the test.

    Returns
    -------
    float
        Difference, 0 to 1, the wider of the two directions that stay on the scale.

    Raises
    ------
    DataError
        If a sample is empty.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6.

    Examples
    --------
    >>> round(detectable_share_difference(0.10, 3834.6, 3834.6), 4)
    0.02
    """
    _samples_stand(n, n_before)
    h = _distance_with(power, level) * math.sqrt(1 / n + 1 / n_before)
    angle = math.asin(math.sqrt(share))
    steps = [angle + h / 2, angle - h / 2]
    reach = [abs(math.sin(step) ** 2 - share) for step in steps if 0 <= step <= math.pi / 2]
    return max(reach, default=1.0)


def power_of_means(d: float, n: float, n_before: float, *, level: float = 0.95) -> float:
    """Chance that a t test at `level` sees a difference of `d` standard deviations.

    >>> round(power_of_means(1.0, 20, 20), 6)
    0.868953
    """
    df, distance = n + n_before - 2, abs(d) / math.sqrt(1 / n + 1 / n_before)
    t = t_quantile(level, df)
    # Far out the routine has no value, but only where the chance is below 1e-50.
    missed, opposite = (float(nctdtr(df, distance, end)) for end in (t, -t))
    return 1 - (0.0 if math.isnan(missed) else missed) + (0.0 if math.isnan(opposite) else opposite)


def detectable_mean_difference(
    sd: float, n: float, n_before: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """Smallest difference of two means that a t test sees with the power given.

    Parameters
    ----------
    sd : float
        Standard deviation of one answer; the result is in its unit.
    n, n_before : float
        Independent answers in the two samples, 4 or more together.
    power, level : float
        Chance to see the difference; confidence level of the test.

    Returns
    -------
    float
        Difference in the unit of `sd`.

    Raises
    ------
    DataError
        If a sample is empty.

    Examples
    --------
    >>> round(detectable_mean_difference(1.0, 50, 50), 3)
    0.566
    """
    _samples_stand(n, n_before)

    def short_of(d: float) -> float:
        return power_of_means(d, n, n_before, level=level) - power

    # The normal answer is a little short, and far too short for a handful of answers.
    far = _distance_with(power, level) * math.sqrt(1 / n + 1 / n_before)
    while short_of(far) < 0:
        far *= 2
    return sd * float(brentq(short_of, 0.0, far, xtol=1e-12))


def detectable_nps_difference(
    variance: float, n: float, n_before: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """Smallest difference of two scores, in points, that a test sees.

    `variance` is that of one answer, scored +1, 0 or -1.

    >>> round(detectable_nps_difference(0.6316, 100, 100), 2)
    31.49
    """
    _samples_stand(n, n_before)
    se = math.sqrt(variance * (1 / n + 1 / n_before))
    return 100 * _distance_with(power, level) * se


def detectable_change(low: float, high: float, *, power: float = 0.8, level: float = 0.95) -> float:
    """Smallest change that would have been seen, from the interval of the one found.

    Serves every method, also where customers answer in both periods.

    >>> round(detectable_change(-0.0196, 0.0196), 3)
    0.028
    """
    return (high - low) / 2 * _distance_with(power, level) / z_quantile(level)


def _distance_with(power: float, level: float) -> float:
    """Distance in standard errors that a two-sided z test sees with this power."""
    z = z_quantile(level)

    def short_of(distance: float) -> float:
        return float(ndtr(distance - z) + ndtr(-distance - z)) - power

    return float(brentq(short_of, 0.0, z + 10, xtol=1e-14))


def _samples_stand(n: float, n_before: float) -> None:
    if not min(n, n_before) > 0:
        raise DataError(
            f"both samples need answers, but they have {n:g} and {n_before:g}. "
            "There is nothing to compare."
        )
