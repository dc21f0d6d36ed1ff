"""One table after another, from its source to a Parquet file, with each row accounted for.

The first pass types the source and notes broken rules (`contracts`); then keys and
parents are checked on the columns they need. A clean table is written once; only
one with bad rows is written again without them. Bad rows are kept as they came.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from cxlab.data.calendar import Cycle
from cxlab.data.contracts import EXCLUDED, LATER, SET_ASIDE, typed_select
from cxlab.data.masking import FREE_TEXT, Masker, mask_table
from cxlab.data.model import Contract, contracts
from cxlab.data.parquet import PARQUET
from cxlab.data.people import ERASED, People
from cxlab.data.settings import Settings
from cxlab.data.sources import Mapping, source_sql
from cxlab.data.sql_errors import sql_errors
from cxlab.errors import DataError

__all__ = ["Reader"]


class _Survey(NamedTuple):
    """What one pass over a table's rows tells."""

    rows: int
    first: datetime | None
    last: datetime | None
    content: str | None
    also: int


class Reader:
    """Reads one table after another, parents first, into Parquet files of a draft folder."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        draft: Path,
        raw: Path,
        cycle: Cycle,
        people: People,
    ) -> None:
        self._do = connection.execute
        self._people = people
        self._draft = draft
        self._raw = raw
        self._cycle = cycle
        self.later: dict[str, int] = {}  # rows per table that nobody had yet at the cutoff
        self._surveys: dict[str, _Survey] = {}
        self.columns: dict[str, list[str]] = {}
        self.tables: list[dict[str, Any]] = []
        self.reasons: list[dict[str, Any]] = []
        self.contents: dict[str, list[str]] = {}
        self.notes: list[str] = []
        self.masked: list[dict[str, Any]] = []  # rows that held something personal, by kind
        self._masker = Masker(self._do)
        self._do(
            'create temp table set_aside ("table" text, row bigint, rule text, reason text, '
            "record text)"
        )

    def helper(self, mapping: Mapping) -> None:
        """Give a helper's SELECT its name."""
        with sql_errors(mapping):
            self._do(f'create temp view "{mapping.name}" as {source_sql(mapping, self._raw)}')

    def table(self, contract: Contract, mapping: Mapping) -> None:
        """Read one table: typed pass, then keys and parents, then the final file."""
        name = contract.table
        source = source_sql(mapping, self._raw)
        with sql_errors(mapping):
            described = {row[0]: str(row[1]) for row in self._do(f"describe {source}").fetchall()}
            typed = typed_select(
                contract,
                described,
                source,
                cycle=self._cycle,
            )
            if name == "names":  # used to mask free text, and kept nowhere
                whose = "customer_id" if "customer_id" in described else "null as customer_id"
                self._do(f"create temp table names as select {whose}, name from ({typed})")
                self._masker = Masker(self._do, has_names=True)
                return
            self._write(typed, f"{name}.draft")
        if name in FREE_TEXT:
            mask_table(self._masker, self._draft / f"{name}.draft.parquet", contract)
            self.masked = self._masker.record
        typed_file = self._file(f"{name}.draft")
        shown = [r[0] for r in self._do(f"describe select * from {typed_file}").fetchall()]
        self.columns[name] = [c for c in shown if c not in ("_rule", "_record", "file_row_number")]
        self._note_bad_rows(contract, typed_file)
        self._finish(contract, typed_file)

    def check_share(self, table: str, settings: Settings) -> None:
        """Stop where more rows are set aside than the settings allow."""
        row = self.tables[-1]
        usual = settings.quality.set_aside_max
        if settings.sample:
            usual = settings.sample.set_aside_max(usual)
        limit = settings.quality.tables.get(table, usual)
        if not row["rows_in"] and not self.later[table]:
            raise DataError(
                f"{table} must have rows, but tables/{table}.sql gives none. Mend the source, or "
                "remove the file if the study has no such data."
            )
        if row["rows_set_aside"] > limit * row["rows_in"]:
            worst = sorted(
                (r for r in self.reasons if r["table"] == table and r["fate"] == SET_ASIDE),
                key=lambda r: -r["rows"],
            )[:3]
            listing = "; ".join(f"{r['rows']:,} x {r['reason']}" for r in worst)
            raise DataError(
                f"At most {limit:.1%} of the rows of {table} may be set aside, but "
                f"{row['rows_set_aside']:,} of {row['rows_in']:,} are: {listing}. Mend the source "
                f"or tables/{table}.sql, or raise quality.tables.{table} in study.yaml."
            )

    def write_set_aside(self) -> None:
        """Keep every row that was set aside, as it came."""
        self._write('select * from set_aside order by "table", row, rule', "set_aside")

    def _note_bad_rows(self, contract: Contract, typed: str) -> None:
        """Collect the rows that do not stay, each with its first reason."""
        bad = f"bad_{contract.table}"
        self._do(
            f"create temp table {bad} as select file_row_number + 1 as row, "
            "split_part(_rule, '|', 1) as fate, split_part(_rule, '|', 2) as rule, "
            # The reason is all that follows: one in words may hold a bar.
            "substr(_rule, length(split_part(_rule, '|', 1) || split_part(_rule, '|', 2)) + 3) "
            "as reason, _record as record "
            f"from {typed} where _rule is not null"
        )
        names = self.columns[contract.table]
        self._people.note_erased(contract, typed, bad, names)
        key = ", ".join(f'"{k}"' for k in contract.key)
        (found,) = self._one(f"select count(*) from {bad}")
        kept = (
            f"{typed} where _rule is null" if found else self._file(f"{contract.table}.draft", "")
        )
        survey = self._survey(contract, kept, also=f"count(distinct hash({key}))")
        # Two keys with one hash only cost a closer look, which then finds no duplicate.
        if survey.rows != survey.also:
            self._note_duplicates(contract, typed, bad, key)
        for column in contract.columns:
            if column.references in self.columns and column.name in names:
                self._note_orphans(contract.table, typed, bad, column.name, str(column.references))
        self._people.note_same(contract, typed, bad, names)

    def _note_duplicates(self, contract: Contract, typed: str, bad: str, key: str) -> None:
        # Which of several rows stays must not depend on their order in the file: the one
        # that was loaded last, then by content.
        names = self.columns[contract.table]
        content = "hash(" + ", ".join(f'"{c}"' for c in names) + ")"
        last = '"loaded_at" desc nulls last, ' if "loaded_at" in names else ""
        says = f"the key {', '.join(contract.key)} stands twice in"
        self._do(
            f"insert into {bad} select file_row_number + 1, '{SET_ASIDE}', 'duplicate key', "
            f"case when {content} = first_value({content}) over w "
            f"then '{says} equal rows' else '{says} different rows' end, {_record(names)} "
            f"from {typed} where _rule is null "
            f"and file_row_number + 1 not in (select row from {bad}) "
            f"window w as (partition by {key} order by {last}{content}, file_row_number) "
            "qualify row_number() over w > 1"
        )

    def _note_orphans(self, table: str, typed: str, bad: str, column: str, parent: str) -> None:
        """Let a row share the fate of the parent it names."""
        (key,) = contracts()[parent].key
        typed = self._people.seen(table, typed, column)
        # What was not known yet is not counted, whatever other rule the row breaks.
        self._do(
            f"update {bad} set fate = '{LATER}' where row in (select c.file_row_number + 1 from "
            f'{typed} as c join gone_{parent} as g on g.key = c."{column}" '
            f"where g.fate = '{LATER}')"
        )
        self._do(
            f"update {bad} set fate = '{EXCLUDED}', rule = '', reason = '{ERASED}', record = null "
            f"where fate <> '{LATER}' and row in (select c.file_row_number + 1 from {typed} as c "
            f"join gone_{parent} as g on g.key = c.\"{column}\" where g.reason = '{ERASED}')"
        )
        ids = self._file(f"{table}.draft", "")
        each = f'(select distinct "{column}" from {ids})'
        if (persons := self._people.seen(table, each, column)) != each:
            ids = persons  # each id is looked up once
        lost = f'c."{column}" not in (select "{key}" from {self._file(parent, "")})'
        if not self._one(f"select count(*) from {ids} as c where {lost}")[0]:
            return
        fate = f"case when g.fate in ('{LATER}', '{EXCLUDED}') then g.fate else '{SET_ASIDE}' end"
        self._do(
            f"insert into {bad} select c.file_row_number + 1, {fate}, "
            f"case when g.fate = '{EXCLUDED}' then '' else 'orphan key' end, "
            f"case when g.fate = '{EXCLUDED}' then g.reason "
            f"when g.fate is not null then '{column} names a row of {parent} that was set aside' "
            f"else '{column} names no row of {parent}' end, "
            f"case when {fate} = '{SET_ASIDE}' then {_record(self.columns[table], 'c.')} end "
            f'from {typed} as c left join gone_{parent} as g on g.key = c."{column}" '
            f'where c."{column}" is not null and c._rule is null '
            f"and {lost} "
            f"and c.file_row_number + 1 not in (select row from {bad})"
        )

    def _finish(self, contract: Contract, typed: str) -> None:
        """Write the rows that stay, and count all of them."""
        name, bad = contract.table, f"bad_{contract.table}"
        counts = dict(self._do(f"select fate, count(*) from {bad} group by fate").fetchall())
        draft, final = (self._draft / f"{name}{end}" for end in (".draft.parquet", ".parquet"))
        self._do(f"create temp table gone_{name} (key text, fate text, reason text)")
        made = self._people.final(contract, typed, bad, self.columns[name])
        if counts or made:
            columns = ", ".join(f'"{c}"' for c in self.columns[name])
            stays = f"where file_row_number + 1 not in (select row from {bad})"
            self._write(made.sql if made else f"select {columns} from {typed} {stays}", name)
            if counts and len(contract.key) == 1:
                key = f'"{contract.key[0]}"'
                # One fate per key, or a row that names it would be counted twice.
                worst = f"case b.fate when '{EXCLUDED}' then 1 when '{SET_ASIDE}' then 2 else 3 end"
                self._do(
                    f"insert into gone_{name} select {key}, b.fate, b.reason "
                    f"from {typed} as t join {bad} as b on t.file_row_number + 1 = b.row "
                    f"where {key} not in (select {key} from {self._file(name)}) "
                    f"qualify row_number() over (partition by {key} order by {worst}, b.reason) = 1"
                )
            draft.unlink()
            del self._surveys[name]  # it was of the draft
        else:
            draft.rename(final)
        if made:
            self.columns[name] = made.columns
        self._people.finished(name, self._file(name, ""))
        self._account(contract, counts)

    def _survey(self, contract: Contract, rows: str, *, also: str = "0") -> _Survey:
        """Count rows, their span, and a sum of row hashes that does not depend on their order.

        All in one pass over the file, since files can be long.
        """
        names = self.columns[contract.table]
        moment = f'cast("{contract.known}" as timestamp)' if contract.known in names else "null"
        hashed = ", ".join(f'"{c}"' for c in names)
        found = self._one(
            f"select count(*), min({moment}), max({moment}), sum(hash({hashed}))::varchar, {also} "
            f"from {rows}"
        )
        self._surveys[contract.table] = _Survey(*found)
        return self._surveys[contract.table]

    def _account(self, contract: Contract, counts: dict[str, int]) -> None:
        name, bad = contract.table, f"bad_{contract.table}"
        # Where nothing was changed, the survey of the typed pass holds.
        survey = self._surveys.get(name) or self._survey(contract, self._file(name))
        used, first, last = survey.rows, survey.first, survey.last
        aside, excluded = counts.get(SET_ASIDE, 0), counts.get(EXCLUDED, 0)
        self.later[name] = counts.get(LATER, 0)
        self.tables.append(
            {
                "table": name,
                "rows_in": used + aside + excluded,
                "rows_used": used,
                "rows_set_aside": aside,
                "rows_excluded": excluded,
                "first_at": first.isoformat() if first else None,
                "last_at": last.isoformat() if last else None,
            }
        )
        self.contents[name] = [*self.columns[name], str(used), survey.content or "0"]
        rows = self._do(
            f"select fate, rule, reason, count(*) from {bad} where fate <> '{LATER}' "
            "group by all order by all"
        ).fetchall()
        self.reasons += [
            {"table": name, "fate": f, "rule": r, "reason": why, "rows": n} for f, r, why, n in rows
        ]
        self._do(
            f"insert into set_aside select '{name}', row, rule, reason, "
            f"{self._people.masked(name, 'record')} "
            f"from {bad} where fate = '{SET_ASIDE}'"
        )
        for column in contract.columns:
            if column.one_of and "other" not in column.one_of and column.name in self.columns[name]:
                self._note_others(name, column.name)

    def _note_others(self, table: str, column: str) -> None:
        (others,) = self._one(
            f"select count(*) from {self._file(table)} where \"{column}\" = 'other'"
        )
        if others:
            self.notes.append(
                f"{table}.{column}: {others:,} values are not in its closed list and read 'other'."
            )

    def _write(self, sql: str, name: str) -> None:
        path = str(self._draft / f"{name}.parquet").replace("'", "''")
        self._do(f"copy ({sql}) to '{path}' ({PARQUET})")

    def _file(self, name: str, options: str = ", file_row_number = true") -> str:
        path = str(self._draft / f"{name}.parquet").replace("'", "''")
        return f"read_parquet('{path}'{options})"

    def _one(self, sql: str) -> tuple[Any, ...]:
        row = self._do(sql).fetchone()
        assert row is not None  # noqa: S101  (an aggregate always answers)
        return tuple(row)


def _record(names: list[str], prefix: str = "") -> str:
    """Write a row as JSON."""
    fields = ", ".join(f'"{name}" := {prefix}"{name}"' for name in names)
    return f"cast(to_json(struct_pack({fields})) as varchar)"
