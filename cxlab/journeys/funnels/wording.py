"""What stands under a funnel's name, so that nobody has to guess what was counted."""

from cxlab.data.calendar import Cycle
from cxlab.data.funnel_settings import Funnel
from cxlab.data.span import moment_us, span_us
from cxlab.journeys.funnels.counts import FunnelCounts
from cxlab.journeys.funnels.rates import UNITS
from cxlab.report import words

__all__ = ["described", "entered", "left_out", "long_window", "ruled"]

_ORDER = {
    "ordered": "steps in order, other contacts between them allowed",
    "strict": "steps in order, no other contact between them",
    "any": "steps in any order",
}
_TIES = {
    "either": "steps at the same moment count in either order",
    "later": "a step must come later than the one before",
}
_ENTRY = {
    False: "from the first entry",
    True: "any entry may lead on",
}


def described(spec: Funnel, cycle: Cycle, *, by: str = "") -> str:
    """Name what is counted, the window, and whose property a group is."""
    whose = f"; {by.replace('_', ' ')} {_whose(spec)}" if by else ""
    return f"Share of {entered(spec, cycle)} and have had {spec.window} since{whose}; 95% interval"


def entered(spec: Funnel, cycle: Cycle) -> str:
    """Name who is counted, and when they entered."""
    return f"{UNITS[spec.count_by]} that entered {cycle.first_day} to {cycle.last_day}"


def ruled(spec: Funnel) -> str:
    """Name the rules by which steps are counted."""
    entry = "each entry counts" if spec.count_by == "attempt" else _ENTRY[spec.reentry]
    rules = [_ORDER[spec.order], entry, _TIES[spec.ties]]
    if spec.exclude:
        rules.append("ended by " + words.listing([_named(out) for out in spec.exclude], "or"))
    if spec.hold:
        rules.append(f"{words.listing(list(spec.hold))} alike in all steps")
    return f"How it is counted: {'; '.join(rules)}."


def long_window(spec: Funnel, cycle: Cycle) -> str:
    """Say that few entrants can be mature, where the window takes more than half of the cycle.

    Returns
    -------
    str
        What holds, and what to set; empty where most entrants are mature at the cycle's end.
    """
    length = moment_us(cycle.cutoff) - moment_us(cycle.start)
    if 2 * span_us(spec.window) <= length:
        return ""
    whole = (cycle.next.first_day - cycle.first_day).days
    days = max(0, length - span_us(spec.window)) / span_us("1 day")
    left = f"only its first {words.number(days)} days count" if days >= 1 else "nobody's is over"
    return (
        f"The window of {spec.window} takes most of a cycle of {whole} days, of which {left}: set "
        "a shorter `window` of the funnel (without one of your own it is `journey.gap`), or longer "
        "cycles."
    )


def left_out(counts: FunnelCounts) -> str:
    """Say which rows were not looked at, and how many."""
    said = [f"{words.number(n)} {reason}" for reason, n in counts.left_out.items() if n]
    rest = f"Contacts left out: {words.listing(said)}. " if said else ""
    return f"{rest}Conversions that happened where nobody records them are not seen."


def _whose(spec: Funnel) -> str:
    if spec.attribution == "first":
        return "as it was at the first step"
    if spec.attribution == "last":
        return "as it was at the furthest step reached"
    return f"as it was at {spec.attribution}"


def _named(out: object) -> str:
    return " or ".join(getattr(out, "activity", ())) or str(getattr(out, "where", ""))
