"""Which promises did we keep, measured against what was promised first?

A promise belongs to the cycle in which it fell due. A promise that was moved to a
later day and kept then was still broken: only the first one counts.
"""

from cxlab.data.calendar import Cycle
from cxlab.data.engine import TableLike, grouped, view
from cxlab.errors import ParameterError, did_you_mean
from cxlab.operations.deliveries import arrivals, in_one_engine
from cxlab.operations.kept_share import KeptPromises, by_group, series

__all__ = ["KINDS", "KeptPromises", "kept", "on_time_in_full"]

KINDS = {
    "delivery_date": "delivery promises",
    "price": "price promises",
    "sla": "service promises",
    "availability": "availability promises",
    "attribute": "promised attributes",
}


def kept(
    promises: TableLike,
    *,
    cycle: Cycle,
    kind: str | None = None,
    by: str | TableLike | None = None,
    most: int = 12,
) -> KeptPromises:
    """Share of the promises due in the cycle that were kept.

    Parameters
    ----------
    promises : table
        One row per promise, as known at the cutoff: kind, due_at (UTC) and kept,
        which is missing where nobody knows the outcome.
    cycle : Cycle
        Promises with `start <= due_at < cutoff`.
    kind : str, optional
        One kind of promise. Without `by`, the cycles before are shown as well, and
        the change. Default: all kinds, each in a row of its own.
    by : str or table, optional
        A column of the promises, or a table of customer_id and a group.
    most : int
        Groups with most promises that get a row each; the rest, and those with fewer
        than ten, share one.

    Returns
    -------
    KeptPromises
        `delivery.kept_share` and `delivery.kept_change` for delivery dates,
        `promise.kept_share` and `promise.kept_change` for the rest.

    Raises
    ------
    ParameterError
        If the kind is unknown.
    Withheld
        If fewer than ten promises with a known outcome were due in the cycle.

    Notes
    -----
    Shares have Wilson's interval, the change Newcombe's. Where customers were promised
    several things, both rest on the effective n.
    """
    if kind is not None and kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        raise ParameterError(f"A promise is of a kind in {sorted(KINDS)}, not {kind!r}.{hint}")
    (table,) = in_one_engine(promises)
    table.need("kind", "due_at", "kept")
    if kind is not None:
        table = view("select * from p where kind = $kind", p=table, kind=kind)
    done = "were kept"
    noun = "promises" if kind is None else KINDS[kind]
    metric = "delivery.kept" if kind == "delivery_date" else "promise.kept"
    dims = {} if kind is None or kind == "delivery_date" else {"kind": kind}
    if by is None and kind is not None:
        return series(
            table, on="due_at", cycle=cycle, metric=metric, noun=noun, done=done, dims=dims
        )
    table, group = grouped(table, "kind" if by is None else by)
    return by_group(
        table,
        group,
        on="due_at",
        cycle=cycle,
        metric=metric,
        noun=noun,
        done=done,
        dims=dims,
        most=most,
    )


def on_time_in_full(
    shipments: TableLike,
    *,
    cycle: Cycle,
    by: str | None = None,
    most: int = 12,
) -> KeptPromises:
    """Share of shipments that came on or before the first promised day, and whole.

    Parameters
    ----------
    shipments : table
        With order_id, promised_on, delivered_at, perhaps delivered_on and in_full.
        A shipment counts as whole unless `in_full` says no.
    cycle : Cycle
        Shipments promised for a day of the cycle.
    by : str, optional
        A column of the shipments, such as the carrier. Default: the last cycles.
    most : int
        Groups with most shipments that get a row each; the rest, and those with fewer
        than ten, share one.

    Returns
    -------
    KeptPromises
        `delivery.on_time_in_full_share` and `delivery.on_time_in_full_change`.

    Raises
    ------
    Withheld
        If fewer than ten shipments were promised for the cycle.
    """
    (table,) = in_one_engine(shipments)
    keep = [column for column in (by, "in_full") if column in table.columns]
    whole = "coalesce(in_full, true)" if "in_full" in keep else "true"
    group = f's."{by}", ' if by is not None and table.need(by) else ""
    due = view(
        f"""
        select {group}promised_on as due_on,
            coalesce(days_late <= 0, false) and {whole} as kept from s
        """,
        s=arrivals(table, cutoff=cycle.cutoff, keep=keep),
    )
    metric, noun, done = "delivery.on_time_in_full", "shipments", "came on time and in full"
    if by is None:
        return series(due, on="due_on", cycle=cycle, metric=metric, noun=noun, done=done, dims={})
    due, group = grouped(due, by)
    return by_group(
        due,
        group,
        on="due_on",
        cycle=cycle,
        metric=metric,
        noun=noun,
        done=done,
        dims={},
        most=most,
    )
