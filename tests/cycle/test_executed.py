import json
from pathlib import Path

import pytest

from cxlab.cycle.executed import add_error, code_cells, one_line, scrub, write


def code(source: str, *outputs: dict, status: str = "pending", tags: tuple = ()) -> dict:
    metadata = {"papermill": {"status": status}, "tags": list(tags)}
    return {"cell_type": "code", "source": source, "outputs": [*outputs], "metadata": metadata}


def notebook(*cells: dict, **papermill: object) -> dict:
    return {"cells": list(cells), "metadata": {"papermill": papermill}}


def test_only_cells_that_run_code_are_counted():
    text = {"cell_type": "markdown", "source": "# Title"}
    assert code_cells(notebook(text, code("a"), code(" \n"), code("b"))) == [1, 3]


def test_an_error_lands_in_the_cell_that_was_running():
    one = notebook(code("a", status="completed"), code("b", status="running"), code("c"))
    add_error(one, name="Killed", message="gone")
    assert [len(cell["outputs"]) for cell in one["cells"]] == [0, 1, 0]
    assert one["cells"][1]["outputs"][0]["evalue"] == "gone"
    assert one["metadata"]["papermill"]["exception"] is True


def test_a_notebook_without_code_still_records_that_it_failed():
    empty = notebook()
    add_error(empty, name="Killed", message="gone")
    assert empty["metadata"]["papermill"]["exception"] is True


def test_paths_go_from_what_the_machine_wrote_and_stay_in_what_was_shown(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    cwd = Path("/home/ada/study")
    warning = "/var/ipykernel_77/123.py:1: careful\n/home/ada/study/x.py, /home/ada/y, /home/adam/z"
    one = notebook(
        code("study = '/home/ada/study/params'", tags=("injected-parameters",)),
        code("y", {"output_type": "stream", "name": "stderr", "text": warning}),
        code("z", {"output_type": "error", "ename": "E", "evalue": str(cwd), "traceback": ["~"]}),
        code("w", {"output_type": "display_data", "data": {"text/html": str(cwd)}}),
        parameters={"study": "/home/ada/study/params", "deep": ["/home/ada"]},
        input_path="/home/ada/study/10.ipynb",
        output_path="/home/ada/out.ipynb",
        environment_variables={"USER": "ada"},
        duration=1.5,
    )
    scrub(one, cwd=cwd)
    texts = [cell["source"] for cell in one["cells"]]
    assert texts[0] == "study = './params'"
    assert one["cells"][1]["outputs"][0]["text"] == "cell:1: careful\n./x.py, ~/y, /home/adam/z"
    assert one["cells"][2]["outputs"][0]["evalue"] == "."
    assert one["cells"][3]["outputs"][0]["data"] == {"text/html": "/home/ada/study"}
    assert one["metadata"]["papermill"] == {
        "parameters": {"study": "./params", "deep": ["~"]},
        "duration": 1.5,
    }


@pytest.mark.parametrize("is_final", [True, False])
def test_a_lone_surrogate_does_not_cost_the_record(tmp_path, is_final):
    write({"text": "a\ud800b"}, tmp_path / "a.ipynb", is_final=is_final)
    assert json.loads((tmp_path / "a.ipynb").read_text("utf-8")) == {"text": "a\ud800b"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.ipynb"]


def test_a_message_becomes_one_plain_line():
    assert one_line("\x1b[31mNo\x1b[0m\n  way ") == "No way"
    assert one_line("x" * 400) == "x" * 299 + "…"
