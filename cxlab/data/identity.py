"""Which ids belong to one person: links of systems, connected in the engine, with guards.

A link says that a system saw two ids together. Ids are taken in an order of trust:
accounts first, then e-mail hashes and so on to devices. An id of a later type joins
the people that it touches, unless it touches too many: then it is shared (a family's
device, a shop's phone), and its links are set aside with the reason. So is an account
that stands for no account: "0" or "null" of a form left empty. Ids of some types
tell a household, not a person. What only links known before the cutoff say is what
was known then, so an old cycle made again gives the answer of its day.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator

from cxlab.data.components import components, keep
from cxlab.data.strict import Strict
from cxlab.errors import DataError

__all__ = ["ACCOUNTS", "ID_TYPES", "IdentitySettings", "resolve"]

IdType = Literal[
    "crm", "loyalty", "login", "email_hash", "phone_hash", "order", "survey", "cookie", "device"
]
# The order of trust. A person's own id is the first of these that the person has.
ID_TYPES: tuple[str, ...] = get_args(IdType)
ACCOUNTS = ID_TYPES[:3]
_PEOPLE = ID_TYPES[:4]  # an order or a cookie alone is no other person yet
_DIRECT = ID_TYPES[:5]  # of these one person has a few
_MOST: dict[IdType, int] = {
    "crm": 10,
    "loyalty": 10,
    "login": 10,
    "email_hash": 3,
    "phone_hash": 4,
    "order": 1,
    "survey": 1,
    "cookie": 1,
    "device": 1,
}


class IdentitySettings(Strict):
    """When links make one person of several ids, and when they must not.

    Attributes
    ----------
    rule : str
        Version of these rules; each row of `identities` carries it.
    max_degree : mapping of str to int
        How many people, as known from more trusted ids, an id may be linked to and
        still make one person of them. One that is linked to more is shared. A limit
        of 1 lets an id belong to a person, but never join two. For an account: to how
        many accounts, e-mail addresses and telephones it may be linked directly. Types
        that are not given keep their default.
    household : list of str
        Types that, within their limit, tell a household where they are linked to
        several people.
    max_component : int
        Accounts of one person at most; a larger component is not merged at all.
    """

    rule: str = "1"
    max_degree: dict[IdType, Annotated[int, Field(ge=1)]] = Field(default_factory=lambda: {**_MOST})
    household: tuple[IdType, ...] = ("phone_hash",)
    max_component: Annotated[int, Field(ge=2)] = 50

    @field_validator("max_degree")
    @classmethod
    def _others_as_usual(cls, given: dict[IdType, int]) -> dict[IdType, int]:
        return {**_MOST, **given}

    @field_validator("household")
    @classmethod
    def _not_of_accounts(cls, given: tuple[IdType, ...]) -> tuple[IdType, ...]:
        if wrong := [t for t in given if t in ACCOUNTS]:
            raise ValueError(
                f"{wrong} are accounts, and these tell a person. Name other types of id instead"
            )
        return given


def resolve(do: Callable[[str], Any], links: str, settings: IdentitySettings) -> None:
    """Find the persons behind the ids of some links.

    Parameters
    ----------
    do : callable
        Runs one SQL statement on a DuckDB connection.
    links : str
        A table of links: `row` (a number of its own), `left_id` and `right_id` (written
        `type:value`), `left_type`, `right_type`, `linked_at` and `reason`.
    settings : IdentitySettings
        The rules.

    Notes
    -----
    Makes temporary tables: `cx_id` (n: a hash, id, type, first_at), `cx_member` (n, id, type,
    person: the id that names the person), `cx_shared` (n, people, is_household),
    `cx_house` (person, household), `cx_large` (c, accounts) and `cx_guard` (row, guard:
    why the link did not join, NULL where it did).
    """
    _number(do, links)
    keep(
        do,
        "cx_edge",
        """select distinct a, ta, b, tb from (
        select a, left_type as ta, b, right_type as tb from cx_ends
        union all select b, right_type, a, left_type from cx_ends) where a <> b""",
    )
    keep(do, "cx_comp", "select n, type, n as c from cx_id")
    keep(do, "cx_shared", "select n, type, n as people, false as is_household from cx_id limit 0")
    _admit_accounts(do, settings)
    _join(do)
    present = {kind for (kind,) in do("select distinct type from cx_id").fetchall()}
    for place, kind in enumerate(ID_TYPES):
        if kind in ACCOUNTS or kind not in present:
            continue
        _admit(do, kind, ID_TYPES[:place], settings)
        _join(do)
    _name(do, settings)
    _households(do, settings)
    _guard(do, links)


def _number(do: Callable[[str], Any], links: str) -> None:
    """Give each id a number, its hash: no sorting and no joins of text."""
    known = _listed(ID_TYPES)
    for salt in range(9):
        number = f"cast(hash({{0}}_id, {salt}) >> 1 as bigint)"
        keep(
            do,
            "cx_ends",
            f"""select {number.format("left")} as a, {number.format("right")} as b, *
            from {links} where left_type in ({known}) and right_type in ({known})""",
        )
        keep(
            do,
            "cx_id",
            """select n, id, type, min(linked_at) as first_at from (
            select a as n, left_id as id, left_type as type, linked_at from cx_ends
            union all select b, right_id, right_type, linked_at from cx_ends)
            group by n, id, type""",
        )
        # Two ids with one hash would be one person: then all get other numbers.
        if do("select count(*) = count(distinct n) from cx_id").fetchone()[0]:
            return
    raise DataError("The ids of links could not be numbered. Report this, please.")


def _admit_accounts(do: Callable[[str], Any], settings: IdentitySettings) -> None:
    """Judge the accounts by what they are linked to directly; list the edges that join."""
    most = _limits(settings)
    limits = " ".join(f"when '{t}' then {most[t]}" for t in ACCOUNTS)
    do(
        f"""insert into cx_shared select a, ta, count(*), false from cx_edge
        where ta in ({_listed(ACCOUNTS)}) and tb in ({_listed(_DIRECT)})
        group by a, ta having count(*) > case ta {limits} end"""
    )
    keep(
        do,
        "cx_join",
        f"""select a, b from cx_edge where ta in ({_listed(ACCOUNTS)})
        and tb in ({_listed(ACCOUNTS)})
        and a not in (select n from cx_shared) and b not in (select n from cx_shared)""",
    )


def _admit(
    do: Callable[[str], Any], kind: str, trusted: tuple[str, ...], settings: IdentitySettings
) -> None:
    """Judge the ids of one type by the people they touch; list the edges that join."""
    limit = _limits(settings)[kind]
    home = str(kind in settings.household).lower()
    # Ids of this type that are linked to each other are judged as one.
    keep(do, "cx_own", f"select a, b from cx_edge where ta = tb and ta = '{kind}'")
    components(do, "cx_own", "cx_group")
    keep(
        do,
        "cx_touch",
        f"""select distinct e.a as n, coalesce(g.root, e.a) as g, c.c from cx_edge as e
        join cx_comp as c on c.n = e.b left join cx_group as g on g.v = e.a
        where e.ta = '{kind}' and e.tb in ({_listed(trusted)})
        and e.b not in (select n from cx_shared)""",
    )
    keep(
        do,
        "cx_judged",
        f"""select t.g, count(distinct t.c) as people from cx_touch as t
        join (select distinct c from cx_comp
        where type in ({_listed([t for t in trusted if t in _PEOPLE])})) as p on p.c = t.c
        group by t.g""",
    )
    do(
        f"""insert into cx_shared select i.n, i.type, j.people, {home} and j.people <= {limit}
        from (select n, type from cx_id where type = '{kind}') as i
        left join cx_group as g on g.v = i.n join cx_judged as j on j.g = coalesce(g.root, i.n)
        where j.people > {limit} or ({home} and j.people > 1)"""
    )
    keep(
        do,
        "cx_join",
        """select n as a, c as b from cx_touch where n not in (select n from cx_shared)
        union all select a, b from cx_own where a not in (select n from cx_shared)""",
    )


def _join(do: Callable[[str], Any]) -> None:
    """Make one component of those that an edge joins."""
    keep(
        do,
        "cx_joined",
        """select s.c as a, t.c as b from cx_join as j join cx_comp as s on s.n = j.a
        join cx_comp as t on t.n = j.b where s.c <> t.c""",
    )
    components(do, "cx_joined", "cx_root")
    keep(
        do,
        "cx_comp",
        """select c.n, c.type, coalesce(r.root, c.c) as c from cx_comp as c
        left join cx_root as r on r.v = c.c""",
    )


def _name(do: Callable[[str], Any], settings: IdentitySettings) -> None:
    """Name each person by the most trusted id, the earliest of these, the first by name."""
    keep(
        do,
        "cx_large",
        f"""select c, count(*) as accounts from cx_comp where type in ({_listed(ACCOUNTS)})
        group by c having count(*) > {settings.max_component}""",
    )
    rank = f"list_position([{_listed(ID_TYPES)}], i.type)"
    keep(
        do,
        "cx_named",
        f"""select c.c, min(struct_pack(r := {rank}, t := i.first_at, id := i.id)).id
        as person from cx_comp as c join cx_id as i using (n)
        where c.c not in (select c from cx_large) group by c.c""",
    )
    # In a component that is too large, an account is a person of its own, and no other id is.
    keep(
        do,
        "cx_member",
        f"""select i.n, i.id, i.type, coalesce(p.person, i.id) as person
        from cx_id as i join cx_comp as c using (n) left join cx_named as p on p.c = c.c
        where i.n not in (select n from cx_shared)
        and (p.person is not null or i.type in ({_listed(ACCOUNTS)}))""",
    )


def _households(do: Callable[[str], Any], settings: IdentitySettings) -> None:
    """Join the people of a household; what is too large for a person is no household either."""
    keep(
        do,
        "cx_home",
        f"""select distinct s.n as a, t.n as b from cx_edge as e join cx_shared as s on s.n = e.a
        join cx_member as m on m.n = e.b join cx_id as t on t.id = m.person
        where s.is_household and t.type in ({_listed(_PEOPLE)})""",
    )
    components(do, "cx_home", "cx_roof")
    keep(
        do,
        "cx_house",
        f"""select i.id as person, 'household:' || min(i.id) over (partition by r.root) as household
        from cx_roof as r join cx_id as i on i.n = r.v where r.v in (select b from cx_home)
        qualify count(*) over (partition by r.root) between 2 and {settings.max_component}""",
    )


def _guard(do: Callable[[str], Any], links: str) -> None:
    """Say of each link why it did not join its ids; NULL where it did."""
    # Of two shared ends, the one with more people behind it is the reason.
    told = (
        "case when {0}.is_household then 'household: ' || {0}.type || ' of ' || {0}.people || "
        "' people' else 'shared ' || {0}.type || ': linked to ' || {0}.people || ' accounts' end"
    )
    keep(
        do,
        "cx_guard",
        f"""select k.row, case
        when s.n is not null and (t.n is null or s.people >= t.people) then {told.format("s")}
        when t.n is not null then {told.format("t")}
        when g.c is not null then 'too large for one person: ' || g.accounts || ' accounts'
        when e.a is null then 'a type of id that is not known' end as guard
        from {links} as k left join cx_ends as e using (row) left join cx_comp as c on c.n = e.a
        left join cx_large as g on g.c = c.c
        left join cx_shared as s on s.n = e.a left join cx_shared as t on t.n = e.b""",
    )


def _limits(settings: IdentitySettings) -> dict[str, int]:
    return {str(kind): most for kind, most in settings.max_degree.items()}


def _listed(types: Iterable[str]) -> str:
    return ", ".join(f"'{t}'" for t in types)
