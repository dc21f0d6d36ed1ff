"""The sample company of a file's `OPTIONS`: the study, its snapshot, and what was planted."""

from pathlib import Path

import pandas as pd
import pytest

from cxlab.data.sample.study import new_sample
from cxlab.data.snapshot import Snapshot
from tests.studies import snapshot


@pytest.fixture(scope="module")
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "study"
    new_sample(folder, request.module.OPTIONS)
    return folder


@pytest.fixture(scope="module")
def taken(study: Path) -> Snapshot:
    return snapshot(study, "2026Q3")


@pytest.fixture(scope="module")
def planted(study: Path) -> pd.DataFrame:
    """One row per kind of dirt: how many rows were planted, and their fate."""
    return pd.read_csv(study / "truth" / "dirt.csv", keep_default_na=False).set_index("kind")
