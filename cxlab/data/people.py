"""Whose row is it? Ids become persons, persons may become pseudonyms, and some are erased.

The typed pass of a table leaves ids as they came. What is written for good names each
person by one id, in every table the same, and holds no row of whom asked to be erased.
A study without links, pseudonyms and erasures passes through untouched.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cxlab.data.calendar import Cycle
from cxlab.data.components import keep
from cxlab.data.contracts import EXCLUDED, LATER, SET_ASIDE
from cxlab.data.identity import resolve
from cxlab.data.model import Contract
from cxlab.data.persons import count_persons, make_identities, merged_customers
from cxlab.data.pseudonyms import (
    beside_columns,
    fingerprint,
    hand_over,
    load_key,
    person_columns,
    pseudonym_sql,
)
from cxlab.data.settings import Settings
from cxlab.data.sources import Mapping
from cxlab.errors import DataError, SettingsError

__all__ = ["ERASED", "SAME_PERSON", "Final", "People", "people_key"]

ERASED = "erased on request"
SAME_PERSON = "another account of the same person"
_FIRST = ("erasures", "links", "names")  # what all other tables are read by
# Rows about two persons: the one who is only mentioned is emptied, and the row stays.
_MENTIONED = ("referred_id", "referred_by")
# Tables that name an order without belonging to it.
_ORDERS_NAMED = ("stock_events", "referrals")
# What a link says in the end: whose it is, and why it did not join its ids.
_LINK_COLUMNS = {
    "customer_id": (
        "coalesce(one.person, other.person)",
        "left join cx_person as one on one.id = t.left_type || ':' || t.left_value "
        "left join cx_person as other on other.id = t.right_type || ':' || t.right_value",
    ),
    "guard": (
        "case when g.row is null then 'dated after the end of the cycle' else g.guard end",
        "left join cx_guard as g on g.row = t.file_row_number + 1",
    ),
}


@dataclass(frozen=True)
class Final:
    """What is written of a table for good: its columns, and the SELECT that gives them."""

    columns: list[str]
    sql: str


def people_key(settings: Settings, mappings: Iterable[str]) -> list[Any]:
    """Return what persons can depend on, for the key of a snapshot.

    Raises
    ------
    SettingsError
        If pseudonyms are wanted and the key is missing or short, or a study has links
        and identities both.
    """
    names = set(mappings)
    if {"links", "identities"} <= names:
        raise SettingsError(
            "A study must have links or identities, but has tables/links.sql and "
            "tables/identities.sql. With links, cxlab makes identities itself: remove one."
        )
    privacy = settings.privacy
    return [
        settings.identity.model_dump(mode="json") if "links" in names else None,
        fingerprint(load_key(privacy.key)) if privacy.pseudonyms else None,
    ]


class People:
    """Turns the ids of each table into persons while it is read."""

    def __init__(
        self,
        do: Callable[[str], Any],
        settings: Settings,
        mappings: Iterable[Mapping],
        cycle: Cycle,
    ) -> None:
        self._do = do
        self._cycle = cycle
        self._settings = settings
        self._mappings = list(mappings)
        names = {mapping.name for mapping in self._mappings}
        people_key(settings, names)
        self._linked = "links" in names
        self._erasing = "erasures" in names
        self._hashed = settings.privacy.pseudonyms
        self._has_orders = False
        self.record: list[dict[str, Any]] = []
        if self._hashed:
            hand_over(do, load_key(settings.privacy.key))
        keep(do, "cx_person", "select '' as id, '' as person limit 0")
        keep(do, "cx_erased", "select '' as id limit 0")

    def in_order(self) -> Iterator[Mapping]:
        """Yield the mappings, erasures, links and names first, and identities made of links."""
        for mapping in sorted(
            self._mappings,
            key=lambda m: (not m.is_helper, m.name not in _FIRST, m.name != _FIRST[0]),
        ):
            yield mapping
            if mapping.name == "customers" and self._linked:
                yield Mapping("identities", "select * from cx_identity", (), ())

    def seen(self, table: str, rows: str, column: str) -> str:
        """Return rows of a draft with one of their columns as it will be written."""
        final = self._expression(table, column)
        if final is None:
            return rows
        value, join = final
        return f'(select t.* replace ({value} as "{column}") from {rows} as t {join})'

    def note_erased(self, contract: Contract, typed: str, bad: str, columns: list[str]) -> None:
        """Let every row of an erased person leave, whatever rule it breaks besides."""
        if contract.table == "erasures":
            self._ask(typed)
        if contract.table == "links":
            self._resolve(typed)
        if not self._erasing or contract.table == "erasures":
            return
        gone = [f"{id_} in (select id from cx_erased)" for id_ in _owners(contract.table, columns)]
        if not gone:
            return
        whose = f"select file_row_number + 1 from {typed} as t where {' or '.join(gone)}"
        self._do(
            f"update {bad} set fate = '{EXCLUDED}', rule = '', reason = '{ERASED}', record = null "
            f"where fate <> '{LATER}' and row in ({whose})"
        )
        self._do(
            f"insert into {bad} select file_row_number + 1, '{EXCLUDED}', '', '{ERASED}', null "
            f"from {typed} as t where _rule is null and ({' or '.join(gone)})"
        )

    def note_same(self, contract: Contract, typed: str, bad: str, columns: list[str]) -> None:
        """Let one row stay where two accounts of a person have the same key."""
        if contract.table == "customers" and self._hashed:
            # Known ids are hashed once, not once a row.
            self._do(
                f"insert into cx_person select customer_id, {pseudonym_sql('customer_id')} from "
                f"(select distinct customer_id from {typed} where customer_id is not null) "
                "where customer_id not in (select id from cx_person)"
            )
        named = [c for c in contract.key if c in person_columns(contract.table) and c in columns]
        if not self._linked or not named or contract.table in (*_FIRST, "identities"):
            return
        (column,) = named
        order = [f't."{contract.known}" nulls last'] if contract.known in columns else []
        order += [f't."{column}"', "_row"]
        key = ["_person", *(f't."{c}"' for c in contract.key if c != column)]
        # The earliest row stays; then the account that comes first by name.
        self._do(
            f"insert into {bad} select _row, '{EXCLUDED}', '', '{SAME_PERSON}', null from ("
            "select t.*, file_row_number + 1 as _row, "
            f'coalesce(p.person, t."{column}") as _person from {typed} as t '
            f'left join cx_person as p on p.id = t."{column}" '
            f"where _rule is null and file_row_number + 1 not in (select row from {bad})) as t "
            f"qualify row_number() over (partition by {', '.join(key)} "
            f"order by {', '.join(order)}) > 1"
        )

    def final(self, contract: Contract, typed: str, bad: str, columns: list[str]) -> Final | None:
        """Say how a table is written for good; None where it is written as it is."""
        table = contract.table
        stays = f"where t.file_row_number + 1 not in (select row from {bad})"
        if table == "erasures":
            return Final(
                ["customer_id", "requested_at"],  # whose they are is nobody's business any more
                "select cast(row_number() over (order by requested_at) as varchar) as customer_id, "
                f"requested_at from {typed} as t {stays}",
            )
        if table == "orders":
            self._has_orders = True
        if table == "customers" and self._linked:
            return self._customers(typed, bad, columns)
        read = columns
        if table == "interactions" and "anonymous_id" in columns and self._linked:
            columns = list(dict.fromkeys([*columns, "customer_id"]))
        found = {c: e for c in columns if (e := self._expression(table, c, read)) is not None}
        if table == "links":
            found |= _LINK_COLUMNS
            columns = list(dict.fromkeys([*columns, *_LINK_COLUMNS]))
        if not found:
            return None
        shown = [f'{found[c][0]} as "{c}"' if c in found else f't."{c}"' for c in columns]
        joins = " ".join(join for _, join in found.values())
        return Final(columns, f"select {', '.join(shown)} from {typed} as t {joins} {stays}")

    def masked(self, table: str, record: str) -> str:
        """Write the record of a row that is set aside, without the ids of persons."""
        if table == "erasures":
            return "null"
        if not self._hashed:
            return record
        names = [*person_columns(table), *beside_columns()]
        fields = ", ".join(
            f"'{c}', {pseudonym_sql(f'json_extract_string({record}, $${c}$$)')}" for c in names
        )
        return (
            f"case when {record} is not null then cast(json_merge_patch(cast({record} as json), "
            f"json_object({fields})) as varchar) end"
        )

    def finished(self, table: str, customers: str) -> None:
        """Take note of a table that has been written."""
        if table == "customers" and self._linked:
            # Children name persons, so what became of a customer is told of the person.
            keep(
                self._do,
                "gone_customers",
                f"""select coalesce(p.person, {self._hash("g.key")}) as key, fate, reason
                from gone_customers as g left join cx_person as p on p.id = g.key
                where coalesce(p.person, {self._hash("g.key")})
                not in (select customer_id from {customers})
                qualify row_number() over (partition by coalesce(p.person, g.key)
                order by case fate when '{EXCLUDED}' then 1 when '{SET_ASIDE}' then 2 else 3 end,
                reason desc) = 1""",
            )
            rule, name = self._settings.identity.rule, self._hash if self._hashed else None
            make_identities(self._do, customers, rule, name=name)
            self.record += count_persons(self._do, customers)

    def _expression(
        self, table: str, column: str, columns: list[str] | None = None
    ) -> tuple[str, str] | None:
        """Write one column as it will be: its SQL and the join it needs; None as it is."""
        if table == "links":
            return self._linked_value(column)
        if table == "identities" and self._linked:
            return None  # made here, as they will be
        if column in person_columns(table):
            return self._person(table, column, columns or [])
        value = f't."{column}"'
        if column in beside_columns() and self._hashed:
            return pseudonym_sql(value), ""
        if column == "order_id" and table in _ORDERS_NAMED and self._erasing and self._has_orders:
            lost = f"select key from gone_orders where reason = '{ERASED}'"
            return f"case when {value} in ({lost}) then null else {value} end", ""
        return None

    def _person(self, table: str, column: str, columns: list[str]) -> tuple[str, str] | None:
        """Write whom a column names."""
        mentioned = self._erasing and column in _MENTIONED
        if not (self._linked or self._hashed or mentioned):
            return None
        own, at = f't."{column}"', f"p_{column}"
        if (table, column) == ("interactions", "customer_id") and column not in columns and columns:
            own = "cast(null as varchar)"
        join = f"left join cx_person as {at} on {at}.id = {own}"
        value = f"coalesce({at}.person, {self._hash(own)})"
        if table == "interactions" and self._linked and "anonymous_id" in columns:
            join += " left join cx_known as k on k.id = t.anonymous_id"
            value = f"coalesce({value}, k.person)"
        if mentioned:
            value = f"case when {own} in (select id from cx_erased) then null else {value} end"
        return value, join

    def _linked_value(self, column: str) -> tuple[str, str] | None:
        if column not in ("left_value", "right_value") or not self._hashed:
            return None
        side = column.removesuffix("_value")
        return pseudonym_sql(f"t.{side}_type || ':' || t.{side}_value"), ""

    def _customers(self, typed: str, bad: str, columns: list[str]) -> Final:
        """Give all accounts of a person, and what makes one row of them."""
        columns = [c for c in columns if c != "household_id"]
        seen = {c: self._expression("customers", c, columns) or (f't."{c}"', "") for c in columns}
        shown = ", ".join(f'{value} as "{c}"' for c, (value, _) in seen.items())
        joins = " ".join(join for _, join in seen.values())
        rows = (
            f"select {shown}, t.customer_id as _id from {typed} as t {joins} "
            "where t.file_row_number + 1 not in "
            f"(select row from {bad} where reason <> '{SAME_PERSON}')"
        )
        return Final(*merged_customers(self._do, rows, columns, self._hash))

    def _hash(self, value: str) -> str:
        return pseudonym_sql(value) if self._hashed else value

    def _ask(self, typed: str) -> None:
        """Read who asked to be erased; every request must be readable, or it would be missed."""
        (wrong,) = self._do(f"select count(*) from {typed} where _rule is not null").fetchone()
        if wrong:
            raise DataError(
                f"Every request to be erased must be readable, but {wrong:,} of erasures lack a "
                "customer_id or a requested_at, or one does not read. Mend tables/erasures.sql."
            )
        keep(self._do, "cx_erased", f"select distinct customer_id as id from {typed}")
        (asked,) = self._do("select count(*) from cx_erased").fetchone()
        self.record.append({"measure": "erased", "id_type": "", "count": asked})

    def _resolve(self, typed: str) -> None:
        """Find persons by the links of the day, and the erased by all that are known now."""
        if self._erasing:
            self._link(typed, f"_rule is null or _rule like '{LATER}|%'")
            self._spread()
        cutoff = self._cycle.cutoff.isoformat(sep=" ")
        self._link(typed, f"_rule is null and linked_at < timestamp '{cutoff}'")
        self._spread()
        named = self._hash("person")
        keep(self._do, "cx_person", f"select id, {named} as person from cx_member")

    def _link(self, typed: str, known: str) -> None:
        reason = "reason" if self._has(typed, "reason") else "null::varchar as reason"
        keep(
            self._do,
            "cx_link",
            f"""select file_row_number + 1 as row, left_type || ':' || left_value as left_id,
            right_type || ':' || right_value as right_id, left_type, right_type, linked_at, {reason}
            from {typed} where {known}""",
        )
        resolve(self._do, "cx_link", self._settings.identity)

    def _spread(self) -> None:
        """Erase all accounts of a person who asked to be erased by one of them."""
        asked = "select id from cx_erased"
        self._do(
            f"insert into cx_erased select id from cx_member where id not in ({asked}) and person "
            f"in (select person from cx_member where id in ({asked}))"
        )

    def _has(self, typed: str, column: str) -> bool:
        return column in [r[0] for r in self._do(f"describe select * from {typed}").fetchall()]


def _owners(table: str, columns: list[str]) -> list[str]:
    """List, as SQL, the ids by which a row of a draft belongs to a person."""
    if table == "links":
        return [f"(t.{side}_type || ':' || t.{side}_value)" for side in ("left", "right")]
    if table == "identities":
        return ["t.customer_id"] if "customer_id" in columns else []
    names = [c for c in (*person_columns(table), "anonymous_id") if c not in _MENTIONED]
    return [f't."{c}"' for c in names if c in columns]
