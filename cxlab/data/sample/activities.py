"""What customers can be seen doing: activities, their stage, and what belongs to a touchpoint."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.paths import ALL_CHANNELS
from cxlab.data.sample.people import coded
from cxlab.data.sample.touchpoints import TOUCHPOINTS

__all__ = [
    "ACTIVITIES",
    "AT_TOUCHPOINT",
    "OBJECTS",
    "OUTCOMES",
    "PLACES",
    "VISIT_CHANNELS",
    "Block",
    "activity",
    "as_frame",
    "block",
    "channel",
    "place",
]

Block = dict[str, NDArray[np.generic]]

STAGES = ("discover", "consider", "buy", "receive", "use", "leave")
OUTCOMES = ("success", "fail", "abandoned")
OBJECTS = ("product", "order", "ticket", "page", "element")
PLACES = (*TOUCHPOINTS, "delivery", "service desk", "brewing guide")
VISIT_CHANNELS = (*ALL_CHANNELS, "carrier", "phone", "chat")

_STAGE_OF = {
    "tv exposure": "discover",
    "brochure handed out": "discover",
    "search engine visit": "discover",
    "search result opened": "discover",
    "post seen": "discover",
    "post liked": "discover",
    "newsletter link clicked": "consider",
    "offer read": "consider",
    "page viewed": "consider",
    "product viewed": "consider",
    "searched": "consider",
    "store entered": "consider",
    "advice asked": "consider",
    "event visited": "consider",
    "tasting attended": "consider",
    "cart filled": "buy",
    "checkout begun": "buy",
    "order placed": "buy",
    "form left": "buy",
    "clicked": "consider",
    "parcel tracked": "receive",
    "parcel received": "receive",
    "unboxing shared": "use",
    "brewing guide opened": "use",
    "service contacted": "use",
    "newsletter unsubscribed": "leave",
}
ACTIVITIES = tuple(_STAGE_OF)
_STAGES = np.array([STAGES.index(s) for s in _STAGE_OF.values()], dtype=np.int8)

# In their order within a visit, with the chance that each after the first follows.
AT_TOUCHPOINT: tuple[tuple[tuple[str, ...], float], ...] = (
    (("tv exposure",), 0.0),
    (("brochure handed out",), 0.0),
    (("search engine visit", "search result opened"), 0.4),
    (("post seen", "post liked"), 0.2),
    (("newsletter link clicked", "offer read"), 0.3),
    (("page viewed", "product viewed", "searched", "cart filled", "checkout begun"), 0.35),
    (("page viewed", "product viewed", "cart filled"), 0.3),
    (("store entered", "tasting attended", "advice asked"), 0.2),
    (("event visited", "tasting attended"), 0.5),
)


def activity(name: str) -> int:
    """Return the code of an activity."""
    return ACTIVITIES.index(name)


def place(name: str) -> int:
    """Return the code of a touchpoint."""
    return PLACES.index(name)


def channel(name: str) -> int:
    """Return the code of a channel."""
    return VISIT_CHANNELS.index(name)


_DEFAULTS: dict[str, tuple[int, type]] = {
    "person": (-1, np.int64),
    "visitor": (-1, np.int64),
    "session": (-1, np.int64),
    "true_journey": (-1, np.int64),
    "device_no": (-1, np.int8),
    "is_known": (1, np.bool_),
    "activity": (-1, np.int8),
    "touchpoint": (-1, np.int8),
    "channel": (-1, np.int8),
    "object_type": (-1, np.int8),
    "object": (-1, np.int64),
    "outcome": (-1, np.int8),
    "duration_s": (-1, np.int32),
    "value_amount": (-1, np.int64),
    "campaign": (-1, np.int16),
    "is_bot": (0, np.bool_),
}


def block(at: NDArray[np.datetime64], columns: Mapping[str, object]) -> Block:
    """Write some interactions, one per moment; what is not given has its default."""
    made: Block = {"occurred_at": at}
    for name, (default, kind) in _DEFAULTS.items():
        value = np.asarray(columns.get(name, default))
        made[name] = np.broadcast_to(value.astype(kind, copy=False), at.shape)
    return made


def as_frame(blocks: list[Block]) -> pd.DataFrame:
    """Join blocks into one frame, with the stage of each activity."""
    joined = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
    codes = joined["activity"].astype(np.int8)
    labels = {
        "activity": ACTIVITIES,
        "touchpoint": PLACES,
        "channel": VISIT_CHANNELS,
        "object_type": OBJECTS,
        "outcome": OUTCOMES,
    }
    columns: dict[str, object] = dict(joined)
    for name, words in labels.items():
        columns[name] = coded(joined[name].astype(np.int8), words)
    columns["stage"] = coded(_STAGES[codes], STAGES)
    return pd.DataFrame(columns)
