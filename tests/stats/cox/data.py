"""Data sets of R's survival package, as the tests of Cox regressions use them."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

ORACLES = Path(__file__).resolve().parents[2] / "oracles"

# aml: time, and whether the event was seen (1) or not (0).
MAINTAINED = [(9, 1), (13, 1), (13, 0), (18, 1), (23, 1), (28, 0), (31, 1), (34, 1), (45, 0),
              (48, 1), (161, 0)]  # fmt: skip
NOT_MAINTAINED = [(5, 1), (5, 1), (8, 1), (8, 1), (12, 1), (16, 0), (23, 1), (27, 1), (30, 1),
                  (33, 1), (43, 1), (45, 1)]  # fmt: skip

# ovarian: futime, fustat, age, rx, ecog.ps.
OVARIAN = [
    (59, 1, 72.3315, 1, 1), (115, 1, 74.4932, 1, 1), (156, 1, 66.4658, 1, 2),
    (421, 0, 53.3644, 2, 1), (431, 1, 50.3397, 1, 1), (448, 0, 56.4301, 1, 2),
    (464, 1, 56.937, 2, 2), (475, 1, 59.8548, 2, 2), (477, 0, 64.1753, 1, 1),
    (563, 1, 55.1781, 2, 2), (638, 1, 56.7562, 1, 2), (744, 0, 50.1096, 2, 1),
    (769, 0, 59.6301, 2, 2), (770, 0, 57.0521, 2, 1), (803, 0, 39.2712, 1, 1),
    (855, 0, 43.1233, 1, 2), (1040, 0, 38.8932, 1, 2), (1106, 0, 44.6, 1, 1),
    (1129, 0, 53.9068, 2, 1), (1206, 0, 44.2055, 2, 1), (1227, 0, 59.589, 2, 2),
    (268, 1, 74.5041, 1, 2), (329, 1, 43.137, 1, 1), (353, 1, 63.2192, 2, 2),
    (365, 1, 64.4247, 2, 1), (377, 0, 58.3096, 2, 1),
]  # fmt: skip

ROSSI = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]


@cache
def aml():
    rows = [(*row, 0) for row in MAINTAINED] + [(*row, 1) for row in NOT_MAINTAINED]
    return pd.DataFrame(rows, columns=["time", "event", "x"], dtype=float)


@cache
def lung():
    """Those 227 whose performance score is known."""
    from lifelines.datasets import load_lung

    return load_lung().dropna(subset=["ph.ecog"]).reset_index(drop=True)


@cache
def rossi():
    from lifelines.datasets import load_rossi

    return load_rossi()


@cache
def heart():
    from lifelines.datasets import load_stanford_heart_transplants

    frame = load_stanford_heart_transplants()
    return frame.assign(
        age_transplant=frame["age"] * frame["transplant"],
        surgery_transplant=frame["surgery"] * frame["transplant"],
    )


@cache
def ovarian():
    return pd.DataFrame(OVARIAN, columns=["time", "event", "age", "rx", "ecog"])


@cache
def pbc():
    frame = pd.read_csv(ORACLES / "pbc_covariates.csv", comment="#")
    logs = {f"log_{c}": np.log(frame[c]) for c in ("bili", "protime", "albumin")}
    return frame.assign(**logs)
