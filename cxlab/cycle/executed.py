"""What is kept of a chapter that ran: its notebook, without traces of the machine.

Works on the plain JSON of a notebook, so that the runner can also keep what a killed
worker left behind without importing Jupyter's libraries.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from cxlab.cycle.quotes import hider
from cxlab.data.personal import mask

__all__ = ["add_error", "code_cells", "error_name", "one_line", "partial_path", "scrub", "write"]

Notebook = MutableMapping[str, Any]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# The kernel compiles each cell under a name in the folder of temporary files.
_CELL_FILE = re.compile(r"[^\s'\"]*[/\\]ipykernel_\d+[/\\]\d+\.py")
_PAPERMILL_KEYS = ("parameters", "start_time", "end_time", "duration", "exception", "version")
_KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def partial_path(output: Path) -> Path:
    """Return where a chapter grows until it is whole: hidden, beside its output."""
    return output.with_name(f".{output.name}.partial")


def code_cells(notebook: Mapping[str, Any]) -> list[int]:
    """Return the positions of the cells that a kernel will be asked to run."""
    return [
        i
        for i, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and "".join(cell["source"]).strip()
    ]


def one_line(text: str, *, most: int = 300) -> str:
    """Return a message without colours, line breaks and personal data, cut to a readable length."""
    line = mask(" ".join(_ANSI.sub("", text).split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def error_name(state: str) -> str:
    """Return the name under which a notebook records how it ended: TimedOut, Killed."""
    return state.title().replace(" ", "")


def add_error(notebook: Notebook, *, name: str, message: str, cell: int | None = None) -> None:
    """Write an error into the cell that was running, as if the cell had raised it.

    Parameters
    ----------
    notebook : dict
        The notebook, changed in place.
    name, message : str
        What stands in the output: its class and its text.
    cell : int, optional
        Position of the cell. Default: the one whose papermill status is "running",
        else the first that runs code.
    """
    if cell is None:
        running = [i for i in code_cells(notebook) if _status(notebook["cells"][i]) == "running"]
        cell = next(iter(running or code_cells(notebook)), None)
    if cell is not None:
        target = notebook["cells"][cell]
        output = {"output_type": "error", "ename": name, "evalue": message}
        target.setdefault("outputs", []).append({**output, "traceback": [f"{name}: {message}"]})
        target.setdefault("metadata", {}).setdefault("papermill", {})
        target["metadata"]["papermill"].update(exception=True, status="failed")
    notebook["metadata"].setdefault("papermill", {})["exception"] = True


def scrub(
    notebook: Notebook, *, cwd: Path, snapshot: Path | None = None, error: str | None = None
) -> str | None:
    """Take out, in place, what tells of the machine or of a person rather than of the study.

    papermill records absolute paths; tracebacks, warnings and injected parameters may hold
    them too, and personal data as well. An error may quote what a customer wrote. Displayed
    results stay as they are: they are the record, and searched before they are published.

    Parameters
    ----------
    notebook : dict
        The notebook, changed in place.
    cwd : pathlib.Path
        Where it ran.
    snapshot : pathlib.Path, optional
        Folder of the snapshot whose comments no error may quote.
    error : str, optional
        The line that tells how the chapter ended.

    Returns
    -------
    str or None
        That line, without what it quotes.
    """
    places = _places(cwd)
    unquote = hider([error or "", *_messages(notebook)], snapshot)
    metadata = notebook["metadata"]
    papermill = metadata.get("papermill", {})
    metadata["papermill"] = {k: papermill[k] for k in _PAPERMILL_KEYS if k in papermill}
    if "parameters" in papermill:
        metadata["papermill"]["parameters"] = _hide(papermill["parameters"], places)
    metadata["kernelspec"] = dict(_KERNELSPEC)  # what it ran on, whatever it named
    for cell in notebook["cells"]:
        if "injected-parameters" in cell.get("metadata", {}).get("tags", ()):
            cell["source"] = _hide(cell["source"], places)
        for output in cell.get("outputs", ()):
            if output["output_type"] in {"error", "stream"}:
                for key in {"evalue", "traceback", "text"} & output.keys():
                    output[key] = _hide(output[key], places)
                for key in {"evalue", "traceback"} & output.keys():
                    output[key] = _each(output[key], unquote)
    return error and unquote(error)


def write(notebook: Mapping[str, Any], path: Path, *, is_final: bool = False) -> None:
    """Write a notebook so that a reader sees all of it or nothing.

    Parameters
    ----------
    notebook : dict
        The notebook.
    path : pathlib.Path
        Where to; what is there is replaced.
    is_final : bool, optional
        Wait for the disk, so that not even a power cut leaves an empty file under this
        name. Default: do not, a notebook that grows is written again soon.
    """
    growing = path.with_name(path.name + ".new")
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    # A lone surrogate in an output must not cost the chapter its record.
    with growing.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text + "\n")
        if is_final:
            file.flush()
            os.fsync(file.fileno())
    growing.replace(path)


def _messages(notebook: Mapping[str, Any]) -> list[str]:
    """List what errors in a notebook say."""
    outputs = [o for cell in notebook["cells"] for o in cell.get("outputs", ())]
    errors = [o for o in outputs if o["output_type"] == "error"]
    return [text for e in errors for text in (e["evalue"], *e.get("traceback", ()))]


def _each(value: Any, change: Callable[[str], str]) -> Any:
    return [change(v) for v in value] if isinstance(value, list) else change(str(value))


def _status(cell: Mapping[str, Any]) -> object:
    return cell.get("metadata", {}).get("papermill", {}).get("status")


def _places(cwd: Path) -> list[tuple[re.Pattern[str], str]]:
    """Return machine paths and what to write in their stead, the longest first."""
    names = {str(Path.home()): "~", str(cwd.absolute()): ".", str(cwd.resolve()): "."}
    if sys.prefix != sys.base_prefix:  # /usr tells nothing; a virtual environment's place does
        names[sys.prefix] = "<python>"
    kept = sorted((p for p in names if len(Path(p).parts) > 1), key=len, reverse=True)
    # Only whole names: hiding /home/ada must leave /home/adam alone.
    return [(re.compile(re.escape(p) + r"(?![\w-])"), names[p]) for p in kept]


def _hide(value: Any, places: Iterable[tuple[re.Pattern[str], str]]) -> Any:
    if isinstance(value, str):
        value = mask(_CELL_FILE.sub("cell", value))
        for pattern, name in places:
            value = pattern.sub(name, value)
        return value
    if isinstance(value, list):
        return [_hide(item, places) for item in value]
    if isinstance(value, Mapping):
        return {key: _hide(item, places) for key, item in value.items()}
    return value
