"""Who is missing where consent decides, and how far that bends the numbers.

Customers who consent are one part of a base that is known as a whole, in counts and sums:
`cxlab.stats.part` says how far they are from it. Weighting them like the base mends what
the weights explain, and nothing else.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.columns import ESTIMATE
from cxlab.errors import ParameterError, Withheld
from cxlab.report import words
from cxlab.report.finding import estimate_row, interval_row
from cxlab.stats.comparison import SUMS
from cxlab.stats.multiplicity import benjamini_hochberg, holm
from cxlab.stats.part import part_of_whole
from cxlab.stats.poststratify import collapsed, poststratified
from cxlab.trust.consent_query import VARIABLES, consent_sums
from cxlab.trust.consent_shown import ConsentBias, ConsentGroups
from cxlab.trust.consent_sums import ConsentSums
from cxlab.trust.listing import complete

if TYPE_CHECKING:
    from cxlab.data.lab import Lab

__all__ = ["consent_bias"]


def consent_bias(
    lab: "Lab", *, weigh_by: tuple[str, ...] = ("region", "tenure", "lifecycle")
) -> ConsentBias:
    """Compare customers who consent with all customers, in counts and sums only.

    Parameters
    ----------
    lab : Lab
        The study, opened for the purpose in question.
    weigh_by : tuple of str
        What consenters are weighted by, the most important first: of region,
        acquisition_channel, tenure and lifecycle those that the study knows.

    Returns
    -------
    ConsentBias
        For each outcome `consent.of_consenters`, `consent.of_all`, their
        `consent.difference` with its interval, `consent.p_holm` and `consent.p_bh` over all
        comparisons of this result and its `groups`, and `consent.reweighted`.

    Raises
    ------
    Withheld
        If nothing is on record, everybody or nobody consents, or the study does not allow
        counts over all customers.
    ParameterError
        If `weigh_by` names something else.

    References
    ----------
    Difference: Cochran (1977), Sampling Techniques, section 13.2, with the intervals of
    Newcombe (1998) and Welch (1947). Weights: Holt & Smith (1979).
    """
    if unknown := sorted(set(weigh_by) - set(VARIABLES)):
        raise ParameterError(f"weigh_by may name {list(VARIABLES)}, but names {unknown}.")
    sides = _sides(lab)
    sums = consent_sums(lab, weigh_by=weigh_by)
    found = {
        name: _compared(sums.outcome(name), unit) | {"money": sums.money(name)}
        for name, unit in sums.outcomes.items()
    }
    parts = {(v, group): _compared(side, "share") for v, group, side in sums.groups()}
    tested = _adjusted([*found.values(), *parts.values()])
    purpose, cycle = lab.gate.purpose, lab.cycle.name
    note = (
        f"Base: {words.number(sum(sides))} customers, {words.number(sides[0])} of whom allow "
        f"{purpose}. {words.plural(tested, 'comparison was', 'comparisons were')} made at once; "
        f"p-values are Holm's. {lab.settings.consent.aggregates_reason}"
    )
    groups = ConsentGroups(
        estimates=pd.DataFrame(
            [row for key, one in parts.items() for row in _group_rows(*key, one)]
        ),
        subtitle=f"Share of each group among customers who allow {purpose}, minus its share of all "
        f"customers, {cycle}; 95% intervals",
        note=note,
        purpose=purpose,
    )
    rows = [row for name, one in found.items() for row in _outcome_rows(name, one)]
    again = _reweighted(sums, found, least=lab.settings.privacy.min_cell)
    return ConsentBias(
        estimates=pd.DataFrame(rows + again, columns=None if rows else [*ESTIMATE, "measure"]),
        subtitle=f"Numbers of customers who allow {purpose} against all customers, {cycle}; 95% "
        "intervals",
        note=note + (_weighed(sums, again, lab.settings.privacy.min_cell) if again else ""),
        groups=groups,
        purpose=purpose,
        weighted_by=sums.weigh_by if again else (),
    )


def _sides(lab: "Lab") -> tuple[int, int]:
    """Count those who consent and the others; there must be enough of both."""
    gate = lab.gate
    if gate.is_open:
        raise Withheld(
            f"Everybody is seen for {gate.purpose}: "
            + (f"it stands on {gate.ground}." if gate.ground else "no consent is on record.")
        )
    inside = sum(gate.customers.get(status, 0) for status in gate.allowed)
    others = sum(gate.customers.values()) - inside
    least = lab.settings.privacy.min_cell
    if min(inside, others) < least:
        raise Withheld(
            f"A comparison needs {least} or more customers who allow {gate.purpose} and as many "
            "who do not."
        )
    return inside, others


def _adjusted(rows: list[dict[str, Any]]) -> int:
    """Adjust the p-values of all comparisons together; return how many were made."""
    tested = [row for row in rows if not pd.isna(row["p"])]
    for name, adjust in (("p_holm", holm), ("p_bh", benjamini_hochberg)):
        for row, p in zip(tested, adjust([r["p"] for r in tested]), strict=True):
            row[name] = float(p)
    return len(tested)


def _reweighted(
    sums: ConsentSums, found: dict[str, dict[str, Any]], *, least: int
) -> list[dict[str, Any]]:
    """Weight those who consent like the base, outcome by outcome."""
    rows = []
    for name, one in found.items():
        if sums.weigh_by and not pd.isna(one["p"]):
            cells = collapsed(sums.cells(name), sums.weigh_by, least=least)
            rows.append(
                interval_row(
                    "consent.reweighted", poststratified(cells), unit=one["unit"],
                    count=one["count"], money=one["money"], measure=name,
                )
            )  # fmt: skip
    return rows


def _weighed(sums: ConsentSums, rows: list[dict[str, Any]], least: int) -> str:
    names = words.listing([name.replace("_", " ") for name in sums.weigh_by])
    return (
        f" Re-weighted by {names}, with cells of fewer than {least} joined: worth "
        f"{words.number(rows[0]['n'])} customers with equal weights."
    )


def _compared(sides: pd.DataFrame, unit: str) -> dict[str, Any]:
    """Set the consenters against the base: one row of numbers, and the people behind it."""
    numbers = sides.loc[[1, 0], list(SUMS)].to_numpy(dtype="float64").tolist()
    part, rest = (dict(zip(SUMS, row, strict=True)) for row in numbers)
    found = part_of_whole(part, rest, kind="share" if unit == "share" else "mean")
    # A group of few consenters or of few others tells of these few.
    people = sides["numerator"] if "numerator" in sides else sides["customers"]
    return {
        "unit": unit, "count": float(people.min()), "p": found.p, "p_holm": float("nan"),
        "p_bh": float("nan"), "gap": found.gap, "n": found.gap.n, "of_all": found.whole,
        "of_consenters": found.part, "n_consenters": found.n_part,
    }  # fmt: skip


def _group_rows(variable: str, group: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    dims: dict[str, Any] = {"variable": variable, "group": group}
    common = {"n": row["n"], "count": row["count"]}
    share = complete("consent.group_share", row["of_consenters"], unit="share", **dims)
    return [
        share | common | {"n": row["n_consenters"]},
        interval_row(
            "consent.group_difference", row["gap"], unit="share", count=row["count"], **dims
        ),
        *(_p_row(name, row, **dims) for name in ("p_holm", "p_bh")),
    ]  # fmt: skip


def _outcome_rows(measure: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, n in (("of_consenters", row["n_consenters"]), ("of_all", row["n"])):
        made = complete(f"consent.{name}", row[name], unit=row["unit"], measure=measure)
        rows.append(made | {"n": n, "count": row["count"]})
    gap = interval_row(
        "consent.difference", row["gap"], unit=row["unit"], count=row["count"], measure=measure
    )
    rows += [gap, *(_p_row(name, row, measure=measure) for name in ("p_holm", "p_bh"))]
    money = row["money"].columns() if row["money"] else {}
    return [made | money for made in rows]


def _p_row(name: str, row: dict[str, Any], **dims: object) -> dict[str, Any]:
    gone = float("nan")
    method = "Holm" if name == "p_holm" else "Benjamini-Hochberg"
    return estimate_row(
        f"consent.{name}", row[name], gone, gone, n=row["n"], count=row["count"], unit="p",
        method=method, **dims,
    )  # fmt: skip
