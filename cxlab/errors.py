"""What can go wrong, as types: one for each thing a caller would do about it.

A message says what must hold, what was found and where, and what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConvergenceError",
    "CxlabError",
    "DataError",
    "MissingColumnError",
    "ParameterError",
    "RunError",
    "SettingsError",
    "Withheld",
    "did_you_mean",
]


class CxlabError(ValueError):
    """Anything that cxlab refuses; its text is meant for the person at the keyboard."""


class DataError(CxlabError):
    """The data break a rule, so a number made from them would be wrong."""


class ParameterError(CxlabError):
    """An option or a notebook parameter is unknown, missing or of the wrong kind."""


class SettingsError(CxlabError):
    """A study's settings or its SQL cannot be used as they are."""


class RunError(CxlabError):
    """A run cannot start or finish: a folder, a lock, a time or memory limit."""


class ConvergenceError(CxlabError):
    """A model's likelihood has no maximum that can be found."""


class Withheld(CxlabError):  # noqa: N818  (an answer rather than a fault)
    """The data cannot carry this number; the report shows a card that says why."""


class MissingColumnError(DataError, Withheld):
    """A table lacks a column that a question needs: a fault here, a card in a report."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean ...?' for the nearest known word, or nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
