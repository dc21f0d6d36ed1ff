"""Where the made-up company meets its customers, and how they go on from there."""

import numpy as np

__all__ = ["CHANNELS", "CHANNEL_SHARES", "NEWER_CHANNELS", "TOUCHPOINTS", "TRANSITIONS"]

# Nine touchpoints, each reached through one of its channels. A journey begins at one of
# them, moves from touchpoint to touchpoint, and ends in a purchase or in nothing.
TOUCHPOINTS = (
    "tv spot", "brochure", "search", "social post", "newsletter", "web shop", "marketplace page",
    "shop visit", "tasting event",
)  # fmt: skip
CHANNELS = {
    "tv spot": ("tv",),
    "brochure": ("brochure",),
    "search": ("search",),
    "social post": ("social",),
    "newsletter": ("email", "sms"),
    "web shop": ("web", "app"),
    "marketplace page": ("marketplace",),
    "shop visit": ("store",),
    "tasting event": ("event", "direct_selling"),
}
# How a touchpoint is reached where it has two channels; one way for every visit.
CHANNEL_SHARES = {
    "newsletter": (0.8, 0.2),
    "web shop": (0.65, 0.35),
    "tasting event": (0.7, 0.3),
}
# Where the company drifts, steps to the older touchpoint become steps to the newer one.
NEWER_CHANNELS = {
    "tv spot": "social post",
    "brochure": "social post",
    "newsletter": "marketplace page",
    "shop visit": "marketplace page",
}
# Rows: from (the first is the start of a journey); columns: to a touchpoint, then to a
# purchase, then to nothing. Each row sums to one.
TRANSITIONS = np.array(
    [
        #  tv   broch search social mail  web   market shop  event  buy   none
        [0.10, 0.08, 0.22, 0.16, 0.14, 0.08, 0.10, 0.08, 0.04, 0.00, 0.00],
        [0.02, 0.02, 0.16, 0.06, 0.02, 0.10, 0.04, 0.10, 0.02, 0.00, 0.46],
        [0.01, 0.01, 0.10, 0.02, 0.02, 0.14, 0.05, 0.14, 0.05, 0.00, 0.46],
        [0.00, 0.00, 0.06, 0.05, 0.02, 0.34, 0.14, 0.05, 0.00, 0.00, 0.34],
        [0.00, 0.00, 0.10, 0.08, 0.02, 0.20, 0.10, 0.04, 0.02, 0.00, 0.44],
        [0.00, 0.00, 0.04, 0.03, 0.04, 0.36, 0.02, 0.06, 0.02, 0.00, 0.43],
        [0.00, 0.00, 0.06, 0.03, 0.06, 0.14, 0.04, 0.03, 0.00, 0.30, 0.34],
        [0.00, 0.00, 0.06, 0.03, 0.02, 0.07, 0.10, 0.02, 0.00, 0.28, 0.42],
        [0.00, 0.00, 0.02, 0.02, 0.02, 0.06, 0.02, 0.06, 0.04, 0.48, 0.28],
        [0.00, 0.00, 0.04, 0.06, 0.06, 0.10, 0.02, 0.22, 0.04, 0.20, 0.26],
    ]
)
