"""A report claims no more than its numbers carry."""

import pytest

from cxlab.cycle.claims import check_claims, claims
from cxlab.cycle.findings import Shown
from cxlab.errors import RunError


def shown(sentence="A number.", **given) -> Shown:
    row = {
        "metric": "csat.mean", "estimate": 4.1, "conf_low": 4.0, "conf_high": 4.2, "n": 90,
        "unit": "points", "suppressed": False,
    }  # fmt: skip
    base = {"chapter": "40", "kind": "result", "rows": [row], "anchor": "f1", "suppressed_cells": 0}
    return Shown(sentence=sentence, **(base | given))


def figure(headline: str, note: str = "") -> str:
    return (
        f'<figure class="cx cx-fig" id="f1"><figcaption><p class="cx-headline">{headline}</p>'
        f'</figcaption><p class="cx-note">{note}</p></figure>'
    )


def wrong(tmp_path, html: str, *results: Shown, page: str = "40.html") -> list[str]:
    """Return the first words of each rule that a page breaks."""
    (tmp_path / page).write_text(f"<main>{html}</main>")
    return [" ".join(c.rule.split()[:2]) for c in claims(tmp_path, results)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Late parcels caused 12% of all complaints.",
        "Satisfaction is 71.9% because of the strike.",
        "Orders rose by 40 due to the campaign.",
        "The change led to 3 points more.",
        "Thanks to the training 80.1% were kept.",
        "Price drives 40% of churn.",
        "Kepuasan turun 4 poin karena kurir terlambat.",
        "Keterlambatan menyebabkan 12% keluhan.",
        "12 pelanggan pergi akibat harga.",
    ],
)
def test_a_cause_needs_a_causal_design(tmp_path, sentence):
    assert wrong(tmp_path, figure(sentence), shown(sentence)) == ["names a"]
    assert wrong(tmp_path, figure("Fine.", note=sentence), shown()) == ["names a"]
    assert wrong(tmp_path, figure(sentence), shown(sentence, design="randomised")) == []
    assert wrong(tmp_path, f"<p>{sentence}</p>") == ["names a"]  # prose with a number


def test_a_headline_needs_the_design_also_where_it_has_no_number(tmp_path):
    said = "Late parcels caused most complaints."
    assert wrong(tmp_path, figure(said), shown(said)) == ["names a"]
    assert wrong(tmp_path, figure(said), shown(said, design="randomised")) == []
    assert wrong(tmp_path, figure("Fine.", note="Left out because of a strike."), shown()) == []


@pytest.mark.parametrize(
    "html",
    [
        "<p>A difference between regions is no effect of the region.</p>",
        "<p>How much of it is caused by lateness only a trial can say.</p>",  # no number
        "<p>30 promises were due to arrive in 2018Q1.</p>",
        "<p>Rows are set aside because they break 1 of 3 rules.</p>",
        "<blockquote>rusak 2 kali karena kurir</blockquote>",  # what a customer says
        "<table><tr><td>caused by 3 things</td></tr></table>",
        "<pre>because of 3</pre><svg><text>caused 3</text></svg><style>a{b:caused 3}</style>",
        '<div class="cx cx-failed"><p>ValueError: caused by 3 rows</p></div>',
        "<p>Significant others are not counted.</p>",
    ],
)
def test_limits_quotations_tables_and_code_claim_nothing(tmp_path, html):
    assert wrong(tmp_path, html) == []


def test_significant_needs_an_interval_and_a_base(tmp_path):
    said = "The difference is significant."
    bare = {**shown().rows[0], "conf_low": None}
    assert wrong(tmp_path, figure(said), shown(said)) == []
    assert wrong(tmp_path, figure(said), shown(said, rows=[bare])) == ["says 'significant',"]
    assert wrong(tmp_path, figure(said), shown(said, rows=[])) == ["says 'significant',"]
    assert wrong(tmp_path, '<p class="cx-lead">Turun secara signifikan.</p>') == [
        "says 'significant',"
    ]


def test_no_change_is_stated_across_a_break(tmp_path):
    broken = "the scale was 0 to 10 in 2017Q4"
    change = {**shown().rows[0], "metric": "csat.change"}
    fine = f"75.0% gave 4 or 5; {broken}, so there is nothing to compare with."
    assert wrong(tmp_path, figure(fine), shown(fine, breaks=broken)) == []
    stated = "75.0% gave 4 or 5, higher than in 2017Q4."
    assert wrong(tmp_path, figure(stated), shown(stated, breaks=broken)) == ["states a"]
    assert wrong(tmp_path, figure(fine), shown(fine, breaks=broken, rows=[change])) == ["states a"]
    assert wrong(tmp_path, figure(stated), shown(stated)) == []


def test_the_first_page_is_held_to_the_result_it_links_to(tmp_path):
    said = "The voucher caused 40 orders more."
    item = (
        f'<section class="cx cx-answer"><ol><li><a href="40.html#f1">{said}</a></li></ol></section>'
    )
    result = shown(said, design="randomised")
    assert wrong(tmp_path, item, result, page="index.html") == []
    assert wrong(tmp_path, item.replace("#f1", "#f2"), result, page="index.html") == ["names a"]


def test_the_refusal_names_page_sentence_and_what_to_do(tmp_path):
    (tmp_path / "40.html").write_text("<p>Rain caused 3 delays.</p><p>It was due to 4 storms.</p>")
    with pytest.raises(RunError, match=r"40\.html: 'Rain caused 3 delays\.' names a cause") as told:
        check_claims(tmp_path, [])
    assert "Say what goes with what" in str(told.value)
    assert "4 storms" in str(told.value)
    check_claims(tmp_path, [], errors=["Rain caused 3 delays.", "It was due to 4 storms."])
