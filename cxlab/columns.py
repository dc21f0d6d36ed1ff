"""The glossary: what each column of a public table means, in one place.

A test holds every `table()` of the house against it.
"""

__all__ = ["ESTIMATE", "FINDING", "GLOSSARY"]

# The columns that make an estimate; every other column of a result's `estimates`
# says which group the row is about.
ESTIMATE = (
    "metric",
    "estimate",
    "conf_low",
    "conf_high",
    "n",
    "count",
    "unit",
    "method",
    "suppressed",
)

# One row of `findings.parquet`, in order.
FINDING = (
    "chapter",
    "metric",
    "dims",
    "estimate",
    "conf_low",
    "conf_high",
    "level",
    "n",
    "unit",
    "method",
    "suppressed",
)

GLOSSARY: dict[str, str] = {
    "amount": "Money in the study's one currency.",
    "chapter": "The notebook that showed the number.",
    "conf_high": "Upper end of the confidence interval.",
    "conf_low": "Lower end of the confidence interval.",
    "count": "People or events behind this row alone; small ones are withheld.",
    "customer_id": "One person or organisation, as the study's mapping identifies them.",
    "dims": "Which group a number is about, as a JSON object; {} is everybody.",
    "estimate": "The number itself, in the unit given.",
    "level": "Confidence level of the interval, 0 to 1.",
    "method": "How the number and its interval were made.",
    "metric": "Stable dotted name of a measure.",
    "n": "How many observations the estimate rests on.",
    "segment": "A named group of customers.",
    "suppressed": "True where a number is withheld because too few people stand behind it.",
    "unit": "What the estimate is counted in: share, points, count, days, or a currency.",
}
