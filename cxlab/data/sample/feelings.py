"""What is true of feelings and of asking about them, where it is the same for all customers."""

from dataclasses import dataclass, field

__all__ = ["Feelings"]


@dataclass(frozen=True, kw_only=True)
class Feelings:
    """How feelings come about and become answers; shares are 0 to 1.

    Attributes
    ----------
    person_mood, attachment_mood : float
        Weight of a person's own mood and attachment (standard normal) in latent
        satisfaction, beside segment, region and quarter, drivers, and a standard normal
        of each occasion.
    effort_mood, effort_ease : float
        Weights of latent satisfaction and of the driver `ease` in latent lack of effort,
        beside a standard normal.
    effort_thresholds, promoter_thresholds, intent_thresholds : tuple
        Cut points: of latent lack of effort between the marks 1 to 7, of latent
        satisfaction with the company between the marks 0 to 10, and between 1 to 5.
    item_thresholds : tuple
        Cut points of a standard normal between the marks 1 to 5.
    attachment_thresholds : tuple
        Cut points of a standard normal between the marks 1 to 7.
    loading : float
        Of an item of a scale on what it measures: omega of three is about 0.8.
    emotion_mood : float
        Correlation of an emotion with the person's mood.
    importance : dict
        Mean stated importance of each driver, 1 to 5: not what truly weighs.
    """

    person_mood: float = 0.4
    attachment_mood: float = 0.2
    effort_mood: float = 0.4
    effort_ease: float = 0.6
    effort_thresholds: tuple[float, ...] = (-2.0, -1.5, -1.0, -0.4, 0.3, 1.0)
    promoter_thresholds: tuple[float, ...] = (
        -2.6, -2.3, -2.0, -1.7, -1.4, -1.05, -0.7, -0.3, 0.15, 0.8,
    )  # fmt: skip
    intent_thresholds: tuple[float, ...] = (-1.6, -1.0, -0.3, 0.6)
    item_thresholds: tuple[float, ...] = (-1.5, -0.5, 0.5, 1.5)
    attachment_thresholds: tuple[float, ...] = (-2.0, -1.2, -0.6, 0.0, 0.7, 1.5)
    loading: float = 0.79
    emotion_mood: float = 0.3
    importance: dict[str, float] = field(
        default_factory=lambda: {
            "delivery": 4.1,
            "quality": 4.5,
            "price": 4.3,
            "staff": 3.4,
            "ease": 3.6,
        }
    )
    asked_after_order: float = 0.25
    asked_after_ticket: float = 0.5
    asked_person: float = 0.12  # in the survey of each quarter
    asked_organisation: float = 0.30
    reaches: float = 0.97  # of invitations
    item_missing: float = 0.02  # questions left out, at random
