"""What all groups of settings share: unknown keys are refused, and nothing changes later."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Days", "Share", "Strict"]

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(gt=0, le=36_500)]


class Strict(BaseModel):
    """A group of settings that refuses what it does not know."""

    # A default_cycle of 2018 is text, whatever YAML takes it for.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )
