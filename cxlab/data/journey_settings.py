"""How a study declares its journeys: what ends one, and the map that people planned.

The planned map is what the company means customers to live through. What they do live
through is found in the interactions, and set against it.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from cxlab.data.span import Span
from cxlab.data.strict import Share, Strict
from cxlab.errors import did_you_mean

__all__ = ["MEDIA", "JourneySettings", "PlannedStage", "never_seen"]

Medium = Literal["online", "offline"]

_NAMES: dict[Medium, str] = {
    "offline": "brochure call_centre carrier catalogue direct_selling event fax in_person letter "
    "mail outdoor phone post print radio shop store tv visit",
    "online": "affiliate app chat display e-mail email marketplace messenger mobile online push "
    "referral_link search sms social social_media video web webshop website whatsapp",
}
# Channels whose name tells whether a screen is part of them; a study names its own.
MEDIA: Mapping[str, Medium] = {
    name: medium for medium, names in _NAMES.items() for name in names.split()
}


class PlannedStage(Strict):
    """One stage of the planned map, from left to right.

    Attributes
    ----------
    name : str
        As in the column `stage` of interactions.
    after : bool
        Whether it comes after the outcome, such as delivery after a purchase.
    optional : bool
        Whether a journey may pass it by without leaving the plan.
    activities : list of str
        Activities that belong to it where the interactions name no stage.
    touchpoints, channels : list of str
        Where customers are meant to be met; empty means anywhere.
    topics : list of str
        Topics of tickets that are about this stage, such as `delivery`.
    within : str, optional
        How long customers are meant to stay, such as `3 days`.
    owner, promise : str, optional
        Who answers for it, and what customers are promised there.
    """

    name: str
    after: bool = False
    optional: bool = False
    activities: list[str] = Field(default_factory=list)
    touchpoints: list[str] = Field(default_factory=list)
    channels: list[str] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)
    within: Span | None = None
    owner: str | None = None
    promise: str | None = None


class JourneySettings(Strict):
    """What a journey is in this study.

    Attributes
    ----------
    outcome : list of str
        Activities that journeys lead to, such as a purchase; without any, none converts.
    lost : list of str
        Activities that end a journey without its outcome, such as a refusal.
    stages : list of PlannedStage
        The planned map; empty where nobody has drawn one.
    gap : str, optional
        Silence after which the next contact begins another journey. None: never.
    settling : str, optional
        How long after an outcome contacts of its own stage, or of none that is planned, still
        belong to it, such as its payment. None: only at the same moment.
    key : str, optional
        Column of interactions that says which journey a row belongs to, such as `object_id`.
    persona : str, optional
        Whose journeys are mapped apart: a set of `segments`, or a column of customers.
    approved : str, optional
        The cycle in which the map was last approved.
    themes : dict of str to list of str
        What comments may complain of, and the words by which it is known, in any language that
        puts spaces between them: `late delivery: [late, terlambat, not arrived]`. They are
        found as whole words in each form that is listed, whatever their case. A theme is a
        list of words and nothing else: where the text denies a word, it is still found.
    media : dict of str to {'online', 'offline'}
        Whether a screen is part of a channel, for names that do not tell it by themselves.
    review_distance : float
        Jensen-Shannon distance since then from which on the map is due for review.
    """

    outcome: list[str] = Field(default_factory=list)
    lost: list[str] = Field(default_factory=list)
    stages: list[PlannedStage] = Field(default_factory=list)
    gap: Span | None = "30 days"
    settling: Span | None = "1 hour"
    key: str | None = None
    persona: str | None = None
    approved: str | None = None
    themes: dict[str, list[str]] = Field(default_factory=dict)
    media: dict[str, Medium] = Field(default_factory=dict)
    review_distance: Annotated[Share, Field(gt=0)] = 0.1

    @field_validator("themes")
    @classmethod
    def _themes_have_words(cls, themes: dict[str, list[str]]) -> dict[str, list[str]]:
        for theme, listed in themes.items():
            if empty := [word for word in listed if not any(c.isalnum() for c in word)]:
                raise ValueError(f"theme {theme!r} must list words, but has {empty}")
        return themes

    @model_validator(mode="after")
    def _stages_differ_and_run_forward(self) -> Self:
        names = [stage.name for stage in self.stages]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each stage must be named once, but {twice} are named twice")
        sides = [stage.after for stage in self.stages]
        if sides != sorted(sides):
            raise ValueError("stages after the outcome must come last, from left to right")
        if both := sorted({*self.outcome} & {*self.lost}):
            raise ValueError(f"an activity is the outcome or its loss, but {both} is both")
        return self


def never_seen(key: str, named: Iterable[str], seen: Iterable[str], *, most: int = 5) -> str:
    """Say which activities of a setting no contact is of, and which there are instead.

    Parameters
    ----------
    key : str
        The setting, such as `journey.outcome`.
    named : iterable of str
        The activities that it names.
    seen : iterable of str
        The activities of the log.
    most : int
        Of these so many are listed, by name.

    Returns
    -------
    str
        Empty where each is in the log.

    Examples
    --------
    >>> print(never_seen("journey.lost", ["left"], ["seen", "bought"]))
    journey.lost names ['left'], which no contact is of. The log has bought, seen.
    """
    known = sorted(set(seen))
    missing = [name for name in named if name not in known]
    if not missing:
        return ""
    more = f" and {len(known) - most:,} others" if len(known) > most else ""
    return (
        f"{key} names {missing}, which no contact is of.{did_you_mean(missing[0], known)} The log "
        f"has {', '.join(known[:most])}{more}."
    )
