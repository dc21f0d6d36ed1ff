"""Funnels in plain Python, rule by rule as docs/funnels.md has them, and by trying all ways.

It shares nothing with the SQL that it checks, looks at every row for every question, and
is meant to be read.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import product
from typing import Any

from cxlab.data.funnel_settings import Exclusion, Funnel, Step
from cxlab.data.span import span_us

Row = dict[str, Any]  # person, at (microseconds), activity and further columns
Conditions = dict[str, Callable[[Row], bool]]  # what each `where` means
Attempt = dict[int, int]  # number of a step to the moment at which it was reached


class Oracle:
    """One funnel, asked of one log whose rows lie between start and cutoff."""

    def __init__(self, funnel: Funnel, rows: list[Row], cutoff: int, conditions: Conditions):
        self.funnel, self.cutoff, self.conditions = funnel, cutoff, conditions
        self.steps = dict(enumerate(funnel.steps, 1))
        self.must = [n for n, step in self.steps.items() if not step.optional]
        self.number = {step.name: n for n, step in self.steps.items()}
        self.window = span_us(funnel.window)
        self.threads: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        keys = [*(["session_id"] if funnel.count_by == "session" else []), *funnel.hold]
        for row in rows:
            if all(row[key] is not None for key in keys):
                self.threads[(row["person"], *(row[key] for key in keys))].append(row)

    def units(self) -> dict[tuple[Any, ...], Attempt]:
        """Give the attempt that counts for each person, session or attempt."""
        found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for thread, rows in self.threads.items():
            entries = sorted({row["at"] for row in rows if self.makes(row, self.steps[1])})
            over = -1
            for i, entry in enumerate(entries):
                attempt, ends = self.attempt(rows, entry)
                if self.funnel.count_by == "attempt":
                    if entry > over:
                        found[(*thread, entry)].append((attempt, thread))
                        over = ends
                elif i == 0 or self.funnel.reentry:
                    unit = thread[: 1 + (self.funnel.count_by == "session")]
                    found[unit].append((attempt, thread))
        return {unit: self.best(attempts) for unit, attempts in found.items()}

    def best(self, attempts: list[tuple[Any, ...]]) -> Attempt:
        """Prefer what is seen to its end, then the furthest, the first, the soonest."""

        def order(one: tuple[Any, ...]) -> tuple[Any, ...]:
            attempt, thread = one
            depth = max(n for n in self.must if n in attempt)
            soonest = [attempt[n] for n in self.must[::-1] if n in attempt]
            return (not self.is_mature(attempt), -depth, attempt[1], soonest, thread)

        return dict(min(attempts, key=order)[0])

    def is_mature(self, attempt: Attempt) -> bool:
        return attempt[1] + self.window < self.cutoff

    def done(self, attempt: Attempt) -> int | None:
        if self.must[-1] not in attempt:
            return None
        return max(attempt[n] for n in self.must)

    def attempt(self, rows: list[Row], entry: int) -> tuple[Attempt, int]:
        """Let one attempt go as far as it gets; also say until when it runs."""
        at, ends = {1: entry}, entry + self.window
        for before, step in zip(self.must, self.must[1:], strict=False):
            last = at[1] if self.funnel.order == "any" else at[before]
            deadline = entry + self.window
            if self.steps[step].within is not None:
                deadline = min(deadline, at[before] + span_us(self.steps[step].within))
            blocks = self.blocks(rows, at, step)
            good = [
                row["at"]
                for row in rows
                if self.makes(row, self.steps[step])
                and last <= row["at"] <= deadline
                and not (self.funnel.ties == "later" and row["at"] == last)
                and not any(
                    row["at"] == at[i] and self.share(i, step)
                    for i in ([1] if self.funnel.order == "any" else at)
                    if i in self.must
                )
                and not any(block < row["at"] for block in blocks)
            ]
            if not good:
                ends = min([deadline, *(block - 1 for block in blocks)])
                break
            at[step] = min(good)
        done = self.done(at)
        self.add_options(rows, at)
        return at, ends if done is None else done

    def add_options(self, rows: list[Row], at: Attempt) -> None:
        required = dict(at)
        for option in (n for n, step in self.steps.items() if step.optional):
            before = max(n for n in self.must if n < option)
            after = min(n for n in self.must if n > option)
            base = 1 if self.funnel.order == "any" else before
            if before not in required:
                continue
            since = [base] if base == 1 and self.funnel.order == "any" else [
                n for n in range(before, option) if n in at]  # fmt: skip
            within = self.steps[option].within
            deadline = at[1] + self.window
            if within is not None:
                deadline = min(deadline, at[before] + span_us(within))
            until = None if self.funnel.order == "any" else required.get(after)
            good = [
                row["at"]
                for row in rows
                if self.makes(row, self.steps[option])
                and all(self.follows(row["at"], option, at[n], n) for n in since)
                and row["at"] <= deadline
                and (until is None or self.follows(until, after, row["at"], option))
                and not any(block < row["at"] for block in self.blocks(rows, required, after))
            ]
            if good:
                at[option] = min(good)

    def follows(self, moment: int, step: int, earlier: int, of: int) -> bool:
        if self.funnel.ties == "later" or self.share(of, step):
            return moment > earlier
        return moment >= earlier

    def blocks(self, rows: list[Row], at: Attempt, step: int) -> list[int]:
        """List the moments of rows that keep an attempt from a step that comes after them."""
        found = []
        for out in self.funnel.exclude:
            a = self.number[out.after] if out.after else self.must[0]
            b = self.number[out.before] if out.before else self.must[-1]
            if a < step <= b:
                found += [r["at"] for r in rows if self.makes(r, out) and r["at"] > at[a]]
        if self.funnel.order == "strict":
            before = max(n for n in self.must if n < step)
            allowed = [self.steps[n] for n in range(before, step)]
            found += [
                r["at"]
                for r in rows
                if r["at"] > at[before] and not any(self.makes(r, s) for s in allowed)
            ]
        return found

    def makes(self, row: Row, meant: Step | Exclusion) -> bool:
        if meant.activity and row["activity"] not in meant.activity:
            return False
        return meant.where is None or self.conditions[meant.where](row)

    def share(self, one: int, other: int) -> bool:
        a, b = self.steps[one].activity, self.steps[other].activity
        return not a or not b or bool({*a} & {*b})


def deepest_by_trying_all(
    rows: list[tuple[int, str]], steps: list[str], window: int, *, entry: int
) -> int:
    """Find how many ordered steps can be matched at all, trying every choice of rows."""
    for depth in range(len(steps), 1, -1):
        per_step = [[r for r in enumerate(rows) if r[1][1] == step] for step in steps[:depth]]
        per_step[0] = [r for r in per_step[0] if r[1][0] == entry]
        for chosen in product(*per_step):
            times = [row[0] for _, row in chosen]
            alike = {(row[0], row[1]) for _, row in chosen}  # a row's copy is no second row
            if len(alike) == depth and times == sorted(times) and times[-1] - entry <= window:
                return depth
    return 1


def totals(units: dict[tuple[Any, ...], Attempt], steps: int) -> list[int]:
    """Count the units that reached each step."""
    reached = Counter(n for attempt in units.values() for n in attempt)
    return [reached[n] for n in range(1, steps + 1)]
