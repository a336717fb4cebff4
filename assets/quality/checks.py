"""What must hold once something was published."""

from alexandria.workflows.quality.checks import check_published
from assets.checks import blocking_check

index_matches_the_ledger = blocking_check(
    ["quality", "publications"], "index_matches_the_ledger", check_published
)
