"""How much of what is personal in comments is masked, and how much that is not?

Comments are made up, in Indonesian and English, with identifiers of every format and
names put together from syllables, among prices, dates, orders and product codes that must
stay. `python benchmarks/masking.py [COMMENTS]` prints recall and precision of each kind;
the tests run it on fewer.
"""

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from cxlab.data.masking import Masker
from cxlab.data.names import Names, fold, words_of
from cxlab.data.personal import readable

SYLLABLES = (
    "ba", "bel", "cor", "dan", "du", "fer", "gan", "ha", "jo", "ka", "kur", "la", "lim", "ma",
    "mor", "na", "nel", "pa", "rin", "ro", "sa", "sel", "ta", "tor", "u", "vi", "wen", "za",
)  # fmt: skip
DIGITS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
# Ordinary words that are names as well: whoever is called so must not empty all comments.
BOTH = ("bagus", "indah", "murni", "jaya", "manis", "mentari", "harum", "ceria", "sunny", "pearl")
TEMPLATES = (
    "Barang {both} sampai {date}, harga {price}. Hubungi saya di {secret} ya",
    "pesanan {order} belum sampai, tolong kabari ke {secret} sebelum jam {time}",
    "Sudah transfer {price} untuk {code}, bukti dikirim ke {secret}.",
    "my order {order} is late, please reach me at {secret}, rating {rating}",
    "Paid {price} on {date} for two bags of {code}; my details: {secret}. Very {both}!",
    "{secret} itu data saya, kopinya {both} kok",
    "The {both} blend {code} arrived {date} at {time}. Contact: {secret}",
    "DATA SAYA {secret} TOLONG DIPROSES PESANAN {order}",
    "Data saya ({secret}), mohon dicek. Rasanya {both}, nilai {rating}",
)
NAMED = (
    "Terima kasih {title} {small}, pelayanan {both} dan cepat",
    "Kasir {name} sangat membantu saat ambil pesanan {order} di toko",
    "Makasih {name} sudah bantu carikan {code} yang {both}",
    "kopi {both} sekali, salam dari {own}",
    "The barista {name} was kind, the coffee is {both} and costs {price}",
    "I spoke with {full} about order {order} on {date} and it was solved",
    "pelayanannya oleh {full_small} kurang {both}, harga {price}",
    "BARANG SAMPAI {date} DITERIMA {full_loud} TERIMA KASIH",
    "{Name} ramah sekali. Tempatnya {both} juga, nilai {rating}",
    "Nama saya {own}, pesanan {order} belum datang",
    "Atas nama {own}; sampai {date} jam {time}, {both}",
    "my name is {own} and I would love a {both} refund of {price}",
)
PLAIN = (
    "Barang {both}, harga {price}, sampai {date} jam {time}",
    "order {order} ok, kode {code}, {rating}",
    "rasanya {both} dan {both2}, cocok untuk pagi hari, beli 2 x 250 gram",
    "{Both} sekali kopinya. {Both2} juga tempatnya. Bayar {price} saja",
    "A {both} cup for {price}, came on {date}, invoice {order}",
    "resi {order} dikirim {date} {time}, isi {code} sesuai",
)
TITLES = ("pak", "bu", "mas", "mbak", "kak", "Pak", "Bu", "bapak", "ibu")


@dataclass
class Comment:
    """One made-up comment, and what must be masked in it."""

    text: str
    own: str
    planted: list[tuple[int, int, str]] = field(default_factory=list)  # start, end, kind


class Maker:
    """Makes persons, identifiers and comments from one seed."""

    def __init__(self, seed: int, persons: int) -> None:
        self.rng = random.Random(seed)
        self.names = [self._name() for _ in range(persons)]

    def _name(self) -> str:
        words = ["".join(self.pick(SYLLABLES) for _ in range(self.pick((2, 2, 3)))) for _ in "abc"]
        if self.rng.random() < 0.02:
            words[0] = self.pick(BOTH)
        if self.rng.random() < 0.1:
            words[0] = words[0].replace("a", "á").replace("e", "ë")
        return " ".join(w.capitalize() for w in words[: self.pick((2, 2, 2, 3))])

    def pick(self, items):
        return items[self.rng.randrange(len(items))]

    def digits(self, n: int) -> str:
        return "".join(str(self.rng.randrange(10)) for _ in range(n))

    def secret(self, kind: str) -> str:
        return getattr(self, f"_{kind}")()

    def _email(self) -> str:
        user = self.pick(SYLLABLES) + self.pick((".", "_", "", "+")) + self.pick(SYLLABLES)
        user += self.digits(2)
        return self.pick((
            f"{user}@mail.example", f"{user.upper()}@KOPI.CO.ID", f"{user}@sub.mail.test",
            f"{user} @ gmail.com", f"{user}(at)mail(dot)com", f"{user} at gmail dot com",
            f"{user}@gmail", f"{user}[at]mail.co.id",
        ))  # fmt: skip

    def _phone(self) -> str:
        a, b, c = self.digits(2), self.digits(4), self.digits(4)
        us = f"{self.pick('23456789')}{self.digits(2)}"
        spelled = " ".join(DIGITS[int(d)] for d in f"081{self.rng.randrange(10)}{b}{c}")
        return self.pick((
            f"081{a[0]}{b}{c}", f"081{a[0]}-{b}-{c}", f"081{a[0]} {b} {c[:3]}",
            f"+62 81{a[0]} {b} {c}", f"+6281{a[0]}{b}{c}", f"6285{a[0]}{b}{c}",
            f"+62-87{a[0]}-{b}-{c}",
            f"0812.{b}.{c}", f"(021) 5{a}{b}", f"021-{b[0]}{a}{c}", f"+1 415 555 {b}",
            f"({us}) {us}-{c}",
            f"{us}-{us}-{c}", f"+44 7700 9{a}{c[:3]}", spelled, f"+65 {b} {c}",
            f"wa 08{a[0] or 1}1{b}{c}", f"telp {b}{c}{a}",
        ))  # fmt: skip

    def _card(self) -> str:
        prefix, length = self.pick((("4", 16), ("51", 16), ("37", 15), ("6011", 16), ("2221", 16)))
        body = prefix + self.digits(length - len(prefix) - 1)
        card = body + str(next(d for d in range(10) if _luhn(body + str(d))))
        if length == 15:
            return self.pick((card, f"{card[:4]} {card[4:10]} {card[10:]}"))
        four = [card[i : i + 4] for i in range(0, 16, 4)]
        return self.pick((card, " ".join(four), "-".join(four)))

    def _iban(self) -> str:
        country, body = self.pick((
            ("DE", self.digits(18)), ("GB", "KOPI" + self.digits(14)), ("FR", self.digits(23)),
            ("NL", "MOKA" + self.digits(10)), ("ES", self.digits(20)),
        ))  # fmt: skip
        number = int("".join(str(int(c, 36)) for c in body + country + "00"))
        iban = f"{country}{98 - number % 97:02d}{body}"
        spaced = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
        return self.pick((iban, spaced, iban.lower()))

    def _id(self) -> str:
        day = self.rng.randrange(1, 29) + self.pick((0, 40))
        nik = f"{self.pick((3171, 3273, 3578, 5171, 1271))}{self.rng.randrange(1, 60):02d}"
        nik += f"{day:02d}{self.rng.randrange(1, 13):02d}{self.digits(2)}"
        nik += f"{self.rng.randrange(1, 9999):04d}"
        ssn = (self.rng.randrange(101, 665), self.rng.randrange(10, 99), self.digits(3) + "7")
        body = self.pick("12345678") + self.digits(8)
        for length in (10, 11):
            total = sum(int(d) * (length - i) for i, d in enumerate(body))
            body += str(total * 10 % 11 % 10)
        npwp = self.digits(15)
        return self.pick((
            nik, nik, f"NIK: {nik}", f"{nik[:6]} {nik[6:12]} {nik[12:]}", f"KTP {nik}",
            f"{npwp[:2]}.{npwp[2:5]}.{npwp[5:8]}.{npwp[8]}-{npwp[9:12]}.{npwp[12:]}",
            f"NPWP {npwp}", "-".join(map(str, ssn)), f"CPF {body}",
            f"{self.pick('ABCEX')}{self.digits(7)}", f"paspor {self.pick('ABC')}{self.digits(7)}",
            f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}",
        ))  # fmt: skip

    def _link(self) -> str:
        token = "".join(self.pick("abcdef0123456789") for _ in range(24))
        return self.pick((
            f"https://kopi.example/r?token={token}", f"https://kopi.example/u/{token}",
            f"http://user:{token}@kopi.test/", f"www.kopi.example/cek?id={token}",
        ))  # fmt: skip

    def _address(self) -> str:
        street = f"{self.pick(SYLLABLES)}{self.pick(SYLLABLES)}".capitalize()
        n = self.rng.randrange(1, 200)
        return self.pick((
            f"Jl. {street} Raya No. {n}", f"Jalan {street} {street} No {n} RT 0{n % 9}/RW 05",
            f"Gang {street} No.{n}", f"RT 0{n % 9} RW 0{n % 7}", f"{n} {street} Street",
            f"Jln {street} Blok B{n}",
        ))  # fmt: skip

    def thing(self, kind: str) -> str:
        """Make what looks personal and is not."""
        d, rng = self.digits, self.rng
        day, month = rng.randrange(1, 28), rng.randrange(1, 12)
        return self.pick({
            "order": (f"1000{d(6)}", f"#INV-2024-{d(6)}", f"JP{d(10)}",
                      f"INV/20240{d(3)}/MPL/{d(10)}", f"TRX{d(12)}", f"KR-{d(4)}-{d(4)}",
                      f"no. {d(8)}", f"240115{d(8)}"),
            "price": (f"Rp {rng.randrange(10, 999)}.000", f"{rng.randrange(10, 999)}000",
                      f"Rp1.{d(3)}.000", f"IDR {d(3)},000", f"{rng.randrange(10, 999)}.000 rupiah",
                      f"Rp. 12.{d(3)}.{d(3)}", f"{rng.randrange(10, 999)}rb"),
            "date": (f"{day:02d}-{month:02d}-2024", f"2024-{month:02d}-{day:02d}",
                     f"{day}/{month}/24", f"{day}.{month:02d}.2024", f"{day} Januari 2024",
                     f"{day:02d} {month:02d} 2024"),
            "time": (f"{rng.randrange(24):02d}.30", f"{rng.randrange(24):02d}:15", "08.30-17.00",
                     "08:00 - 21:30"),
            "code": (f"KB-{d(4)}-250", f"SKU {d(8)}", f"ARB{d(6)}", f"A{d(4)}", f"kopi {d(3)}g",
                     f"RB250-{d(3)}", f"8 99{d(5)} {d(5)}"),
            "rating": ("5/5", "4.5", "10 dari 10", "8,5", "4.75/5", "100%"),
        }[kind])  # fmt: skip


def corpus(comments: int, *, seed: int = 1) -> tuple[list[str], list[Comment]]:
    """Make names of persons, and comments with what is planted in them."""
    maker = Maker(seed, persons=max(comments // 2, 50))
    return maker.names, [_comment(maker) for _ in range(comments)]


def _comment(maker: Maker) -> Comment:
    template = maker.pick(TEMPLATES * 2 + NAMED * 2 + PLAIN)
    kind = maker.pick(("email", "phone", "phone", "card", "iban", "id", "id", "link", "address"))
    own, other = maker.pick(maker.names), maker.pick(maker.names)
    first = other.split()[0]
    plain = fold(own) if maker.rng.random() < 0.5 else own
    both, both2 = maker.pick(BOTH), maker.pick(BOTH)
    fill = {
        "secret": (maker.secret(kind), kind), "title": (maker.pick(TITLES), ""),
        "name": (first, "name"), "Name": (first, "name"), "small": (first.lower(), "name"),
        "full": (other, "name"), "full_small": (other.lower(), "name"),
        "full_loud": (other.upper(), "name"), "own": (maker.pick((plain, plain.lower())), "name"),
        "both": (both, ""), "both2": (both2, ""), "Both": (both.capitalize(), ""),
        "Both2": (both2.capitalize(), ""),
    }  # fmt: skip
    made = Comment("", own)
    for i, part in enumerate(template.replace("}", "{").split("{")):
        word, what = (part, "") if i % 2 == 0 else fill.get(part) or (maker.thing(part), "")
        if what:
            made.planted.append((len(made.text), len(made.text) + len(word), what))
        made.text += word
    return made


def measure(names: list[str], comments: list[Comment]) -> tuple[pd.DataFrame, float]:
    """Recall and precision of each kind, and the processor seconds it took."""
    began = time.process_time()
    masker = Masker(lambda _: None)
    masker._names = Names(names)
    own = [frozenset(w for m in words_of(c.own) if len(w := fold(m[0])) > 2) for c in comments]
    for comment, whose in zip(comments, own, strict=True):
        masker._names.learn(readable(comment.text), whose)
    found = [masker.find(readable(c.text), o) for c, o in zip(comments, own, strict=True)]
    seconds = time.process_time() - began
    planted, masked, hits, right = Counter(), Counter(), Counter(), Counter()
    for comment, there in zip(comments, found, strict=True):
        covered = {i for hit in there for i in range(hit.start, hit.end)}
        for start, end, kind in comment.planted:
            planted[kind] += 1
            masked[kind] += all(
                i in covered
                for i in range(start, end)
                if comment.text[i].isalnum() and not _is_label(comment.text[start:end], i - start)
            )
        for hit in there:
            hits[hit.kind] += 1
            right[hit.kind] += any(a < hit.end and hit.start < b for a, b, _ in comment.planted)
    rows = [
        (k, planted[k], masked[k] / planted[k], hits[k], right[k] / max(hits[k], 1))
        for k in planted
    ]
    return pd.DataFrame(rows, columns=["kind", "planted", "recall", "hits", "precision"]), seconds


def _is_label(text: str, at: int) -> bool:
    """Whether a character belongs to the word that names an identifier, as in 'NIK: 31...'."""
    for label in ("NIK: ", "KTP ", "NPWP ", "CPF ", "paspor ", "wa ", "telp "):
        if text.startswith(label):
            return at < len(label)
    return False


def _luhn(digits: str) -> bool:
    return not sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(digits[::-1])) % 10


def main() -> None:
    comments = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    names, made = corpus(comments)
    table, seconds = measure(names, made)
    print(table.sort_values("kind").round(4).to_string(index=False))
    print(f"{comments:,} comments and {len(names):,} names in {seconds:.1f} s")


if __name__ == "__main__":
    main()
