"""How accounts became persons: what joined them, what was kept apart, and how right that is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlab.data.engine import TableLike, in_one_engine, query
from cxlab.errors import DataError, Withheld
from cxlab.report import charts, words
from cxlab.report.finding import Result, interval_row
from cxlab.stats.intervals import wilson
from cxlab.trust.listing import Counted, complete

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxlab.data.snapshot import Snapshot

__all__ = ["Identities", "IdentityTruth", "identities", "identity_truth"]

_TYPES = {
    "crm": "CRM account",
    "loyalty": "loyalty account",
    "login": "login",
    "email_hash": "e-mail address (hashed)",
    "phone_hash": "phone number (hashed)",
    "order": "order",
    "survey": "survey",
    "cookie": "cookie",
    "device": "device",
}
_MEASURES = {
    "accounts": "accounts",
    "persons": "persons",
    "joined": "accounts joined to another",
    "largest": "accounts of the person who has most",
    "in_households": "persons in a household of several",
    "shared_ids": "ids of many people, which joined nobody",
    "too_large": "groups of accounts too large to be one person",
}
_OF_PEOPLE = ("accounts", "persons", "joined", "in_households")


@dataclass(frozen=True, kw_only=True, eq=False)
class Identities(Result):
    """How many accounts became how many persons, and why."""

    def table(self) -> pd.DataFrame:
        """One row per count, and per type of id that joined or was shared."""
        frame = self.estimates[["measure", "reason", "estimate", "suppressed"]]
        return frame.assign(reason=frame["reason"].fillna("")).reset_index(drop=True)

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Draw a bar for each row of the table."""
        frame = self.table()
        tail = (": " + frame["reason"]).where(frame["reason"] != "", "")
        frame["measure"] = frame["measure"] + tail
        return charts.bars(frame, label="measure", value="estimate", unit="count", ax=ax)

    def sentence(self) -> str:
        """How many accounts belong to how many persons, and what joined most."""
        told = self.estimates.dropna(subset=["estimate"])
        total = told[told["reason"].isna()].set_index("measure")["estimate"].to_dict()
        if not {_MEASURES["accounts"], _MEASURES["persons"]} <= set(total):
            return "Too few accounts to say how many persons they belong to."
        accounts, persons = total[_MEASURES["accounts"]], total[_MEASURES["persons"]]
        said = (
            f"{words.plural(accounts, 'account')} {'belongs' if accounts == 1 else 'belong'} to "
            f"{words.plural(persons, 'person', 'persons')}"
        )
        parts = told[(told["measure"] == _MEASURES["joined"]) & told["reason"].notna()]
        if len(parts):
            top = parts.sort_values(["estimate", "reason"], ascending=[False, True]).iloc[0]
            said += f"; what joined most was: {top['reason']}"
        shared = told.loc[told["measure"] == _MEASURES["shared_ids"], "estimate"].sum()
        if shared:
            said += f". {words.plural(shared, 'id')} of many people joined nobody"
        return f"{said}."


@dataclass(frozen=True, kw_only=True, eq=False)
class IdentityTruth(Counted):
    """How often two accounts were rightly joined, and how often rightly joined ones were found."""

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Draw both shares with their intervals."""
        frame = self.estimates.assign(measure=[_SAYS[m] for m in self.estimates["metric"]])
        return charts.dots(frame, label="measure", unit="share", ax=ax)

    def table(self) -> pd.DataFrame:
        """One row per share."""
        frame = self.estimates.assign(measure=[_SAYS[m] for m in self.estimates["metric"]])
        return frame[["measure", "estimate", "conf_low", "conf_high", "n"]].reset_index(drop=True)

    def sentence(self) -> str:
        """Both shares in words."""
        share = self.estimates.set_index("metric")["estimate"].to_dict()
        said = []
        if (right := share.get("trust.identity_precision")) is not None:
            said.append(f"{words.value(right, 'share')} of joined pairs of accounts are one person")
        if (found := share.get("trust.identity_recall")) is not None:
            said.append(f"{words.value(found, 'share')} of pairs that are one person were joined")
        return f"{'; '.join(said)}."


_SAYS = {
    "trust.identity_precision": "joined pairs that are one person",
    "trust.identity_recall": "pairs of one person that are joined",
}


def identities(snapshot: "Snapshot") -> Identities:
    """Tell how many accounts became how many persons, by what, and what was kept apart.

    Parameters
    ----------
    snapshot : Snapshot
        Its `records["identity"]` has measure, id_type and count.

    Returns
    -------
    Identities
        `trust.identity` by measure, and by the type of id that joined or was shared.

    Raises
    ------
    Withheld
        If the study has no links, so that each account is taken as a person.
    """
    told = pd.DataFrame(
        snapshot.records.get("identity", []), columns=["measure", "id_type", "count"]
    )
    if "accounts" not in set(told["measure"]):
        raise Withheld(
            "The study has no table 'links': each account is taken as a person of its own."
        )
    joined = told.loc[told["measure"] == "joined", "count"].sum()
    rows = []
    for measure in _MEASURES:
        if measure == "joined":
            rows.append(_row(measure, joined))
        own = told[told["measure"] == measure]
        rows += [_row(measure, r["count"], str(r["id_type"])) for r in own.to_dict("records")]
    return Identities(
        estimates=pd.DataFrame(rows),
        subtitle="Accounts, and the persons that they were found to belong to",
        note=f"As known at the end of {snapshot.cycle_name}. Ids that a system saw together belong "
        "to one person; an id that too many people share joins nobody.",
    )


def identity_truth(
    identities: TableLike, truth: TableLike, *, level: float = 0.95
) -> IdentityTruth:
    """Compare persons with the truth, pair by pair of accounts.

    Precision is the share of joined pairs that are one person: what it lacks was
    merged too much. Recall is the share of pairs of one person that were joined: what
    it lacks was merged too little. Pairs are counted from the sizes of groups.

    Parameters
    ----------
    identities : table
        With `id_type`, `id_value` and `customer_id`.
    truth : table
        With `account` (written `type:value`, each once) and `person`. An account
        without an identity is taken as a person of its own.
    level : float
        Confidence level.

    Returns
    -------
    IdentityTruth
        `trust.identity_precision` and `trust.identity_recall`, where there are pairs.

    Raises
    ------
    Withheld
        If no two accounts are joined, and none are one person.
    DataError
        If an account stands twice.

    Notes
    -----
    Pairs of one person do not come independently, so the interval (Wilson) counts
    persons of several accounts rather than pairs.

    References
    ----------
    Menestrina, Whang & Garcia-Molina (2010), "Evaluating Entity Resolution Results",
    Proceedings of the VLDB Endowment 3(1), 208-219.

    Examples
    --------
    >>> found = pd.DataFrame({"id_type": "crm", "id_value": list("abc"),
    ...                       "customer_id": ["crm:a", "crm:a", "crm:c"]})
    >>> truth = pd.DataFrame({"account": ["crm:a", "crm:b", "crm:c"], "person": [1, 2, 2]})
    >>> identity_truth(found, truth).estimates["estimate"].tolist()
    [0.0, 0.0]
    """
    ids, true = in_one_engine(identities, truth)
    ids.need("id_type", "id_value", "customer_id")
    true.need("account", "person")
    pairs = {by: _pairs(ids, true, by) for by in ("found", "person", "found, person")}
    (right, _), accounts = pairs["found, person"], pairs["found"][1]["accounts"]
    if accounts != query("select count(distinct account) as n from t", t=true)["n"][0]:
        raise DataError(
            "Each account must stand once in the truth and once in identities, but one stands "
            "twice. Take each pair of id_type and id_value once."
        )
    rows = []
    for metric, by in (("trust.identity_precision", "found"), ("trust.identity_recall", "person")):
        all_pairs, sizes = pairs[by]
        if all_pairs:
            share = wilson(right, all_pairs, n_eff=sizes["several"], level=level)
            rows.append(interval_row(metric, share, unit="share"))
    if not rows:
        raise Withheld(
            "No two accounts were joined, and no two are one person: nothing to compare."
        )
    return IdentityTruth(
        estimates=pd.DataFrame(rows),
        subtitle="Pairs of accounts: joined rightly, and found",
        note=f"{words.plural(accounts, 'account')} with a known person. A person of many accounts "
        "makes many pairs; the intervals count such a person once.",
        level=level,
    )


def _pairs(ids: TableLike, truth: TableLike, by: str) -> tuple[float, dict[str, float]]:
    """Count pairs of accounts within groups, from the sizes of the groups."""
    found = query(
        f"""select coalesce(sum(n * (n - 1)), 0) as twice, coalesce(sum(n), 0) as accounts,
        coalesce(sum(case when n > 1 then 1 else 0 end), 0) as several from (
        select {by}, count(*) as n from (
        select t.person as person, coalesce(i.customer_id, t.account) as found from t left join i
        on i.id_type || ':' || i.id_value = t.account) as j group by {by}) as g""",
        t=truth,
        i=ids,
    )
    row = found.iloc[0].astype(float).to_dict()
    return row["twice"] / 2, {str(name): value for name, value in row.items()}


def _row(measure: str, count: float, id_type: str = "") -> dict[str, Any]:
    reason = _TYPES.get(id_type)
    row = complete("trust.identity", count, measure=_MEASURES[measure], reason=reason)
    # Behind ids and groups that were not joined no one person stands: never withheld.
    return row if measure in _OF_PEOPLE else {**row, "count": float("nan")}
