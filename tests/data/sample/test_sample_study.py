"""The made-up company as a study: the same files for the same seed, whole or nothing."""

import hashlib
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from cxlab.cli import app
from cxlab.data.sample import write
from cxlab.data.sample.parts import exports, write_part
from cxlab.data.sample.study import new_sample, raw_once
from cxlab.data.sample.write import Options, write_company
from cxlab.data.sample_settings import SampleSettings
from cxlab.data.settings import read_settings
from cxlab.errors import ParameterError, RunError, SettingsError
from tests.studies import snapshot, write_study

TINY = Options(customers=40, variant="tiny")
EMBEDDED = Path(__file__).parents[3] / "params" / "sample"


def hashes(folder):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_files_do_not_depend_on_the_number_of_processes(tmp_path):
    options = Options(customers=50, part=30)
    for jobs in (1, 2):
        write_company(tmp_path / str(jobs), options, jobs=jobs)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2")


def test_what_a_process_prints_besides_does_not_come_between(tmp_path, monkeypatch):
    """DuckDB draws a bar where a query takes long, as on a busy machine."""
    noisy = (
        "import os; real = parts.write_part; "
        "parts.write_part = lambda *given: [os.write(1, b'\\r 1%'), real(*given)][1]; "
        "parts.main("
    )
    assert "parts.main(" in write._START
    monkeypatch.setattr(write, "_START", write._START.replace("parts.main(", noisy))
    made = write_company(tmp_path, Options(customers=40, part=20))
    assert made.rows["people"] == 40


# Far more than a pipe holds, said before each part is done.
_LOUD = (
    "import os; real = parts.write_part; "
    "parts.write_part = lambda *given: [os.write(2, b'one more warning\\n' * 20_000), {then}][1]; "
    "parts.main("
)


def test_a_process_that_says_much_on_its_other_channel_still_gets_done(tmp_path, monkeypatch):
    loud = write._START.replace("parts.main(", _LOUD.format(then="real(*given)"))
    monkeypatch.setattr(write, "_START", loud)
    assert write_company(tmp_path, Options(customers=40, part=20)).rows["people"] == 40


def test_of_a_process_that_dies_the_last_words_are_told(tmp_path, monkeypatch):
    dying = _LOUD.format(then="[][0]")
    monkeypatch.setattr(write, "_START", write._START.replace("parts.main(", dying))
    with pytest.raises(RunError, match="but it ended: IndexError: list index out of range"):
        write_company(tmp_path, Options(customers=40, part=20))


# With these seeds nothing happened to the only customer, the CRM does not know them, nobody
# bought, or each is of a segment.
@pytest.mark.parametrize(("customers", "seed"), [(1, 4), (1, 12), (1, 3), (2, 21), (2, 29)])
def test_the_last_part_of_a_company_may_hold_a_customer_or_two(tmp_path, customers, seed):
    written = write_part(tmp_path, Options(customers=customers, seed=seed), 0)
    assert written["rows"]["people"] == customers


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    one = hashes_of_part(tmp_path / "a", TINY)
    assert one == hashes_of_part(tmp_path / "b", TINY)
    other = hashes_of_part(tmp_path / "c", Options(customers=40, variant="tiny", seed=7))
    assert one["raw/crm/Accounts.csv"] != other["raw/crm/Accounts.csv"]


def hashes_of_part(folder, options):
    write_part(folder, options, 0)
    return hashes(folder)


def test_eighteen_systems_hand_over_their_files():
    systems = {Path(e.file).parts[0] for e in exports() if e.when != "helper"}
    assert len(systems) >= 17
    assert {"crm", "cdp", "web", "automation", "webshop", "tills", "marketplace", "helpdesk",
            "survey", "billing", "cpq", "sfa", "warehouse", "carrier", "hr", "finance",
            "loyalty", "reviews"} <= systems  # fmt: skip


def test_csv_and_parquet_give_the_same_snapshot(tmp_path):
    taken = []
    for form in ("parquet", "csv"):
        new_sample(tmp_path / form, Options(customers=40, variant="tiny", form=form))
        taken.append(snapshot(tmp_path / form, "2026Q3"))
    assert taken[0].hash == taken[1].hash


def test_hostile_text_and_files_are_read_as_text_or_not_at_all(tmp_path):
    new_sample(tmp_path / "study", Options(customers=200, variant="hostile"))
    out = tmp_path / "study" / "raw" / "crm" / "way out"
    assert out.is_symlink()
    taken = snapshot(tmp_path / "study", "2026Q3")
    assert taken.rows_used["comments"] > 0
    assert not any("way out" in source for source in taken.sources["source"])


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="needs a new or an empty folder"):
        new_sample(tmp_path, TINY)
    assert [f.name for f in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_stays_behind_when_it_cannot_be_finished(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cxlab.data.sample.study._copy_study", full)
    with pytest.raises(RunError, match="No space left"):
        new_sample(tmp_path / "study", TINY)
    assert list(tmp_path.iterdir()) == []


def test_raw_files_are_made_once_and_found_again(tmp_path):
    raw = raw_once(tmp_path, TINY)
    made = hashes(raw)
    stamp = (raw / "crm" / "Accounts.csv").stat().st_mtime_ns
    assert raw_once(tmp_path, TINY) == raw
    assert (raw / "crm" / "Accounts.csv").stat().st_mtime_ns == stamp
    assert hashes(raw) == made
    assert [f.name for f in tmp_path.iterdir()] == [raw.parent.name]


def test_raw_files_that_were_half_removed_are_made_anew(tmp_path):
    raw = raw_once(tmp_path, TINY)
    made = hashes(raw)
    raw.rename(tmp_path / "elsewhere")
    assert (raw.parent / "truth").is_dir()
    assert hashes(raw_once(tmp_path, TINY)) == made


def test_of_two_that_start_at_once_the_first_wins_and_both_find_its_files(tmp_path, monkeypatch):
    both_done = Barrier(2, timeout=60)
    drafts = []

    def made(draft, *_):
        (draft / "raw").mkdir()
        (draft / "raw" / "whose.txt").write_text(draft.name)
        drafts.append(draft.name)
        both_done.wait()

    monkeypatch.setattr("cxlab.data.sample.study._write", made)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: raw_once(tmp_path, TINY), range(2))
    assert one == other
    assert len(drafts) == 2
    assert (one / "whose.txt").read_text() in drafts
    assert [f.name for f in tmp_path.iterdir()] == [one.parent.name]


def test_a_state_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "state").write_text("a file, not a folder")
    with pytest.raises(RunError, match="state must be writable"):
        raw_once(tmp_path / "state", TINY)


def test_when_writing_fails_no_process_is_waited_for(tmp_path, monkeypatch):
    started = []

    def slow(*_):
        code = "import time; print('{}', flush=True); time.sleep(600)"
        command = [sys.executable, "-c", code]
        started.append(subprocess.Popen(command, text=True, stdout=subprocess.PIPE))
        return started[-1]

    monkeypatch.setattr("cxlab.data.sample.write._start", slow)
    begun = time.monotonic()
    with pytest.raises(KeyError):  # what the process said names no part
        write_company(tmp_path, Options(customers=2, part=1))
    assert time.monotonic() - begun < 60
    assert [process.poll() is not None for process in started] == [True, True]


@pytest.mark.parametrize(
    ("given", "size"), [({}, 20_000), ({"variant": "tiny"}, 40), ({"customers": 7}, 7)]
)
def test_the_setting_has_the_size_of_its_variant_where_it_names_none(
    tmp_path, monkeypatch, given, size
):
    asked = []
    monkeypatch.setattr(
        "cxlab.data.sample.study.raw_once", lambda state, options: asked.append(options) or state
    )
    SampleSettings(**given).raw_folder(tmp_path)
    assert asked == [Options(customers=size, variant=given.get("variant", "base"))]


@pytest.mark.parametrize(
    "yaml",
    ["title: A\n", "title: A\nraw: ../raw\nsample: {customers: 40}\n"],
    ids=["neither", "both"],
)
def test_a_study_has_raw_files_or_the_sample(tmp_path, yaml):
    with pytest.raises(SettingsError, match="either raw, the folder of its files, or sample"):
        read_settings(write_study(tmp_path, yaml=yaml))


def test_the_tiny_company_can_be_embedded_as_well_as_written_out(tmp_path):
    shutil.copytree(EMBEDDED, tmp_path / "study", ignore=shutil.ignore_patterns(".cxlab"))
    file = tmp_path / "study" / "study.yaml"
    tiny, times = re.subn("(?m)^sample: .*", "sample: {variant: tiny}", file.read_text())
    assert times == 1
    file.write_text(tiny)
    assert snapshot(tmp_path / "study", "2026Q3").rows_used["customers"] > 30


@pytest.mark.parametrize(("customers", "most"), [(999, 0.2), (1_000, 0.02), (None, 0.02)])
def test_more_rows_may_be_set_aside_where_there_are_few(customers, most):
    assert SampleSettings(customers=customers).set_aside_max(0.02) == most
    assert SampleSettings(customers=customers).set_aside_max(0.5) == 0.5


def test_the_embedded_study_can_be_read():
    settings = read_settings(EMBEDDED)
    assert settings.sample is not None
    assert settings.sample.customers == 20_000
    assert settings.default_cycle == "2026Q3"


def test_the_command_names_the_variant_that_was_meant(tmp_path):
    from typer.testing import CliRunner

    told = CliRunner().invoke(app, ["sample", str(tmp_path / "a"), "--variant", "hostil"])
    assert isinstance(told.exception, ParameterError)
    assert "Did you mean 'hostile'?" in str(told.exception)
