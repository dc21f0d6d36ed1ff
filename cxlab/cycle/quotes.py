"""What customers wrote, and their ids, found again in the message of a failed cell and taken out.

An error often quotes the value it stumbled over. What it quotes of a comment, or whom it
names, is for nobody's eyes but those who may read the tables, so it reaches neither page
nor ledger.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

__all__ = ["hider", "known_customers"]

_WORD = re.compile(r"[^\W_]+")
_RUN = 4  # words in sequence that no message shares with a comment by chance
_ROWS = 10_000
_TOKEN = re.compile(r"[^\s'\"`,;()\[\]{}<>=]+")
_LEAST = 5  # characters of an id: a shorter one is a number or a word of the message as well

Gram = tuple[str, ...]


def hider(messages: Sequence[str], snapshot: Path | None) -> Callable[[str], str]:
    """Return a function that puts `[comment]` and `[customer]` in place of what a message quotes.

    Parameters
    ----------
    messages : sequence of str
        All that will be asked about; the comments are read once for them.
    snapshot : pathlib.Path or None
        Folder of the snapshot the chapter saw.
    """
    wanted = {gram for message in messages for gram in _grams(message)}
    found: set[Gram] = set()
    if wanted and snapshot is not None:
        for text in _comments(snapshot / "comments.parquet"):
            found.update(wanted.intersection(_grams(text)))
    tokens = (t.strip(".:!?") for message in messages for t in _TOKEN.findall(message))
    ids = known_customers(tokens, snapshot) if snapshot is not None else []
    named = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, ids))})(?![\w-])") if ids else None

    def hide(message: str) -> str:
        words = list(_WORD.finditer(message))
        plain = [m[0].lower() for m in words]
        quoted = {
            j
            for i in range(len(words) - _RUN + 1)
            if tuple(plain[i : i + _RUN]) in found
            for j in range(i, i + _RUN)
        }
        out, at = [], 0
        for i in sorted(quoted):
            if i - 1 not in quoted:
                out += [message[at : words[i].start()], "[comment]"]
            at = words[i].end()
        text = "".join([*out, message[at:]])
        return named.sub("[customer]", text) if named else text

    return hide


def known_customers(words: Iterable[str], snapshot: Path) -> list[str]:
    """List the words that are ids of customers or of their accounts, the longest first.

    Parameters
    ----------
    words : iterable of str
        Those below five characters are left out.
    snapshot : pathlib.Path
        Folder of the snapshot that knows the customers.
    """
    # A lone surrogate can be asked about nowhere.
    asked = sorted({w for w in words if len(w) >= _LEAST and w.isprintable()})
    known = {
        "customers.parquet": "cast(customer_id as varchar)",
        "identities.parquet": "id_type || ':' || id_value",
    }
    files = [(sql, snapshot / name) for name, sql in known.items() if (snapshot / name).is_file()]
    if not asked or not files:
        return []
    import duckdb

    each = " union ".join(f"select {sql} as id from read_parquet(?)" for sql, _ in files)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select id from ({each}) where id in (select unnest(?::varchar[]))",
            [*(str(file) for _, file in files), asked],
        ).fetchall()
    return sorted((str(customer) for (customer,) in rows), key=lambda c: (-len(c), c))


def _grams(text: str) -> Iterator[Gram]:
    words = [word.lower() for word in _WORD.findall(text)]
    return (tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1))


def _comments(file: Path) -> Iterator[str]:
    """Yield every text of the comments; nothing where a study has none."""
    if not file.is_file():
        return
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(file))
        names = [n for n, t in zip(rows.columns, rows.types, strict=True) if str(t) == "VARCHAR"]
        columns = ", ".join('"' + n.replace('"', '""') + '"' for n in names)
        connection.execute(f"select {columns} from rows")
        while batch := connection.fetchmany(_ROWS):
            yield from (text for row in batch for text in row if text)
