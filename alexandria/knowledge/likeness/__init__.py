"""Whether texts are copies of one work, and which copy is the best.

text --signatures--> runs and figures --comparing--> pairs of copies --stars--> the best
"""

from alexandria.knowledge.likeness.comparing import are_copies, candidate_pairs, likeness
from alexandria.knowledge.likeness.copies import Copy
from alexandria.knowledge.likeness.signatures import (
    METHOD,
    SKETCH_BYTES,
    Runs,
    Signature,
    passage_runs,
    read_sketches,
    shared_part,
)
from alexandria.knowledge.likeness.stars import stars

__all__ = [
    "METHOD",
    "SKETCH_BYTES",
    "Copy",
    "Runs",
    "Signature",
    "are_copies",
    "candidate_pairs",
    "likeness",
    "passage_runs",
    "read_sketches",
    "shared_part",
    "stars",
]
