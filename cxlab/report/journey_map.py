"""The journey map as a picture made of HTML: stages from left to right, a lane for each element.

An ordered list of stages, each with a heading, a piece of the curve of feelings and a list of
lanes. The style sheet aligns the lanes of all stages on a wide screen and on paper, and stacks
the same stages as cards on a phone. There is no script, and each cell says in a word and a
shape how it is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cxlab.report import words
from cxlab.report.tables import text

__all__ = [
    "ASSUMED", "MISSING", "OBSERVED", "SURVEYED", "Cell", "Feeling", "Line", "Map", "Stage", "draw",
]  # fmt: skip

OBSERVED, SURVEYED, ASSUMED, MISSING = "observed", "surveyed", "assumed", "missing"
_SHAPES = {OBSERVED: "●", SURVEYED: "◆", ASSUMED: "○", MISSING: "✕"}
_MEANING = {
    OBSERVED: "counted in the log of contacts",
    SURVEYED: "answered by customers",
    ASSUMED: "planned or declared, not measured",
    MISSING: "nobody knows yet",
}
_HEIGHT = 100.0  # of a piece of the curve, from +1 at the top to -1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a cell.

    Attributes
    ----------
    said : str
        What stands on the left.
    value : str
        What stands on the right, such as a share.
    share : float, optional
        0 to 1; drawn as a bar under the line.
    note : str
        Small print below, such as an interval.
    tag : str
        A word in a frame, such as 'not planned'.
    """

    said: str
    value: str = ""
    share: float | None = None
    note: str = ""
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one lane says about one stage, how it is known, and on how many it rests."""

    lane: str
    grade: str
    lines: Sequence[Line] = ()
    base: str = ""


@dataclass(frozen=True, kw_only=True)
class Feeling:
    """The mean feeling in a stage, -1 to +1, with its interval."""

    name: str = "Feeling"
    estimate: float
    low: float
    high: float
    base: str
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage: its name, how many come to it, what is felt there, and its lanes."""

    name: str
    reach: str
    is_after: bool
    feeling: Feeling | None
    no_feeling: Cell | None = None
    cells: Sequence[Cell] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Map:
    """The map of one persona: who it is, its key facts, and its stages."""

    persona: str
    facts: Sequence[str]
    stages: Sequence[Stage]


def draw(maps: Sequence[Map], *, uid: str, outcome: str = "") -> str:
    """Draw one map per persona, and the key of how each cell is known.

    Parameters
    ----------
    maps : sequence of Map
        Small groups are withheld already; nothing is escaped yet.
    uid : str
        Prefix of all ids, unique within a page.
    outcome : str
        What divides the stages before from those after it.

    Returns
    -------
    str
        Harmless HTML: all text is escaped here.
    """
    drawn = [_map(each, f"{uid}-p{i}", outcome) for i, each in enumerate(maps)]
    return "".join(drawn) + _key()


def _map(each: Map, uid: str, outcome: str) -> str:
    feelings = [s.feeling for s in each.stages]
    reach = _reach(feelings)
    pieces = _curve(feelings, reach)
    after = next((i for i, s in enumerate(each.stages) if s.is_after), -1)
    first = next((i for i, f in enumerate(feelings) if f is not None), -1)
    stages = "".join(
        _stage(s, i, piece, _ends(reach) if i == first else "", outcome if i == after else "")
        for i, (s, piece) in enumerate(zip(each.stages, pieces, strict=True))
    )
    facts = "".join(f"<li>{text(fact)}</li>" for fact in each.facts)
    wide, middle = _columns(len(each.stages))
    lanes = 2 + max((len(s.cells) for s in each.stages), default=0)
    return (
        f'<div class="cx-map"><h3 class="cx-map-who" id="{uid}">'
        f'<bdi>{text(each.persona)}</bdi></h3><ul class="cx-map-facts">{facts}</ul>'
        f'<ol class="cx-map-grid cx-map-w{wide} cx-map-m{middle} cx-map-l{lanes}">{stages}</ol>'
        "</div>"
    )


def _columns(stages: int) -> tuple[int, int]:
    """How many stages stand side by side on a wide and on a middling screen."""
    wide = stages if stages <= 6 else -(-stages // 2)
    return wide, min(3, stages if stages <= 3 else -(-stages // 2))


def _ends(reach: float) -> str:
    """Write what the top and the bottom of the curve stand for."""
    return "".join(
        f'<span class="cx-map-end" aria-hidden="true">{text(words.signed(end, "nps"))}</span>'
        for end in (reach, -reach)
    )


def _reach(feelings: Sequence[Feeling | None]) -> float:
    """How far from neutral the curve must reach: half of the scale, or all of it."""
    furthest = max((max(abs(f.low), abs(f.high)) for f in feelings if f), default=1.0)
    return 0.5 if furthest <= 0.5 else 1.0


def _stage(stage: Stage, i: int, piece: str, ends: str, outcome: str) -> str:
    side = " cx-map-after" if stage.is_after else ""
    turn = f'<p class="cx-map-turn">after: {text(outcome)}</p>' if outcome else ""
    reach = f'<p class="cx-map-reach">{text(stage.reach)}</p>' if stage.reach else ""
    cells = "".join(_cell(cell) for cell in stage.cells)
    return (
        f'<li class="cx-map-stage{side}">'
        f'<div class="cx-map-head"><h4><span class="cx-map-no">{i + 1}</span> '
        f"<bdi>{text(stage.name)}</bdi></h4>{reach}{turn}</div>"
        f'<dl class="cx-map-lanes">{_felt(stage, piece, ends)}{cells}</dl></li>'
    )


def _felt(stage: Stage, piece: str, ends: str) -> str:
    feeling = stage.feeling
    if feeling is None:
        return _cell(stage.no_feeling or Cell(lane="Feeling, −1 to +1", grade=MISSING))
    low, high = (words.signed(x, "points") for x in (feeling.low, feeling.high))
    tag = f' <span class="cx-tag">{text(feeling.tag)}</span>' if feeling.tag else ""
    return (
        f'<div class="cx-map-cell cx-map-felt cx-is-{SURVEYED}">'
        f"<dt>{text(feeling.name)}, −1 to +1</dt><dd>"
        f'<svg class="cx-map-curve" viewBox="0 0 100 {_HEIGHT:g}" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false">{piece}</svg>{ends}'
        f'<p class="cx-map-score"><strong>{text(words.signed(feeling.estimate, "points"))}</strong>'
        f' <span class="cx-map-small">{text(low)} to {text(high)}</span>{tag}</p></dd>'
        f"{_grade(SURVEYED, feeling.base)}</div>"
    )


def _cell(cell: Cell) -> str:
    lines = "".join(_line(line) for line in cell.lines)
    body = f"<ul>{lines}</ul>" if lines else ""
    return (
        f'<div class="cx-map-cell cx-is-{cell.grade}"><dt>{text(cell.lane)}</dt>'
        f"<dd>{body}</dd>{_grade(cell.grade, cell.base)}</div>"
    )


def _line(line: Line) -> str:
    tag = f' <span class="cx-tag">{text(line.tag)}</span>' if line.tag else ""
    value = f'<span class="cx-map-value">{text(line.value)}</span>' if line.value else ""
    note = f'<span class="cx-map-small">{text(line.note)}</span>' if line.note else ""
    bar = ""
    if line.share is not None:
        width = f"{100 * min(max(line.share, 0.0), 1.0):.1f}"
        bar = (
            '<svg class="cx-map-bar" viewBox="0 0 100 4" preserveAspectRatio="none" '
            f'aria-hidden="true" focusable="false"><rect width="{width}" height="4"/></svg>'
        )
    return (
        f'<li><span class="cx-map-row"><span><bdi>{text(line.said)}</bdi>{tag}</span>{value}</span>'
        f"{bar}{note}</li>"
    )


def _grade(grade: str, base: str) -> str:
    said = f", {text(base)}" if base else ""
    return (
        f'<dd class="cx-map-grade"><span aria-hidden="true">{_SHAPES[grade]}</span> '
        f"{text(grade)}{said}</dd>"
    )


def _key() -> str:
    items = "".join(
        f'<li><span class="cx-map-shape cx-is-{grade}" aria-hidden="true">{shape}</span> '
        f"<strong>{grade}</strong>: {_MEANING[grade]}</li>"
        for grade, shape in _SHAPES.items()
    )
    return f'<ul class="cx-map-key" aria-label="How each cell is known">{items}</ul>'


def _curve(feelings: Sequence[Feeling | None], reach: float) -> list[str]:
    """Draw the curve in pieces, one per stage, whose ends meet half-way between two stages."""

    def at(value: float) -> float:
        return _HEIGHT / 2 * (1 - max(-1.0, min(1.0, value / reach)))

    def ends(i: int, of: str) -> tuple[float, float, float]:
        here = feelings[i]
        assert here is not None  # noqa: S101  (asked of known feelings only)
        own = at(getattr(here, of))
        sides = []
        for j in (i - 1, i + 1):
            near = feelings[j] if 0 <= j < len(feelings) else None
            sides.append(own if near is None else (own + at(getattr(near, of))) / 2)
        return sides[0], own, sides[1]

    pieces = []
    for i, feeling in enumerate(feelings):
        if feeling is None:
            pieces.append("")
            continue
        a, m, b = ends(i, "estimate")
        (la, lm, lb), (ha, hm, hb) = ends(i, "low"), ends(i, "high")
        band = (
            f"M0,{ha:.1f}C25,{ha:.1f} 25,{hm:.1f} 50,{hm:.1f}S75,{hb:.1f} 100,{hb:.1f}"
            f"L100,{lb:.1f}C75,{lb:.1f} 75,{lm:.1f} 50,{lm:.1f}S25,{la:.1f} 0,{la:.1f}Z"
        )
        pieces.append(
            f'<path class="cx-map-zero" d="M0,{_HEIGHT / 2:g}H100"/>'
            f'<path class="cx-map-band" d="{band}"/>'
            f'<path class="cx-map-line" d="M0,{a:.1f}C25,{a:.1f} 25,{m:.1f} 50,{m:.1f}'
            f'S75,{b:.1f} 100,{b:.1f}"/><path class="cx-map-dot" d="M50,{m:.1f}h0"/>'
        )
    return pieces
