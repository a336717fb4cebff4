-- Readers are shown one generation; two live ones would count documents twice.
{{ config(meta={'dagster': {'ref': {'name': 'stg_knowledge__index_generations'}}}) }}

select count(*) as live_generations
from {{ ref('stg_knowledge__index_generations') }}
where generation_state = 'live'
having count(*) > 1
