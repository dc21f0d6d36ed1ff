"""One row per person, the ids that are theirs, and how many accounts it took.

Works on the temporary tables of `cxlab.data.identity.resolve`.
"""

from collections.abc import Callable
from typing import Any

from cxlab.data.components import keep
from cxlab.data.identity import ID_TYPES

__all__ = ["count_persons", "make_identities", "merged_customers"]


def merged_customers(
    do: Callable[[str], Any],
    rows: str,
    columns: list[str],
    name: Callable[[str], str],
) -> tuple[list[str], str]:
    """Make one row of the accounts of a person: what the newest says, if it says anything."""
    newest = '"first_seen_at" desc nulls last, ' if "first_seen_at" in columns else ""
    # Where all accounts are as new as each other, the first by name decides.
    said = [
        "min(first_seen_at) as first_seen_at"
        if c == "first_seen_at"
        else f'first("{c}" order by {newest}_id) filter (where "{c}" is not null) as "{c}"'
        for c in columns
        if c != "customer_id"
    ]
    keep(do, "cx_account", rows)
    keep(
        do,
        "cx_many",
        "select customer_id from cx_account group by customer_id having count(*) > 1",
    )
    several = "select customer_id from cx_many"
    columns = ["customer_id", *(c for c in columns if c != "customer_id")]
    names = ", ".join(f'"{c}"' for c in columns)
    person = name("person")
    return (
        [*columns, "household_id"],
        f"""select a.*, {name("h.household")} as household_id from (
        select {names} from cx_account where customer_id not in ({several}) union all
        select {", ".join(["customer_id", *said])} from cx_account
        where customer_id in ({several}) group by customer_id) as a
        left join (select {person} as person, household from cx_house) as h
        on h.person = a.customer_id""",
    )


def make_identities(
    do: Callable[[str], Any], customers: str, rule: str, *, name: Callable[[str], str] | None
) -> None:
    """Write down which ids belong to the persons who are customers, and count."""
    keep(
        do,
        "cx_known",
        f"select id, person from cx_person where person in (select customer_id from {customers})",
    )
    # The earliest link that joined an id, and with what; then by name.
    keep(
        do,
        "cx_via",
        """select id, other, linked_at, reason from (
        select k.left_id as id, k.right_type as other, k.right_id as other_id,
        k.linked_at, k.reason
        from cx_link as k join cx_guard as g using (row) where g.guard is null
        union all
        select k.right_id, k.left_type, k.left_id, k.linked_at, k.reason
        from cx_link as k join cx_guard as g using (row) where g.guard is null)
        qualify row_number() over (partition by id order by linked_at, other_id, reason) = 1""",
    )
    rule = rule.replace("'", "''")
    value = name("m.id") if name else "substr(m.id, length(m.type) + 2)"
    do(
        f"""create temp view cx_identity as select m.type as id_type, {value} as id_value,
        k.person as customer_id,
        coalesce(v.linked_at, i.first_at) at time zone 'UTC' as linked_at,
        case when m.id = m.person then 'names the person'
        else coalesce(v.reason, 'seen with: ' || v.other) end as reason, '{rule}' as rule
        from cx_member as m join cx_known as k on k.id = m.id join cx_id as i using (n)
        left join cx_via as v on v.id = m.id
        where m.id not in (select id from cx_erased)"""
    )


def count_persons(do: Callable[[str], Any], customers: str) -> list[dict[str, Any]]:
    """Keep the numbers that tell how identities were made."""
    shared = "from cx_shared where not is_household group by all order by all"
    counts = {
        "accounts": "select '', count(*) from cx_account",
        "persons": f"select '', count(*) from {customers}",
        # All accounts of a person but the one that comes first, by what led to them.
        "joined": f"""select coalesce(v.other, ''), count(*) from (
            select a._id as id from cx_account as a join cx_id as i on i.id = a._id
            qualify row_number() over (partition by a.customer_id order by case i.type
            {" ".join(f"when '{t}' then {i}" for i, t in enumerate(ID_TYPES))} end,
            i.first_at, i.id) > 1) as a left join cx_via as v on v.id = a.id
            group by all order by all""",
        "shared_ids": f"select type, count(*) {shared}",
        "shared_accounts": f"select type, sum(people) {shared}",
        "households": f"select '', count(distinct household_id) from {customers}",
        "in_households": f"select '', count(household_id) from {customers}",
        "too_large": "select '', count(*) from cx_large",
        "largest": """select '', coalesce(max(n), 0) from (
            select count(*) as n from cx_account group by customer_id)""",
        "links": "select '', count(*) from cx_link",
        "links_not_joining": "select '', count(*) from cx_guard where guard is not null",
    }
    return [
        {"measure": measure, "id_type": kind, "count": int(n)}
        for measure, sql in counts.items()
        for kind, n in do(sql).fetchall()
    ]
