"""Models of renewals together: one alone is itself, and where they disagree the band is wider."""

import numpy as np
import pytest

from cxlab.errors import ConvergenceError
from cxlab.stats.customer_base import AveragedRetention, Retention, RetentionModel, fit_renewals

MODELS: tuple[RetentionModel, ...] = ("sBG", "BdW", "geometric")
FACED, LOST = [300, 250, 215, 190, 120, 60], [40, 30, 20, 18, 9, 4]


def fits(*models: RetentionModel) -> list[Retention]:
    return [fit_renewals(FACED, LOST, model=model) for model in models]


def test_one_model_alone_is_itself():
    (alone,) = fits("sBG")
    found, plain = AveragedRetention.of([alone]).curve(20), alone.curve(20)
    for column in ("estimate", "conf_low", "conf_high"):
        assert found[column].tolist() == pytest.approx(plain[column].tolist(), abs=1e-12)
    days, own = (f.further_renewals(3, horizon=20) for f in (AveragedRetention.of([alone]), alone))
    assert (days.estimate, days.low, days.high) == pytest.approx((own.estimate, own.low, own.high))


def test_weights_are_those_of_aic_and_the_average_lies_between():
    each = fits(*MODELS)
    found = AveragedRetention.of(each)
    aic = {f.model: 2 * len(f.names) - 2 * f.log_likelihood for f in each}
    by_hand = {m: np.exp(-(a - min(aic.values())) / 2) for m, a in aic.items()}
    told = dict(zip((f.model for f in found.fits), found.weights, strict=True))
    assert told == pytest.approx({m: w / sum(by_hand.values()) for m, w in by_hand.items()})
    assert list(found.weights) == sorted(found.weights, reverse=True)
    shares = np.array([f.curve(30)["estimate"] for f in each])
    mean = found.curve(30)["estimate"].to_numpy()
    assert (shares.min(axis=0) - 1e-12 <= mean).all()
    assert (mean <= shares.max(axis=0) + 1e-12).all()


def test_where_models_disagree_the_band_is_wider_than_their_own():
    each = fits("sBG", "geometric")
    found = AveragedRetention.of(each)
    width = found.curve(60).eval("conf_high - conf_low").to_numpy()
    own = found.weights @ np.array([f.curve(60).eval("conf_high - conf_low") for f in found.fits])
    assert width[0] == 0.0
    assert width[60] > 1.05 * own[60]


def test_a_model_that_did_not_converge_has_no_say_and_none_at_all_is_refused():
    stuck = fit_renewals([10, 10], [10, 0], model="geometric")
    nobody = fit_renewals([10, 10], [0, 0], model="geometric")
    assert [f.model for f in AveragedRetention.of([nobody, *fits("sBG")]).fits] == ["sBG"]
    assert stuck.converged
    with pytest.raises(ConvergenceError, match="geometric: nobody left"):
        AveragedRetention.of([nobody])
