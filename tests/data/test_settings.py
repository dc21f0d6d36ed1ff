"""study.yaml: a slip stops at once, with its place and the nearest known word."""

import re

import pytest

from cxlab.data.settings import read_settings
from cxlab.errors import SettingsError
from tests.studies import YAML, write_study


def read(tmp_path, more: str, base: str = YAML):
    return read_settings(write_study(tmp_path, yaml=base + more))


def assert_refused(tmp_path, more: str, message: str, base: str = YAML) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        read(tmp_path, more, base)


@pytest.mark.parametrize(
    ("yaml", "place", "near"),
    [
        ("titel: x", "titel", "title"),
        ("enigne: {kind: duckdb}", "enigne", "engine"),
        ("engine: {memroy: 4GB}", "engine.memroy", "memory"),
        ("definitions: {lapse_day: 90}", "definitions.lapse_day", "lapse_days"),
        ("definitions: {rfm: {score: 5}}", "definitions.rfm.score", "scores"),
        ("kpis: {a: {name: A, metrc: x, owner: B}}", "kpis.a.metrc", "metric"),
        ("kpis: {target: {name: A, metric: x, ownr: B}}", "kpis.target.ownr", "owner"),
        ("privacy: {min_cel: 10}", "privacy.min_cel", "min_cell"),
        ("quality: {set_aside_maxx: 0.1}", "quality.set_aside_maxx", "set_aside_max"),
        ("limits: {cell_second: 5}", "limits.cell_second", "cell_seconds"),
        ("covers: {firstday: 2018-01-01}", "covers.firstday", "first_day"),
        ("funnels: {window: {steps: [a, b], windw: 1 day}}", "funnels.window.windw", "window"),
        (
            "funnels: {f: {steps: [{name: a, activty: b}, c]}}",
            "funnels.f.steps.0.activty",
            "activity",
        ),
        (
            "funnels: {f: {steps: [a, b], exclude: [{wher: x}]}}",
            "funnels.f.exclude.0.wher",
            "where",
        ),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest_known_one(tmp_path, yaml, place, near):
    assert_refused(tmp_path, yaml, f"{place} is not a setting. Did you mean '{near}'? Known here:")


@pytest.mark.parametrize(
    ("yaml", "near"),
    [("cycle: quater", "quarter"), ("engine: {kind: sparc}", "spark"), ("language: eng", "en")],
)
def test_an_unknown_word_is_answered_with_the_nearest_known_one(tmp_path, yaml, near):
    assert_refused(tmp_path, yaml, f"Did you mean '{near}'? Found: ")


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("time_zone: Asia/Jakatra", "must be an IANA time zone"),
        ("time_zone: Asia/Jakatra", "Did you mean 'Asia/Jakarta'?"),
        ("currency: rupiah", "currency: String should match pattern"),
        ("privacy: {min_cell: 4}", "privacy.min_cell: Input should be greater than or equal to 5"),
        ("privacy: {min_cell: ten}", "privacy.min_cell: Input should be a valid integer"),
        ("quality: {set_aside_max: 5%}", "quality.set_aside_max: Input should be a valid number"),
        ("quality: {set_aside_max: 1.1}", "less than or equal to 1"),
        ("quality: {set_aside_max: .nan}", "set_aside_max: Input should be a finite number"),
        ("kpis: {a: {name: A, metric: x, owner: B, target: .inf}}", "a finite number"),
        ("kpis: {a: {name: A}}", "a KPI needs either a metric or a reason under not_applicable"),
        ("kpis: {a: {name: A, metric: x}}", "a KPI needs an owner"),
        ("definitions: {cooling_days: 200}", "cooling_days must be below lapse_days, but is 200"),
        ("definitions: {lapse_days: -1}", "definitions.lapse_days"),
        ("covers: {first_day: 2018-02-30}", "covers.first_day"),
        ("covers: {first_day: 2018-05-01, last_day: 2018-01-01}", "last_day must not lie before"),
        ("engine: {memory: lots}", "engine.memory"),
        ("engine: [1]", "engine: Input should be"),
        ("fiscal_start: 13", "fiscal_start: Input should be less than or equal to 12"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named_with_what_must_hold(tmp_path, yaml, says):
    assert_refused(tmp_path, yaml, says)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    with pytest.raises(SettingsError, match="must be mended in 3 place") as refusal:
        read(tmp_path, "", "title: x\ncycel: quarter\nprivacy: {min_cell: 1}\n")
    assert len(str(refusal.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("yaml", "read_as"),
    [
        ("title: no", "no"),
        ("title: NO", "NO"),
        ("title: on", "on"),
        ("title: 2018-01-01", "2018-01-01"),
        ("title: 12:30", "12:30"),
        ("title: 010", "010"),
        ("title: 0x10", "0x10"),
        ("title: 1_000", "1_000"),
        ("title: 2018", "2018"),
        ("title: 'it''s'", "it's"),
        ("title: Übung <script>", "Übung <script>"),
    ],
)
def test_words_are_what_the_schema_takes_them_for(tmp_path, yaml, read_as):
    assert read(tmp_path, yaml + "\nraw: ../raw\n", base="").title == read_as


def test_a_year_can_be_the_default_cycle(tmp_path):
    settings = read(tmp_path, "cycle: year\ndefault_cycle: 2018\n")
    assert settings.parse_cycle(settings.default_cycle).name == "2018"


def test_a_thousand_may_be_written_short(tmp_path):
    assert read(tmp_path, "privacy: {min_cell: 1e3}").privacy.min_cell == 1000


def test_numbers_are_numbers_also_where_the_schema_takes_anything(tmp_path):
    yaml = "chapters: {a: {x: 1e3, y: -0.5, z: 7, flag: true, word: yes, none: ~, day: 2018-01-01}}"
    assert read(tmp_path, yaml).chapters["a"] == {
        "x": 1000.0, "y": -0.5, "z": 7, "flag": True, "word": "yes", "none": None,
        "day": "2018-01-01",
    }  # fmt: skip


BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
NOT_YAML = {
    "a bomb of aliases": (BOMB, "anchors and aliases are not allowed (line 2)"),
    "an alias to itself": ("a: &a [*a]", "anchors and aliases are not allowed"),
    "a key twice": ("title: a\ntitle: b", "the key 'title' stands twice (line 2)"),
    "a key twice, deep": ("engine: {kind: duckdb, kind: spark}", "the key 'kind' stands twice"),
    "nested too deep": ("a: " + "[" * 30 + "]" * 30, "nested deeper than 20 levels"),
    "nested far too deep": ("a: " + "{a: " * 5000 + "}" * 5000, "nested deeper than 20 levels"),
    "a list for a key": ("? [a, b]\n: c", "a key must be one word"),
    "code": ("a: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
    "a merge": ("<<: {title: a}\ntitle: b", "<< is not a setting"),
    "tabs": ("a:\n\t- b", "(line 2)"),
    "unclosed": ("a: [b", "must be plain YAML"),
    "a huge number": ("a: " + "9" * 5000, "must be plain YAML"),
    "a wrong tag": ("a: !!int x", "must be plain YAML"),
    "a zero byte": ("a: \0", "must be plain YAML"),
    "a list": ("- a", "must hold settings as `name: value` lines"),
    "nothing": ("", "must hold settings as `name: value` lines"),
    "too much": ("# " + "x" * 1_000_001, "must stay below 1 MB"),
}


@pytest.mark.parametrize("case", NOT_YAML)
def test_yaml_that_surprises_is_refused(tmp_path, case):
    yaml, says = NOT_YAML[case]
    assert_refused(tmp_path, yaml, says, base="")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    study = write_study(tmp_path)
    (study / "study.yaml").write_bytes(b"title: \xff\xfe")
    with pytest.raises(SettingsError, match="must be a readable UTF-8 text"):
        read_settings(study)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    study = write_study(tmp_path)
    (study / "study.yaml").write_bytes(b"\xef\xbb\xbftitle: A\nraw: ../raw\n")
    assert read_settings(study).title == "A"


def test_a_folder_without_settings_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"must have a file study\.yaml.*cxlab new DIR"):
        read_settings(tmp_path)


def test_the_raw_folder_must_exist(tmp_path):
    study = write_study(tmp_path, yaml="title: A\nraw: ../rwa\n")
    with pytest.raises(SettingsError, match=r"raw must be an existing folder, but '\.\./rwa'"):
        read_settings(study).raw_folder(study)


def test_the_raw_folder_may_be_named_by_the_environment(tmp_path, monkeypatch):
    study = write_study(tmp_path, yaml="title: A\nraw: env:SHOP_DATA\n")
    monkeypatch.delenv("SHOP_DATA", raising=False)
    with pytest.raises(SettingsError, match="the environment variable SHOP_DATA must name"):
        read_settings(study).raw_folder(study)
    monkeypatch.setenv("SHOP_DATA", str(tmp_path / "raw"))
    assert read_settings(study).raw_folder(study) == (tmp_path / "raw").resolve()


def test_a_raw_folder_that_reads_as_a_pattern_is_refused(tmp_path):
    study = write_study(tmp_path, yaml='title: A\nraw: "../a[1]"\n')
    (tmp_path / "a[1]").mkdir()
    with pytest.raises(SettingsError, match="none of"):
        read_settings(study).raw_folder(study)


def test_a_cycle_outside_what_the_data_cover_is_refused(tmp_path):
    settings = read(tmp_path, "covers: {first_day: 2017-01-01, last_day: 2018-08-31}")
    assert settings.parse_cycle("2018Q2").name == "2018Q2"
    for name in ("2016Q4", "2018Q3"):
        with pytest.raises(SettingsError, match=f"2017-01-01 to 2018-08-31, but {name} runs from"):
            settings.parse_cycle(name)


def test_the_hash_leaves_out_what_it_is_told_to(tmp_path):
    one, other = read(tmp_path, "language: en"), read(tmp_path, "language: id")
    assert one.hash() != other.hash()
    assert one.hash(without=frozenset({"language"})) == other.hash(without=frozenset({"language"}))
