select
    stage_run_id,
    asset,
    source_id,
    run_id,
    {{ utc('finished_at') }} as finished_at,
    elapsed_seconds,
    model_seconds,
    row_count,
    token_count,
    cost_usd
from {{ source('insights', 'stage_runs') }}
