"""Text to searchable terms, and terms to BM25 weights; ingest and query share every step.

    text --folding--> one form --words--> words and pairs --stemming--> terms --weights--> BM25

A text is folded (compatibility forms, case, digits, marks nobody has to write), cut into
words, freed of its language's stop words and stemmed. Scripts written without spaces become
pairs of characters. Codes such as "A10:2017" are found whole and by their parts.

Laws: the terms of a text depend on the text and its language alone. The weights of an
index entry depend on nothing else either, so an entry never changes because its neighbours
did: the average length in BM25 is a constant here, not a statistic of the library.
"""

from alexandria.knowledge.terms.folding import fold
from alexandria.knowledge.terms.stemming import analyze
from alexandria.knowledge.terms.weights import (
    AVERAGE_LENGTH,
    K1,
    B,
    entry_terms,
    entry_weights,
    inverse_document_frequency,
    query_weights,
    term_id,
)

__all__ = [
    "AVERAGE_LENGTH",
    "K1",
    "B",
    "analyze",
    "entry_terms",
    "entry_weights",
    "fold",
    "inverse_document_frequency",
    "query_weights",
    "term_id",
]
