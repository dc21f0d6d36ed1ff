"""From executed notebooks to files: numbers as found, foreign text as text, a seal over all."""

import html
import json
import re

import nbformat
import pandas as pd
import pytest

from cxlab.cycle.findings import lookup, read_findings
from cxlab.cycle.made import Made
from cxlab.cycle.manifest import read_manifest, verify
from cxlab.cycle.place import hash_tree
from cxlab.cycle.plan import make_plan
from cxlab.cycle.publish import publish, write_archive
from cxlab.errors import ParameterError, RunError
from cxlab.report import words
from cxlab.report.disclosure import Money
from cxlab.report.finding import Card, Result, estimate_row
from tests.studies import CUSTOMERS_CSV, ORDERS_CSV, YAML, opened, shop

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "{{ 7 * 7 }} {% raw %} ${x}",
    "abc\u202egnp.exe",
    "=HYPERLINK(\"http://x\")",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "</title></style></script>",
    "javascript:alert(1)",
]  # fmt: skip
KPIS = """
kpis:
  orders: {name: Orders, metric: orders.count, change: orders.count_change, owner: A}
  kept: {name: Kept, metric: delivery.kept_share, owner: B, target: 0.9}
  nps: {name: NPS, not_applicable: nobody was asked}
"""


class Said(Result):
    def sentence(self) -> str:
        return f"{self.subtitle} stands here."


def result(rows: list[dict], subtitle: str = "A number") -> Said:
    return Said(estimates=pd.DataFrame(rows), subtitle=subtitle)


def numbers(n: float) -> Said:
    def row(metric, estimate, low, high, unit):
        return estimate_row(metric, estimate, low, high, n=n, unit=unit, method="made up")

    return result([
        row("orders.count", n, n - 12.4, n + 12.6, "count"),
        row("orders.count_change", 17, 3.2, 30.9, "count"),
        row("delivery.kept_share", 0.91234, 0.87654, 0.93456, "share"),
    ])  # fmt: skip


def hostile_texts() -> Said:
    rows = [
        estimate_row("orders.by_word", i, i, i, n=50, unit="count", method="made up", word=text)
        for i, text in enumerate(HOSTILE)
    ]
    return result(rows, subtitle=" ".join(HOSTILE))


def executed(path, *items):
    """Write an executed notebook by hand: what the kernel would have left behind."""
    v4 = nbformat.v4
    declared = v4.new_code_cell('study: str = ""  # which\ncycle: str = ""  # which')
    declared.metadata["tags"] = ["parameters"]
    cells = [v4.new_markdown_cell("# A chapter"), declared]
    for item in items:
        output = v4.new_output("display_data", data=item._repr_mimebundle_())
        cells.append(v4.new_code_cell("cx.show(found)", outputs=[output], execution_count=1))
    path.parent.mkdir(exist_ok=True)
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture
def made(tmp_path):
    """Return a function that publishes one chapter of the given results."""

    def make(*items, cycle="2018Q1", yaml=YAML + KPIS, customers=CUSTOMERS_CSV):
        study = shop(tmp_path, yaml=yaml, customers=customers, orders=ORDERS_CSV)
        notebook = executed(study / "notebooks" / "99_mine.ipynb", *items)
        settings, chosen = opened(study, cycle)
        plan = make_plan(study, settings, chosen, only=["99"])
        reports = tmp_path / "reports" / "study"
        reports.mkdir(parents=True, exist_ok=True)
        chapter = next(c for c in plan.chapters if c.name == "99_mine")
        chapters = [Made(chapter=chapter, state="ok", notebook=notebook)]
        target = reports / cycle
        publish(plan, chapters, reports=reports, target=target, run_id="r", plan_hash="p")
        write_archive(reports, settings.title, settings.language)
        return target

    return make


def shown(page: str) -> str:
    """The words of a page: what a reader sees, without tags, styles and scripts."""
    page = re.sub(r"(?s)<(script|style|svg)\b.*?</\1>", " ", page)
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_the_numbers_of_the_first_page_are_the_findings_as_printed(made):
    target = made(numbers(1234))
    seen = shown((target / "index.html").read_text())
    findings = read_findings(target)
    for metric in ("orders.count", "delivery.kept_share"):
        row = lookup(findings, metric)
        assert words.value(row["estimate"], row["unit"]) in seen
        assert words.interval(row["conf_low"], row["conf_high"], row["unit"]) in seen
    change = lookup(findings, "orders.count_change")
    assert words.signed(change["estimate"], "count") in seen
    assert "nobody was asked" in seen


def test_findings_come_as_parquet_and_csv_with_the_same_rows(made):
    target = made(numbers(1234), Card(title="NPS", reason="nobody was asked"))
    parquet, csv = read_findings(target), pd.read_csv(target / "findings.csv")
    assert list(parquet.columns) == [
        "chapter", "metric", "version", "dims", "estimate", "conf_low", "conf_high", "level", "n",
        "unit", "method", "suppressed",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(csv, parquet, check_dtype=False)
    assert set(parquet["chapter"]) == {"99_mine"}
    gaps = read_manifest(target)["gaps"]
    assert [gap["reason"] for gap in gaps] == ["nobody was asked"]


@pytest.mark.parametrize("page", ["index.html", "99_mine.html"])
def test_foreign_text_arrives_as_text(made, page):
    target = made(hostile_texts())
    source = (target / page).read_text()
    seen = shown(source)
    assert "\u202e" not in source
    assert "<script>alert" not in source
    assert "<img src=x" not in source
    assert "</title></style>" not in source
    for text in HOSTILE[:3]:
        assert text in seen
    assert "{{ 7 * 7 }}" in seen
    assert " 49 " not in seen


def test_no_text_of_the_csv_is_a_formula(made):
    target = made(hostile_texts())
    for line in (target / "findings.csv").read_text().splitlines()[1:]:
        for value in pd.read_csv(__import__("io").StringIO(line), header=None).iloc[0].astype(str):
            assert not value.startswith(("=", "+", "@", "\t"))
    words_found = {json.loads(d)["word"] for d in read_findings(target)["dims"]}
    assert words_found == set(HOSTILE)  # nothing is lost on the way


def test_a_title_is_text_in_every_page(made, tmp_path):
    yaml = YAML.replace("A tiny study", json.dumps("".join(HOSTILE[:4])))
    target = made(numbers(500), yaml=yaml)
    for page in (target / "index.html", target / "99_mine.html", target.parent / "index.html"):
        source = page.read_text()
        assert "<script>alert" not in source, page
        assert "<img src=x" not in source, page
        assert "\u202e" not in source, page
        assert "{{ 7 * 7 }}" in shown(source), page
    assert "abcgnp.exe" in read_manifest(target)["title"]


def test_no_mark_in_the_settings_turns_a_text_of_the_report(made):
    target = made(
        numbers(500),
        yaml=(YAML + KPIS)
        .replace("Orders", "Or\u2066ders")
        .replace("owner: A", 'owner: "A\u202eB", definition: "x\u2067y"')
        .replace("nobody was asked", "nobody \u202dwas asked"),
    )
    for file in target.iterdir():
        if file.suffix != ".parquet":
            found = re.findall("[\u202a-\u202e\u2066-\u2069]", file.read_text())
            assert not found, (file.name, found)
    assert "AB" in shown((target / "index.html").read_text())


def test_small_groups_are_in_no_published_file(made):
    rows = [
        estimate_row("orders.by_word", x, x, x, n=x, unit="count", method="m", word=w)
        for w, x in {"few": 3.0, "some": 4321.0, "many": 98765.0}.items()
    ]
    target = made(result(rows))
    findings = read_findings(target)
    assert findings["suppressed"].sum() == 2  # the few, and who would give them away
    assert findings.loc[findings["suppressed"], ["estimate", "n"]].isna().all(axis=None)
    for file in target.glob("*.*"):
        text = file.read_bytes().decode("utf-8", errors="replace")
        assert "4321" not in text and "4,321" not in text, file.name
    manifest = read_manifest(target)
    assert manifest["suppressed_cells"] == 2
    (chapter,) = manifest["suppressed_by"].values()
    assert chapter == {"small": 1, "dominance": 0, "complementary": 1}
    title = manifest["chapters"][0]["title"]
    assert f"({title}: 2)" in shown((target / "index.html").read_text())


def test_a_customer_who_stands_in_a_result_stops_the_report(made):
    rows = [estimate_row("orders.by_word", 5, 5, 5, n=50, unit="count", method="m", word="anna-1")]
    with pytest.raises(RunError, match=r"99_mine\.html: known") as refused:
        made(result(rows), customers=CUSTOMERS_CSV + "    anna-1,2018-01-02,1980\n")
    assert "anna" not in str(refused.value)


def test_money_of_one_large_customer_is_in_no_published_file(made):
    rows = [
        estimate_row("x.amount", 54321.0, 54321.0, 54321.0, n=40, unit="EUR", method="m")
        | Money(total=54321.0, top1=0.9, top2=0.95).columns()
    ]
    target = made(result(rows))
    for file in target.glob("*.*"):
        text = file.read_bytes().decode("utf-8", errors="replace")
        assert not re.search("5432[0-9]|54,32[0-9]|_top1|_amount", text), file.name
    assert "1 with money of one customer or two" in shown((target / "index.html").read_text())
    title = read_manifest(target)["chapters"][0]["title"]
    assert f"({title}: 1)" in shown((target / "index.html").read_text())


def test_rows_set_aside_are_published_without_their_content(made):
    target = made(numbers(500))
    assert list(pd.read_parquet(target / "set_aside.parquet").columns) == [
        "table", "row", "rule", "reason",
    ]  # fmt: skip


def test_the_manifest_says_what_the_report_was_made_from(made):
    read = read_manifest(made(numbers(500)))
    assert read["cycle"] == "2018Q1"
    assert (read["start"], read["cutoff"]) == ("2018-01-01T00:00:00Z", "2018-04-01T00:00:00Z")
    tables = {row["table"]: row for row in read["snapshot"]["tables"]}
    assert tables["orders"]["rows_in"] == tables["orders"]["rows_used"] == 2
    assert {row["source"] for row in read["snapshot"]["sources"]} == {"customers.csv", "orders.csv"}
    assert read["chapters"][0]["parameters"] == {}
    assert read["previous"] is None
    assert {"python", "duckdb", "pandas"} <= set(read["versions"])


def test_one_changed_byte_in_any_file_is_noticed(made):
    target = made(numbers(500))
    assert verify(target, hash_tree(target)) == []
    for file in sorted(p for p in target.rglob("*") if p.is_file()):
        before = file.read_bytes()
        at = len(before) // 2
        file.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
        try:
            found = verify(target, hash_tree(target))
        except Exception as broken:  # a manifest that is no JSON any more
            assert file.name == "manifest.json", broken
        else:
            name = file.relative_to(target).as_posix()
            assert any(line.startswith(name) for line in found), name
        file.write_bytes(before)
    assert verify(target, hash_tree(target)) == []


def test_added_and_missing_files_are_noticed(made):
    target = made(numbers(500))
    (target / "new.html").write_text("x")
    (target / "findings.csv").unlink()
    assert verify(target, hash_tree(target)) == ["findings.csv: is missing", "new.html: was added"]


@pytest.mark.parametrize("what", ["a number", "a space at the end", "its own hash"])
def test_a_manifest_that_was_edited_is_noticed(made, what):
    target = made(numbers(500))
    file = target / "manifest.json"
    text = file.read_text()
    changed = {
        "a number": text.replace('"rows_used": 2', '"rows_used": 3', 1),
        "a space at the end": text + " ",
        "its own hash": re.sub(r'"own_sha256": "\w{4}', '"own_sha256": "0000', text),
    }[what]
    assert changed != text
    file.write_text(changed)
    assert verify(target, hash_tree(target)) == ["manifest.json: has changed"]


def test_each_report_is_chained_to_the_one_before(made):
    first = made(numbers(500), cycle="2018Q1")
    orders = first.parents[2] / "raw" / "orders.csv"
    orders.write_text(orders.read_text())
    second = made(numbers(600), cycle="2018Q1")
    assert read_manifest(second)["previous"] is None
    before = made(numbers(400), cycle="2018M01", yaml=YAML + KPIS + "cycle: month\n")
    after = made(numbers(400), cycle="2018M03", yaml=YAML + KPIS + "cycle: month\n")
    assert read_manifest(after)["previous"]["cycle"] in ("2018M01", "2018Q1")
    assert verify(after, hash_tree(after)) == []
    earlier = after.parent / read_manifest(after)["previous"]["cycle"] / "manifest.json"
    earlier.write_text(earlier.read_text() + " ")
    (line,) = verify(after, hash_tree(after))
    assert line.endswith("manifest.json: has changed since this cycle was sealed")
    earlier.unlink()
    (line,) = verify(after, hash_tree(after))
    assert line.endswith("manifest.json: is missing since this cycle was sealed")
    assert before.is_dir()


# The plan


def test_an_unknown_chapter_is_named_with_the_nearest_one(made, tmp_path):
    made(numbers(500))
    study = tmp_path / "study"
    settings, cycle = opened(study)
    with pytest.raises(ParameterError, match=r"There is no chapter '99_mien'.*mean '99_mine'\?"):
        make_plan(study, settings, cycle, only=["99_mien"])


@pytest.mark.parametrize(
    ("chapters", "says"),
    [
        ("{99_mien: {}}", r"must name notebooks, but '99_mien' .* Did you mean '99_mine'\?"),
        ("{99_mine: {windw: 3}}", r"99_mine.ipynb has no parameter \['windw'\]. It takes \[\]"),
        ("{99_mine: {cycle: 2018Q1}}", r"chapters.99_mine: \['cycle'\] are set by the run"),
    ],
)
def test_parameters_are_checked_before_any_source_is_read(made, tmp_path, chapters, says):
    made(numbers(500))
    study = tmp_path / "study"
    (study / "study.yaml").write_text(YAML + f"chapters: {chapters}\n")
    (tmp_path / "raw" / "orders.csv").unlink()
    settings, cycle = opened(study)
    with pytest.raises(ParameterError, match=says):
        make_plan(study, settings, cycle)


def test_a_chapter_key_changes_with_what_its_numbers_depend_on(made, tmp_path):
    made(numbers(500))
    study = tmp_path / "study"

    def key():
        settings, cycle = opened(study)
        chapters = make_plan(study, settings, cycle, only=["99"]).chapters
        return next(c.key for c in chapters if c.name == "99_mine")

    first = key()
    assert key() == first
    (study / "study.yaml").write_text(YAML + KPIS + "limits: {cell_seconds: 5}\n")
    assert key() == first  # a limit changes no number
    (study / "study.yaml").write_text(YAML + KPIS + "definitions: {lapse_days: 200}\n")
    assert key() != first
    (study / "study.yaml").write_text(YAML + KPIS)
    (tmp_path / "raw" / "orders.csv").write_text(ORDERS_CSV.replace("5.50", "5.51"))
    assert key() != first


LATE = YAML + KPIS + "quality: {freshness_days: {orders: 1}}\n"


def test_a_measure_on_a_failed_table_reads_withheld_and_the_manifest_tells_why(made):
    target = made(numbers(1234), cycle="2018Q1", yaml=LATE)
    seen = shown((target / "index.html").read_text())
    assert "Withheld orders is withheld: its last row is" in " ".join(seen.split())
    assert "95% interval 1,222 to 1,247" not in seen  # that of orders
    gates = read_manifest(target)["gates"]
    assert list(gates["withheld_tables"]) == ["orders"]
    assert gates["withheld_tables"]["orders"].endswith("or change quality in study.yaml.")
    assert [(c["table"], c["check"]) for c in gates["failed"]] == [("orders", "freshness")]


def test_a_measure_that_no_chapter_shows_is_not_left_out(made):
    target = made(Card(title="Orders", reason="too few"))
    seen = " ".join(shown((target / "index.html").read_text()).split())
    assert "Orders – Not available: this cycle's data cannot carry this number" in seen
    assert "Kept – Not available: this study has no data in promises." in seen


def test_the_manifest_names_the_version_of_every_metric(made):
    target = made(numbers(1234), hostile_texts())
    assert read_manifest(target)["metrics"] == {
        "delivery.kept_share": 1, "orders.by_word": None, "orders.count": 1,
        "orders.count_change": 1,
    }  # fmt: skip
    assert "Metric orders.count@1." in shown((target / "index.html").read_text())
