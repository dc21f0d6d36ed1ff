"""Small real notebooks, made on the spot."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def make_notebook() -> Make:
    """Return a function that writes a notebook; its first cell declares parameters."""

    def make(path: Path, *sources: str, kernel: str = "python3") -> Path:
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        cells[0].metadata["tags"] = ["parameters"]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel}
        nbformat.write(notebook, path)
        return path

    return make
