-- Every unit found is indexed, quarantined or waiting, and only one of these. The three are
-- told from different tables, so a unit lost or counted twice shows up here; one of each in
-- the same document would balance, which is why such units are also counted on their own.
{{ config(meta={'dagster': {'ref': {'name': 'coverage'}}}) }}

select
    source_name,
    day,
    units_found,
    units_indexed,
    units_quarantined,
    units_pending,
    units_unaccounted
from {{ ref('coverage') }}
where units_found <> units_indexed + units_quarantined + units_pending or units_unaccounted > 0
