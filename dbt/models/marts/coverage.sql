select
    cast(source_id as varchar) as source_id,
    cast(source_name as varchar) as source_name,
    cast(version_discovered_at as date) as day,
    cast(count(*) as bigint) as documents,
    cast(count(*) filter (where document_state = 'published') as bigint) as documents_published,
    cast(count(*) filter (where document_state = 'quarantined') as bigint) as documents_quarantined,
    cast(
        count(*) filter (where document_state not in ('published', 'quarantined')) as bigint
    ) as documents_pending,
    cast(sum(units_found) as bigint) as units_found,
    cast(sum(units_indexed) as bigint) as units_indexed,
    cast(sum(units_quarantined) as bigint) as units_quarantined,
    cast(sum(units_pending) as bigint) as units_pending,
    cast(sum(units_unaccounted) as bigint) as units_unaccounted
from {{ ref('documents') }}
where document_state <> 'deleted' and version_discovered_at is not null
group by source_id, source_name, cast(version_discovered_at as date)
