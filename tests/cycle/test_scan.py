"""Nothing personal gets into a published folder, whatever way it takes."""

import base64
import json

import pandas as pd
import pytest

from cxlab.cycle.quotes import hider
from cxlab.cycle.scan import check_folder, named_customers, scan
from cxlab.data.allowed import Allowed
from cxlab.errors import RunError, SettingsError
from tests.studies import CUSTOMERS, CUSTOMERS_CSV, YAML, opened, snapshot, write_study

PLANTED = {
    "email": "someone@mail.example",
    "phone": "0812-3456-7890",
    "card": "4111 1111 1111 1111",
    "iban": "GB82 WEST 1234 5698 7654 32",
    "id": "3204155208950003",
}


@pytest.mark.parametrize("kind", list(PLANTED))
@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("10.html", "<p>Call %s now</p>"),
        ("10.html", '<td title="%s">x</td>'),
        ("10.html", '<p><span class="a" title="%s">x</span></p>'),
        ("10.html", "<svg><title>%s</title><path d=''/></svg>"),
        ("10.html", '<script type="application/json">{"a": "%s"}</script>'),
        ("10.html", '<a href="data:text/csv;charset=utf-8,a%%0A%s">CSV</a>'),
        ("10.html", '<img src="data:image/svg+xml,<svg><text>%s</text></svg>">'),
        ("findings.csv", "metric,dims\na,%s\n"),
        ("notes.yaml", "said: %s\n"),
        ("LICENSE", "%s"),
        ("manifest.json", '{"a": ["x\\n%s"]}'),
        ("deep/one.ipynb", '{"cells": [{"source": "%s"}]}'),
    ],
)
def test_what_is_planted_is_found_in_every_file_and_place(tmp_path, kind, name, around):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(around % PLANTED[kind])
    assert [(f.file, f.kind) for f in scan(tmp_path)] == [(name, kind)]


@pytest.mark.parametrize("kind", list(PLANTED))
@pytest.mark.parametrize("head", ["text/csv", "text/csv;charset=utf-8", "image/svg+xml"])
def test_what_travels_inside_a_page_as_base64_is_read(tmp_path, kind, head):
    code = base64.b64encode(f"<svg><text>{PLANTED[kind]}</text></svg>".encode()).decode()
    (tmp_path / "10.html").write_text(f'<a href="data:{head};base64,{code}">x</a>')
    assert [(f.file, f.kind) for f in scan(tmp_path)] == [("10.html", kind)]


def test_base64_that_does_not_read_stops_nobody(tmp_path):
    (tmp_path / "10.html").write_text('<a href="data:text/csv;base64,A">x</a>')
    assert scan(tmp_path) == []


def test_an_attribute_of_a_drawing_hides_no_address(tmp_path):
    (tmp_path / "10.html").write_text(f'<p transform="{PLANTED["email"]}">x</p>')
    assert [(f.file, f.kind) for f in scan(tmp_path)] == [("10.html", "email")]


def test_names_of_files_and_columns_and_nested_cells_are_read(tmp_path):
    pd.DataFrame({PLANTED["email"]: [1]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"a": [{"b": PLANTED["phone"]}]}).to_parquet(tmp_path / "b.parquet")
    (tmp_path / f"{PLANTED['email']}.html").write_text("<p>x</p>")
    found = {(f.file, f.kind) for f in scan(tmp_path)}
    assert found == {
        ("a.parquet", "email"),
        ("b.parquet", "phone"),
        (f"{PLANTED['email']}.html", "email"),
    }


def test_parquet_is_read_as_text(tmp_path):
    frame = pd.DataFrame({"n": [628123456789], "said": [f"see {PLANTED['email']}"]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert [tuple(f) for f in scan(tmp_path)] == [("a.parquet", "email", 1)]


def test_numbers_hashes_moments_and_drawings_are_nothing_personal(tmp_path):
    (tmp_path / "a.csv").write_text(
        "n,amount,at\n628123456789,081.5,2024-01-15T10:30:00\n12345678901,0.8123456789012,x\n"
    )
    (tmp_path / "a.json").write_text(
        json.dumps({"sha": "be45" + "0123456789abcdef" * 3, "run": "20240115T103000-4821",
                    "bytes": 628123456789, "money": [52998224725, 1234567890123.0]})
    )  # fmt: skip
    (tmp_path / "a.html").write_text(
        '<svg viewBox="0 0 081 234"><path d="M 081 2345 6789 0 L 0812-3456-7890"/></svg>'
        "<td>628,123,456,789</td><td>Rp 81.234.567</td><td>IDR 812,345,678,901</td>"
        "<meta content=\"script-src 'sha256-A1234567+be45/4111111111111111='\">"
        '<img src="data:image/png;base64,A1234567/081234567890+x@y.co">'
    )
    assert scan(tmp_path) == []


def test_known_identifiers_are_found_as_whole_words(tmp_path):
    (tmp_path / "a.csv").write_text("who\nC-1001\nC-10012\nodd, id\n")
    found = scan(tmp_path, known={"C-1001", "odd, id", "C-999"})
    assert [tuple(f) for f in found] == [("a.csv", "known", 2)]


def test_a_customer_of_the_snapshot_is_found_wherever_the_id_stands(tmp_path):
    ids = ["crm:A-1001", "4a4de987b37555970ffcc9608d858a72", "budi.s@1", "34567", "ada"]
    pd.DataFrame({"customer_id": ids}).to_parquet(tmp_path / "customers.parquet")
    accounts = pd.DataFrame({"id_type": ["loyalty"], "id_value": ["77-A"]})
    accounts.to_parquet(tmp_path / "identities.parquet")
    report = tmp_path / "report"
    report.mkdir()
    (report / "a.csv").write_text("who\ncrm:A-1001\ncrm:A-1001\ncrm:A-10012\n34567,ada\n")
    (report / "b.html").write_text(
        "<p>see who/4a4de987b37555970ffcc9608d858a72. Budi.S@1<p>crm:A\u200b-1001. budi.s@1.</p>"
    )
    (report / "c.json").write_text(
        '{"id": "budi.s@1", "sha": "4a4de987b37555970ffcc9608d858a72be"}'
    )
    pd.DataFrame({"dims": ['{"who": "id:loyalty:77-A"}']}).to_parquet(report / "d.parquet")
    known = named_customers(report, tmp_path)
    assert known == {"crm:A-1001", ids[1], "budi.s@1", "loyalty:77-A"}
    with pytest.raises(RunError, match="Known means the id of a customer"):
        check_folder(report, known=known)
    assert [tuple(f) for f in scan(report, known=known)] == [
        ("a.csv", "known", 2), ("b.html", "known", 3), ("c.json", "known", 1),
        ("d.parquet", "known", 1),
    ]  # fmt: skip


def test_the_message_names_file_kind_and_number_and_never_the_value(tmp_path):
    (tmp_path / "a.html").write_text(f"<p>{PLANTED['email']} {PLANTED['email']}</p>")
    with pytest.raises(RunError, match=r"a\.html: email, 2 times") as refused:
        check_folder(tmp_path)
    assert "someone" not in str(refused.value)


def test_an_exception_needs_a_reason_and_covers_only_what_it_says(tmp_path):
    yaml = YAML + (
        "privacy:\n  allow:\n"
        "  - {pattern: '*@help.example', reason: the public address of the help desk}\n"
    )
    study = write_study(tmp_path, yaml=yaml, tables={"customers": CUSTOMERS})
    allow = opened(study)[0].privacy.allow
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "a.html").write_text("<p>Ask@Help.example or someone@mail.example</p>")
    assert [tuple(f) for f in scan(folder, allow=allow)] == [("a.html", "email", 1)]
    bare = yaml.replace(", reason: the public address of the help desk", "")
    with pytest.raises(SettingsError, match="reason is required"):
        opened(write_study(tmp_path, yaml=bare, tables={"customers": CUSTOMERS}))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "pattern"),
        ({"kind": "email"}, "pattern"),
        ({"kind": "mail", "pattern": "a@help.example"}, "kind must be one of"),
        ({"pattern": "*"}, "must hold more than"),
        ({"pattern": " ?*"}, "must hold more than"),
    ],
)
def test_an_exception_for_everything_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        Allowed(reason="because we want it so", **given)


def test_whom_an_error_names_is_taken_out(tmp_path):
    customers = CUSTOMERS_CSV + "    crm:A-1001,2018-01-01,1990\n    34567,2018-01-01,1990\n"
    study = write_study(tmp_path, tables={"customers": CUSTOMERS}, raw={"customers.csv": customers})
    message = "KeyError: 'crm:A-1001' in cell 3; 34567, crm:A-10012, ada \udc80x: crm:A-1001."
    hidden = hider([message], snapshot(study).folder)(message)
    assert hidden == (
        "KeyError: '[customer]' in cell 3; [customer], crm:A-10012, ada \udc80x: [customer]."
    )


def test_what_an_error_quotes_of_a_comment_is_taken_out(tmp_path):
    said = "Kopinya pahit sekali dan datang terlambat"
    study = write_study(
        tmp_path,
        tables={
            "customers": CUSTOMERS,
            "comments": "select * from read_csv('{raw}/comments.csv', header = true, "
            "all_varchar = true)",
        },
        raw={
            "customers.csv": CUSTOMERS_CSV,
            "comments.csv": "comment_id,customer_id,written_at,origin,text\n"
            f"1,ada,2018-01-05,review,{said}\n",
        },
    )
    message = f"ValueError: could not convert '{said}' to float in cell 3"
    cut = "KeyError: 'Kopinya pahit sekali dan data"  # as pandas shortens it
    hide = hider([message, cut], snapshot(study).folder)
    assert hide(message) == "ValueError: could not convert '[comment]' to float in cell 3"
    assert hide(cut) == "KeyError: '[comment] data"
    assert hider([message], None)(message) == message
