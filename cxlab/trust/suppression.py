"""What is withheld in this report: by which rules, with which exceptions, and their limits."""

from typing import TYPE_CHECKING

import pandas as pd

from cxlab.report import words
from cxlab.trust.listing import Listing

if TYPE_CHECKING:
    from cxlab.data.settings import Settings

__all__ = ["suppression"]

_LIMITS = (
    "How many numbers are withheld, by chapter and rule, stands under About this report: it is "
    "known only when all chapters are done. The rules hold within each result. What remains: "
    "two cycles whose groups differ by a few people tell of these by their difference; a reader "
    "who belongs to a group knows a part of it; and who guesses that a pair of states cannot "
    "occur may narrow down a matrix of moves, in which no exact number can be told from its "
    "totals, but that a number is small can."
)


def suppression(settings: "Settings") -> Listing:
    """List the rules by which numbers are withheld, and the study's exceptions from them.

    Parameters
    ----------
    settings : Settings
        The study's settings.

    Returns
    -------
    Listing
        Columns rule, value and meaning; an exception has its reason as meaning.
    """
    privacy = settings.privacy
    top1, top2 = (words.value(x, "share") for x in (privacy.dominance.top1, privacy.dominance.top2))
    least = f"{privacy.min_cell} people"
    rows = [
        ("small group", f"fewer than {least}", "Nobody is to be recognised in a small group; a "
         "group of nobody is withheld as well, since it tells of everyone."),
        ("one large customer", f"above {top1}", "Of an amount of money: the largest customer's "
         "own could be read off it."),
        ("two large customers", f"above {top2}", "Of an amount of money: one of the two could "
         "work out the other's."),
        ("complementary", f"a range up to {least}", "What would tell of a withheld number by "
         "subtraction goes with it, until whoever solves for it finds a range that reaches up to "
         "what may be shown, and is as wide."),
        ("other side of a share", "withheld as well" if privacy.both_sides else "shown",
         "Of 95 of 100 the other side is 5 people."),
        *((f"exception: {each.metric}", "shown", each.reason) for each in privacy.exceptions),
    ]  # fmt: skip
    count = len(privacy.exceptions)
    excepted = "no metric is" if not count else words.plural(count, "metric is", "metrics are")
    return Listing(
        frame=pd.DataFrame(rows, columns=["rule", "value", "meaning"]),
        headline=f"A number is withheld where fewer than {least} stand behind it, or where one or "
        f"two customers make up its money; {excepted} excepted.",
        subtitle="Rules of disclosure control, from the study's settings",
        note=_LIMITS,
    )
