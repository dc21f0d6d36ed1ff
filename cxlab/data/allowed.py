"""What may stand in a report although it looks personal: each exception with its reason."""

from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import Field, model_validator

from cxlab.data.personal import KINDS
from cxlab.data.strict import Strict

__all__ = ["Allowed"]


class Allowed(Strict):
    """One exception: a pattern such as `*@company.example`, and perhaps a kind.

    A kind alone would let through whatever of it gets into a report later.
    """

    reason: Annotated[str, Field(min_length=10)]
    pattern: str
    kind: str | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not self.pattern.strip("*? "):
            raise ValueError("pattern must hold more than * and ?")
        return self

    def covers(self, kind: str, value: str) -> bool:
        """Tell whether what was found is meant."""
        if self.kind is not None and self.kind != kind:
            return False
        return fnmatchcase(value.lower(), self.pattern.lower())
