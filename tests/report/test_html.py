"""The pieces of a page say everything in words."""

import re
from dataclasses import replace

import numpy as np
import pytest
from bs4 import BeautifulSoup

from cxlab.report import foreign, html, theme

from . import sample


def soup(text):
    return BeautifulSoup(text, "html.parser")


def tile(**changes):
    settings = {
        "name": "Late orders", "unit": "share", "estimate": 0.213, "conf_low": 0.2,
        "conf_high": 0.226, "n": 900, "base": "orders", "change": 0.038, "change_low": 0.014,
        "change_high": 0.062, "since": "2030 Q4", "better": "down",
    }  # fmt: skip
    return soup(html.tiles([html.Tile(**(settings | changes))])).li.get_text(" ", strip=True)


def test_a_figure_has_headline_chart_table_file_and_note():
    result = sample.shares()
    page = soup(html.figure(result, headline="Loyal <3", uid="f7"))
    assert page.figure["id"] == "f7"
    assert page.find(id=page.figure["aria-labelledby"]).get_text() == "Loyal <3"
    assert len(page.find_all("svg")) == 2
    assert page.table.caption.get_text() == result.subtitle
    assert page.find("a", download=True)["download"] == "loyal-3.csv"
    assert result.note in page.get_text()


def test_the_alternative_text_reads_the_rows_and_names_the_withheld():
    text = soup(html.figure(sample.shares(), headline="h", uid="f1")).desc.get_text()
    assert "Champions: 84.2%." in text
    assert "Lost: withheld." in text


@pytest.mark.parametrize(
    ("dim", "value", "said"),
    [
        ("after_days", 84.0, "84 days"),
        ("after_days", 84, "84 days"),
        ("after_days", 1.0, "1 day"),
        ("after_days", 0.25, "0.25 days"),
        ("position", -2, "\N{MINUS SIGN}2"),
        ("year", 2018.0, "2018"),
        ("is_known", True, "True"),
    ],
)
def test_the_alternative_text_says_values_as_people_do(dim: str, value: object, said: str):
    rows = sample.shares().estimates.assign(**{dim: value})
    result = replace(sample.shares(), estimates=rows)
    text = soup(html.figure(result, headline="h", uid="f1")).desc.get_text()
    assert f"Champions, {said}: 84.2%." in text


def test_a_result_without_a_picture_shows_its_table_at_once():
    page = soup(html.figure(sample.shares("table"), headline="h", uid="f1"))
    assert page.svg is None
    assert page.details is None
    assert page.table is not None


def test_every_id_of_a_figure_starts_with_its_uid():
    page = soup(html.figure(sample.shares(), headline="h", uid="f42"))
    assert all(tag["id"].startswith("f42") for tag in page.find_all(id=True))


def test_our_own_html_needs_no_cleaning():
    text = html.figure(sample.shares(), headline=sample.HOSTILE, uid="f1")
    text += html.card(sample.HOSTILE, sample.HOSTILE) + sample.answer() + sample.tiles()
    text += html.definitions([(sample.HOSTILE, sample.HOSTILE)])
    assert foreign.is_clean(text)
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "▲ Worsened +3.8 points (+1.4 to +6.2) since 2030 Q4"),
        ({"better": "up"}, "▲ Improved +3.8 points"),
        ({"better": "neither"}, "▲ Higher +3.8 points"),
        ({"change_low": -0.01}, "■ No clear change +3.8 points"),
        ({"change_low": 0.001, "is_clear": False}, "■ No clear change +3.8 points (+0.1 to +6.2)"),
        ({"target": 0.19}, "Target 19.0%: not met"),
        ({"target": 0.21}, "Target 21.0%: not clear"),
        ({"target": 0.25}, "Target 25.0%: met"),
        ({"target": 0.25, "better": "up"}, "Target 25.0%: not met"),
        ({"target": 0.19, "better": "up"}, "Target 19.0%: met"),
        ({}, "21.3% 95% interval 20.0 to 22.6%"),
        ({}, "Base 900 orders"),
        ({"estimate": np.nan, "withheld": "Nobody was asked."}, "Nobody was asked."),
    ],
)
def test_a_tile_says_in_words_what_its_colour_says(changes, said):
    assert said in tile(**changes)


def test_a_change_of_a_percentage_is_told_in_points():
    assert "3.8%" not in tile()


def test_a_long_value_is_written_smaller_so_that_it_fits():
    text = html.tiles([html.Tile(name="Revenue", unit="BRL", estimate=9_345_678.0)])
    assert "BRL 9,345,678" in text
    assert "cx-long" in text


def test_a_line_of_history_needs_three_cycles():
    def drawn(history):
        return "<svg" in html.tiles(
            [html.Tile(name="a", unit="nps", estimate=1.0, history=history)]
        )

    assert drawn((1, 2, 3))
    assert drawn((5, 5, 5))
    assert not drawn((1, 2))
    assert not drawn((1, np.nan, 2))


def test_the_answer_numbers_its_findings_and_links_them():
    page = soup(html.answer("It holds.", ["One <b>", ("Two", "#two")]))
    assert [li.get_text() for li in page.find_all("li")] == ["One <b>", "Two"]
    assert page.a["href"] == "#two"


@pytest.mark.parametrize("lab", [True, False])
def test_every_colour_of_a_chart_has_a_partner_for_the_dark(lab):
    sheet = html.sheet(lab=lab)
    drawing = html.figure(sample.stays(), headline="h", uid="f1")
    used = set(re.findall(r'(?:fill|stroke)="(#\w+)"', drawing))
    assert used <= set(theme.DARK)
    assert all(f'[fill="{colour}"]' in sheet for colour in used)


def test_the_lab_follows_its_own_theme_and_not_the_screen_s():
    assert "prefers-color-scheme" not in html.components()
    assert '[data-jp-theme-light="false"]' in html.components()
    assert "prefers-color-scheme" in html.sheet()
