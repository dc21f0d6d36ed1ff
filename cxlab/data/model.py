"""What each table and column must hold, read from the lines of `tables`."""

from dataclasses import dataclass
from functools import cache

from cxlab.data.tables import TABLES

__all__ = ["Column", "Contract", "contracts"]


@dataclass(frozen=True)
class Column:
    """What one column must hold."""

    name: str
    kind: str
    required: bool = False
    one_of: tuple[str, ...] = ()
    not_negative: bool = False
    share: bool = False
    references: str | None = None
    hides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """What one table must hold.

    Attributes
    ----------
    key : tuple of str
        Columns that together name a row once.
    known : str or None
        The moment or day from which the row is known; None where it comes with
        the row it refers to.
    days : mapping of str to str
        Local calendar days that cxlab adds: new column, and the moment behind it.
    """

    table: str
    key: tuple[str, ...]
    known: str | None
    columns: tuple[Column, ...]
    days: tuple[tuple[str, str], ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the column of that name, if the contract has it."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def parents(self) -> tuple[str, ...]:
        """Tables that rows refer to."""
        return tuple(dict.fromkeys(c.references for c in self.columns if c.references))


@cache
def contracts() -> dict[str, Contract]:
    """Return the contract of every table, parents before children."""
    read = {c.table: c for c in map(_contract, TABLES.strip().split("\n\n"))}
    order: dict[str, Contract] = {}

    def visit(contract: Contract) -> None:
        for parent in contract.parents:
            visit(read[parent])
        order.setdefault(contract.table, contract)

    for contract in read.values():
        visit(contract)
    return order


def _contract(block: str) -> Contract:
    head, *lines = block.replace("\\\n", "").splitlines()
    table, rest = head.split(" (", 1)
    key, rest = rest.split(")", 1)
    words = rest.split()
    known = words[words.index("known") + 1]
    days = words[words.index("days") + 1 :] if "days" in words else []
    return Contract(
        table=table,
        key=tuple(k.strip() for k in key.split(",")),
        known=None if known == "-" else known,
        columns=(
            *(_column(line.split()) for line in lines),
            Column("source", "text"),
            Column("loaded_at", "moment"),
        ),
        days=tuple((pair.split("=")[0], pair.split("=")[1]) for pair in days),
    )


def _column(words: list[str]) -> Column:
    name, kind, *rest = words
    options: dict[str, list[str]] = {}
    option = ""
    for word in rest:
        if word in ("in", "->", "hides", ">=0", "share"):
            option = word
            options[option] = []
        else:
            options[option].append(word)
    return Column(
        name=name,
        kind=kind.removesuffix("!"),
        required=kind.endswith("!"),
        one_of=tuple(options.get("in", ())),
        not_negative=">=0" in options,
        share="share" in options,
        references=options["->"][0] if "->" in options else None,
        hides=tuple(options.get("hides", ())),
    )
