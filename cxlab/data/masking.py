"""Free text as a notebook may see it: without what is somebody's own.

Comments are read like any table; before anything else looks at them, e-mail addresses,
numbers, ids, addresses and names give way to a word in brackets. So it is with the few
other columns that somebody types freely, as a rule the same words again and again.
Names come from the side table `names`, which is used here and kept nowhere.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlab.data.model import Contract
from cxlab.data.names import Names, fold, words_of
from cxlab.data.numbers import Hit
from cxlab.data.personal import KINDS, find, put_words, readable
from cxlab.data.signatures import signature

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FREE_TEXT", "MASKED", "Masker", "mask_table"]

MASKED = (*KINDS, "name")
# What people type. Of comments, a study's own columns of text are masked too.
FREE_TEXT: Mapping[str, tuple[str, ...]] = {
    "attributes": ("value",),
    "comments": ("text",),
    "opportunities": ("lost_reason",),
    "subscriptions": ("end_reason",),
    "tickets": ("topic",),
}
_ROWS = 10_000  # of a batch: some megabytes
_SHORT = 3  # letters of a name that is looked for in its owner's comments

Ask = Callable[[str], Any]


def mask_table(masker: "Masker", file: Path, contract: Contract) -> None:
    """Mask the free text of a table that has just been read, in place.

    Parameters
    ----------
    masker : Masker
        Counts what it finds.
    file : pathlib.Path
        The table as typed, with `_record` where a row breaks a rule.
    contract : Contract
        Of the table.
    """
    columns = masker.texts(file)
    free = FREE_TEXT.get(contract.table, ())
    if contract.table == "comments":
        known = {c.name for c in contract.columns} - {*free}
        masker.rewrite(
            file,
            [
                name
                for name in columns
                if name not in known
                and not name.startswith("_")
                and not name.lower().endswith(("_id", "_hash"))
            ],
        )
        return
    # The same words again and again: mostly a look at the different ones is enough.
    suspect = [name for name in columns if name in free and masker.suspects(file, name)]
    if suspect:
        masker.rewrite(file, suspect, often=0)


class Masker:
    """Takes personal data out of texts, and counts in how many rows it stood.

    Parameters
    ----------
    ask : callable
        Runs SQL in the engine that reads the sources; its answer can be fetched.
    has_names : bool
        Whether the engine has a table `names` (customer_id, name): then these persons are
        masked too.
    """

    def __init__(self, ask: Ask, *, has_names: bool = False) -> None:
        self._ask = ask
        self._names: Names | None = None
        self._own: dict[str, frozenset[str]] = {}
        self._has_names = has_names
        self._mask = self.mask
        self.rows: Counter[str] = Counter()

    @property
    def record(self) -> list[dict[str, Any]]:
        """What has been masked until now: `kind`, and in how many `rows`."""
        return [{"kind": kind, "rows": self.rows[kind]} for kind in MASKED]

    def texts(self, file: Path) -> list[str]:
        """List the columns of text in a Parquet file."""
        described = self._ask(f"describe select * from {_parquet(file)}").fetchall()
        return [name for name, kind, *_ in described if kind == "VARCHAR"]

    def suspects(self, file: Path, column: str) -> bool:
        """Tell whether a different value of a column may hold anything to mask."""
        names = self._known_names()
        column = column.replace('"', '""')
        given = f'select distinct "{column}" as value from {_parquet(file)}'
        path = "'$.\"" + column.replace("'", "''") + "\"'"
        kept = f"select distinct json_extract_string(_record, {path}) from {_parquet(file)}"
        each = _rows(self._ask(f"{given} where _record is null union {kept}"))
        return any(
            find(text) or signature(text) or (names is not None and names.holds_any(text))
            for text in map(readable, each)
        )

    def rewrite(self, file: Path, columns: Sequence[str], **learning: float) -> None:
        """Mask the named columns of a Parquet file, and of the raw rows kept in it.

        The order of rows stays. The file is replaced; what it held is gone. `often` is
        said to `Names.begin`.
        """
        import pyarrow.parquet as pq

        if self._has_names:
            self._learn(file, columns, **learning)
        # A column of few different texts is masked text by text.
        self._mask = lru_cache(_ROWS)(self.mask)
        draft = file.with_suffix(".masked")
        with pq.ParquetFile(file) as source, pq.ParquetWriter(draft, source.schema_arrow) as out:
            for batch in source.iter_batches(_ROWS):
                out.write_batch(self._masked(batch, columns))
        draft.replace(file)

    def mask(self, text: str, own: frozenset[str] = frozenset()) -> tuple[str, set[str]]:
        """Mask one text; say which kinds it held."""
        text = readable(text)
        hits = self.find(text, own)
        return put_words(text, hits), {h.kind for h in hits}

    def find(self, text: str, own: frozenset[str] = frozenset()) -> list[Hit]:
        """Find all that is personal in a text, names included, in order and without overlaps."""
        hits = find(text)
        named = self._names.find(text, own) if self._names is not None else []
        if signed := signature(text):
            named = [n for n in named if n.end <= signed.start] + [signed]
        apart = [n for n in named if all(n.end <= h.start or n.start >= h.end for h in hits)]
        return sorted(hits + apart)

    def _known_names(self) -> Names | None:
        """Read the names of all persons, once."""
        if self._has_names and self._names is None:
            self._names = Names(_rows(self._ask("select distinct name from names")))
        return self._names

    def _learn(self, file: Path, columns: Sequence[str], **learning: float) -> None:
        """Read the names of each writer, and how words are written."""
        import pyarrow.parquet as pq

        names = self._known_names()
        assert names is not None  # noqa: S101  (asked for only where there are names)
        names.begin(**learning)
        self._own = {}
        with pq.ParquetFile(file) as source:
            if "customer_id" in source.schema_arrow.names:
                found = self._ask(
                    "select customer_id, string_agg(name, ' ') from names where customer_id in "
                    f"(select customer_id from {_parquet(file)}) group by customer_id"
                ).fetchall()
                self._own = {customer: _tokens(names) for customer, names in found}
            for batch in source.iter_batches(_ROWS):
                own = self._writers(batch)
                for name in columns:
                    for text, whose in zip(batch[name].to_pylist(), own, strict=True):
                        if text:
                            names.learn(readable(text), whose)

    def _writers(self, batch: "pa.RecordBatch") -> list[frozenset[str]]:
        """Words of the name of whoever wrote each comment."""
        if not self._own:
            return [frozenset()] * batch.num_rows
        return [self._own.get(w, frozenset()) for w in batch["customer_id"].to_pylist()]

    def _masked(self, batch: "pa.RecordBatch", columns: Sequence[str]) -> "pa.RecordBatch":
        import pyarrow as pa

        names = batch.schema.names
        own = self._writers(batch)
        kinds: list[set[str]] = [set() for _ in own]
        for name in columns:
            at = names.index(name)
            texts = batch.column(at).to_pylist()
            done = [self._note(t, o, k) for t, o, k in zip(texts, own, kinds, strict=True)]
            batch = batch.set_column(at, batch.schema.field(at), pa.array(done, pa.string()))
        for held in kinds:
            self.rows.update(held)
        if "_record" in names:
            at = names.index("_record")
            raw = batch.column(at).to_pylist()
            done = [self._record(r, o, columns) for r, o in zip(raw, own, strict=True)]
            batch = batch.set_column(at, batch.schema.field(at), pa.array(done, pa.string()))
        return batch

    def _note(self, text: str | None, own: frozenset[str], kinds: set[str]) -> str | None:
        if text is None:
            return None
        safe, held = self._mask(text, own)
        kinds |= held
        return safe

    def _record(
        self, record: str | None, own: frozenset[str], columns: Sequence[str]
    ) -> str | None:
        """Mask a raw row that is kept as JSON because it breaks a rule."""
        if record is None:
            return None
        row = json.loads(record)
        for name in row.keys() & {*columns}:
            given = str(row[name])  # a number of a telephone may be a number in the source
            if row[name] is not None and (safe := self._mask(given, own)[0]) != given:
                row[name] = safe
        return json.dumps(row, ensure_ascii=False)


def _parquet(file: Path) -> str:
    path = str(file).replace("'", "''")
    return f"read_parquet('{path}')"


def _tokens(names: str) -> frozenset[str]:
    return frozenset(w for m in words_of(names) if len(w := fold(m[0])) >= _SHORT)


def _rows(answer: Any) -> Iterator[str]:
    while rows := answer.fetchmany(_ROWS):
        yield from (name for (name,) in rows if name)
