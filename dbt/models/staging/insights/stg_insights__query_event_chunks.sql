select
    query_event_id || '/' || number as citation_id,
    query_event_id,
    number as citation_number,
    chunk_id,
    version_id
from {{ source('insights', 'query_event_chunks') }}
