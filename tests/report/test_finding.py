"""What is displayed is what is recorded, and small groups are neither."""

import json

import numpy as np
import pandas as pd
import pytest

from cxlab.errors import ConvergenceError, DataError, Withheld
from cxlab.report import finding
from cxlab.report.finding import MIMETYPE, Card, Result, estimate_row, optional, show


class Said(Result):
    def sentence(self) -> str:
        return "A number."


def result(**counts: float) -> Said:
    rows = [
        estimate_row("orders.count", n, n - 1, n + 1, n=n, unit="count", method="counted", s=name)
        for name, n in counts.items()
    ]
    return Said(estimates=pd.DataFrame(rows))


@pytest.fixture
def shown(monkeypatch):
    """Collect what is displayed in place of a notebook."""
    bundles: list = []

    def keep(item, *, raw=False):
        bundles.append(item if raw else item._repr_mimebundle_())

    monkeypatch.setattr("IPython.display.display", keep)
    monkeypatch.setattr(finding, "_publishing", finding._Publishing(components=False))
    return bundles


def test_a_result_is_displayed_as_page_line_and_record(shown):
    show(result(a=50, b=60))
    (bundle,) = shown
    assert set(bundle) == {"text/html", "text/plain", MIMETYPE}
    assert bundle["text/plain"] == "A number."
    rows = bundle[MIMETYPE]["rows"]
    assert [row["dims"] for row in rows] == [{"s": "a"}, {"s": "b"}]
    assert [row["estimate"] for row in rows] == [50, 60]
    assert set(rows[0]) == {
        "metric", "dims", "estimate", "conf_low", "conf_high", "n", "level", "unit", "method",
        "suppressed", "version",
    }  # fmt: skip


def test_a_small_group_is_in_no_part_of_the_display(shown):
    show(result(few=3, some=4321, many=98765))
    text = json.dumps(shown[0])
    assert "4321" not in text
    assert "4,321" not in text
    assert shown[0][MIMETYPE]["suppressed_cells"] == 2


def test_the_same_holds_without_show(shown):
    text = json.dumps(result(few=3, some=4321, many=98765)._repr_mimebundle_())
    assert "4321" not in text


def test_each_result_of_a_session_has_an_anchor_of_its_own(shown):
    show(result(a=50))
    show(result(a=50))
    assert len({bundle[MIMETYPE]["anchor"] for bundle in shown}) == 2


def test_a_title_takes_the_place_of_the_sentence_also_in_the_record(shown):
    show(result(a=50), title="Another headline")
    assert shown[0][MIMETYPE]["sentence"] == shown[0]["text/plain"] == "Another headline"


@pytest.mark.parametrize("fault", [Withheld, ConvergenceError])
def test_what_cannot_be_computed_becomes_a_card_with_the_reason(shown, fault):
    with optional("NPS"):
        raise fault("nobody was <asked>")
    assert shown[0][MIMETYPE] == {
        "kind": "card", "title": "NPS", "reason": "nobody was <asked>", "rows": [],
    }  # fmt: skip
    assert "nobody was &lt;asked&gt;" in shown[0]["text/html"]


@pytest.mark.parametrize("fault", [DataError, ValueError, KeyError])
def test_a_fault_stays_a_fault(shown, fault):
    with pytest.raises(fault), optional("NPS"):
        raise fault("broken")
    assert shown == []


@pytest.mark.parametrize(
    ("value", "recorded"),
    [(np.nan, None), (np.inf, None), (-np.inf, None), (3.0, 3), (0.25, 0.25), (2.0**60, 2.0**60)],
)
def test_numbers_are_recorded_as_json_can_hold_them(value, recorded):
    row = estimate_row("m.x", value, value, value, n=50, unit="count", method="m")
    (found,) = Said(estimates=pd.DataFrame([row])).findings()
    assert found["estimate"] == recorded
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_group_without_a_name_is_everybody():
    row = estimate_row("m.x", 1, 0, 2, n=50, unit="count", method="m", segment=None)
    assert Said(estimates=pd.DataFrame([row])).findings()[0]["dims"] == {}


def test_the_people_behind_a_row_are_its_base_unless_said():
    row = estimate_row("m.x", 0.1, 0, 1, n=50, unit="share", method="m")
    assert row["count"] == 50
    assert estimate_row("m.x", 0.1, 0, 1, n=50, count=5, unit="share", method="m")["count"] == 5


def test_a_card_is_a_line_of_text_in_a_terminal():
    assert Card(title="NPS", reason="no")._repr_mimebundle_()["text/plain"] == "NPS: no"
