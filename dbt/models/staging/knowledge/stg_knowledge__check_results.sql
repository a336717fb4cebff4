select
    check_result_id,
    source_id,
    name as check_name,
    is_passed,
    description,
    {{ utc('checked_at') }} as checked_at
from {{ source('knowledge', 'check_results') }}
