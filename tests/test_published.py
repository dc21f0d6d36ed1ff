"""A study as `cxlab new` makes it, published twice, read as its readers and machines read it."""

import io
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

import cxlab as cx
from cxlab.cycle.findings import read_shown, to_frame
from cxlab.data.settings import Settings, read_settings
from cxlab.stats.power import detectable_change

from .printed import Printed, numbers

HOUSE = Path(__file__).parents[1]
CHAPTERS = sorted(file.stem for file in (HOUSE / "notebooks").glob("*.ipynb"))
CYCLES = ["2026Q1", "2026Q2"]
PAGES = pytest.mark.parametrize("name", ["index", *CHAPTERS])
CHAPTER = pytest.mark.parametrize("name", CHAPTERS)
# Shares that are also told by what is missing from them: lost, unseen, in the light.
HALVES = ["funnel.step_rate", "iceberg.purchases_seen_share", "iceberg.dark_share"]
ENDS = ("conf_low", "conf_high")
ICEBERG = ("window", "near")  # what it takes where nobody chooses
PAGE_BYTES, FIGURE_BYTES = 1_500_000, 150_000

# Everything folded away is opened: what is hidden must be as good as what shows.
UNFOLD = """() => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  document.documentElement.classList.add('cx-shown');
}"""
# Every number and word that a stakeholder reads, without what folds.
SEEN = """() => [...document.querySelectorAll(
  '.cx-lead, .cx-answer li, .cx-tile, .cx-headline, .cx-sub, .cx-note, .cx-fig td, .cx-fig th,' +
  '.cx-fig text, .cx-prose')].map(e => e.textContent)"""


@dataclass(frozen=True, eq=False)
class Report:
    """The last cycle of a published study, and what it must agree with."""

    study: Path
    folder: Path
    settings: Settings
    findings: pd.DataFrame

    @cache  # noqa: B019  (there is one report)
    def soup(self, name: str) -> BeautifulSoup:
        """Parse one page."""
        return BeautifulSoup(self.path(name).read_text("utf-8"), "html.parser")

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.html"

    @cache  # noqa: B019
    def figures(self, name: str) -> dict[str, pd.DataFrame]:
        """Return the findings of each figure of a chapter, as the kept notebook displayed them.

        Each of them stands in findings.parquet, or this raises.
        """
        key = next(c["key"] for c in self.manifest["chapters"] if c["name"] == name)
        kept = self.study / ".cxlab" / "chapters" / f"{name}-{key[:16]}.ipynb"
        shown = [s for s in read_shown(nbformat.read(kept, as_version=4), name) if s.anchor]
        found = {s.anchor: to_frame([s]) for s in shown}
        merged = pd.concat(found.values()).merge(self.findings.drop_duplicates(), indicator=True)
        assert len(merged) == sum(map(len, found.values()))
        return found

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "manifest.json").read_text("utf-8")))

    @property
    def chosen(self) -> set[float]:
        """Return numbers that people chose, and that are no findings: days and targets."""
        declared = [v for k, v in self.settings.definitions if k.endswith("_days")]
        given = [v for c in self.manifest["chapters"] for v in c["parameters"].values()]
        targets = [100 * kpi.target for kpi in self.settings.kpis.values() if kpi.target]
        spans = [funnel.window for funnel in self.settings.funnels.values()]
        spans += [signature(cx.journeys.iceberg).parameters[name].default for name in ICEBERG]
        days = [float(span.split()[0]) for span in spans if span]
        chosen = [*declared, *given, *targets, *days]
        return {float(v) for v in chosen if isinstance(v, int | float)}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    place = tmp_path_factory.mktemp("published")
    _cxlab(place, "new", "demo")
    _cxlab(place, "run", "demo", "--cycles", "..".join(CYCLES))
    folder = place / "reports" / "demo" / CYCLES[-1]
    findings = pd.read_parquet(folder / "findings.parquet")
    return Report(place / "demo", folder, read_settings(place / "demo"), findings)


def _cxlab(place: Path, *words: str) -> None:
    command = [sys.executable, "-c", "from cxlab.cli import main; main()", *words]
    environment = {"PYTHONPATH": str(HOUSE)}
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def reader(browser: Any) -> Iterator[Any]:
    """Give one window whose page keeps what it said and asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda request: page.heard.append(request.url))
    yield page
    context.close()


def _read(page: Any, path: Path, *, width: int = 1280, scheme: str = "light") -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(path.as_uri())


def test_every_chapter_of_a_new_study_is_there_and_every_key_measure_has_its_number(report):
    assert {c["name"]: c["state"] for c in report.manifest["chapters"]} == dict.fromkeys(
        CHAPTERS, "ok"
    )
    findings = report.findings.query("dims == '{}'").set_index("metric")
    for kpi in report.settings.kpis.values():
        for metric in filter(None, (kpi.metric, kpi.change)):
            assert pd.notna(findings["estimate"][metric]), metric
    # The carrier that fails in the last quarter was put there to be found.
    assert findings.loc["delivery.kept_change", "conf_high"] < 0


# What a browser makes of it


@PAGES
def test_a_page_asks_for_nothing_but_itself_and_says_nothing(report, reader, name):
    reader.heard.clear()
    _read(reader, report.path(name))
    reader.click(".cx-menu summary")
    reader.evaluate(UNFOLD)
    reader.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert reader.heard == [report.path(name).as_uri()]


@PAGES
def test_axe_finds_no_violation_wide_narrow_or_dark(report, browser, name):
    axe = pytest.importorskip("axe_playwright_python", reason="axe_playwright_python is missing")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")
    # axe is a stranger to the page's policy, so this window ignores it.
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    found = []
    # Colours take most of the time; they are those of the scheme, whatever the width.
    colours = ["color-contrast", "link-in-text-block"]
    for width, scheme, rules in (
        (1280, "light", {}),
        (390, "light", {"rules": {rule: {"enabled": False} for rule in colours}}),
        (1280, "dark", {"runOnly": colours}),
    ):
        _read(page, report.path(name), width=width, scheme=scheme)
        page.evaluate(UNFOLD)
        page.evaluate(source)
        result = page.evaluate("how => axe.run(how)", {"resultTypes": ["violations"], **rules})
        found += [
            (width, scheme, v["id"], v["nodes"][0]["html"][:200]) for v in result["violations"]
        ]
    context.close()
    assert found == []


@PAGES
def test_a_page_never_scrolls_sideways(report, reader, name):
    for width in (320, 390, 1280):
        _read(reader, report.path(name), width=width)
        reader.evaluate(UNFOLD)
        assert reader.evaluate("document.documentElement.scrollWidth") <= width


@PAGES
def test_a_page_prints_as_a_tagged_pdf_with_all_its_headlines(report, reader, name):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    _read(reader, report.path(name))
    printed = reader.pdf(format="A4", tagged=True, outline=True)
    document = pypdf.PdfReader(io.BytesIO(printed))
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = " ".join("".join(sheet.extract_text() for sheet in document.pages).split())
    for headline in report.soup(name).select(".cx-headline, .cx-lead"):
        assert headline.text.split()[0] in text
    assert "Show code" not in text


@PAGES
def test_the_keyboard_skips_to_the_report(report, reader, name):
    _read(reader, report.path(name))
    reader.keyboard.press("Tab")
    assert reader.evaluate("document.activeElement.textContent") == "Skip to the report"
    reader.keyboard.press("Enter")
    assert reader.evaluate("document.activeElement.id") == "main"


@PAGES
def test_researchers_and_stakeholders_read_the_same_numbers(report, reader, name):
    _read(reader, report.path(name))
    before = reader.evaluate(SEEN)
    if name != "index":  # it has no code
        code = reader.locator("details.cx-dev pre").first
        assert not code.is_visible()
        reader.click("#cx-code")
        assert code.is_visible()
    assert reader.evaluate(SEEN) == before
    assert any(numbers(text) for text in before)


# What is in the file


@PAGES
def test_the_policy_of_a_page_allows_only_what_it_brings(report, name):
    policy = report.soup(name).find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind in ("script-src", "style-src"):
        assert re.fullmatch(r"('sha256-[\w+/=]+' ?)+", rules.pop(kind))
    assert set(rules.values()) == {"'none'", "data:"}


@PAGES
def test_a_page_and_each_of_its_figures_are_light(report, name):
    assert report.path(name).stat().st_size <= PAGE_BYTES
    for figure in report.soup(name).select("figure"):
        assert len(str(figure).encode()) <= FIGURE_BYTES, figure.get("id")


@PAGES
def test_headings_make_an_outline_in_a_language(report, name):
    page = report.soup(name)
    levels = [int(h.name[1]) for h in page.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.html["lang"] == "en"


@PAGES
def test_every_picture_has_a_title_and_says_what_it_shows(report, name):
    for picture in report.soup(name).select("svg[role=img]"):
        assert picture.title.text.strip()
        assert picture.desc.text.strip()
        assert picture["aria-labelledby"].split() == [picture.title["id"], picture.desc["id"]]
    assert name in {"index", "90_trust"} or report.soup(name).select("svg[role=img]")


@PAGES
def test_every_link_arrives(report, name):
    for address in {a["href"] for a in report.soup(name).select("a[href]")}:
        if address.startswith("data:text/csv"):
            continue
        path, _, anchor = address.partition("#")
        target = (report.folder / path).resolve() if path else report.path(name)
        assert target.is_file(), address
        if anchor:
            assert BeautifulSoup(target.read_text("utf-8"), "html.parser").find(id=anchor), address


def test_the_selector_leads_to_both_cycles_and_to_the_list_of_all(report):
    links = report.soup("index").select(".cx-menu a")
    assert [a.text for a in links] == [*reversed(CYCLES), "All cycles"]
    older = (report.folder / links[1]["href"]).read_text("utf-8")
    # The report of the older cycle was made when the newer was not there.
    menu = BeautifulSoup(older, "html.parser").select(".cx-menu a")
    assert [a.text for a in menu] == [CYCLES[0], "All cycles"]
    archive = (report.folder / links[2]["href"]).read_text("utf-8")
    listed = BeautifulSoup(archive, "html.parser").select(".cx-list a")
    assert [a["href"] for a in listed] == [f"{cycle}/index.html" for cycle in reversed(CYCLES)]


# Numbers: what is printed is what was found


@CHAPTER
def test_every_number_of_a_headline_or_a_chart_is_a_finding_of_that_figure(report, name):
    for figure in report.soup(name).select(".cx-fig"):
        findings = report.figures(name)[figure["id"]]
        for said in figure.select(".cx-headline, .cx-wide text[font-weight='700']"):
            assert _unknown(said.get_text(" "), findings, report.chosen) == [], said


def test_every_number_of_the_answer_is_the_change_of_a_key_measure(report):
    changes = [kpi.change for kpi in report.settings.kpis.values() if kpi.change]
    findings = report.findings[report.findings["metric"].isin(changes)]
    printed = numbers(report.soup("index").select_one(".cx-lead").text)
    assert printed  # the made-up shop has at least one clear change
    assert [n.text for n in printed if not n.is_among(findings)] == []


def test_the_findings_behind_the_answer_say_what_their_figures_say(report):
    links = report.soup("index").select(".cx-answer li a")
    assert len(links) == 3
    for link in links:
        page, _, anchor = link["href"].partition("#")
        figure = report.soup(page.removesuffix(".html")).find(id=anchor)
        assert figure.select_one(".cx-headline").text == link.text


def _unknown(text: str, findings: pd.DataFrame, chosen: set[float]) -> list[str]:
    """Return the numbers of a sentence that are neither found nor chosen nor follow."""
    # What a row is about may be named: the days of a bracket, a horizon.
    groups = [str(v) for d in findings["dims"].map(json.loads) for v in d.values()]
    chosen = chosen | {n.value for group in groups for n in numbers(group)}
    return [
        number.text
        for number in numbers(text)
        if not (
            number.is_among(findings, turned=True)
            or number.value in chosen
            or _counts_groups(number)
            or _is_derived(number, findings)
        )
    ]


def _counts_groups(number: Printed) -> bool:
    """Tell whether it counts groups or names a point of a scale: no count of people is so small."""
    return number.unit == "" and number.digits == 0 and 0 <= number.value <= 10


def _is_derived(number: Printed, findings: pd.DataFrame) -> bool:
    """Tell whether it is a total of rows, or follows from one interval alone."""
    totals = findings.groupby("metric")["estimate"].sum()
    megabytes = totals.filter(like="bytes") / 1e6
    if any(map(number.is_near, [*totals.filter(like="trust.rows"), *megabytes])):
        return True
    # A length of time is told in the unit in which people would say it.
    days = findings.loc[findings["unit"] == "days", ["estimate", *ENDS]].to_numpy().ravel()
    since = [d["after_days"] for d in findings["dims"].map(json.loads) if d.get("after_days")]
    spans = [*days, *since]
    if any(number.is_near(x * per) for x in spans for per in (24, 1440, 12 / 365)):
        return True
    halves = findings.loc[findings["metric"].isin(HALVES), ["estimate", *ENDS]]
    if number.unit in ("%", "") and any(map(number.is_near, 100 * (1 - halves.to_numpy().ravel()))):
        return True
    moves = findings[findings["metric"].str.contains("change|difference")].dropna()
    seen = [
        detectable_change(row.conf_low, row.conf_high) * (100 if row.unit == "share" else 1)
        for row in moves.itertuples()
    ]
    return any(number.is_near(x) for x in seen)


def test_every_number_of_a_tile_belongs_to_its_measure(report):
    tiles = {t.select_one(".cx-tile-name").text: t for t in report.soup("index").select(".cx-tile")}
    applicable = [kpi for kpi in report.settings.kpis.values() if not kpi.not_applicable]
    assert list(tiles) == [kpi.name for kpi in applicable]
    everybody = report.findings[report.findings["dims"] == "{}"]
    for kpi in applicable:
        text = tiles[kpi.name].get_text(" ").replace("\xa0", " ")
        target, text = re.search(r"Target (\S+):", text), re.sub(r"Target \S+:", "", text)
        assert (target is None) == (kpi.target is None)
        own = everybody[everybody["metric"].isin([kpi.metric, kpi.change])]
        printed = numbers(text.replace(kpi.name, ""))
        assert len(printed) == 7, text  # value, change, an interval of each, base
        assert [n.text for n in printed if not n.is_among(own)] == []


@CHAPTER
def test_every_row_of_a_table_holds_findings_of_one_group_of_that_figure(report, name):
    rows = 0
    for figure in report.soup(name).select(".cx-fig"):
        heads = [head.text for head in figure.select("thead th")]
        for line in figure.select("tbody tr") if "Estimate" in heads else []:
            cells = [cell.text for cell in line.find_all(["th", "td"])]
            same = _of_one_group(cells, report.figures(name)[figure["id"]])
            row = dict(zip(heads, cells, strict=True))
            if row["Estimate"] == "withheld":
                assert same["suppressed"].any(), cells
            elif "Base" in heads:
                assert any(_is_told(row, found) for found in same.to_dict("records")), cells
            else:  # a row of several findings, such as of both cycles
                same = _of_one_group([*cells, *CYCLES], report.figures(name)[figure["id"]])
                told = [n for cell in line.select("td.cx-num") for n in numbers(cell.text)]
                assert [n.text for n in told if not n.is_among(same)] == [], cells
            rows += 1
    assert rows or name == "90_trust"


def _of_one_group(cells: list[str], findings: pd.DataFrame) -> pd.DataFrame:
    """Pick the findings of the group that a row names."""
    dims = findings["dims"].map(json.loads)
    # What is the same in every row stands in the headline.
    alike = {k for k in set().union(*dims) if len({str(d.get(k)) for d in dims}) == 1}
    words = f" {' | '.join(map(_letters, cells))} "  # a cell may name several groups
    named = [n for cell in cells for n in numbers(cell)]
    found = [
        all(
            any(n.is_near(v) for n in named)
            if isinstance(v, float | int)
            else f" {_letters(v)} " in words
            for k, v in group.items()
            if k not in alike
        )
        for group in dims
    ]
    return findings[found]


def _is_told(row: dict[str, str], found: dict[Any, Any]) -> bool:
    """Tell whether a table's row tells all numbers of a finding, within rounding."""
    estimate, ends, base = map(numbers, (row["Estimate"], row["95% interval"], row["Base"]))
    return (
        estimate[0].is_near(_shown(found, "estimate"))
        and all(end.is_near(_shown(found, at)) for end, at in zip(ends, ENDS, strict=False))
        and base[0].is_near(found["n"])
    )


def _shown(found: dict[Any, Any], at: str) -> float:
    return float(found[at]) * (100 if found["unit"] == "share" else 1)


def _letters(words: str) -> str:
    return re.sub(r"[\W_]+", " ", words).strip()


@CHAPTER
def test_every_cell_with_a_number_is_a_finding_of_that_figure(report, name):
    known = 0
    for figure in report.soup(name).select(".cx-fig"):
        findings = report.figures(name)[figure["id"]]
        printed = [n for cell in figure.select("td.cx-num") for n in numbers(cell.text)]
        groups = [v for d in findings["dims"] for v in json.loads(d).values()]
        named = [v for v in groups if isinstance(v, float | int)]  # such as days since the entry
        moves = findings["estimate"] * findings["n"]
        more = [*named, *moves[findings["metric"] == "paths.move_share"]]
        assert [
            n.text for n in printed if not (n.is_among(findings) or any(map(n.is_near, more)))
        ] == [], figure["id"]
        known += len(printed)
    assert known > 20
