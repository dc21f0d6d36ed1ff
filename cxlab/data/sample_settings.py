"""The setting `sample`: the made-up company in place of raw files, made on first use."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cxlab.data.strict import Strict

__all__ = ["FEW", "FEW_SET_ASIDE", "SampleSettings"]

# Of fewer customers more rows may be set aside: each kind of dirt stands once among few.
FEW = 1_000
FEW_SET_ASIDE = 0.2


class SampleSettings(Strict):
    """Which made-up company; see `cxlab sample --help`.

    Attributes
    ----------
    customers : int, optional
        How many people. Default: 20,000, of variant tiny 40.
    seed : int
        From which all chance follows.
    variant : str
        base, null (nothing has an effect), drift (habits move), tiny, misspecified (models
        are wrong), hostile (files that attack).
    """

    customers: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 2026
    variant: Literal["base", "null", "drift", "tiny", "misspecified", "hostile"] = "base"

    @property
    def size(self) -> int:
        """How many customers the company has."""
        from cxlab.data.sample.write import usual_size

        return self.customers or usual_size(self.variant)

    def raw_folder(self, state: Path) -> Path:
        """Return the folder of the raw files, made in the study's state where it is missing."""
        # Whoever brings files of their own need not load the company.
        from cxlab.data.sample.study import raw_once
        from cxlab.data.sample.write import Options

        options = Options(customers=self.size, seed=self.seed, variant=self.variant)
        return raw_once(state, options)

    def set_aside_max(self, limit: float) -> float:
        """Return the share of rows that may be set aside, where a study says `limit`."""
        return max(limit, FEW_SET_ASIDE) if self.size < FEW else limit
