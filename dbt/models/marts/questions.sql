select
    cast(tenant_id as varchar) as tenant_id,
    cast(asked_at as date) as day,
    cast(count(*) as bigint) as asked_count,
    cast(count(*) filter (where is_answered) as bigint) as answered_count,
    cast(count(*) filter (where is_answered) / count(*) as double) as answered_share,
    cast(sum(citation_count) as bigint) as citation_count,
    cast(quantile_cont(elapsed_ms, 0.5) as double) as p50_ms,
    cast(quantile_cont(elapsed_ms, 0.95) as double) as p95_ms,
    cast(sum(token_count) as bigint) as token_count,
    cast(sum(cost_usd) as double) as cost_usd
from {{ ref('stg_insights__query_events') }}
group by tenant_id, cast(asked_at as date)
