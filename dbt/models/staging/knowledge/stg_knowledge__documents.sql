select
    document_id,
    source_id,
    tenant_id,
    path,
    name_title,
    current_version_id,
    {{ utc('created_at') }} as created_at,
    {{ utc('deleted_at') }} as deleted_at
from {{ source('knowledge', 'documents') }}
