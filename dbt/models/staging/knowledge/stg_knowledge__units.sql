select
    parse_id || '/' || ordinal as unit_id,
    parse_id,
    ordinal as unit_ordinal,
    kind as unit_kind,
    label as unit_label,
    anchor,
    end_offset - start_offset as character_count,
    problem_code
from {{ source('knowledge', 'units') }}
