"""Charts draw the rows they get, say what is withheld, and can be read by everybody."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cxlab.errors import ParameterError
from cxlab.report import charts, theme

NAMES = ["Loyal", "New", "Lost"]
FRAME = pd.DataFrame(
    {
        "segment": NAMES,
        "estimate": [0.784, 0.612, np.nan],
        "conf_low": [0.767, 0.55, np.nan],
        "conf_high": [0.80, 0.67, np.nan],
        "before": [0.75, 0.65, np.nan],
        "reached": [784, 612, np.nan],
        "of_before": [np.nan, 0.78, np.nan],
        "step": [1, 2, 3],
        "to": ["A", "A", "A"],
        "suppressed": [False, False, True],
    }
)
BAND = {"low": "conf_low", "high": "conf_high"}
FORMS = {
    "dots": lambda f: charts.dots(f, label="segment", unit="share", reference=0.7),
    "bars": lambda f: charts.bars(f, label="segment", unit="share", **BAND),
    "diverging": lambda f: charts.diverging(f, label="segment", unit="share"),
    "paired": lambda f: charts.paired(
        f, label="segment", before="before", now="estimate", unit="share"
    ),
    "columns": lambda f: charts.columns(f, x="segment", unit="share", **BAND),
    "curve": lambda f: charts.curve(f, x="step", unit="share", **BAND),
    "lines": lambda f: charts.curve(f, x="step", unit="share", group="segment"),
    "waterline": lambda f: charts.waterline(f, label="segment", part="to"),
    "waterfall": lambda f: charts.waterfall(f, label="segment", unit="share", ends=("", "")),
    "heatmap": lambda f: charts.heatmap(f, row="segment", column="to", unit="share"),
    "steps": lambda f: charts.steps(f, label="segment"),
}
SIZES = [theme.WIDE, theme.NARROW]


def drawn(form: str, frame: pd.DataFrame, size: theme.Canvas = theme.WIDE) -> Axes:
    with theme.canvas(size):
        return FORMS[form](frame)


def words(ax: Axes) -> list[str]:
    return [t.get_text() for t in ax.texts]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", FORMS)
def test_a_withheld_row_keeps_its_place_and_says_so(form, size):
    ax = drawn(form, FRAME, size)
    assert "withheld" in " ".join(words(ax))
    assert ax.get_legend() is None
    assert ax.get_title() == ""


@pytest.mark.parametrize("form", ["dots", "bars", "diverging", "paired", "columns"])
def test_a_withheld_row_has_no_mark(form):
    ax = drawn(form, FRAME)
    bars = [p for p in ax.patches if isinstance(p, Rectangle)]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    marks = {"paired": 2 * 2, "bars": 2, "columns": 2, "diverging": 2, "dots": 2}
    assert len(bars) + len(dots) == marks[form]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_but_withheld_rows_and_no_rows_at_all_can_be_drawn(form, size):
    gone = FRAME.assign(estimate=np.nan, suppressed=True)
    assert isinstance(drawn(form, gone, size), Axes)
    assert isinstance(drawn(form, FRAME.head(0), size), Axes)


@pytest.mark.parametrize("form", ["dots", "bars", "diverging", "paired"])
def test_a_long_run_of_withheld_rows_is_one_row_that_names_them(form):
    gone = FRAME.tail(1).assign(segment="x")
    names = [gone.assign(segment=f"tiny {i}") for i in range(5)]
    ax = drawn(form, pd.concat([FRAME.head(1), *names, FRAME.head(2)], ignore_index=True))
    said = words(ax)
    assert said.count("withheld") == 1
    assert any(text.startswith("5 groups: tiny 0, tiny 1") for text in said)
    assert said.index("Loyal") < said.index("withheld") < said.index("New")


@pytest.mark.parametrize("form", FORMS)
def test_a_number_marked_as_suppressed_is_not_drawn_even_if_it_is_there(form):
    ax = drawn(form, FRAME.assign(estimate=[0.784, 0.612, 0.333]))
    assert not any("33.3" in text for text in words(ax))


@pytest.mark.parametrize("form", FORMS)
def test_inputs_are_not_changed(form):
    before = FRAME.copy(deep=True)
    drawn(form, FRAME)
    pd.testing.assert_frame_equal(FRAME, before)


def test_values_stay_shares_and_only_the_axis_says_percent():
    ax = drawn("bars", FRAME)
    ticks = [t.get_text() for t in ax.get_xticklabels()]
    assert ticks[:2] == ["0%", "20%"]
    assert ax.get_xlim()[1] <= 1.0
    assert "78.4%" in words(ax)


def test_differences_carry_a_sign_a_true_minus_and_points_instead_of_percent():
    ax = drawn("diverging", FRAME.assign(estimate=[0.041, -0.012, np.nan]))
    assert {"+4.1", "−1.2"} <= set(words(ax))
    assert ax.get_xlabel() == "Change, percentage points"
    assert not any("%" in t.get_text() for t in ax.get_xticklabels())


def test_a_step_shows_how_many_reached_it_and_what_was_lost_since_the_one_before():
    ax = drawn("steps", FRAME)
    assert {"784", "612 (78.0%)"} <= set(words(ax))
    lost = [p for p in ax.patches if p.get_width() > 0.7]
    assert [p.get_width() for p in lost] == pytest.approx([0.784, 0.612 / 0.78])


def test_height_follows_the_number_of_rows():
    def height(rows: int) -> float:
        frame = pd.concat([FRAME] * rows, ignore_index=True)
        return drawn("dots", frame).get_figure().get_size_inches()[1]

    assert height(4) - height(3) == pytest.approx(height(3) - height(2))
    assert height(4) > height(1) * 2


def test_rows_of_the_same_name_stay_apart():
    ax = drawn("dots", pd.concat([FRAME, FRAME], ignore_index=True))
    assert words(ax).count("Loyal") == 2


def test_columns_too_slim_for_their_words_become_rows():
    frame = pd.DataFrame({"day": [f"a day called {i}" for i in range(12)], "estimate": range(12)})
    with theme.canvas(theme.NARROW):
        ax = charts.columns(frame, x="day", unit="count")
    assert "a day called 11" in words(ax)
    assert ax.patches[11].get_width() == 11  # a bar lies where a column stands


def test_names_of_lines_that_end_together_do_not_overlap():
    frame = pd.DataFrame(
        {"x": [0, 1] * 4, "estimate": [1, 0.5, 1, 0.501, 1, 0.502, 1, 0.0], "g": list("aabbccdd")}
    )
    with theme.canvas(theme.WIDE):
        ax = charts.curve(frame, x="x", unit="share", group="g")
    heights = sorted(t.get_position()[1] for t in ax.texts if t.get_text()[0] in "abcd")
    assert min(np.diff(heights)) >= 17  # pixels; a line of text is 18 high


def test_an_unknown_column_is_refused_and_the_known_ones_named():
    with pytest.raises(ParameterError, match=r"\['segmnt'\] are not among \['segment'"):
        charts.dots(FRAME, label="segmnt", unit="share")


def test_a_chart_on_given_axes_draws_there():
    with theme.canvas(theme.WIDE):
        ax = charts.bars(FRAME, label="segment", unit="share")
        assert charts.dots(FRAME, label="segment", unit="share", ax=ax) is ax


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    light, dark = sorted([luminance(a), luminance(b)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_words_have_a_contrast_of_four_and_a_half_and_marks_of_three(shade):
    def pick(colour: str) -> str:
        return colour if shade == "light" else theme.DARK[colour]

    for colour in (theme.INK, theme.MUTED, *theme.SERIES):
        assert contrast(pick(colour), pick(theme.PAPER)) >= 4.5, colour
    assert contrast(pick(theme.SUBTLE), pick(theme.PAPER)) >= 3
    for depth, step in enumerate(theme.STEPS):
        ink = theme.ON_DEEP if depth >= 5 else theme.ON_PALE
        assert contrast(pick(ink), pick(step)) >= 4.5, step


# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def lab(colour: str, kind: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(BLINDNESS[kind]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt((np.array(to_xyz) @ seen) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("shade", ["light", "dark"])
def test_lines_can_be_told_apart_without_red_or_green(kind, shade):
    colours = [c if shade == "light" else theme.DARK[c] for c in theme.SERIES[:4]]
    for a, b in itertools.combinations(colours, 2):
        # 2.3 is a just noticeable difference in Lab; six of them let thin lines be told apart.
        assert np.linalg.norm(lab(a, kind) - lab(b, kind)) > 14, (a, b)


@pytest.mark.parametrize("form", ["dots", "bars"])
def test_the_outermost_ticks_of_a_phone_are_not_cut(form):
    """Ticks of seven digits are wider than the margin of a narrow chart."""
    frame = pd.DataFrame(
        {"label": ["a", "b"], "estimate": [1.06e6, 1.39e6], "conf_low": [1.01e6, 1.3e6],
         "conf_high": [1.2e6, 1.4e6]}
    )  # fmt: skip
    with theme.canvas(theme.NARROW):
        ax = getattr(charts, form)(frame, label="label", unit="IDR")
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    labels = [label for label in ax.get_xticklabels() if label.get_text() and label.get_visible()]
    ends = [label.get_window_extent() for label in labels]
    wide = figure.get_window_extent()
    assert len(ends) > 1
    assert min(end.x0 for end in ends) >= wide.x0 - 1  # a pixel of what letters are thought to be
    assert max(end.x1 for end in ends) <= wide.x1 + 1
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(ends))
