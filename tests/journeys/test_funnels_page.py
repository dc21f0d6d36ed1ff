"""docs/funnels.md cannot lie: each of its examples is run, one log a person."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxlab.journeys import Funnel, count_funnel

PAGE = Path(__file__).parents[2] / "docs" / "funnels.md"
START = datetime(2024, 1, 1)
EVENT = re.compile(r"(\w+)@(\d+)(?: \(([^)]*)\))?")


def examples() -> list[tuple[str, str, dict[str, str]]]:
    """Read each line of each table, with its heading and its funnel."""
    found = []
    for part in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading = part.splitlines()[0]
        for spec, table in re.findall(r"```yaml\n([^`]*)```\n\n((?:\|.*\n)+)", part):
            rows = [[c.strip() for c in line.split("|")[1:-1]] for line in table.splitlines()]
            found += [(heading, spec, dict(zip(rows[0], row, strict=True))) for row in rows[2:]]
    return found


def log_of(events: str) -> pd.DataFrame:
    rows = []
    for activity, second, more in EVENT.findall(events):
        extra = dict(pair.split("=") for pair in more.split(", ") if pair)
        at = START + timedelta(seconds=int(second))
        rows.append({"customer_id": "p", "activity": activity, "occurred_at": at} | extra)
    columns = ["customer_id", "activity", "occurred_at", "channel", "object_id", "session_id"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], "string"))


def test_every_option_has_an_example():
    told = PAGE.read_text()
    specs = " ".join(spec for _, spec, _ in examples())
    for option in (*Funnel.model_fields, "optional", "within", "where", "after", "before"):
        assert f"{option}:" in specs, option
    assert all(len(EVENT.findall(example["events"])) <= 10 for _, _, example in examples())
    assert len(examples()) >= 50
    assert "`count_by`" in told


@pytest.mark.parametrize(
    ("spec", "example"),
    [pytest.param(spec, row, id=f"{head}: {row['events']}") for head, spec, row in examples()],
)
def test_the_page_says_what_is_counted(spec, example):
    funnel = Funnel.model_validate(yaml.safe_load(spec))
    # Somebody else enters and gets nowhere, so that there is always something to count.
    steps = funnel.steps[0].activity[0]
    other = log_of(f"{steps}@0 (object_id=o, session_id=o)").assign(
        customer_id="other", channel="other"
    )
    log = pd.concat([log_of(example["events"]), other], ignore_index=True)
    cutoff = START + timedelta(seconds=int(example.get("cutoff", 1000)))
    who = pd.DataFrame({"customer_id": ["p", "other"], "who": ["p", "other"]})
    by = "channel" if "channel" in example else who
    found = count_funnel(log, funnel, start=START, cutoff=cutoff, by=by).reached
    own = found[found["group"] == example.get("channel", "p")]

    def counts(rows: pd.DataFrame) -> str:
        n = rows.groupby("step")["n"].sum().reindex(range(1, len(funnel.steps) + 1), fill_value=0)
        return " ".join(str(count) for count in n)

    if "not reached" in example.values():
        own = own.assign(n=own["n"] - own["step"].eq(1))  # the other did not reach it either
    assert counts(own) == example["counts"]
    if "mature" in example:
        assert counts(own[own["is_mature"]]) == example["mature"]
