select
    generation_id,
    document_id,
    version_id,
    chunker_id,
    {{ utc('published_at') }} as published_at,
    {{ utc('withdrawn_at') }} as withdrawn_at
from {{ source('knowledge', 'publications') }}
