"""Published numbers, end to end: from the table of answers to the estimate of the room.

The same numbers are held against the formulas themselves in tests/stats.
"""

import pandas as pd
import pytest

from cxlab.data.calendar import parse_cycle
from cxlab.feedback import csat, nps

CYCLE = parse_cycle("2026Q3")

PROMOTERS = [  # promoters, passives, detractors; score, low, high by Rocks (2016)
    ((15, 13, 8), 19.444444, -6.280259, 42.177695),
    ((45, 32, 23), 22.0, 6.041239, 36.677208),
    ((0, 10, 0), 0.0, -18.465045, 18.465045),
]
SHARES = [  # Newcombe (1998), Statistics in Medicine 17, 857-872, method 3
    (81, 263, 0.255289, 0.366210),
    (0, 20, 0, 0.161125),
    (1, 29, 0.006113, 0.171755),
    (180, 200, 0.850594, 0.934330),
    (15, 148, 0.062386, 0.160487),
    (29, 29, 0.883030, 1),
    (0, 10, 0, 0.277533),
    (50, 100, 0.403832, 0.596168),
]
DIFFERENCES = [  # Newcombe (1998), Statistics in Medicine 17, 873-890, method 10
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
]


def table(now, before, *, construct, scale_max):
    values = [*now, *before]
    when = [CYCLE.start] * len(now) + [CYCLE.previous.start] * len(before)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(len(values))],
            "answered_at": when,
            "construct": construct,
            "value": values,
            "scale_min": 0 if construct == "nps" else 1,
            "scale_max": scale_max,
        }
    )


def scored(groups):
    promoters, passives, detractors = groups
    return [9] * promoters + [7] * passives + [6] * detractors


def rated(hits, n):
    return [4] * hits + [3] * (n - hits)


def estimate(result, metric):
    row = result.estimates.set_index("metric").loc[metric]
    return row["estimate"], row["conf_low"], row["conf_high"]


@pytest.mark.parametrize(("groups", "score", "low", "high"), PROMOTERS)
def test_nps(groups, score, low, high):
    found = nps(table(scored(groups), [], construct="nps", scale_max=10), cycle=CYCLE)
    assert estimate(found, "nps.score") == pytest.approx((score, low, high), abs=5e-7)  # printed


def test_nps_of_ten_promoters_is_clipped_on_the_scale():
    found = nps(table(scored((10, 0, 0)), [], construct="nps", scale_max=10), cycle=CYCLE)
    score, low, high = estimate(found, "nps.score")
    # The adjusted centre 76.923077 and the upper limit 106.34 give the lower one.
    assert (score, high) == (100, 100)
    assert low == pytest.approx(2 * 76.923077 - 106.34, abs=0.006)


def test_nps_change():
    now, before = scored((200, 100, 100)), scored((45, 32, 23))
    found = nps(table(now, before, construct="nps", scale_max=10), cycle=CYCLE)
    change, low, high = estimate(found, "nps.change")
    assert change == pytest.approx(3.0, rel=1e-12)
    # The plain standard error is 8.9636767; adjusted intervals differ from it by little.
    assert (high - low) / 2 == pytest.approx(1.959964 * 8.9636767, rel=0.02)


@pytest.mark.parametrize(("hits", "n", "low", "high"), SHARES)
def test_csat_top_box(hits, n, low, high):
    found = csat(table(rated(hits, n), [], construct="csat", scale_max=5), cycle=CYCLE)
    expected = (hits / n, low, high)
    assert estimate(found, "csat.top_box_share") == pytest.approx(expected, abs=5e-7)  # printed


@pytest.mark.parametrize(("now", "before", "low", "high"), DIFFERENCES)
def test_csat_change(now, before, low, high):
    data = table(rated(*now), rated(*before), construct="csat", scale_max=5)
    change = now[0] / now[1] - before[0] / before[1]
    found = csat(data, cycle=CYCLE)
    assert estimate(found, "csat.change") == pytest.approx((change, low, high), abs=5e-5)  # printed
