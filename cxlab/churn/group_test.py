"""Might chance alone have made groups differ so much in the share that ended?"""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cxlab.report.finding import estimate_row
from cxlab.stats.clusters import ClusterSums, design_effect
from cxlab.stats.survival import log_rank

__all__ = ["group_test"]


def group_test(groups: pd.DataFrame) -> list[dict[str, Any]]:
    """Test whether groups share one share, as the log-rank test of a single time does.

    Parameters
    ----------
    groups : pandas.DataFrame
        A row per group: `grp`, `n` subscriptions of `persons` customers, of which `lost` ended,
        of `lost_persons` customers; `n_n`, `lost_n`, `lost_2`: sums over customers of squares
        and products.

    Returns
    -------
    list of dict
        Row of `churn.p_groups`; empty where there is nothing to compare.
    """
    if len(groups) < 2 or (groups["lost"] == groups["n"]).all():
        return []
    lost, n = (groups[column].to_numpy(float) for column in ("lost", "n"))
    found = log_rank(np.ones(len(n)), lost, n - lost, group=groups["grp"].to_numpy(str))
    effect = max(design_effect(_sums(row)) for row in groups.to_dict("records"))
    p_value = float(chdtrc(found.df, found.statistic / effect))
    return [
        estimate_row(
            "churn.p_groups", p_value, math.nan, math.nan, n=float(n.sum()),
            count=float(groups["lost_persons"].min()), unit="p",
            method=f"Mantel-Haenszel test of {len(n)} groups",
        )
    ]  # fmt: skip


def _sums(row: Any) -> ClusterSums:
    return ClusterSums(
        customers=float(row["persons"]), n=float(row["n"]), n_n=float(row["n_n"]),
        total=float(row["lost"]), n_total=float(row["lost_n"]), total_total=float(row["lost_2"]),
    )  # fmt: skip
