with publications as (
    select
        publication.document_id,
        publication.version_id,
        publication.published_at,
        chunking.parse_id,
        chunking.chunk_count,
        chunking.token_count
    from {{ ref('stg_knowledge__publications') }} as publication
    join {{ ref('stg_knowledge__index_generations') }} as generation
        on generation.generation_id = publication.generation_id
        and generation.generation_state = 'live'
    join {{ ref('stg_knowledge__chunkings') }} as chunking
        on chunking.version_id = publication.version_id
        and chunking.chunker_id = publication.chunker_id
    where publication.withdrawn_at is null
),

newest_parses as (
    select *
    from {{ ref('stg_knowledge__parses') }}
    qualify row_number() over (
        partition by content_hash order by parsed_at desc, parse_id
    ) = 1
),

standing_quarantine as (
    select version_id, unit_label
    from {{ ref('stg_knowledge__quarantine') }}
    where cleared_at is null
),

-- Every unit of every current version, with what speaks for its being indexed and what
-- speaks for its being quarantined, each looked up on its own.
units as (
    select
        document.document_id,
        unit.problem_code is null and publication.document_id is not null as is_indexed,
        exists (
            select 1
            from standing_quarantine
            where standing_quarantine.version_id = document.current_version_id
                and standing_quarantine.unit_label in ('', unit.unit_label)
        ) as is_quarantined,
        publication.document_id is null as is_unpublished
    from {{ ref('stg_knowledge__documents') }} as document
    join {{ ref('stg_knowledge__document_versions') }} as version
        on version.version_id = document.current_version_id
    join newest_parses as parse on parse.content_hash = version.content_hash
    join {{ ref('stg_knowledge__units') }} as unit on unit.parse_id = parse.parse_id
    left join publications as publication
        on publication.document_id = document.document_id
        and publication.version_id = version.version_id
        and publication.parse_id = parse.parse_id
    where document.deleted_at is null
),

unit_counts as (
    select
        document_id,
        count(*) as units_found,
        count(*) filter (where is_indexed) as units_indexed,
        count(*) filter (where is_quarantined) as units_quarantined,
        count(*) filter (where is_unpublished and not is_quarantined) as units_pending,
        count(*) filter (
            where not is_unpublished and is_indexed = is_quarantined
        ) as units_unaccounted
    from units
    group by document_id
),

-- A source's costs are shared by the tokens its documents have had in all their versions;
-- evenly if none of them has any.
version_counts as (
    select
        version.document_id,
        count(distinct version.version_id) as version_count,
        coalesce(sum(chunking.token_count), 0) as token_count
    from {{ ref('stg_knowledge__document_versions') }} as version
    left join {{ ref('stg_knowledge__chunkings') }} as chunking
        on chunking.version_id = version.version_id
    group by version.document_id
),

shares as (
    select
        document.document_id,
        document.source_id,
        case
            when sum(coalesce(counts.token_count, 0)) over source = 0 then 1.0 / count(*) over source
            else coalesce(counts.token_count, 0) / sum(coalesce(counts.token_count, 0)) over source
        end as share
    from {{ ref('stg_knowledge__documents') }} as document
    left join version_counts as counts on counts.document_id = document.document_id
    window source as (partition by document.source_id)
),

source_costs as (
    select
        source_id,
        sum(elapsed_seconds) as elapsed_seconds,
        sum(model_seconds) as model_seconds,
        sum(cost_usd) as cost_usd
    from {{ ref('stg_insights__stage_runs') }}
    where source_id is not null
    group by source_id
),

citations as (
    select version.document_id, count(*) as citation_count
    from {{ ref('stg_insights__query_event_chunks') }} as citation
    join {{ ref('stg_knowledge__document_versions') }} as version
        on version.version_id = citation.version_id
    group by version.document_id
)

select
    cast(document.document_id as varchar) as document_id,
    cast(document.tenant_id as varchar) as tenant_id,
    cast(document.source_id as varchar) as source_id,
    cast(source.source_name as varchar) as source_name,
    cast(source.module as varchar) as module,
    cast(document.path as varchar) as path,
    cast(
        case
            when document.deleted_at is not null then 'deleted'
            else coalesce(version.version_state, 'discovered')
        end as varchar
    ) as document_state,
    cast(if(parse.title = '', document.name_title, parse.title) as varchar) as title,
    cast(parse.author as varchar) as author,
    cast(parse.language as varchar) as language,
    cast(parse.media_type as varchar) as media_type,
    cast(version.size_bytes as bigint) as size_bytes,
    cast(parse.character_count as bigint) as character_count,
    cast(coalesce(counts.version_count, 0) as bigint) as version_count,
    cast(coalesce(unit_counts.units_found, 0) as bigint) as units_found,
    cast(coalesce(unit_counts.units_indexed, 0) as bigint) as units_indexed,
    cast(coalesce(unit_counts.units_quarantined, 0) as bigint) as units_quarantined,
    cast(coalesce(unit_counts.units_pending, 0) as bigint) as units_pending,
    cast(coalesce(unit_counts.units_unaccounted, 0) as bigint) as units_unaccounted,
    cast(coalesce(publication.chunk_count, 0) as bigint) as chunk_count,
    cast(coalesce(publication.token_count, 0) as bigint) as token_count,
    cast(coalesce(citations.citation_count, 0) as bigint) as citation_count,
    cast(coalesce(source_costs.elapsed_seconds, 0) * shares.share as double) as elapsed_seconds,
    cast(coalesce(source_costs.model_seconds, 0) * shares.share as double) as model_seconds,
    cast(coalesce(source_costs.cost_usd, 0) * shares.share as double) as cost_usd,
    cast(document.created_at as timestamp) as first_seen_at,
    cast(version.discovered_at as timestamp) as version_discovered_at,
    cast(version.modified_at as timestamp) as modified_at,
    cast(publication.published_at as timestamp) as published_at,
    cast(document.deleted_at as timestamp) as deleted_at
from {{ ref('stg_knowledge__documents') }} as document
join {{ ref('stg_knowledge__sources') }} as source on source.source_id = document.source_id
join shares on shares.document_id = document.document_id
left join {{ ref('stg_knowledge__document_versions') }} as version
    on version.version_id = document.current_version_id
left join newest_parses as parse on parse.content_hash = version.content_hash
left join version_counts as counts on counts.document_id = document.document_id
left join unit_counts on unit_counts.document_id = document.document_id
left join publications as publication on publication.document_id = document.document_id
left join source_costs on source_costs.source_id = document.source_id
left join citations on citations.document_id = document.document_id
