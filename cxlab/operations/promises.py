"""Which promises we kept, measured against what was promised first.

A promise belongs to the cycle in which it fell due. A promise that was moved to a
later day and kept then was still broken: only the first one counts.
"""

from cxlab.data.calendar import Cycle
from cxlab.data.engine import Table, TableLike, grouped, in_one_engine, query, view
from cxlab.errors import ParameterError, Withheld, did_you_mean
from cxlab.operations.deliveries import arrivals, count
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
        If fewer than ten promises with a known outcome were due in the cycle, if they
        were all made to one customer, or if kinds are to be compared and all are
        delivery dates, whose share `kind="delivery_date"` gives.

    Notes
    -----
    Shares have Wilson's interval, the change Newcombe's. Where customers were promised
    several things, both rest on the effective n. Small groups are told by customers:
    by how many had a promise kept.
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
    if by is None and kind is None:
        _need_kinds(table, cycle)
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
        With order_id, promised_on, delivered_at, in_full and perhaps delivered_on.
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
        If fewer than ten shipments were promised for the cycle, or no system told of
        any of them whether it was whole.
    """
    (table,) = in_one_engine(shipments)
    _need_in_full(table, cycle)
    keep = ["in_full"] if by is None else ["in_full", by]
    group = f's."{by}", ' if by is not None and table.need(by) else ""
    due = view(
        f"""
        select {group}promised_on as due_on,
            coalesce(days_late <= 0, false) and coalesce(in_full, true) as kept from s
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


def _need_kinds(promises: Table, cycle: Cycle) -> None:
    """Refuse to compare one kind with nothing: its share is the first figure already."""
    kinds = query(
        """
        select kind from p where due_at >= $start and due_at < $cutoff and kept is not null
        group by kind order by kind
        """,
        p=promises,
        start=cycle.start,
        cutoff=cycle.cutoff,
    )["kind"].tolist()
    if kinds == ["delivery_date"]:
        raise Withheld(
            f"All promises due in {cycle.name} are of one kind, delivery date, shown above."
        )


def _need_in_full(shipments: Table, cycle: Cycle) -> None:
    told = "in_full" in shipments.columns and count(
        "select count(in_full) as n from s where promised_on >= $first and promised_on <= $last",
        s=shipments,
        first=cycle.first_day,
        last=cycle.last_day,
    )
    if not told:
        raise Withheld(
            "No system tells whether shipments were complete (the column 'in_full' is empty), so "
            "only their punctuality is known."
        )
