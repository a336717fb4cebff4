-- Every unit found is indexed, quarantined or waiting, and only one of these. The three are
-- counted from different tables, so a unit lost or counted twice shows up here.
{{ config(meta={'dagster': {'ref': {'name': 'coverage'}}}) }}

select source_name, day, units_found, units_indexed, units_quarantined, units_pending
from {{ ref('coverage') }}
where units_found <> units_indexed + units_quarantined + units_pending
