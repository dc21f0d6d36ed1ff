"""How the chapters of a run came out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlab.cycle.plan import Chapter
from cxlab.data.personal import mask

__all__ = ["Made"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """How one chapter came out of the run."""

    chapter: Chapter
    state: str  # ok, withheld, not run, or how it failed
    notebook: Path | None
    seconds: float = 0.0
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Tell whether the chapter says all it can."""
        return self.state in ("ok", "withheld")

    @property
    def has_failed(self) -> bool:
        """Tell whether it was tried and did not finish."""
        return not self.is_good and self.state != "not run"

    def record(self) -> dict[str, Any]:
        """Return the chapter's line in the manifest."""
        return {
            "name": self.chapter.name,
            "title": self.chapter.title,
            "state": self.state,
            "error": self.error,
            "seconds": round(self.seconds, 2),
            "key": self.chapter.key,
            "parameters": {
                name: mask(value) if isinstance(value, str) else value
                for name, value in {**self.chapter.defaults, **self.chapter.parameters}.items()
            },
        }
