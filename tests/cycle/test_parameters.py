import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlab.cycle.parameters import REQUIRED, Parameter, check_parameters, declared_parameters
from cxlab.errors import ParameterError

CELL = """study: str = "params/sample"  # which study
cycle: str  # which cycle; its [start, end) follows
calibration: int = 7  # renewals # used
share: float = 0.5
level: Literal["low", "high"] = "low"
weeks: list[int] = [4, 13]
limit: int | None = None
loose = "a=b"
"""


@pytest.fixture
def declared(tmp_path, make_notebook):
    return declared_parameters(make_notebook(tmp_path / "40_churn.ipynb", CELL, "1/0"))


def check(declared, **given):
    return check_parameters(declared, {"cycle": "2018Q1", **given}, notebook="40_churn.ipynb")


def test_each_line_gives_name_type_default_and_help(declared):
    assert declared["study"] == Parameter("study", "str", "params/sample", "which study")
    assert declared["cycle"].default is REQUIRED
    assert declared["calibration"].help == "renewals # used"
    assert declared["level"].annotation == "Literal['low', 'high']"
    assert declared["weeks"].default == [4, 13]
    assert declared["loose"] == Parameter("loose", "", "a=b", "")
    assert next(iter(declared)) == "study"


def test_the_cell_is_never_run(tmp_path, make_notebook):
    path = make_notebook(tmp_path / "a.ipynb", "n: int = __import__('os').getpid()")
    with pytest.raises(ParameterError, match=r"plain value.*Derive it in the next cell"):
        declared_parameters(path)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("for i in range(3): pass", "line 1 reads"),
        ("a = b = 1", "'a = b = 1'"),
        ("x: int = ", "line 1 is not"),
        ("x: int = 'five'", "default of 'x' must be int, but is 'five'"),
        ("x: date = '2018-01-01'", "parameter 'x': .*dates as str in ISO form"),
        ("x: tuple[int] = [1]", r"tuple\[\.\.\.\]"),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_with_its_place(
    tmp_path, make_notebook, cell, message
):
    with pytest.raises(ParameterError, match=message) as refusal:
        declared_parameters(make_notebook(tmp_path / "10_who.ipynb", cell))
    assert str(refusal.value).startswith("10_who.ipynb")


def test_a_notebook_without_the_tag_takes_nothing(tmp_path):
    path = tmp_path / "plain.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("a = 1")]), path)
    assert declared_parameters(path) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', "\x00"])
def test_a_file_that_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"broken\.ipynb must be a notebook"):
        declared_parameters(path)


def test_two_tagged_cells_are_refused(tmp_path, make_notebook):
    path = make_notebook(tmp_path / "two.ipynb", "a = 1")
    content = json.loads(path.read_text())
    content["cells"] *= 2
    path.write_text(json.dumps(content))
    with pytest.raises(ParameterError, match="has 2"):
        declared_parameters(path)


def test_an_unknown_name_is_refused_with_the_nearest_one(declared):
    with pytest.raises(ParameterError) as refusal:
        check(declared, calibratoin=3)
    assert str(refusal.value) == (
        "40_churn.ipynb has no parameter ['calibratoin']. It takes ['calibration', 'cycle', "
        "'level', 'limit', 'loose', 'share', 'study', 'weeks']. Did you mean 'calibration'?"
    )


@pytest.mark.parametrize(
    "given",
    [
        {"calibration": "five"},
        {"calibration": True},
        {"calibration": 1.5},
        {"calibration": None},
        {"share": "0.5"},
        {"share": False},
        {"share": float("nan")},
        {"study": 3},
        {"level": "middle"},
        {"weeks": 4},
        {"weeks": [4, "13"]},
        {"weeks": [True]},
        {"limit": "none"},
        {"loose": object()},
        {"loose": {1: "a"}},
    ],
)
def test_a_value_of_the_wrong_type_is_refused(declared, given):
    (name,) = given
    with pytest.raises(ParameterError, match=f"40_churn.ipynb: parameter '{name}' must be"):
        check(declared, **given)


@pytest.mark.parametrize(
    "given",
    [
        {"calibration": -3},
        {"share": 1},
        {"level": "high"},
        {"weeks": []},
        {"limit": None},
        {"limit": 5},
        {"study": "2018-01-01"},
        {"loose": {"a": [1, None]}},
    ],
)
def test_a_value_that_fits_is_passed_on_as_it_is(declared, given):
    assert check(declared, **given) == {"cycle": "2018Q1", **given}


def test_a_missing_value_is_named(declared):
    with pytest.raises(ParameterError, match=r"needs a value for \['cycle'\]"):
        check_parameters(declared, {"study": "s"}, notebook="40_churn.ipynb")


@given(st.integers() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.none())
def test_what_an_int_takes_is_an_int_and_no_truth_value(value):
    declared = {"n": Parameter("n", "int", 1, "")}
    if type(value) is int:
        assert check_parameters(declared, {"n": value}, notebook="a") == {"n": value}
    else:
        with pytest.raises(ParameterError):
            check_parameters(declared, {"n": value}, notebook="a")
