"""Which words of a comment are persons' names, told by a list of names and by how words are used.

A name in the list is often an ordinary word as well: a customer may be called what others
call their coffee. So a comment's own customer is looked for in every form, and a full name
too, but a single word of somebody else's name only where it is written as a name, and
only if people do not mostly write it small.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from cxlab.data.numbers import Hit

__all__ = ["ORDINARY", "Names", "fold", "words_of"]

_WORD = re.compile("[^\\W\\d_]+(?:[\u0300-\u036f]+[^\\W\\d_]*)*")
_CLOSE = re.compile(r"[ \u00a0.'’,-]{1,3}")
_SENTENCE_END = re.compile(r"(?:^|[.!?\n:;\"(\[•-])\s*$")
_FEW = 3  # comments in which a word must stand small before it counts as ordinary
_OFTEN = 0.01  # share of all comments in which nobody's name stands
_SHORT = 3  # letters below which a single word is nobody's name

# After these comes a name, however it is written.
_TITLES = frozenset(
    _WORD.findall("""
    pak bapak bpk bu ibu mas mbak mba kak kakak bang abang sdr sdri saudara saudari tuan
    nyonya mr mrs ms miss sir madam dr om tante adik nama name named bernama called kurir
    driver kasir barista pelayan admin staf staff courier cashier waiter waitress agent
    sopir oleh
""")
)
# Words that never stand for a person when written small or at the start of a sentence: a study of
# few comments could not know. Whoever is called so is found by title or by full name.
ORDINARY = frozenset(
    _WORD.findall("""
    ada agak agar agustus aja akan aku aman amanah an and anda antar apa apalagi april are
    art asik asli atau august awet ayo bagus baik banget barang baru belum bersih besar best
    biasa bill bintang bisa black brown bunga cantik cepat coba cocok cukup dan dari datang
    day dear december dengan desember did dry enak februari fine for frank friday from ganti
    good grant great green gula guna had harga hari has hebat hemat hope hot how indah ini
    itu jadi jangan januari january jaya joy juga jujur juli july jumat june juni just kalau
    kami kamis karena kecil keren king kita kopi kurang lagi lama lancar langsung lebih
    lengkap like long love lucu lumayan mahal maju makasih manis mantap march maret mark
    masih may mei minggu monday more mudah mulia mulus murah murni new nice not november now
    nyaman october oke oktober only our page pagi paket pas pasti penuh pesan price puas
    rabu ramah rapi rasa rich rose sabar sabtu sad saja salam sama sangat saturday saya
    sayang sekali selalu selasa semoga semua senang senin september sesuai setia she siang
    siap sudah suka sukses sunday susu sweet tapi terima thank the their they this thursday
    tidak toko too tuesday untuk very wangi was wednesday white will with yang you young
""")
)


def fold(word: str) -> str:
    """Write a word without case, accents and width: 'É' and 'e' are one letter.

    >>> fold("Ánî")
    'ani'
    """
    if word.isascii():
        return word.lower()
    bare = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in bare if not unicodedata.combining(c))


def words_of(text: str) -> Iterator[re.Match[str]]:
    """Yield each word of a text: letters, with the accents that stand on them."""
    return _WORD.finditer(text)


class Names:
    """Names of persons, and which of their words are ordinary ones too."""

    def __init__(self, names: Iterable[str]) -> None:
        self._words: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        for name in names:
            words = [fold(m[0]) for m in words_of(name)]
            words = [w for w in words if len(w) > 1]
            self._words.update(words)
            ends = [(words[0], words[-1])] if len(words) > 2 else []
            for one, two in [*pairwise(words), *ends]:
                self._pairs |= {(one, two), (two, one)}
        self._fold = cache(self._listed)
        self.begin()

    def begin(self, *, often: float = _OFTEN) -> None:
        """Forget how words are written: other texts follow.

        A word in more than a share `often` of them, and in more than a few, is no name.
        """
        self._small: Counter[str] = Counter()
        self._capital: Counter[str] = Counter()
        self._anyhow: Counter[str] = Counter()
        self._texts = 0
        self._often = often

    def __len__(self) -> int:
        return len(self._words)

    def holds_any(self, text: str) -> bool:
        """Tell whether a word of the text is in somebody's name."""
        return any(self._fold(m[0]) for m in words_of(text))

    def learn(self, text: str, own: frozenset[str] = frozenset()) -> None:
        """Note how the words of one comment are written; all comments come before any `find`.

        Words that stand for a person in any case, as after a title, say nothing about others.
        """
        self._texts += 1
        words = list(words_of(text))
        folded = [self._fold(m[0]) for m in words]
        if not any(folded):
            return
        free = [
            (m, f)
            for i, (m, f) in enumerate(zip(words, folded, strict=True))
            if f and f not in own and not self._stands_for_one(words, i)
        ]
        self._anyhow.update({f for _, f in free})
        if not _has_case(words):
            return
        self._small.update({f for m, f in free if m[0].islower()})
        # The first word of a sentence has a capital anyway.
        self._capital.update(
            {f for m, f in free if m[0][0].isupper() and not _begins(text, m.start())}
        )

    def find(self, text: str, own: frozenset[str] = frozenset()) -> list[Hit]:
        """Find the words that are names.

        Parameters
        ----------
        text : str
            A comment.
        own : frozenset of str
            Folded words of the names of whoever wrote it.
        """
        words = list(words_of(text))
        folded = [self._fold(m[0]) for m in words]
        if own:  # they need not be in the list
            every = [fold(m[0]) for m in words]
            folded = [f or (e if e in own else "") for f, e in zip(folded, every, strict=True)]
        if not any(folded):
            return []
        has_case = _has_case(words)
        named = [False] * len(words)
        for i, (match, word) in enumerate(zip(words, folded, strict=True)):
            if not word:
                continue
            before = fold(words[i - 1][0]) if i and _near(text, words[i - 1], match) else ""
            named[i] |= self._is_name(match[0], word, own=own, before=before, has_case=has_case)
            if i and folded[i - 1] and before and self._is_full(words[i - 1][0], match[0]):
                named[i - 1] = named[i] = True
        return _joined(text, [m for m, is_name in zip(words, named, strict=True) if is_name])

    def _listed(self, word: str) -> str:
        """Fold a word; nothing if it is in nobody's name."""
        folded = fold(word)
        return folded if folded in self._words else ""

    def _is_name(
        self, word: str, folded: str, *, own: frozenset[str], before: str, has_case: bool
    ) -> bool:
        if len(folded) < _SHORT:
            return False
        is_small = word.islower()
        if folded in own:
            return not (is_small and folded in ORDINARY)
        if before in _TITLES:
            return not is_small or not self._is_ordinary(folded)
        return not self._is_ordinary(folded) and not (is_small and has_case)

    def _stands_for_one(self, words: list[re.Match[str]], at: int) -> bool:
        """Whether a word follows a title, or makes a full name with a neighbour."""
        here = fold(words[at][0])
        before = fold(words[at - 1][0]) if at else ""
        after = fold(words[at + 1][0]) if at + 1 < len(words) else ""
        return before in _TITLES or (before, here) in self._pairs or (here, after) in self._pairs

    def _is_full(self, one: str, two: str) -> bool:
        """Whether two words in sequence are a full name; small, one must be no ordinary word."""
        pair = (fold(one), fold(two))
        if pair not in self._pairs:
            return False
        if one[0].isupper() and two[0].isupper():
            return True
        return any(len(w) >= _SHORT and not self._is_ordinary(w) for w in pair)

    def _is_ordinary(self, folded: str) -> bool:
        if folded in ORDINARY:
            return True
        small = self._small[folded]
        if small >= _FEW and small > self._capital[folded]:
            return True
        return self._anyhow[folded] > max(_FEW * _FEW, self._often * self._texts)


def _has_case(words: list[re.Match[str]]) -> bool:
    """Whether capitals say something here: not where all or no words have one."""
    capitals = [m[0][0].isupper() for m in words]
    return any(capitals) and not all(capitals) and sum(capitals) * 2 <= len(capitals)


def _begins(text: str, start: int) -> bool:
    return _SENTENCE_END.search(text[max(0, start - 4) : start]) is not None


def _near(text: str, one: re.Match[str], two: re.Match[str]) -> bool:
    return _CLOSE.fullmatch(text[one.end() : two.start()]) is not None


def _joined(text: str, found: list[re.Match[str]]) -> list[Hit]:
    """Take the words of one name together."""
    hits: list[Hit] = []
    for match in found:
        if hits and text[hits[-1].end : match.start()].strip(" \u00a0") in ("", "-", "'", "’", "."):
            hits[-1] = Hit(hits[-1].start, match.end(), "name")
        else:
            hits.append(Hit(match.start(), match.end(), "name"))
    return hits
