"""What an analysis answers, and how it gets from a notebook onto the record.

A `Result` keeps its estimates in one tidy frame. Displaying it writes three
things into the notebook: HTML for the page, one line of text, and the findings
as JSON. The publisher reads these back, so a number that was not shown reaches
nobody, and a number that was shown cannot differ from the record.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, Self

import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.errors import ConvergenceError, Withheld
from cxlab.metrics import version_of
from cxlab.report import disclosure, words
from cxlab.report.disclosure import Policy

__all__ = [
    "MIMETYPE",
    "Card",
    "Result",
    "estimate_row",
    "interval_row",
    "optional",
    "publish_with",
    "show",
]

MIMETYPE = "application/vnd.cxlab.finding+json"


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """Estimates in one tidy frame, and the words around them.

    Rooms derive their results from this class and add `plot` and `sentence`.

    Attributes
    ----------
    estimates : pandas.DataFrame
        One row per metric and group: the columns of `cxlab.columns.ESTIMATE`, and
        one column per dimension. `n` is what the estimate rests on, `count` the
        people in this row alone: for a share its numerator, but for a share of
        answers all who answered, as survey practice has it.
    subtitle : str
        Statistic, unit, period and population, in one line.
    note : str
        Base, weighting, source, as of: what stands under the chart.
    noted : callable, optional
        Writes `note` for a smallest number of people, where it counts some: a note tells no
        more of few than a table does.
    level : float
        Confidence level of all intervals.
    design : str
        What makes the result causal, such as 'randomised'; empty where it only describes.
        A sentence may name a cause only where there is one.
    breaks : str
        Why this cycle cannot be compared with those before, such as another scale; empty
        where it can. Where there is a break, no sentence and no row may state a change.
    apart : tuple of str
        Columns along which rows are no parts of one total, when small groups are withheld.
        With `metric`, a group hidden in one metric tells of nothing in another.
    """

    estimates: pd.DataFrame = field(repr=False)
    subtitle: str = ""
    note: str = ""
    level: float = 0.95
    design: str = ""
    breaks: str = ""
    noted: Callable[[int], str] | None = field(default=None, repr=False)
    apart: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Write the note as it is before anything is withheld."""
        if self.noted is not None and not self.note:
            object.__setattr__(self, "note", self.noted(0))

    def table(self) -> pd.DataFrame:
        """Estimates without the columns that are the same in every row."""
        inner = [c for c in self.estimates.columns if str(c).startswith("_")]
        frame = self.estimates.drop(columns=["count", "method", *inner])
        keep = [c for c in ("metric", "unit") if frame[c].nunique() > 1]
        drop = [c for c in ("metric", "unit") if c not in keep]
        return frame.drop(columns=drop).reset_index(drop=True)

    def plot(self, *, ax: Any = None) -> Any:  # noqa: ARG002
        """Draw the rows of `table`; None where a picture would add nothing."""
        return None

    def picture(self, *, uid: str) -> str | None:  # noqa: ARG002
        """Draw the rows as HTML where a plot cannot say it; None leaves it to `plot`.

        `uid` begins every id in it, and all text in it must be escaped.
        """
        return None

    def sentence(self) -> str:
        """One line for the report; rooms put their numbers into it."""
        return self.subtitle

    def findings(self) -> list[dict[str, Any]]:
        """Rows for the record: metric, dims, estimate, interval, n, unit, method."""
        dims = disclosure.dimensions(self.estimates)
        return [_finding(row, dims, self.level) for row in self.estimates.to_dict("records")]

    def protect(self, rules: Policy | int) -> Self:
        """Return the same result with small groups and uneven amounts withheld."""
        safe = disclosure.protect(self.estimates, rules, apart=self.apart)
        return replace(self, estimates=safe, note=self.note_for(rules))

    def note_for(self, rules: Policy | int) -> str:
        """Write the note so that it counts no few people."""
        return self.note if self.noted is None else self.noted(Policy.of(rules).min_cell)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return _bundle(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Card:
    """In place of a number that the data cannot carry: the reason, in plain words."""

    title: str
    reason: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        from cxlab.report import html

        payload = {"kind": "card", "title": self.title, "reason": self.reason, "rows": []}
        return {
            "text/plain": f"{self.title}: {self.reason}",
            "text/html": _dressed(html.card(self.title, self.reason)),
            MIMETYPE: payload,
        }


@dataclass
class _Publishing:
    """How this session publishes; set once when a study is opened."""

    policy: Policy = field(default_factory=Policy)
    shown: int = 0
    components: bool = True  # ship the style sheet of our objects to the lab
    session: str = ""  # ends every id
    versions: Mapping[str, int] = field(default_factory=dict)  # of the study's own metrics


_publishing = _Publishing()


def publish_with(
    *, policy: Policy, components: bool, versions: Mapping[str, int] | None = None
) -> None:
    """Set the rules that every later `show` of this session follows."""
    _publishing.versions = versions or {}
    _publishing.policy = policy
    _publishing.components = components
    # A lab puts all open notebooks into one document, where ids must differ; a chapter
    # has a page to itself, and the same ids every time.
    _publishing.session = f"-{os.getpid()}" if components else ""


def estimate_row(
    metric: str,
    estimate: float,
    conf_low: float,
    conf_high: float,
    *,
    n: float,
    unit: str,
    method: str,
    count: float | None = None,
    money: Any = None,  # Money or None; mypy would take any **dims for it
    **dims: object,
) -> dict[str, Any]:
    """Build one row of `Result.estimates`; `count` defaults to `n`.

    What is in money, or made of it, needs `money`: how it comes about. Otherwise nobody
    could tell whether one customer's own amount can be read off it.
    """
    return {
        **dims,
        **(money.columns() if money else {}),
        "metric": metric,
        "estimate": float(estimate),
        "conf_low": float(conf_low),
        "conf_high": float(conf_high),
        "n": float(n),
        "count": float(n if count is None else count),
        "unit": unit,
        "method": method,
        "suppressed": False,
    }


class Estimated(Protocol):
    """An estimate with its interval, whatever method made it."""

    @property
    def estimate(self) -> float:
        """The number itself."""

    @property
    def low(self) -> float:
        """Lower end."""

    @property
    def high(self) -> float:
        """Upper end."""

    @property
    def n(self) -> float:
        """What it rests on."""

    @property
    def method(self) -> str:
        """How it was made."""


def interval_row(
    metric: str,
    found: Estimated,
    *,
    unit: str,
    count: float | None = None,
    money: Any = None,
    **dims: object,
) -> dict[str, Any]:
    """Build one row of `Result.estimates` from an interval; `count` defaults to its n."""
    return estimate_row(
        metric, found.estimate, found.low, found.high,
        n=found.n, count=count, unit=unit, method=found.method, money=money, **dims,
    )  # fmt: skip


def show(item: object, *, title: str | None = None) -> None:
    """Display a result in the notebook and put its numbers on the record.

    Parameters
    ----------
    item : Result, Card or anything with a `_repr_mimebundle_`
        What to show. Small groups and uneven amounts are withheld by the study's rules.
    title : str, optional
        Headline to use instead of the result's own sentence.
    """
    from IPython.display import display

    bundle = _bundle(item, title=title) if isinstance(item, Result) else item
    if isinstance(bundle, dict):
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
    else:
        display(bundle)  # type: ignore[no-untyped-call]


@contextmanager
def optional(title: str = "Not available") -> Iterator[None]:
    """Show a card with the reason where the data cannot carry the numbers inside.

    Only `Withheld` and `ConvergenceError` are caught: a fault stays a fault.

    Examples
    --------
    >>> with optional("Net Promoter Score"):  # doctest: +SKIP
    ...     show(nps(lab.answers, cycle=lab.cycle))
    """
    try:
        yield
    except (Withheld, ConvergenceError) as reason:
        show(Card(title=title, reason=str(reason)))


def _bundle(result: Result, *, title: str | None = None) -> dict[str, Any]:
    from cxlab.report import html

    safe = result.protect(_publishing.policy)
    _publishing.shown += 1
    sentence, uid = (
        words.begun(title or safe.sentence()),
        f"f{_publishing.shown}{_publishing.session}",
    )
    payload = {
        "kind": "result",
        "anchor": uid,
        "result": type(result).__name__,
        "sentence": sentence,
        "design": safe.design,
        "breaks": safe.breaks,
        "suppressed_cells": disclosure.suppressed_cells(safe.estimates),
        "suppressed_by": disclosure.tally(result.estimates, safe.estimates, _publishing.policy),
        "rows": safe.findings(),
    }
    return {
        "text/plain": sentence,
        "text/html": _dressed(html.figure(safe, headline=sentence, uid=uid)),
        MIMETYPE: json.loads(json.dumps(payload, allow_nan=False)),
    }


def _dressed(page: str) -> str:
    """Add the style sheet for the lab: to each output, since any may be run again or cleared."""
    from cxlab.report import html

    return html.components() + page if _publishing.components else page


def _finding(row: Mapping[Any, Any], dims: list[str], level: float) -> dict[str, Any]:
    group = {d: _plain(row[d]) for d in dims if _plain(row[d]) is not None}
    numbers = {c: _plain(row[c]) for c in ("estimate", "conf_low", "conf_high", "n")}
    texts = {c: row[c] for c in ESTIMATE if c in ("metric", "unit", "method")}
    version = _publishing.versions.get(row["metric"]) or version_of(row["metric"])
    return {
        **texts,
        "version": version,
        "dims": group,
        **numbers,
        "level": level,
        "suppressed": bool(row["suppressed"]),
    }


def _plain(x: Any) -> Any:
    """Return a value that JSON can hold; what is missing becomes None."""
    if x is None or x is pd.NA or (isinstance(x, float) and not math.isfinite(x)):
        return None
    if isinstance(x, bool | str | int):
        return x
    if isinstance(x, float):
        return int(x) if x.is_integer() and abs(x) < 2**53 else x
    return str(x)
