"""YAML as people expect it: no surprises, no bombs.

`no` is text, a key stands once, nothing refers to anything else, and the file is
small. Types come from the settings' schema, not from how a word happens to look.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from cxlab.errors import SettingsError

__all__ = ["read_yaml"]

_MOST_BYTES = 1_000_000
_MOST_DEPTH = 20


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, less what makes YAML surprising."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not allowed", problem_mark=mark
            )
        self._depth = getattr(self, "_depth", 0) + 1
        if self._depth > _MOST_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {_MOST_DEPTH} levels",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                raise yaml.MarkedYAMLError(
                    problem="a key must be one word", problem_mark=key_node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


# What YAML 1.2 means by a plain word: 12:30, 010 and 1_000 are text, and so are days until
# the schema reads them; 1e3 is a number; only `true` and `false` are flags.
_PLAIN = {
    "bool": (r"true|false", "tf"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (
        r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?(?:0|[1-9][0-9]*)[eE][-+]?[0-9]+|[-+]?\.inf|\.nan",
        "-+.0123456789",
    ),
    "null": (r"~|null|", "~n\0"),
}
_StrictLoader.yaml_implicit_resolvers = {}
for _kind, (_pattern, _first) in _PLAIN.items():
    _StrictLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}",
        re.compile(rf"^(?:{_pattern})$"),
        ["" if letter == "\0" else letter for letter in _first],
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one mapping from a YAML file.

    Raises
    ------
    SettingsError
        If the file is missing, too large, not YAML, or not a mapping.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SettingsError(f"{path.name} must stay below 1 MB. Move data out of the settings.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(
            f"A study must have a file {path.name}, but {path.parent} has none. "
            "Make a new study with: cxlab new DIR"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} must be a readable UTF-8 text: {error}") from error
    try:
        loaded = yaml.load(text, Loader=_StrictLoader)  # noqa: S506  (a stricter SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path} must be plain YAML: {_where(error)}") from error
    if not isinstance(loaded, dict):
        raise SettingsError(f"{path} must hold settings as `name: value` lines.")
    return loaded


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)
