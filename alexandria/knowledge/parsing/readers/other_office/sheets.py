"""A sheet's rows as pieces, for every workbook format that is read cell by cell here."""

from collections.abc import Iterable, Sequence
from itertools import compress, groupby, zip_longest

from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing.drafts import Piece, Section
from alexandria.knowledge.parsing.tables import Cell, fill_spans, table_pieces


def sheet_section(name: str, rows: Iterable[Sequence[Cell]]) -> Section:
    """A sheet; rows between empty rows are a table, columns without any text are left out."""
    pieces: list[Piece] = []
    for filled, group in groupby(fill_spans(rows), any):
        table = list(group) if filled else []
        used = [any(column) for column in zip_longest(*table, fillvalue="")]
        pieces += table_pieces([list(compress(row, used)) for row in table])
    return Section(UnitKind.SHEET, f"Sheet {name}", f"sheet={name}", tuple(pieces))


def number_text(number: float) -> str:
    """A number as people write it: 2, 1.5, not 2.0."""
    return f"{number:.15g}"
