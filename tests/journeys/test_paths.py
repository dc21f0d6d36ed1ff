"""Transitions, steps, flows, variants, dead ends and loops: counts that anybody can redo."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from cxlab.data.calendar import Cycle, parse_cycle
from cxlab.data.engine import Engine, frame
from cxlab.data.journey_settings import JourneySettings
from cxlab.errors import ParameterError, Withheld
from cxlab.journeys.cases import Journeys, split_journeys
from cxlab.journeys.paths.dead_ends import dead_ends, loops
from cxlab.journeys.paths.steps import flow, step_matrix
from cxlab.journeys.paths.transitions import transitions
from cxlab.journeys.paths.variants import pack, unpack, variants
from cxlab.journeys.paths.ways import ENDS, decided, stays, ways

CYCLE = parse_cycle("2011Q1")

# The running example of process mining (van der Aalst 2016): six cases, 42 events. R register,
# T examine thoroughly, C examine casually, K check ticket, D decide, I reinitiate, P pay,
# X reject; each with the day after 2010-12-29 and the hour (UTC+1).
RUNNING = """
1 R 1 11:02 T 2 10:06 K 7 15:12 D 8 11:18 X 9 14:24
2 R 1 11:32 K 1 12:12 C 1 14:16 D 7 11:22 P 10 12:05
3 R 1 14:32 C 1 15:06 K 1 16:34 D 8 09:18 I 8 12:18 T 8 13:06 K 10 11:43 D 11 09:55 P 17 10:45
4 R 8 15:02 K 9 12:06 T 10 14:43 D 11 12:02 X 14 15:44
5 R 8 09:02 C 9 10:16 K 10 11:22 D 12 13:28 I 13 16:18 K 16 14:33 C 18 15:50
5 D 21 11:18 I 22 12:48 C 23 09:06 K 23 11:34 D 25 13:12 X 26 14:56
6 R 8 15:02 C 8 16:06 K 9 16:22 D 9 16:52 P 18 11:47
"""


@pytest.fixture
def running(engine: Engine) -> Journeys:
    """Each case twice, since six are too few to be a usual way."""
    rows = []
    for line in RUNNING.strip().splitlines():
        case, *words = line.split()
        for activity, day, clock in zip(words[::3], words[1::3], words[2::3], strict=True):
            hour, minute = (int(part) for part in clock.split(":"))
            at = datetime(2010, 12, 29) + timedelta(days=int(day), hours=hour - 1, minutes=minute)
            rows += [(f"{case} {copy}", activity, at) for copy in "ab"]
    log = pd.DataFrame(rows, columns=["object_id", "activity", "occurred_at"])
    rules = JourneySettings(outcome=["P"], lost=["X"], key="object_id")
    log["customer_id"] = log["object_id"]
    return split_journeys(engine.table(log), rules, cutoff=CYCLE.cutoff)


def test_the_running_example_is_followed_as_published(running: Journeys) -> None:
    found = transitions(running, cycle=CYCLE).estimates
    share = found[found["metric"] == "paths.move_share"]
    moves = share.assign(n=(share["estimate"] * share["n"]).round() / 2)
    counts = moves[moves["n"] > 0].set_index(["from_place", "to_place"])["n"]
    between = {a + b: n for (a, b), n in counts.items() if a != "start" and b not in ENDS}
    assert between == {
        "KD": 6, "KC": 2, "KT": 1, "DP": 3, "DI": 3, "DX": 3, "CK": 4, "CD": 2, "TK": 2, "TD": 1,
        "RK": 2, "RC": 3, "RT": 1, "IK": 1, "IC": 1, "IT": 1,
    }  # fmt: skip
    assert counts["start"].to_dict() == {"R": 6}
    assert counts["P", "converted"] == 3
    assert counts["X", "lost"] == 3
    days = found[found["metric"] == "paths.move_days"].set_index(["from_place", "to_place"])
    seconds = days["estimate"] * 86_400
    published = {"DP": 514_160, "DI": 66_400, "DX": 154_240, "KD": 181_960}
    for (a, b), mean in ((tuple(k), v) for k, v in published.items()):
        assert seconds[a, b] == pytest.approx(mean, abs=1e-3)
    assert days.loc[("D", "P"), "n"] == 6


def test_the_running_example_has_six_variants(running: Journeys) -> None:
    found = variants(running, cycle=CYCLE, with_end=True)
    assert sorted(found.estimates["sequence"].str.replace(" > ", "")) == [
        "RCKDIKCDICKDX", "RCKDITKDP", "RCKDP", "RKCDP", "RKTDX", "RTKDX",
    ]  # fmt: skip
    assert found.estimates["estimate"].to_numpy() == pytest.approx(1 / 6)
    assert "6 of 6 variants shown (100.0% of journeys)" in found.note


def test_ways_without_their_end_tell_how_many_reach_it(engine: Engine) -> None:
    given = ["ab!"] * 12 + ["ab"] * 8 + ["!"] * 10
    log = log_of(given)
    log.loc[log["activity"] == "buy", "touchpoint"] = "till"
    made = split_journeys(
        engine.table(log), JourneySettings(outcome=["buy"], gap="10 days"), cutoff=CYCLE.cutoff
    )
    found = variants(made, cycle=CYCLE).estimates.set_index(["sequence", "metric"])["estimate"]
    assert found["a > b", "paths.variant_share"] == pytest.approx(20 / 30)
    assert found["a > b", "paths.variant_conversion"] == pytest.approx(12 / 20)
    assert found["no contact before", "paths.variant_share"] == pytest.approx(10 / 30)
    assert ("no contact before", "paths.variant_conversion") not in found.index
    ends = dead_ends(made, cycle=CYCLE).estimates
    average = ends[(ends["metric"] == "paths.dead_end_share") & ends["place"].isna()].iloc[0]
    assert (average["n"], average["estimate"]) == (40, pytest.approx(8 / 40))  # of a and b alone
    assert set(ends.loc[ends["metric"] == "paths.dead_end_share", "place"].dropna()) == {"a", "b"}


def test_contacts_of_one_moment_are_told() -> None:
    log = log_of(["abc"] * 20)
    log.loc[log["touchpoint"] == "b", "occurred_at"] -= timedelta(hours=1)
    made = split_journeys(log, JourneySettings(outcome=[], gap="10 days"), cutoff=CYCLE.cutoff)
    assert (
        "20 moves in no time: contacts of one moment stand" in transitions(made, cycle=CYCLE).note
    )


def test_where_journeys_begin_has_a_name_among_the_first_steps() -> None:
    later = "".join(letter * 2 for letter in "bcdefghij")
    log = log_of([f"z{later}"] * 15 + [f"y{later}"] * 15)
    made = split_journeys(log, JourneySettings(outcome=[], gap="10 days"), cutoff=CYCLE.cutoff)
    found = flow(made, cycle=CYCLE, steps=2, most=4, repeats=True).estimates
    assert {"y", "z"} <= set(found["from_place"])


def log_of(ways_: list[str], *, gap_days: int = 0) -> pd.DataFrame:
    """A person per way, a letter per contact; '!' is the outcome, at the place before it."""
    rows = []
    for i, way in enumerate(ways_):
        place, at = "", datetime(2011, 1, 5) + timedelta(days=gap_days * i)
        for k, letter in enumerate(way):
            place = place if letter == "!" else letter
            activity = "buy" if letter == "!" else "look"
            rows.append((f"p{i:05d}", activity, place, at + timedelta(hours=k)))
    return pd.DataFrame(rows, columns=["customer_id", "activity", "touchpoint", "occurred_at"])


def journeys_of(log: pd.DataFrame, engine: Engine | None = None) -> Journeys:
    placed = log if engine is None else engine.table(log)
    settings = JourneySettings(outcome=["buy"] if "buy" in set(log["activity"]) else [])
    return split_journeys(placed, settings, cutoff=CYCLE.cutoff)


def random_ways(seed: int, size: int = 300) -> list[str]:
    rng = np.random.default_rng(seed)
    lengths = rng.geometric(0.3, size=size)
    return [
        "".join(rng.choice(list("abcd"), size=n, p=[0.4, 0.3, 0.2, 0.1])) + "!" * int(buys)
        for n, buys in zip(lengths, rng.random(size) < 0.4, strict=True)
    ]


def collapsed(way: str) -> list[str]:
    body = way.rstrip("!")
    return [a for a, b in zip(body, " " + body, strict=False) if a != b]


def ending(way: str) -> str:
    return "converted" if way.endswith("!") else "ended"


def test_moves_steps_and_variants_of_random_ways_are_those_counted_by_hand(engine: Engine) -> None:
    given = random_ways(1)
    made = journeys_of(log_of(given), engine)
    rows = [["start", *collapsed(w), ending(w)] for w in given]

    moves = Counter(pair for row in rows for pair in pairwise(row))
    found = transitions(made, cycle=CYCLE).estimates
    share = found[found["metric"] == "paths.move_share"]
    counted = {
        (r["from_place"], r["to_place"]): round(r["estimate"] * r["n"])
        for r in share.to_dict("records")
        if r["estimate"] > 0
    }
    assert counted == dict(moves)
    assert share.groupby("from_place")["estimate"].sum().to_numpy() == pytest.approx(1, abs=1e-12)

    at = Counter((k, row[min(k, len(row) - 1)]) for row in rows for k in range(1, 5))
    steps = step_matrix(made, cycle=CYCLE, steps=4).estimates
    by_step = steps[steps["estimate"] > 0].set_index(["step", "place"])["estimate"] * len(given)
    assert by_step.round().astype(int).to_dict() == dict(at)
    assert steps.groupby("step")["estimate"].sum().to_numpy() == pytest.approx(1, abs=1e-12)

    links = Counter((k, *row[k : k + 2]) for row in rows for k in range(1, min(4, len(row) - 1)))
    bands = flow(made, cycle=CYCLE, steps=3).estimates
    band = bands.set_index(["step", "from_place", "to_place"])["estimate"] * len(given)
    assert band.round().astype(int).to_dict() == dict(links)

    ways_ = Counter(" > ".join(collapsed(w)) for w in given)
    bought = Counter(" > ".join(collapsed(w)) for w in given if w.endswith("!"))
    table = variants(made, cycle=CYCLE, most=8)
    measured = table.estimates.groupby("metric")
    shares = measured.get_group("paths.variant_share").set_index("sequence")
    assert sorted(shares["count"], reverse=True) == [n for _, n in ways_.most_common(8)]
    for way, row in measured.get_group("paths.variant_conversion").set_index("sequence").iterrows():
        assert (row["n"], row["count"]) == (ways_[str(way)], bought[str(way)])
    assert f"8 of {len(ways_)} variants shown" in table.note


def test_dead_ends_and_loops_of_random_ways_are_those_counted_by_hand(engine: Engine) -> None:
    given = random_ways(2)
    made = journeys_of(log_of(given), engine)
    came = Counter(place for w in given for place in set(collapsed(w)))
    ended = Counter(collapsed(w)[-1] for w in given if ending(w) == "ended")
    found = dead_ends(made, cycle=CYCLE).estimates
    share = found[(found["metric"] == "paths.dead_end_share") & found["place"].notna()]
    assert share.set_index("place")["n"].to_dict() == dict(came)
    assert share.set_index("place")["count"].to_dict() == dict(ended)
    average = found[found["place"].isna()].iloc[0]
    assert average["n"] == sum(came.values())
    assert average["estimate"] == pytest.approx(sum(ended.values()) / sum(came.values()))
    last = found[found["metric"] == "paths.last_place_share"]
    assert last["estimate"].sum() == pytest.approx(1)

    onward = Counter(pair for w in given for pair in pairwise(collapsed(w)))
    threes = [t for w in given for t in zip(*(collapsed(w)[k:] for k in range(3)), strict=False)]
    back = Counter((a, b) for a, b, c in threes if a == c)
    round_ = loops(made, cycle=CYCLE, most=30).estimates
    returns = round_[round_["metric"] == "paths.return_share"].set_index("sequence")
    assert {tuple(str(s).split(" > ")[:2]): round(r["estimate"] * r["n"]) for s, r in
            returns.iterrows()} == dict(back)  # fmt: skip
    assert all(r["n"] == onward[tuple(str(s).split(" > ")[:2])] for s, r in returns.iterrows())
    raw = [list(w.rstrip("!")) for w in given]  # the purchase repeats no contact
    again = Counter(a for w in raw for a, b in pairwise(w) if a == b)
    repeats = round_[round_["metric"] == "paths.repeat_share"]
    assert dict(zip(repeats["sequence"].str[0], repeats["estimate"] * repeats["n"], strict=True)) \
        == pytest.approx(dict(again))  # fmt: skip


def test_a_journey_belongs_to_the_cycle_in_which_it_was_decided() -> None:
    # Ten buy, ten fall silent in the first quarter; ten fall silent too late to be sure of it.
    log = log_of(["ab!"] * 10 + ["ab"] * 10)
    late = log_of(["a"] * 10)
    late["customer_id"] = "late " + late["customer_id"]
    late["occurred_at"] = datetime(2011, 3, 15)
    made = journeys_of(pd.concat([log, late], ignore_index=True))
    assert "20 journeys decided in 2011Q1: 10 reached the outcome" in transitions(
        made, cycle=CYCLE
    ).note  # fmt: skip
    assert "10 others were still open" in transitions(made, cycle=CYCLE).note
    longer = journeys_of_until(pd.concat([log, late], ignore_index=True), datetime(2011, 7, 1))
    second = transitions(longer, cycle=parse_cycle("2011Q2"))
    assert "10 journeys decided in 2011Q2: 0 reached the outcome" in second.note
    # The first quarter says the same, however much later it is asked.
    pd.testing.assert_frame_equal(
        transitions(longer, cycle=CYCLE).estimates, transitions(made, cycle=CYCLE).estimates
    )
    with pytest.raises(ParameterError, match="known to the end of 2011Q2"):
        transitions(made, cycle=parse_cycle("2011Q2"))


def journeys_of_until(log: pd.DataFrame, cutoff: datetime) -> Journeys:
    return split_journeys(log, JourneySettings(outcome=["buy"]), cutoff=cutoff)


def test_rare_places_are_gathered_and_the_coverage_says_so() -> None:
    made = journeys_of(log_of(["ab"] * 40 + ["ac", "ad", "ae"] * 2))
    found = transitions(made, cycle=CYCLE, most=2)
    assert set(found.estimates["from_place"]) == {"start", "a", "b", "other places"}
    # start>a, a>b, b>ended of nine pairs; 6 moves to the other places and 6 from them are not.
    assert "3 of 9 transitions shown (91.3% of weight)" in found.note
    # The 6 moves from a to the others would follow from the 40 to b, which go with them.
    assert "1 of 9 transitions shown (33.3% of weight)" in found.protect(10).note


def test_the_note_says_that_other_places_are_taken_for_one() -> None:
    made = journeys_of(log_of(["aabab"] * 12 + ["acda"] * 12))
    alone, together = (transitions(made, cycle=CYCLE, most=most).note for most in (9, 2))
    stay = "contacts at the same touchpoint as the one before"
    assert f"12 {stay} are part of one stay" in alone
    # c and d are one place here: more contacts, and the note says why.
    assert f"24 {stay}, all of 'other places' taken for one, are part of one stay" in together


def test_what_few_people_did_is_withheld_and_not_counted_as_shown() -> None:
    made = journeys_of(log_of(["ab"] * 40 + ["ac"] * 5 + ["ad"] * 3))
    found = transitions(made, cycle=CYCLE)
    assert "7 of 7 transitions shown (100.0% of weight)" in found.note
    safe = found.protect(10)
    share = safe.estimates[safe.estimates["metric"] == "paths.move_share"]
    shown = share[~share["suppressed"]]
    assert set(zip(shown["from_place"], shown["to_place"], strict=True)) <= {
        ("start", "a"), ("a", "b"), ("b", "ended")
    }  # fmt: skip
    assert "7 of 7" not in safe.note
    # A pair that few took, and one that nobody took, look alike: neither is listed.
    listed = safe.table()
    assert not listed["suppressed"].any()
    assert set(zip(listed["from_place"], listed["to_place"], strict=True)) <= {
        ("start", "a"), ("a", "b"), ("b", "ended")
    }  # fmt: skip
    steps = step_matrix(made, cycle=CYCLE).protect(10)
    assert steps.estimates["suppressed"].any()
    assert (steps.table()["estimate"] > 0).all()
    assert steps.note.endswith("Cells of too few people, or of none, are not listed.")


def test_persons_are_the_units_of_every_interval() -> None:
    # 20 persons who do the same 5 times know no more than 20 persons who do it once.
    def found(times: int) -> pd.Series:
        logs = []
        for k in range(times):
            log = log_of(["ab!"] * 10 + ["ac!"] * 10)
            log["occurred_at"] += timedelta(days=k)
            logs.append(log)
        rows = transitions(journeys_of(pd.concat(logs, ignore_index=True)), cycle=CYCLE).estimates
        return rows.set_index(["metric", "from_place", "to_place"]).loc[
            ("paths.move_share", "a", "b")
        ]

    once, often = found(1), found(5)
    assert often["n"] == 5 * once["n"]
    assert often["count"] == once["count"] == 10
    width = [row["conf_high"] - row["conf_low"] for row in (once, often)]
    # A little wider: a t quantile of 19 degrees, one of them spent on the mean.
    assert width[0] < width[1] < 1.1 * width[0]


def test_ways_are_packed_and_read_back_whatever_their_length(engine: Engine) -> None:
    given = ["ab" * n + ("c" if n % 3 else "d") for n in range(1, 25)]
    found = ways(journeys_of(log_of(given), engine), of=None, cycle=CYCLE, most=62)
    packed = frame(pack(found, stays(found)), limit=100).sort_values("journey")
    for way, row in zip(given, packed.to_dict("records"), strict=True):
        read = unpack([int(row[f"w{i}"]) for i in range(3)], row["stays"], found.names)
        room = 3 * (62 // 3)  # four places and the end take three bits
        assert read == (list(way) if len(way) <= room else [*way[:room], "…"])


def test_a_log_without_touchpoints_is_read_by_activity_and_says_so() -> None:
    log = log_of(["ab!"] * 12).drop(columns="touchpoint")
    found = transitions(journeys_of(log), cycle=CYCLE)
    assert "names no touchpoint, so a place is an activity" in found.note
    assert set(found.estimates["from_place"]) == {"start", "look", "buy"}
    with pytest.raises(Withheld, match="names its channel"):
        transitions(journeys_of(log), cycle=CYCLE, of="channel")
    with pytest.raises(ParameterError, match="of must be one of"):
        transitions(journeys_of(log), cycle=CYCLE, of="colour")


def test_fewer_than_ten_journeys_are_no_usual_way() -> None:
    with pytest.raises(Withheld, match="at least 10 journeys"):
        transitions(journeys_of(log_of(["ab!"] * 9)), cycle=CYCLE)
    with pytest.raises(Withheld, match="all of 2011Q1 that were decided reached it"):
        dead_ends(journeys_of(log_of(["ab!"] * 12)), cycle=CYCLE)


def test_repeats_are_moves_where_they_are_asked_for() -> None:
    made = journeys_of(log_of(["aab"] * 12))
    stay = transitions(made, cycle=CYCLE)
    assert "12 contacts at the same touchpoint as the one before are part of one stay" in stay.note
    again = transitions(made, cycle=CYCLE, repeats=True).estimates
    cell = again[(again["from_place"] == "a") & (again["to_place"] == "a")].iloc[0]
    assert (cell["estimate"], cell["n"]) == (0.5, 24)


def test_every_result_reads_and_draws_on_paper_and_on_a_phone() -> None:
    from cxlab.report import svg

    made = journeys_of(log_of(random_ways(3)))
    for result in (
        transitions(made, cycle=CYCLE), step_matrix(made, cycle=CYCLE), flow(made, cycle=CYCLE),
        variants(made, cycle=CYCLE), dead_ends(made, cycle=CYCLE), loops(made, cycle=CYCLE),
    ):  # fmt: skip
        safe = result.protect(10)
        drawn = svg.twins(safe.plot, uid="u", title="t", description="d")
        assert drawn is not None
        assert drawn.count("<svg") == 2
        everything_withheld = result.protect(10_000)
        assert everything_withheld.sentence().endswith(".")
        everything_withheld.plot()


def test_decided_tells_when_and_of_whom() -> None:
    made = journeys_of(log_of(["ab!"] * 10))
    rows = frame(decided(made, Cycle(datetime(2011, 1, 1).date())), limit=100)
    assert set(rows["state"]) == {"converted"}
    assert rows["person"].nunique() == 10
    assert (rows["anonymous"] == 0).all()


def test_a_case_that_was_lost_and_won_later_is_lost_in_its_cycle() -> None:
    log = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(20)] * 3,
            "case": [f"k{i}" for i in range(20)] * 3,
            "occurred_at": pd.to_datetime(["2018-02-01", "2018-02-03", "2018-05-01"]).repeat(20),
            "activity": np.repeat(["asked", "refused", "granted"], 20),
        }
    )  # fmt: skip
    rules = JourneySettings(outcome=["granted"], lost=["refused"], key="case", gap=None)
    cycle = parse_cycle("2018Q1")
    for cutoff in (cycle.cutoff, parse_cycle("2018Q2").cutoff):
        journeys = split_journeys(log[log["occurred_at"] < cutoff], rules.model_copy(
            update={"outcome": ["granted"] if cutoff > cycle.cutoff else []}
        ), cutoff=cutoff)  # fmt: skip
        found = ways(journeys, of="activity", cycle=cycle, most=5)
        assert (found.counts["lost"], found.counts["converted"]) == (20, 0)


def test_a_note_tells_no_more_of_few_than_a_table_does() -> None:
    made = journeys_of(log_of(["ab!"] * 40 + ["ab"] * 3))
    found = transitions(made, cycle=CYCLE)
    assert "43 journeys decided in 2011Q1: 40 reached the outcome and 3 ended" in found.note
    for result in (found, flow(made, cycle=CYCLE), dead_ends(made, cycle=CYCLE)):
        note = result.protect(10).note
        assert "Base: 43 journeys decided in 2011Q1. " in note
        assert "reached" not in note
