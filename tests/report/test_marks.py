"""A matrix of states: a symbol in each cell, a word where there is room, never colour alone."""

import pandas as pd
import pytest

from cxlab.errors import ParameterError
from cxlab.report import charts, theme
from cxlab.report.charts.marks import MARKS

TABLES = ("orders", "subscription_changes", "order_lines")
CHECKS = ("freshness", "volume", "completeness", "duplicates", "references", "range", "drift")
STATES = tuple(MARKS)
FRAME = pd.DataFrame(
    [
        {"table": t, "check": c, "state": STATES[(i + j) % 4]}
        for i, t in enumerate(TABLES)
        for j, c in enumerate(CHECKS)
    ]
)


def words(frame: pd.DataFrame, size: theme.Canvas) -> list[str]:
    with theme.canvas(size):
        return [t.get_text() for t in charts.matrix(frame, row="table", column="check").texts]


@pytest.mark.parametrize("size", [theme.WIDE, theme.NARROW])
def test_every_cell_has_the_symbol_of_its_state(size):
    shown = [text.split()[0] for text in words(FRAME, size) if text[0] in MARKS.values()]
    expected = FRAME["state"].map(MARKS).tolist()
    assert sorted(shown) == sorted([*expected, MARKS["fail"]])  # and the key, which begins so


def test_a_wide_cell_says_the_word_and_a_slim_one_leaves_it_to_the_key():
    assert "× fail" in words(FRAME, theme.WIDE)
    narrow = words(FRAME, theme.NARROW)
    assert "× fail" not in narrow
    assert any("× fail   ▲ warn   ✓ pass   – not checked" in text for text in narrow)


def test_only_states_that_occur_are_in_the_key():
    passed = FRAME.assign(state="pass")
    assert "✓ pass" in words(passed, theme.NARROW)
    assert not any("fail" in text for text in words(passed, theme.NARROW))


def test_an_unknown_state_is_refused():
    with pytest.raises(ParameterError, match=r"must be one of .* but there is \['maybe'\]"):
        words(FRAME.assign(state="maybe"), theme.WIDE)
