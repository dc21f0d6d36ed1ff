import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cxlab.cycle import place
from cxlab.cycle.place import check_writable, hash_tree, lock, staging, sweep
from cxlab.errors import RunError

PAGES = [f"page{i}.html" for i in range(5)]


def publish(target: Path, text: str) -> None:
    with staging(target) as folder:
        for name in ["index.html", *PAGES]:
            (folder / name).write_text(text)


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_a_new_report_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    publish(tmp_path / "2018Q1", "first")
    publish(tmp_path / "2018Q1", "second")
    assert (tmp_path / "2018Q1" / "index.html").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["2018Q1"]


def test_files_that_the_new_report_does_not_have_are_gone(tmp_path):
    publish(tmp_path / "r", "old")
    with staging(tmp_path / "r") as folder:
        (folder / "index.html").write_text("new")
    assert list(hash_tree(tmp_path / "r")) == ["index.html"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_report_as_it_was(tmp_path, fault):
    publish(tmp_path / "r", "old")
    before = hash_tree(tmp_path / "r")
    with pytest.raises(fault), staging(tmp_path / "r") as folder:
        (folder / "index.html").write_text("new")
        raise fault
    assert hash_tree(tmp_path / "r") == before
    assert hidden(tmp_path) == []


def test_a_reader_sees_the_old_or_the_new_report_and_never_a_mix(tmp_path):
    target = tmp_path / "r"
    publish(target, "0")
    over, mixes, reads = threading.Event(), [], 0

    def read() -> None:
        nonlocal reads
        while not over.is_set():
            # A reader who holds the folder keeps it; by name each file could be of
            # the next cycle, which is true of any folder that is ever replaced.
            handle = os.open(target, os.O_RDONLY)
            try:
                texts = set()
                for name in ["index.html", *PAGES]:
                    file = os.open(name, os.O_RDONLY, dir_fd=handle)
                    texts.add(os.read(file, 100))
                    os.close(file)
                if len(texts) != 1:
                    mixes.append(texts)
            except FileNotFoundError:
                pass  # the folder we hold is being removed: it was read too late, not mixed
            finally:
                os.close(handle)
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        published = 0
        while reads < 3000 or published < 20:
            published += 1
            publish(target, str(published))
    finally:
        over.set()
        reader.join()
    assert mixes == []


def test_the_target_is_there_at_every_moment(tmp_path):
    target = tmp_path / "r"
    publish(target, "0")
    over, missing, looks = threading.Event(), [], 0

    def look() -> None:
        nonlocal looks
        while not over.is_set():
            try:
                (target / "index.html").read_text()
            except FileNotFoundError as gone:
                # The name may lead into the old folder just before it is removed;
                # asking again must find the new one.
                if not target.is_dir():
                    missing.append(gone)
            looks += 1

    reader = threading.Thread(target=look)
    reader.start()
    try:
        published = 0
        while looks < 3000 or published < 20:
            published += 1
            publish(target, str(published))
    finally:
        over.set()
        reader.join()
    assert missing == []


def test_where_no_exchange_is_possible_two_renames_do(tmp_path, monkeypatch):
    monkeypatch.setattr(place, "_exchange", lambda *_: False)
    publish(tmp_path / "r", "old")
    publish(tmp_path / "r", "new")
    assert (tmp_path / "r" / "index.html").read_text() == "new"
    assert hidden(tmp_path) == []


def test_a_report_lost_between_two_renames_is_put_back(tmp_path):
    publish(tmp_path / "r", "good")
    (tmp_path / "r").rename(tmp_path / ".r.staging-1-ab-old")
    sweep(tmp_path)
    assert (tmp_path / "r" / "index.html").read_text() == "good"


def test_a_link_is_kept_and_its_end_exchanged(tmp_path):
    (tmp_path / "share").mkdir()
    publish(tmp_path / "share" / "r", "old")
    (tmp_path / "r").symlink_to(tmp_path / "share" / "r")
    publish(tmp_path / "r", "new")
    assert (tmp_path / "r").is_symlink()
    assert (tmp_path / "share" / "r" / "index.html").read_text() == "new"


HOLD = """
import os, sys, time
from pathlib import Path
from cxlab.cycle.place import lock, staging
folder = Path(sys.argv[1])
with lock(folder / "r.lock", who="cxlab run"), staging(folder / "r") as new:
    (new / "index.html").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock and has half a report."""
    publish(tmp_path / "r", "good")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_killed_run_leaves_the_report_and_its_rest_is_swept(tmp_path, holder):
    assert sweep(tmp_path) == []  # it lives: nothing of it is touched
    assert len([name for name in hidden(tmp_path) if "staging" in name]) == 1
    holder.kill()
    holder.wait()
    assert (tmp_path / "r" / "index.html").read_text() == "good"
    assert len(sweep(tmp_path)) == 1
    assert hidden(tmp_path) == []


def test_a_second_run_is_refused_at_once_and_told_who_holds(tmp_path, holder):
    started = time.monotonic()
    with (
        pytest.raises(RunError, match=rf"process {holder.pid} \(cxlab run\) since 20\d\d-"),
        lock(tmp_path / "r.lock", who="me"),
    ):
        pass
    assert time.monotonic() - started < 5  # seconds; it must not wait for the holder's 60
    holder.kill()
    holder.wait()
    with lock(tmp_path / "r.lock", who="me"):
        assert "me" in (tmp_path / "r.lock").read_text()


def test_a_lock_is_free_after_its_block(tmp_path):
    for who in ("a longer name", "b"):
        with lock(tmp_path / "x.lock", who=who):
            pass
    assert '"b"' in (tmp_path / "x.lock").read_text()


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_folder_that_is_none_is_refused(tmp_path, kind):
    folder = tmp_path / "reports"
    if kind == "file":
        folder.write_text("")
    with pytest.raises(RunError, match=r"does not exist|is a file"):
        check_writable(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RunError, match="must be writable"):
            check_writable(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_file_system_is_refused():
    folder = Path("/sys/kernel")
    if not folder.is_dir():
        pytest.skip("no /sys here")
    with pytest.raises(RunError, match=r"/sys/kernel must be writable, but is not"):
        check_writable(folder)


def test_a_target_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "r").write_text("mine")
    with pytest.raises(RunError, match="is a file"), staging(tmp_path / "r"):
        pass
    assert (tmp_path / "r").read_text() == "mine"


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 256 kB, where the system lets us have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_an_error_and_the_old_report_stays(tiny_disk):
    publish(tiny_disk / "r", "old")
    before = hash_tree(tiny_disk / "r")
    with pytest.raises(RunError, match="is full"), staging(tiny_disk / "r") as folder:
        (folder / "index.html").write_bytes(b"x" * 1_000_000)
    assert hash_tree(tiny_disk / "r") == before
    assert hidden(tiny_disk) == []
    (tiny_disk / "filler").write_bytes(b"x" * 4096 * 32)
    with pytest.raises(OSError, match="No space"):
        (tiny_disk / "more").write_bytes(b"x" * 4096 * 64)
    with pytest.raises(RunError, match="is full"):
        check_writable(tiny_disk)


@pytest.mark.parametrize(
    "fault",
    [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("IO: No space left on device")],
)
def test_a_full_disk_at_the_last_moment_is_an_error_too(tmp_path, monkeypatch, fault):
    publish(tmp_path / "r", "old")
    before = hash_tree(tmp_path / "r")

    def full(_: Path) -> None:
        raise fault

    monkeypatch.setattr(place, "_to_disk", full)
    with pytest.raises(RunError, match="is full"):
        publish(tmp_path / "r", "new")
    assert hash_tree(tmp_path / "r") == before
    assert hidden(tmp_path) == []


def test_hashes_change_with_one_byte_and_name_each_file(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"")
    (tmp_path / "b").write_bytes(b"1")
    # SHA-256 of nothing, FIPS 180-4 test vector
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    before = hash_tree(tmp_path)
    assert before["a/x"] == empty
    (tmp_path / "b").write_bytes(b"2")
    after = hash_tree(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"b"}


def test_a_link_inside_a_report_is_refused(tmp_path):
    (tmp_path / "out").symlink_to("/etc/hostname")
    with pytest.raises(RunError, match="plain files only"):
        hash_tree(tmp_path)
