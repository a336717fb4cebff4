"""Chunking: cuts a parsed document into the passages that are embedded and cited.

    document --outline--> sections --atoms--> parts --boundaries--> chunks    (structure)
    document ------------------------- separators --------------> chunks      (recursive)

How to cut is data (`strategies`); what is cut is a `ParsedDocument`. Offsets are Python
string indexes into the document's text, half-open; sizes are tokens of the embedding
model. The same document and strategy always give the same chunks.
"""

from collections.abc import Callable

from alexandria.knowledge.chunking.chunk import Chunk
from alexandria.knowledge.chunking.recursive import split_recursively
from alexandria.knowledge.chunking.strategies import (
    MODULE_STRATEGIES,
    RecursiveStrategy,
    Strategy,
    StructureStrategy,
    strategy_from_json,
)
from alexandria.knowledge.chunking.structure import split_by_structure
from alexandria.knowledge.documents import ParsedDocument

__all__ = [
    "MODULE_STRATEGIES",
    "Chunk",
    "RecursiveStrategy",
    "Strategy",
    "StructureStrategy",
    "split",
    "strategy_from_json",
]


def split(
    document: ParsedDocument,
    strategy: Strategy,
    token_spans: Callable[[str], list[tuple[int, int]]],
) -> list[Chunk]:
    """Cut a document into chunks.

    Args:
        document: Text with the blocks and units that structure it.
        strategy: How to cut.
        token_spans: Character spans of the tokens of a text, without special tokens: the
            `token_spans` of the embedder that will embed the chunks. Called a few times,
            with long stretches of the document or with its different words.

    Returns:
        The chunks in the order of the text, none for a document without text. Every
        character that is not white space is in one chunk, or in more where the strategy
        asks for an overlap.
    """
    match strategy:
        case StructureStrategy():
            return split_by_structure(document, strategy, token_spans)
        case RecursiveStrategy():
            return split_recursively(document, strategy, token_spans)
