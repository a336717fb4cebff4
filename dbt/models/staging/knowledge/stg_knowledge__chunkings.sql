select
    version_id || '/' || chunker_id as chunking_id,
    version_id,
    chunker_id,
    parse_id,
    chunk_count,
    token_count,
    {{ utc('chunked_at') }} as chunked_at
from {{ source('knowledge', 'chunkings') }}
