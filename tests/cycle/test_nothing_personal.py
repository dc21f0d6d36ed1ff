"""Nothing personal of the sample company reaches a reader: every identifier in its raw files is
looked for in everything that is published."""

import base64
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pandas as pd
import pytest

from cxlab.cycle.scan import check_folder, scan
from cxlab.errors import RunError
from tests.cycle.circumstances import CUSTOMERS

pytestmark = pytest.mark.slow

# How the planted comments name what they give away.
GIVEN_AWAY = re.compile(r" (?:Balas ke|Hubungi|NIK|Salam,|Alamat saya) ([^\"]+)$")
_WORD = re.compile(r"[\w.+@-]+")
_WHOLE = re.compile(r"(?<![\w.,])\d+(?!\w|[.,]\d)")  # a number of 7 digits may be an amount's start
_EMBEDDED = re.compile(r"data:[\w/+.-]+;base64,([A-Za-z0-9+/=]+)")

Values = dict[str, set[str]]


@pytest.fixture(scope="module")
def planted(hostile):
    return identifiers(hostile)


def identifiers(study: Path) -> Values:
    """Collect what names a person directly in the raw files, and whose accounts the truth knows."""
    raw = study / "raw"
    crm = pd.read_csv(raw / "crm" / "Accounts.csv", dtype=str)
    desk = [json.loads(line)["requester"] for line in lines(raw / "helpdesk" / "tickets.jsonl")]
    posts = [json.loads(line) for line in lines(raw / "reviews" / "posts.jsonl")]
    told = {p["post_id"][:2]: [] for p in posts}
    for post in posts:
        if post["body"] and (found := GIVEN_AWAY.search(post["body"])):
            told[post["post_id"][:2]].append(found[1])
    edges = pd.read_csv(raw / "cdp" / "identity_edges.csv", dtype=str)
    ends = [edges[[f"{e}_type", f"{e}_id"]].set_axis(["type", "id"], axis=1) for e in "ab"]
    ids = pd.concat(ends).drop_duplicates().groupby("type")["id"].agg(set).to_dict()
    true = pd.read_parquet(study / "truth" / "true_accounts.parquet")
    names = {*crm["FullName"].dropna(), *told["PM"]}
    phones = {*crm["MobilePhone"].dropna(), *(d["phone"] for d in desk), *told["PP"]}
    found = {
        "e-mail": {*crm["Email"].dropna(), *(d["email"] for d in desk), *told["PE"]},
        "phone": phones,
        "phone at home": {p.replace("+62", "0") for p in phones},
        "phone as digits": {p.removeprefix("+") for p in phones},
        "national id": {*crm["NationalId"].dropna(), *told["PN"]},
        "street": {*crm["StreetAddress"].dropna(), *told["PS"]},
        "name": names,
        "part of a name": {part for name in names for part in name.split()},
        "account": {*true["value"], *crm["AccountNo"].dropna()},
        # The number of a device alone is any number.
        **{
            f"id of type {kind}": {f"device:{v}" for v in values} if kind == "device" else values
            for kind, values in ids.items()
        },
    }
    return {kind: {v for v in values if v and v.strip()} for kind, values in found.items()}


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split("\n")[:-1]


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every file as text, with all that travels inside decoded."""
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        if file.suffix == ".parquet":
            with duckdb.connect() as connection:
                rows = connection.execute(f"from read_parquet('{file}')").fetchall()
            text = "\n".join(str(cell) for row in rows for cell in row if cell is not None)
        else:
            text = file.read_bytes().decode("utf-8", errors="replace")
        inside = [
            base64.b64decode(code).decode("utf-8", errors="replace")
            for code in _EMBEDDED.findall(text)
        ]
        plain = unescape(_EMBEDDED.sub("", text))
        yield file.relative_to(folder).as_posix(), "\n".join([plain, unquote(plain), *inside])


def found_in(folder: Path, planted: Values) -> list[tuple[str, str, str]]:
    """Return file, kind and value of everything personal that stands in a folder."""
    hits = []
    for name, text in texts(folder):
        words = set(_WORD.findall(text)) | {w.strip(".-") for w in _WORD.findall(text)}
        numbers = set(_WHOLE.findall(text))
        for kind, values in planted.items():
            there = {v for v in values if v.isdigit()} & numbers
            there |= {v for v in values if _WORD.fullmatch(v) and not v.isdigit()} & words
            there |= {v for v in values if not _WORD.fullmatch(v) and v in text}
            hits += [(name, kind, value) for value in sorted(there)]
    return hits


def test_raw_files_hold_every_kind_of_identifier(planted):
    for kind, values in planted.items():
        print(f"{len(values):>6,} of {kind}")
        assert len(values) >= (CUSTOMERS / 3 if kind != "id of type loyalty" else 30), kind
    assert len(planted) >= 15


def test_none_of_them_stands_anywhere_in_what_is_published(hostile_run, planted):
    assert found_in(hostile_run.parents[1], planted) == []


def test_the_search_finds_each_kind_where_one_is_planted(planted, tmp_path):
    for kind, values in planted.items():
        value = max(values)
        (tmp_path / "page.html").write_text(f"<p>Told of {value}, who called.</p>")
        pd.DataFrame({"x": [f"({value})"]}).to_parquet(tmp_path / "set_aside.parquet")
        where = {(file, k) for file, k, _ in found_in(tmp_path, {kind: values})}
        assert where == {("page.html", kind), ("set_aside.parquet", kind)}


def test_the_last_gate_finds_each_of_them_where_it_is_planted(hostile_run, planted, tmp_path):
    """Of every value of each kind, in a page, a download and a table of the real report."""
    folder = shutil.copytree(hostile_run, tmp_path / "2026Q3")
    check_folder(folder)
    called = {"e-mail": "email", "phone": "phone", "phone at home": "phone", "national id": "id"}
    values = {kind: sorted(planted[kind]) for kind in called}
    page, told = folder / "index.html", [value for kind in called for value in values[kind]]
    listed = "".join(f"<li>{value}</li>" for value in told)
    page.write_text(page.read_text().replace("</main>", f"<ul>{listed}</ul></main>"))
    with (folder / "findings.csv").open("a") as file:
        file.write("".join(f'"Contact: {value}"\n' for value in told))
    pd.DataFrame({"x": [f"told {values[kind][0]}" for kind in called]}).to_parquet(
        folder / "set_aside.parquet"
    )
    times = {(f.file, f.kind): f.times for f in scan(folder)}
    expected = Counter(name for kind, name in called.items() for _ in values[kind])
    for name, many in expected.items():
        assert times["index.html", name] >= many
        assert times["findings.csv", name] >= many
        assert times["set_aside.parquet", name] == list(called.values()).count(name)
    with pytest.raises(RunError, match="A report must hold nothing personal"):
        check_folder(folder)


def test_the_last_gate_finds_names_streets_and_accounts_that_it_is_told_of(
    hostile_run, planted, tmp_path
):
    folder = shutil.copytree(hostile_run, tmp_path / "2026Q3")
    known = planted["name"] | planted["street"] | planted["account"]
    assert scan(folder, known=known) == []
    page = folder / "index.html"
    value = max(planted["name"])
    page.write_text(page.read_text().replace("</main>", f"<p>{value}</p></main>"))
    assert [(f.file, f.kind) for f in scan(folder, known=known)] == [("index.html", "known")]
