select
    quarantine_id,
    source_id,
    document_id,
    version_id,
    unit as unit_label,
    stage,
    code as problem_code,
    reason,
    advice,
    {{ utc('quarantined_at') }} as quarantined_at,
    {{ utc('cleared_at') }} as cleared_at
from {{ source('knowledge', 'quarantine') }}
