"""Does a mapped table keep its contract? Written as SQL, so that it scales with the engine.

One pass over the source reads each value in the type of its column, hides what was
not known at the cutoff, and writes down the first rule that a row breaks. Whole
tables are refused here only for what no row could mend: a missing column, or one
that reads as something else throughout.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from cxlab.data.calendar import Cycle, steady_since
from cxlab.data.model import Column, Contract
from cxlab.errors import DataError, did_you_mean

__all__ = ["EXCLUDED", "LATER", "SET_ASIDE", "check_columns", "typed_select"]

SET_ASIDE = "set aside"
EXCLUDED = "excluded by rule"
LATER = "later"  # not yet known at the cutoff: neither used nor counted

_READS = {
    "moment": "a moment",
    "day": "a day",
    "whole": "a whole number",
    "number": "a number",
    "money": "an amount of money",
    "flag": "true or false",
    "text": "text",
}
_SQL_TYPE = {
    "day": "DATE",
    "whole": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18,2)",
    "flag": "BOOLEAN",
}
_RUNS = ("started_at", "ended_at")
_LAST_MOMENT = "timestamp '2200-01-01'"
# Types that cannot fail to read as the kind, so that no check is spent on them.
_SAFE = {
    "text": re.compile(".*"),
    "moment": re.compile(r"TIMESTAMP.*|DATE"),
    "day": re.compile("DATE"),
    "whole": re.compile("BIGINT|INTEGER|SMALLINT|TINYINT|UINTEGER|USMALLINT|UTINYINT"),
    "number": re.compile(r"DOUBLE|FLOAT|DECIMAL.*|.*INT.*"),
    "money": re.compile(r"INTEGER|SMALLINT|TINYINT|DECIMAL\((\d|1[0-6]),[012]\)"),
    "flag": re.compile("BOOLEAN"),
}
# Direct identifiers never enter a table of ours: hash them in the mapping, or leave them out.
_IDENTIFIER = re.compile(
    r"(^|_)(e_?mail|phone|telephone|telepon|mobile|(first|last|full|middle|maiden)_?name|surname|"
    r"street|alamat|card_?number|iban|passport|nik|ktp|ssn|cpf|password)"
    r"(_?address|_?number|_no)?$|^((customer|client|person|user|contact)_)?(name|address)$"
)
# Ids as systems export them: blanks around one say nothing, and blanks alone are no id.
_TRIMMED = {("links", "left_value"), ("links", "right_value")}
_BLANKS = " \t\r\n\u00a0"
_RESERVED = {"file_row_number", "filename"}  # names that reading a file adds
# What is known of a promise before it is due or resolved.
_AS_OF = {
    ("promises", "kept"): (
        'case when "resolved_at" < {cutoff} then "kept" when "due_at" < {cutoff} '
        'then "resolved_at" is null and coalesce("kept", false) '
        'when "resolved_at" is null and "due_at" is null then "kept" end'
    )
}


def check_columns(contract: Contract, described: Mapping[str, str]) -> list[str]:
    """Refuse a table without its required columns; return the extra ones.

    Parameters
    ----------
    contract : Contract
        What the table must hold.
    described : mapping of str to str
        Column and DuckDB type of what the mapping gives.

    Raises
    ------
    DataError
        If a required column is missing, or one names a direct identifier.
    """
    for column in contract.columns:
        if column.required and column.name not in described:
            raise DataError(
                f"{contract.table} has no column {column.name!r}, only {list(described)}."
                f"{did_you_mean(column.name, described)} Name it in tables/{contract.table}.sql."
            )
    known = {c.name for c in contract.columns} | {"excluded_by"}
    extras = [name for name in described if name not in known]
    if not described.get("excluded_by", "VARCHAR").startswith(("VARCHAR", "ENUM", '"NULL"', "INT")):
        raise DataError(
            f"{contract.table}: excluded_by must be a reason in words, or empty where a row stays, "
            f"but is {described['excluded_by']}. Write: case when ... then 'the reason' end."
        )
    for name in extras:
        if _IDENTIFIER.search(_words(name)):
            raise DataError(
                f"{contract.table} must hold no direct identifier, but has a column {name!r}. "
                f"Leave it out of tables/{contract.table}.sql, or hash it there."
            )
        if name.startswith("_") or name.lower() in {*dict(contract.days), *_RESERVED}:
            raise DataError(f"{contract.table}: the column name {name!r} is reserved. Rename it.")
        if not name.strip() or re.search(r'["\x00-\x1f]', name):
            raise DataError(
                f"{contract.table}: a column's name must hold no quote or line break, but one is "
                f"{name!r}. Rename it in tables/{contract.table}.sql."
            )
    return extras


def typed_select(
    contract: Contract,
    described: Mapping[str, str],
    source: str,
    *,
    cycle: Cycle,
) -> str:
    """Write the pass that types a table, hides the future and notes broken rules.

    The result has the table's columns, `_rule` ('fate|rule|reason' or NULL) and
    `_record` (the raw row as JSON where a rule is broken).
    """
    raw = {name: _q(f"r.{name}") for name in described}
    present = [c for c in contract.columns if c.name in described]
    extras = check_columns(contract, described)
    read = [
        f"{_read(c, _given(contract, c), described[c.name], cycle.time_zone)} as {_q(c.name)}"
        for c in present
    ]
    read += [f"{_plain(f's.{_q(n)}', described[n])} as {_q(n)}" for n in extras]
    read += [f"s.{_q(n)} as {raw[n]}" for n in described]
    rules = [rule for c in present for rule in _rules(c, raw[c.name], described[c.name])]
    rules += _scale_rule(contract, described)
    if contract.column("ended_at") and {*_RUNS} <= described.keys():
        # By local days (the session's zone), since many systems know the day of an end alone.
        ends_first, begins = (f"cast({c} at time zone 'UTC' as date)" for c in _RUNS[::-1])
        ends_first += f" < {begins}"
        reason = "'ended_at must not lie before started_at'"
        rules.append((ends_first, SET_ASIDE, "out of order", reason))
    if "excluded_by" in described:
        rules.append((f"{raw['excluded_by']} is not null", EXCLUDED, "", raw["excluded_by"]))
    if later := _later(contract, described, cycle):
        rules.insert(0, (later, LATER, "", "''"))
    cases = " ".join(
        f"when {condition} then '{fate}|{rule}|' || {reason}"
        for condition, fate, rule, reason in rules
    )
    rule = f"case {cases} end" if cases else "null::varchar"
    record = ", ".join(f"{_q(name)}: {raw[name]}" for name in described)
    hidden = _hidden(contract, described, cycle.cutoff)
    columns = [f"{hidden.get(c.name, _q(c.name))} as {_q(c.name)}" for c in present]
    columns += [_q(n) for n in extras]
    columns += [
        f"cast({hidden.get(moment, _q(moment))} at time zone 'UTC' as date) as {_q(day)}"
        for day, moment in contract.days
        if moment in described
    ]
    # The order of rows is the order of the source: the row numbers of what is set aside rely on it.
    return (
        f"select {', '.join(columns)}, _rule, "
        f"case when _rule is not null and _rule not like '{LATER}|%' "
        f"then cast(to_json({{{record}}}) as varchar) end as _record "
        f"from (select *, {rule} as _rule from (select {', '.join(read)} from ({source}) as s))"
    )


def _read(column: Column, value: str, kind: str, zone: str) -> str:
    """Read one raw value in the type of its column; NULL where it does not read."""
    if column.kind == "text":
        text = f"nullif(cast({value} as varchar), '')"
        if not column.one_of:
            return text
        words = ", ".join(f"'{w}'" for w in column.one_of)
        return f"case when {text} is null or {text} in ({words}) then {text} else 'other' end"
    if kind == "BOOLEAN" and column.kind != "flag":
        return f"cast(null as {_SQL_TYPE.get(column.kind, 'timestamp')})"  # true is no amount
    if kind.startswith(("VARCHAR", "JSON")):
        value = f"nullif(trim({value}), '')"
    if column.kind == "moment":
        return _moment(value, kind, zone)
    if column.kind == "whole" and not _SAFE["whole"].fullmatch(kind):
        number = f"try_cast({value} as double)"
        return f"case when {number} = trunc({number}) then try_cast({value} as bigint) end"
    return f"try_cast({value} as {_SQL_TYPE[column.kind]})"


def _given(contract: Contract, column: Column) -> str:
    """Write a value as the source gives it."""
    value = f"s.{_q(column.name)}"
    if (contract.table, column.name) in _TRIMMED:
        return f"trim(cast({value} as varchar), '{_BLANKS}')"
    return value


def _moment(value: str, kind: str, zone: str) -> str:
    """Read a moment in UTC; without an offset of its own it is local to the session's zone."""
    converted = f"(try_cast({value} as timestamptz) at time zone 'UTC')"
    steady = steady_since(zone)
    if steady is None or kind not in ("TIMESTAMP", "DATE"):
        return converted
    # Where clocks are no longer changed a subtraction does, at a tenth of the cost.
    since, ahead = steady
    return (
        f"case when {value} >= timestamp '{since}' and {value} < timestamp '2200-01-01' "
        f"then cast({value} as timestamp) - to_seconds({ahead}) else {converted} end"
    )


def _plain(value: str, kind: str) -> str:
    """Keep an extra column, in a type that every engine knows."""
    if kind.startswith("TIMESTAMP"):
        return f"(cast({value} as timestamptz) at time zone 'UTC')"
    if kind in ("VARCHAR", "BOOLEAN", "BIGINT", "DOUBLE", "DATE"):
        return value
    if kind.startswith("DECIMAL"):
        return value
    if "INT" in kind and "[" not in kind and "STRUCT" not in kind:
        return f"cast({value} as {'double' if 'HUGE' in kind or kind == 'UBIGINT' else 'bigint'})"
    return f"cast({value} as {'double' if kind == 'FLOAT' else 'varchar'})"


def _rules(column: Column, raw: str, kind: str) -> list[tuple[str, str, str, str]]:
    """List the rules of one column: condition, fate, rule, reason (as SQL)."""
    name = _q(column.name)
    label = column.name
    rules = []
    if not _SAFE[column.kind].fullmatch(kind):
        given = f"{raw} is not null"
        if kind.startswith(("VARCHAR", "JSON")):
            given += f" and trim({raw}) <> ''"
        rules.append(
            (
                f"{given} and {name} is null",
                "unreadable",
                f"{label} must read as {_READS[column.kind]}",
            )
        )
    if column.required:
        rules.append((f"{name} is null", "missing", f"{label} must not be empty"))
    if column.kind == "moment":
        odd = f"{name} < timestamp '1900-01-01' or {name} >= {_LAST_MOMENT}"
        rules.append((odd, "implausible", f"{label} must lie between 1900 and 2200"))
    if column.kind == "number" and not re.fullmatch("DECIMAL.*|.*INT.*", kind):
        rules.append((f"not isfinite({name})", "unreadable", f"{label} must be finite"))
    if column.not_negative:
        rules.append((f"{name} < 0", "negative", f"{label} must not be negative"))
    if column.share:
        rules.append(
            (f"not ({name} between 0 and 1)", "out of range", f"{label} must lie between 0 and 1")
        )
    return [(condition, SET_ASIDE, rule, f"'{reason}'") for condition, rule, reason in rules]


def _scale_rule(
    contract: Contract, described: Mapping[str, str]
) -> list[tuple[str, str, str, str]]:
    """Hold an answer or a rating to the scale that was shown, as far as its ends are given."""
    measured = "value" if contract.column("value") else "rating"
    ends = (("scale_min", "<"), ("scale_max", ">"))
    beyond = [
        f"{_q(measured)} {sign} {_q(end)}"
        for end, sign in ends
        if contract.column(end) and {measured, end} <= described.keys()
    ]
    if not beyond:
        return []
    return [(" or ".join(beyond), SET_ASIDE, "out of range", f"'{measured} must lie on its scale'")]


def _later(contract: Contract, described: Mapping[str, str], cycle: Cycle) -> str:
    """Write the condition under which a row was not yet known at the cutoff."""
    terms = [f'"{c}"' for c in ("loaded_at", contract.known) if c is not None and c in described]
    if not terms:
        return ""
    known = contract.column(terms[-1].strip('"'))
    at = f"timestamp '{cycle.cutoff.isoformat(sep=' ')}'"
    if known is not None and known.kind == "day":
        day = f"{terms[-1]} >= date '{cycle.next.first_day}'"
        return f"coalesce({terms[0]} >= {at}, {day})" if len(terms) > 1 else day
    # What lies beyond all plausible moments never comes: it is set aside, not waited for.
    moment = f"coalesce({', '.join(terms)})"
    return f"{moment} >= {at} and {moment} < {_LAST_MOMENT}"


def _hidden(contract: Contract, described: Mapping[str, str], cutoff: datetime) -> dict[str, str]:
    """Write what each column read before its moment had come."""
    at = f"timestamp '{cutoff.isoformat(sep=' ')}'"
    hidden: dict[str, str] = {}
    for column in contract.columns:
        if (
            column.kind != "moment"
            or column.name not in described
            or column.name in ("loaded_at", contract.known)
        ):
            continue
        come = f"{_q(column.name)} < {at}"
        hidden[column.name] = f"case when {come} then {_q(column.name)} end"
        for target in column.hides:
            name, _, until = target.partition("=")
            if name in described:
                before = f"'{until}'" if until else "null"
                hidden[name] = (
                    f"case when {_q(column.name)} >= {at} then {before} else {_q(name)} end"
                )
    for (table, name), sql in _AS_OF.items():
        if table == contract.table and name in described:
            # A moment that the source does not give is not known.
            hidden[name] = re.sub(
                r'"(\w+)"', lambda m: m[0] if m[1] in described else "null", sql
            ).format(cutoff=at)
    return hidden


def _words(name: str) -> str:
    """Write a column's name as words of small letters: 'EmailAddress' as 'email_address'."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()).strip("_")


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
