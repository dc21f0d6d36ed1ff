select
    call_id as contact_id,
    ticket as ticket_id,
    'email_hash:' || caller_md5 as customer_id,
    strptime(started, '%Y/%m/%d %H:%M:%S') as started_at,
    line as channel,
    desk as team,
    wait_s,
    talk_s as handle_s,
    recognised,
    history_shown as history_available,
    repeated_story as had_to_repeat,
    hung_up as abandoned,
    cost_idr as cost_amount,
    'help desk' as source
from read_csv('{raw}/helpdesk/calls.csv', header = true, all_varchar = true)
