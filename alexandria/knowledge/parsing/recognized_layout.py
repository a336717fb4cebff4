"""Lines found in a picture become pieces: reading order, columns, paragraphs, confidence."""

from collections.abc import Sequence

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.drafts import Piece
from alexandria.knowledge.parsing.tools import RecognizedLine


def recognized_pieces(lines: Sequence[RecognizedLine]) -> list[Piece]:
    """The lines as paragraphs in reading order."""
    return [Piece(BlockKind.PARAGRAPH, line.text, confidence=line.confidence) for line in lines]
