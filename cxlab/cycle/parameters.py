"""What a chapter can be asked: the parameters that its notebook declares.

The cell tagged `parameters` is read as syntax and never run, so a question with a
mistake is refused before any kernel starts.
"""

import ast
import io
import json
import math
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlab.errors import ParameterError, did_you_mean

__all__ = ["REQUIRED", "Parameter", "check_parameters", "declared_parameters"]

REQUIRED = ...  # in place of a default: the name is declared, but given no value


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell.

    Attributes
    ----------
    name : str
        What the notebook calls it.
    annotation : str
        Its type as written, "" if it has none: then any plain value will do.
    default : object
        Its value, or `REQUIRED`.
    help : str
        The comment at the end of the line.
    """

    name: str
    annotation: str
    default: Any
    help: str


def declared_parameters(notebook_path: Path) -> dict[str, Parameter]:
    """Read the parameters that a notebook declares.

    Parameters
    ----------
    notebook_path : pathlib.Path
        The notebook; its cell tagged `parameters` is read, not run.

    Returns
    -------
    dict of str to Parameter
        In the order of the cell; empty if no cell has the tag.

    Raises
    ------
    ParameterError
        If the file is not a notebook, more than one cell has the tag, or a line is
        anything but `name: type = plain value  # help`.
    """
    where = notebook_path.name
    try:
        cells = json.loads(notebook_path.read_text("utf-8"))["cells"]
        tagged = [c for c in cells if "parameters" in c.get("metadata", {}).get("tags", ())]
        sources = ["".join(cell["source"]) for cell in tagged if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ParameterError(
            f"{where} must be a notebook in JSON, but cannot be read as one: {fault}"
        ) from fault
    if len(sources) > 1:
        raise ParameterError(
            f"{where} must have one cell tagged 'parameters', but has {len(sources)}. Merge them."
        )
    return _read_cell(sources[0], where) if sources else {}


def check_parameters(
    declared: Mapping[str, Parameter], given: Mapping[str, object], *, notebook: str
) -> dict[str, Any]:
    """Refuse what a notebook does not take, before a kernel starts.

    Parameters
    ----------
    declared : dict of str to Parameter
        As `declared_parameters` read them.
    given : dict of str to object
        Names and values from the settings or the command line.
    notebook : str
        The notebook's name, for messages.

    Returns
    -------
    dict of str to object
        The given values, ready to be injected as data: numbers, strings, booleans,
        None, and lists and dicts of these.

    Raises
    ------
    ParameterError
        If a name is unknown, a value does not fit its annotation, or a parameter
        without a default is missing.

    Examples
    --------
    >>> declared = {"cutoff": Parameter("cutoff", "str", "2018-01-01", "first moment after")}
    >>> check_parameters(declared, {"cutoff": "2018-04-01"}, notebook="50_churn.ipynb")
    {'cutoff': '2018-04-01'}
    """
    takes = sorted(declared)
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise ParameterError(
            f"{notebook} has no parameter {unknown}. It takes {takes}."
            + did_you_mean(unknown[0], declared)
        )
    for name, value in given.items():
        annotation = declared[name].annotation
        if not (_is_plain(value) and (not annotation or _fits(value, _parse(annotation)))):
            raise ParameterError(
                f"{notebook}: parameter {name!r} must be {annotation or 'a plain value'}, but is "
                f"{value!r} ({type(value).__name__}). Correct it in the settings."
            )
    missing = [n for n, p in declared.items() if p.default is REQUIRED and n not in given]
    if missing:
        raise ParameterError(
            f"{notebook} needs a value for {missing}, which have no default. Name them in the "
            "settings under 'chapters'."
        )
    return dict(given)


def _read_cell(source: str, where: str) -> dict[str, Parameter]:
    try:
        lines = ast.parse(source).body
    except SyntaxError as fault:
        raise ParameterError(
            f"{where}: the parameters cell must be Python, but line {fault.lineno} is not: "
            f"{fault.msg}."
        ) from fault
    helps, found = _comments(source), {}
    for line in lines:
        parameter = _read_line(line, helps.get(line.end_lineno or 0, ""), where)
        if parameter is not None:
            found[parameter.name] = parameter
    return found


def _read_line(line: ast.stmt, text: str, where: str) -> Parameter | None:
    if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
        return None  # a docstring
    target = line.targets[0] if isinstance(line, ast.Assign) and len(line.targets) == 1 else None
    if isinstance(line, ast.AnnAssign):
        target = line.target
    if not isinstance(target, ast.Name) or not isinstance(line, ast.Assign | ast.AnnAssign):
        raise ParameterError(
            f"{where}: a line of the parameters cell must read 'name: type = value  # help', but "
            f"line {line.lineno} reads {ast.unparse(line)!r}. Move it to the next cell."
        )
    annotation = ""
    if isinstance(line, ast.AnnAssign):
        annotation = ast.unparse(line.annotation)
        if isinstance(line.annotation, ast.Constant) and isinstance(line.annotation.value, str):
            annotation = line.annotation.value
    default = REQUIRED if line.value is None else _value(line.value, target.id, where)
    _check_default(target.id, annotation, default, where)
    return Parameter(target.id, annotation, default, text)


def _check_default(name: str, annotation: str, default: object, where: str) -> None:
    if not annotation:
        return
    try:
        fits = _fits(default, _parse(annotation))
    except ParameterError as fault:
        raise ParameterError(f"{where}, parameter {name!r}: {fault}") from None
    if not fits and default is not REQUIRED:
        raise ParameterError(
            f"{where}: the default of {name!r} must be {annotation}, but is {default!r}."
        )


def _value(node: ast.expr, name: str, where: str) -> Any:
    try:
        value = ast.literal_eval(node)
    except ValueError as fault:
        raise ParameterError(
            f"{where}: the default of {name!r} must be a plain value, but is "
            f"{ast.unparse(node)!r}. Derive it in the next cell, from parameters."
        ) from fault
    return list(value) if isinstance(value, tuple) else value


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        t.start[0]: t.string.lstrip("# ").rstrip() for t in tokens if t.type == tokenize.COMMENT
    }


def _parse(annotation: str) -> ast.expr:
    try:
        return ast.parse(annotation, mode="eval").body
    except SyntaxError as fault:
        raise ParameterError(f"A type must be Python, but one reads {annotation!r}.") from fault


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, str | bool | int | float)


def _fits(value: object, kind: ast.expr) -> bool:
    """Tell whether a plain value is of an annotated type."""
    match kind:
        case ast.Constant(value=None):
            return value is None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _fits(value, left) or _fits(value, right)
        case ast.Attribute(attr=name):
            return _fits_name(value, name)
        case ast.Subscript(value=outer, slice=inner):
            return _fits_items(value, ast.unparse(outer).rpartition(".")[2], inner)
        case ast.Name(id=name):
            return _fits_name(value, name)
    raise ParameterError(
        f"A parameter's type must be str, int, float, bool, list[...], dict[str, ...] or "
        f"Literal[...], but one is {ast.unparse(kind)!r}."
    )


def _fits_name(value: object, name: str) -> bool:
    # bool is an int to Python; nobody who writes `weeks: True` means one week.
    number = isinstance(value, int) and not isinstance(value, bool)
    known = {
        "int": number,
        "float": number or (isinstance(value, float) and not math.isnan(value)),
        "bool": isinstance(value, bool),
        "str": isinstance(value, str),
        "list": isinstance(value, list),
        "dict": isinstance(value, dict),
        "None": value is None,
        "Any": True,
        "object": True,
    }
    if name not in known:
        raise ParameterError(
            f"A parameter's type must be one of {sorted(known)}, a list, dict or Literal, but "
            f"one is {name!r}. Take dates as str in ISO form and read them in the next cell."
        )
    return known[name]


def _fits_items(value: object, outer: str, inner: ast.expr) -> bool:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if outer == "Literal":
        allowed = [ast.literal_eval(part) for part in parts]
        return any(type(value) is type(one) and value == one for one in allowed)
    if outer in {"list", "List", "Sequence"}:
        return isinstance(value, list) and all(_fits(item, inner) for item in value)
    if outer in {"dict", "Dict", "Mapping"} and len(parts) == 2:
        return isinstance(value, dict) and all(
            _fits(k, parts[0]) and _fits(v, parts[1]) for k, v in value.items()
        )
    if outer == "Optional":
        return value is None or _fits(value, inner)
    if outer == "Union":
        return any(_fits(value, part) for part in parts)
    raise ParameterError(f"A parameter's type cannot be {outer}[...]. Use list, dict or Literal.")
