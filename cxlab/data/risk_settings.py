"""How a study's list of customers at risk is made, and for whom it may be used."""

from typing import Annotated

from pydantic import Field

from cxlab.data.consent import Purpose
from cxlab.data.strict import Days, Strict

__all__ = ["AtRiskSettings"]


class AtRiskSettings(Strict):
    """Horizon, length, purpose and contact cap of the list of those at risk."""

    horizon_days: Days = 91
    most: Annotated[int, Field(ge=1, le=100_000)] = 500
    purpose: Purpose = "marketing"  # customers who do not allow it are not listed
    contact_cap: Annotated[int, Field(ge=1, le=1000)] = 4
    cap_days: Days = 30
