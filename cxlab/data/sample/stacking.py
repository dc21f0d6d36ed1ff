"""Frames of one shape, one below the other, whatever is missing in them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["stack"]


def stack(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put frames of the same columns below each other.

    Unlike `pandas.concat`, a column that is empty or missing throughout one of the frames
    keeps its kind. Categories must be the same in all frames.
    """
    columns = {}
    for name in frames[0].columns:
        parts = [frame[name] for frame in frames]
        if isinstance(parts[0].dtype, pd.CategoricalDtype):
            codes = np.concatenate([part.cat.codes.to_numpy() for part in parts])
            columns[name] = pd.Series(pd.Categorical.from_codes(codes, dtype=parts[0].dtype))
        else:
            columns[name] = pd.Series(np.concatenate([part.to_numpy() for part in parts]))
    return pd.DataFrame(columns)
