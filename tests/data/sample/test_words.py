"""Comments say what they are said to say."""

from functools import cache

import pytest

from cxlab.data.sample.company import company
from cxlab.data.sample.phrases import CLAUSES, LANGUAGES, PLEASES, THEMES
from cxlab.data.sample.simulate import simulate_part
from cxlab.data.sample.world import World


@cache
def made():
    return simulate_part(World(company(), 2), 0, 3_000)


def comments():
    return made()["comments"]


def found(text, language):
    """Name the clauses of a text: theme, and whether they please."""
    return [
        (theme, pleases)
        for (tongue, theme, pleases), clauses in CLAUSES.items()
        if tongue == language and any(clause in text for clause in clauses)
    ]


def test_there_are_six_clauses_of_every_kind_and_each_belongs_to_one():
    assert set(CLAUSES) == {(i, t, p) for i in LANGUAGES for t in THEMES for p in PLEASES}
    everything = [clause for clauses in CLAUSES.values() for clause in clauses]
    assert all(len(set(clauses)) == 6 for clauses in CLAUSES.values())
    assert len(set(everything)) == len(everything)


def test_theme_valence_and_language_are_those_of_the_text():
    wanted = {-1: {"displeases"}, 0: set(PLEASES), 1: {"pleases"}}
    for row in comments().sample(500, random_state=1).itertuples():
        clauses = found(row.text, row.language)
        assert row.true_theme in [theme for theme, _ in clauses]
        assert {pleases for _, pleases in clauses} == wanted[row.true_valence]


def test_ratings_and_valence_agree():
    rated = comments()[comments()["rating"] >= 0]
    means = rated.groupby("true_valence")["rating"].mean()
    assert means[-1] < 2.6
    assert means[-1] + 0.5 < means[0] < means[1] - 0.5
    assert means[1] > 3.9
    assert rated["rating"].between(1, 5).all()


def test_comments_are_in_both_languages_and_some_have_emoji():
    share = (comments()["language"] == "id").mean()
    assert share == pytest.approx(0.85 * 0.9 + 0.15 * 0.1, abs=0.04)
    emoji = comments()["text"].str.contains("[\U0001f300-\U0001faff☕]", regex=True)
    assert emoji.mean() == pytest.approx(0.15, abs=0.03)
    assert not comments()["text"].str.contains(r"[@\d]", regex=True).any()


def test_each_comment_was_written_where_it_says():
    tables = made()
    surveys = comments()[comments()["origin"] == "survey"]
    sent = tables["invitations"].set_index("invitation").loc[surveys["invitation"]]
    assert (sent["person"].to_numpy() == surveys["person"]).all()
    assert (sent["finished_at"].to_numpy() == surveys["written_at"]).all()
    calls = comments()[comments()["origin"].isin(["ticket", "chat"])]
    tickets = tables["tickets"].set_index("ticket").loc[calls["ticket"]]
    assert (tickets["person"].to_numpy() == calls["person"]).all()
    in_public = comments()["origin"].isin(["review", "social"])
    assert (comments()["reach"] >= 0).eq(in_public).all()
    late = tables["deliveries"].set_index("order")["is_late"]
    reviews = comments()[comments()["origin"] == "review"]
    reviews = reviews[reviews["order"].isin(late[late].index)]
    assert (reviews["true_theme"] == "delivery").mean() > 0.4  # tickets' orders among them
