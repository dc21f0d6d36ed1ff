"""Drawings that a strict page can hold: no styles, no clashes, the same bytes twice."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlab.errors import RunError
from cxlab.report import charts, svg, theme

SVG = "{http://www.w3.org/2000/svg}"


def frame(names=("Loyal", "New")):
    return pd.DataFrame({"segment": list(names), "estimate": np.linspace(0.4, 0.8, len(names))})


def draw(names=("Loyal", "New"), uid="f1", title="A title", description="A description"):
    rows = frame(names)
    return svg.twins(
        lambda: charts.dots(rows, label="segment", unit="share"),
        uid=uid,
        title=title,
        description=description,
    )


def parsed(text):
    return ET.fromstring(f"<div>{text}</div>")  # noqa: S314  (we wrote it)


def ids(text):
    return {e.get("id") for e in parsed(text).iter() if e.get("id")}


def test_the_same_rows_give_the_same_bytes():
    assert draw() == draw()


def test_each_figure_is_drawn_once_wide_and_once_narrow():
    boxes = re.findall(r'class="cx-svg cx-(\w+)" viewBox="0 0 (\d+)', draw())
    assert boxes == [("wide", "720"), ("narrow", "350")]


def test_styles_are_attributes_and_fonts_are_the_page_s():
    text = draw()
    assert "style" not in text
    assert "font-family" not in text
    assert f'fill="{theme.ACCENT}"' in text
    assert "xlink" not in text


def test_every_reference_finds_its_target_and_every_id_wears_the_prefix():
    text = draw()
    known = ids(text)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    assert used
    assert used <= known
    assert all(name.startswith(("f1w-", "f1n-")) for name in known)


def test_ids_of_two_figures_never_collide():
    assert not ids(draw(uid="f1")) & ids(draw(uid="f2"))


def test_readers_who_do_not_see_it_are_told_what_it_shows():
    for picture in parsed(draw(title="Up <3", description="Loyal: 40%.")).iter(f"{SVG}svg"):
        assert picture.get("role") == "img"
        title, description = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
        assert picture.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert (title.text, description.text) == ("Up <3", "Loyal: 40%.")


def test_symbols_carry_no_colour_that_a_dark_sheet_could_not_reach():
    symbols = [p for d in parsed(draw()).iter(f"{SVG}defs") for p in d.iter(f"{SVG}path")]
    assert symbols
    assert all(set(p.attrib) <= {"id", "d"} for p in symbols)


def test_money_is_not_taken_for_a_formula():
    assert "$5 and $6" in draw(["$5 and $6", "b"])


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=12))
def test_any_text_of_a_customer_leaves_the_drawing_well_formed(name):
    page = parsed(draw([name, "b"], title=name, description=name))
    drawings = [e for e in page.iter() if e.tag.endswith("svg")]
    assert len(drawings) == 2  # for wide and for narrow screens: nothing of the name broke out


def test_a_crowd_of_marks_is_one_picture():
    def crowd():
        ax = charts.curve(pd.DataFrame({"x": [0, 1], "estimate": [0, 1]}), x="x", unit="share")
        rng = np.random.default_rng(1)
        ax.scatter(rng.random(10_000), rng.random(10_000))
        return ax

    text = svg.twins(crowd, uid="f1", title="t", description="d")
    assert text.count("<image") == 2
    assert text.count("<use") < 100
    assert len(text) < svg.BUDGET


def test_a_figure_too_heavy_for_a_page_is_refused():
    def heavy():
        ax = charts.bars(frame(), label="segment", unit="share")
        rng = np.random.default_rng(1)
        for _ in range(20):
            ax.plot(rng.random(2_000), rng.random(2_000))
        return ax

    with pytest.raises(RunError, match="may weigh 500 kB, but 'Heavy' weighs"):
        svg.twins(heavy, uid="f1", title="Heavy", description="")


def test_charts_of_thirty_rows_stay_within_the_budget():
    assert len(draw([f"Segment number {i}" for i in range(30)])) < svg.BUDGET


def test_nothing_to_draw_gives_no_drawing():
    assert svg.twins(lambda: None, uid="f1", title="t", description="d") is None
