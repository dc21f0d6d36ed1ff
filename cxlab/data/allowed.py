"""What may stand in a report although it looks personal: each exception with its reason."""

from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import Field, model_validator

from cxlab.data.personal import KINDS
from cxlab.data.strict import Strict

__all__ = ["Allowed"]


class Allowed(Strict):
    """One exception: a pattern such as `*@company.example`, a kind, or both."""

    reason: Annotated[str, Field(min_length=10)]
    pattern: str | None = None
    kind: str | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.pattern is None and self.kind is None:
            raise ValueError("an exception needs a pattern or a kind")
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if self.pattern is not None and not self.pattern.strip("*? "):
            raise ValueError("pattern must hold more than * and ?")
        return self

    def covers(self, kind: str, value: str) -> bool:
        """Tell whether what was found is meant."""
        if self.kind is not None and self.kind != kind:
            return False
        return self.pattern is None or fnmatchcase(value.lower(), self.pattern.lower())
