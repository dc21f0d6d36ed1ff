"""cxlab: a notebook-based research and reporting workbench for customer experience.

>>> import cxlab as cx
>>> cx.feedback                                             # doctest: +ELLIPSIS
<module 'cxlab.feedback' from ...>

Rooms and names are imported on first use, so that `import cxlab` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROOMS = ("churn", "emotion", "feedback", "journeys", "loyalty", "operations", "segments", "trust")
_DOOR = ("Card", "Lab", "Result", "frame", "open", "optional", "query", "show", "view")

__all__ = ["__version__", *_DOOR, *_ROOMS]  # noqa: PLE0604  (they are names)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"cxlab.{name}")
    if name in _DOOR:
        return getattr(import_module("cxlab.workbench"), name)
    raise AttributeError(f"cxlab has no {name!r}, only {sorted(__all__)}.")


def __dir__() -> list[str]:
    return sorted(__all__)
