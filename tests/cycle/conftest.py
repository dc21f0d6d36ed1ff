"""Small real notebooks, made on the spot, and the made-up company with a report."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from cxlab.data.sample.study import new_sample
from cxlab.data.sample.write import Options
from tests.cycle.circumstances import CUSTOMERS, PLAIN, run

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


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of the made-up company at its most hostile."""
    study = tmp_path_factory.mktemp("hostile") / "company"
    new_sample(study, Options(customers=CUSTOMERS, seed=5, variant="hostile"))
    return study


@pytest.fixture(scope="session")
def hostile_run(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of its report."""
    return run(hostile, tmp_path_factory.mktemp("plain"), PLAIN)
