"""Pages opened in a headless browser that fetches nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Callable[..., AbstractContextManager[Any]]:
    """Give a function that opens HTML in a new window; `heard` keeps what it said and asked."""

    @contextmanager
    def _open(html: str, *, width: int = 1280, scheme: str = "light", **more: Any) -> Iterator[Any]:
        file = tmp_path / "page.html"
        file.write_text(html, "utf-8")
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, **more)
        page = context.new_page()
        page.heard = []
        page.on("console", lambda m: page.heard.append(m.text))
        page.on("pageerror", lambda e: page.heard.append(str(e)))
        page.on("request", lambda r: r.url == file.as_uri() or page.heard.append(r.url))
        page.goto(file.as_uri())
        yield page
        context.close()

    return _open
