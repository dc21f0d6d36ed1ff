-- Reviews with the person who wrote them; review_id alone is not unique.
select
    r.review_id || '/' || r.order_id as response_id,
    r.order_id,
    o.person_id,
    r.review_score::integer as score,
    r.review_creation_date::timestamp as asked_at,
    r.review_answer_timestamp::timestamp as answered_at,
    r.review_comment_title as title,
    r.review_comment_message as message,
    o.excluded_by
from read_csv('{raw}/olist_order_reviews_dataset.csv.gz', header = true, all_varchar = true,
    quote = '"', escape = '"') as r
join _orders as o using (order_id)
