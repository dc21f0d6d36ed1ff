"""What other libraries wrote cannot act, fetch or tell where it was made."""

import getpass

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from cxlab.report import foreign


def cleaned(html):
    styles = foreign.Styles()
    return foreign.clean(html, styles), styles


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<img src='https://example.org/pixel.png' alt='a'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' java\nscript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<iframe src='https://example.org'></iframe>",
        "<svg><script>alert(1)</script><a xlink:href='javascript:alert(1)'><g/></a></svg>",
        "<svg onload=alert(1)></svg>",
        "<style>@import url(https://example.org/a.css)</style>",
        "<p style='background:url(https://example.org/a.png)'>x</p>",
        "<link rel=stylesheet href=https://example.org/a.css><base href=https://example.org>",
        "<meta http-equiv=refresh content='0;url=https://example.org'>",
        "<form action=https://example.org><input name=a></form>",
        "<object data=https://example.org></object><embed src=https://example.org>",
        "<video poster=https://example.org/a.png></video>",
        "<img srcset='https://example.org/a.png 2x' alt='a'>",
    ],
)
def test_hostile_html_is_disarmed(hostile):
    html, styles = cleaned(hostile)
    text = (html + styles.text()).lower()
    assert not any(
        word in text for word in ("alert", "javascript", "example.org", "onload", "<form")
    )
    assert foreign.is_clean(html)


def test_text_between_tags_survives():
    html, _ = cleaned("<div><p>5 &lt; 6 &amp; <b>bold</b></p></div>")
    assert html == "<div><p>5 &lt; 6 &amp; <b>bold</b></p></div>"


def test_unclosed_tags_and_strangers_main_cannot_break_out_of_their_place():
    html, _ = cleaned("</div></main><main><div><b>bold")
    assert html == "<div><b>bold</b></div>"


def test_inline_styles_become_classes_of_one_sheet():
    html, styles = cleaned('<p style="color: red">a</p><p class="x" style="color:  red">b</p>')
    assert html == '<p class="cx-s0">a</p><p class="x cx-s0">b</p>'
    assert styles.text() == ".cx-s0.cx-s0{color: red}"


def test_a_styled_pandas_table_keeps_its_look_without_inline_styles():
    frame = pd.DataFrame({"a": [1, 2]})
    html, styles = cleaned(frame.style.background_gradient().to_html())
    assert "style=" not in html
    assert "background-color" in styles.text()
    assert foreign.is_clean(html)


def test_tables_get_scopes_and_a_place_to_scroll():
    soup = BeautifulSoup(cleaned(pd.DataFrame({"a": [1]}).to_html())[0], "html.parser")
    assert [h["scope"] for h in soup.find_all("th")] == ["col", "row"]
    assert soup.table.parent["tabindex"] == "0"
    assert "cx-table" in soup.table["class"]


def test_svg_keeps_the_capitals_that_it_needs():
    html, _ = cleaned('<svg viewBox="0 0 1 1" preserveAspectRatio="none"><clipPath id="a"/></svg>')
    assert 'viewBox="0 0 1 1"' in html
    assert 'preserveAspectRatio="none"' in html
    assert "<clipPath" in html


def test_a_library_s_heading_does_not_disturb_the_outline():
    assert cleaned("<h1>Summary</h1>")[0] == '<p class="cx-strong">Summary</p>'


def test_marks_that_turn_the_writing_direction_are_gone():
    assert cleaned("<td>a\u202eb</td>")[0] == "<td>ab</td>"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/home/user/study/risk.py:3", "…/risk.py:3"),
        (r"C:\Users\user\risk.py", "…/risk.py"),
        ("read ~/olive/raw/a.csv", "read …/a.csv"),
        ("https://example.org/a/b/c", "https://example.org/a/b/c"),
        ("orders/day and 3/4 of 1 / 2", "orders/day and 3/4 of 1 / 2"),
        ("(/opt/a/b/c.py)", "(…/c.py)"),
    ],
)
def test_paths_lose_where_they_lie(said, shown):
    assert foreign.scrub(said) == shown


def test_the_user_s_name_is_taken_out(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "annika")
    assert foreign.scrub("by annika, not annikas") == "by …, not annikas"


def test_ids_that_a_page_has_already_are_renamed_with_all_that_refers_to_them():
    seen = {"f1"}
    html = (
        '<g id="f1" aria-labelledby="f1 t"><a href="#f1"></a>'
        '<use clip-path="url(#f1)"/><b id="t"></b></g>'
    )
    out = foreign.apart(html, seen)
    assert out == (
        '<g id="f1-2" aria-labelledby="f1-2 t"><a href="#f1-2"></a>'
        '<use clip-path="url(#f1-2)"/><b id="t"></b></g>'
    )
    assert seen == {"f1", "f1-2", "t"}
