"""Sentences of made-up customers, from clauses, turns and closings."""

import numpy as np
from numpy.typing import NDArray

from cxlab.data.sample.phrases import (
    BUT,
    CLAUSES,
    CLOSINGS,
    EMOJI,
    LANGUAGES,
    OPENINGS,
    PLEASES,
    THEMES,
)

__all__ = ["write"]

Codes = NDArray[np.integer]

_EMOJI = 0.15  # share of comments that have one
_EACH = 6  # clauses, openings or closings of a kind


def write(
    rng: np.random.Generator, language: Codes, theme: Codes, valence: Codes
) -> NDArray[np.object_]:
    """Write one sentence each: a clause, against it another where mixed, and perhaps emoji.

    >>> rng = np.random.default_rng(4)
    >>> list(write(rng, np.array([1]), np.array([1]), np.array([1])))
    ['this time the roast never disappoints']
    """
    size = len(theme)
    clauses = _listed([CLAUSES[i, t, p] for i in LANGUAGES for t in THEMES for p in PLEASES])
    openings = _listed([OPENINGS[i] for i in LANGUAGES])
    closings = _listed([CLOSINGS[i, v] for i in LANGUAGES for v in (-1, 0, 1)])
    but = _listed([BUT[i] for i in LANGUAGES])
    emoji = _listed([EMOJI[v] for v in (-1, 0, 1)])

    def clause(about: Codes, displeases: NDArray[np.bool_]) -> NDArray[np.object_]:
        row = (language * len(THEMES) + about) * len(PLEASES) + displeases
        return np.asarray(clauses[row, rng.integers(0, _EACH, size)])

    mixed = valence == 0
    turns = rng.random(size) < 0.5  # a mixed one begins with what displeases
    displeases = (valence < 0) | (mixed & turns)
    text = openings[language, rng.integers(0, _EACH, size)] + clause(theme, displeases)
    # The other clause is about another theme.
    other = (theme + rng.integers(1, len(THEMES), size)) % len(THEMES)
    contrast = but[language, rng.integers(0, but.shape[1], size)] + clause(other, ~displeases)
    text = text + np.where(mixed, contrast, "")
    text = text + closings[language * 3 + valence + 1, rng.integers(0, _EACH, size)]
    smiles = " " + emoji[valence + 1, rng.integers(0, emoji.shape[1], size)]
    return np.asarray(text + np.where(rng.random(size) < _EMOJI, smiles, ""))


def _listed(cells: list[tuple[str, ...]]) -> NDArray[np.object_]:
    """Return texts as an array, a row per cell."""
    return np.array(cells, dtype=object)
