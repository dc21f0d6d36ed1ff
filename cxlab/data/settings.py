"""A study's settings: who, when, definitions, thresholds, and what people decided.

`study.yaml` is read into typed models that refuse unknown keys and name the
nearest known one, so that a slip stops before anything runs.
"""

import hashlib
import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cxlab.data.allowed import Allowed
from cxlab.data.calendar import Cycle, Length, parse_cycle
from cxlab.data.consent import ConsentSettings
from cxlab.data.friction_settings import FrictionSettings
from cxlab.data.funnel_settings import Funnel
from cxlab.data.identity import IdentitySettings
from cxlab.data.journey_settings import JourneySettings
from cxlab.data.kpis import Kpi, OwnMetric
from cxlab.data.pseudonyms import KEY_NAME
from cxlab.data.quality import Quality
from cxlab.data.risk_settings import AtRiskSettings
from cxlab.data.sample_settings import SampleSettings
from cxlab.data.strict import Days, Strict
from cxlab.data.withholding import Dominance, Excepted
from cxlab.data.working_time import WorkingHours
from cxlab.data.yaml_file import read_yaml
from cxlab.errors import SettingsError, did_you_mean

__all__ = [
    "Definitions",
    "EngineSettings",
    "Kpi",
    "Privacy",
    "Quality",
    "Settings",
    "find_study",
    "read_settings",
]


class EngineSettings(Strict):
    """Where the long tables are queried, and with how much of the machine."""

    kind: Literal["duckdb", "spark"] = "duckdb"
    memory: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s?[MG]i?B$")] = "4GB"
    threads: Annotated[int, Field(ge=1, le=1024)] = 2


class RfmSettings(Strict):
    """How recency, frequency and monetary value become named segments."""

    scores: Annotated[int, Field(ge=2, le=10)] = 5
    cuts: dict[Literal["recency", "frequency", "monetary"], list[float]] | None = None
    rules: list[dict[str, Any]] | None = None


class Definitions(Strict):
    """What words mean in this study; they are printed in the report."""

    cooling_days: Days = 90
    lapse_days: Days = 180
    stale_days: Days = 45
    repurchase_days: Days = 90
    slow_days: Days = 3
    rfm: RfmSettings = RfmSettings()

    @model_validator(mode="after")
    def _cooling_comes_before_lapsing(self) -> Self:
        if self.cooling_days >= self.lapse_days:
            raise ValueError(
                f"cooling_days must be below lapse_days, but is {self.cooling_days} "
                f"against {self.lapse_days}"
            )
        return self


class Privacy(Strict):
    """Who may be seen: groups smaller than `min_cell` are withheld.

    `pseudonyms` puts keyed hashes in place of the ids of persons; `key` names the
    environment variable that holds the key, as in `env:CXLAB_KEY`.
    """

    min_cell: Annotated[int, Field(ge=5, le=1000)] = 10
    dominance: Dominance = Dominance()
    both_sides: bool = False  # whether the other side of a share must be as large
    exceptions: list[Excepted] = Field(default_factory=list)
    allow: list[Allowed] = Field(default_factory=list)
    pseudonyms: bool = False
    key: str | None = None

    @model_validator(mode="after")
    def _key_is_not_here(self) -> Self:
        # Checked of the whole group, so that no message repeats what was given as the key.
        if self.key is not None and not KEY_NAME.fullmatch(self.key):
            raise ValueError(
                "key must name an environment variable, as in env:CXLAB_KEY; the key itself must "
                "stand in no file"
            )
        if self.pseudonyms and self.key is None:
            raise ValueError(
                "pseudonyms need a key: name an environment variable, as in key: env:CXLAB_KEY"
            )
        return self


class Limits(Strict):
    """How long a chapter may take, and how much memory."""

    cell_seconds: Annotated[int, Field(gt=0)] = 600
    chapter_seconds: Annotated[int, Field(gt=0)] = 1800
    memory: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s?[MG]i?B$")] = "8GB"


class Covers(Strict):
    """The days for which the raw data are complete."""

    first_day: date | None = None
    last_day: date | None = None

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError(f"last_day must not lie before first_day, {self.first_day}")
        return self

    def whole(self, cycle: Cycle) -> bool:
        """Tell whether a cycle lies within these days."""
        return (self.first_day is None or self.first_day <= cycle.first_day) and (
            self.last_day is None or cycle.last_day <= self.last_day
        )


class Settings(Strict):
    """Everything in `study.yaml`."""

    title: str
    raw: str | None = None
    sample: SampleSettings | None = None
    language: Literal["en", "id"] = "en"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    time_zone: str = "UTC"
    cycle: Length = "quarter"
    fiscal_start: Annotated[int, Field(ge=1, le=12)] = 1
    default_cycle: str | None = None
    covers: Covers = Covers()
    engine: EngineSettings = EngineSettings()
    definitions: Definitions = Definitions()
    segments: dict[str, dict[str, str]] = Field(default_factory=dict)
    journey: JourneySettings = JourneySettings()
    friction: FrictionSettings = FrictionSettings()
    funnels: dict[str, Funnel] = Field(default_factory=dict)
    working_hours: WorkingHours | None = None
    kpis: dict[str, Kpi] = Field(default_factory=dict)
    metrics: dict[str, OwnMetric] = Field(default_factory=dict)
    privacy: Privacy = Privacy()
    identity: IdentitySettings = IdentitySettings()
    consent: ConsentSettings = ConsentSettings()
    quality: Quality = Quality()
    at_risk: AtRiskSettings = AtRiskSettings()
    limits: Limits = Limits()
    chapters: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("sample")
    @classmethod
    def _data_come_from_one_place(
        cls, sample: SampleSettings | None, given: ValidationInfo
    ) -> SampleSettings | None:
        if "raw" in given.data and (given.data["raw"] is None) == (sample is None):
            raise ValueError(
                "a study needs either raw, the folder of its files, or sample, the made-up company"
            )
        return sample

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(
                f"must be an IANA time zone such as Asia/Jakarta, but is {zone!r}."
                f"{did_you_mean(zone, available_timezones())}"
            )
        ZoneInfo(zone)
        return zone

    def parse_cycle(self, name: str) -> Cycle:
        """Read a cycle's name in this study's calendar.

        Raises
        ------
        SettingsError
            If the cycle lies outside the days that the data cover.
        """
        cycle = parse_cycle(
            name, length=self.cycle, fiscal_start=self.fiscal_start, time_zone=self.time_zone
        )
        if not self.covers.whole(cycle):
            first, last = (day or "..." for day in (self.covers.first_day, self.covers.last_day))
            raise SettingsError(
                f"A cycle must lie within the days that the data cover, {first} to {last}, but "
                f"{cycle.name} runs from {cycle.first_day} to {cycle.last_day}. Choose another "
                "cycle, or change `covers` in study.yaml when more data have come."
            )
        return cycle

    @property
    def approved(self) -> Cycle | None:
        """The cycle in which the journey map was last approved."""
        return None if self.journey.approved is None else self.parse_cycle(self.journey.approved)

    def hash(self, *, without: frozenset[str] = frozenset()) -> str:
        """Return the sha256 of the settings, less those named."""
        plain = self.model_dump(mode="json", exclude=set(without))
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    def raw_folder(self, study: Path) -> Path:
        """Return the folder of the raw files, absolute; `env:NAME` is looked up.

        Raises
        ------
        SettingsError
            If the folder does not exist.
        """
        if self.sample is not None:
            from cxlab.data.snapshot import state_folder

            return self.sample.raw_folder(state_folder(study))
        given = named = self.raw or ""
        if given.startswith("env:"):
            given = os.environ.get(given[4:], "")
            if not given:
                raise SettingsError(
                    f"raw is {named!r}, so the environment variable {named[4:]} must "
                    "name a folder, but it is not set."
                )
        folder = (study / given).resolve()
        if not folder.is_dir():
            raise SettingsError(
                f"raw must be an existing folder, but {given!r} (seen from {study.name}/) is none. "
                "Put the raw files there, or change `raw` in study.yaml."
            )
        if set("*?[") & set(str(folder)):
            raise SettingsError(
                f"raw must be a folder whose path has none of * ? [, which stand for patterns, but "
                f"is {given!r}. Rename the folder."
            )
        return folder


def find_study(study: str | Path) -> Path:
    """Find a study's folder, seen from here or from a folder above (as notebooks are).

    Raises
    ------
    SettingsError
        If no such folder has a `study.yaml`.
    """
    given = Path(study)
    here = Path.cwd()
    candidates = (
        [given] if given.is_absolute() else [base / given for base in (here, *here.parents)]
    )
    # The sample company comes with the package: it is there wherever cxlab is.
    for folder in (*candidates, Path(__file__).parents[1] / given):
        if (folder / "study.yaml").is_file():
            return folder
    raise SettingsError(
        f"A study must be a folder with a study.yaml, but {str(study)!r} is none. "
        "Make one with: cxlab new DIR"
    )


def read_settings(study: Path) -> Settings:
    """Read and check `study.yaml` of a study's folder.

    Parameters
    ----------
    study : pathlib.Path
        Folder of the study.

    Returns
    -------
    Settings
        Checked settings with every default filled in.

    Raises
    ------
    SettingsError
        With one line for each thing that is wrong.
    """
    path = study / "study.yaml"
    loaded = read_yaml(path)
    try:
        return Settings.model_validate(loaded)
    except ValidationError as error:
        lines = [_say(e) for e in error.errors()]
        raise SettingsError(
            f"{study.name}/study.yaml must be mended in "
            f"{len(lines)} {'place' if len(lines) == 1 else 'places'}:\n  " + "\n  ".join(lines)
        ) from None


def _say(error: Any) -> str:
    """Turn one pydantic error into a sentence that names the setting."""
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = _known_keys(error["loc"][:-1])
        word = str(error["loc"][-1])
        return (
            f"{place} is not a setting.{did_you_mean(word, known)} Known here: {', '.join(known)}."
        )
    if error["type"] == "missing":
        return f"{place} is required, but missing."
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "literal_error":
        listed = re.findall(r"'([^']*)'", message)
        message += "." + did_you_mean(str(error["input"]), listed)
    # What was given as a key is not repeated, whatever is wrong with it.
    silent = isinstance(error["input"], dict) or "key" in error["loc"]
    found = "" if silent else f" Found: {str(error['input'])[:80]!r}."
    stop = "" if message.endswith((".", "?")) else "."
    return f"{place}: {message}{stop}{found}"


def _known_keys(place: tuple[Any, ...]) -> list[str]:
    """List the settings known at a place; names that a study gives itself are passed over."""
    kind: Any = Settings
    for part in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(part)
            kind = _one_kind(field.annotation) if field is not None else None
        else:
            kind = _one_kind(next(iter(get_args(kind)[-1:]), None))
    known = isinstance(kind, type) and issubclass(kind, BaseModel)
    return list(kind.model_fields) if known else []


def _one_kind(annotation: Any) -> Any:
    """Take the kind out of what may also be None, or carries limits."""
    if get_origin(annotation) is Annotated:
        return get_args(annotation)[0]
    if type(None) in get_args(annotation):
        return next(kind for kind in get_args(annotation) if kind is not type(None))
    return annotation
