"""Choosing among the findings of a journey map, and writing one of them in a few words."""

from typing import Any

import pandas as pd

from cxlab.report import words

__all__ = ["FELT", "between", "by_stage", "name_of", "rows_of", "signed"]

FELT = {"emotion.valence": "Feeling", "emotion.satisfaction": "Satisfaction"}


def rows_of(rows: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Choose the rows with these values."""
    for name, value in values.items():
        rows = rows[rows[name].isin(value) if isinstance(value, list) else rows[name] == value]
    return rows


def by_stage(rows: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows that are about a stage."""
    return rows[rows["stage"].notna()]


def signed(row: Any) -> str:
    """Write a mean from -1 to +1 with its interval."""
    ends = [words.signed(row[c], "points") for c in ("conf_low", "conf_high")]
    return f"{words.signed(row['estimate'], 'points')}, {ends[0]} to {ends[1]}"


def between(row: Any) -> str:
    """Write the interval of a time."""
    return f"{words.duration(row['conf_low'])} to {words.duration(row['conf_high'])}"


def name_of(value: object) -> str:
    """Write a value of the log as words."""
    return str(value).replace("_", " ")
