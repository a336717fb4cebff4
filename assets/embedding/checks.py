"""What must hold of vectors and indexes before readers see them."""

from alexandria.workflows.quality.checks import (
    check_embeddings,
    check_images,
    check_orphans,
    check_parity,
)
from alexandria.workflows.quality.labelled_questions import check_retrieval
from assets.checks import blocking_check

embeddings_meet_the_suite = blocking_check(
    ["embedding", "chunk_embeddings"], "embeddings_meet_the_suite", check_embeddings
)
images_have_a_vector = blocking_check(
    ["embedding", "image_embeddings"], "images_have_a_vector", check_images
)
entries_have_no_orphans = blocking_check(
    ["embedding", "postgres_index"], "entries_have_no_orphans", check_orphans
)
indexes_agree = blocking_check(["embedding", "qdrant_index"], "indexes_agree", check_parity)
retrieval_score_holds = blocking_check(
    ["embedding", "qdrant_index"], "retrieval_score_holds", check_retrieval
)
