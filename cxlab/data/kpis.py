"""The key measures of a study: what each is, who owns it, where it should go, or why not.

A study speaks about each family of measures that the mission asks for. A measure that
it leaves out is a gap in the register, never silence.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from cxlab.data.strict import Strict
from cxlab.errors import did_you_mean
from cxlab.metrics import FAMILIES, Metric, metrics

if TYPE_CHECKING:
    from cxlab.data.settings import Settings

__all__ = [
    "Family",
    "Kpi",
    "OwnMetric",
    "catalogue",
    "family_of",
    "kpi_problems",
    "silent_families",
]

Family = Literal[
    "revenue_growth", "retention", "cross_sell", "service_cost", "nps_change", "digital", "roi"
]

# The least and the most that a value in this unit can be.
_RANGE = {"share": (0.0, 1.0), "nps": (-100.0, 100.0), "p": (0.0, 1.0), "count": (0.0, None)}
_GOOD = {"up": "higher", "down": "lower", "neither": "neither way"}


class Kpi(Strict):
    """One key measure: what it is, who owns it, where it should go.

    Attributes
    ----------
    family : str, optional
        The family that it stands for. Default: that of its metric.
    because : str, optional
        Why its direction is not the one that holds for everybody else.
    """

    name: str
    metric: str | None = None
    change: str | None = None
    direction: Literal["up", "down", "neither"] = "up"
    target: float | None = None
    owner: str | None = None
    definition: str = ""
    not_applicable: str | None = None
    family: Family | None = None
    because: str | None = None

    @model_validator(mode="after")
    def _measured_or_explained(self) -> Self:
        if (self.metric is None) == (self.not_applicable is None):
            raise ValueError("a KPI needs either a metric or a reason under not_applicable")
        if self.metric is not None and not (self.owner or "").strip():
            raise ValueError("a KPI needs an owner")
        if self.not_applicable is not None and not self.not_applicable.strip():
            raise ValueError("not_applicable needs a reason in words")
        return self


class OwnMetric(Strict):
    """A metric that a notebook of the study makes, for the catalogue of this study."""

    name: str
    unit: str
    definition: Annotated[str, Field(min_length=10)]
    version: Annotated[int, Field(ge=1)] = 1
    better: Literal["up", "down", "neither"] | None = None
    family: Family | None = None
    tables: list[str] = Field(default_factory=list)


def catalogue(own: Mapping[str, OwnMetric]) -> dict[str, Metric]:
    """Return the house's metrics and those of a study, by id."""
    added = {
        name: Metric(
            id=name,
            name=one.name,
            unit=one.unit,
            definition=one.definition,
            made_by="a notebook of the study",
            tables=tuple(one.tables),
            better=one.better or "",
            family=one.family or "",
            version=one.version,
        )
        for name, one in own.items()
    }
    return {**metrics(), **added}


def family_of(kpi: Kpi, known: Mapping[str, Metric]) -> str:
    """Return the family that a key measure stands for, or nothing."""
    metric = known.get(kpi.metric or "")
    return kpi.family or (metric.family if metric else "")


def silent_families(settings: "Settings") -> list[str]:
    """Name the families of measures about which a study says nothing."""
    known = catalogue(settings.metrics)
    told = {family_of(kpi, known) for kpi in settings.kpis.values()}
    return [family for family in FAMILIES if family not in told]


def kpi_problems(settings: "Settings") -> list[str]:
    """List what is wrong with the key measures of a study, one line each.

    Parameters
    ----------
    settings : Settings
        The study's settings.

    Returns
    -------
    list of str
        An unknown metric, a target that its unit cannot have, a direction that
        contradicts the metric's own without a reason, the change of another metric. Empty
        when all is well.
    """
    known = catalogue(settings.metrics)
    found = [
        f"metrics.{name} must not be a metric of the house. Choose another name."
        for name in settings.metrics
        if name in metrics()
    ]
    for key, kpi in settings.kpis.items():
        for what, name in (("metric", kpi.metric), ("change", kpi.change)):
            if name is not None and name not in known:
                found.append(
                    f"kpis.{key}.{what} must be a metric of the catalogue, but is {name!r}."
                    f"{did_you_mean(name, known)} Declare one of your own under `metrics`."
                )
        if kpi.metric in known:
            found += [f"kpis.{key}.{line}" for line in _against(kpi, known[str(kpi.metric)])]
            if kpi.change in known:
                found += [
                    f"kpis.{key}.{line}"
                    for line in _of_another(known[str(kpi.metric)], known[kpi.change])
                ]
    return found


def _of_another(metric: Metric, change: Metric) -> list[str]:
    """Refuse the change of another measure, which a tile would show as this one's."""
    measured, is_change, _ = change.id.rpartition("change")  # nps.change, orders.count_change
    if is_change and metric.id.startswith(measured.rstrip("._")) and change.unit == metric.unit:
        return []
    return [
        f"change must be that of {metric.id}, in the unit {metric.unit}, but {change.id} is: "
        f"{change.name}, in the unit {change.unit}. Name the change of this measure, or none."
    ]


def _against(kpi: Kpi, metric: Metric) -> list[str]:
    found = []
    least, most = _RANGE.get(metric.unit, (None, None))
    if metric.is_difference:
        least = None if most is None else -most
    if kpi.target is not None and (
        (least is not None and kpi.target < least) or (most is not None and kpi.target > most)
    ):
        bounds = f"at least {least:g}" if most is None else f"between {least:g} and {most:g}"
        found.append(
            f"target must be {bounds}, since {metric.id} is a {metric.unit}, but is {kpi.target:g}."
        )
    if metric.better and kpi.direction != metric.better and not (kpi.because or "").strip():
        found.append(
            f"direction is {kpi.direction!r}, but of {metric.id} {_GOOD[metric.better]} is better. "
            f"Write {metric.better!r}, or give the reason under `because`."
        )
    return found
