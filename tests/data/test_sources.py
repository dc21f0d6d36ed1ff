"""A mapping reads below the raw folder and nothing else; it never writes."""

import pytest

from cxlab.data.sources import connect, find_files, read_mappings
from cxlab.errors import CxlabError, DataError, SettingsError
from tests.studies import CUSTOMERS, snapshot, state, used, write_raw, write_study

READ = "read_csv('{raw}/customers.csv')"
ALL = f"select * from {READ}"
CSV = "customer_id\nada\nbob\n"


def study_of(tmp_path, sql: str, **tables: str):
    (tmp_path / "secret.csv").write_text("customer_id\nsecret\n")
    sql = sql.replace("OUT", str(tmp_path))
    return write_study(
        tmp_path, tables={"customers": sql, **tables}, raw={"customers.csv": CSV, "x.csv": CSV}
    )


REACHING_OUT = {
    "an absolute path": "select * from read_csv('OUT/secret.csv')",
    "a path upwards": "select * from read_csv('{raw}/../secret.csv')",
    "a path upwards inside": "select * from read_csv('{raw}/x/../../secret.csv')",
    "an empty part of a path": "select * from read_csv('{raw}//etc/passwd')",
    "the folder itself": "select * from read_csv('{raw}/')",
    "one of several": "select * from read_csv(['{raw}/customers.csv', 'OUT/secret.csv'])",
    "a path put together": "select * from read_csv('{raw}/' || 'customers.csv')",
    "the web": "select * from read_csv('https://example.org/a.csv')",
    "a file as a table": "select * from 'OUT/secret.csv'",
    "a file as a quoted table": 'select * from "OUT/secret.csv"',
    "a raw file as a table": "select * from '{raw}/customers.csv'",
    "read_text": "select content as customer_id from read_text('{raw}/customers.csv')",
    "read_text quoted": "select * from \"read_text\"('OUT/secret.csv')",
    "read_text of a schema": "select * from main.read_text('OUT/secret.csv')",
    "read_text in a subquery": "select (select content from read_text('OUT/secret.csv')) as x",
    "read_text behind a comma": f"select * from {READ}, read_text('OUT/secret.csv')",
    "read_blob": "select * from read_blob('{raw}/customers.csv')",
    "parquet_scan": "select * from parquet_scan('OUT/x.parquet')",
    "sniff_csv": "select * from sniff_csv('OUT/secret.csv')",
    "glob": "select file as customer_id from glob('OUT/*')",
    "a lateral read": f"select * from {READ} as c cross join lateral {READ} as d",
    "the environment": f"select getenv('HOME') as customer_id from {READ}",
    "the environment of a schema": f"select system.main.getenv('HOME') as customer_id from {READ}",
    "the environment as a method": f"select 'HOME'.getenv() as customer_id from {READ}",
    "settings": "select current_setting('temp_directory') as customer_id",
    "the list of settings": "select name as customer_id from duckdb_settings()",
    "text that is run": "select * from query('select 1 as customer_id')",
    "JSON that is run": "select * from json_execute_serialized_sql('{}')",
    "the catalog": "select table_name as customer_id from information_schema.tables",
    "a summary of a file": "select * from (summarize from read_csv('OUT/secret.csv'))",
    "a table of ours": "select * from orders",
    "raw in the middle": "select * from read_csv('{raw}/customers.csv', nullstr = 'a{raw}')",
}


@pytest.mark.parametrize("how", REACHING_OUT)
def test_a_mapping_that_reaches_beyond_its_sources_is_refused(tmp_path, how):
    study = study_of(tmp_path, REACHING_OUT[how])
    with pytest.raises(SettingsError, match=r"tables/customers\.sql"):
        snapshot(study)
    assert state(study) == []


WRITING = {
    "nothing": "",
    "no SQL": "selec * fro m",
    "two statements": f"{ALL}; {ALL}",
    "copy to": f"copy ({ALL}) to 'OUT/stolen.csv'",
    "attach": "attach 'OUT/x.db'",
    "install": "install httpfs",
    "load": "load httpfs",
    "pragma": "pragma database_list",
    "set": "set threads = 1",
    "call": "call duckdb_settings()",
    "create": "create table x as select 1",
    "insert": "insert into x select 1",
    "insert in a WITH": "with a as (insert into x select 1) select * from a",
    "update": "update x set y = 1",
    "delete": "delete from x",
    "drop": "drop table x",
    "select into": f"select * into x from {READ}",
    "export": "export database 'OUT/x'",
    "describe": f"describe {ALL}",
}


@pytest.mark.parametrize("how", WRITING)
@pytest.mark.filterwarnings("ignore")  # sqlglot warns of statements it does not know
def test_a_mapping_that_is_not_one_select_is_refused(tmp_path, how):
    study = study_of(tmp_path, WRITING[how])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SettingsError, match=r"tables/customers\.sql must (be|only)"):
        snapshot(study)
    assert sorted(tmp_path.rglob("*")) == before


GOOD = {
    "plain": ALL,
    "a comment at its end": f"{ALL} -- all of them",
    "a semicolon": f"{ALL};",
    "a semicolon and a comment": f"{ALL}; -- done",
    "a comment with a semicolon": f"-- first; second\n{ALL}",
    "from first": f"from {READ}",
    "capitals": "SELECT * FROM READ_CSV('{raw}/customers.csv')",
    "a list of files": "select * from read_csv(['{raw}/customers.csv'])",
    "a pattern": "select * from read_csv('{raw}/c*.csv')",
    "values": "select * from (values ('ada'), ('bob')) as v(customer_id)",
    "a WITH": f"with c as ({ALL}) select * from c",
    "a WITH named as a helper": f"with _c as ({ALL}) select * from _c",
}


@pytest.mark.parametrize("how", GOOD)
def test_a_mapping_may_be_written_in_many_ways(tmp_path, how):
    found = used(snapshot(study_of(tmp_path, GOOD[how])), "customers")
    assert sorted(found["customer_id"]) == ["ada", "bob"]


@pytest.mark.parametrize("pattern", ["link.csv", "l*.csv", "folder/secret.csv", "*/secret.csv"])
def test_a_link_that_leads_outside_is_refused(tmp_path, pattern):
    study = study_of(tmp_path, f"select * from read_csv('{{raw}}/{pattern}')")
    (tmp_path / "raw" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("customer_id\nsecret\n")
    (tmp_path / "raw" / "folder").symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match=r"but '.*' leads outside of it. Copy the file there"):
        snapshot(study)


@pytest.mark.parametrize("pattern", ["**/*.csv", "**/secret.csv"])
def test_a_deep_pattern_reads_nothing_behind_a_link(tmp_path, pattern):
    study = study_of(tmp_path, f"select * from read_csv('{{raw}}/{pattern}')")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("customer_id\nsecret\n")
    (tmp_path / "raw" / "folder").symlink_to(tmp_path / "outside")
    try:
        taken = snapshot(study)
    except CxlabError:
        return
    assert "secret" not in set(used(taken, "customers")["customer_id"])


def test_a_link_inside_the_raw_folder_is_fine(tmp_path):
    study = study_of(tmp_path, "select * from read_csv('{raw}/link.csv')")
    (tmp_path / "raw" / "link.csv").symlink_to(tmp_path / "raw" / "customers.csv")
    assert len(used(snapshot(study), "customers")) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('OUT/secret.csv')",
        "select * from read_text('OUT/secret.csv')",
        "copy (select 1) to 'OUT/stolen.csv'",
        "attach 'OUT/x.db'",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "reset lock_configuration",
    ],
)
def test_the_second_fence_holds_where_the_first_is_jumped(tmp_path, sql):
    import duckdb

    (tmp_path / "secret.csv").write_text(CSV)
    for name in ("raw", "spill"):
        (tmp_path / name).mkdir()
    connection = connect(
        tmp_path / "raw", tmp_path / "spill", memory="1GB", threads=1, time_zone="UTC"
    )
    with connection, pytest.raises(duckdb.Error):
        connection.execute(sql.replace("OUT", str(tmp_path)))
    assert not (tmp_path / "stolen.csv").exists()


def test_a_file_must_be_named_for_a_table(tmp_path):
    study = study_of(tmp_path, ALL, ordrs=ALL)
    with pytest.raises(SettingsError, match=r"tables/ordrs.sql must .* Did you mean 'orders'\?"):
        read_mappings(study)


def test_customers_are_required(tmp_path):
    study = write_study(tmp_path, tables={"orders": CUSTOMERS})
    with pytest.raises(SettingsError, match=r"must hold customers\.sql"):
        read_mappings(study)


def test_a_study_without_tables_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="tables must hold one SQL file per table"):
        read_mappings(write_study(tmp_path))


def test_helpers_come_before_what_names_them(tmp_path):
    study = study_of(tmp_path, "select * from _b", _b="select * from _z", _z=ALL)
    assert list(read_mappings(study)) == ["_z", "_b", "customers"]
    assert len(used(snapshot(study), "customers")) == 2


def test_helpers_in_a_circle_are_refused(tmp_path):
    study = study_of(tmp_path, "select * from _a", _a="select * from _b", _b="select * from _a")
    with pytest.raises(SettingsError, match=r"in a circle: \['_a', '_b'\]"):
        read_mappings(study)


def test_a_mapping_that_is_no_text_is_refused(tmp_path):
    study = study_of(tmp_path, ALL)
    (study / "tables" / "customers.sql").write_bytes(b"\xff\xfe\x00select")
    with pytest.raises(SettingsError):
        read_mappings(study)


def test_each_file_is_listed_once_with_the_tables_made_from_it(tmp_path):
    write_raw(tmp_path, "a/one.csv", CSV)
    study = study_of(tmp_path, "select * from read_csv('{raw}/*/*.csv') union all " + ALL)
    mapping = read_mappings(study)["customers"]
    found = [f.name for f in find_files(mapping, tmp_path / "raw")]
    assert found == ["one.csv", "customers.csv"]
