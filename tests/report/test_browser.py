"""What a reader's browser makes of a page: quiet, readable, reachable, printable."""

import io
from pathlib import Path

import pandas as pd
import pytest

from cxlab.report import html, tables
from cxlab.report.page import render_chapter, render_index

from . import sample


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {
        "chapter": render_chapter(sample.notebook(), context=sample.page()),
        "failed": render_chapter(sample.notebook(failing=True), context=sample.page()),
        "index": render_index(sample.index()),
    }


def axe_source() -> str:
    axe = pytest.importorskip("axe_playwright_python", reason="axe_playwright_python is missing")
    return (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")


# The page of a failed chapter holds all that a good one does, and more.
ODD = pytest.mark.parametrize("which", ["failed", "index"])
WHICH = pytest.mark.parametrize("which", ["chapter", "failed", "index"])


@WHICH
def test_a_page_asks_for_nothing_and_says_nothing_to_the_console(opened, pages, which):
    with opened(pages[which]) as page:
        if which != "index":
            page.click("#cx-code")
        page.click(".cx-menu summary")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert page.heard == []


@ODD
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (1280, "dark")])
def test_axe_finds_no_violation(opened, pages, which, width, scheme):
    with opened(pages[which], width=width, scheme=scheme, bypass_csp=True) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.evaluate("document.documentElement.classList.add('cx-shown')")
        page.evaluate(axe_source())
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


@ODD
def test_no_page_scrolls_sideways(opened, pages, which):
    with opened(pages[which]) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.evaluate("document.documentElement.classList.add('cx-shown')")
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "shown"), [(1280, "wide"), (390, "narrow")])
def test_one_of_the_two_drawings_is_shown(opened, pages, width, shown):
    with opened(pages["chapter"], width=width) as page:
        visible = "[...document.querySelectorAll('#f1 svg')].filter(s => s.getClientRects().length)"
        names = page.evaluate(f"{visible}.map(s => s.getAttribute('class'))")
        assert names == [f"cx-svg cx-{shown}"]
        # Letters of a chart are never smaller than a footnote.
        scale = page.evaluate(f"{visible}[0].clientWidth / {visible}[0].viewBox.baseVal.width")
        assert scale * 13 >= 11


def test_code_is_one_click_away_and_folds_again(opened, pages):
    with opened(pages["chapter"]) as page:
        code = page.get_by_text("cx.show(csat)", exact=True)
        assert not code.is_visible()
        page.click("text=Show code")
        assert code.is_visible()
        assert page.get_attribute("#cx-code", "aria-pressed") == "true"
        page.click("#cx-code")
        assert not code.is_visible()


def test_the_keyboard_reaches_the_report_first(opened, pages):
    with opened(pages["chapter"]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_a_dark_screen_gets_dark_paper_and_light_marks(opened, pages):
    def colours(page):
        return page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('#f1 use')).fill]"
        )

    with opened(pages["chapter"], scheme="dark") as page:
        assert colours(page) == ["rgb(20, 24, 29)", "rgb(130, 185, 238)"]
    with opened(pages["chapter"], scheme="light") as page:
        assert colours(page) == ["rgb(255, 255, 255)", "rgb(21, 88, 143)"]


def test_on_paper_the_page_is_light_has_all_tables_and_no_buttons(opened, pages):
    with opened(pages["chapter"], scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert page.locator("#f1 table").is_visible()
        assert not page.locator("#cx-code").is_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("#f1 details").get_attribute("open") is None


def test_the_printed_page_is_a_tagged_pdf(opened, pages):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    with opened(pages["chapter"]) as page:
        printed = page.pdf(format="A4", tagged=True, outline=True)
    document = pypdf.PdfReader(io.BytesIO(printed))
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = "".join(sheet.extract_text() for sheet in document.pages)
    assert "Interval" in text or "95% interval" in text
    assert "Show code" not in text


def test_pieces_look_the_same_in_a_dark_lab(opened):
    figure = html.figure(sample.shares(), headline="h", uid="f1")
    dark = f'<body data-jp-theme-light="false">{html.components()}{figure}'
    with opened(dark, scheme="light") as page:
        ink = page.evaluate("getComputedStyle(document.querySelector('.cx-headline')).color")
        mark = page.evaluate("getComputedStyle(document.querySelector('#f1 use')).fill")
    assert (ink, mark) == ("rgb(232, 236, 241)", "rgb(130, 185, 238)")


def test_a_column_of_words_can_be_read_on_a_phone(opened):
    said = "49 rows in the cycle, against 28 in a usual one, more than 50% apart"
    frame = pd.DataFrame(
        [("subscription_changes", "completeness", "warn", said)],
        columns=["table", "check", "state", "says"],
    )
    body = f'{html.components()}<div class="cx">{tables.render(frame, caption="c")}</div>'
    with opened(f"<!doctype html><body>{body}", width=390, bypass_csp=True) as page:
        box = page.eval_on_selector(".cx-scroll", "b => [b.scrollWidth, b.clientWidth]")
        words = page.eval_on_selector(".cx-words", "c => c.getBoundingClientRect().width")
    assert box[0] <= box[1]  # nothing to be found by scrolling only
    assert words > 100  # pixels: two or three words in a line
