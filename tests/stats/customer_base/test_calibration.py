"""A short run of benchmarks/calibrate_customer_base.py; the long one is by hand."""

REPETITIONS = 100


def test_intervals_of_renewals_hold_the_truth_as_often_as_promised(calibration):
    tried = [s for s in calibration.scenarios((1_000,)) if s.model == "sBG"]
    found = calibration.calibrate_customer_base(repetitions=REPETITIONS, tried=tried)
    low, high = calibration.limits(REPETITIONS)
    assert found["coverage"].between(low, high).all(), found
    assert (found["withheld"] < 0.02).all(), found


def test_the_long_run_tries_every_model(calibration):
    models = {s.model for s in calibration.scenarios()}
    assert models == {
        "BG/NBD", "MBG/NBD", "Pareto/NBD", "sBG", "BdW", "sBG of two plans", "gamma-gamma",
    }  # fmt: skip


def test_all_numbers_of_a_base_are_held_against_its_truth(calibration):
    (tried,) = [s for s in calibration.scenarios((300,)) if s.setting == "(1.5, 8.0, 1.2, 4.0)"]
    found = calibration.calibrate_customer_base(repetitions=2, tried=[tried])
    assert set(found["of"]) == {
        "total to expect", "total to be counted", "P(alive)", "new customer", "active customers",
        "residual value",
    }  # fmt: skip
    again = calibration.calibrate_customer_base(repetitions=2, tried=[tried])
    assert found.equals(again)
