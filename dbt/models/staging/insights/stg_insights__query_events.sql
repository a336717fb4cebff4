select
    query_event_id,
    tenant_id,
    {{ utc('asked_at') }} as asked_at,
    question,
    generation_id,
    answer_model,
    is_answered,
    citation_count,
    elapsed_ms,
    token_count,
    cost_usd
from {{ source('insights', 'query_events') }}
