"""Notebooks are questions without logic: one idea a cell, no output, no number in prose."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

from cxlab.cycle.parameters import declared_parameters
from cxlab.data.consent import PURPOSES

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LOGIC = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While,
    ast.If, ast.Try, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _code(path):
    return ["".join(c["source"]) for c in _read(path)["cells"] if c["cell_type"] == "code"]


def _prose(path):
    return ["".join(c["source"]) for c in _read(path)["cells"] if c["cell_type"] == "markdown"]


def _tree(source):
    """Parse a cell; a line that begins with % is for the lab, and not Python."""
    return ast.parse("\n".join(line for line in source.split("\n") if not line.startswith("%")))


def test_it_is_a_valid_notebook_of_format_4_5_on_any_python_3(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.kernelspec.display_name == "Python 3"


def test_it_has_a_title_and_names_the_tables_it_needs(path):
    about = _read(path)["metadata"]["cxlab"]
    assert about["title"]
    assert isinstance(about["needs"], list)


def test_it_has_no_output_and_was_never_run(path):
    for cell in _read(path)["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


def test_cell_ids_are_unique(path):
    ids = [cell["id"] for cell in _read(path)["cells"]]
    assert len(ids) == len(set(ids))


def test_one_cell_has_the_parameters_each_with_type_and_help(path):
    tagged = [
        "".join(cell["source"])
        for cell in _read(path)["cells"]
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    assert len(tagged) == 1
    for line in tagged[0].splitlines():
        # papermill cannot read a line with a second equals sign
        assert re.fullmatch(r"\w+: [\w\[\], |]+ = [^=#]+  # [^=]+", line), line
    declared = declared_parameters(path)
    assert {"study", "cycle"} <= set(declared)
    assert all(parameter.help for parameter in declared.values())


def test_cells_are_short_and_hold_no_logic(path):
    for source in _code(path):
        is_parameters = source.startswith("study: ")  # a line each, as many as there are
        assert is_parameters or len(source.splitlines()) <= 4, source
        assert not [n for n in ast.walk(_tree(source)) if isinstance(n, LOGIC)], source


def test_it_imports_nothing_but_cxlab(path):
    nodes = [n for source in _code(path) for n in ast.walk(_tree(source))]
    assert not [n for n in nodes if isinstance(n, ast.ImportFrom)]
    imported = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    assert imported == ["cxlab"]


def test_every_result_is_shown_where_missing_data_become_a_card(path):
    for source in _code(path):
        for node in _tree(source).body:
            if "cx.show(" in ast.unparse(node):
                assert isinstance(node, ast.With), source
                assert ast.unparse(node.items[0]).startswith("cx.optional('"), source


def test_it_says_what_its_rows_are_wanted_for_and_who_is_in_it(path):
    opened = [
        {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg == "purpose"}
        for source in _code(path)
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "cx.open"
    ]
    assert len(opened) == 1
    assert opened[0]["purpose"] in PURPOSES
    assert any("cx.show(cx.trust.seen(lab))" in source for source in _code(path))


def test_prose_holds_no_number(path):
    for text in _prose(path):
        words = re.sub(r"`[^`]*`", "", text)  # code spans may name a parameter
        assert not re.search(r"\d", words), text


def test_it_opens_with_one_title_and_closes_with_what_it_cannot_tell(path):
    prose = _prose(path)
    titles = [line for text in prose for line in text.splitlines() if line.startswith("# ")]
    assert len(titles) == 1
    assert prose[0].startswith(titles[0])
    assert prose[-1].startswith("## What this cannot tell")


def test_no_path_of_one_machine_is_in_it(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"[\"' (]/(?:home|root|tmp|work|Users|mnt|var)/|[A-Z]:\\\\", text)
