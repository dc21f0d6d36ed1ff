-- What people wrote: to the survey, to the help desk, in public.
select
    "TextId" as comment_id,
    'survey:' || "PanelId" as customer_id,
    "WrittenAt" as written_at,
    'survey' as origin,
    "Answer" as text,
    "Lang" as language,
    "Mark" as rating,
    "MarkFrom" as scale_min,
    "MarkTo" as scale_max,
    "Occasion" as touchpoint,
    "OrderRef" as order_id,
    null as reach,
    'survey tool' as source
from read_csv('{raw}/survey/open_texts.csv', header = true, all_varchar = true)
union all
select
    id, 'email_hash:' || md5(sender.email), written, via, body, lang, null, null, null, context,
    order_reference, null, 'help desk'
from read_ndjson('{raw}/helpdesk/messages.jsonl', columns = {
    id: 'VARCHAR', sender: 'STRUCT(email VARCHAR)', written: 'VARCHAR', via: 'VARCHAR',
    body: 'VARCHAR', lang: 'VARCHAR', context: 'VARCHAR', order_reference: 'VARCHAR'
})
union all
select
    post_id, 'phone_hash:' || handle_md5, posted, kind, body, lang, stars, stars_from, stars_to,
    about, order_ref, seen_by, 'listening tool'
from read_ndjson('{raw}/reviews/posts.jsonl', columns = {
    post_id: 'VARCHAR', handle_md5: 'VARCHAR', posted: 'VARCHAR', kind: 'VARCHAR',
    body: 'VARCHAR', lang: 'VARCHAR', stars: 'VARCHAR', stars_from: 'VARCHAR',
    stars_to: 'VARCHAR', about: 'VARCHAR', order_ref: 'VARCHAR', seen_by: 'VARCHAR'
})
