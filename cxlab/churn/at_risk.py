"""Who may leave next, why that is thought, and whom of them may be written to?

The list names people, so it is a file of its own, never part of a report: a report counts.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlab.churn.forecast import Foreseen, model_of
from cxlab.churn.landmarks import Landmarks, landmarks
from cxlab.churn.spells import SAID
from cxlab.churn.validation import churn_validation
from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, query, view
from cxlab.errors import ParameterError, Withheld
from cxlab.report import charts, tables, words
from cxlab.report.finding import Result, estimate_row

__all__ = ["AtRisk", "at_risk"]

_FATES = {
    "listed": "on the list",
    "no consent": "no consent to be contacted",
    "contact cap": "contacted often enough",
    "lower risk": "lower risk than those listed",
}
_REASONS = 2
_PUBLISHED = ("manifest.json", "ledger.sqlite")  # what lies where reports are
_REPORT = ("manifest.json", "findings.parquet")  # what lies together in a report alone
RUNNING_ROWS = 200_000  # patterns of those that run


@dataclass(frozen=True, kw_only=True, eq=False)
class AtRisk(Result):
    """How many are on the list, and what became of all others; the list itself apart.

    Attributes
    ----------
    cycle : str
        At whose end the list was made.
    cause : str
        What the risk is of: leaving of one's own will ('voluntary'), or 'any' end.
    people : pandas.DataFrame
        One row per customer, by risk: customer_id, subscriptions (how many run), subscription_id
        of the one likeliest to end, its risk and reasons, value_at_risk (of all of them) and
        expires_on. It is in no table, picture or finding: write it with `write`.
    """

    cycle: str
    cause: str
    people: pd.DataFrame = field(repr=False)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw how many are listed, and why the others are not."""
        rows = self.estimates[self.estimates["metric"] == "churn.list_size"]
        rows = rows.assign(fate=rows["fate"].map(_FATES))
        return charts.bars(rows, label="fate", unit="count", axis="Customers", ax=ax)

    def sentence(self) -> str:
        """How many are listed, and how many of them are expected to leave."""
        listed = self.estimates[self.estimates["fate"] == "listed"]
        size, due = (
            listed[listed["metric"] == metric].iloc[0]
            for metric in ("churn.list_size", "churn.list_expected")
        )
        if size["suppressed"] or due["suppressed"]:
            return f"Too few customers stand on the list of {self.cycle} to be counted."
        return (
            f"{words.number(size['estimate'])} customers are on the list of those at risk; about "
            f"{words.number(due['estimate'])} of their subscriptions would end{SAID[self.cause]} "
            "if nothing is done."
        )

    def write(self, file: Path) -> Path:
        """Write the list as CSV for its owner's eyes, outside of any published folder.

        Raises
        ------
        ParameterError
            If the file would lie among reports.
        """
        whole = file.resolve()
        for folder in whole.parents:
            if _holds_reports(folder):
                raise ParameterError(
                    f"A list of people must not lie among reports, but {folder.name} holds some. "
                    "Name a file elsewhere."
                )
        whole.parent.mkdir(parents=True, exist_ok=True)
        draft = whole.with_name(f".{whole.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(tables.csv(self.people))
        draft.replace(whole)
        return whole


def _holds_reports(folder: Path) -> bool:
    """Tell whether a folder is a report, or one in which the reports of studies lie.

    Reports lie in it by cycle, or by study and cycle. What lies deeper is no mark: the folder
    beside that of the reports is where a list may be.
    """
    if any((folder / mark).exists() for mark in _PUBLISHED):
        return True
    first, second = _REPORT
    return any(
        (manifest.parent / second).exists()
        # The reports of a study lie beside its list of cycles.
        and (depth == "*" or (manifest.parents[1] / "index.html").exists())
        for depth in ("*", "*/*")
        for manifest in folder.glob(f"{depth}/{first}")
    )


def at_risk(
    subscriptions: TableLike,
    signals: TableLike | None = None,
    *,
    cycle: Cycle,
    may_contact: TableLike,
    messages: TableLike | None = None,
    drivers: Sequence[str] = (),
    horizon_days: int = 91,
    most: int = 500,
    contact_cap: int = 4,
    cap_days: int = 30,
    window_days: int = 91,
    cycles: int = 8,
    complete_from: date | None = None,
) -> AtRisk:
    """List customers most likely to leave within a horizon, if the model has proved itself.

    Parameters
    ----------
    subscriptions, signals : table
        As for `churn_drivers`; `monthly_amount` where the value at risk is wanted.
    cycle : Cycle
        The list is made at its end, with a model that stood its test in it.
    may_contact : table
        customer_id of those who allow to be contacted for this, such as `lab.allowing` gives.
    messages : table, optional
        customer_id, sent_at: who got `contact_cap` of them in `cap_days` is left in peace.
    drivers : sequence of str
        As for `churn_drivers`.
    horizon_days : int
        Within which leaving counts; the list expires with it.
    most : int
        Most customers on the list.
    contact_cap, cap_days : int
        How many messages within how many days are enough.
    window_days, cycles, complete_from
        As for `churn_drivers`.

    Returns
    -------
    AtRisk
        Counts for the report, and `people` for the file.

    Raises
    ------
    Withheld
        If the model of the cycle before did no better in this one than telling everybody the
        same, or there is too little to fit or judge it.
    ParameterError
        If a driver is an attribute that people must not be treated by, a number is below 1, or
        the horizon is longer than any subscription was watched.

    Notes
    -----
    The chance to end within the horizon is conditional on the age reached. Where it is told of
    whose will subscriptions ended, it is that to end of the customer's own will first, for a card
    that fails calls for no persuasion. Reasons are the
    covariates that raise it most above that of the average subscription. A customer with several
    subscriptions stands on the list once, by the one likeliest to end. The value at risk is the
    chance times a year of fees, of all of them. Attributes that the law protects are refused as
    drivers.
    """
    for name, value in {"horizon_days": horizon_days, "most": most, "contact_cap": contact_cap,
                        "cap_days": cap_days}.items():  # fmt: skip
        if value < 1:
            raise ParameterError(f"{name} must be 1 or more, but is {value}.")
    how: dict[str, Any] = {
        "drivers": drivers, "window_days": window_days, "cycles": cycles,
        "complete_from": complete_from,
    }  # fmt: skip
    judged = churn_validation(subscriptions, signals, cycle=cycle, **how)
    if not judged.useful:
        raise Withheld(f"Nobody is listed. {judged.sentence()}")
    model = model_of(landmarks(subscriptions, signals, cycle=cycle, **how), cycle=cycle.name)
    now = landmarks(
        subscriptions, signals, cycle=cycle.next, known_at=cycle.cutoff, **{**how, "cycles": 1}
    )
    weeks, seen = max(1, horizon_days // 7), int(model.fit.until.max())
    if weeks > seen:
        raise ParameterError(
            f"horizon_days must lie within the {seen} weeks of a subscription's life that the "
            f"records have seen, but is {horizon_days}. Choose a shorter one."
        )
    scored = _scored(model, now, weeks)
    capped = _capped(messages, cycle, contact_cap, cap_days)
    people = _by_customer(_fated(now, scored, subscriptions, may_contact, capped))
    fates = query("select fate, count(*) as n from p group by fate order by fate", p=people)
    listed = _listed(people, most).assign(expires_on=cycle.last_day + timedelta(days=horizon_days))
    return AtRisk(
        estimates=pd.DataFrame(
            _rows(dict(zip(fates["fate"], fates["n"].astype(int), strict=True)), listed)
        ),
        subtitle=f"Customers whose subscriptions ran at the end of {cycle.name}, by whether they "
        "are listed",
        note=f"The list counts leaving{SAID[model.cause]} within {words.plural(weeks, 'week')} of "
        f"the end of {cycle.last_day} and is not to be used after that. It is in no report. "
        "Attributes that the law protects are not used. Who is listed is likelier to leave than "
        "others, not sure to, and a contact need not help.",
        cycle=cycle.name,
        cause=model.cause,
        people=listed.drop(columns="risks"),
    )


def _scored(model: Foreseen, now: Landmarks, weeks: int) -> pd.DataFrame:
    """Give each pattern of what is known its chance, in millionths, and its reasons."""
    patterns = "".join(f', "{c}"' for c in (*now.attributes, *now.sign_columns))
    each = query(
        f"select entry{patterns}, count(*) as n from r group by entry{patterns} "
        f"order by entry{patterns}",
        r=now.rows, limit=RUNNING_ROWS,
    )  # fmt: skip
    for column in set(model.design.signs) - set(each.columns):
        each[column] = 0
    risk = model.risk(each, [float(weeks)])[:, 0]
    return each.assign(risk=np.rint(1e6 * risk).astype(np.int64), reasons=_reasons(model, each))


def _fated(
    now: Landmarks,
    scored: pd.DataFrame,
    subscriptions: TableLike,
    may_contact: TableLike,
    capped: Any,
) -> Table:
    """Say of each subscription that runs how likely it ends, and whether it may be listed."""
    given, allowed = in_one_engine(subscriptions, may_contact)
    amount = "s.monthly_amount" if "monthly_amount" in given.columns else "null"
    on = " and ".join(f'r."{c}" = e."{c}"' for c in ("entry", *now.attributes, *now.sign_columns))
    return view(
        f"""
        select r.subscription_id, r.customer_id, e.risk, e.reasons,
            cast({amount} as decimal(18, 2)) as monthly_amount,
            case when a.customer_id is null then 'no consent'
                when c.customer_id is not null then 'contact cap' else 'listed' end as fate
        from r join e on {on}
        join s on r.subscription_id = s.subscription_id
        left join a on r.customer_id = a.customer_id
        left join c on r.customer_id = c.customer_id
        """,
        r=now.rows, e=scored, s=given, c=capped,
        a=view("select distinct customer_id from m", m=allowed),
    )  # fmt: skip


def _by_customer(people: Table) -> Table:
    """Take the subscriptions of each customer together: whoever calls, calls once."""
    return view(
        """
        select customer_id, min(fate) as fate, count(*) as subscriptions,
            max(case when nth = 1 then subscription_id end) as subscription_id,
            max(risk) as risk, sum(risk) as risks,
            max(case when nth = 1 then reasons end) as reasons,
            case when count(monthly_amount) = count(*) then sum(risk * monthly_amount) end
                as stake
        from (
            select p.*, row_number() over (
                partition by customer_id order by risk desc, subscription_id) as nth
            from p
        ) as q group by customer_id
        """,
        p=people,
    )


def _listed(people: Table, most: int) -> pd.DataFrame:
    """Pick those with the highest risk who may be listed, with a year of fees at stake."""
    chosen = query(
        """
        select customer_id, subscriptions, subscription_id, risk, risks, reasons, stake from (
            select p.*, row_number() over (order by risk desc, customer_id) as place
            from p where fate = 'listed'
        ) as q where place <= $most order by risk desc, customer_id
        """,
        p=people, most=most, limit=most,
    )  # fmt: skip
    value = (chosen["stake"].astype(float) / 1e6 * 12).round(2)
    risks = {column: chosen[column].astype(float) / 1e6 for column in ("risk", "risks")}
    return chosen.assign(**risks, value_at_risk=value).drop(columns="stake")


def _capped(messages: TableLike | None, cycle: Cycle, cap: int, days: int) -> Any:
    """Customers who got so many messages in the days before the cutoff."""
    if messages is None:
        return pd.DataFrame({"customer_id": pd.Series(dtype="string")})
    (sent,) = in_one_engine(messages)
    return view(
        """
        select customer_id from m where sent_at >= $since and sent_at < $cutoff
        group by customer_id having count(*) >= $cap
        """,
        m=sent.need("customer_id", "sent_at"),
        since=cycle.cutoff - timedelta(days=days), cutoff=cycle.cutoff, cap=cap,
    )  # fmt: skip


def _reasons(model: Foreseen, rows: pd.DataFrame) -> list[str]:
    """Name the covariates that raise the risk of each row most above the average."""
    x, fit = model.design.matrix(rows), model.fit
    pull = (x.to_numpy() - fit.mean) * fit.coef
    said = []
    for line in pull:
        best = np.argsort(-line, kind="stable")[:_REASONS]
        said.append("; ".join(fit.names[j] for j in best if line[j] > 0) or "age alone")
    return said


def _rows(fates: dict[str, int], listed: pd.DataFrame) -> list[dict[str, Any]]:
    total = float(sum(fates.values()))
    numbers = {**dict.fromkeys(_FATES, 0), **fates}
    numbers["lower risk"] = numbers["listed"] - len(listed)
    numbers["listed"] = len(listed)
    rows = [
        estimate_row("churn.list_size", many, many, many, n=total, count=many, unit="count",
                     method="count", fate=fate)
        for fate, many in numbers.items()
    ]  # fmt: skip
    risks, held = (listed[column].to_numpy(float) for column in ("risks", "subscriptions"))
    # Who leaves is a coin thrown for each customer: whoever leaves, leaves with all they have,
    # so that the sum spreads no less than it may.
    due, spread = float(risks.sum()), float((risks * (held - risks)).sum())
    far = 1.96 * math.sqrt(spread)
    rows.append(
        estimate_row(
            "churn.list_expected", due, max(0.0, due - far), min(float(held.sum()), due + far),
            n=total, count=len(listed), unit="count",
            method="sum of chances, spread of customers who leave with all they have; the model's "
            "own error not in it",
            fate="listed",
        )
    )  # fmt: skip
    return rows
