-- The published names of events, in English, with the stage of the application they belong to.
-- A: state of the application; O: state of an offer; W: work by staff, which has a life of its own.
with names(published, said, stage) as (
    values
        ('A_SUBMITTED', 'submitted', 'apply'),
        ('A_PARTLYSUBMITTED', 'partly submitted', 'apply'),
        ('A_PREACCEPTED', 'pre-accepted', 'complete'),
        ('W_Afhandelen leads', 'lead follow-up', 'complete'),
        ('W_Completeren aanvraag', 'completing the application', 'complete'),
        ('A_ACCEPTED', 'accepted', 'offer'),
        ('A_FINALIZED', 'finalised', 'offer'),
        ('O_SELECTED', 'offer selected', 'offer'),
        ('O_CREATED', 'offer created', 'offer'),
        ('O_SENT', 'offer sent', 'offer'),
        ('O_CANCELLED', 'offer cancelled', 'offer'),
        ('W_Nabellen offertes', 'call after the offer', 'offer'),
        ('O_SENT_BACK', 'offer sent back', 'assess'),
        ('W_Valideren aanvraag', 'assessment', 'assess'),
        ('W_Nabellen incomplete dossiers', 'call about missing papers', 'assess'),
        ('W_Beoordelen fraude', 'fraud check', 'assess'),
        ('O_ACCEPTED', 'offer accepted', 'decide'),
        ('O_DECLINED', 'offer declined', 'decide'),
        ('A_APPROVED', 'approved', 'decide'),
        ('A_REGISTERED', 'registered', 'decide'),
        ('A_ACTIVATED', 'activated', 'decide'),
        ('A_DECLINED', 'declined', 'decide'),
        ('A_CANCELLED', 'cancelled', 'decide'),
        ('W_Wijzigen contractgegevens', 'contract change', 'decide')
)
select
    e."case:concept:name" as application_id,
    e."case:REG_DATE"::timestamptz as registered_at,
    e."case:AMOUNT_REQ"::decimal(18, 2) as requested_amount,
    e."time:timestamp"::timestamptz as occurred_at,
    case when e."concept:name" like 'W\_%' escape '\'
        then n.said || case e."lifecycle:transition"
            when 'SCHEDULE' then ' planned' when 'START' then ' begun' else ' done' end
        else coalesce(n.said, e."concept:name") end as activity,
    n.stage,
    e."concept:name" like 'W\_Nabellen%' escape '\' as is_call,
    case e."org:resource" when '112' then 'automatic' else 'staff' end as handled_by,
    row_number() over (
        partition by e."case:concept:name"
        order by e."time:timestamp"::timestamptz, e."concept:name", e."lifecycle:transition"
    ) as event_no
from read_parquet('{raw}/bpi2012_events.parquet') as e
left join names as n on n.published = e."concept:name"
