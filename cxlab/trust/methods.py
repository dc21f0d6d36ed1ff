"""How the numbers were made, in words that need no statistics."""

import pandas as pd

from cxlab.trust.listing import Listing

__all__ = ["methods"]

_METHODS = (
    (
        "95% interval",
        "every estimate",
        "The data are one draw of many that could have been. A range made this way holds the "
        "true value in about 95 of 100 such draws. A wide range says: few data.",
        "Neyman (1937)",
    ),
    (
        "Wilson interval",
        "shares: satisfied, kept, late, in a segment",
        "Stays inside 0 and 100% and is right for small groups too. Where customers answer "
        "several times, it counts how many independent answers these are worth.",
        "Wilson (1927); Korn & Graubard (1998)",
    ),
    (
        "Newcombe interval",
        "change or difference of two shares",
        "Made of the two Wilson intervals, so it keeps their lopsidedness.",
        "Newcombe (1998)",
    ),
    (
        "t interval",
        "means: ratings, amounts per order",
        "The mean plus or minus what its scatter and the number of observations allow; wider "
        "for few. For a difference of two means, Welch's form.",
        "Student (1908); Welch (1947)",
    ),
    (
        "Adjusted Wald interval",
        "Net Promoter Score",
        "Adds a few imagined answers before computing, which cures the far too short ranges "
        "of the plain formula where nearly all answers agree.",
        "Rocks (2016)",
    ),
    (
        "Bootstrap of customers",
        "changes where the same customers answered in both cycles",
        "Customers are drawn again many times, each with all answers, and the change is "
        "computed anew: its spread is the uncertainty. A fixed seed makes it repeatable.",
        "Efron (1979); Field & Welsh (2007)",
    ),
    (
        "Poisson interval",
        "counts of orders or new customers, and totals of money",
        "Events that come independently scatter by about the root of their number. Orders of "
        "one customer do not come independently, so they are taken together, and a total of "
        "money scatters by the amounts as well: both are compound Poisson.",
        "Garwood (1936); Fay & Feuer (1997)",
    ),
    (
        "Order statistics",
        "medians",
        "Two of the observed values bound the median, whatever the shape of the data.",
        "Conover (1999)",
    ),
    (
        "Slope with robust range",
        "satisfaction per day late",
        "A straight line through the ratings; its range allows ratings to scatter more where "
        "deliveries are late. An association, not a cause.",
        "MacKinnon & White (1985)",
    ),
    (
        "Correction for many comparisons",
        "differences between several groups",
        "Of twenty comparisons one looks striking by chance. Holm's and Benjamini and "
        "Hochberg's rules ask for more evidence the more is compared.",
        "Holm (1979); Benjamini & Hochberg (1995)",
    ),
    (
        "What we could have seen",
        "wherever no difference was found",
        "The smallest difference that this much data would show. None found does not mean "
        "none there.",
        "Cohen (1988)",
    ),
    (
        "RFM scores and segments",
        "value segments of customers",
        "Recency, frequency and value of purchases are each scored; equal values get equal "
        "scores, and rules on the scores give every customer one segment.",
        "Hughes (1994)",
    ),
    (
        "Lifecycle states",
        "new, active, cooling, lapsed, returned",
        "By days since the last purchase, as the definitions say; opening plus in minus out "
        "equals closing, checked for every state.",
        "definition",
    ),
    (
        "First promise",
        "promises kept, days late",
        "A promise counts as first given. What had not come by the end of the cycle counts "
        "as broken once it was due, and stays in sight.",
        "definition",
    ),
    (
        "Withheld numbers",
        "every table and chart",
        "A number behind which too few people stand is not shown, and neither is the one "
        "from which it could be worked out.",
        "Hundepool et al. (2012)",
    ),
)


def methods() -> Listing:
    """List each method of this report: what it is for, how it works, who proposed it.

    Returns
    -------
    Listing
        Columns method, used_for, in_plain_words and source.
    """
    columns = ["method", "used_for", "in_plain_words", "source"]
    return Listing(
        frame=pd.DataFrame(list(_METHODS), columns=columns),
        headline="How the numbers of this report were made, in plain words.",
        subtitle="Methods and their sources",
    )
