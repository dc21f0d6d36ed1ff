"""Where a study's digital channels rub: which activities are clicks, searches and forms.

Every signal has an open formula; its thresholds stand here, and are printed with it.
"""

from typing import Annotated

from pydantic import Field

from cxlab.data.span import Span
from cxlab.data.strict import Strict

__all__ = ["FrictionSettings"]


class FrictionSettings(Strict):
    """What a click, a page, a search, a form and an error are, and from when on they rub.

    Attributes
    ----------
    channels : list of str
        Channels whose sessions are looked at, such as web and app; empty means all.
    timeout : str
        Pause that ends a session.
    clicks : list of str
        Activities that are clicks on an element (`object_id`).
    rage_clicks, rage_within : int and str
        So many clicks on one element within so long are a rage click.
    dead_after : str
        A click that nothing of the person follows for so long is dead; so is one that failed.
    errors : list of str
        Activities that are errors shown to the person.
    error_after : str
        A click that an error follows within so long is an error click.
    pages : list of str
        Activities that open a page (`object_id`, else the activity is the page).
    loops : int
        So many rounds between two pages are a page loop; 2 is A, B, A, B.
    searches : list of str
        Activities that search; one that failed has no result.
    results : list of str
        Activities that open a result; a search of unknown outcome that none follows in the
        session has no result.
    forms : list of str
        Activities that are abandoned where their outcome says so.
    left : list of str
        Activities that themselves mean an abandoned form.
    """

    channels: list[str] = Field(default_factory=list)
    timeout: Span = "30 minutes"
    clicks: list[str] = Field(default_factory=list)
    rage_clicks: Annotated[int, Field(ge=2, le=20)] = 3
    rage_within: Span = "2 seconds"
    dead_after: Span = "10 seconds"
    errors: list[str] = Field(default_factory=list)
    error_after: Span = "2 seconds"
    pages: list[str] = Field(default_factory=list)
    loops: Annotated[int, Field(ge=2, le=10)] = 2
    searches: list[str] = Field(default_factory=list)
    results: list[str] = Field(default_factory=list)
    forms: list[str] = Field(default_factory=list)
    left: list[str] = Field(default_factory=list)
