"""The drawing of a journey map: its curve, and what a browser makes of it."""

import re
from dataclasses import dataclass, replace

import pandas as pd
import pytest
from nbformat import v4

from cxlab.report import html
from cxlab.report.finding import Result, estimate_row
from cxlab.report.journey_map import (
    ASSUMED,
    MISSING,
    OBSERVED,
    Cell,
    Feeling,
    Line,
    Map,
    Stage,
    draw,
)
from cxlab.report.page import render_chapter

from . import sample
from .test_browser import axe_source

CELLS = (
    Cell(
        lane="Touchpoints", grade=OBSERVED, base="n 1,203",
        lines=[Line(said="web shop", value="54.8%", share=0.548, note="felt +0.10, +0.07 to +0.13"),
               Line(said="a page with a very long name of its own", value="withheld"),
               Line(said="post", tag="not planned")],
    ),
    Cell(lane="Owner", grade=ASSUMED, lines=[Line(said="Head of digital")]),
    Cell(lane="Pain points", grade=MISSING, lines=[Line(said="Nothing is known to go wrong.")]),
)  # fmt: skip


def feeling(x):
    return Feeling(estimate=x, low=x - 0.05, high=x + 0.05, base="n 300")


def map_of(values, persona="Households"):
    stages = [
        Stage(
            name=f"stage {i}", reach="50.0% of journeys come here", is_after=i > 2,
            feeling=None if x is None else feeling(x), cells=CELLS,
        )
        for i, x in enumerate(values)
    ]  # fmt: skip
    return Map(persona=persona, facts=["5,102 journeys", "57.2% buy"], stages=stages)


MAPS = [map_of([0.1, 0.4, 0.2, -0.3, None, 0.6]), map_of([0.1] * 9, "Offices")]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictured(Result):
    """A result that brings a drawing of its own."""

    def picture(self, *, uid):
        """Draw the maps."""
        return draw(MAPS, uid=uid, outcome="order placed")

    def sentence(self):
        """The reading."""
        return "Customers feel worst when they need help"


@pytest.fixture(scope="module")
def shown():
    row = estimate_row("a.share", 0.5, 0.4, 0.6, n=90, unit="share", method="Wilson", stage="look")
    return Pictured(estimates=pd.DataFrame([row]), subtitle="Journeys of 2031 Q1")


@pytest.fixture(scope="module")
def page(shown):
    cells = [
        v4.new_markdown_cell("# Journeys: what do customers do?\n\nFor everybody."),
        v4.new_markdown_cell("## The map of the journey\n\nFrom first to last."),
        sample.code("cx.show(map)", sample.ours(shown, "f1")),
        sample.code("cx.show(map)", sample.ours(shown, "f1")),  # shown twice: ids must differ
    ]
    return render_chapter(v4.new_notebook(cells=cells), context=sample.page(title="Journeys"))


def test_the_pieces_of_the_curve_meet_half_way_and_stop_where_nobody_was_asked():
    drawn = draw(MAPS[:1], uid="f1")
    lines = re.findall(r'cx-map-line" d="M0,([\d.]+)C.*? 50,([\d.]+)S.*? 100,([\d.]+)"', drawn)
    starts, middles, ends = (list(map(float, part)) for part in zip(*lines, strict=True))
    assert len(lines) == 5
    assert starts[1:4] == ends[:3]
    assert ends[0] == pytest.approx((middles[0] + middles[1]) / 2, abs=0.11)  # drawn to a tenth
    assert ends[3] == middles[3]  # the next stage is not known
    assert starts[4] == middles[4]
    assert middles[1] < middles[0] < 50 < middles[3]  # what is felt well stands high


def test_a_minus_is_a_true_minus_and_each_grade_has_a_word_and_a_shape():
    drawn = draw(MAPS[:1], uid="f1")
    assert "\N{MINUS SIGN}0.30" in drawn
    assert ">-0.3" not in drawn
    for grade, shape in (("observed", "●"), ("surveyed", "◆"), ("assumed", "○"), ("missing", "✕")):
        assert f'<span aria-hidden="true">{shape}</span> {grade}' in drawn


def test_everything_in_it_is_escaped():
    evil = "<script>alert(1)</script>"
    stage = Stage(
        name=evil, reach=evil, is_after=True, feeling=replace(feeling(0.1), base=evil, tag=evil),
        cells=[Cell(lane=evil, grade=OBSERVED, base=evil,
                    lines=[Line(said=evil, value=evil, note=evil, tag=evil)])],
    )  # fmt: skip
    drawn = draw([Map(persona=evil, facts=[evil], stages=[stage])], uid="f1", outcome=evil)
    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;") == 13  # each of them once


def test_a_result_without_a_picture_is_plotted_and_one_with_it_is_not(shown):
    assert "cx-broad" in html.figure(shown, headline="h", uid="f1")
    assert "cx-broad" not in html.figure(sample.shares(), headline="h", uid="f1")


def test_the_page_lets_it_through_and_says_nothing_to_the_console(opened, page):
    assert page.count('class="cx-map-grid') == 4
    assert len(set(re.findall(r'id="([^"]+)"', page))) == len(re.findall(r'id="([^"]+)"', page))
    with opened(page) as window:
        window.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert window.heard == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (1280, "dark")])
def test_axe_finds_no_violation(opened, page, width, scheme):
    with opened(page, width=width, scheme=scheme, bypass_csp=True) as window:
        window.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        window.evaluate(axe_source())
        found = window.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


def test_stages_stand_side_by_side_or_are_cards_and_never_scroll_sideways(opened, page):
    tops = "[...document.querySelectorAll('.cx-map-grid')[0].children].map(s => s.offsetTop)"
    with opened(page) as window:
        for width, rows in ((320, 6), (390, 6), (768, 2), (1280, 1), (1920, 1)):
            window.set_viewport_size({"width": width, "height": 900})
            assert len(set(window.evaluate(tops))) == rows, width
            assert window.evaluate("document.documentElement.scrollWidth") <= width
            cut = window.evaluate(
                "[...document.querySelectorAll('.cx-map-cell dd, .cx-map-head')]"
                ".filter(c => c.scrollWidth > c.clientWidth + 16).length"
            )
            assert cut == 0, width


def test_lanes_of_all_stages_begin_on_one_line(opened, page):
    with opened(page) as window:
        tops = window.evaluate(
            "[...document.querySelectorAll('.cx-map-grid')[0].children].map(s =>"
            " [...s.querySelectorAll('.cx-map-cell')].map(c => Math.round("
            "c.getBoundingClientRect().top)))"
        )
    assert len({tuple(each) for each in tops}) == 1


def test_on_paper_the_map_has_a_broad_page_of_its_own(opened, page):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    import io

    with opened(page) as window:
        printed = window.pdf(prefer_css_page_size=True)
    pages = pypdf.PdfReader(io.BytesIO(printed)).pages
    broad = [p for p in pages if p.mediabox.width > p.mediabox.height]
    assert any("Households" in p.extract_text() for p in broad)
    assert any(p.mediabox.width < p.mediabox.height for p in pages)
