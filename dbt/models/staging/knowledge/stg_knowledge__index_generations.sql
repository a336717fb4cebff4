select
    generation_id,
    model_id,
    dimension,
    state as generation_state,
    entry_count,
    {{ utc('created_at') }} as created_at,
    {{ utc('activated_at') }} as activated_at
from {{ source('knowledge', 'index_generations') }}
