"""From links to rows: one person in all tables, as known then; pseudonyms; and erasure."""

import hashlib
import hmac
import json
from pathlib import Path

import pandas as pd
import pytest

from cxlab.data.snapshot import Snapshot
from cxlab.errors import DataError, SettingsError
from tests.studies import aside, rows, snapshot, used, write_raw, write_study

KEY = "a key of at least sixteen"
YAML = "title: T\nraw: ../raw\nquality: {set_aside_max: 1}\n"
HASHED = YAML + "privacy: {pseudonyms: true, key: 'env:CXLAB_TEST_KEY'}\n"
RAW = {
    "links.csv": """
        left_type,left_value,right_type,right_value,linked_at,loaded_at,reason
        crm,1,email_hash,e1,2018-01-02,,registration
        login,ann,email_hash,e1,2018-01-03,,
        cookie,c1,login,ann,2018-01-04,,
        crm,2,email_hash,e2,2018-01-02,,registration
        crm,3,email_hash,e2,2018-05-02,,
        crm,4,phone_hash,p,2018-01-02,,
        crm,2,phone_hash,p,2018-01-02,,
        loyalty,7,crm,4,2018-01-02,2018-06-01,
    """,
    "customers.csv": """
        customer_id,first_seen_at,region,birth_year,referred_by
        crm:1,2017-05-01,North,1990,
        login:ann,2018-01-03,,1991,crm:2
        crm:2,2017-01-01,South,,
        crm:3,2017-02-01,East,1970,crm:1
        crm:4,2017-03-01,West,1980,
        loyalty:7,2017-04-01,,1980,
    """,
    "orders.csv": """
        order_id,customer_id,placed_at,net_amount
        o1,login:ann,2018-01-05,10
        o2,crm:1,2018-01-06,20
        o3,crm:3,2018-01-07,30
        o4,nobody,2018-01-08,40
        o5,crm:4,broken,50
    """,
    "interactions.csv": """
        interaction_id,customer_id,anonymous_id,occurred_at,activity
        i1,,cookie:c1,2018-01-05,look
        i2,crm:2,,2018-01-06,look
        i3,,cookie:stranger,2018-01-07,look
    """,
    "lines.csv": """
        order_id,line_no,product_id,quantity,net_amount
        o1,1,p1,1,10
        o2,1,p1,many,20
        o3,1,p1,1,30
    """,
    "exposures.csv": """
        initiative,unit_id,arm,assigned_at
        gift,login:ann,control,2018-01-09
        gift,crm:1,gift,2018-01-08
        gift,crm:2,gift,2018-01-08
    """,
}
FILES = {"order_lines": "lines"}
TABLES = {
    name: f"select * from read_csv('{{raw}}/{FILES.get(name, name)}.csv', header = true, "
    "all_varchar = true)"
    for name in ("links", "customers", "orders", "order_lines", "interactions", "exposures")
}
REQUESTS = "customer_id,requested_at\n"
ERASURES = {
    "erasures": "select * from read_csv('{raw}/erasures.csv', header = true, all_varchar = true)"
}


def study(base: Path, *, yaml: str = YAML, erase: str = "", without: str = "", **raw: str) -> Path:
    tables = {n: sql for n, sql in TABLES.items() if n != without}
    given = RAW | {f"{name}.csv": text for name, text in raw.items()}
    if erase:
        given["erasures.csv"] = REQUESTS + "\n".join(f"{who},2018-09-01" for who in erase.split())
    return write_study(base, yaml=yaml, tables=tables | (ERASURES if erase else {}), raw=given)


def buyers(taken: Snapshot) -> dict[str, str]:
    found = used(taken, "orders")
    return dict(zip(found["order_id"], found["customer_id"], strict=True))


def test_every_table_names_a_person_by_one_id(tmp_path: Path) -> None:
    taken = snapshot(study(tmp_path))
    assert buyers(taken) == {"o1": "crm:1", "o2": "crm:1", "o3": "crm:3"}
    seen = used(taken, "interactions").set_index("interaction_id")["customer_id"]
    assert seen.dropna().to_dict() == {"i1": "crm:1", "i2": "crm:2"}
    people = used(taken, "customers").set_index("customer_id")
    assert people.loc["crm:1", "referred_by"] == "crm:2"
    assert people["household_id"].dropna().to_dict() == {
        "crm:2": "household:crm:2",
        "crm:4": "household:crm:2",
    }


def test_accounts_of_a_person_become_one_row_with_what_the_newest_says(tmp_path: Path) -> None:
    taken = snapshot(study(tmp_path))
    ann = used(taken, "customers").set_index("customer_id").loc["crm:1"]
    assert ann["first_seen_at"] == pd.Timestamp("2017-05-01")
    assert ann["birth_year"] == 1991
    assert ann["region"] == "North"  # the newest account says nothing
    # loyalty:7 and crm:4 are two persons still: their link was loaded in June.
    assert rows(taken, "customers") == {"in": 6, "used": 5, "set_aside": 0, "excluded": 1}
    assert taken.reasons.query("table == 'customers'")["reason"].tolist() == [
        "another account of the same person"
    ]


def test_blanks_around_an_id_say_nothing_and_blanks_alone_are_missing(tmp_path: Path) -> None:
    links = RAW["links.csv"].replace("crm,2,phone_hash,p,", "crm, 2 ,phone_hash,p\u00a0,")
    blank = "login,  ,loyalty,7,2018-01-02,,\n        login,\u00a0,crm,2,2018-01-02,,\n"
    taken = snapshot(study(tmp_path, links=links.rstrip(" ") + f"        {blank}    "))
    people = used(taken, "customers").set_index("customer_id")
    assert people["household_id"].dropna().index.tolist() == ["crm:2", "crm:4"]
    assert aside(taken, "links")["reason"].tolist() == ["left_value must not be empty"] * 2


def test_of_two_accounts_in_an_experiment_the_first_assignment_stays(tmp_path: Path) -> None:
    taken = snapshot(study(tmp_path))
    arms = used(taken, "exposures").set_index("unit_id")["arm"].to_dict()
    assert arms == {"crm:1": "gift", "crm:2": "gift"}
    assert rows(taken, "exposures")["excluded"] == 1


def test_a_cycle_gives_the_answer_of_its_day(tmp_path: Path) -> None:
    made = study(tmp_path)
    later = snapshot(made, "2018Q2")
    assert buyers(later)["o3"] == "crm:2"  # linked in May
    people = used(later, "customers")["customer_id"].tolist()
    assert sorted(people) == ["crm:1", "crm:2", "crm:4"]  # loyalty:7 was loaded in June
    known = [line for line in RAW["links.csv"].splitlines() if "2018-05" not in line]
    old = write_raw(tmp_path, "links.csv", "\n".join(ln for ln in known if "-06-" not in ln))
    assert old.exists()
    then = snapshot(made, "2018Q1")
    now = snapshot(study(tmp_path / "again"), "2018Q1")
    assert then.hash == now.hash


def test_neither_the_order_of_rows_nor_a_second_run_changes_the_snapshot(tmp_path: Path) -> None:
    turned = {}
    for name, text in RAW.items():
        head, *lines = text.strip().splitlines()
        turned[name.removesuffix(".csv")] = "\n".join(
            line.strip() for line in [head, *reversed(lines)]
        )
    taken, again = snapshot(study(tmp_path)), snapshot(study(tmp_path / "b", **turned))
    for name in taken.columns:
        assert rows(taken, name) == rows(again, name)
    assert taken.hash == again.hash


def test_identities_say_since_when_and_why_an_id_is_a_persons(tmp_path: Path) -> None:
    found = used(snapshot(study(tmp_path)), "identities")
    ann = found[found["customer_id"] == "crm:1"].set_index("id_type")
    assert ann.loc["crm", "reason"] == "names the person"
    assert ann.loc["login", "reason"] == "seen with: email_hash"
    assert ann.loc["cookie", "id_value"] == "c1"
    assert ann.loc["cookie", "linked_at"] == pd.Timestamp("2018-01-04")
    assert set(ann["rule"]) == {"1"}


def test_the_snapshot_tells_how_accounts_became_persons(tmp_path: Path) -> None:
    told = pd.DataFrame(snapshot(study(tmp_path), "2018Q2").records["identity"])
    count = told.set_index(["measure", "id_type"])["count"].to_dict()
    assert count["accounts", ""] == 6
    assert count["persons", ""] == 3
    assert (count["joined", "email_hash"], count["joined", "crm"]) == (2, 1)
    assert count["largest", ""] == 2
    assert told.loc[told["measure"] == "joined", "count"].sum() == 6 - 3


def test_a_link_that_joins_nobody_is_kept_with_its_reason(tmp_path: Path) -> None:
    found = used(snapshot(study(tmp_path)), "links")
    guarded = found[found["guard"].notna()]
    assert set(guarded["guard"]) == {"household: phone_hash of 2 people"}
    assert len(guarded) == 2


def test_rows_set_aside_keep_the_number_and_the_reason_of_their_source(tmp_path: Path) -> None:
    taken = snapshot(study(tmp_path))
    lost = aside(taken, "orders").set_index("row")
    assert lost.loc[4, "reason"] == "customer_id names no row of customers"
    assert json.loads(lost.loc[5, "record"])["customer_id"] == "crm:4"
    for name in taken.columns:
        told = rows(taken, name)
        assert told["in"] == told["used"] + told["set_aside"] + told["excluded"]


def test_a_child_of_an_account_set_aside_stays_with_the_person(tmp_path: Path) -> None:
    broken = RAW["customers.csv"].replace("login:ann,2018-01-03", "login:ann,broken")
    taken = snapshot(study(tmp_path, customers=broken))
    assert buyers(taken)["o1"] == "crm:1"


def test_links_and_identities_at_once_are_refused(tmp_path: Path) -> None:
    made = study(tmp_path)
    (made / "tables" / "identities.sql").write_text(TABLES["links"])
    with pytest.raises(SettingsError, match="links or identities, but has"):
        snapshot(made)


def test_pseudonyms_are_the_same_in_all_tables_and_name_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXLAB_TEST_KEY", KEY)
    taken = snapshot(study(tmp_path, yaml=HASHED))
    ann = hmac.new(KEY.encode(), b"crm:1", hashlib.sha256).hexdigest()[:32]
    assert buyers(taken)["o1"] == ann
    assert ann in used(taken, "customers")["customer_id"].tolist()
    assert used(taken, "interactions").set_index("interaction_id").loc["i1", "customer_id"] == ann
    cookie = used(taken, "interactions").set_index("interaction_id").loc["i1", "anonymous_id"]
    known = used(taken, "identities").set_index("id_value")
    assert known.loc[cookie, "customer_id"] == ann
    for file in taken.folder.iterdir():
        content = pd.read_parquet(file).to_csv() if file.suffix == ".parquet" else file.read_text()
        for id_ in ("crm:1", "crm:4", "login:ann", "cookie:c1", "nobody", KEY):
            assert id_ not in content, (file.name, id_)


@pytest.mark.parametrize("without", ["", "links"])
def test_another_key_gives_other_ids_and_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    made = study(tmp_path, yaml=HASHED, without=without)
    seen = []
    for key in (KEY, KEY + "!"):
        monkeypatch.setenv("CXLAB_TEST_KEY", key)
        taken = snapshot(made)
        seen.append((taken, set(used(taken, "orders")["customer_id"])))
    (one, ids), (other, others) = seen
    assert not ids & others
    assert one.records["tables"] == other.records["tables"]
    plain = used(snapshot(study(tmp_path / "b", without=without)), "customers")
    for taken, _ in seen:
        rest = [c for c in plain if c not in ("customer_id", "referred_by", "household_id")]
        again = used(taken, "customers")[rest].sort_values(rest)
        expected = plain[rest].sort_values(rest)
        pd.testing.assert_frame_equal(again.reset_index(drop=True), expected.reset_index(drop=True))


@pytest.mark.parametrize(
    ("key", "says"), [(None, "it is not set"), ("short", "it has 5"), ("", "it is not set")]
)
def test_a_missing_or_short_key_is_refused_and_never_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, says: str
) -> None:
    if key is None:
        monkeypatch.delenv("CXLAB_TEST_KEY", raising=False)
    else:
        monkeypatch.setenv("CXLAB_TEST_KEY", key)
    with pytest.raises(SettingsError, match=says) as refused:
        snapshot(study(tmp_path, yaml=HASHED))
    assert "short" not in str(refused.value)


@pytest.mark.parametrize("given", ["my secret key of text", "[my secret, key of text]"])
def test_a_key_in_the_settings_is_refused_and_not_repeated(tmp_path: Path, given: str) -> None:
    yaml = YAML + f"privacy: {{pseudonyms: true, key: {given}}}\n"
    with pytest.raises(SettingsError, match="privacy") as refused:
        snapshot(study(tmp_path, yaml=yaml))
    assert "secret" not in str(refused.value)


def test_all_rows_of_an_erased_person_leave_all_tables_in_every_cycle(tmp_path: Path) -> None:
    for cycle in ("2018Q1", "2018Q2"):  # asked in September
        taken = snapshot(study(tmp_path, erase="login:ann"), cycle)
        for file in taken.folder.iterdir():
            content = (
                pd.read_parquet(file).to_csv() if file.suffix == ".parquet" else file.read_text()
            )
            for trace in ("crm:1", "login:ann", "cookie:c1", ",ann,", "o1,", "o2"):
                assert trace not in content, (file.name, trace)
        assert "erased on request" in set(taken.reasons["reason"])
        for name in taken.columns:
            told = rows(taken, name)
            assert told["in"] == told["used"] + told["set_aside"] + told["excluded"]
    told = taken.reasons.query("reason == 'erased on request'").set_index("table")["rows"]
    # Two accounts, two orders, two lines (one of them broken), a look, three links.
    assert told.to_dict() == {
        "links": 3, "customers": 2, "orders": 2, "order_lines": 2, "interactions": 1,
        "exposures": 2,
    }  # fmt: skip


def test_accounts_that_were_linked_later_are_erased_in_old_cycles_too(tmp_path: Path) -> None:
    taken = snapshot(study(tmp_path, erase="crm:2"))  # crm:3 was linked to it in May
    assert sorted(used(taken, "customers")["customer_id"]) == ["crm:1", "crm:4", "loyalty:7"]
    assert "o3" not in buyers(taken)


def test_whoever_was_recommended_by_an_erased_person_stays(tmp_path: Path) -> None:
    taken = snapshot(study(tmp_path, erase="crm:1"))
    other = used(taken, "customers").set_index("customer_id").loc["crm:3"]
    assert pd.isna(other["referred_by"])


def test_erasure_needs_no_links(tmp_path: Path) -> None:
    taken = snapshot(study(tmp_path, erase="crm:1 crm:1", without="links"))
    assert buyers(taken) == {"o1": "login:ann", "o3": "crm:3"}


def test_a_request_that_does_not_read_stops_the_run(tmp_path: Path) -> None:
    made = study(tmp_path, erase="crm:1")
    write_raw(tmp_path, "erasures.csv", REQUESTS + "crm:2,some day\n")
    with pytest.raises(DataError, match="Every request to be erased must be readable, but 1 of"):
        snapshot(made)
