"""How much risk has piled up by when? The cumulative hazard, whose slope is the rate of events."""

import numpy as np
import pandas as pd

from cxlab.stats.intervals import z_quantile
from cxlab.stats.survival.curve import SurvivalCurve

__all__ = ["cumulative_hazard"]


def cumulative_hazard(curve: SurvivalCurve) -> pd.DataFrame:
    """Cumulative hazard by duration (Nelson-Aalen), from the counts of a curve.

    Parameters
    ----------
    curve : SurvivalCurve
        From `product_limit`.

    Returns
    -------
    pandas.DataFrame
        One row per distinct duration: time, estimate, se, conf_low, conf_high. The interval
        is symmetric on the scale of logarithms; missing before the first event.

    Notes
    -----
    The sum of d / n, with the variance d / n^2, as R's default; lifelines' default spreads
    tied events out first.

    References
    ----------
    Aalen (1978), Annals of Statistics 6, 701-726; Klein & Moeschberger (2003), Survival
    Analysis, (4.2.3-4).

    Examples
    --------
    >>> from cxlab.stats.survival import product_limit
    >>> found = cumulative_hazard(product_limit([5, 8, 12], [2, 2, 1], [0, 0, 5]))
    >>> found["estimate"].round(4).tolist()
    [0.2, 0.45, 0.6167]
    """
    n, d = curve.at_risk, curve.events
    some = n > 0
    hazard = np.cumsum(np.divide(d, n, out=np.zeros_like(n), where=some))
    spread = np.cumsum(np.divide(d, n**2, out=np.zeros_like(n), where=some))
    se = np.sqrt(curve.design_effect * spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.exp(z_quantile(curve.level) * se / hazard)
    return pd.DataFrame(
        {
            "time": curve.time,
            "estimate": hazard,
            "se": se,
            "conf_low": hazard / far,
            "conf_high": hazard * far,
        }
    )
