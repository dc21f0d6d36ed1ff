"""The catalogue: every metric that a report can show, in one place.

`metrics.yml` says what each is, in which unit, from which tables and by what. A metric
whose definition changes gets a new version, and numbers of two versions are never
called a change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["FAMILIES", "Metric", "metrics", "version_of"]

# What the mission asks every study about.
FAMILIES = {
    "revenue_growth": "Revenue growth",
    "retention": "Retention and churn",
    "cross_sell": "Cross-sell and upsell",
    "service_cost": "Service cost",
    "nps_change": "Change in Net Promoter Score",
    "digital": "Digital metrics",
    "roi": "Return on investment",
}
_MOVES = ("change", "difference")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric as the catalogue defines it.

    Attributes
    ----------
    id : str
        Dotted name, as in `findings.csv`.
    version : int
        Raised when the definition changes, so that old numbers are told from new ones.
    unit : str
        As in `cxlab.report.words.value`; `money` for any currency, `any` for that of
        the outcome compared.
    better : str
        "up", "down" or "neither" where that holds for everybody; else empty.
    family : str
        One of `FAMILIES`, or empty.
    tables : tuple of str
        The tables that it is made from.
    made_by : str
        The public function that makes it, without `cxlab.`.
    """

    id: str
    name: str
    unit: str
    definition: str
    made_by: str
    tables: tuple[str, ...] = ()
    better: str = ""
    family: str = ""
    version: int = 1

    @property
    def is_difference(self) -> bool:
        """Tell whether its values are differences, and may be negative."""
        return self.id.endswith(_MOVES)

    @property
    def at(self) -> str:
        """Name and version: `csat.change@1`."""
        return f"{self.id}@{self.version}"


@cache
def metrics() -> Mapping[str, Metric]:
    """Return the catalogue by id, in the order of the file."""
    import yaml

    # The parser in C reads it six times as fast, where the platform has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(__file__).with_name("metrics.yml").read_text(encoding="utf-8")
    read = yaml.load(text, Loader=loader)  # noqa: S506  (a SafeLoader either way)
    return {
        name: Metric(id=name, **{**given, "tables": tuple(given.get("tables", ()))})
        for name, given in read.items()
    }


def version_of(name: str) -> int | None:
    """Return the version of a metric, or None where the catalogue does not know it."""
    found = metrics().get(name)
    return found.version if found else None
