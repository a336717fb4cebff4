select
    parse_id,
    content_hash,
    parser_version,
    title,
    author,
    language,
    media_type,
    character_count,
    problem_code,
    elapsed_seconds as parse_seconds,
    {{ utc('parsed_at') }} as parsed_at
from {{ source('knowledge', 'parses') }}
