"""What must hold of texts and chunks before they are embedded."""

from alexandria.workflows.quality.checks import check_chunks, check_completeness, check_documents
from assets.checks import blocking_check

documents_meet_the_suite = blocking_check(
    ["chunking", "parsed_documents"], "documents_meet_the_suite", check_documents
)
chunks_meet_the_suite = blocking_check(
    ["chunking", "chunks"], "chunks_meet_the_suite", check_chunks
)
units_are_all_accounted_for = blocking_check(
    ["chunking", "chunks"], "units_are_all_accounted_for", check_completeness
)
