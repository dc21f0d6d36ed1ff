import io
import subprocess
import sys
from pathlib import Path

from cxlab.cycle.execute import Event, Outcome
from cxlab.cycle.progress import reporter

OK = Outcome(name="10_a", state="ok", error=None, seconds=3.14, cells=7, output=Path("a.ipynb"))
BAD = Outcome(
    name="20_b",
    state="failed",
    error="KeyError in cell 2 of 3: '[red]'",
    seconds=1,
    cells=1,
    output=None,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO) -> str:
    with reporter(stream) as report:
        report.event(Event("10_a", 1, 7, 0.5))
        report.event(Event("10_a", 2, 7, 0.9))
        report.done(OK)
        report.done(BAD)
    return stream.getvalue()


def test_a_file_gets_plain_lines():
    assert shown(io.StringIO()).splitlines() == [
        "10_a: started, 7 cells",
        "10_a: ok, 7 cells in 3.1 s",
        "20_b: failed after 1.0 s. KeyError in cell 2 of 3: '[red]'",
    ]


def test_a_terminal_gets_a_live_display(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = shown(Terminal())
    assert "\x1b[32m" in text  # green, for the chapter that is ok
    assert "cell 2/7" in text
    assert "'[red]'" in text


def test_no_color_takes_the_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown(Terminal())
    assert "cell 2/7" in text
    assert "\x1b[32m" not in text


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(Terminal())


def test_an_old_encoding_gets_what_it_can_write():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    with reporter(stream) as report:
        report.event(Event("10_Größe", 1, 2, 0))
    assert raw.getvalue() == b"10_Gr??e: started, 2 cells\n"


def test_rich_is_not_loaded_away_from_a_terminal():
    code = (
        "import io, sys; from cxlab.cycle.progress import reporter; reporter(io.StringIO());"
        "sys.exit('rich' in sys.modules or 'papermill' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
