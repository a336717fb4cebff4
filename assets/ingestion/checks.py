"""What must hold of a source's files and versions before they are read."""

from alexandria.workflows.quality.checks import check_blobs_stored, check_files_hashed
from assets.checks import blocking_check

files_have_a_hash = blocking_check(
    ["ingestion", "source_files"], "files_have_a_hash", check_files_hashed
)
blobs_are_stored = blocking_check(
    ["ingestion", "document_versions"], "blobs_are_stored", check_blobs_stored
)
