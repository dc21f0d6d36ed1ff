"""A small invented chapter with everything in it that a page must cope with."""

from dataclasses import dataclass
from typing import Any

import nbformat
import pandas as pd
from nbformat import v4

from cxlab.report import charts, html
from cxlab.report.finding import MIMETYPE, Result, estimate_row
from cxlab.report.page import Chapter, Page

HOSTILE = "<script>alert(1)</script> {{ 7*7 }} \u202egnp.exe =1+1"

SEGMENTS = [
    ("Champions", 0.842, 0.020, 1200),
    ("Loyal", 0.784, 0.015, 2357),
    ("Promising, but not seen for a long while", 0.700, 0.030, 800),
    ("At risk", 0.655, 0.045, 310),
    ("New", 0.612, 0.060, 120),
    ("Lost", 0.500, 0.200, 4),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shares(Result):
    """Shares by segment, drawn in the form that `form` names."""

    form: str = "dots"

    def plot(self, *, ax: Any = None) -> Any:
        """Draw one row per segment."""
        if self.form == "table":
            return None
        return getattr(charts, self.form)(self.estimates, label="segment", unit="share", ax=ax)

    def sentence(self) -> str:
        """The reading."""
        return "Champions are happiest; new customers trail them by more than twenty points"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stays(Result):
    """Who is still there, month by month."""

    def plot(self, *, ax: Any = None) -> Any:
        """Draw one line per segment."""
        return charts.curve(
            self.estimates, x="month", low="conf_low", high="conf_high", group="segment",
            unit="share", step=True, zero=True, axis="Still customers", ax=ax,
        )  # fmt: skip

    def sentence(self) -> str:
        """The reading."""
        return "Half of all customers stay for two years, whichever plan they have"


def shares(form: str = "dots", segments: Any = SEGMENTS) -> Shares:
    """Satisfaction by segment; the smallest group is withheld."""
    rows = [
        estimate_row(
            "csat.top_box_share", share, share - half, share + half,
            n=n, count=n, unit="share", method="Wilson", segment=name,
        )
        for name, share, half, n in segments
    ]  # fmt: skip
    subtitle = "Share of answers of 4 or 5, by segment, first quarter of 2031"
    note = "Base: 4,791 answers. Unweighted. Lines show 95% Wilson intervals."
    return Shares(estimates=pd.DataFrame(rows), subtitle=subtitle, note=note, form=form).protect(10)


def stays() -> Stays:
    """Two groups over two years."""
    rows = [
        estimate_row(
            "churn.survival", loss**month, loss**month - 0.002 * month,
            loss**month + 0.002 * month, n=500, unit="share", method="Kaplan-Meier",
            segment=name, month=month,
        )
        for name, loss in (("Plus", 0.975), ("Basic", 0.972))
        for month in range(25)
    ]  # fmt: skip
    subtitle = "Share of customers who stay, by months since joining"
    return Stays(estimates=pd.DataFrame(rows), subtitle=subtitle, note="Base: 1,000 customers.")


def display(html_text: str, **more: Any) -> Any:
    """One output of a notebook that carries HTML."""
    data = {"text/html": html_text, "text/plain": "plain", **more}
    return v4.new_output("display_data", data=data)


def ours(result: Result, uid: str) -> Any:
    """One shown result."""
    page = html.figure(result, headline=result.sentence(), uid=uid)
    return display(page, **{MIMETYPE: {"kind": "result", "rows": result.findings()}})


def code(source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    """One executed cell."""
    return v4.new_code_cell(
        source, outputs=list(outputs), execution_count=1, metadata={"tags": list(tags)}
    )


def tiles() -> str:
    """Four key measures: better, worse, the same, and none."""
    return html.tiles(
        [
            html.Tile(
                name="Satisfied customers", unit="share", estimate=0.784, conf_low=0.767,
                conf_high=0.8, n=2357, base="answers", change=0.041, change_low=0.012,
                change_high=0.07, since="2030 Q4", target=0.8,
                history=(0.71, 0.72, 0.70, 0.743, 0.784),
            ),
            html.Tile(
                name="Net Promoter Score", unit="nps", estimate=-12.1, conf_low=-15.3,
                conf_high=-8.9, n=900, base="answers", change=-4.0, change_low=-7.0,
                change_high=-1.0, since="2030 Q4", history=(-6, -5, -9, -8.1, -12.1),
            ),
            html.Tile(
                name="Deliveries on time", unit="share", estimate=0.921, conf_low=0.914,
                conf_high=0.928, n=9100, base="orders", change=0.002, change_low=-0.01,
                change_high=0.014, since="2030 Q4", history=(0.93, 0.92, 0.915, 0.919, 0.921),
            ),
            html.Tile(name="Effort", unit="points", withheld="The study asks no such question."),
        ]
    )  # fmt: skip


def answer() -> str:
    """The first screen."""
    return html.answer(
        "Satisfaction rose to 78%, and late deliveries explain most of the unhappy answers.",
        [
            "Four in five answers are good: 78.4% (76.7 to 80.0%), 4.1 points more than before.",
            ("Each week of delay costs 12 points of satisfaction.", "#who-is-satisfied"),
            "New customers are the least satisfied, and they are the fewest.",
        ],
    )


def notebook(*, failing: bool = False) -> nbformat.NotebookNode:
    """The chapter."""
    cells = [
        v4.new_markdown_cell(
            "# Feedback: what do customers tell us?\n\nFor the people who run service and "
            "delivery: what to repair first, and what to leave alone."
        ),
        code("threshold: int = 4  # lowest good answer", tags=("parameters",)),
        code('study = "/home/somebody/studies/olive"', tags=("injected-parameters",)),
        code("cx.show(summary)", display(html.components() + answer() + tiles())),
        v4.new_markdown_cell("## Who is satisfied?\n\nAnswers count from 4 upwards."),
        code("cx.show(csat)", ours(shares(), "f1")),
        code("cx.show(csat, form='bars')", ours(shares("bars"), "f2")),
        v4.new_markdown_cell("## Who stays?"),
        code("cx.show(stays)", ours(stays(), "f3")),
        code(
            "card",
            display(
                html.card("Net Promoter Score", "The study maps no table 'answers'."),
                **{MIMETYPE: {"kind": "card", "rows": []}},
            ),
        ),
        v4.new_markdown_cell(
            "### How it is counted\n\nA share is $p = x / n$, and its interval\n\n"
            r"$$p \pm 1.96 \sqrt{\frac{p (1 - p)}{n}}$$"
            "\n\n| rule | rows |\n|---|---|\n| kept | 4,791 |\n| set aside | 12 |"
        ),
        code(
            "frame",
            v4.new_output(
                "execute_result",
                data={
                    "text/html": pd.DataFrame({"said": [HOSTILE], "score": [1]}).to_html(),
                    "text/plain": "frame",
                },
                execution_count=1,
            ),
            v4.new_output("stream", name="stdout", text="read /home/somebody/raw/answers.csv\n"),
            v4.new_output("stream", name="stderr", text="careful\n"),
        ),
        v4.new_markdown_cell("## What this cannot tell\n\nWhy people who never answer are silent."),
    ]
    if failing:
        trace = ['File "/home/somebody/cxlab/feedback.py", line 3', "DataError: no answers"]
        error = v4.new_output("error", ename="DataError", evalue="no answers", traceback=trace)
        cells.insert(6, code("cx.show(broken)", error))
    return v4.new_notebook(cells=cells)


CHAPTERS = (
    Chapter("10_customers", "Customers: who are they?", "10_customers.html", "finished",
            "How many, how loyal, and who is new."),
    Chapter("40_feedback", "Feedback: what do customers tell us?", "40_feedback.html", "finished",
            "Satisfaction with intervals, and what moves it."),
    Chapter("70_operations", "Operations: what did we keep?", "70_operations.html", "failed",
            "Promised days against actual ones."),
    Chapter("90_trust", "Trust: can we believe the numbers?", "90_trust.html", "finished",
            "Rows in, rows used, and what was withheld."),
)  # fmt: skip


def page(**changes: Any) -> Page:
    """What stands around the chapter."""
    settings: dict[str, Any] = {
        "title": "Feedback",
        "name": "40_feedback",
        "study": "Olive & Sons",
        "cycle": "2031 Q1",
        "period": "1 January to 31 March 2031",
        "data_as_of": "2 April 2031",
        "chapters": CHAPTERS,
        "cycles": [("2030 Q4", "../2030Q4/index.html", False), ("2031 Q1", "index.html", True)],
        "all_cycles": "../index.html",
        "about": [
            ("Cycle", "2031 Q1"),
            ("Data as of", "2 April 2031"),
            ("Run", "7f3a-0001"),
            ("Parameters", "threshold 4 (default 4)"),
            ("Code version", "0.1.0"),
            ("Snapshot", "0f4c9d0e6b7a4a1f9a7c55d0c0ffee00"),
            ("Rows set aside", "12 of 4,803"),
        ],
        "downloads": [
            ("All findings (CSV)", "findings.csv"),
            ("Run record (JSON)", "manifest.json"),
        ],
        "manifest": '{"cycle": "2031Q1", "note": "</script><b>"}',
    }
    return Page(**(settings | changes))


def index() -> Page:
    """What the first page of a cycle shows."""
    changed = html.definitions(
        [("Satisfaction", "up 4.1 points"), ("Deliveries", "no clear change")]
    )
    return page(
        title="Customer experience, first quarter of 2031",
        name="",
        opening=answer() + tiles(),
        sections=[("What changed", changed)],
    )
