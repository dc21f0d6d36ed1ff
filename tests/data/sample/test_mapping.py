"""From the simulation to raw exports and back: the snapshot holds what happened, less the dirt."""

import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from cxlab.data.model import contracts
from cxlab.data.people import ERASED
from cxlab.data.sample.dirt import ASIDE, EXCLUDED, KEPT, MERGED
from cxlab.data.sample.simulate import simulate_part
from cxlab.data.sample.write import Options

OPTIONS = Options(customers=600, seed=5)
DIFFERENT = "the key order_id stands twice in different rows"


@pytest.fixture(scope="module")
def simulated():
    return simulate_part(OPTIONS.world, 0, OPTIONS.customers)


@pytest.fixture(scope="module")
def ask(taken, simulated):
    """SQL over the snapshot's tables, and over the simulated ones as `sim_...`."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for table in taken.columns:
            file = taken.folder / f"{table}.parquet"
            connection.execute(f"create view {table} as from read_parquet('{file}')")
        gone = simulated["erasures"]["person"]
        for name, frame in simulated.items():
            kept = frame[~frame["person"].isin(gone)] if "person" in frame else frame
            connection.register(f"sim_{name}", kept)
        connection.execute(
            "create view whose as select t.person, any_value(i.customer_id) as customer_id "
            "from sim_true_accounts as t join identities as i "
            "on i.id_type = t.type and i.id_value = t.value group by t.person"
        )
        yield lambda sql: connection.execute(sql).fetchall()


def counts(planted, fate):
    """Return the rows planted with a fate, by table and reason."""
    of_fate = planted[planted["fate"] == fate]
    return of_fate.groupby(["table", "reason"])["rows"].sum().to_dict()


def test_every_table_of_the_guide_is_mapped_and_filled(taken):
    unread = {"names"}  # used to mask comments, and kept nowhere
    assert set(taken.rows_used) == set(contracts()) - unread
    assert not [table for table, rows in taken.rows_used.items() if not rows]


@pytest.mark.parametrize("fate", [ASIDE, EXCLUDED])
def test_exactly_what_was_planted_is_kept_out(taken, planted, fate):
    reasons = taken.reasons[taken.reasons["fate"] == fate]
    found = {
        (row["table"], row["reason"]): row["rows"]
        for row in reasons.to_dict("records")
        if row["reason"] != ERASED
    }
    assert found == counts(planted, fate)


def test_accounts_become_the_persons_that_they_truly_are(ask, simulated):
    kept = simulated["people"]["person"].nunique() - len(simulated["erasures"])
    ((persons, ids),) = ask("select count(*), count(distinct customer_id) from whose")
    assert persons == ids == kept
    # All accounts of a person that were open by then lead to the same one.
    assert (
        ask(
            "select t.person from sim_true_accounts as t join identities as i "
            "on i.id_type = t.type and i.id_value = t.value "
            "group by t.person having count(distinct i.customer_id) > 1"
        )
        == []
    )


def test_orders_come_back_with_moment_buyer_and_sum_from_every_shop(planted, ask):
    # Three clocks and three ways to write money lead to the same numbers. In the hour that
    # comes twice abroad, a till cannot say which one it was.
    wrong = ask(
        """
        select o.channel, o.order, n.placed_at, n.net_amount
        from sim_orders as o
        join whose as w using (person)
        left join orders as n
            on n.order_id = case o.channel when 'store' then 'R' || o.order
                when 'marketplace' then 'INV/' || o.order else 'WS-' || o.order end
            and n.customer_id = w.customer_id
        where o.placed_at < timestamp '2026-09-30 17:00:00'
            and (n.order_id is null or n.channel <> o.channel or n.placed_at <> o.placed_at
                or n.net_amount <> o.net_amount - o.refund_amount)
        """
    )
    sent_again = counts(planted, ASIDE)[("orders", DIFFERENT)]  # either of two sums may stay
    assert len([row for row in wrong if row[0] != "store"]) <= sent_again
    assert len([row for row in wrong if row[0] == "store"]) <= 1
    channels = ask("select distinct channel from orders order by channel")
    assert [name for (name,) in channels] == ["app", "marketplace", "store", "web"]


@pytest.mark.parametrize(
    ("back", "sim"),
    [
        ("select sum(l.net_amount), count(*) from order_lines as l join orders using (order_id)",
         "select sum(l.net_amount), count(*) from sim_order_lines as l "
         "join sim_orders using (\"order\") where placed_at < timestamp '2026-09-30 17:00:00'"),
        ("select count(*), min(delivered_at), max(delivered_at), "
         "count(*) filter (where delivered_at > promised_on + interval 17 hour) from shipments",
         "select count(*), min(d.delivered_at), "
         "max(d.delivered_at) filter (where d.delivered_at < timestamp '2026-09-30 17:00:00'), "
         "count(*) filter (where d.delivered_at > d.promised_on + interval 17 hour "
         "and d.delivered_at < timestamp '2026-09-30 17:00:00') "
         "from sim_deliveries as d join sim_orders using (\"order\") "
         "where placed_at < timestamp '2026-09-30 17:00:00'"),
        ("select sum(monthly_amount), count(ended_at), min(started_at) from subscriptions",
         "select sum(monthly_amount), "
         "count(*) filter (where ended_at < timestamp '2026-09-30 17:00:00'), min(started_at) "
         "from sim_subscriptions where started_at < timestamp '2026-09-30 17:00:00'"),
        ("select count(*), sum(value), sum(scale_max), count(touchpoint), count(order_id) "
         "from answers",
         "select count(*), sum(value), sum(scale_max), count(touchpoint), "
         "count(*) filter (where \"order\" >= 0) "
         "from sim_answers where answered_at < timestamp '2026-09-30 17:00:00'"),
        ("select sum(total_amount), count(order_id), sum(dunning_stage) from invoices",
         "select sum(total_amount), count(*) filter (where \"order\" >= 0), sum(dunning_stage) "
         "from sim_invoices where issued_at < timestamp '2026-09-30 17:00:00'"),
        ("select count(*), sum(duration_s), max(occurred_at) from interactions where is_bot",
         "select count(*), sum(duration_s), max(occurred_at) from sim_interactions "
         "where is_bot and occurred_at < timestamp '2026-09-30 17:00:00'"),
        ("select count(*), sum(wait_s), count(*) filter (where had_to_repeat) from contacts",
         "select count(*), sum(wait_s), count(*) filter (where had_to_repeat) from sim_contacts "
         "where started_at < timestamp '2026-09-30 17:00:00'"),
        ("select count(*), count(*) filter (where not kept) from promises where kind = 'sla'",
         "select count(*), count(*) filter (where kept = 0 "
         "and promised_by < timestamp '2026-09-30 17:00:00') from sim_sla_promises "
         "where promised_at < timestamp '2026-09-30 17:00:00'"),
        ("select sum(amount), count(*), count(outcome) from opportunities",
         "select sum(amount), count(*), "
         "count(*) filter (where closed_at < timestamp '2026-09-30 17:00:00') "
         "from sim_opportunities where created_at < timestamp '2026-09-30 17:00:00'"),
    ],
)  # fmt: skip
def test_totals_come_back_from_every_system(ask, back, sim):
    assert ask(back) == ask(sim)


def test_every_touch_is_accounted_for(taken, simulated):
    touches = simulated["interactions"]["occurred_at"]
    known = (touches < OPTIONS.world.end).sum()
    rows = taken.tables.set_index("table").loc["interactions"]
    assert rows["rows_in"] == known
    assert rows["rows_set_aside"] == 0


def test_the_truth_lies_beside_the_raw_files(study):
    truth = study / "truth"
    company = json.loads((truth / "company.json").read_text(encoding="utf-8"))
    assert company["late_share"] == OPTIONS.world.company.late_share
    assert company["seed"] == OPTIONS.seed
    people = pd.read_parquet(truth / "people.parquet")
    assert len(people) == OPTIONS.customers
    assert {"segment", "attachment", "household"} <= set(people.columns)
    journeys = pd.read_csv(truth / "journeys.csv")
    assert (journeys["kind"] == "touchpoint").sum() == 12 * 9
    steps = pd.read_csv(truth / "transitions.csv")
    assert len(steps) == 12 * 10 * 11
    assert np.allclose(steps.groupby(["quarter", "step_from"])["probability"].sum(), 1)
    answers = pd.read_csv(truth / "answers.csv", keep_default_na=False)
    assert (answers["about"] == "order").sum() == 2 * 12
    rows = pd.read_parquet(truth / "planted.parquet")["kind"].value_counts()
    listed = pd.read_csv(truth / "dirt.csv").set_index("kind")["rows"].drop(MERGED.name)
    assert rows.sort_index().to_dict() == listed[listed > 0].sort_index().to_dict()


def test_what_each_exported_comment_is_about_stands_in_the_truth(study, simulated):
    """By the number in its id, from every system that hands over texts."""
    raw, truth = study / "raw", pd.read_parquet(study / "truth" / "true_comments.parquet")
    ids = list(pd.read_csv(raw / "survey" / "open_texts.csv")["TextId"])
    for file, key in (("reviews/posts.jsonl", "post_id"), ("helpdesk/messages.jsonl", "id")):
        lines = (raw / file).read_text(encoding="utf-8").split("\n")[:-1]
        ids += [json.loads(line)[key] for line in lines]
    clean = {int(i[2:]) for i in ids if i[:2] in ("TX", "PO", "HM") and i[2:].isdigit()}
    assert clean == set(truth["comment"])
    written = simulated["comments"].set_index("comment")
    told = truth.set_index("comment")
    assert (told["true_theme"].astype(str) == written["true_theme"].astype(str)).all()
    assert (told["true_valence"] == written["true_valence"]).all()


def test_personal_data_planted_in_comments_reach_no_reader(taken, planted):
    kinds = {reason for _, reason in counts(planted, KEPT)}
    assert kinds == {""}
    with duckdb.connect() as connection:
        texts = connection.execute(
            f"select comment_id, text from read_parquet('{taken.folder / 'comments.parquet'}')"
        ).fetchall()
    for prefix in ("PE", "PP", "PN"):
        spoiled = [text for comment, text in texts if comment.startswith(prefix)]
        assert spoiled
        assert all("[" in text for text in spoiled)
        assert not any("@surat" in text or "628" in text for text in spoiled)
