"""The catalogue holds every metric that is shown, in its unit, and nothing else."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import cxlab as cx
from cxlab import trust
from cxlab.data.calendar import parse_cycle
from cxlab.data.lab import Lab
from cxlab.data.model import contracts
from cxlab.metrics import FAMILIES, metrics, version_of
from cxlab.report import finding
from cxlab.report.finding import Result, estimate_row
from tests import test_every_measure as suite
from tests.churn import test_drivers as leaving

lab, shop = suite.lab, suite.shop  # its fixtures, and so its tables

UNITS = {
    "share", "points", "score", "mean", "nps", "p", "count", "days", "hours", "minutes", "money",
    "any",
}  # fmt: skip
CYCLE = parse_cycle("2026Q2")


@pytest.fixture(scope="module")
def shown(lab: Lab, shop: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every metric and unit that the public analyses make of the made-up shop."""
    tables = suite.lying(shop)
    made = [analyse(dict(tables), lab.cycle) for analyse in suite.ANALYSES.values()]
    made += [*_trust(lab), *_not_in_the_shop(shop)]
    return pd.concat([r.estimates[["metric", "unit"]] for r in made]).drop_duplicates()


def _trust(lab: Lab) -> Iterator[Result]:
    yield trust.reasons(lab.snapshot)
    yield trust.rows(lab.snapshot)
    yield trust.freshness(lab.snapshot)
    yield trust.sources(lab.snapshot)
    yield trust.quality(lab.snapshot)
    masked = {**lab.snapshot.records, "masked": [{"kind": "email", "rows": 3}]}
    yield trust.masked(replace(lab.snapshot, records=masked))


def _not_in_the_shop(tables: dict[str, pd.DataFrame]) -> Iterator[Result]:
    """Analyses of what the made-up shop does not record."""
    days = [CYCLE.start + timedelta(days=i) for i in (1, -80)]
    effort = pd.DataFrame(
        [
            {
                "response_id": f"{day}{i}", "question": "easy", "customer_id": f"c{i}",
                "answered_at": day, "construct": "ces", "value": 1.0 + i % 7,
                "scale_min": 1.0, "scale_max": 7.0, "survey": "s",
            }
            for day in days
            for i in range(40)
        ]
    )  # fmt: skip
    yield cx.feedback.ces(effort, cycle=CYCLE)
    sent = pd.DataFrame(
        [
            {
                "shipment_id": f"{day}{i}", "order_id": f"{day}{i}",
                "promised_on": datetime(day.year, day.month, day.day), "shipped_at": day,
                "delivered_at": day + timedelta(days=i % 3 - 1), "in_full": i % 5 > 0,
            }
            for day in days
            for i in range(40)
        ]
    )  # fmt: skip
    yield cx.operations.on_time_in_full(sent, cycle=CYCLE)
    yield cx.operations.kept(tables["promises"].assign(kind="price"), cycle=CYCLE, kind="price")
    # Nothing in the shop tells who leaves, so there it makes no list.
    subscribed, signs = leaving.world(1, 4000, ratio=6.0)
    yield cx.churn.at_risk(
        subscribed, signs, cycle=leaving.CYCLE, window_days=182,
        may_contact=subscribed[["customer_id"]],
    )  # fmt: skip


def test_every_metric_that_is_shown_is_in_the_catalogue(shown):
    assert sorted(set(shown["metric"]) - set(metrics())) == []


def test_nothing_in_the_catalogue_is_dead(shown):
    assert sorted(set(metrics()) - set(shown["metric"]) - named()) == []


def texts_of_the_rooms() -> set[str]:
    """Every piece of text in the code of the rooms, those between braces' gaps included."""
    found: set[str] = set()
    for room in sorted({metric.made_by.split(".")[0] for metric in metrics().values()}):
        for file in sorted((Path(cx.__file__).parent / room).rglob("*.py")):
            tree = ast.walk(ast.parse(file.read_text("utf-8")))
            texts = (node.value for node in tree if isinstance(node, ast.Constant))
            found |= {text for text in texts if isinstance(text, str)}
    return found


def named() -> set[str]:
    """The metrics of the catalogue that a room names, whole or as "stem." and "last_part"."""
    texts = texts_of_the_rooms()
    split = {m: m.split(".") for m in metrics()}
    return {m for m, (stem, last) in split.items() if m in texts or {f"{stem}.", last} <= texts}


def test_every_metric_that_a_room_names_is_in_the_catalogue():
    """Also those that no analysis of this suite makes."""
    begins = "|".join(sorted({name.split(".")[0] for name in metrics()}))
    like = {t for t in texts_of_the_rooms() if re.fullmatch(rf"({begins})\.[a-z_]+", t)}
    # Some are the stem of several: delivery.kept of delivery.kept_share and .kept_change.
    stems = {t for t in like if any(m.startswith(f"{t.rstrip('_')}_") for m in metrics())}
    assert like - set(metrics()) - stems == set()


def test_every_metric_is_shown_in_the_unit_of_the_catalogue(shown):
    wrong = []
    for name, unit in shown.itertuples(index=False):
        money = unit == "amount" or (len(unit) == 3 and unit.isupper())
        expected = metrics()[name].unit
        if expected != "any" and expected != ("money" if money else unit):
            wrong.append((name, unit, expected))
    assert wrong == []


def test_an_entry_names_what_there_is():
    for metric in metrics().values():
        assert metric.unit in UNITS
        assert metric.better in ("", "up", "down", "neither")
        assert metric.family == "" or metric.family in FAMILIES
        assert set(metric.tables) <= set(contracts())
        assert metric.version >= 1
        assert metric.definition.endswith(".")
        assert metric.definition.count(". ") == 0, f"{metric.id}: one sentence"
        room, _, function = metric.made_by.partition(".")
        assert inspect.isfunction(getattr(importlib.import_module(f"cxlab.{room}"), function))


def test_a_finding_carries_the_version_of_its_definition(monkeypatch):
    row = {"n": 50, "unit": "share", "method": "m"}
    rows = [estimate_row(name, 0.5, 0.4, 0.6, **row) for name in ("csat.change", "mine.share")]
    result = Result(estimates=pd.DataFrame(rows))
    assert [f["version"] for f in result.findings()] == [version_of("csat.change"), None]
    monkeypatch.setattr(finding._publishing, "versions", {"mine.share": 3})
    assert [f["version"] for f in result.findings()] == [1, 3]
