"""The name under a comment: who signs gives it, also where no list of names knows it."""

import re

from cxlab.data.names import ORDINARY, fold, words_of
from cxlab.data.numbers import Hit

__all__ = ["signature"]

# A closing, a comma or a new line, and up to three words to the end of the comment.
_SIGNED = re.compile(
    r"\b(?:(?:was)?salam|hormat (?:saya|kami)|regards|sincerely|cheers|ttd)(?:[ ]+[^\W\d_]+)?"
    r"[ ]*(?:[,:.-]|\r?\n)\s*(?P<name>[^\W\d_][\w.'’-]*(?:[ ][^\W\d_][\w.'’-]*){0,2})[\W]*\Z",
    re.IGNORECASE,
)
_LONGEST = 100  # characters in which a closing and its name have room


def signature(text: str) -> Hit | None:
    """Find the name with which a comment is signed.

    Each of its words must begin with a capital, and the first be no ordinary word.

    >>> text = "Kopinya enak. Salam hangat, Lomar Vindo!"
    >>> hit = signature(text)
    >>> text[hit.start : hit.end]
    'Lomar Vindo'
    >>> signature("Salam, semoga sukses") is None
    True
    """
    away = max(0, len(text) - _LONGEST)
    found = _SIGNED.search(text[away:])
    if found is None:
        return None
    words = [m[0] for m in words_of(found["name"])]
    if not all(w[0].isupper() for w in words) or fold(words[0]) in ORDINARY:
        return None
    return Hit(away + found.start("name"), away + found.end("name"), "name")
