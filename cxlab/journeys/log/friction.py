"""Where do digital channels rub, and what goes with it: clicks in rage, loops, lost searches."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, in_one_engine, keep, query
from cxlab.data.friction_settings import FrictionSettings
from cxlab.data.span import moment_us
from cxlab.errors import MissingColumnError, Withheld
from cxlab.journeys.contacts import contacts_left_out
from cxlab.journeys.log.friction_weights import weigh
from cxlab.journeys.log.session_rows import session_rows
from cxlab.journeys.log.signals import SIGNALS, flagged_sessions, measurable
from cxlab.report import charts, words
from cxlab.report.finding import Result, interval_row
from cxlab.stats.clusters import clustered_share
from cxlab.stats.intervals import wilson
from cxlab.stats.multiplicity import clear_changes

__all__ = ["Friction", "friction"]

_FEWEST = 10  # people without whom no share is worth its name


@dataclass(frozen=True, kw_only=True, eq=False)
class Friction(Result):
    """Sessions with signs of friction, and how much more often such sessions lead to nothing."""

    cycle: str
    channels: tuple[str, ...]

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the share of sessions with each signal."""
        return charts.dots(
            self._rows("friction.sessions_share"), label="signal", unit="share",
            axis="Share of sessions, %", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """How many sessions had friction, of which kind most, and what goes with it."""
        any_ = self._rows("friction.any_share").iloc[0]
        where = f" on {words.listing(list(self.channels))}" if self.channels else ""
        if any_["suppressed"]:
            return f"Too few sessions{where} showed friction in {self.cycle} to be shown."
        said = f"{words.value(any_['estimate'], 'share')} of sessions{where} showed friction"
        rows = self._shown("friction.sessions_share")
        if len(rows):
            top = rows.sort_values(["estimate", "signal"], ascending=[False, True]).iloc[0]
            said += f", most often {top['signal']} ({words.value(top['estimate'], 'share')})"
        weights = self._shown("friction.non_conversion_difference")
        if weights.empty:
            return f"{said}."
        tests = list(
            weights[["estimate", "conf_low", "conf_high"]].itertuples(index=False, name=None)
        )
        clear = weights[clear_changes(tests)]
        if clear.empty:
            return f"{said}; no kind clearly goes with more or fewer sessions without the outcome."
        clear = clear.sort_values("estimate", ascending=False)
        rubs, odd = clear[clear["estimate"] > 0], clear[clear["estimate"] < 0]
        if len(rubs):
            said += f"; sessions end without the outcome more often with {_moved(rubs)}"
        if len(odd):
            said += (
                f"; they end without the outcome less often with {_moved(odd)}, the other way than "
                "a sign of friction should go: perhaps those meet it who are close to the outcome"
            )
        return f"{said}."

    def _shown(self, metric: str) -> pd.DataFrame:
        rows = self._rows(metric)
        return rows[~rows["suppressed"].astype(bool) & rows["signal"].notna()]

    def _rows(self, metric: str) -> pd.DataFrame:
        return self.estimates[self.estimates["metric"] == metric].reset_index(drop=True)


def friction(
    interactions: TableLike,
    settings: FrictionSettings,
    *,
    cycle: Cycle,
    outcome: Collection[str] = (),
) -> Friction:
    """Count signs of friction in sessions, and estimate what goes with them.

    Parameters
    ----------
    interactions : table
        With `customer_id` or `anonymous_id`, `occurred_at` (UTC), `activity`, and where the log
        has them `channel`, `object_type`, `object_id`, `outcome`, `is_bot`.
    settings : FrictionSettings
        What clicks, pages, searches, forms and errors are here, and the thresholds.
    cycle : Cycle
        Sessions that began in it.
    outcome : collection of str
        What sessions are meant to lead to, such as a purchase.

    Returns
    -------
    Friction
        By signal: `friction.sessions_share`, `friction.persons_share`, and the weight
        `friction.non_conversion_difference`; of all signals `friction.any_share` and
        `friction.score` (the mean of what the signals of a session weigh).

    Raises
    ------
    Withheld
        If no signal can be measured, or fewer than ten people had a session.

    Notes
    -----
    The formulas, with the thresholds of the settings:

    - rage click: `rage_clicks` clicks on one element, the last at most `rage_within` after the
      first;
    - dead click: a click that failed, or of unknown outcome with nothing of the person within
      `dead_after`; clicks of a rage click are not counted again;
    - error click: an error at most `error_after` after a click;
    - page loop: `loops` rounds between two pages, such as A, B, A, B;
    - search without result: a search that failed, or of unknown outcome with no result opened
      later in the session;
    - form abandoned: a form whose outcome says so, or an activity that means it.

    Weights are coefficients of one linear regression of "no outcome in the session" on all
    signals, and on whether there was a click, page, search or form at all, where enough
    sessions had one without its signals. They tell what goes together, not what would happen
    without the friction.

    Examples
    --------
    >>> from cxlab.data.calendar import parse_cycle
    >>> log = pd.DataFrame({
    ...     "customer_id": [f"c{i}" for i in range(40)], "activity": "search",
    ...     "outcome": ["fail"] * 10 + ["success"] * 30,
    ...     "occurred_at": pd.Timestamp("2018-02-01")})
    >>> rules = FrictionSettings(searches=["search"])
    >>> friction(log, rules, cycle=parse_cycle("2018Q1")).sentence()
    '25.0% of sessions showed friction, most often search without result (25.0%).'
    """
    (log,) = in_one_engine(interactions)
    if settings.channels and "channel" not in log.columns:
        raise MissingColumnError(
            "friction.channels names channels, but interactions have no column 'channel'."
        )
    rows = session_rows(log, cycle=cycle, timeout=settings.timeout)
    why_not = measurable(rows, settings)
    names = [name for name, reason in why_not.items() if not reason]
    missing = [f"{SIGNALS[name].name} ({why})" for name, why in why_not.items() if why]
    if not names:
        raise Withheld(f"No sign of friction can be measured: {'; '.join(missing)}.")
    each = keep(
        flagged_sessions(
            rows, settings, outcome=list(outcome),
            cutoff_us=moment_us(cycle.cutoff),
        )
    )  # fmt: skip
    people = _people(each, names)
    if people["persons"] < _FEWEST:
        raise Withheld(
            f"Friction needs sessions of at least {_FEWEST} people, but "
            f"{words.number(people['persons'])} had one in {cycle.name}."
        )
    never = [name for name in names if not people[f"{name}_persons"]]
    names = [name for name in names if name not in never]
    weights, said = weigh(each, names, people, with_outcome=bool(outcome))
    return Friction(
        estimates=pd.DataFrame([*_shares(people, names), *weights]),
        subtitle=f"Share of the sessions that began in {cycle.name} with each sign of friction, %; "
        "95% interval, people as clusters",
        note=_note(log, cycle, people, settings, missing, [*said, *_never(never)]),
        cycle=cycle.name,
        channels=tuple(settings.channels),
    )


def _people(each: Table, names: list[str]) -> dict[str, float]:
    """Sums over people of sessions, and of those with each signal or with any."""
    flags = {name: f'"{name}"' for name in names}
    flags["anything"] = f"greatest({', '.join(flags.values())}, 0)"
    own = ", ".join(f"sum({sql}) as {name}" for name, sql in flags.items())
    sums = ", ".join(
        f"sum({f}) as {f}_total, sum({f} * n) as {f}_n_total, sum({f} * {f}) as {f}_total_total, "
        f"count(*) filter (where {f} > 0) as {f}_persons"
        for f in flags
    )
    found = query(
        f"""
        with person as (select person_id, count(*) as n, {own} from e group by person_id)
        select count(*) as persons, coalesce(sum(n), 0) as n, sum(n * n) as n_n, {sums} from person
        """,
        e=each,
    )
    return {str(k): float(v) for k, v in found.iloc[0].items()}


def _shares(people: dict[str, float], names: list[str]) -> list[dict[str, Any]]:
    base = {k: people[k] for k in ("persons", "n", "n_n")}
    rows = []
    for name in ["anything", *names]:
        met = people[f"{name}_persons"]
        parts = {k: people[f"{name}_{k}"] for k in ("total", "n_total", "total_total")}
        signal = SIGNALS[name].name if name in SIGNALS else None
        metric = "friction.sessions_share" if signal else "friction.any_share"
        found = clustered_share({**base, **parts})
        rows.append(interval_row(metric, found, unit="share", count=met, signal=signal))
        if signal:
            reached = wilson(met, people["persons"])
            rows.append(
                interval_row(
                    "friction.persons_share", reached, unit="share", count=met, signal=signal
                )
            )
    return rows


def _moved(rows: pd.DataFrame) -> str:
    """Name signals, each with the difference that goes with it."""
    return words.listing(
        [
            f"{row['signal']}, "
            f"{words.change(row['estimate'], row['conf_low'], row['conf_high'], 'share')}"
            for row in rows.to_dict("records")
        ]
    )


def _never(names: list[str]) -> list[str]:
    return [f"Never met: {words.listing([SIGNALS[n].name for n in names])}."] * bool(names)


def _note(
    log: Table,
    cycle: Cycle,
    people: dict[str, float],
    settings: FrictionSettings,
    missing: list[str],
    said: list[str],
) -> str:
    where = f" with a contact on {words.listing(settings.channels)}" if settings.channels else ""
    parts = [
        f"Base: {words.plural(people['n'], 'session')} of {words.number(people['persons'])} people"
        f"{where}, ended by a pause of over {settings.timeout}. Rage click: {settings.rage_clicks} "
        f"on one element within {settings.rage_within}; dead click: failed, or nothing for "
        f"{settings.dead_after}; page loop: {settings.loops} rounds. The difference of sessions "
        "without the outcome is an association, all signals and chances for them together; it does "
        "not tell what would happen without the friction.",
        *said,
    ]
    if missing:
        parts.append(f"Not measured: {'; '.join(missing)}.")
    left = contacts_left_out(log, cutoff=cycle.cutoff, start=cycle.start)
    if left:
        gone = [f"{words.number(count)} {reason}" for reason, count in left.items()]
        parts.append(f"Contacts left out: {words.listing(gone)}.")
    return " ".join(parts)
