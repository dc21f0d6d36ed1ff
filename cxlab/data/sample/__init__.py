"""The made-up company: every system of one firm, with known truth. No estimator imports it."""
