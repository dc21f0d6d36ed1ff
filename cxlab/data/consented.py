"""Which rows a purpose may see: those of customers who allow it, in every table.

Whose a row is follows from the contracts: the customer it names, or the row of another
table that it belongs to. A table of which nobody can tell whose rows it holds stays shut.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from cxlab.data.allowed_rows import AllowedRows
from cxlab.data.calendar import Cycle
from cxlab.data.consent import ConsentSettings, Purpose
from cxlab.data.consent_record import last_word
from cxlab.data.engine import Table, keep, query, view
from cxlab.data.model import contracts
from cxlab.data.whose import OTHERS, PERHAPS, people_of
from cxlab.errors import Withheld

__all__ = ["Gate"]


class Gate:
    """What stands between the tables of a study and whoever works with them.

    Parameters
    ----------
    everybody : callable
        Gives a table of the study with all of its rows.
    columns : mapping of str to sequence of str
        The tables that the study has, and their columns.
    rules : ConsentSettings
        What the study says.
    purpose : str
        What the rows are wanted for.
    cycle : Cycle
        Its cutoff is the moment at which consent counts.
    copies : AllowedRows, optional
        Where the rows that may be seen are laid down. Default: they are sought at each use.
    """

    def __init__(
        self,
        everybody: Callable[[str], Table],
        *,
        columns: Mapping[str, Sequence[str]],
        rules: ConsentSettings,
        purpose: Purpose,
        cycle: Cycle,
        copies: AllowedRows | None = None,
    ) -> None:
        self._everybody = everybody
        self._columns = columns
        self._rules = rules
        self._cycle = cycle
        self._copies = copies
        self.purpose = purpose

    @property
    def has_record(self) -> bool:
        """Whether the study has a table of consents."""
        return "consents" in self._columns

    @property
    def ground(self) -> str | None:
        """What the purpose stands on where it needs no consent."""
        if getattr(self._rules.needs, self.purpose):
            return None
        return str(getattr(self._rules.grounds, self.purpose))

    @property
    def is_open(self) -> bool:
        """Whether everybody is seen: nothing is on record, or no consent is needed."""
        return not self.has_record or self.ground is not None

    @cached_property
    def customers(self) -> dict[str, int]:
        """How many customers have which status: granted, denied, withdrawn, no record."""
        counts = query(
            "select status, count(*) as n from w group by status order by status", w=self._words
        )
        return {
            str(status): int(n) for status, n in zip(counts["status"], counts["n"], strict=True)
        }

    def left_out(self, name: str) -> int:
        """Count the rows of a table that this purpose may not see."""
        sql = "select (select count(*) from t) - (select count(*) from s) as n"
        seen = self.rows(name, copied=False)  # counting is less work than copying
        return int(query(sql, t=self._everybody(name), s=seen)["n"].iloc[0])

    def _words_at(self, at: datetime) -> Table:
        """What each customer had said about each purpose, as known at a moment."""
        return last_word(self._everybody("consents"), at=at)

    @cached_property
    def _words(self) -> Table:
        # Who said what: not for notebooks, which see `customers` alone.
        word = last_word(self._everybody("consents"), at=self._cycle.cutoff, purpose=self.purpose)
        return keep(
            view(
                "select p.customer_id, coalesce(w.status, 'no record') as status "
                "from p left join w on p.customer_id = w.customer_id",
                p=self._everybody("customers"),
                w=word,
            )
        )

    @property
    def allowed(self) -> tuple[str, ...]:
        """The statuses under which a customer is seen."""
        more = ("no record",) if self._rules.without_record == "granted" else ()
        return ("granted", *more)

    def rows(self, name: str, *, copied: bool = True) -> Table:
        """Return the rows of a table that this purpose may see; long ones are copied once.

        Raises
        ------
        Withheld
            If nobody is seen, or nobody can tell whose the rows are.
        """
        table = self._everybody(name)
        if self.is_open:
            return table
        if not any(self.customers.get(status) for status in self.allowed):
            raise Withheld(
                f"No customer allows {self.purpose} at the end of {self._cycle.name}, so nobody's "
                "rows may be looked at."
            )
        sought = self._filtered(name, table)
        return sought if self._copies is None else self._copies.of(name, sought, made=copied)

    @cached_property
    def _seen(self) -> Table:
        return keep(self._having("in"))

    @cached_property
    def _unseen(self) -> Table:
        return keep(self._having("not in"))

    def _having(self, how: str) -> Table:
        listed = ", ".join(f"'{status}'" for status in self.allowed)
        return view(f"select customer_id from w where status {how} ({listed})", w=self._words)

    def _filtered(self, name: str, table: Table) -> Table:
        people, rows_of = people_of(name, self._columns)
        tables: dict[str, Table] = {"t": table}
        terms = [self._may_stay(f't."{column}"', tables) for column in people]
        for i, (column, parent) in enumerate(rows_of.items()):
            (key,) = contracts()[parent].key
            tables[f"parent_{i}"] = self.rows(parent)
            terms.append(
                f't."{column}" is null or t."{column}" in (select "{key}" from parent_{i})'
            )
        if (people or rows_of) and getattr(self._rules.anonymous, self.purpose) == "drop":
            named = ", ".join(f't."{column}"' for column in (*people, *rows_of))
            terms.append(f"coalesce({named}, null) is not null")
        terms += self._unless_unseen(name, tables)
        shown, joins = self._without_others(table.columns, tables)
        where = f"where {' and '.join(f'({term})' for term in terms)}" if terms else ""
        return view(f"select {', '.join(shown)} from t {' '.join(joins)} {where}", **tables)

    def _may_stay(self, column: str, tables: dict[str, Table]) -> str:
        """Write the condition under which a row that names a customer stays."""
        if self._rules.without_record == "granted":
            tables["unseen"] = self._unseen
            return f"{column} is null or {column} not in (select customer_id from unseen)"
        tables["seen"] = self._seen
        return f"{column} is null or {column} in (select customer_id from seen)"

    def _unless_unseen(self, name: str, tables: dict[str, Table]) -> list[str]:
        """Write the conditions that take out rows which turn out to be somebody's."""
        terms = []
        for (table, column), whose in PERHAPS.items():
            if table != name or whose not in self._columns or column not in self._columns[name]:
                continue
            tables["perhaps"] = self._unseen if whose == "customers" else self._unseen_rows(whose)
            terms.append(f't."{column}" is null or t."{column}" not in (select * from perhaps)')
        if {"customer_id", "anonymous_id"} <= set(self._columns[name]):
            # A cookie that is known to be somebody's, or came with somebody, is not anonymous.
            tables["strangers"] = self._strangers(name)
            terms.append(
                "t.customer_id is not null or t.anonymous_id is null "
                "or t.anonymous_id not in (select anonymous_id from strangers)"
            )
        return terms

    def _unseen_rows(self, name: str) -> Table:
        (key,) = contracts()[name].key
        return view(
            f'select t."{key}" from t where t."{key}" not in (select "{key}" from s)',
            t=self._everybody(name),
            s=self.rows(name),
        )

    def _strangers(self, name: str) -> Table:
        """Collect the cookies and devices of customers who are not seen."""
        sql = (
            "select t.anonymous_id from t join u on t.customer_id = u.customer_id "
            "where t.anonymous_id is not null"
        )
        tables = {"t": self._everybody(name), "u": self._unseen}
        if "identities" in self._columns:
            tables["i"] = self._everybody("identities")
            for value in ("i.id_value", "i.id_type || ':' || i.id_value"):
                sql += f" union all select {value} from i join u on i.customer_id = u.customer_id"
        return keep(view(f"select distinct anonymous_id from ({sql}) as s", **tables))

    def _without_others(
        self, columns: Sequence[str], tables: dict[str, Table]
    ) -> tuple[list[str], list[str]]:
        """Write the columns of a row, somebody else's id only where they may be seen too."""
        shown: list[str] = []
        joins: list[str] = []
        for column in columns:
            if column not in OTHERS:
                shown.append(f't."{column}"')
                continue
            other = f"o{len(joins)}"
            tables[other] = self._unseen
            joins.append(f'left join {other} on t."{column}" = {other}.customer_id')
            shown.append(
                f'case when {other}.customer_id is null then t."{column}" end as "{column}"'
            )
        return shown, joins
