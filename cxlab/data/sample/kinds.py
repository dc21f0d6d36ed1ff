"""The kinds of customers that the made-up company has, and does not know of."""

from dataclasses import dataclass

__all__ = ["SEGMENTS", "Segment"]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One latent kind of customer; nobody in the company knows who is which.

    Attributes
    ----------
    r, alpha, a, b : float
        BG/NBD (Fader, Hardie & Lee 2005), time in weeks.
    p, q, gamma : float
        Gamma-gamma spend of one order, in thousands of rupiah.
    shape, scale : float
        Weibull time to a customer's own end of a subscription, scale in months.
    involuntary : float
        Hazard per month that a payment fails for good.
    mood : float
        Mean latent satisfaction, in standard deviations.
    subscribes : float
        Share that ever takes a subscription.
    """

    name: str
    share: float
    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    gamma: float
    shape: float
    scale: float
    involuntary: float
    mood: float
    subscribes: float


SEGMENTS = (
    Segment(name="ritualist", share=0.30, r=1.8, alpha=9.0, a=0.7, b=9.0, p=6.0, q=4.0, gamma=75.0,
            shape=0.9, scale=30.0, involuntary=0.006, mood=0.35, subscribes=0.32),
    Segment(name="explorer", share=0.28, r=1.1, alpha=12.0, a=0.9, b=4.5, p=5.0, q=3.8, gamma=95.0,
            shape=1.0, scale=16.0, involuntary=0.008, mood=0.10, subscribes=0.20),
    Segment(name="bargain hunter", share=0.34, r=0.8, alpha=12.0, a=1.0, b=3.0, p=5.5, q=4.2,
            gamma=50.0, shape=1.2, scale=9.0, involuntary=0.012, mood=-0.30, subscribes=0.08),
    Segment(name="office", share=0.08, r=2.4, alpha=12.0, a=0.5, b=10.0, p=6.5, q=3.5, gamma=260.0,
            shape=1.1, scale=40.0, involuntary=0.004, mood=0.05, subscribes=0.30),
)  # fmt: skip
