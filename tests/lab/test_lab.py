"""A researcher in the real JupyterLab sees what a reader of the report sees."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import cxlab
from cxlab.cycle.new_study import new_study
from cxlab.report.finding import MIMETYPE

from .lab import HOUSE, Notebook, served

CYCLE = "2026Q2"
TABLES = {"answers", "customers", "orders", "promises", "shipments"}

# What is read of a figure: words, numbers of the chart as drawn, numbers of the table.
READ = """() => [...document.querySelectorAll('.cx-fig')].map(figure => {
  const all = (css) => [...figure.querySelectorAll(css)].map(e => e.textContent.trim());
  return {headline: all('.cx-headline'), words: all('.cx-sub, .cx-note'),
          chart: all('.cx-wide text'), cells: all('th, td')};
})"""

# Contrast of everything written in a figure with what lies behind it (WCAG 2.2, 1.4.3).
CONTRAST = """() => {
  const rgb = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => c.slice(0, 3).map(x => x / 255)
    .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c;
  } return [255, 255, 255]; };
  const written = (e) => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll('.cx-fig, .cx-fig *')]
    .filter(e => written(e) && e.getClientRects().length && !e.closest('title, desc, style'))
    .map(e => {
      const style = getComputedStyle(e), svg = e instanceof SVGElement;
      const [a, b] = [light(rgb(svg ? style.fill : style.color)), light(behind(e))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.trim()];
    });
}"""


@dataclass(frozen=True)
class Desk:
    """What the tests of this file work with."""

    notebook: Notebook
    published: Path


@pytest.fixture(scope="module")
def desk(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("desk")
    study = root / "params" / "demo"
    new_study(study)
    # A copy of its own: two runs of one study at once would wait for each other.
    shutil.copytree(study, root / "published" / "demo")
    command = "from cxlab.cli import main; main()"
    run = ["run", "demo", "--cycle", CYCLE, "--chapters", "40_feedback"]
    publishing = subprocess.Popen(
        [sys.executable, "-c", command, *run], cwd=root / "published", env={"PYTHONPATH": HOUSE}
    )
    _lay_out(HOUSE / "notebooks" / "40_feedback.ipynb", root / "notebooks")
    with served(root) as address:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        page = context.new_page()
        notebook = Notebook(page, address, "notebooks/40_feedback.ipynb")
        notebook.run_all()
        assert publishing.wait(120) == 0
        folder = root / "published" / "reports" / "demo" / CYCLE
        yield Desk(notebook, folder / "40_feedback.html")
        context.close()


def _lay_out(notebook: Path, folder: Path) -> None:
    """Copy a notebook as a researcher works with it: own study, own cycle, code reloaded."""
    read = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in read["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            cell["source"] = f'study: str = "params/demo"  # x\ncycle: str = "{CYCLE}"  # x'
    first = {"id": "reload", "source": "%load_ext autoreload\n%autoreload 2", "outputs": []}
    kind = {"cell_type": "code", "execution_count": None, "metadata": {}}
    read["cells"].insert(0, {**first, **kind})
    folder.mkdir()
    (folder / notebook.name).write_text(json.dumps(read), encoding="utf-8")


def _outputs(desk: Desk) -> list[dict[str, Any]]:
    return [out for cell in desk.notebook.cells() for out in cell.get("outputs", ())]


def _figures(desk: Desk) -> list[int]:
    """Positions of the cells that show a figure."""
    return [
        position
        for position, cell in enumerate(desk.notebook.cells())
        if any('class="cx cx-fig"' in _html(out) for out in cell.get("outputs", ()))
    ]


def _html(output: dict[str, Any]) -> str:
    return "".join(output.get("data", {}).get("text/html", ""))


def test_every_cell_runs_without_an_error_also_with_reloading_on(desk):
    cells = [c for c in desk.notebook.cells() if c["cell_type"] == "code"]
    assert cells[0]["source"].startswith("%load_ext")
    assert all(cell["execution_count"] for cell in cells)
    assert {out["output_type"] for out in _outputs(desk)} == {"display_data"}


def test_every_result_carries_a_page_a_line_and_its_findings(desk):
    outputs = _outputs(desk)
    assert len(outputs) >= 5
    for out in outputs:
        assert {"text/html", "text/plain", MIMETYPE} <= out["data"].keys()
        assert "".join(out["data"]["text/plain"]) == out["data"][MIMETYPE]["sentence"]
        assert out["data"][MIMETYPE]["rows"]


def test_the_lab_shows_the_words_and_numbers_of_the_published_page(desk):
    in_the_lab = desk.notebook.page.evaluate(READ)
    page = desk.notebook.page.context.new_page()
    page.goto(desk.published.as_uri())
    published = page.evaluate(READ)
    page.close()
    assert in_the_lab == published
    assert all(figure["headline"] for figure in published)
    assert len([text for figure in published for text in figure["chart"]]) > 20


def test_figures_are_styled_in_the_lab_and_one_of_the_two_drawings_shows(desk):
    page = desk.notebook.page
    for position in _figures(desk)[:2]:
        desk.notebook.bring(position)
        figure = page.locator(".jp-Cell").nth(position).locator(".cx-fig")
        figure.wait_for(state="visible")
        size, weight = figure.locator(".cx-headline").evaluate(
            "e => [getComputedStyle(e).fontSize, getComputedStyle(e).fontWeight]"
        )
        assert (size, weight) == ("20px", "650")
        for drawing in figure.locator(".cx-wide").all():
            assert drawing.bounding_box()["width"] > 500
        assert not [d for d in figure.locator(".cx-narrow").all() if d.is_visible()]


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_what_is_written_stands_out_in_both_themes_of_the_lab(desk, theme):
    desk.notebook.paint(theme)
    for position in _figures(desk):
        desk.notebook.bring(position)
        found = desk.notebook.page.evaluate(CONTRAST)
        assert len(found) > 5
        assert [text for contrast, text in found if contrast < 4.5] == []


def test_ids_are_unique_among_all_notebooks_that_the_lab_holds(desk):
    # Two notebooks share one document there; a picture must not borrow another's marks.
    ids = re.findall(r'\bid="([^"]+)"', "".join(map(_html, _outputs(desk))))
    assert len(ids) == len(set(ids)) > 10
    assert "f1" not in ids


def test_completion_offers_the_public_names_and_no_imports(desk):
    public = {name for name in cxlab.__all__ if not name.startswith("_")}
    assert desk.notebook.completions("cx.", public) == public


def test_completion_offers_the_tables_of_the_study(desk):
    assert desk.notebook.completions("lab.", TABLES) >= TABLES


def test_figures_stay_styled_when_the_first_of_them_is_run_again(desk):
    first, second = _figures(desk)[:2]
    desk.notebook.run(first)
    desk.notebook.bring(second)
    headline = desk.notebook.page.locator(".jp-Cell").nth(second).locator(".cx-headline")
    assert headline.evaluate("e => getComputedStyle(e).fontSize") == "20px"
