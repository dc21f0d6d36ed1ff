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
    "arrival": "Whether something came in time or late; what has not come is late once it was due.",
    "better": "Which direction of a key measure is good: higher, lower or neither.",
    "bytes": "Size of a file.",
    "carrier": "Who transported a shipment.",
    "chapter": "The notebook that showed the number.",
    "conf_high": "Upper end of the confidence interval.",
    "conf_low": "Lower end of the confidence interval.",
    "count": "People or events behind this row alone; small ones are withheld.",
    "customer_id": "One person or organisation, as the study's mapping identifies them.",
    "cycle": "The period of one report, such as a quarter; its end is not part of it.",
    "days_late": "Days from the first promised day to the day of delivery; early is negative.",
    "days_since": "Days from the last row of a table to the end of the cycle.",
    "definition": "What exactly is measured.",
    "dims": "Which group a number is about, as a JSON object; {} is everybody.",
    "estimate": "The number itself, in the unit given.",
    "fate": "What became of rows that are not used: set aside, or excluded by rule.",
    "fingerprint": "How the sha256 of a file begins: equal for equal files only.",
    "first_row": "Day of the earliest row of a table, UTC.",
    "in_plain_words": "How a method works, without formulas.",
    "kind": "What was promised, such as a delivery date or a price.",
    "last_row": "Day of the latest row of a table, UTC.",
    "level": "Confidence level of the interval, 0 to 1.",
    "meaning": "What a term stands for in this report.",
    "measure": "Which of several numbers about the same group a row gives.",
    "method": "How the number and its interval were made.",
    "metric": "Stable dotted name of a measure.",
    "n": "How many observations the estimate rests on.",
    "owner": "Who answers for a promise or a key measure.",
    "reason": "Why rows are not used.",
    "region": "Where the customer lives, as the study's mapping says.",
    "rows": "Number of rows of a table.",
    "rows_excluded": "Rows that the study's own mapping leaves out, by a stated rule.",
    "rows_in": "Rows that were read.",
    "rows_set_aside": "Rows that break a rule of their table, kept apart with the reason.",
    "rows_used": "Rows that the analyses see.",
    "rule": "Which rule of a table rows break.",
    "segment": "A named group of customers.",
    "source": "Where rows or a method come from.",
    "state": "Whether a table is fresh or stale, or which state of the lifecycle a customer is in.",
    "suppressed": "True where a number is withheld because too few people stand behind it.",
    "table": "One of the tables that every study speaks.",
    "tables": "The tables made from a file.",
    "target": "The value that a key measure should reach.",
    "term": "A word as this report uses it.",
    "unit": "What the estimate is counted in: share, points, count, days, or a currency.",
    "used_for": "The numbers that a method makes.",
    "value": "What the study's settings say, or what was answered.",
}
