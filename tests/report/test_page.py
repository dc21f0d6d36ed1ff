"""A page is one file, holds all a notebook shows, and allows only what it brings."""

import base64
import hashlib
import html
import itertools
import json
import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

from cxlab.report.page import render_chapter, render_index

from . import sample


@pytest.fixture(scope="module")
def chapter() -> str:
    return render_chapter(sample.notebook(), context=sample.page())


@pytest.fixture(scope="module")
def failed() -> str:
    return render_chapter(sample.notebook(failing=True), context=sample.page())


@pytest.fixture(scope="module")
def index() -> str:
    return render_index(sample.index())


def soup(text):
    return BeautifulSoup(text, "html.parser")


def rendered(*cells, **context):
    return render_chapter(v4.new_notebook(cells=list(cells)), context=sample.page(**context))


@pytest.mark.parametrize("which", ["chapter", "failed", "index"])
def test_a_page_has_one_h1_and_no_heading_skips_a_level(which, request):
    page = soup(request.getfixturevalue(which))
    levels = [int(h.name[1]) for h in page.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


@pytest.mark.parametrize("which", ["chapter", "failed", "index"])
def test_no_id_is_given_twice_and_every_link_inside_the_page_arrives(which, request):
    page = soup(request.getfixturevalue(which))
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    inside = {a["href"][1:] for a in page.find_all("a", href=re.compile("^#"))}
    assert inside <= {*ids, "who-is-satisfied"} if which == "index" else inside <= set(ids)


@pytest.mark.parametrize("which", ["chapter", "failed", "index"])
def test_the_policy_allows_exactly_the_styles_and_the_script_of_the_page(which, request):
    text = request.getfixturevalue(which)
    policy = html.unescape(re.search(r'Policy" content="([^"]+)"', text)[1])

    def hashes(pattern):
        found = re.findall(pattern, text, re.DOTALL)
        digests = (hashlib.sha256(t.encode()).digest() for t in found)
        return [f"'sha256-{base64.b64encode(d).decode()}'" for d in digests]

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"].split() == hashes("<style>(.*?)</style>")
    assert rules["script-src"].split() == hashes("<script>(.*?)</script>")
    assert not re.search(r"\sstyle=", text)


@pytest.mark.parametrize("which", ["chapter", "failed", "index"])
def test_nothing_is_fetched_from_anywhere(which, request):
    page = soup(request.getfixturevalue(which))
    sources = [t["src"] for t in page.find_all(src=True)]
    assert all(source.startswith("data:image/") for source in sources)
    assert [link["href"] for link in page.find_all("link")] == ["data:,"]
    assert "url(http" not in str(page)


def test_every_output_of_the_notebook_is_in_the_page(failed):
    cells = sample.notebook(failing=True).cells
    outputs = sum(len(cell.get("outputs", [])) for cell in cells)
    assert len(soup(failed).select(".cx-out")) == outputs


@pytest.mark.parametrize("kind", ["execute_result", "display_data"])
def test_results_and_displays_are_both_shown(kind):
    more = {"execution_count": 1} if kind == "execute_result" else {}
    output = v4.new_output(kind, data={"text/plain": "forty-two"}, **more)
    assert "forty-two" in soup(rendered(sample.code("x", output))).main.get_text()


def test_the_notebook_s_first_heading_is_the_page_s_title_and_comes_once(chapter):
    page = soup(chapter)
    assert page.h1.get_text() == "Feedback: what do customers tell us?"
    assert page.title.get_text() == "Feedback: what do customers tell us? – Olive & Sons, 2031 Q1"
    assert "Feedback: what" not in page.main.get_text()
    assert soup(rendered(v4.new_markdown_cell("no heading"))).h1.get_text() == "Feedback"


def test_headings_that_jump_or_repeat_are_put_in_order():
    text = rendered(v4.new_markdown_cell("# A\n\n#### B & C\n\n## B\n\n# Again\n\n## B"))
    heads = [(h.name, h["id"]) for h in soup(text).main.find_all(re.compile("^h[2-6]$"))]
    assert heads == [("h2", "b-c"), ("h2", "b"), ("h2", "again"), ("h2", "b-2")]


def test_code_logs_and_parameters_are_for_researchers_only(chapter):
    page = soup(chapter)
    for part in page.select("details.cx-dev, .cx-side, .cx-fold, header, footer, script, style"):
        part.decompose()
    shown = page.get_text()
    assert not any(word in shown for word in ("cx.show", "threshold: int", "careful", "read "))
    names = {d.summary.get_text() for d in soup(chapter).select("details.cx-dev")}
    assert names == {"Code", "Default parameters", "Parameters of this run", "Log", "Warnings"}


def test_paths_of_the_machine_stay_on_the_machine(failed):
    assert "somebody" not in failed
    assert "…/feedback.py" in failed


def test_a_failed_section_says_so_in_one_line_and_hides_no_other(failed):
    page = soup(failed)
    box = page.select_one(".cx-failed").get_text()
    assert box == "This section failed. DataError: no answers"
    assert "did not finish" in page.select_one("[role=status]").get_text()
    trace = page.find("pre", string=re.compile("line 3"))
    assert "cx-dev" in trace.parent["class"]
    assert page.find(id="what-this-cannot-tell")


def test_papermill_s_own_note_about_the_failure_is_left_out():
    note = v4.new_markdown_cell(
        '<span style="color:red">An Exception was encountered</span>',
        metadata={"tags": ["papermill-error-cell-tag"]},
    )
    assert "encountered" not in rendered(note)


def test_the_style_sheet_for_the_lab_does_not_reach_the_page(chapter):
    assert "data-cxlab" not in chapter
    assert "data-jp-theme-light" not in chapter


def test_the_run_record_travels_inside_the_page_and_cannot_end_its_element(chapter):
    element = re.search(r'id="cxlab-manifest">(.*?)</script>', chapter, re.DOTALL)
    assert json.loads(element[1])["note"] == "</script><b>"


def test_formulas_are_mathml_and_tables_of_the_text_can_scroll(chapter):
    page = soup(chapter)
    assert len(page.find_all("math")) == 2
    assert "<mo>±</mo>" in chapter
    assert page.find("th", string="rule").find_parent("div")["tabindex"] == "0"


def test_a_formula_that_cannot_be_read_is_shown_as_it_was_written():
    assert r"\frac{" in soup(rendered(v4.new_markdown_cell(r"$\frac{$"))).main.get_text()


def test_svg_keeps_its_view_box_and_figures_of_one_name_keep_apart():
    figure = sample.ours(sample.shares(), "f1")
    text = rendered(sample.code("a", figure), sample.code("b", figure))
    assert 'viewBox="0 0 720' in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for used in re.findall(r'(?:href="#|url\(#)(f1[^")]*)', text):
        assert used in ids


def test_a_foreign_picture_is_data_with_a_description():
    png = {"image/png": "iVBORw0KGgo=\n"}
    meta = {"image/png": {"alt": "Two lines"}}
    output = v4.new_output("display_data", data=png, metadata=meta)
    image = soup(rendered(sample.code("x", output))).main.img
    assert (image["src"], image["alt"]) == ("data:image/png;base64,iVBORw0KGgo=", "Two lines")


@pytest.mark.parametrize("text", ["<script>x</script>", "<p onclick=x>y</p>", "[a](javascript:x)"])
def test_markdown_can_do_no_harm_either(text):
    main = str(soup(rendered(v4.new_markdown_cell(text))).main)
    assert not any(word in main for word in ("<script", "onclick", 'href="javascript'))


def test_a_styled_table_is_styled_by_a_sheet_that_the_policy_knows():
    frame = pd.DataFrame({"a": [1, 2]}).style.background_gradient().to_html()
    text = rendered(sample.code("x", sample.display(frame)))
    assert text.count("<style>") == 2
    assert len(re.findall("sha256-", text)) == 3


def test_the_page_tells_where_one_is_and_where_one_can_go(chapter):
    page = soup(chapter)
    assert page.html["lang"] == "en"
    assert page.select_one(".cx-skip")["href"] == "#main"
    here = page.select_one(".cx-side a[aria-current]")
    assert here.get_text() == "Feedback: what do customers tell us?"
    assert page.select_one("a[rel=prev]")["href"] == "10_customers.html"
    assert page.select_one("a[rel=next]")["href"] == "70_operations.html"
    cycles = {a.get_text(): a["href"] for a in page.select(".cx-menu a")}
    assert cycles == {
        "2030 Q4": "../2030Q4/index.html", "2031 Q1": "index.html", "All cycles": "../index.html",
    }  # fmt: skip


def test_about_this_report_lists_every_line_it_is_given(chapter):
    footer = soup(chapter).footer.get_text()
    assert all(term in footer and words in footer for term, words in sample.page().about)
    assert {a["href"] for a in soup(chapter).select("footer a[download]")} == {
        "findings.csv", "manifest.json",
    }  # fmt: skip


def test_the_index_lists_the_chapters_and_says_which_failed(index):
    items = soup(index).select(".cx-list li")
    assert [i.a["href"] for i in items] == [c.href for c in sample.CHAPTERS]
    assert ["failed" in i.get_text() for i in items] == [False, False, True, False]


def test_hostile_titles_are_text_everywhere():
    page = sample.page(study=sample.HOSTILE, cycle="<b>", about=[("<i>", "<script>")], banner="<u>")
    text = render_chapter(sample.notebook(), context=page)
    assert "<script>alert" not in text
    assert soup(text).find("u") is None
    assert soup(text).footer.find("i") is None


def test_the_same_notebook_gives_the_same_bytes(chapter):
    again = render_chapter(sample.notebook(), context=sample.page())
    assert again == chapter


def test_templates_travel_with_the_package(chapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert render_chapter(sample.notebook(), context=sample.page()) == chapter


def test_a_chapter_stays_small(chapter):
    assert len(chapter) < 1_500_000
