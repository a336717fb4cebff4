select
    source_id,
    tenant_id,
    name as source_name,
    kind as source_kind,
    location,
    module,
    cast(from_json(tags, '["VARCHAR"]') as varchar[]) as tags,
    {{ utc('created_at') }} as created_at,
    {{ utc('synced_at') }} as synced_at,
    {{ utc('removed_at') }} as removed_at,
    {{ utc('exported_at') }} as exported_at
from {{ source('knowledge', 'sources') }}
