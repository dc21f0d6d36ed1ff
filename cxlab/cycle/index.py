"""The first page of a cycle: the answer, three findings behind it, the key measures.

Every number comes from the findings of this cycle or of earlier ones; nothing is
computed here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cxlab.cycle.findings import Shown, lookup
from cxlab.data.settings import Kpi, Settings
from cxlab.report import html, words
from cxlab.stats.multiplicity import clear_changes

__all__ = ["Measure", "measures", "opening"]

_HISTORY = 8  # cycles in the small line of a tile
_ABOUT_THE_DATA = ("trust.", "consent.")  # metrics that are no findings about customers
_REDEFINED = "Defined differently before: not compared with earlier cycles."


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One KPI with what this cycle found of it."""

    kpi: Kpi
    value: dict[str, Any] | None
    change: dict[str, Any] | None
    verdict: str  # Improved, Worsened, No clear change ...; empty without a change
    tile: html.Tile


def measures(
    settings: Settings,
    findings: pd.DataFrame,
    *,
    previous: str,
    earlier: Sequence[pd.DataFrame],
    href: dict[str, str],
    withheld: Callable[[Kpi], str] = lambda _: "",
    missing: Callable[[Kpi], str] = lambda _: "This cycle's data cannot carry this number.",
) -> list[Measure]:
    """Find every KPI of the settings among the findings.

    Parameters
    ----------
    settings : Settings
        With the KPIs.
    findings : pandas.DataFrame
        Of this cycle.
    previous : str
        Name of the cycle that changes refer to.
    earlier : sequence of pandas.DataFrame
        Findings of earlier cycles, the oldest first.
    href : dict of str to str
        Address of each chapter.
    withheld : callable, optional
        Why a KPI must not be shown, whatever was found; empty where it may.
    missing : callable, optional
        Why a KPI was not found.
    """
    found = [
        _empty(kpi, html.Tile(name=kpi.name, unit="count", withheld=reason, state="Withheld"))
        if (reason := withheld(kpi))
        else _measure(kpi, findings, previous, earlier, href, missing)
        for kpi in settings.kpis.values()
    ]
    changed = [m for m in found if m.change is not None]
    ends = ("estimate", "conf_low", "conf_high")
    clear = clear_changes([tuple(m.change[e] for e in ends) for m in changed if m.change])
    unclear = [m for m, is_clear in zip(changed, clear, strict=True) if not is_clear]
    return [_unclear(m) if m in unclear else m for m in found]


def opening(found: Sequence[Measure], shown: Sequence[Shown], href: dict[str, str]) -> str:
    """Make the first screen: the answer in one sentence, and up to three findings behind it."""
    return html.answer(_answer(found), _three(found, shown, href))


def _measure(
    kpi: Kpi,
    findings: pd.DataFrame,
    previous: str,
    earlier: Sequence[pd.DataFrame],
    href: dict[str, str],
    missing: Callable[[Kpi], str],
) -> Measure:
    value, change = lookup(findings, kpi.metric), lookup(findings, kpi.change)
    if value is None or math.isnan(value["estimate"]):
        reason = kpi.not_applicable or missing(kpi)
        return _empty(kpi, html.Tile(name=kpi.name, unit="count", withheld=reason))
    past = [lookup(frame, kpi.metric) for frame in earlier[-_HISTORY + 1 :]]
    verdict, remark = "", ""
    if past and past[-1] is not None and not _alike(past[-1], value):
        change, remark = None, _REDEFINED
    elif change is not None and not math.isnan(change["estimate"]):
        verdict, _ = words.verdict(change["conf_low"], change["conf_high"], better=kpi.direction)
    else:
        change = None
    like = [row for row in past if row is not None and _alike(row, value)]
    tile = html.Tile(
        name=kpi.name,
        unit=value["unit"],
        estimate=value["estimate"],
        conf_low=value["conf_low"],
        conf_high=value["conf_high"],
        n=value["n"],
        base=_base(value["metric"]),
        change=change["estimate"] if change else math.nan,
        change_low=change["conf_low"] if change else math.nan,
        change_high=change["conf_high"] if change else math.nan,
        since=previous if change else "",
        better=kpi.direction,
        target=kpi.target,
        remark=remark,
        history=[row["estimate"] for row in (*like, value)],
        href=href.get(value["chapter"], ""),
    )
    return Measure(kpi=kpi, value=value, change=change, verdict=verdict, tile=tile)


def _empty(kpi: Kpi, tile: html.Tile) -> Measure:
    return Measure(kpi=kpi, value=None, change=None, verdict="", tile=tile)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two numbers follow the same definition of their metric."""
    versions = [row["version"] for row in (one, other)]
    known = [None if pd.isna(v) else int(v) for v in versions]
    return known[0] == known[1]


def _unclear(measure: Measure) -> Measure:
    """Claim no change that does not hold once all key measures are looked at together."""
    tile = replace(measure.tile, is_clear=False)
    return replace(measure, verdict="No clear change", tile=tile)


def _answer(found: Sequence[Measure]) -> str:
    """Say in one sentence which key measures moved, the bad news first."""
    judged = [m for m in found if m.verdict]
    if not judged:
        known = [m for m in found if m.value is not None]
        if not known:
            return "No key measure of this study could be computed from this cycle's data."
        listed = [f"{_plain(m.kpi.name)} {_value(m)}" for m in known[:3]]
        return f"There is no earlier cycle to compare with; this one shows {words.listing(listed)}."
    parts = []
    for verdicts in (("Worsened",), ("Improved",), ("Lower", "Higher")):  # the bad news first
        for verb, sign in (("fell", -1), ("rose", 1)):
            moved = [_moved(m) for m in judged if m.verdict in verdicts and _sign(m) == sign]
            if moved:
                parts.append(f"{words.listing(moved)} {verb}")
    still = [_plain(m.kpi.name) for m in judged if m.verdict == "No clear change"]
    if not parts:
        parts.append(f"no key measure changed clearly ({words.listing(still)})")
    elif still:
        parts.append(f"{words.listing(still)} did not clearly change")
    # Silence about the others would read as if they stood still.
    if rest := sum(m.kpi.change is not None and not m.verdict for m in found):
        total = words.plural(len(judged) + rest, "measure")
        parts.append(f"{rest} of {total} could not be compared")
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def _three(
    found: Sequence[Measure], shown: Sequence[Shown], href: dict[str, str]
) -> list[tuple[str, str]]:
    """Choose the sentences of the results behind the answer, the best of each chapter first."""
    key = {m.kpi.metric for m in found if m.value is not None}
    moved = {
        m.kpi.metric for m in found if m.verdict not in ("", "No clear change", "Higher", "Lower")
    }
    # A change between two definitions stands on no tile, so it heads no page either.
    redefined = {m.kpi.change for m in found if m.tile.remark == _REDEFINED}
    results = [
        s
        for s in shown
        if s.kind == "result"
        and any(not r["metric"].startswith(_ABOUT_THE_DATA) for r in s.rows)
        and not any(r["metric"] in redefined for r in s.rows)
    ]

    def weight(item: Shown) -> int:
        metrics = {row["metric"] for row in item.rows if not row["dims"]}
        return 2 * bool(metrics & moved) + bool(metrics & key)

    ranked = sorted(results, key=weight, reverse=True)  # stable: ties stay in page order
    first_of = {s.chapter: s for s in reversed(ranked)}  # the best of each chapter comes first
    best = [s for s in ranked if first_of[s.chapter] is s]
    chosen = [*best, *(s for s in ranked if s not in best)][:3]
    return [(s.sentence, href[s.chapter] + (f"#{s.anchor}" if s.anchor else "")) for s in chosen]


def _plain(name: str) -> str:
    """Write a measure's name inside a sentence; Net Promoter Score and NPS keep their capitals."""
    return name if any(c.isupper() for c in name[1:]) else name.lower()


def _moved(measure: Measure) -> str:
    assert measure.change is not None  # noqa: S101  (it has a verdict)
    move = words.signed(measure.change["estimate"], measure.change["unit"])
    return f"{_plain(measure.kpi.name)} ({move})"


def _sign(measure: Measure) -> int:
    assert measure.change is not None  # noqa: S101  (it has a verdict)
    return 1 if measure.change["estimate"] > 0 else -1


def _value(measure: Measure) -> str:
    assert measure.value is not None  # noqa: S101  (it is known)
    return words.value(measure.value["estimate"], measure.value["unit"])


def _base(metric: str) -> str:
    """Name what `n` of a metric counts."""
    if metric == "orders.net_amount":
        return "customers"
    named = {
        "delivery": "promises",
        "promise": "promises",
        "orders": "orders",
        "customers": "customers",
        "funnel": "entrants",
    }
    answers = dict.fromkeys(("csat", "nps", "ces"), "answers")
    return {**named, **answers}.get(metric.split(".", 1)[0], "observations")
