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
_GAP, _LONGEST = 10, 100_000  # tenths of the gap
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
    pauses = _pauses(log, key, rules, tenth, cutoff)
    by_length = pauses.pivot_table(index="tenths", columns="goes_on", values="n", aggfunc="sum")
    by_length = by_length.reindex(columns=[0, 1]).fillna(0.0)[::-1].cumsum()[::-1]  # as long
    by_length = by_length[by_length.index >= _GAP]
    if by_length.empty or by_length[1].iloc[0] < _FEW:
        return
    share, whole = by_length[1] / by_length.sum(axis=1), by_length.iloc[0].sum()
    if share.iloc[0] < _OFTEN:
        return
    advice = "Set it to null"
    if share.iloc[-1] < _RARELY:
        often = int(share.index[share >= _RARELY][-1])
        longer = words.duration((often + 1) * tenth / _DAY_US)
        advice = f"After {longer} fewer than 5% go on: set it to as much, or to null"
    yield (
        f"warning: journey.gap is {gap}, but {words.value(share.iloc[0], 'share')} of the "
        f"{words.number(whole)} longer silences were followed by another contact of the same {key} "
        f"(journey.key), and counted as an end all the same. {advice}."
    )


def _pauses(
    log: Table, key: str, rules: "JourneySettings", tenth: int, cutoff: datetime
) -> pd.DataFrame:
    """Count the silences before an end by length, and whether a contact followed them.

    What was lost and won in the end is on its way until it is won, as for journeys.
    """
    kinds = dict.fromkeys(rules.lost, 1) | dict.fromkeys(rules.outcome, 2) | {"": 0}  # never no row
    bots = "coalesce(cast(l.is_bot as boolean), false)" if "is_bot" in log.columns else "false"
    return query(
        f"""
        with marked as (
            select l."{key}" as journey, epoch_us(l.occurred_at) as at_us,
                coalesce(k.kind, 0) as kind
            from l left join k on l.activity = k.activity
            where l."{key}" is not null and l.occurred_at < $cutoff and not {bots}
        ),
        known as (
            select journey, at_us, kind, max(kind) over (partition by journey) as best from marked
        ),
        ordered as (
            select at_us, lead(at_us) over (partition by journey order by at_us, kind) as next_us,
                max(case when kind = best then kind else 0 end) over (
                    partition by journey order by at_us, kind
                    rows between unbounded preceding and current row) as is_over
            from known
        ),
        timed as (
            select case when next_us is null then 0 else 1 end as goes_on,
                least((coalesce(next_us, $until) - at_us - 1) // {tenth}, {_LONGEST}) as tenths
            from ordered where is_over = 0
        )
        select goes_on, tenths, count(*) as n from timed
        group by goes_on, tenths order by tenths, goes_on
        """,
        l=log, k=pd.DataFrame({"activity": list(kinds), "kind": list(kinds.values())}),
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
