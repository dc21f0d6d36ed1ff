"""The first page: what moved, the bad news first, and never a number of its own."""

import html
import re

import pandas as pd
import pytest

from cxlab.columns import FINDING
from cxlab.cycle.findings import Shown
from cxlab.cycle.index import measures, opening
from cxlab.data.settings import Settings
from cxlab.report.tiles import tiles

HREF = {"40_feedback": "40_feedback.html"}


def findings(**metrics: tuple[float, float, float]) -> pd.DataFrame:
    rows = [
        ("40_feedback", name.replace("__", "."), 1, "{}", *values, 0.95, 100.0, "share", "m", False)
        for name, values in metrics.items()
    ]
    return pd.DataFrame(rows, columns=list(FINDING))


def settings(**directions: str) -> Settings:
    kpis = {
        name: {
            "name": name.capitalize(),
            "metric": f"{name}.share",
            "change": f"{name}.change",
            "direction": direction,
            "owner": "A",
        }
        for name, direction in directions.items()
    }
    return Settings(title="A", raw="raw", kpis=kpis)


def answer(found: pd.DataFrame, **directions: str) -> str:
    made = measures(settings(**directions), found, previous="2017Q4", earlier=[], href=HREF)
    return html.unescape(re.sub(r"<[^>]+>", "", opening(made, [], HREF)))


UP, DOWN, STILL = (0.05, 0.02, 0.08), (-0.05, -0.08, -0.02), (0.01, -0.02, 0.04)
VALUE = (0.8, 0.75, 0.85)


def test_what_got_worse_comes_before_what_got_better():
    found = findings(kept__share=VALUE, kept__change=UP, happy__share=VALUE, happy__change=DOWN)
    said = answer(found, kept="up", happy="up")
    assert said.index("appy (−5.0 points) fell") < said.index("kept (+5.0 points) rose")


def test_a_fall_is_good_where_less_is_better():
    found = findings(late__share=VALUE, late__change=DOWN)
    (made,) = measures(settings(late="down"), found, previous="2017Q4", earlier=[], href=HREF)
    assert made.verdict == "Improved"


def test_an_interval_with_zero_inside_is_no_change():
    found = findings(kept__share=VALUE, kept__change=STILL)
    assert answer(found, kept="up") == "No key measure changed clearly (kept)."


def test_measures_that_cannot_be_compared_are_not_passed_over():
    found = findings(kept__share=VALUE, kept__change=STILL, late__share=VALUE)
    said = answer(found, kept="up", late="down", happy="up")
    assert said.startswith("No key measure changed clearly (kept)")
    assert said.endswith("2 of 3 measures could not be compared.")


def test_no_finding_of_the_first_page_tells_of_consents_or_tables():
    def shown(metric: str) -> Shown:
        return Shown(
            chapter="40_feedback", kind="result", anchor="", suppressed_cells=0,
            sentence=f"Said of {metric}.", rows=[{"metric": metric, "dims": {}}],
        )  # fmt: skip

    made = measures(settings(), findings(), previous="2017Q4", earlier=[], href=HREF)
    said = opening(made, [shown(m) for m in ("consent.flow", "trust.rows_in", "a.share")], HREF)
    assert "Said of a.share." in said
    assert "consent.flow" not in said and "trust.rows_in" not in said


def test_without_an_earlier_cycle_the_values_are_told():
    said = answer(findings(kept__share=VALUE), kept="up")
    assert "no earlier cycle to compare with" in said
    assert "80.0%" in said


def test_without_any_number_the_answer_says_so():
    assert "No key measure of this study could be computed" in answer(findings(), kept="up")


@pytest.mark.parametrize("missing", [float("nan")])
def test_a_withheld_measure_is_a_tile_with_its_reason(missing):
    found = findings(kept__share=(missing, missing, missing), kept__change=UP)
    (made,) = measures(settings(kept="up"), found, previous="2017Q4", earlier=[], href=HREF)
    assert made.value is None
    assert made.verdict == ""
    assert made.tile.withheld


def test_a_number_of_one_group_is_not_taken_for_that_of_everybody():
    found = findings(kept__share=VALUE).assign(dims='{"s": "a"}')
    (made,) = measures(settings(kept="up"), found, previous="2017Q4", earlier=[], href=HREF)
    assert made.value is None


def test_a_tile_has_the_numbers_of_the_findings_and_of_earlier_cycles():
    found = findings(kept__share=VALUE, kept__change=UP)
    past = [findings(kept__share=(x, x, x)) for x in (0.6, 0.7)]
    (made,) = measures(settings(kept="up"), found, previous="2017Q4", earlier=past, href=HREF)
    tile = made.tile
    assert (tile.estimate, tile.conf_low, tile.conf_high) == VALUE
    assert (tile.change, tile.change_low, tile.change_high) == UP
    assert list(tile.history)[:2] == [0.6, 0.7]
    assert (tile.since, tile.href) == ("2017Q4", "40_feedback.html")


def test_one_measure_among_five_needs_more_than_its_own_interval():
    alone = (0.03, 0.002, 0.058)
    kept = {"kept__share": VALUE, "kept__change": alone}
    others = {
        f"{n}__{part}": x for n in "abcd" for part, x in (("share", VALUE), ("change", STILL))
    }
    (single,) = measures(
        settings(kept="up"), findings(**kept), previous="2017Q4", earlier=[], href=HREF
    )
    assert single.verdict == "Improved"
    made = measures(
        settings(kept="up", a="up", b="up", c="up", d="up"),
        findings(**kept, **others),
        previous="2017Q4",
        earlier=[],
        href=HREF,
    )
    assert {m.verdict for m in made} == {"No clear change"}
    shown = tiles(m.tile for m in made)
    assert shown.count("Clear on its own, but not with all measures looked at together.") == 1
    assert "held" not in answer(findings(**kept, **others), kept="up", a="up", b="up")


def test_the_small_line_ends_in_this_cycle():
    found = findings(kept__share=VALUE, kept__change=UP)
    before = [findings(kept__share=(x, x, x)) for x in (0.1, 0.2)]
    (made,) = measures(settings(kept="up"), found, previous="2017Q4", earlier=before, href=HREF)
    assert made.tile.history == [0.1, 0.2, 0.8]


def test_a_measure_on_a_withheld_table_shows_no_number_whatever_was_found():
    found = findings(kept__share=VALUE, kept__change=UP)
    (made,) = measures(
        settings(kept="up"), found, previous="2017Q4", earlier=[], href=HREF,
        withheld=lambda kpi: f"{kpi.metric} rests on orders, which is withheld.",
    )  # fmt: skip
    assert (made.value, made.verdict) == (None, "")
    shown = tiles([made.tile])
    assert "Withheld" in shown
    assert "kept.share rests on orders" in shown
    assert "80.0%" not in shown


def test_numbers_of_two_definitions_are_not_called_a_change():
    found = findings(kept__share=VALUE, kept__change=UP).assign(version=2)
    before = findings(kept__share=(0.7, 0.6, 0.8))
    (made,) = measures(settings(kept="up"), found, previous="2017Q4", earlier=[before], href=HREF)
    assert (made.change, made.verdict, made.tile.history) == (None, "", [0.8])
    assert "Defined differently before" in tiles([made.tile])
    assert "Improved" not in tiles([made.tile])


def test_only_cycles_of_the_same_definition_are_in_the_small_line():
    found = findings(kept__share=VALUE, kept__change=UP).assign(version=2)
    before = [findings(kept__share=(x, x, x)).assign(version=v) for x, v in ((0.1, 1), (0.2, 2))]
    (made,) = measures(settings(kept="up"), found, previous="2017Q4", earlier=before, href=HREF)
    assert made.tile.history == [0.2, 0.8]
    assert made.verdict == "Improved"


def test_what_stands_on_no_tile_as_a_change_heads_no_first_page():
    def shown(*metrics: str) -> Shown:
        return Shown(
            chapter="40_feedback", kind="result", anchor="", suppressed_cells=0,
            sentence=f"Said of {metrics[0]}.", rows=[{"metric": m, "dims": {}} for m in metrics],
        )  # fmt: skip

    found = findings(kept__share=VALUE, kept__change=UP).assign(version=2)
    before = findings(kept__share=(0.7, 0.6, 0.8))
    for earlier, expected in (([before], False), ([before.assign(version=2)], True)):
        made = measures(settings(kept="up"), found, previous="2017Q4", earlier=earlier, href=HREF)
        said = opening(made, [shown("kept.share", "kept.change"), shown("a.share")], HREF)
        assert ("Said of kept.share." in said) is expected
        assert "Said of a.share." in said
