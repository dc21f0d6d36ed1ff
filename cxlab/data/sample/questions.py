"""The questionnaires: which questions each survey asks, and on which scale."""

from dataclasses import dataclass

from cxlab.data.sample.company import DRIVERS, PERSONALITY
from cxlab.data.sample.touchpoints import TOUCHPOINTS

__all__ = ["CODES", "CONSTRUCTS", "QUESTIONS", "SURVEYS", "Question"]

SURVEYS = ("order", "service", "relational")
CONSTRUCTS = (
    "nps", "csat", "ces", "driver", "emotion", "personality", "attachment", "expectation",
    "importance", "intent",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question of a survey; a reversed one is answered high where little of it is felt."""

    code: str
    construct: str
    dimension: str = ""
    scale_min: int = 1
    scale_max: int = 5
    reversed: bool = False
    touchpoint: str = ""  # "" where it is the occasion's, or none


def _questions() -> tuple[Question, ...]:
    emotions = (*TOUCHPOINTS, "delivery", "service desk")
    return (
        Question(code="csat", construct="csat"),
        Question(code="ces", construct="ces", scale_max=7),
        *(Question(code=f"driver_{d}", construct="driver", dimension=d) for d in DRIVERS),
        Question(code="expectation", construct="expectation", dimension="quality"),
        *(
            Question(
                code=f"emotion_{t.replace(' ', '_')}",
                construct="emotion",
                dimension="valence",
                scale_min=-3,
                scale_max=3,
                touchpoint=t,
            )
            for t in emotions
        ),
        Question(code="nps", construct="nps", scale_min=0, scale_max=10),
        *(
            Question(
                code=f"attachment_{item}",
                construct="attachment",
                dimension="brand",
                scale_max=7,
                reversed=item == 3,
            )
            for item in (1, 2, 3)
        ),
        *(
            Question(
                code=f"{trait}_{item}",
                construct="personality",
                dimension=trait,
                reversed=item == 3,
            )
            for trait in PERSONALITY
            for item in (1, 2, 3)
        ),
        *(Question(code=f"importance_{d}", construct="importance", dimension=d) for d in DRIVERS),
        Question(code="intent", construct="intent"),
    )


QUESTIONS = _questions()
CODES = tuple(question.code for question in QUESTIONS)
