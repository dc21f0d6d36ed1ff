"""The rules of disclosure control, as the trust chapter prints them."""

import pytest

from cxlab import trust
from cxlab.data.settings import Settings
from cxlab.report.disclosure import Policy
from cxlab.workbench import policy_of

RULES = ["small group", "one large customer", "two large customers", "complementary"]


def settings(**privacy: object) -> Settings:
    return Settings.model_validate({"title": "A study", "raw": ".", "privacy": privacy})


def test_the_rules_are_listed_with_the_numbers_of_the_study():
    found = trust.suppression(settings(min_cell=20, dominance={"top1": 0.5, "top2": 0.6}))
    table = found.table().set_index("rule")
    assert table.index.tolist() == [*RULES, "other side of a share"]
    assert table["value"]["small group"] == "fewer than 20 people"
    assert table["value"]["one large customer"] == "above 50.0%"
    assert "no metric is excepted" in found.sentence()


def test_an_exception_is_listed_with_its_reason():
    reason = "Cancelled orders are counted for the bank, by contract."
    found = trust.suppression(
        settings(exceptions=[{"metric": "orders.cancelled", "reason": reason}])
    )
    last = found.table().iloc[-1]
    assert (last["rule"], last["meaning"]) == ("exception: orders.cancelled", reason)
    assert "1 metric is excepted" in found.sentence()


@pytest.mark.parametrize(
    "privacy",
    [
        {"exceptions": [{"metric": "orders.cancelled"}]},  # no reason
        {"exceptions": [{"metric": "orders.cancelled", "reason": "because"}]},  # nor is this one
        {"dominance": {"top1": 0.9, "top2": 0.8}},
        {"dominance": {"top1": 0}},
    ],
)
def test_a_rule_or_an_exception_that_cannot_stand_is_refused(privacy):
    with pytest.raises(ValueError, match=r"reason|top1|top2"):
        settings(**privacy)


def test_what_is_shown_follows_the_settings():
    reason = "Cancelled orders are counted for the bank, by contract."
    chosen = settings(
        min_cell=7,
        dominance={"top1": 0.6, "top2": 0.8},
        both_sides=True,
        exceptions=[{"metric": "orders.cancelled", "reason": reason}],
    )
    assert policy_of(chosen.privacy) == Policy(
        min_cell=7, top1=0.6, top2=0.8, both_sides=True,
        exceptions=frozenset({"orders.cancelled"}),
    )  # fmt: skip
    assert policy_of(settings().privacy) == Policy()
