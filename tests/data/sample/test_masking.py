"""What customers of the sample company give away in their words is masked, and little else is."""

import json
import re
import shutil
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from cxlab.data.sample import parts
from cxlab.data.sample.simulate import PART
from cxlab.data.sample.study import new_sample
from cxlab.data.sample.write import Options
from tests.studies import snapshot

OPTIONS = Options(customers=1000, seed=5)
# How a planted comment begins its id, and how its last words begin.
PLANTED = {
    "PE": ("email", " Balas ke "),
    "PP": ("phone", " Hubungi "),
    "PN": ("id", " NIK "),
    "PM": ("name", " Salam, "),
    "PS": ("address", " Alamat saya "),
}
STRUCTURED = ("email", "phone", "id", "address")


@pytest.fixture(scope="module")
def comments(tmp_path_factory):
    """Return each comment as it was written, as a notebook sees it, and what it gives away.

    Each kind is planted in every post rather than in a few of them.
    """
    place = tmp_path_factory.mktemp("masking")
    new_sample(place / "study", OPTIONS)
    everywhere = tuple(
        replace(d, rows=PART) if d.export == "reviews_posts" and "'P" in d.replace else d
        for d in parts.DIRT
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "DIRT", everywhere)
        parts.write_part(place / "part", OPTIONS, 0)
    posts = "reviews/posts.jsonl"
    shutil.copy(place / "part" / "raw" / posts, place / "study" / "raw" / posts)
    text = (place / "study" / "raw" / posts).read_text(encoding="utf-8")
    written = [json.loads(line) for line in text.split("\n")[:-1]]
    said = pd.DataFrame(written)[["post_id", "body"]].dropna().set_index("post_id")["body"]
    taken = snapshot(place / "study", "2026Q3")
    seen = pd.read_parquet(taken.folder / "comments.parquet").set_index("comment_id")["text"]
    rows = []
    for comment, text in seen.items():
        kind, before = PLANTED.get(comment[:2], ("", ""))
        secret = said[comment].rpartition(before)[2] if kind else ""
        rows.append({"comment": comment, "kind": kind, "secret": secret, "seen": text})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def shares(comments):
    """Return recall and precision of each kind, from the truth of each comment."""
    planted, masked = Counter(comments["kind"]), Counter()
    hits, right = Counter(), Counter()
    for row in comments.to_dict("records"):
        found = Counter(re.findall(r"\[([a-z]+)\]", row["seen"] or ""))
        hits.update(found)
        if row["kind"]:
            left = [w for w in re.findall(r"\w{2,}", row["secret"]) if w in row["seen"]]
            masked[row["kind"]] += not left
            right[row["kind"]] += min(found[row["kind"]], 1)
    kinds = [kind for kind, _ in PLANTED.values()]
    return pd.DataFrame(
        {
            "planted": [planted[k] for k in kinds],
            "recall": [masked[k] / planted[k] for k in kinds],
            "masked": [hits[k] for k in kinds],
            "precision": [right[k] / max(hits[k], 1) for k in kinds],
        },
        index=kinds,
    )


def test_recall_and_precision_keep_their_bounds(shares):
    print(shares.round(4).to_string())
    assert shares["planted"].min() > 300
    assert (shares.loc[list(STRUCTURED), "recall"] >= 0.99).all()
    assert shares.loc["name", "recall"] >= 0.95


def test_hardly_anything_else_is_masked(shares):
    assert (shares["precision"] >= 0.99).all()
