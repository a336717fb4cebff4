select
    cast(asset as varchar) as asset,
    cast(finished_at as date) as day,
    cast(count(*) as bigint) as run_count,
    cast(sum(row_count) as bigint) as row_count,
    cast(sum(elapsed_seconds) as double) as elapsed_seconds,
    cast(sum(model_seconds) as double) as model_seconds,
    cast(sum(token_count) as bigint) as token_count,
    cast(sum(cost_usd) as double) as cost_usd
from {{ ref('stg_insights__stage_runs') }}
group by asset, cast(finished_at as date)
