"""The question that a funnel asks of the log, step by step.

An attempt begins with a row of the first step. `sought_3` says, of each attempt that got
to the step before, from when until when step 3 counts; `reached_3` has the first such row
in time. Every option of a funnel is a limit on these two moments. They are whole
microseconds since 1970, so that later than `t` is `t + 1` or later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cxlab.data.funnel_settings import Funnel
from cxlab.data.span import span_us

__all__ = ["Barrier", "FunnelQuery", "with_parts"]


@dataclass(frozen=True, kw_only=True)
class Barrier:
    """What ends an attempt when it happens after one step and before another is reached."""

    flag: str
    after: int
    before: int

    def stands_before(self, step: int) -> bool:
        """Tell whether it can keep an attempt from this step."""
        return self.after < step <= self.before


@dataclass(frozen=True, kw_only=True)
class FunnelQuery:
    """Writes the named parts of the SQL for one funnel.

    Attributes
    ----------
    funnel : Funnel
        What is asked; steps are numbered from 1.
    is_crowded : bool
        Whether some thread has so many attempts that to join each with all rows of its
        thread would take too long.
    """

    funnel: Funnel
    is_crowded: bool = False

    @property
    def window(self) -> int:
        """Longest time from the entry, microseconds."""
        return span_us(self.funnel.window)

    @property
    def required(self) -> list[int]:
        """Numbers of the steps that cannot be passed by."""
        return [n for n, step in enumerate(self.funnel.steps, 1) if not step.optional]

    @property
    def unit(self) -> list[str]:
        """Columns that tell apart the persons or sessions whose best attempt counts."""
        return ["person", *(["session"] if self.funnel.count_by == "session" else [])]

    @property
    def held(self) -> list[str]:
        """Columns that must be alike in all steps of an attempt."""
        return [f"held_{i}" for i in range(len(self.funnel.hold))]

    @property
    def thread(self) -> list[str]:
        """Columns that tell apart rows which can belong to one attempt."""
        return self.unit + self.held

    @property
    def from_first_entry(self) -> bool:
        """Whether only the first entry of each thread counts, so that it has one attempt."""
        return not self.funnel.reentry and self.funnel.count_by != "attempt"

    @property
    def barriers(self) -> list[Barrier]:
        """What must not happen between which steps."""
        number = {step.name: n for n, step in enumerate(self.funnel.steps, 1)}
        first, last = self.required[0], self.required[-1]
        declared = [
            Barrier(
                flag=f"ends_{i}",
                after=number.get(out.after or "", first),
                before=number.get(out.before or "", last),
            )
            for i, out in enumerate(self.funnel.exclude)
        ]
        if self.funnel.order != "strict":
            return declared
        # Between two steps only the earlier one may be repeated, and optional ones be made.
        return declared + [Barrier(flag=f"strays_{a}", after=a, before=b) for a, b in self.gaps]

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Each required step with the next one."""
        return list(zip(self.required, self.required[1:], strict=False))

    @property
    def done(self) -> str:
        """Write the moment at which an attempt has all required steps."""
        arrivals = [f"at_{n}" for n in self.required]
        return f"greatest({', '.join(arrivals)})" if self.funnel.order == "any" else arrivals[-1]

    def parts(self) -> dict[str, str]:
        """Write the named parts in their order: `sought_` and `reached_` of each step."""
        found = {"reached_1": self._entries()}
        for before, step in self.gaps:
            for barrier in self.barriers:
                if barrier.after == before:
                    sought = self._sought_barrier(before)
                    found |= self._first(barrier.flag, barrier.flag, sought, after=before)
            found |= self._first(str(step), f"is_{step}", self._sought(before, step), after=before)
            for option in range(before + 1, step):
                sought = self._sought_option(before, option, step)
                found |= self._first(str(option), f"is_{option}", sought, after=before)
            if before == 1 and len(self.required) > 2:
                found["near"] = self._near(step)
        return found

    def paths(self, base: str = "reached_1") -> str:
        """Write the moments of all steps that attempts reached, one row per attempt of a part."""
        steps = range(2, len(self.funnel.steps) + 1)
        moments = "".join(f", r_{n}.at_us as at_{n}" for n in steps)
        joins = " ".join(self._join(f"reached_{n}", f"r_{n}", left=True) for n in steps)
        return (
            f"select {_listed(self.thread, of='a')}, a.entry, a.entry as at_1{moments} "
            f"from {base} as a {joins}"
        )

    def _entries(self) -> str:
        keys = _listed(self.thread)
        if self.from_first_entry:
            return f"select {keys}, min(at_us) as entry from events where is_1 group by {keys}"
        # A copy of a row is no second attempt; a join below puts copies together by itself.
        once = "distinct " if self.is_crowded or self.funnel.count_by == "attempt" else ""
        return f"select {once}{keys}, at_us as entry from events where is_1"

    def _near(self, second: int) -> str:
        """Keep the rows that may take those who reached the second step further: few."""
        keys = _listed(self.thread)
        flags = [f"is_{n}" for n in range(second + 1, len(self.funnel.steps) + 1)]
        flags += [barrier.flag for barrier in self.barriers if barrier.after > 1]
        return (
            f"select e.* from events as e join (select {keys}, min(entry) as since, "
            f"max(entry) + {self.window} as until from reached_{second} group by {keys}) as a "
            f"on {self._same('e', 'a')} where e.at_us >= a.since and e.at_us <= a.until "
            f"and ({' or '.join(f'e.{flag}' for flag in flags)})"
        )

    def _sought(self, before: int, step: int) -> str:
        """Say from when until when a required step counts, for each attempt so far."""
        since = 1 if self.funnel.order == "any" else before
        anchors = [f"{_at(since)} + {self._later(since, step)}"]
        joins = []
        if self.funnel.order != "any" and self.funnel.ties == "either":
            # One row never makes two steps: of the same activity, each needs its own moment.
            for earlier in self.required[: self.required.index(before)]:
                if not self._may_share(earlier, step):
                    continue
                if earlier == 1:
                    anchors.append("a.entry + 1")
                else:
                    joins.append(self._join(f"reached_{earlier}", f"s_{earlier}"))
                    anchors.append(f"s_{earlier}.at_us + 1")
        limits = [f"a.entry + {self.window}"]
        within = self.funnel.steps[step - 1].within
        if within is not None:
            limits.append(f"{_at(before)} + {span_us(within)}")
        over = list(limits)
        for barrier in self._standing_before(step):
            joins.append(self._join(f"reached_{barrier.flag}", barrier.flag, left=True))
            limits.append(f"coalesce({barrier.flag}.at_us, a.entry + {self.window})")
            over.append(f"coalesce({barrier.flag}.at_us - 1, a.entry + {self.window})")
        more = {} if self.funnel.count_by != "attempt" else {"over_at": _smallest(over)}
        return self._interval(f"reached_{before} as a", joins, anchors, limits, **more)

    def _sought_option(self, before: int, option: int, after: int) -> str:
        """Say when an optional step counts: it never changes who reaches a required one."""
        joins, anchors = [], [f"{_at(before)} + {self._later(before, option)}"]
        limits = [f"a.entry + {self.window}"]
        if self.funnel.order == "any":
            anchors = [f"a.entry + {self._later(1, option)}"]
        else:
            for earlier in range(before + 1, option):
                joins.append(self._join(f"reached_{earlier}", f"s_{earlier}", left=True))
                anchors.append(
                    f"coalesce(s_{earlier}.at_us + {self._later(earlier, option)}, {_at(before)})"
                )
            joins.append(self._join(f"reached_{after}", "n", left=True))
            sooner = self._later(option, after)
            limits.append(f"coalesce(n.at_us - {sooner}, a.entry + {self.window})")
        within = self.funnel.steps[option - 1].within
        if within is not None:
            limits.append(f"{_at(before)} + {span_us(within)}")
        for barrier in self._standing_before(after):
            joins.append(self._join(f"reached_{barrier.flag}", barrier.flag, left=True))
            limits.append(f"coalesce({barrier.flag}.at_us, a.entry + {self.window})")
        return self._interval(f"reached_{before} as a", joins, anchors, limits)

    def _sought_barrier(self, after: int) -> str:
        return self._interval(
            f"reached_{after} as a", [], [f"{_at(after)} + 1"], [f"a.entry + {self.window}"]
        )

    def _interval(
        self,
        source: str,
        joins: Sequence[str],
        anchors: Sequence[str],
        limits: Sequence[str],
        **more: str,
    ) -> str:
        keys = _listed(self.thread, of="a")
        also = "".join(f", {sql} as {name}" for name, sql in more.items())
        return (
            f"select {keys}, a.entry, {_largest(anchors)} as from_at, "
            f"{_smallest(limits)} as until_at{also} from {' '.join([source, *joins])}"
        )

    def _first(self, name: str, flag: str, sought: str, *, after: int) -> dict[str, str]:
        """Find the first row with a flag in the time that each attempt has for it."""
        rows = "events" if after == 1 else "near"
        if self.is_crowded:
            found = self._first_in_one_pass(name, flag, rows)
        else:
            keys = _listed(self.thread, of="s")
            found = (
                f"select {keys}, s.entry, min(e.at_us) as at_us "
                f"from sought_{name} as s join {rows} as e on {self._same('e', 's')} "
                f"where e.{flag} and e.at_us >= s.from_at and e.at_us <= s.until_at "
                f"group by {keys}, s.entry"
            )
        return {f"sought_{name}": sought, f"reached_{name}": found}

    def _first_in_one_pass(self, name: str, flag: str, rows: str) -> str:
        """Find the same for all attempts of a thread in one pass over its rows in time."""
        keys = _listed(self.thread)
        return (
            f"select {keys}, entry, next_at as at_us from ("
            f"select {keys}, entry, until_at, min(at_us) over (partition by {keys} "
            "order by from_at range between current row and unbounded following) as next_at "
            f"from (select {keys}, entry, from_at, until_at, cast(null as bigint) as at_us "
            f"from sought_{name} union all select {keys}, null, at_us, null, at_us "
            f"from {rows} where {flag}) as u) as w "
            "where entry is not null and next_at <= until_at"
        )

    def _standing_before(self, step: int) -> list[Barrier]:
        return [barrier for barrier in self.barriers if barrier.stands_before(step)]

    def _later(self, earlier: int, step: int) -> int:
        """Return 1 where a step needs a later moment than an earlier one, else 0."""
        return int(self.funnel.ties == "later" or self._may_share(earlier, step))

    def _may_share(self, earlier: int, step: int) -> bool:
        steps = self.funnel.steps
        return steps[earlier - 1].may_share(steps[step - 1])

    def _same(self, one: str, other: str) -> str:
        return " and ".join(f"{one}.{key} = {other}.{key}" for key in self.thread)

    def _join(self, part: str, alias: str, *, left: bool = False) -> str:
        kind = "left join" if left else "join"
        on = " and ".join(f"{alias}.{key} = a.{key}" for key in [*self.thread, "entry"])
        return f"{kind} {part} as {alias} on {on}"


def with_parts(parts: Mapping[str, str]) -> str:
    """Write named parts as the beginning of a query."""
    return "with " + ", ".join(f"{name} as ({sql})" for name, sql in parts.items()) + " "


def _at(step: int) -> str:
    """Write the moment at which an attempt was at a step."""
    return "a.entry" if step == 1 else "a.at_us"


def _listed(columns: Sequence[str], *, of: str | None = None) -> str:
    return ", ".join(f"{of}.{column}" if of else column for column in columns)


def _largest(moments: Sequence[str]) -> str:
    return moments[0] if len(moments) == 1 else f"greatest({', '.join(moments)})"


def _smallest(moments: Sequence[str]) -> str:
    return moments[0] if len(moments) == 1 else f"least({', '.join(moments)})"
