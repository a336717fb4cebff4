"""What must hold once something was published."""

from alexandria.workflows.quality.checks import check_published
from alexandria.workflows.quality.near_duplicates import check_copies
from assets.checks import blocking_check

index_matches_the_ledger = blocking_check(
    ["quality", "publications"], "index_matches_the_ledger", check_published
)
copies_lead_to_the_best = blocking_check(
    ["quality", "near_duplicates"], "copies_lead_to_the_best", check_copies
)
