"""Labels that want to run stand on the page of the hostile company as text, in words and charts."""

import csv
import re
import subprocess
import sys
from io import StringIO
from urllib.parse import unquote

import pytest

from cxlab.data.sample.hostile import INJECTIONS
from cxlab.data.sample.study import new_sample
from cxlab.data.sample.write import Options

pytestmark = pytest.mark.slow

READ = {"attributes", "consents", "customers", "erasures", "links", "names", "orders"}
SEEN = ("script", "override", "template", "formula")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return a report of chapter 10, of enough customers that each label is counted."""
    place = tmp_path_factory.mktemp("hostile")
    new_sample(place / "company", Options(customers=2_000, seed=8, variant="hostile"))
    for table in (place / "company" / "tables").glob("*.sql"):
        if table.stem not in READ and not table.stem.startswith("_"):
            table.unlink()
    command = [sys.executable, "-c", "from cxlab.cli import main; main()", "run", "company"]
    command += ["--chapters", "10"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return place / "reports" / "company" / "2026Q3"


@pytest.fixture
def page(report, browser):
    """Open the chapter as a reader does, without the policy that would stop what runs."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto((report / "10_customers.html").as_uri())
    yield page
    context.close()


@pytest.mark.parametrize("name", SEEN)
def test_a_label_is_drawn_and_listed_as_the_text_it_is(page, name):
    words = shown(INJECTIONS[name])
    listed = [shown(text) for text in page.locator("th[scope=row] bdi").all_text_contents()]
    assert words in listed
    # Long ones go over two lines of a chart.
    drawn = [shown(text) for text in page.locator("svg text").all_text_contents()]
    assert words in drawn or any(len(d) >= 15 and words.startswith(d) for d in drawn)


def test_nothing_in_them_runs_or_leads_away(page, report):
    assert page.evaluate("window.hacked") is None
    assert page.locator("iframe, img[onerror], svg[onload], a[href^='javascript']").count() == 0
    # A download may hold the words, as data; no link leads there.
    led = page.locator("[src*='collect.invalid'], [href*='collect.invalid']")
    places = led.evaluate_all("all => all.map(e => e.getAttribute('href') ?? e.src)")
    assert [place for place in places if not place.startswith("data:text/csv")] == []
    texts = [f.read_text(encoding="utf-8") for f in report.glob("*.html")]
    assert len(texts) >= 2
    for text in texts:
        assert INJECTIONS["script"] not in text
        assert not set(text) & set("\u202e\u2066\x01\x07\x1b\x7f")
        assert "49 {% raw %}" not in text


def test_no_cell_of_a_download_begins_as_a_formula(page, report):
    links = page.locator("a[download][href^='data:text/csv']")
    inside = links.evaluate_all("all => all.map(e => e.getAttribute('href'))")
    texts = [unquote(link.partition(",")[2]) for link in inside]
    assert any("HYPERLINK" in text for text in texts)
    texts.append((report / "findings.csv").read_text(encoding="utf-8"))
    cells = [cell for text in texts for row in csv.reader(StringIO(text)) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [c for c in cells if re.match(r"\s*[=@]|\s*[+-](?![\d.]+(e[+-]?\d+)?$)", c)]


def shown(words: str) -> str:
    """Return text without marks that nobody sees, and with single spaces."""
    return " ".join(re.sub("[\u202e\u2066\x00-\x1f\x7f]", " ", words).split())
