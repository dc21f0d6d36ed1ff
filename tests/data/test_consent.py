"""Only rows of customers who allow the purpose by the cutoff reach a notebook."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cxlab.data import allowed_rows
from cxlab.data.consent_record import over_everybody
from cxlab.data.engine import DuckEngine, query
from cxlab.data.lab import Lab, open_lab
from cxlab.data.model import contracts
from cxlab.data.settings import read_settings
from cxlab.data.whose import NOBODY, PERHAPS, people_of
from cxlab.errors import ParameterError, SettingsError, Withheld

from ..studies import YAML, write_study

# ada allows, bob never did, cyd took it back, dan was never asked, eve will only later.
TABLES = {
    "customers": """
        customer_id,first_seen_at,referred_by
        ada,2018-01-01,bob
        bob,2018-01-02,ada
        cyd,2018-01-03,
        dan,2018-01-04,
        eve,2018-01-05,
        """,
    "consents": """
        customer_id,purpose,valid_from,status,loaded_at
        ada,analytics,2018-01-01,denied,2018-01-01
        ada,analytics,2018-02-01,granted,2018-02-01
        ada,marketing,2018-02-01,withdrawn,2018-02-01
        bob,analytics,2018-01-02,granted,2018-01-02
        bob,analytics,2018-01-02,denied,2018-01-02
        cyd,analytics,2018-01-03,granted,2018-01-03
        cyd,analytics,2018-03-01,withdrawn,2018-03-01
        eve,analytics,2018-03-30,granted,2018-04-02
        """,
    "orders": """
        order_id,customer_id,placed_at,net_amount
        1,ada,2018-01-05 10:00,5
        2,bob,2018-03-30 10:00,7
        3,cyd,2018-03-30 10:00,8
        4,dan,2018-03-30 10:00,9
        """,
    "order_lines": """
        order_id,line_no,product_id,quantity,net_amount
        1,1,tea,1,5
        2,1,tea,1,7
        3,1,tea,1,8
        """,
    "interactions": """
        interaction_id,customer_id,anonymous_id,occurred_at,activity
        i1,ada,shared,2018-01-05 10:00,view
        i2,bob,bobs,2018-01-05 10:00,view
        i3,,bobs,2018-01-05 10:00,view
        i4,,unknown,2018-01-05 10:00,view
        """,
    "identities": """
        id_type,id_value,customer_id,linked_at
        cookie,bobs,bob,2018-01-05
        cookie,shared,bob,2018-01-05
        """,
    "comments": """
        comment_id,customer_id,order_id,written_at,text
        c1,,1,2018-01-05 10:00,good
        c2,,2,2018-03-30 10:00,bad
        c3,,,2018-03-30 10:00,who knows
        """,
    "opportunities": """
        opportunity_id,customer_id,created_at
        p1,ada,2018-01-05 10:00
        p2,somebody,2018-01-05 10:00
        """,
    "referrals": """
        referral_id,referrer_id,referred_id,referred_at
        r1,ada,bob,2018-01-05 10:00
        r2,cyd,ada,2018-01-05 10:00
        """,
    "subscriptions": """
        subscription_id,customer_id,started_at
        s1,ada,2018-01-05 10:00
        s2,cyd,2018-01-05 10:00
        """,
    "usage": """
        subscription_id,period_on,units
        s1,2018-02-01,5
        s2,2018-02-01,6
        """,
    "exposures": """
        initiative,unit_id,arm,assigned_at
        gift,ada,gift,2018-01-05 10:00
        gift,cyd,none,2018-01-05 10:00
        gift,a shop,none,2018-01-05 10:00
        """,
    "stock_events": """
        event_id,product_id,order_id,occurred_at,kind
        e1,tea,,2018-01-05 10:00,arrive
        e2,tea,1,2018-01-05 10:00,backorder
        e3,tea,2,2018-03-30 10:00,backorder
        """,
    "shifts": """
        team,interval_start_at,required_min,present_min
        desk,2018-01-05 10:00,60,50
        """,
}
SEEN = {
    "customers": ["ada"],
    "consents": ["ada", "ada", "ada"],
    "orders": ["1"],
    "order_lines": ["1"],
    "interactions": ["i1", "i4"],
    "identities": [],
    "comments": ["c1", "c3"],
    "opportunities": ["p1"],
    "referrals": ["r1"],
    "subscriptions": ["s1"],
    "usage": ["s1"],
    "exposures": ["gift", "gift"],
    "stock_events": ["e1", "e2"],
    "shifts": ["desk"],
}

Opened = Callable[..., Lab]


@pytest.fixture(params=["sought", "copied"])
def opened(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Opened:
    """Open the study, its rows sought at each use or laid down once, as those of long tables."""
    if request.param == "copied":
        monkeypatch.setattr(allowed_rows, "MANY", 0)

    def make(
        yaml: str = "",
        purpose: str | None = None,
        engine: Any = None,
        leave_out: tuple[str, ...] = (),
    ) -> Lab:
        tables = {name: text for name, text in TABLES.items() if name not in leave_out}
        sql = "select * from read_csv('{raw}/%s.csv', header = true, all_varchar = true)"
        study = write_study(
            tmp_path,
            yaml=YAML + yaml,
            tables={name: sql % name for name in tables},
            raw={f"{name}.csv": text for name, text in tables.items()},
        )
        return open_lab(study, cycle="2018Q1", purpose=purpose, engine=engine)

    return make


def keys(lab: Lab, name: str) -> list[str]:
    """Return the first key column of the rows that a lab shows."""
    frame = lab.frame(getattr(lab, name))
    return sorted(frame[contracts()[name].key[0]])


def test_every_table_holds_rows_of_those_who_allow_it_only(opened: Opened, engine: Any) -> None:
    lab = opened(engine=engine)
    # Spark is slow to start each question: one table of each kind is enough for it.
    names = SEEN if engine.dialect == "duckdb" else ("interactions", "referrals")
    assert {name: keys(lab, name) for name in names} == {name: SEEN[name] for name in names}


def test_all_rows_are_seen_where_no_consent_is_mapped(opened: Opened) -> None:
    lab = opened(leave_out=("consents",))
    assert keys(lab, "orders") == ["1", "2", "3", "4"]
    assert keys(lab, "interactions") == ["i1", "i2", "i3", "i4"]


def test_a_purpose_on_another_legal_ground_sees_all_rows(opened: Opened) -> None:
    lab = opened(purpose="service")
    assert lab.gate.ground == "contract"
    assert keys(lab, "orders") == ["1", "2", "3", "4"]


def test_each_purpose_has_its_own_consent(opened: Opened) -> None:
    with pytest.raises(Withheld, match="No customer allows marketing"):
        keys(opened(purpose="marketing"), "orders")


def test_the_study_may_say_that_silence_is_consent(opened: Opened) -> None:
    lab = opened("consent: {without_record: granted}\n")
    assert keys(lab, "customers") == ["ada", "dan", "eve"]
    assert keys(lab, "opportunities") == ["p1", "p2"]
    assert keys(lab, "exposures") == ["gift", "gift"]


def test_rows_that_name_nobody_go_where_the_study_says_so(opened: Opened) -> None:
    lab = opened("consent: {anonymous: {analytics: drop}}\n")
    assert keys(lab, "interactions") == ["i1"]
    assert keys(lab, "comments") == ["c1"]
    assert keys(lab, "shifts") == ["desk"]


def test_a_cookie_that_came_with_somebody_is_not_anonymous(opened: Opened) -> None:
    assert keys(opened(leave_out=("identities",)), "interactions") == ["i1", "i4"]


def test_somebody_elses_id_is_blank_in_a_row_that_stays(opened: Opened) -> None:
    lab = opened()
    assert lab.frame(lab.referrals)["referred_id"].isna().all()
    assert lab.frame(lab.customers)["referred_by"].isna().all()


def test_of_two_words_at_one_moment_the_one_that_does_not_allow_counts(opened: Opened) -> None:
    assert opened().gate.customers == {"denied": 1, "granted": 1, "no record": 2, "withdrawn": 1}


def test_rows_left_out_are_counted(opened: Opened) -> None:
    gate = opened().gate
    assert {name: gate.left_out(name) for name in ("customers", "orders", "usage", "shifts")} == {
        "customers": 4, "orders": 3, "usage": 1, "shifts": 0,
    }  # fmt: skip


def test_a_status_that_nobody_can_read_allows_nothing(tmp_path: Path) -> None:
    study = write_study(
        tmp_path,
        tables={
            "customers": "select 'ada' as customer_id, timestamp '2018-01-01' as first_seen_at",
            "consents": "select 'ada' as customer_id, 'analytics' as purpose, "
            "timestamp '2018-01-01' as valid_from, 'perhaps' as status",
        },
    )
    lab = open_lab(study, cycle="2018Q1")
    assert lab.gate.customers == {"unclear": 1}
    with pytest.raises(Withheld, match="nobody's rows"):
        _ = lab.customers


def test_a_table_of_unknown_people_stays_shut(opened: Opened) -> None:
    with pytest.raises(Withheld, match="whose the rows of 'order_lines' are"):
        _ = opened(leave_out=("orders", "stock_events")).order_lines


def test_it_is_known_of_each_table_whose_rows_it_holds() -> None:
    """A new table must name its people, or be listed as one about nobody."""
    columns = {name: [c.name for c in table.columns] for name, table in contracts().items()}
    nobody, shut = set(), set()
    for name in columns:
        try:
            if not any(people_of(name, columns)):
                nobody.add(name)
        except Withheld:
            shut.add(name)
    assert nobody == NOBODY | {table for table, _ in PERHAPS}
    assert shut <= {"links"}  # ids of people whom nobody has looked up


def test_the_files_of_a_snapshot_are_not_within_reach_of_a_lab(opened: Opened) -> None:
    lab = opened()
    assert not lab.snapshot.folder.exists()
    assert lab.snapshot.rows_used["orders"] == 4


def test_counts_over_everybody_are_asked_as_counts(opened: Opened) -> None:
    lab = opened()
    assert over_everybody(lab, "select count(*) as n from orders", "orders")["n"][0] == 4
    for sql in (
        "select order_id, count(*) as n from orders group by order_id order by order_id",
        "select net_amount from orders order by net_amount",
        "select customer_id as who, count(*) as n from orders group by customer_id order by who",
        "select 'x' || customer_id as who, count(*) as n from orders group by 1 order by who",
        "select sum(net_amount) as x from orders group by order_id order by x",
        "select max(customer_id) as who from orders",
        "select sum(net_amount) over (partition by channel) as x from orders order by x",
    ):
        with pytest.raises(ParameterError, match="counts and sums"):
            over_everybody(lab, sql, "orders")


def test_a_study_may_forbid_counts_over_everybody(opened: Opened) -> None:
    lab = opened("consent: {aggregates_without_consent: false}\n")
    with pytest.raises(Withheld, match="aggregates_without_consent"):
        over_everybody(lab, "select count(*) as n from orders", "orders")


def test_an_unknown_purpose_is_refused(opened: Opened) -> None:
    with pytest.raises(ParameterError, match="Did you mean 'analytics'"):
        opened(purpose="analytic")


def test_a_purpose_without_consent_must_name_its_ground(tmp_path: Path) -> None:
    study = write_study(tmp_path, yaml=YAML + "consent: {needs: {research: false}}\n")
    with pytest.raises(SettingsError, match=r"grounds\.research is missing"):
        read_settings(study)


def test_an_analysis_reads_what_the_gate_lets_through(opened: Opened) -> None:
    lab = opened(engine=DuckEngine())
    found = query("select sum(net_amount) as spent from orders", orders=lab.orders)
    assert found["spent"].tolist() == [5]
