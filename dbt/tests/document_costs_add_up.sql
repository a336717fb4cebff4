-- The shares of a source's documents add up to what its runs cost.
{{ config(meta={'dagster': {'ref': {'name': 'documents'}}}) }}

with shared as (
    select source_id, sum(cost_usd) as cost_usd, sum(elapsed_seconds) as elapsed_seconds
    from {{ ref('documents') }}
    group by source_id
),

spent as (
    select source_id, sum(cost_usd) as cost_usd, sum(elapsed_seconds) as elapsed_seconds
    from {{ ref('stg_insights__stage_runs') }}
    group by source_id
)

select shared.source_id, shared.cost_usd, spent.cost_usd as spent_usd
from shared
join spent on spent.source_id = shared.source_id
where abs(shared.cost_usd - spent.cost_usd) > 1e-6 * (1 + spent.cost_usd)
    or abs(shared.elapsed_seconds - spent.elapsed_seconds) > 1e-6 * (1 + spent.elapsed_seconds)
