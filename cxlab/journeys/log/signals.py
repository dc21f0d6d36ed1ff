"""Signs of friction, each by an open formula: computed per session, in the engine."""

from dataclasses import dataclass

import pandas as pd

from cxlab.data.engine import Table, query, view
from cxlab.data.friction_settings import FrictionSettings
from cxlab.data.span import span_us

__all__ = ["SIGNALS", "Signal", "flagged_sessions", "measurable"]


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One sign of friction.

    Attributes
    ----------
    name : str
        As the report calls it.
    chance : str
        What a session must have for the sign to be possible: clicks, searches, ...
    needs : tuple of str
        Settings of which at least one must name an activity of the log.
    """

    name: str
    chance: str
    needs: tuple[str, ...]


SIGNALS = {
    "rage": Signal(name="rage click", chance="clicks", needs=("clicks",)),
    "dead": Signal(name="dead click", chance="clicks", needs=("clicks",)),
    "error": Signal(name="error click", chance="clicks", needs=("clicks", "errors")),
    "looped": Signal(name="page loop", chance="pages", needs=("pages",)),
    "empty": Signal(name="search without result", chance="searches", needs=("searches",)),
    "form": Signal(name="form abandoned", chance="forms", needs=("forms", "left")),
}
KINDS = ("clicks", "errors", "pages", "searches", "results", "forms", "left")


def measurable(rows: Table, settings: FrictionSettings) -> dict[str, str]:
    """Say for each signal why it is not measured; empty where it is."""
    given = _kinds(settings)
    met = query(
        "select distinct k.kind from r join k on r.activity = k.activity order by k.kind",
        r=rows,
        k=given,
    )["kind"].tolist()
    return {name: _reason(signal, set(met), settings, rows) for name, signal in SIGNALS.items()}


def _reason(signal: Signal, met: set[str], settings: FrictionSettings, rows: Table) -> str:
    # A form may be told either way; all other signals need all that they name.
    enough = any if signal.needs == ("forms", "left") else all
    if not enough(need in met for need in signal.needs):
        missing = [need for need in signal.needs if need not in met]
        named = [a for need in missing for a in getattr(settings, need)]
        return (
            f"no contact is one of {named}"
            if named
            else f"the settings name no activity under friction.{' or '.join(missing)}"
        )
    if signal.name == "rage click" and "object_id" not in rows.columns:
        return "clicks do not say on what element (object_id)"
    if signal.name == "form abandoned" and "left" not in met and "outcome" not in rows.columns:
        return "the log has no outcome of forms"
    return ""


def flagged_sessions(
    rows: Table, settings: FrictionSettings, *, outcome: list[str], cutoff_us: int
) -> Table:
    """Say for every session which signals it has.

    Parameters
    ----------
    rows : Table
        Contacts with `person_id`, `session_no`, `at_us`, `contact_no`, as `session_rows` gives
        them.
    settings : FrictionSettings
        What is a click, a page, ..., and the thresholds.
    outcome : list of str
        Activities that a session is meant to lead to.
    cutoff_us : int
        Where knowledge ends: a click shortly before it may not be dead.

    Returns
    -------
    Table
        `person_id`, `session_no`, `converted`, and 0 or 1 for each of `SIGNALS`, for what a
        session must have for them (`clicks`, `pages`, `searches`, `forms`). Only sessions with
        a contact in one of the settings' channels.
    """
    order = "partition by person_id, session_no order by contact_no"
    person = "partition by person_id order by contact_no"
    clicks = "partition by person_id, session_no, clicks, element order by contact_no"
    views = "partition by person_id, session_no, pages order by contact_no"
    back = ", ".join(
        f"lag(page, {i}) over ({views}) as page_{i}" for i in range(1, 2 * settings.loops)
    )
    return view(
        f"""
        with said as ({_said(rows, channels=bool(settings.channels))}),
        seen as (
            select *, {back},
                lag(at_us, {settings.rage_clicks - 1}) over ({clicks}) as click_before,
                lead(at_us) over ({person}) as next_us,
                min(case when errors = 1 then at_us end) over (
                    {order} rows between 1 following and unbounded following
                ) as error_us,
                max(results) over (
                    {order} rows between 1 following and unbounded following
                ) as opened
            from said
        ),
        raging as (
            select *, case when clicks = 1 and element is not null
                and at_us - click_before <= {span_us(settings.rage_within)} then 1 else 0
                end as is_rage
            from seen
        ),
        spread as (
            -- The clicks that a rage click is made of are not dead ones besides.
            select *, max(is_rage) over (
                {clicks} rows between current row and {settings.rage_clicks - 1} following
            ) as in_rage
            from raging
        ),
        told as (
            select person_id, session_no, is_outcome, is_there, clicks, pages, searches,
                greatest(forms, "left") as forms, is_rage as rage,
                case when clicks = 1 and in_rage = 0 and (outcome = 'fail' or (outcome is null and (
                    next_us - at_us > {span_us(settings.dead_after)} or (next_us is null
                    and {cutoff_us} - at_us > {span_us(settings.dead_after)})))) then 1 else 0
                    end as dead,
                case when clicks = 1 and error_us - at_us <= {span_us(settings.error_after)}
                    then 1 else 0 end as error,
                case when pages = 1 and page <> page_1 and {_rounds(settings.loops)} then 1 else 0
                    end as looped,
                case when searches = 1 and (outcome in ('fail', 'abandoned') or (
                    outcome is null and coalesce(opened, 0) = 0)) then 1 else 0 end as empty,
                case when "left" = 1 or (forms = 1 and outcome = 'abandoned') then 1 else 0
                    end as form
            from spread
        )
        select person_id, session_no, max(is_outcome) as converted,
            {", ".join(f"max({c}) as {c}" for c in ("clicks", "pages", "searches", "forms"))},
            {", ".join(f"max({s}) as {s}" for s in SIGNALS)}
        from told group by person_id, session_no having max(is_there) = 1
        """,
        r=rows,
        k=_kinds(settings),
        o=pd.DataFrame({"activity": sorted(set(outcome))}, dtype="object"),
        **_channels(settings),
    )


def _channels(settings: FrictionSettings) -> dict[str, pd.DataFrame]:
    if not settings.channels:
        return {}
    return {"h": pd.DataFrame({"channel": sorted(set(settings.channels))}, dtype="object")}


def _said(rows: Table, *, channels: bool) -> str:
    """Write what each contact is, one column of 0 and 1 for each kind of activity."""
    thing = "cast(r.object_id as varchar)" if "object_id" in rows.columns else "null"
    if {"object_id", "object_type"} <= set(rows.columns):
        thing = f"coalesce(cast(r.object_type as varchar), '') || ' ' || {thing}"
    is_there = "case when h.channel is null then 0 else 1 end" if channels else "1"
    there = "left join h on r.channel = h.channel" if channels else ""
    flags = ", ".join(
        f"""max(case when k.kind = '{kind}' then 1 else 0 end) as "{kind}\"""" for kind in KINDS
    )
    outcome = "r.outcome" if "outcome" in rows.columns else "cast(null as varchar)"
    return f"""
        select r.person_id, r.session_no, r.at_us, r.contact_no, {outcome} as outcome,
            cast({thing} as varchar) as element,
            coalesce(cast({thing} as varchar), r.activity) as page,
            case when o.activity is null then 0 else 1 end as is_outcome, {is_there} as is_there,
            {", ".join(f'coalesce(f."{kind}", 0) as "{kind}"' for kind in KINDS)}
        from r left join o on r.activity = o.activity {there}
        left join (select k.activity, {flags} from k group by k.activity) as f
            on r.activity = f.activity
    """


def _rounds(loops: int) -> str:
    """Write that the last pages went to and fro: each is the one before the one before."""
    pages = ["page", *(f"page_{i}" for i in range(1, 2 * loops))]
    return " and ".join(f"{a} = {b}" for a, b in zip(pages, pages[2:], strict=False))


def _kinds(settings: FrictionSettings) -> pd.DataFrame:
    pairs = [(activity, kind) for kind in KINDS for activity in getattr(settings, kind)]
    return pd.DataFrame(pairs, columns=["activity", "kind"], dtype="object").drop_duplicates()
