"""Links make persons: whatever the order of rows, as known at a moment, and never too many."""

from collections.abc import Iterable
from datetime import datetime

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.data.components import components
from cxlab.data.identity import IdentitySettings, resolve
from cxlab.errors import SettingsError
from tests.studies import opened, write_study

Link = tuple[str, str]
LINKS = [
    ("crm:1", "login:ann"), ("login:ann", "email_hash:e1"), ("crm:2", "email_hash:e1"),
    ("cookie:c1", "login:ann"), ("crm:3", "login:cid"),
]  # fmt: skip


class Resolved:
    """What resolving some links gave, as plain Python."""

    def __init__(self, links: Iterable[Link], rules: IdentitySettings | None = None) -> None:
        rows = [
            (i, left, left.split(":")[0], right, right.split(":")[0], datetime(2018, 1, 1 + i % 28))
            for i, (left, right) in enumerate(links)
        ]
        names = ["row", "left_id", "left_type", "right_id", "right_type", "linked_at"]
        frame = pd.DataFrame(rows, columns=names).assign(reason="seen")
        self.connection = duckdb.connect(config={"threads": 2})
        self.connection.register("k", frame)
        resolve(self.connection.execute, "k", rules or IdentitySettings())
        self.persons = dict(self._rows("select id, person from cx_member"))
        self.guards = dict(self._rows("select row, guard from cx_guard"))
        self.houses = dict(self._rows("select person, household from cx_house"))

    def _rows(self, sql: str) -> list[tuple[str, str]]:
        return self.connection.execute(sql).fetchall()


def test_ids_that_hang_together_are_one_person_named_by_the_most_trusted_id() -> None:
    found = Resolved(LINKS).persons
    assert {found[i] for i in ("crm:1", "crm:2", "login:ann", "email_hash:e1", "cookie:c1")} == {
        "crm:1"
    }
    assert found["login:cid"] == found["crm:3"] == "crm:3"


def test_of_equally_trusted_ids_the_earliest_names_the_person() -> None:
    links = [("crm:9", "email_hash:e"), ("crm:1", "email_hash:e")]  # crm:9 a day before
    assert Resolved(links).persons["crm:1"] == "crm:9"


@given(order=st.permutations(LINKS), turned=st.lists(st.booleans(), min_size=5, max_size=5))
@settings(max_examples=15, deadline=None)
def test_neither_the_order_of_links_nor_their_direction_says_anything(
    order: list[Link], turned: list[bool]
) -> None:
    links = [(b, a) if turn else (a, b) for (a, b), turn in zip(order, turned, strict=True)]
    groups: dict[str, set[str]] = {}
    for id_, person in Resolved(links).persons.items():
        groups.setdefault(person, set()).add(id_)
    # Who names a person depends on the moments, and these on the place in this list.
    assert sorted(map(sorted, groups.values())) == [
        ["cookie:c1", "crm:1", "crm:2", "email_hash:e1", "login:ann"],
        ["crm:3", "login:cid"],
    ]


def test_a_device_of_many_joins_nobody_and_its_links_say_why() -> None:
    found = Resolved([("device:family", f"crm:{i}") for i in range(7)])
    assert found.persons == {f"crm:{i}": f"crm:{i}" for i in range(7)}
    assert set(found.guards.values()) == {"shared device: linked to 7 accounts"}


def test_the_accounts_of_one_person_count_once_at_a_device() -> None:
    own = [("crm:1", "login:a"), ("login:a", "loyalty:7"), ("crm:1", "email_hash:e")]
    seen = [("device:d", other) for other in ("crm:1", "login:a", "loyalty:7", "email_hash:e")]
    assert set(Resolved([*own, *seen]).persons.values()) == {"crm:1"}


def test_a_limit_above_one_lets_a_device_join_that_many() -> None:
    links = [("device:d", "crm:1"), ("device:d", "crm:2")]
    rules = IdentitySettings(max_degree={"device": 2})
    assert len(set(Resolved(links, rules).persons.values())) == 1
    assert len(set(Resolved(links).persons.values())) == 2


def test_devices_linked_to_each_other_are_judged_as_one() -> None:
    """Two cookies, each of one person, must not join the two through their own link."""
    links = [("cookie:1", "crm:1"), ("cookie:2", "crm:2"), ("cookie:1", "cookie:2")]
    found = Resolved(links)
    assert found.persons == {"crm:1": "crm:1", "crm:2": "crm:2"}
    assert set(found.guards.values()) == {"shared cookie: linked to 2 accounts"}


def test_many_orders_of_a_guest_are_no_other_people() -> None:
    links = [("cookie:c", f"order:{i}") for i in range(9)] + [("cookie:c", "crm:1")]
    assert set(Resolved(links).persons.values()) == {"crm:1"}


def test_a_phone_of_two_people_tells_a_household_and_a_phone_of_many_nothing() -> None:
    home = [("phone_hash:home", "crm:1"), ("phone_hash:home", "crm:2")]
    shop = [("phone_hash:shop", f"crm:{i}") for i in range(3, 9)]
    found = Resolved([*home, *shop])
    assert found.houses == {"crm:1": "household:crm:1", "crm:2": "household:crm:1"}
    assert found.persons["crm:1"] != found.persons["crm:2"]
    assert found.guards[0] == "household: phone_hash of 2 people"
    assert found.guards[2] == "shared phone_hash: linked to 6 accounts"


def test_a_component_of_too_many_accounts_is_not_merged_at_all() -> None:
    links = [("crm:0", f"crm:{i}") for i in range(1, 5)] + [("cookie:c", "crm:1")]
    found = Resolved(links, IdentitySettings(max_component=4))
    assert found.persons == {f"crm:{i}": f"crm:{i}" for i in range(5)}
    assert set(found.guards.values()) == {"too large for one person: 5 accounts"}


@pytest.mark.parametrize("value", ["0", "null", "N/A", "-"])
@pytest.mark.parametrize("kind", ["loyalty", "email_hash"])
def test_an_account_that_stands_for_no_account_joins_nobody(value: str, kind: str) -> None:
    seen = [(f"login:{value}", f"{kind}:{i}") for i in range(20)]
    found = Resolved([*seen, *((f"{kind}:{i}", f"crm:{i}") for i in range(20))])
    persons = {i: found.persons[f"{kind}:{i}"] for i in range(20)}
    assert persons == {i: f"crm:{i}" for i in range(20)}
    assert f"login:{value}" not in found.persons
    assert [found.guards[i] for i in range(40)] == [
        *["shared login: linked to 20 accounts"] * 20,
        *[None] * 20,
    ]


def test_an_account_of_many_telephones_makes_no_household() -> None:
    links = [("login:0", f"phone_hash:{i}") for i in range(20)]
    assert Resolved([*links, *((f"phone_hash:{i}", f"crm:{i}") for i in range(20))]).houses == {}


def test_the_limit_of_accounts_can_be_set_and_the_others_stay() -> None:
    links = [("crm:1", f"loyalty:{i}") for i in range(3)]
    devices = [("device:d", "crm:7"), ("device:d", "crm:8")]
    rules = IdentitySettings(max_degree={"crm": 2})
    assert len(set(Resolved([*links, *devices], rules).persons.values())) == 5
    assert len(set(Resolved([*links, *devices]).persons.values())) == 3


def test_an_account_tells_no_household() -> None:
    with pytest.raises(ValueError, match="are accounts, and these tell a person"):
        IdentitySettings(household=("crm",))


def test_a_slip_in_the_settings_is_named(tmp_path: object) -> None:
    with pytest.raises(SettingsError, match=r"identity\.max_degre is not a setting"):
        opened(
            write_study(
                tmp_path,  # type: ignore[arg-type]
                yaml="title: T\nraw: ../raw\nidentity: {max_degre: {device: 2}}\n",
            )
        )


def _plain_components(edges: list[tuple[int, int]]) -> dict[int, int]:
    """Find components one edge after the other: another program."""
    root = {v: v for edge in edges for v in edge}

    def top(v: int) -> int:
        while root[v] != v:
            v = root[v]
        return v

    for a, b in edges:
        low, high = sorted((top(a), top(b)))
        root[high] = low
    return {v: top(v) for v in root}


def _components(edges: list[tuple[int, int]]) -> dict[int, int]:
    connection = duckdb.connect(config={"threads": 2})
    connection.register("e", pd.DataFrame(edges, columns=["a", "b"], dtype="int64"))
    components(connection.execute, "e", "found")
    return dict(connection.execute("select v, root from found").fetchall())


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_components_are_those_found_edge_by_edge(edges: list[tuple[int, int]]) -> None:
    assert _components(edges) == _plain_components(edges)


@pytest.mark.parametrize("shape", ["path", "shuffled path", "star", "tree"])
def test_components_of_long_shapes(shape: str) -> None:
    n = 3000
    names = [int(i) for i in np.random.default_rng(1).permutation(n)]
    edges = {
        "path": [(i, i + 1) for i in range(n - 1)],
        "shuffled path": [(names[i], names[i + 1]) for i in range(n - 1)],
        "star": [(n, i) for i in range(n)],
        "tree": [(names[i], names[i // 2]) for i in range(1, n)],
    }[shape]
    found = _components(edges)
    assert len(found) >= n
    assert set(found.values()) == {0}


@given(
    days=st.lists(st.integers(0, 9), min_size=len(LINKS), max_size=len(LINKS)),
    known=st.integers(0, 10),
)
@settings(max_examples=15, deadline=None)
def test_accounts_once_joined_by_trusted_links_stay_joined(days: list[int], known: int) -> None:
    """Without shared ids, more links only ever join more."""
    before = Resolved([link for link, day in zip(LINKS, days, strict=True) if day < known]).persons
    after = Resolved(LINKS).persons
    for one in before:
        for other in before:
            if before[one] == before[other]:
                assert after[one] == after[other]
