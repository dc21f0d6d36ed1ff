"""An attribute is a table of groups, or a reason why there is none."""

import pandas as pd
import pytest

from cxlab.data.engine import Engine, frame
from cxlab.errors import Withheld
from cxlab.segments import attribute

PEOPLE = pd.DataFrame(
    {"customer_id": ["a", "b"], "region": ["SP", None], "plan": pd.Series([None, None], dtype=str)}
)


def test_each_customer_keeps_their_value(engine: Engine):
    found = frame(attribute(engine.table(PEOPLE), "region"), limit=10)
    assert found.set_index("customer_id")["region"]["a"] == "SP"
    assert len(found) == 2


@pytest.mark.parametrize("name", ["age_group", "plan"])
def test_what_is_known_of_nobody_is_a_reason(engine: Engine, name):
    with pytest.raises(Withheld, match=f"have no {name.replace('_', ' ')}"):
        attribute(engine.table(PEOPLE), name)
