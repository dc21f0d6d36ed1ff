"""What `cxlab check` says beyond the rows: checks of tables, key measures, and the journey."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from cxlab.data.engine import DuckEngine, Table, query
from cxlab.data.journey_settings import never_seen
from cxlab.data.kpis import kpi_problems, silent_families
from cxlab.data.quality import REMEDY
from cxlab.data.span import moment_us, span_us
from cxlab.metrics import FAMILIES
from cxlab.report import words

if TYPE_CHECKING:
    from cxlab.data.journey_settings import JourneySettings
    from cxlab.data.settings import Settings
    from cxlab.data.snapshot import Snapshot

__all__ = ["journey_lines", "kpi_lines", "quality_lines"]

_LISTED = 30  # activities of the log that are named
_FEW = 10  # silences, below which nothing is said of them
_OFTEN = 0.1  # of the silences go on: too many to call each an end
_RARELY = 0.05
_DAY_US = 86_400_000_000


def quality_lines(snapshot: "Snapshot") -> Iterator[str]:
    """Tell which checks failed or warn, and which tables are withheld."""
    for row in snapshot.records.get("checks", []):
        if row["state"] in ("fail", "warn"):
            yield f"  {row['state']}: {row['table']}, {row['check']}: {row['says']}"
    for reason in snapshot.withheld.values():
        yield f"  {reason} {REMEDY}"


def journey_lines(snapshot: "Snapshot", settings: "Settings") -> tuple[list[str], list[str]]:
    """Return what is wrong with how journeys end, and what else no contact is of."""
    named = {"outcome": settings.journey.outcome, "lost": settings.journey.lost}
    file = snapshot.folder / "interactions.parquet"
    if "interactions" not in snapshot.columns or not file.is_file():
        return [], []
    log = DuckEngine().read_parquet([file], snapshot.columns["interactions"])
    found = query("select distinct activity from l order by activity", l=log, limit=10**6)
    seen = found["activity"].tolist()
    wrong, missing = [], []
    for key, activities in named.items():
        said = never_seen(f"journey.{key}", activities, seen, most=_LISTED)
        if said and key == "outcome" and not {*activities} & {*seen}:
            wrong.append(f"{said} Without an outcome nothing converts: change it in study.yaml.")
        elif said:
            missing.append(f"warning: {said}")
    return wrong, [*missing, *_too_early(log, settings.journey, snapshot.cutoff)]


def _too_early(log: Table, rules: "JourneySettings", cutoff: datetime) -> Iterator[str]:
    """Warn where many of the silences that count as an end are followed by another contact.

    Without a key none is, for what follows a silence is another journey then.
    """
    key, gap = rules.key, rules.gap
    if key is None or key not in log.columns or gap is None:
        return
    tenth = span_us(gap) // 10
    pauses = _pauses(log, key, [*rules.outcome, *rules.lost], tenth, cutoff)
    silent = pauses[pauses["tenths"] >= 10].groupby("goes_on")["n"].sum()
    on, whole = float(silent.get(1, 0)), float(silent.sum())
    if on < _FEW or on < _OFTEN * whole:
        return
    known = pauses[pauses["goes_on"] == 1]
    nearly = known["tenths"][known["n"].cumsum() >= (1 - _RARELY) * known["n"].sum()].iloc[0]
    longer = words.duration((int(nearly) + 1) * tenth / _DAY_US)
    yield (
        f"warning: journey.gap is {gap}, but {words.value(on / whole, 'share')} of the "
        f"{words.number(whole)} silences as long were followed by another contact of the same "
        f"{key} (journey.key), and counted as an end all the same. Set a longer gap, or null for "
        f"none: 95% of all pauses are over within {longer}."
    )


def _pauses(log: Table, key: str, ends: list[str], tenth: int, cutoff: datetime) -> pd.DataFrame:
    """Count the pauses before an end by length, and whether a contact followed them."""
    return query(
        f"""
        with marked as (
            select l."{key}" as journey, epoch_us(l.occurred_at) as at_us,
                case when e.activity is null then 0 else 1 end as is_end
            from l left join e on l.activity = e.activity
            where l."{key}" is not null and l.occurred_at < $cutoff
        ),
        ordered as (
            select at_us, lead(at_us) over (partition by journey order by at_us, is_end) as next_us,
                max(is_end) over (partition by journey order by at_us, is_end
                    rows between unbounded preceding and current row) as is_over
            from marked
        ),
        timed as (
            select case when next_us is null then 0 else 1 end as goes_on,
                (coalesce(next_us, $until) - at_us) // {tenth} as tenths
            from ordered where is_over = 0
        )
        select goes_on, tenths, count(*) as n from timed
        group by goes_on, tenths order by tenths, goes_on
        """,
        l=log, e=pd.DataFrame({"activity": [*ends, ""]}),  # never without a row
        cutoff=cutoff, until=moment_us(cutoff), limit=10**6,
    )  # fmt: skip


def kpi_lines(settings: "Settings") -> tuple[list[str], list[str]]:
    """Return what is wrong with the key measures, and what the study is silent about."""
    silent = [
        f"warning: nothing is declared about {FAMILIES[family]}. Name a metric under kpis, or "
        f"say why none applies: {family}: {{name: ..., family: {family}, not_applicable: ...}}"
        for family in silent_families(settings)
    ]
    return kpi_problems(settings), silent
