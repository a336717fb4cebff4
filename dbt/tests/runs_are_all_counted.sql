-- No run is lost or counted twice between the event table and the daily sums.
{{ config(meta={'dagster': {'ref': {'name': 'costs'}}}) }}

with counted as (select coalesce(sum(run_count), 0) as runs from {{ ref('costs') }}),

recorded as (select count(*) as runs from {{ ref('stg_insights__stage_runs') }})

select counted.runs as counted, recorded.runs as recorded
from counted
cross join recorded
where counted.runs <> recorded.runs
