-- The published names of events, in English, with where they happen: the stage of the
-- application, the touchpoint and the channel (the bank takes applications on its web page,
-- sends offers by mail, and calls by phone). A: state of the application; O: state of an offer;
-- W: work by staff, which is planned, begun and done. What ends an application or an offer has
-- no place of its own: it happens where the application stands.
with names(published, said, stage, touchpoint, channel) as (
    values
        ('A_SUBMITTED', 'submitted', 'apply', 'application form', 'web'),
        ('A_PARTLYSUBMITTED', 'partly submitted', 'apply', 'application form', 'web'),
        ('A_PREACCEPTED', 'pre-accepted', 'complete', 'first check', 'back office'),
        ('W_Afhandelen leads', 'lead follow-up', 'complete', 'lead follow-up', 'phone'),
        ('W_Completeren aanvraag', 'completing the application', 'complete',
            'completing the application', 'phone'),
        ('A_ACCEPTED', 'accepted', 'offer', 'making the offer', 'back office'),
        ('A_FINALIZED', 'finalised', 'offer', 'making the offer', 'back office'),
        ('O_SELECTED', 'offer selected', 'offer', 'making the offer', 'back office'),
        ('O_CREATED', 'offer created', 'offer', 'making the offer', 'back office'),
        ('O_SENT', 'offer sent', 'offer', 'offer letter', 'mail'),
        ('O_CANCELLED', 'offer cancelled', null, null, null),
        ('W_Nabellen offertes', 'call after the offer', 'offer', 'call after the offer', 'phone'),
        ('O_SENT_BACK', 'offer sent back', 'assess', 'offer sent back', 'mail'),
        ('W_Valideren aanvraag', 'assessment', 'assess', 'assessment', 'back office'),
        ('W_Nabellen incomplete dossiers', 'call about missing papers', 'assess',
            'call about missing papers', 'phone'),
        ('W_Beoordelen fraude', 'fraud check', 'assess', 'fraud check', 'back office'),
        ('O_ACCEPTED', 'offer accepted', 'decide', 'granting the loan', 'back office'),
        ('O_DECLINED', 'offer declined', null, null, null),
        ('A_APPROVED', 'approved', 'decide', 'granting the loan', 'back office'),
        ('A_REGISTERED', 'registered', 'decide', 'granting the loan', 'back office'),
        ('A_ACTIVATED', 'activated', 'decide', 'granting the loan', 'back office'),
        ('A_DECLINED', 'declined', null, null, null),
        ('A_CANCELLED', 'cancelled', null, null, null)
),
events as (
    select
        "case:concept:name" as application_id,
        "case:REG_DATE"::timestamptz as registered_at,
        "case:AMOUNT_REQ"::decimal(18, 2) as requested_amount,
        "concept:name" as published,
        "lifecycle:transition" as transition,
        "time:timestamp"::timestamptz as occurred_at,
        case "org:resource" when '112' then 'automatic' else 'staff' end as handled_by
    from read_parquet('{raw}/bpi2012_events.parquet')
),
-- Work is one row, when it begins: how long it had waited since it was planned, and how long it
-- takes until it is done. A piece that is laid aside and taken up again is a row each time, and
-- only the first one waited since the plan. In the file the next call may be planned before
-- this one is done, so that the two are looked for apart.
planned as (
    select *, lag(transition) over since as before, lag(occurred_at) over since as before_at
    from events
    where published like 'W\_%' escape '\' and transition in ('SCHEDULE', 'START')
    window since as (
        partition by application_id, published
        order by occurred_at, case transition when 'SCHEDULE' then 0 else 1 end
    )
),
done as (
    select *, lead(transition) over on_ as after, lead(occurred_at) over on_ as after_at
    from events
    where published like 'W\_%' escape '\' and transition in ('START', 'COMPLETE')
    window on_ as (
        partition by application_id, published
        order by occurred_at, case transition when 'START' then 0 else 1 end
    )
),
-- What was planned and never begun, or closed without having begun, is not here.
rows_ as (
    select * exclude (published, transition), published, null as wait_s, null as duration_s
    from events where published not like 'W\_%' escape '\'
    union all
    select
        d.application_id, d.registered_at, d.requested_amount, d.occurred_at, d.handled_by,
        d.published,
        case when p.before = 'SCHEDULE'
            then epoch(p.occurred_at) - epoch(p.before_at) end as wait_s,
        case when d.after = 'COMPLETE'
            then epoch(d.after_at) - epoch(d.occurred_at) end as duration_s
    from done as d
    join planned as p using (application_id, published, occurred_at, transition)
    where d.transition = 'START'
)
select
    r.* exclude (published),
    coalesce(n.said, r.published) as activity,
    coalesce(n.stage, last_value(n.stage ignore nulls) over so_far) as stage,
    coalesce(n.touchpoint, last_value(n.touchpoint ignore nulls) over so_far) as touchpoint,
    coalesce(n.channel, last_value(n.channel ignore nulls) over so_far) as channel,
    row_number() over so_far as event_no
from rows_ as r
left join names as n using (published)
window so_far as (partition by r.application_id order by r.occurred_at, r.published)
