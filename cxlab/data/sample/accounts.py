"""How each person is known: an id of its own in every system, and what ties them together.

Nobody in the company sees the person behind the ids. What can be seen is that two ids
were met together: the same e-mail at two counters, a card shown with a phone number.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlab.data.sample.world import World, chance

__all__ = ["simulate_accounts"]

Tables = dict[str, pd.DataFrame]

_NONE = np.datetime64("NaT", "s")
_DAY = 86_400
# Made-up names grow from these at run time, so that no name stands anywhere in the code.
_ONSETS = np.array(["ba", "de", "ka", "lu", "mi", "no", "ra", "sa", "te", "wi", "yo", "za"], "O")
_CODAS = np.array(["ran", "ven", "lis", "mor", "tun", "dha", "nik", "gor", "sel", "pun"], "O")
# The type of id that a column holds, where it has another name.
_KINDS = {
    "crm_2": "crm",
    "card": "loyalty",
    "other_login": "login",
    "other_buyer": "login",
    "panel": "survey",
    "email": "email_hash",
    "email_2": "email_hash",
    "phone": "phone_hash",
}
# Numbers of the provinces of Java, Sumatra, Bali, Kalimantan, Sulawesi: where a NIK begins.
_PROVINCES = np.array([11, 12, 13, 14, 16, 31, 32, 33, 34, 35, 36, 51, 52, 61, 64, 71, 73])
_STREETS = np.array(["Melati", "Kenanga", "Cempaka", "Anggrek", "Flamboyan", "Mawar"], "O")


def simulate_accounts(world: World, tables: Tables) -> Tables:
    """Give each person accounts, and write down which ids were seen together.

    Returns
    -------
    dict of pandas.DataFrame
        `accounts`: one row per person, with `name`, `email`, `phone`, `nik`, `street`; numbers
        of the accounts, -1 for none: `crm`, `crm_2` (a second record of the same person),
        `login`, `card`, `buyer` (at the marketplace), `panel` (of the survey tool).
        `links`: `left_type`, `left_value` (text), `right_type`, `right_value`, `linked_at`,
        `reason`; e-mails and phones stand for themselves, to be hashed by whoever exports them.
        `true_accounts`: `type`, `value`, `person`: whose each account truly is.
        `erasures`: `person`, `requested_at`: who asked to be forgotten.
    """
    people = tables["people"]
    first, count = int(people["person"].iloc[0]), len(people)
    rng = chance(world.seed, "accounts", first)
    company = world.company
    person = people["person"].to_numpy()
    seen = people["first_seen_at"].to_numpy().astype("datetime64[s]")
    with_crm = rng.random(count) < company.known_to_crm
    twice = with_crm & (rng.random(count) < company.known_twice)
    # Whoever the CRM does not know came through the web shop or the marketplace.
    with_login = np.where(with_crm, rng.random(count) < 0.7, rng.random(count) < 0.5)
    with_buyer = _among(person, tables, "orders", "channel", "marketplace")
    with_buyer |= ~with_crm & ~with_login
    carded, card_at = _joined(person, tables)
    accounts = _written_identity(person, rng)
    for name, has, start in (
        ("crm", with_crm, 100_000),
        ("crm_2", twice, 40_100_000),
        ("login", with_login, 7_000_000),
        ("card", carded, 620_000_000),
        ("buyer", with_buyer, 88_000_000),
        ("panel", np.ones(count, bool), 3_000_000),
    ):
        accounts[name] = np.where(has, start + person, -1)
    later = seen + (rng.integers(1, 200, count) * _DAY).astype("timedelta64[s]")
    accounts["seen_at"] = seen
    accounts["crm_2_at"] = np.where(twice, later, _NONE)
    login_later = seen + (rng.integers(0, 90, count) * _DAY).astype("timedelta64[s]")
    accounts["login_at"] = np.where(with_crm, login_later, seen)
    accounts["card_at"] = card_at
    erased = with_crm & (rng.random(count) < company.erased)
    if with_crm.any():
        erased[np.argmax(with_crm)] = True  # at least one in each part asks to be forgotten
    # Whoever asks has an account by then, and the company has had a log.
    asked = world.start + rng.integers(0, 3 * 365 * _DAY, count).astype("timedelta64[s]")
    asked = np.maximum(asked, seen + np.timedelta64(_DAY, "s"))
    return {
        "accounts": accounts,
        "links": _links(accounts),
        "true_accounts": _truth(accounts),
        "erasures": pd.DataFrame({"person": person, "requested_at": asked})[erased],
    }


def _written_identity(person: NDArray[np.int64], rng: np.random.Generator) -> pd.DataFrame:
    """Make up name, e-mail, phone, national id and street of each person."""
    count = len(person)

    def one_of(words: NDArray[np.object_]) -> NDArray[np.object_]:
        return words[rng.integers(0, len(words), count)]

    given = one_of(_ONSETS) + one_of(_ONSETS) + one_of(_CODAS)
    family = one_of(_ONSETS) + one_of(_CODAS) + one_of(_CODAS)
    number = person.astype(str).astype("O")
    year = rng.integers(50, 100, count)
    day = rng.integers(1, 29, count) + 40 * rng.integers(0, 2, count)  # + 40 for women
    born = _padded(day, 2) + _padded(rng.integers(1, 13, count), 2) + _padded(year, 2)
    province = _PROVINCES[rng.integers(0, len(_PROVINCES), count)]
    town = _padded(province * 100 + rng.integers(1, 30, count), 4)
    place = town + _padded(rng.integers(1, 30, count), 2)
    house = rng.integers(1, 200, count).astype(str).astype("O")
    return pd.DataFrame(
        {
            "person": person,
            "name": pd.Series(given).str.title() + " " + pd.Series(family).str.title(),
            "email": given + "." + family + number + "@surat.example",
            "email_2": family + number + "@kotak.example",
            # The last digits are the person's, so that no two share a number by chance.
            "phone": "+628" + _padded(rng.integers(11, 99, count), 2) + _padded(person, 8),
            "nik": place + born + _padded(rng.integers(1, 9999, count), 4),
            "street": "Jl. " + one_of(_STREETS) + " No. " + house,
        }
    )


def _padded(number: NDArray[np.int64], width: int) -> NDArray[np.object_]:
    """Write numbers with leading zeros."""
    return np.char.zfill(number.astype(str), width).astype("O")


def _among(
    person: NDArray[np.int64], tables: Tables, table: str, column: str, value: str
) -> NDArray[np.bool_]:
    """Tell who has a row of that value in a table."""
    rows = tables[table]
    return np.isin(person, rows.loc[rows[column] == value, "person"].unique())


def _joined(
    person: NDArray[np.int64], tables: Tables
) -> tuple[NDArray[np.bool_], NDArray[np.datetime64]]:
    """Tell who holds a loyalty card, and since when."""
    entries = tables["loyalty"]
    since = entries.groupby("person", sort=True)["booked_at"].min().reindex(person)
    return since.notna().to_numpy(), since.to_numpy().astype("datetime64[s]")


def _links(accounts: pd.DataFrame) -> pd.DataFrame:
    """List which ids were seen together, when, and how that came to light."""
    # The account that people name elsewhere: of the CRM, or the one they have.
    main = np.where(accounts["crm"] >= 0, accounts["crm"], accounts["login"])
    accounts = accounts.assign(main=np.where(main >= 0, main, accounts["buyer"]))
    kinds = {"main": np.where(accounts["crm"] >= 0, "crm", "login"), **_KINDS}
    rows = (
        ("main", "email", "seen_at", "e-mail given at registration"),
        ("main", "phone", "seen_at", "phone confirmed by code"),
        ("crm_2", "email_2", "crm_2_at", "e-mail given at registration"),
        ("crm_2", "crm", "crm_2_at", "merged by staff: same phone"),
        ("other_login", "email", "login_at", "same e-mail hash"),
        ("other_buyer", "email", "seen_at", "order confirmation"),
        ("card", "main", "card_at", "card shown at the till"),
        ("panel", "email", "seen_at", "invitation list"),
    )
    accounts["other_login"] = np.where(accounts["crm"] >= 0, accounts["login"], -1)
    accounts["other_buyer"] = np.where(main >= 0, accounts["buyer"], -1)
    frames = [
        pd.DataFrame(
            {
                "person": accounts["person"],
                "left_type": kinds.get(left, left),
                "left_value": accounts[left].astype(str),
                "right_type": kinds.get(right, right),
                "right_value": accounts[right].astype(str),
                "linked_at": accounts[at],
                "reason": reason,
            }
        )[accounts[left] != -1]
        for left, right, at, reason in rows
    ]
    return pd.concat(frames, ignore_index=True)


def _truth(accounts: pd.DataFrame) -> pd.DataFrame:
    """List whose each account is."""
    kinds = (("crm", "crm"), ("crm", "crm_2"), ("login", "login"), ("loyalty", "card"),
             ("login", "buyer"), ("survey", "panel"))  # fmt: skip
    frames = [
        pd.DataFrame({"type": kind, "value": accounts[c].astype(str), "person": accounts["person"]})
        [accounts[c] != -1]
        for kind, c in kinds
    ]  # fmt: skip
    truth = pd.concat(frames, ignore_index=True)
    types = ["crm", "login", "loyalty", "survey"]
    truth["type"] = pd.Categorical(truth["type"], categories=types)
    return truth
