"""The real JupyterLab over a folder, and what a researcher does in it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

HOUSE = Path(__file__).parents[2]
# Mostly five; the machine may be busy.
PATIENCE_SECONDS = 60

# What the lab would ask of the network or of the user when it starts for the first time.
QUIET = {"fetchNews": "false", "checkForUpdates": False}


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a folder with a lab of its own settings; give its address; end it and its kernels."""
    home = root / ".home"
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    places = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "run",
        "IPYTHONDIR": "ipython", "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }  # fmt: skip
    environment = {**os.environ, **{name: str(home / at) for name, at in places.items()}}
    environment["PYTHONPATH"] = str(HOUSE)
    environment.pop("CXLAB_SNAPSHOT", None)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--IdentityProvider.token=secret",
        "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    with (root / ".log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=root, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield f"http://127.0.0.1:{_port(server, home / 'run', root / '.log')}"
    finally:
        left = _end(server)
    assert left == [], "the server left kernels behind"


def _port(server: subprocess.Popen[bytes], run: Path, log: Path) -> int:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        for file in run.glob("jpserver-*.json"):
            # It is written in place: an empty one is not yet whole.
            if text := file.read_text():
                return int(json.loads(text)["port"])
        time.sleep(0.1)
    raise AssertionError(f"the lab did not start:\n{log.read_text()}")


def _end(server: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """End the server as a user would, and whatever outlives it; return what did."""
    if server.poll() is not None:
        return []
    family = psutil.Process(server.pid).children(recursive=True)
    server.terminate()
    try:
        server.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
    _, left = psutil.wait_procs(family, timeout=10)
    for process in left:
        process.kill()
    return left


class Notebook:
    """One notebook, open in the lab, through the lab's own application object."""

    def __init__(self, page: Any, address: str, path: str) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.goto(f"{address}/lab/tree/{path}?token=secret")
        page.wait_for_function(f"{_KERNEL} === 'idle'")

    def command(self, name: str, **options: object) -> None:
        """Execute one of the lab's commands and wait for its end."""
        self.page.evaluate("([n, o]) => jupyterapp.commands.execute(n, o)", [name, options])

    def run_all(self) -> None:
        """Run all cells and wait until the kernel is idle."""
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(f"{_KERNEL} === 'idle'")

    def run(self, position: int) -> None:
        """Run one cell."""
        self.page.evaluate(f"(i) => {{ {_NOTEBOOK}.activeCellIndex = i }}", position)
        self.command("notebook:run-cell")
        self.page.wait_for_function(f"{_KERNEL} === 'idle'")

    def cells(self) -> list[dict[str, Any]]:
        """Return the cells of the notebook's model, as they would be saved."""
        model: dict[str, Any] = self.page.evaluate(f"{_NOTEBOOK}.model.toJSON()")
        return list(model["cells"])

    def bring(self, position: int) -> None:
        """Scroll to a cell; the lab draws only what is near the window."""
        self.page.evaluate(f"(i) => {_NOTEBOOK}.scrollToItem(i, 'start')", position)

    def paint(self, theme: str) -> None:
        """Choose a theme and wait until the page wears it."""
        self.command("apputils:change-theme", theme=theme)
        light = "false" if "Dark" in theme else "true"
        self.page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")

    def completions(self, code: str, awaited: set[str]) -> set[str]:
        """Type into a new cell, complete, read what is offered; take the cell away again."""
        self.page.evaluate(f"{_NOTEBOOK}.activeCellIndex = {_NOTEBOOK}.widgets.length - 1")
        self.command("notebook:insert-cell-below")
        self.command("notebook:change-cell-to-code")
        self.command("notebook:enter-edit-mode")
        self.page.keyboard.type(code)
        match = "[...document.querySelectorAll('.jp-Completer-item .jp-Completer-match')]"
        offered: set[str] = set()
        end = time.monotonic() + PATIENCE_SECONDS
        # A new cell has no completer for its first moments, a busy kernel answers after the lab
        # has stopped waiting, and what was offered before stays in the page.
        while not awaited <= offered and time.monotonic() < end:
            self.page.keyboard.press("Escape")
            self.command("notebook:enter-edit-mode")
            self.command("completer:invoke-notebook")  # what Tab is bound to
            self.page.wait_for_timeout(500)
            offered = set(self.page.evaluate(f"{match}.map(item => item.textContent)"))
        self.page.keyboard.press("Escape")
        self.command("notebook:enter-command-mode")
        self.command("notebook:delete-cell")
        return offered


_NOTEBOOK = "jupyterapp.shell.currentWidget.content"
_KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
