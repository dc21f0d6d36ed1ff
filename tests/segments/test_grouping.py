"""A name in the settings finds a set of segments first, then a column."""

import pandas as pd
import pytest

from cxlab.data.engine import frame
from cxlab.errors import ParameterError
from cxlab.segments import grouping

PEOPLE = pd.DataFrame({"customer_id": ["a", "b"], "age": [20, 60], "region": ["N", "S"]})
SETS = {"age_group": {"young": "age < 30", "older": "age >= 30"}}


@pytest.mark.parametrize(
    ("name", "groups"), [("age_group", ["young", "older"]), ("region", ["N", "S"])]
)
def test_a_set_and_a_column_are_found_by_name(name: str, groups: list[str]) -> None:
    found = grouping(PEOPLE, name, segments=SETS)
    assert found is not None
    assert list(frame(found, limit=9)[name]) == groups


def test_no_name_is_no_grouping() -> None:
    assert grouping(PEOPLE, None, segments=SETS) is None


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ParameterError, match="Did you mean 'age_group'"):
        grouping(PEOPLE, "age_grop", segments=SETS)
