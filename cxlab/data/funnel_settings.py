"""How a study declares its funnels: the steps, how much time they have, and what may lie between.

What each option means is written down with an example in docs/funnels.md, and a test
runs those examples.
"""

from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from cxlab.data.row_condition import pinned, row_condition
from cxlab.data.span import Span
from cxlab.data.strict import Strict

__all__ = ["Exclusion", "Funnel", "Step"]


class _Matched(Strict):
    """Which interactions are meant: of some activities, and for which a condition holds."""

    activity: list[str] = Field(default_factory=list)
    where: str | None = None

    @field_validator("activity", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, activity: Any) -> Any:
        return [activity] if isinstance(activity, str) else activity

    @field_validator("where")
    @classmethod
    def _looks_at_one_row(cls, where: str | None) -> str | None:
        if where is not None:
            row_condition(where, where="a funnel's `where`")
        return where

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.activity and self.where is None:
            raise ValueError("needs `activity`, or `where`, or both")
        return self

    def may_share(self, other: Self) -> bool:
        """Tell whether one interaction could be meant by both.

        It cannot where they name other activities, or other values of one column.
        """
        sides = (self._values(), other._values())
        for column in {c for asked, _ in sides for c in asked}:
            asked_for = [asked[column] for asked, _ in sides if column in asked]
            barred = set().union(*(barred.get(column, set()) for _, barred in sides))
            if not set.intersection(*asked_for) - barred:
                return False
        return True

    def _values(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """Collect the values that each column must have one of, and those it must not have."""
        asked, barred = pinned(self.where)
        values = {column: {value} for column, value in asked.items()}
        if self.activity:
            values["activity"] = values.get("activity", {*self.activity}) & {*self.activity}
        return values, barred


class Step(_Matched):
    """One step of a funnel.

    Attributes
    ----------
    name : str
        As it is shown.
    activity : list of str
        Activities that make the step, any of them; none given: any activity.
    where : str, optional
        SQL condition on the columns of interactions that must hold as well.
    optional : bool
        Whether a person may pass it by. The first and the last step are required.
    within : str, optional
        Longest time from the required step before it.
    """

    name: str
    optional: bool = False
    within: Span | None = None


class Exclusion(_Matched):
    """What ends an attempt when it happens between two steps.

    Attributes
    ----------
    activity, where
        As in a step.
    after, before : str, optional
        Names of the required steps between which it counts. Default: the first and the last.
    """

    after: str | None = None
    before: str | None = None


class Funnel(Strict):
    """A way of steps, and what counts as having gone it.

    Attributes
    ----------
    steps : list of Step
        At least two; a text stands for the step and the activity of that name.
    window : str
        Longest time from the first step, inclusive.
    order : {'ordered', 'strict', 'any'}
        Other contacts may lie between the steps; none may; or steps come in any order.
    exclude : list of Exclusion
        What ends an attempt; a text stands for the activity of that name.
    hold : list of str
        Columns that must be alike in all steps, such as `object_id`; a missing one never is.
    reentry : bool
        Whether a later first step may start as well; the attempt that gets furthest counts.
    count_by : {'person', 'session', 'attempt'}
        What is counted.
    ties : {'either', 'later'}
        Whether steps at the same moment count in either order, or must come later.
    attribution : str
        The step whose row gives the property of a breakdown: `first`, `last` (the furthest
        that was reached), or the name of a required step.
    """

    steps: Annotated[list[Step], Field(min_length=2, max_length=30)]
    window: Span = "30 days"
    order: Literal["ordered", "strict", "any"] = "ordered"
    exclude: list[Exclusion] = Field(default_factory=list)
    hold: list[str] = Field(default_factory=list)
    reentry: bool = False
    count_by: Literal["person", "session", "attempt"] = "person"
    ties: Literal["either", "later"] = "either"
    attribution: str = "first"

    @field_validator("steps", mode="before")
    @classmethod
    def _a_text_is_a_step(cls, steps: Any) -> Any:
        return _spelled_out(steps, lambda text: {"name": text, "activity": [text]})

    @field_validator("exclude", mode="before")
    @classmethod
    def _a_text_is_an_activity(cls, exclude: Any) -> Any:
        return _spelled_out(exclude, lambda text: {"activity": [text]})

    @field_validator("hold", mode="before")
    @classmethod
    def _one_is_a_list_of_one(cls, hold: Any) -> Any:
        return [hold] if isinstance(hold, str) else hold

    @model_validator(mode="after")
    def _steps_make_a_way(self) -> Self:
        names = [step.name for step in self.steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each step must be named once, but {twice} are named twice")
        if self.steps[0].optional or self.steps[-1].optional:
            raise ValueError("the first and the last step must not be optional")
        if self.steps[0].within is not None:
            raise ValueError("the first step has no step before it, so it takes no `within`")
        if self.attribution not in ("first", "last", *self.required):
            raise ValueError(
                f"attribution must be first, last, or one of the required steps {self.required}, "
                f"but is {self.attribution!r}"
            )
        return self

    @model_validator(mode="after")
    def _exclusions_lie_between_steps(self) -> Self:
        for out in self.exclude:
            ends = [self.required[0] if out.after is None else out.after,
                    self.required[-1] if out.before is None else out.before]  # fmt: skip
            places = [self.required.index(end) if end in self.required else -1 for end in ends]
            if not 0 <= places[0] < places[1]:
                raise ValueError(
                    f"an exclusion must lie between two required steps of {self.required}, the "
                    f"earlier one first, but lies after {ends[0]!r} and before {ends[1]!r}"
                )
        return self

    @model_validator(mode="after")
    def _options_go_together(self) -> Self:
        if self.order == "any":
            if any(step.within is not None for step in self.steps):
                raise ValueError("`within` needs an order: in any order no step comes before")
            if any(out.after or out.before for out in self.exclude):
                raise ValueError("an exclusion between two steps needs an order")
            for one, other in combinations(self.steps[1:], 2):
                if one.may_share(other):
                    raise ValueError(
                        f"in any order one contact must not make two steps, but {one.name!r} and "
                        f"{other.name!r} may mean the same one: give them other activities, or "
                        "other values of one column in `where`"
                    )
        if self.count_by == "attempt" and self.reentry:
            raise ValueError("count_by: attempt counts each attempt, so `reentry` says nothing")
        return self

    @property
    def required(self) -> list[str]:
        """Names of the steps that cannot be passed by."""
        return [step.name for step in self.steps if not step.optional]


def _spelled_out(items: Any, spell: Any) -> Any:
    if not isinstance(items, list | tuple):
        return items
    return [spell(item) if isinstance(item, str) else item for item in items]
