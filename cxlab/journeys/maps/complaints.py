"""What do the people on a map complain about: to the service desk, and in comments?

A ticket has a topic, and the plan says which topics belong to a stage. A comment is about a
touchpoint, and so about each stage that has it; its theme is its topic, or is told by words. A
theme is a list of words and nothing else: it knows no negation, no irony, and no language but
that of its words. What the settings do not name is not looked for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxlab.data.engine import Table, TableLike, keep, query, view
from cxlab.data.span import moment_us
from cxlab.journeys.maps.met import too_few
from cxlab.journeys.maps.phases import Begun, Stages
from cxlab.journeys.maps.watched import FEWEST
from cxlab.report.finding import interval_row
from cxlab.stats.intervals import wilson

__all__ = ["IN_COMMENTS", "IN_TICKETS", "comment_rows", "ticket_rows"]

IN_TICKETS, IN_COMMENTS = "map.complaint_share", "map.theme_share"

# Words stand between single spaces; letters with their marks, and figures, make a word.
_NOT_OF_A_WORD = r"[^\p{L}\p{M}\p{N}]+"
_WORDS = "' ' || trim(regexp_replace(lower({text}), $not_of_a_word, ' ', 'g')) || ' '"


def ticket_rows(begun: Begun, stages: Stages, tickets: TableLike) -> list[dict[str, Any]]:
    """Share of the people on a map who opened a ticket about a topic of a stage.

    Parameters
    ----------
    begun : Begun
        The journeys on the map, and so its people and its span of time.
    stages : Stages
        Their plan names the topics.
    tickets : table
        `customer_id`, `opened_at` and `topic`; with `is_complaint` only complaints count.

    Returns
    -------
    list of dict
        `map.complaint_share` per persona, stage and topic, also where nobody complained.
    """
    topics = [(i, t) for i, n in enumerate(stages.names) if n in stages.plan
              for t in stages.plan[n].topics]  # fmt: skip
    people = _people(begun)
    log = people.engine.table(tickets)
    if not topics or "topic" not in log.columns:
        return []
    is_complaint = "t.is_complaint" if "is_complaint" in log.columns else "true"
    counts = query(
        f"""
        select p.persona, s.stage_no, s.topic as item, count(distinct t.customer_id) as people
        from t join p on t.customer_id = p.customer_id
        join s on cast(t.topic as varchar) = s.topic
        where epoch_us(t.opened_at) >= $since and epoch_us(t.opened_at) < $until
            and {is_complaint}
        group by p.persona, s.stage_no, s.topic order by p.persona, s.stage_no, s.topic
        """,
        t=log,
        p=people,
        s=pd.DataFrame(topics, columns=["stage_no", "topic"]),
        since=moment_us(begun.since),
        until=begun.until_us,
    )
    sizes = query(
        "select persona, count(*) as n from p group by persona order by persona", p=people
    )
    asked = [(p, i, n) for p, n in sizes.itertuples(index=False) for i in range(len(stages.names))]
    named = [[t for i, t in topics if i == at] for at in range(len(stages.names))]
    return _rows(IN_TICKETS, asked, named, counts, begun, stages)


def comment_rows(
    begun: Begun,
    stages: Stages,
    comments: TableLike,
    *,
    by: pd.DataFrame,
    themes: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """Share of those who rated a stage in a comment who were displeased and spoke of a theme.

    Parameters
    ----------
    begun : Begun
        The journeys on the map, and so its people and its span of time.
    stages : Stages
        Of the map.
    comments : table
        `customer_id`, `written_at`, `touchpoint`, `text`, `rating`, `scale_min`, `scale_max`,
        and perhaps `topic`; whoever rates below the middle of the scale is displeased.
    by : pandas.DataFrame
        `touchpoint` and `stage`.
    themes : mapping of str to sequence of str
        Words or phrases by theme, found as whole words whatever their case. A comment whose
        topic is called like a theme is about it, too.

    Returns
    -------
    list of dict
        `map.theme_share` per persona, stage and theme, also where nobody spoke of it.
    """
    people = _people(begun)
    log = people.engine.table(comments)
    needed = {"customer_id", "touchpoint", "rating", "scale_min", "scale_max"}
    if not themes or not needed <= {*log.columns} or by.empty:
        return []
    number = {name: i for i, name in enumerate(stages.names)}
    listed = [(theme, word) for theme, every in themes.items() for word in every]
    topic = "cast(c.topic as varchar)" if "topic" in log.columns else "cast(null as varchar)"
    rated = keep(
        view(
            f"""
            select p.persona, s.stage_no, c.customer_id,
                case when 2 * c.rating < c.scale_min + c.scale_max then 1 else 0 end as displeased,
                {topic} as topic, {_WORDS.format(text="c.text")} as said
            from c join p on c.customer_id = p.customer_id join s on c.touchpoint = s.touchpoint
            where epoch_us(c.written_at) >= $since and epoch_us(c.written_at) < $until
                and c.rating is not null and c.scale_min < c.scale_max
            """,
            c=log,
            p=people,
            s=by[["touchpoint"]].assign(stage_no=by["stage"].map(number)),
            since=moment_us(begun.since),
            until=begun.until_us,
            not_of_a_word=_NOT_OF_A_WORD,
        )
    )
    counts = query(
        f"""
        select persona, stage_no, item, count(distinct customer_id) as people
        from (
            select c.persona, c.stage_no, c.customer_id, w.theme as item
            from c join (select theme, {_WORDS.format(text="word")} as word from w) as w
                on c.said like '%' || w.word || '%'
            where c.displeased = 1
            union all
            select c.persona, c.stage_no, c.customer_id, t.theme
            from c join t on c.topic = t.theme where c.displeased = 1
        ) as d group by persona, stage_no, item order by persona, stage_no, item
        """,
        c=rated,
        w=pd.DataFrame(listed, columns=["theme", "word"], dtype=object),
        t=pd.DataFrame({"theme": list(themes)}),
        not_of_a_word=_NOT_OF_A_WORD,
    )
    sizes = query(
        "select persona, stage_no, count(distinct customer_id) as n from c "
        "group by persona, stage_no order by persona, stage_no",
        c=rated,
    )
    asked = list(sizes.itertuples(index=False, name=None))
    return _rows(IN_COMMENTS, asked, [list(themes)] * len(stages.names), counts, begun, stages)


def _people(begun: Begun) -> Table:
    return view(
        "select distinct customer_id, persona from j where customer_id is not null",
        j=begun.journeys,
    )


def _rows(
    metric: str,
    asked: Sequence[tuple[str, int, int]],
    named: Sequence[Sequence[str]],
    counts: pd.DataFrame,
    begun: Begun,
    stages: Stages,
) -> list[dict[str, Any]]:
    """Make one row for each persona, stage and item that somebody could have complained of."""
    key = ["persona", "stage_no", "item"]
    found = {tuple(k): int(n) for *k, n in counts[[*key, "people"]].itertuples(index=False)}
    rows = []
    for persona, stage_no, n in asked:
        if persona not in begun.personas:
            continue
        for item in named[stage_no]:
            people = found.get((persona, stage_no, item), 0)
            dims = {"persona": persona, "stage": stages.names[stage_no], "complaint": item}
            if n < FEWEST:
                rows.append(too_few(metric, float(n), float(people), dims))
                continue
            share = wilson(people, n)
            rows.append(interval_row(metric, share, unit="share", count=people, **dims))
    return rows
