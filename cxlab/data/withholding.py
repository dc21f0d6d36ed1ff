"""Settings of what is withheld: uneven amounts, both sides of a share, and exceptions."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from cxlab.data.strict import Share, Strict

__all__ = ["Dominance", "Excepted"]


class Dominance(Strict):
    """Most that the largest customer, or the two largest, may hold of an amount of money."""

    top1: Annotated[Share, Field(gt=0)] = 0.7
    top2: Annotated[Share, Field(gt=0)] = 0.85

    @model_validator(mode="after")
    def _two_hold_no_less_than_one(self) -> Self:
        if self.top2 < self.top1:
            raise ValueError(
                f"top2 must be at least top1, since two hold no less than one, but is "
                f"{self.top2:g} against {self.top1:g}"
            )
        return self


class Excepted(Strict):
    """A metric that is never withheld, and why that harms nobody."""

    metric: Annotated[str, Field(min_length=3)]
    reason: Annotated[str, Field(min_length=15)]
