"""What a study says about consent: which purposes need it, and what stands in its place.

Every analysis has a purpose. Kept apart from the record of consents, since settings are
read where no engine is needed.
"""

from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import Field, model_validator

from cxlab.data.strict import Strict
from cxlab.errors import ParameterError, did_you_mean

__all__ = ["PURPOSES", "ConsentSettings", "Purpose", "purpose_named"]

Purpose: TypeAlias = Literal["service", "analytics", "research", "marketing"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

KeepOrDrop: TypeAlias = Literal["keep", "drop"]


class Needs(Strict):
    """Which purposes need the customer's consent."""

    service: bool = False
    analytics: bool = True
    research: bool = True
    marketing: bool = True


class Grounds(Strict):
    """What a purpose that needs no consent stands on instead."""

    service: str | None = "contract"
    analytics: str | None = None
    research: str | None = None
    marketing: str | None = None


class Anonymous(Strict):
    """What becomes of rows that name nobody."""

    service: KeepOrDrop = "keep"
    analytics: KeepOrDrop = "keep"
    research: KeepOrDrop = "keep"
    marketing: KeepOrDrop = "keep"


class ConsentSettings(Strict):
    """Whose rows an analysis may see, by its purpose."""

    purpose: Purpose = "analytics"
    without_record: Literal["granted", "denied"] = "denied"
    needs: Needs = Needs()
    grounds: Grounds = Grounds()
    anonymous: Anonymous = Anonymous()
    aggregates_without_consent: bool = True
    aggregates_reason: Annotated[str, Field(min_length=1)] = (
        "To tell how far numbers of those who consent can be trusted, counts and sums over all "
        "customers are made; nobody's rows leave the engine."
    )

    @model_validator(mode="after")
    def _what_needs_no_consent_has_a_ground(self) -> Self:
        for purpose in PURPOSES:
            if not getattr(self.needs, purpose) and not getattr(self.grounds, purpose):
                raise ValueError(
                    f"a purpose without consent needs a legal ground, but grounds.{purpose} is "
                    "missing"
                )
        return self


def purpose_named(name: str) -> Purpose:
    """Read a purpose's name.

    Raises
    ------
    ParameterError
        If there is no such purpose.
    """
    for purpose in PURPOSES:
        if purpose == name:
            return purpose
    raise ParameterError(
        f"purpose must be one of {list(PURPOSES)}, but is {name!r}.{did_you_mean(name, PURPOSES)}"
    )
