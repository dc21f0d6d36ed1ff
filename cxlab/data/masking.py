"""Comments as a notebook may see them: without what is somebody's own.

Comments are read like any table; before anything else looks at them, e-mail addresses,
numbers, ids, addresses and names give way to a word in brackets. Names come from the
side table `names`, which is used here and kept nowhere.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlab.data.model import Contract
from cxlab.data.names import Names, fold, words_of
from cxlab.data.numbers import Hit
from cxlab.data.personal import KINDS, find, put_words, readable
from cxlab.data.signatures import signature

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MASKED", "Masker", "mask_comments"]

MASKED = (*KINDS, "name")
_ROWS = 10_000  # of a batch: some megabytes
_SHORT = 3  # letters of a name that is looked for in its owner's comments

Ask = Callable[[str], Any]


def mask_comments(ask: Ask, file: Path, contract: Contract) -> list[dict[str, Any]]:
    """Mask the comments that have just been read, in place.

    Parameters
    ----------
    ask : callable
        Runs SQL in the engine that reads the sources; its answer can be fetched. Where
        it has a table `names` (customer_id, name), these persons are masked too.
    file : pathlib.Path
        The comments as typed, with `_record` where a row breaks a rule.
    contract : Contract
        Of the table; text columns beyond it are masked too, unless they are ids.

    Returns
    -------
    list of dict
        `kind`, and the `rows` in which it was masked.
    """
    has_names = ask("select count(*) from duckdb_tables() where table_name = 'names'").fetchone()[0]
    masker = Masker(ask, has_names=bool(has_names))
    described = ask(f"describe select * from {_parquet(file)}").fetchall()
    known = {c.name for c in contract.columns if c.name != "text"}
    masker.rewrite(
        file,
        [
            name
            for name, kind, *_ in described
            if kind == "VARCHAR"
            and name not in known
            and not name.startswith("_")
            and not name.lower().endswith(("_id", "_hash"))
        ],
    )
    return [{"kind": kind, "rows": masker.rows[kind]} for kind in MASKED]


class Masker:
    """Takes personal data out of comments, and counts in how many it stood."""

    def __init__(self, ask: Ask, *, has_names: bool = False) -> None:
        self._ask = ask
        self._names: Names | None = None
        self._own: dict[str, frozenset[str]] = {}
        self._has_names = has_names
        self.rows: Counter[str] = Counter()

    def rewrite(self, file: Path, columns: Sequence[str]) -> None:
        """Mask the named columns of a Parquet file, and of the raw rows kept in it.

        The order of rows stays. The file is replaced; what it held is gone.
        """
        import pyarrow.parquet as pq

        if self._has_names:
            self._learn(file, columns)
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

    def _learn(self, file: Path, columns: Sequence[str]) -> None:
        """Read the names of all persons, those of each writer, and how words are written."""
        import pyarrow.parquet as pq

        self._names = Names(_rows(self._ask("select distinct name from names")))
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
                            self._names.learn(readable(text), whose)

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
        safe, held = self.mask(text, own)
        kinds |= held
        return safe

    def _record(
        self, record: str | None, own: frozenset[str], columns: Sequence[str]
    ) -> str | None:
        """Mask a raw row that is kept as JSON because it breaks a rule."""
        if record is None:
            return None
        row = json.loads(record)
        safe = {
            name: self.mask(value, own)[0] if name in columns and isinstance(value, str) else value
            for name, value in row.items()
        }
        return json.dumps(safe, ensure_ascii=False)


def _parquet(file: Path) -> str:
    path = str(file).replace("'", "''")
    return f"read_parquet('{path}')"


def _tokens(names: str) -> frozenset[str]:
    return frozenset(w for m in words_of(names) if len(w := fold(m[0])) >= _SHORT)


def _rows(answer: Any) -> Iterator[str]:
    while rows := answer.fetchmany(_ROWS):
        yield from (name for (name,) in rows if name)
