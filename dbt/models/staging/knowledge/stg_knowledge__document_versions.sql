select
    version_id,
    document_id,
    content_hash,
    size_bytes,
    {{ utc('modified_at') }} as modified_at,
    state as version_state,
    {{ utc('discovered_at') }} as discovered_at,
    {{ utc('changed_at') }} as state_changed_at
from {{ source('knowledge', 'document_versions') }}
