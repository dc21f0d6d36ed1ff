"""What customers answer.

Notes
-----
answers : long form, one row per question answered: `response` (the invitation's number),
    `question` (a code of `questions.CODES`), `person`, `survey`, `invitation`,
    `answered_at`, `construct`, `dimension`, `value`, `scale_min`, `scale_max`, `reversed`,
    `touchpoint`, `order` (or -1).

Marks of items are drawn so that their means are exactly those of the company: an item
from 1 to 5 with mean m is 1 + binomial(4, (m - 1) / 4), an emotion from -3 to 3 with
valence v is binomial(6, (1 + v) / 2) - 3; items of one scale correlate by a normal copula.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import bdtr, ndtri

from cxlab.data.sample.activities import PLACES
from cxlab.data.sample.company import DRIVERS, PERSONALITY
from cxlab.data.sample.moods import marks
from cxlab.data.sample.people import at_rows, coded
from cxlab.data.sample.questions import CODES, CONSTRUCTS, QUESTIONS
from cxlab.data.sample.touchpoints import TOUCHPOINTS
from cxlab.data.sample.world import World, chance

__all__ = ["simulate_answers"]

Numbers = NDArray[np.float64]
Marks = dict[str, NDArray[np.int8]]  # by question; of each row of a survey

_ABSENT = np.int8(-128)  # a question that was not put
_DIMENSIONS = ("", *DRIVERS, *PERSONALITY, "valence", "brand")


def simulate_answers(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Make the answers to all finished surveys of one part."""
    first = int(tables["people"]["person"].iloc[0])
    rng = chance(world.seed, "answers", first)
    invitations = tables["invitations"]
    done = invitations[invitations["finished_at"].notna()]
    people = tables["people"]
    frames = []
    for survey in ("order", "service", "relational"):
        asked = done[done["survey"] == survey]
        person = people.iloc[asked["person"].to_numpy() - first]
        if survey == "relational":
            given = _about_company(rng, world, person, asked)
        else:
            moods = tables["true_moods"].iloc[asked["true_row"].to_numpy()]
            given = _about_occasion(rng, world, person, moods)
        frames.append(_long(rng, world, tables, asked, given))
    joined = {c: np.concatenate([f[c] for f in frames]) for c in frames[0]}
    answers = pd.DataFrame(joined).sort_values(["response", "question"], kind="stable")
    return {"answers": _labelled(answers.reset_index(drop=True))}


def _about_occasion(
    rng: np.random.Generator, world: World, people: pd.DataFrame, moods: pd.DataFrame
) -> Marks:
    """Answer about an order or a ticket: satisfaction, effort, drivers, emotions."""
    truth = world.company.feelings
    given: Marks = {"csat": moods["mark"].to_numpy(), "ces": moods["effort_mark"].to_numpy()}
    for driver in DRIVERS:
        given[f"driver_{driver}"] = marks(moods[driver].to_numpy(), truth.item_thresholds)
    met = 0.6 * moods["quality"].to_numpy() + 0.8 * rng.standard_normal(len(moods))
    given["expectation"] = marks(met, truth.item_thresholds)
    codes = moods["touchpoint"].cat.codes.to_numpy()
    delivered = moods["delivered"].to_numpy()
    for touchpoint in ("web shop", "marketplace page", "shop visit", "service desk", "delivery"):
        put = delivered if touchpoint == "delivery" else codes == PLACES.index(touchpoint)
        felt = _emotion(rng, world, people, touchpoint)
        given[f"emotion_{touchpoint.replace(' ', '_')}"] = np.where(put, felt, _ABSENT)
    return given


def _about_company(
    rng: np.random.Generator, world: World, people: pd.DataFrame, asked: pd.DataFrame
) -> Marks:
    """Answer about the company as a whole: recommendation, attachment, brand, importance."""
    company, truth = world.company, world.company.feelings
    latent = asked["true_latent"].to_numpy()
    size = len(latent)
    given: Marks = {"nps": marks(latent, truth.promoter_thresholds, lowest=0)}
    load, rest = truth.loading, np.sqrt(1 - truth.loading**2)
    for item in (1, 2, 3):
        felt = load * people["attachment"].to_numpy() + rest * rng.standard_normal(size)
        felt = -felt if item == 3 else felt  # asked the other way round
        given[f"attachment_{item}"] = marks(felt, truth.attachment_thresholds)
    for trait in PERSONALITY:
        seen = rng.standard_normal(size)
        share = (company.perceived[trait] - 1) / 4
        for item in (1, 2, 3):
            mark = _binomial(load * seen + rest * rng.standard_normal(size), 4, share)
            given[f"{trait}_{item}"] = 5 - mark if item == 3 else 1 + mark
    for driver in DRIVERS:
        share = (truth.importance[driver] - 1) / 4
        given[f"importance_{driver}"] = 1 + _binomial(rng.standard_normal(size), 4, share)
    for touchpoint in TOUCHPOINTS:
        felt = _emotion(rng, world, people, touchpoint)
        # Each is asked of a random half: a questionnaire has an end.
        put = rng.random(size) < 0.5
        given[f"emotion_{touchpoint.replace(' ', '_')}"] = np.where(put, felt, _ABSENT)
    will = 0.8 * latent + 0.6 * rng.standard_normal(size)
    given["intent"] = marks(will, truth.intent_thresholds)
    return given


def _emotion(
    rng: np.random.Generator, world: World, people: pd.DataFrame, touchpoint: str
) -> NDArray[np.int8]:
    """Draw an emotion from -3 to 3 whose mean is three times the valence of a touchpoint."""
    tie = world.company.feelings.emotion_mood
    mood = people["mood"].to_numpy()
    normal = tie * mood + np.sqrt(1 - tie**2) * rng.standard_normal(len(people))
    return _binomial(normal, 6, (1 + world.company.emotion[touchpoint]) / 2) - np.int8(3)


def _binomial(normal: Numbers, size: int, share: float) -> NDArray[np.int8]:
    """Turn standard normals into binomial counts of the same rank."""
    edges = ndtri(bdtr(np.arange(size), size, share))
    return np.searchsorted(edges, normal).astype(np.int8)


def _long(
    rng: np.random.Generator,
    world: World,
    tables: dict[str, pd.DataFrame],
    asked: pd.DataFrame,
    given: Marks,
) -> dict[str, NDArray[np.generic]]:
    """Write one row per question answered; a few questions are left out at random."""
    values = np.stack([given[code] for code in given], axis=1)
    left_out = rng.random(values.shape) < world.company.feelings.item_missing
    row, column = np.nonzero((values != _ABSENT) & ~left_out)
    codes = np.array([CODES.index(code) for code in given], dtype=np.int8)
    moods = tables["true_moods"]
    occasion = asked["true_row"].to_numpy()
    order = at_rows(moods["order"].to_numpy(), occasion)
    place = at_rows(moods["touchpoint"].cat.codes.to_numpy(), occasion)
    own = np.array([PLACES.index(q.touchpoint) if q.touchpoint else -1 for q in QUESTIONS])
    question = codes[column]
    return {
        "response": asked["invitation"].to_numpy()[row],
        "question": question,
        "person": asked["person"].to_numpy()[row],
        "survey": asked["survey"].to_numpy()[row],
        "answered_at": asked["finished_at"].to_numpy()[row],
        "value": values[row, column],
        "touchpoint": np.where(own[question] >= 0, own[question], place[row]),
        "order": order[row],
    }


def _labelled(answers: pd.DataFrame) -> pd.DataFrame:
    """Add what belongs to each question, and write codes as words."""
    code = answers["question"].to_numpy()
    construct = np.array([CONSTRUCTS.index(q.construct) for q in QUESTIONS])
    dimension = np.array([_DIMENSIONS.index(q.dimension) - 1 for q in QUESTIONS])
    return pd.DataFrame(
        {
            "response": answers["response"],
            "question": coded(code, CODES),
            "person": answers["person"],
            "survey": answers["survey"].astype("category"),
            "invitation": answers["response"],
            "answered_at": answers["answered_at"],
            "construct": coded(construct[code], CONSTRUCTS),
            "dimension": coded(dimension[code], _DIMENSIONS[1:]),
            "value": answers["value"],
            "scale_min": np.array([q.scale_min for q in QUESTIONS], dtype=np.int8)[code],
            "scale_max": np.array([q.scale_max for q in QUESTIONS], dtype=np.int8)[code],
            "reversed": np.array([q.reversed for q in QUESTIONS])[code],
            "touchpoint": coded(answers["touchpoint"].to_numpy(), PLACES),
            "order": answers["order"],
        }
    )
