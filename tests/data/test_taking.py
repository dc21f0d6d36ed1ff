"""A snapshot is sealed by a hash, found again, and never half there."""

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from cxlab.data import taking as module
from cxlab.data.snapshot import open_snapshot
from cxlab.data.taking import take_snapshot
from cxlab.errors import DataError
from tests.studies import (
    CUSTOMERS,
    CUSTOMERS_CSV,
    HEAD,
    ORDERS_CSV,
    YAML,
    opened,
    shop,
    snapshot,
    state,
    used,
    write_raw,
    write_study,
)


def test_line_breaks_quotes_a_byte_order_mark_and_gzip_are_read(tmp_path):
    text = 'comment_id,written_at,text\n1,2018-01-05,"he said ""no""\nand <b>left</b>, =1+1"\n'
    study = write_study(
        tmp_path,
        tables={
            "customers": "select 'ada' as customer_id",
            "comments": "select * from read_csv('{raw}/c.csv.gz', header = true)",
        },
    )
    write_raw(
        tmp_path, "c.csv.gz", gzip.compress(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    )
    said = used(snapshot(study), "comments")["text"][0]
    assert said.replace("\r\n", "\n") == 'he said "no"\nand <b>left</b>, =1+1'


def test_money_keeps_its_cents_and_ids_their_zeros(tmp_path):
    study = shop(
        tmp_path,
        customers='customer_id\n007\nÅsa "x"\n',
        orders=HEAD + "0010,007,2018-01-05,0.10\n0011,007,2018-01-05,0.20\n"
        '0012,"Åsa ""x""",2018-01-05,9999999999999999.99\n',
    )
    orders = used(snapshot(study), "orders").sort_values("order_id")
    assert [str(x) for x in orders["net_amount"]] == ["0.10", "0.20", "9999999999999999.99"]
    assert orders["customer_id"].tolist() == ["007", "007", 'Åsa "x"']


def test_a_raw_folder_may_be_named_with_blanks_and_quotes(tmp_path):
    name = "it's 2018"
    study = write_study(
        tmp_path, yaml=YAML.replace("../raw", f'"../{name}"'), tables={"customers": CUSTOMERS}
    )
    (tmp_path / name).mkdir()
    (tmp_path / name / "customers.csv").write_text("customer_id\nada\n")
    assert used(snapshot(study), "customers")["customer_id"].tolist() == ["ada"]


def test_the_second_time_nothing_is_read_again(tmp_path, monkeypatch):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    first = snapshot(study)
    monkeypatch.setattr(module, "_read_all", lambda *_: pytest.fail("read again"))
    assert snapshot(study).folder == first.folder


@pytest.mark.parametrize("restore", [False, True])
def test_a_change_of_the_same_size_is_noticed(tmp_path, restore):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    first = snapshot(study)
    file = tmp_path / "raw" / "orders.csv"
    before = file.stat()
    file.write_text(ORDERS_CSV.replace("5.50", "5.60"))
    if restore:  # a copy that keeps the time of the file
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = snapshot(study)
    assert second.hash != first.hash
    assert used(second, "orders")["net_amount"].astype(float).sum() == 12.6


def test_a_memory_of_files_that_cannot_be_read_is_made_anew(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    first = snapshot(study)
    for broken in ("", "[]", '{"x": 1}', '{"x": {}}'):
        (study / ".cxlab" / "files.json").write_text(broken)
        assert snapshot(study).hash == first.hash


def test_a_damaged_snapshot_is_taken_anew(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    first = snapshot(study)
    for damage in ("", "{}", "[]", '{"hash": "x"}'):
        (first.folder / "snapshot.json").write_text(damage)
        with pytest.raises(DataError, match="must hold a whole snapshot"):
            open_snapshot(first.folder)
        assert snapshot(study).hash == first.hash
    (first.folder / "orders.parquet").unlink()
    assert len(used(snapshot(study), "orders")) == 2
    # A file that is whole in itself, but is not the one that was sealed.
    file = snapshot(study).folder / "orders.parquet"
    pd.read_parquet(file).head(1).to_parquet(file)
    assert len(used(snapshot(study), "orders")) == 2


def test_a_source_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    read = module._read_all

    def meanwhile(*given):
        record = read(*given)
        write_raw(tmp_path, "orders.csv", ORDERS_CSV + "3,ada,2018-01-05,1\n")
        return record

    monkeypatch.setattr(module, "_read_all", meanwhile)
    with pytest.raises(DataError, match="must stay as they are while they are read"):
        snapshot(study)
    assert state(study) == []


def test_drafts_of_killed_runs_are_swept_after_a_day_and_not_before(tmp_path):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    snapshots = study / ".cxlab" / "snapshots"
    for name in (".old", ".new"):
        (snapshots / name).mkdir(parents=True)
    os.utime(snapshots / ".old", (time.time() - 90_000,) * 2)
    snapshot(study)
    assert [n for n in state(study) if n.startswith(".")] == [".new"]


KILLED = """
import os, sys, signal
from pathlib import Path
from cxlab.data import reading, taking
from tests.studies import snapshot as take
at = int(sys.argv[2])
write = reading.Reader._write
def kill(self, *given):
    write(self, *given)
    kill.count += 1
    if kill.count == at:
        os.kill(os.getpid(), signal.SIGKILL)
kill.count = 0
reading.Reader._write = kill
if at == 0:
    taking._move = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
take(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("at", [0, 1, 2, 3])  # before it is put in place; after each written file
def test_a_killed_reader_leaves_no_half_snapshot(tmp_path, at):
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", KILLED, str(study), str(at)]
    done = subprocess.run(command, cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [n for n in state(study) if not n.startswith(".")] == []
    other = shop(tmp_path / "b", customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    assert snapshot(study).hash == snapshot(other).hash


def test_the_state_can_be_moved_out_of_the_study(tmp_path, monkeypatch):
    monkeypatch.setenv("CXLAB_STATE", str(tmp_path / "elsewhere"))
    study = shop(tmp_path, customers=CUSTOMERS_CSV, orders=ORDERS_CSV)
    settings_, cycle = opened(study)
    folder = take_snapshot(study, settings_, cycle).folder
    assert folder.is_relative_to(tmp_path / "elsewhere")
    assert not (study / ".cxlab").exists()
