select
    "Token" as invitation_id,
    'survey:' || "PanelId" as customer_id,
    "SurveyName" as survey,
    "Sent" as sent_at,
    "Delivered" as delivered_at,
    "Opened" as opened_at,
    "Started" as started_at,
    "Finished" as finished_at,
    "Probability" as selection_prob,
    "TriggerKind" as trigger_type,
    "TriggerRef" as trigger_id,
    'survey tool' as source
from read_csv('{raw}/survey/invitations.csv', header = true, all_varchar = true)
