"""What customers write: in surveys, to the service desk, in reviews and chats.

Notes
-----
comments : `comment`, `person`, `written_at` (UTC), `origin` {survey, ticket, review,
    social, chat}, `text`, `language` {id, en}, `rating` (1 to 5 in reviews and surveys of
    an occasion, else -1), `scale_min`, `scale_max` (-1 without a rating), `touchpoint`,
    `order` (or -1), `invitation` and `ticket` (where it was written, or -1), `reach`
    (people who saw it, social only, else -1), `true_theme` (of the first clause),
    `true_valence` (-1, 0 mixed, 1).
true_comments : `comment`, `origin`, `true_theme`, `true_valence` of the same;
    the exports' ids of texts, posts and messages end in `comment`.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.activities import PLACES
from cxlab.data.sample.clock import DAY, EXPORTED, later
from cxlab.data.sample.moods import marks
from cxlab.data.sample.people import at_rows, coded
from cxlab.data.sample.phrases import LANGUAGES, THEMES
from cxlab.data.sample.service import SERVICE_CHANNELS, TOPICS
from cxlab.data.sample.world import World, chance
from cxlab.data.sample.writing import write

__all__ = ["ORIGINS", "simulate_comments"]

Codes = NDArray[np.integer]

ORIGINS = ("survey", "ticket", "review", "social", "chat")
_IN_SURVEY, _REVIEWED, _POSTED = 0.35, 0.06, 0.015
# What is spoken of where nothing is wrong: in a shop, of what was sent, of service.
_IN_SHOP = np.array([0.0, 0.40, 0.15, 0.35, 0.02, 0.08, 0.0])
_WHEN_SENT = np.array([0.22, 0.30, 0.14, 0.04, 0.16, 0.10, 0.04])
_WHEN_LATE = np.array([0.75, 0.10, 0.03, 0.04, 0.04, 0.04, 0.0])
_OF_COMPANY = np.array([0.12, 0.30, 0.18, 0.15, 0.10, 0.07, 0.08])
_TOPIC_THEME = {"delivery": "delivery", "stock": "stock", "billing": "price", "product": "app",
                "quality": "quality", "subscription": "subscription"}  # fmt: skip


def simulate_comments(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make the comments of one part."""
    people = tables["people"]
    first = int(people["person"].iloc[0])
    rng = chance(world.seed, "words", first)
    written = [
        _in_surveys(rng, world, tables),
        _to_service(rng, tables["tickets"]),
        _in_public(rng, tables["true_moods"]),
    ]
    rows = pd.DataFrame({c: np.concatenate([w[c] for w in written]) for c in written[0]})
    rows = rows[rows["written_at"] < EXPORTED].reset_index(drop=True)
    own = people["language"].cat.codes.to_numpy()[rows["person"].to_numpy() - first]
    # One in ten writes in the other language.
    language = np.where(rng.random(len(rows)) < 0.1, 1 - own, own)
    theme, valence = rows["theme"].to_numpy(), rows["valence"].to_numpy()
    rated = rows["rating"].to_numpy() >= 0
    public = np.isin(rows["origin"].to_numpy(), [ORIGINS.index(o) for o in ("review", "social")])
    reach = np.rint(rng.lognormal(5, 1.2, len(rows))).astype(np.int64)
    comments = pd.DataFrame(
        {
            "comment": first * 1_000 + np.arange(len(rows)),
            "person": rows["person"],
            "written_at": rows["written_at"],
            "origin": coded(rows["origin"].to_numpy(), ORIGINS),
            "text": write(rng, language, theme, valence),
            "language": coded(language, LANGUAGES),
            "rating": rows["rating"],
            "scale_min": np.where(rated, 1, -1),
            "scale_max": np.where(rated, 5, -1),
            "touchpoint": coded(rows["touchpoint"].to_numpy(), PLACES),
            "order": rows["order"],
            "invitation": rows["invitation"],
            "ticket": rows["ticket"],
            "reach": np.where(public, reach, -1),
            "true_theme": coded(theme, THEMES),
            "true_valence": valence.astype(np.int8),
        }
    )
    truth = comments[["comment", "origin", "true_theme", "true_valence"]]
    return {"comments": comments, "true_comments": truth}


def _valences(rng: np.random.Generator, mark: Codes) -> Codes:
    """Draw whether a comment pleases, is mixed, or displeases, by the mark from 1 to 5."""
    is_mixed = rng.random(len(mark)) < np.array([0.05, 0.15, 0.60, 0.20, 0.05])[mark - 1]
    of_three = rng.integers(0, 2, len(mark)) * 2 - 1
    pleases = np.where(mark >= 4, 1, np.where(mark <= 2, -1, of_three))
    return np.asarray(np.where(is_mixed, 0, pleases), dtype=np.int64)


def _themes(rng: np.random.Generator, shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw a theme each, with the given shares (a row each)."""
    edges = shares.cumsum(axis=1)
    drawn = (rng.random((len(shares), 1)) >= edges).sum(axis=1)
    return np.asarray(np.minimum(drawn, len(THEMES) - 1), dtype=np.int64)


def _of_occasion(rng: np.random.Generator, moods: pd.DataFrame) -> NDArray[np.int64]:
    """Draw what is spoken of after an occasion."""
    at = moods["touchpoint"].cat.codes.to_numpy()
    shares = np.where(moods["delivered"].to_numpy()[:, None], _WHEN_SENT, _IN_SHOP)
    shares[moods["is_late"].to_numpy()] = _WHEN_LATE
    shares[at == PLACES.index("service desk")] = _OF_COMPANY
    return _themes(rng, shares)


def _in_surveys(
    rng: np.random.Generator, world: World, tables: dict[str, pd.DataFrame]
) -> dict[str, NDArray[np.generic]]:
    """Write into the open question of some finished surveys."""
    done = tables["invitations"].dropna(subset="finished_at")
    done = done[rng.random(len(done)) < _IN_SURVEY]
    row = done["true_row"].to_numpy()
    moods, about = tables["true_moods"], row >= 0
    general = marks(done["true_latent"].to_numpy(), world.company.thresholds)
    mark = np.where(about, at_rows(moods["mark"].to_numpy(), row), general)
    theme = _themes(rng, np.broadcast_to(_OF_COMPANY, (len(done), len(THEMES))))
    if about.any():
        theme = np.where(about, _of_occasion(rng, moods.iloc[np.maximum(row, 0)]), theme)
    return {
        "person": done["person"].to_numpy(),
        "written_at": done["finished_at"].to_numpy(),
        "origin": np.full(len(done), ORIGINS.index("survey")),
        "rating": np.where(about, mark, -1),
        "touchpoint": at_rows(moods["touchpoint"].cat.codes.to_numpy(), row),
        "order": at_rows(moods["order"].to_numpy(), row),
        "invitation": done["invitation"].to_numpy(),
        "ticket": at_rows(moods["ticket"].to_numpy(), row),
        "theme": theme,
        "valence": _valences(rng, mark),
    }


def _to_service(rng: np.random.Generator, tickets: pd.DataFrame) -> dict[str, NDArray[np.generic]]:
    """Write the first words of each ticket that came by mail or chat."""
    codes = tickets["channel"].cat.codes.to_numpy()
    chat = SERVICE_CHANNELS.index("chat")
    texts = tickets[np.isin(codes, [chat, SERVICE_CHANNELS.index("email")])]
    by_chat = texts["channel"].cat.codes.to_numpy() == chat
    theme_of = np.array([THEMES.index(_TOPIC_THEME[topic]) for topic in TOPICS])
    size = len(texts)
    none = np.full(size, -1)
    mark = np.where(texts["is_complaint"].to_numpy(), 1, rng.integers(2, 4, size))
    return {
        "person": texts["person"].to_numpy(),
        "written_at": texts["opened_at"].to_numpy(),
        "origin": np.where(by_chat, ORIGINS.index("chat"), ORIGINS.index("ticket")),
        "rating": none,
        "touchpoint": np.full(size, PLACES.index("service desk")),
        "order": texts["order"].to_numpy(),
        "invitation": none,
        "ticket": texts["ticket"].to_numpy(),
        "theme": theme_of[texts["topic"].cat.codes.to_numpy()],
        "valence": _valences(rng, mark),
    }


def _in_public(rng: np.random.Generator, moods: pd.DataFrame) -> dict[str, NDArray[np.generic]]:
    """Write reviews with a rating and posts; the unhappy and the delighted more often."""
    mark = moods["mark"].to_numpy()
    eager = np.array([2.2, 1.4, 0.5, 0.6, 1.2])[mark - 1]
    drawn = rng.random(len(moods))
    reviews, posts = _REVIEWED * eager, _POSTED * eager
    row = np.flatnonzero(drawn < reviews + posts)
    chosen = moods.iloc[row]
    post = drawn[row] >= reviews[row]
    return {
        "person": chosen["person"].to_numpy(),
        "written_at": later(chosen["at"].to_numpy(), rng.exponential(3 * DAY, len(row))),
        "origin": np.where(post, ORIGINS.index("social"), ORIGINS.index("review")),
        "rating": np.where(post, -1, mark[row]),
        "touchpoint": chosen["touchpoint"].cat.codes.to_numpy(),
        "order": chosen["order"].to_numpy(),
        "invitation": np.full(len(row), -1),
        "ticket": np.full(len(row), -1),
        "theme": _of_occasion(rng, chosen),
        "valence": _valences(rng, mark[row]),
    }
