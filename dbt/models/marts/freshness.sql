with documents as (
    select
        source_id,
        count(*) as document_count,
        count(*) filter (where is_waiting) as pending_count,
        max(version_discovered_at) as last_change_at,
        min(version_discovered_at) filter (where is_waiting) as oldest_pending_at
    from (
        select
            source_id,
            version_discovered_at,
            document_state not in ('published', 'quarantined') as is_waiting
        from {{ ref('documents') }}
        where document_state <> 'deleted'
    )
    group by source_id
),

first_publications as (
    select version_id, min(published_at) as published_at
    from {{ ref('stg_knowledge__publications') }}
    group by version_id
),

delays as (
    select
        document.source_id,
        max(publication.published_at) as last_published_at,
        median(
            epoch(publication.published_at) - epoch(version.discovered_at)
        ) / 3600 as hours_to_publish
    from first_publications as publication
    join {{ ref('stg_knowledge__document_versions') }} as version
        on version.version_id = publication.version_id
    join {{ ref('stg_knowledge__documents') }} as document
        on document.document_id = version.document_id
    group by document.source_id
)

select
    cast(source.source_id as varchar) as source_id,
    cast(source.tenant_id as varchar) as tenant_id,
    cast(source.source_name as varchar) as source_name,
    cast(source.source_kind as varchar) as source_kind,
    cast(coalesce(documents.document_count, 0) as bigint) as documents,
    cast(coalesce(documents.pending_count, 0) as bigint) as documents_pending,
    cast(source.synced_at as timestamp) as synced_at,
    cast(documents.last_change_at as timestamp) as last_change_at,
    cast(delays.last_published_at as timestamp) as last_published_at,
    cast(documents.oldest_pending_at as timestamp) as oldest_pending_at,
    cast(
        (epoch(source.exported_at) - epoch(source.synced_at)) / 3600 as double
    ) as hours_since_sync,
    cast(
        (epoch(source.exported_at) - epoch(documents.oldest_pending_at)) / 3600 as double
    ) as hours_pending,
    cast(delays.hours_to_publish as double) as hours_to_publish,
    cast(source.exported_at as timestamp) as measured_at
from {{ ref('stg_knowledge__sources') }} as source
left join documents on documents.source_id = source.source_id
left join delays on delays.source_id = source.source_id
where source.removed_at is null
