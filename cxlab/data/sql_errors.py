"""What DuckDB stumbled over in a mapping, in the words of this house.

Which file, which name is not there or which value does not read, and what to do.
"""

import re

import duckdb

from cxlab.data.sources import Mapping
from cxlab.errors import DataError, SettingsError, did_you_mean

__all__ = ["sql_errors"]


class sql_errors:  # noqa: N801  (reads as a phrase: with sql_errors(mapping))
    """Say which mapping DuckDB stumbled over, and in which words."""

    def __init__(self, mapping: Mapping) -> None:
        self._file = f"tables/{mapping.name}.sql"
        # A helper is bound when it gets its name, but its rows are read by who uses it.
        self._helpers = [f"tables/{name}.sql" for name in mapping.uses]

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, duckdb.Error):
            return
        if isinstance(error, duckdb.PermissionException):
            raise SettingsError(
                f"{self._file} must read only below the raw folder: {_first(error)}"
            ) from None
        if isinstance(error, duckdb.OutOfMemoryException):
            raise DataError(
                f"{self._file} needs more memory than engine.memory in study.yaml allows, or more "
                f"disk for spilling: {_first(error)}"
            ) from None
        if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
            said = _absent(str(error), self._file)
        else:
            said = _unread(str(error), self._file, self._helpers)
        raise DataError(
            said or f"{self._file} must run over its sources, but: {_first(error)}{_where(error)}"
        ) from None


_NO_COLUMN = re.compile(
    r'column (?:named )?"+(?P<name>[^"\n]+)"+'
    r"(?: (?:in \w+ list )?not found| does not exist| referenced in UNPIVOT|$)",
    re.IGNORECASE | re.MULTILINE,
)
_NO_OTHER = re.compile(
    r'(?P<what>table|function)(?: with name)? "?(?P<name>[^"\n]+?)"? (?:not found|does not exist)!',
    re.IGNORECASE,
)
_PLACE = {"column": "its sources have", "table": "its FROM has", "function": "DuckDB has"}
_NEAR = re.compile(r"(?:Candidate \w+:[: ]*|Did you mean )(.+)")
_UNREAD = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"""Could not convert string (['"])(?P<value>.*?)\1 to '?(?P<kind>\w+)""",
        r'(?P<kind>date|timestamp|time) field (?:value out of range|format): "(?P<value>.*?)"',
        r'Could not parse string "(?P<value>.*?)" according to format \w+ "(?P<kind>.*?)"',
        r"with value (?P<value>\S+) can't be cast .*? destination type (?P<kind>\w+)",
        r'(?:Casting|Could not cast) value "?(?P<value>\S+?)"? to (?:type )?(?P<kind>\w+)',
    )
]
_UNREAD_COLUMN = re.compile(r'source column ([^\n]+)|converting column "([^\n]+?)"\.')
_KINDS = {
    "date": "a day",
    "time": "a time of day",
    "timestamp": "a moment",
    "double": "a number",
    "float": "a number",
    "decimal": "an amount of money",
    "bool": "true or false",
    "boolean": "true or false",
}


def _absent(message: str, file: str) -> str:
    """Say which name a mapping uses that is not there; nothing of other errors."""
    what, found = "column", _NO_COLUMN.search(message)
    if found is None:
        found = _NO_OTHER.search(message)
        if found is None:
            return ""
        what = found["what"].lower()
    name = found["name"]
    candidates = _NEAR.search(message)
    near = re.findall(r'"([^"]+)"', candidates[1]) if candidates else []
    # DuckDB lists the nearest names only.
    there = f" There are, nearest to it: {', '.join(map(repr, near))}." if near else ""
    return (
        f"{file} must use names that are there, but {_PLACE[what]} no {what} {name!r}.{there}"
        f"{did_you_mean(name, near)} Mend the name in the SQL"
        f"{', or in the source' if what == 'column' else ''}."
    )


def _unread(message: str, file: str, helpers: list[str]) -> str:
    """Say which value a mapping's cast does not read; nothing of other errors."""
    found = next(filter(None, (pattern.search(message) for pattern in _UNREAD)), None)
    if found is None:
        return ""
    kind = found["kind"].lower()
    whole = "a whole number" if "int" in kind else repr(found["kind"])
    column = _UNREAD_COLUMN.search(message)
    where = f" in column {(column[1] or column[2])!r}" if column else ""
    also = f" (or {', '.join(helpers)}, which it uses)" if helpers else ""
    return (
        f"{file}{also} must not stop at a value, but {found['value'][:60]!r}{where} does not read "
        f"as {_KINDS.get(kind, whole)}. Leave the typing to the data model: give the text as it "
        "is (all_varchar = true, no cast), and only such rows are set aside. To reckon with it, "
        "use try_cast or try_strptime."
    )


def _where(error: BaseException) -> str:
    """Quote the line that could not be read; of other faults the message says enough."""
    line = re.search(r"^LINE \d+: (.*)$", str(error), re.MULTILINE)
    if line is None or not isinstance(error, duckdb.ParserException):
        return ""
    return f" in the line '{line[1].strip()[:200]}'."


def _first(error: BaseException) -> str:
    """Keep what a message says, without the list of functions and the line of SQL."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ends = (i for i, line in enumerate(lines) if i and line.startswith(("Candidate", "LINE ")))
    return " ".join(lines[: min(next(ends, 2), 2)])[:300]
