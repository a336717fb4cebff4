"""Tables as text: one line for each row, every value with its column's header.

A row "Ethanol | 1.35" under the headers "Product | Price" reads "Product: Ethanol;
Price: 1.35". So a row found alone still says what its numbers mean.
"""

import re
from collections.abc import Iterable, Sequence

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.drafts import Piece, one_line

Row = Sequence[str]
_NUMBER = re.compile(r"[-+(]?[\d.,\s]*\d[\d.,\s]*[%)]?")
_HEADER_LENGTH = 60


def table_pieces(rows: Iterable[Row], header: bool | None = None) -> list[Piece]:
    """One table piece for each row that has text.

    Args:
        rows: Cells by row; rows may differ in length.
        header: Whether the first row names the columns; None decides by its looks.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    has_header = looks_like_header(cells) if header is None else header
    if not has_header or len(cells) < 2:
        return [_piece("; ".join(filter(None, _unrepeated(row)))) for row in cells]
    head, *body = cells
    unused = any(
        name and not any(row[i : i + 1] != [""] for row in body if len(row) > i)
        for i, name in enumerate(head)
    )
    shown = [_piece("; ".join(filter(None, head)))] if unused else []
    return [*shown, *(_piece(_render(head, row)) for row in body)]


def looks_like_header(rows: Sequence[Row]) -> bool:
    """Whether the first of the rows names columns: short, distinct, filled, no numbers."""
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    first = [cell.strip() for cell in rows[0]]
    filled = [cell for cell in first if cell]
    return (
        len(filled) >= max(2, 0.6 * len(first))
        and len(set(filled)) == len(filled)
        and not any(_NUMBER.fullmatch(cell) or len(cell) > _HEADER_LENGTH for cell in filled)
    )


def _render(headers: Row, row: Row) -> str:
    named = zip(headers, row, strict=False)
    texts = [f"{name}: {cell}" if name else cell for name, cell in named if cell]
    return "; ".join([*texts, *filter(None, row[len(headers) :])])


def _unrepeated(row: Row) -> list[str]:
    """The row without a cell's repetitions by merging."""
    return [cell for i, cell in enumerate(row) if not i or cell != row[i - 1]]


def _piece(text: str) -> Piece:
    return Piece(BlockKind.TABLE, text)
