select
    retrieval_score_id,
    generation_id,
    source_id,
    {{ utc('measured_at') }} as measured_at,
    question_count,
    ndcg_at_10,
    mrr_at_10,
    recall_at_10,
    is_published
from {{ source('knowledge', 'retrieval_scores') }}
